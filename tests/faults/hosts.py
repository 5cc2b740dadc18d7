"""Hosts on one machine: network namespaces on a bridge, whose ways to each other can be cut."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import permutations

PROGRAMS = ("ip", "nft")
_NETWORKS = 200
"""Of 10.213.0.0/16, one for each run at a time."""


def missing() -> str:
    """Why there can be no hosts here; empty: there can."""
    if os.geteuid() != 0:
        return "making network namespaces needs root"
    gone = [program for program in PROGRAMS if shutil.which(program) is None]
    return f"no {' and no '.join(gone)} on this machine" if gone else ""


@dataclass(frozen=True, slots=True)
class Host:
    """`address`: at which the others, and we, reach it."""

    name: str
    address: str
    namespace: str

    @property
    def prefix(self) -> Sequence[str]:
        """Before a command line: it runs on this host. It ends in exec."""
        return ("ip", "netns", "exec", self.namespace)


class Hosts:
    """Some hosts that see each other, and this process."""

    def __init__(self, names: Sequence[str]) -> None:
        network = os.getpid() % _NETWORKS
        self._tag = f"mn{network}"
        self._router = f"10.213.{network}.254"
        self.hosts = {
            name: Host(name, f"10.213.{network}.{number}", f"{self._tag}-{name}")
            for number, name in enumerate(names, start=1)
        }

    def __getitem__(self, name: str) -> Host:
        return self.hosts[name]

    def open(self) -> None:
        self.close()  # what a run that was killed left
        _ip(f"link add {self._tag} type bridge")
        _ip(f"address add {self._router}/24 dev {self._tag}")
        _ip(f"link set {self._tag} up")
        for number, host in enumerate(self.hosts.values()):
            outer = f"{self._tag}v{number}"
            _ip(f"netns add {host.namespace}")
            _ip(f"link add {outer} type veth peer name eth0 netns {host.namespace}")
            _ip(f"link set {outer} master {self._tag} up")
            _ip(f"-n {host.namespace} address add {host.address}/24 dev eth0")
            _ip(f"-n {host.namespace} link set eth0 up")
            _ip(f"-n {host.namespace} link set lo up")
            _nft(host, "add table ip faults")
            _nft(host, "add chain ip faults input { type filter hook input priority 0; }")

    def close(self) -> None:
        """The namespaces go; processes on them must have ended."""
        for number, host in enumerate(self.hosts.values()):
            # A namespace is gone some time after it was deleted, and what is in it with it.
            subprocess.run(["ip", "link", "delete", f"{self._tag}v{number}"], capture_output=True)
            subprocess.run(["ip", "netns", "delete", host.namespace], capture_output=True)
        subprocess.run(["ip", "link", "delete", self._tag], capture_output=True)

    def mute(self, speaker: str, listener: str) -> None:
        """Nothing that one says reaches the other any more; what that says still comes."""
        speaking = self[speaker].address
        _nft(self[listener], f"add rule ip faults input ip saddr {speaking} drop")

    def cut(self, some: Iterable[str], others: Iterable[str]) -> None:
        """Neither hears the other. Clients reach both."""
        others = list(others)
        for one in some:
            for other in others:
                self.mute(one, other)
                self.mute(other, one)

    def isolate(self, name: str) -> None:
        """Nobody hears it, and it hears nobody: clients too."""
        self.cut([name], [other for other in self.hosts if other != name])
        _nft(self[name], f"add rule ip faults input ip saddr {self._router} drop")

    def heal(self) -> None:
        for host in self.hosts.values():
            _nft(host, "flush chain ip faults input")

    def pairs(self) -> Iterator[tuple[str, str]]:
        """(speaker, listener)"""
        return permutations(self.hosts, 2)


@contextmanager
def hosts(names: Sequence[str]) -> Iterator[Hosts]:
    opened = Hosts(names)
    try:
        opened.open()
        yield opened
    finally:
        opened.close()


def _ip(words: str) -> None:
    _run(["ip", *words.split()])


def _nft(host: Host, words: str) -> None:
    _run([*host.prefix, "nft", words])


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise OSError(f"{' '.join(command)}: {done.stderr.strip()}")
