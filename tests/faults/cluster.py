"""A cluster on hosts of our own: on each a member of etcd and a node, which speak to the others in TLS."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.members import Member
from tests.cluster.watched import are_whole, wait_until
from tests.faults.hosts import Host, Hosts, hosts
from tests.faults.load import Door
from tests.wire.node import Node, program

NAMES = ("node1", "node2", "node3")
ETCD_CLIENT, ETCD_PEER, PEERS = 2379, 2380, 2500
ETCD_PATIENCE = ("--heartbeat-interval", "100", "--election-timeout", "1000")  # as without these options
BASE_PORT = 10_000
PREFIX = "mailnode"
DISK = "320m"
"""Of the host whose disk is filled; on a tmpfs of its own."""
COMMAND_SECONDS_MAX = 120.0


@dataclass(slots=True)
class Site:
    """One host, and what runs there."""

    host: Host
    etcd: Member
    node: Node
    is_stopped: bool = False
    """Its node, by SIGSTOP."""

    def door(self, accounts: Mapping[str, str]) -> Door:
        ports = {service: self.node.port(service) for service in ("smtp", "imaps", "pop3s")}
        return Door(self.host.name, self.host.address, ports, accounts, self.node.certificate)

    def kill(self) -> None:
        if self.node.is_running:
            self.node.kill()
        self.is_stopped = False

    def stop(self) -> None:
        """As a process that hangs."""
        if self.node.is_running:
            os.kill(self.node.process_id, signal.SIGSTOP)
            self.is_stopped = True

    def go_on(self) -> None:
        if self.is_stopped:
            os.kill(self.node.process_id, signal.SIGCONT)
            self.is_stopped = False

    @property
    def _filling(self) -> Path:
        return self.node.directory.parent / "filling"

    def fill(self) -> None:
        """Its disk: nothing more can be written."""
        with self._filling.open("wb") as file:
            try:
                while True:
                    file.write(bytes(1 << 16))
                    file.flush()
            except OSError:
                pass

    def empty(self) -> None:
        self._filling.unlink(missing_ok=True)

    def mend(self) -> None:
        """All of it runs; what ended, by a fault or by itself, begins again."""
        self.empty()
        self.go_on()
        if self.node.is_running and self.node.has_ended():
            self.node.kill()
        if not self.node.is_running:
            self.node.launch()


class FaultyCluster:
    def __init__(self, made: Hosts, sites: Mapping[str, Site]) -> None:
        self.hosts = made
        self.sites = sites

    def __getitem__(self, name: str) -> Site:
        return self.sites[name]

    def mend(self) -> None:
        self.hosts.heal()
        gone = [site.etcd for site in self.sites.values() if not site.etcd.is_running]
        for etcd in gone:
            etcd.start()
        for etcd in gone:  # none is before most of them are
            etcd.wait_until_ready()
        for site in self.sites.values():
            site.mend()

    def wait_until_whole(self) -> None:
        """Every copy is in sync. Raises TimeoutError."""
        wait_until([site.etcd.endpoint for site in self.sites.values()], PREFIX, are_whole)

    def end(self) -> None:
        for site in self.sites.values():
            site.go_on()
            site.kill()
            site.etcd.end()


@contextmanager
def faulty_cluster(folder: Path, accounts: Mapping[str, str]) -> Iterator[FaultyCluster]:
    """Three nodes that serve, a copy of everything at each."""
    with ExitStack() as stack:
        made = stack.enter_context(hosts(NAMES))
        folders = {name: stack.enter_context(_disk(folder / name)) for name in NAMES}
        etcds = ",".join(f"{name}=http://{made[name].address}:{ETCD_PEER}" for name in NAMES)
        sites = {}
        for name in NAMES:
            host = made[name]
            etcd = Member(
                folder,
                name,
                ETCD_CLIENT,
                ETCD_PEER,
                etcds,
                "http",
                *ETCD_PATIENCE,
                address=host.address,
                prefix=host.prefix,
            )
            node = Node(folders[name] / "data", BASE_PORT, {}, host.prefix, address=host.address)
            node.log = folder / f"{name}.log"  # its disk goes with the test
            sites[name] = Site(host, etcd, node)
        cluster = FaultyCluster(made, sites)
        stack.callback(cluster.end)
        _begin(cluster, accounts)
        yield cluster


@contextmanager
def _disk(folder: Path) -> Iterator[Path]:
    """Which can be filled without harm to anybody else."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _begin(cluster: FaultyCluster, accounts: Mapping[str, str]) -> None:
    """As an operator would."""
    sites = list(cluster.sites.values())
    for site in sites:
        site.etcd.start()
    for site in sites:
        site.etcd.wait_until_ready()
    first, *others = sites
    endpoints = ",".join(site.etcd.endpoint for site in sites)
    first.node.init()
    where = ("--etcd", endpoints, "--name", first.host.name, "--listen", f"{first.host.address}:{PEERS}")
    command(first, "cluster", "init", "--copies", "3", *where)
    for site in others:
        token = command(first, "cluster", "token").split()[-1]
        where = ("--name", site.host.name, "--listen", f"{site.host.address}:{PEERS}")
        options = ("--base-port", str(BASE_PORT), "--allow-plaintext-auth", "--local-only")
        command(site, "cluster", "join", token, *where, *options)
    for site in sites:
        settle(site)
        site.node.launch()
    for site in sites:
        site.node.wait_until_ready()
    cluster.wait_until_whole()
    for address, password in accounts.items():
        command(first, "account", "add", address, stdin=password)


def settle(site: Site) -> None:
    """What differs from a node that people use: others may reach it, it comes back at once, and flags are
    IMAP's alone."""
    file = site.node.directory / "mailnode.toml"
    text = file.read_text()
    text = text.replace('\nhost = "127.0.0.1"  # "0.0.0.0"', '\nhost = "0.0.0.0"  # "0.0.0.0"')
    text = text.replace("\n[limits]\n", "\n[limits]\nreplica_returns_seconds = 1\n")
    text = text.replace("\npop3_marks_seen = true", "\npop3_marks_seen = false")
    file.write_text(text)


def command(site: Site, *words: str, stdin: str = "") -> str:
    """A command on that host; what it says."""
    whole = [*site.host.prefix, *program(), *words, "--dir", str(site.node.directory)]
    done = subprocess.run(whole, input=stdin, capture_output=True, text=True, timeout=COMMAND_SECONDS_MAX)
    assert done.returncode == 0, (words, done.stdout, done.stderr)
    return done.stdout
