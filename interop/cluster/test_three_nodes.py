"""Three nodes by the commands that docs/cluster.md has for a newcomer, with Debian's etcd."""

from __future__ import annotations

import asyncio
import imaplib
import random
import re
import smtplib
import ssl
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from interop.cluster.documented import CommandFailed, Shell, commands, until
from mailnode.cluster.etcd import Etcd, Pair
from mailnode.cluster.etcd_rows import Keys, row_of
from mailnode.config import Service, load
from mailnode.directory.address import Address, canonical, slot
from tests.cluster.members import Member, free_ports, members
from tests.wire.server import HOST, free_base_port

DIRECTORIES = "n1", "n2", "n3"
ALICE, BOB = "alice@example.org", "bob@example.org"
PASSWORD = "open sesame"
SECONDS_MAX = 90.0  # where all processors are busy with other tests; a failover takes 6 else


@pytest.fixture(scope="module")
def member() -> Iterator[Member]:
    with members(1) as made:
        yield made[0]


class User:
    """Of one account, at the ports of any node."""

    def __init__(self, folder: Path, address: str) -> None:
        self._folder = folder
        self._address = address
        self._tls = ssl.create_default_context()
        self._tls.check_hostname, self._tls.verify_mode = False, ssl.CERT_NONE  # self-signed, as made

    def send(self, node: str, to: str, subject: str) -> None:
        port = self._port(node, Service.SUBMISSIONS)
        with smtplib.SMTP_SSL(HOST, port, context=self._tls, timeout=30) as client:
            client.login(self._address, PASSWORD)
            text = f"From: {self._address}\r\nTo: {to}\r\nSubject: {subject}\r\n\r\nhello\r\n"
            client.sendmail(self._address, [to], text)

    def subjects(self, node: str) -> list[str]:
        port = self._port(node, Service.IMAPS)
        with imaplib.IMAP4_SSL(HOST, port, ssl_context=self._tls, timeout=30) as client:
            client.login(self._address, PASSWORD)
            client.select("INBOX", readonly=True)
            _, found = client.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
            return [each[1].decode().split(":")[1].strip() for each in found if isinstance(each, tuple)]

    def _port(self, node: str, service: Service) -> int:
        return next(at.port for at in load(self._folder / node).listeners if at.service is service)


def leader(etcd: str, address: str) -> str:
    """The directory of the node that has the account now."""
    account = canonical(address)
    assert isinstance(account, Address)

    async def asked() -> Pair | None:
        client = Etcd([etcd])
        try:
            return await client.get(Keys().row(slot(account)))
        finally:
            await client.close()

    pair = asyncio.run(asked())
    assert pair is not None
    return row_of(pair.value, pair.revision).primary.node.replace("node", "n")


def served(action: Callable[[], object]) -> Callable[[], bool]:
    """Whether it is done, and not put off."""

    def attempt() -> bool:
        try:
            action()
        except (OSError, smtplib.SMTPException, imaplib.IMAP4.error):
            return False
        except CommandFailed as failure:
            if "try again" not in str(failure):
                raise
            return False
        return True

    return attempt


def test_what_is_made_at_one_node_and_sent_at_the_second_is_read_at_the_third_also_when_one_dies(
    member: Member, tmp_path: Path
) -> None:
    shell = Shell(tmp_path)
    begin, found, join, up = commands("Three nodes on one host, in five commands")
    (account,) = commands("Three nodes on one host, in five commands", block=2)
    shell.run(f"{begin} --base-port {free_base_port(random.Random())}")
    shell.run(found.replace("127.0.0.1:2379", member.endpoint))
    shell.run(join)
    with shell.serving(up, ready=len(DIRECTORIES)) as background:
        for address in (ALICE, BOB):
            line = account.replace(ALICE, address)
            until(SECONDS_MAX, served(partial(shell.run, line, stdin=f"{PASSWORD}\n")))
        alice, bob = User(tmp_path, ALICE), User(tmp_path, BOB)
        until(SECONDS_MAX, served(lambda: bob.send("n2", ALICE, "before")))
        assert alice.subjects("n3") == ["before"]

        killed = leader(member.endpoint, ALICE)
        sends, reads = (each for each in DIRECTORIES if each != killed)
        background.kill(killed)
        until(SECONDS_MAX, served(lambda: bob.send(sends, ALICE, "after")))
        until(SECONDS_MAX, served(lambda: alice.subjects(reads)))
        assert sorted(alice.subjects(reads)) == ["after", "before"]


def test_nodes_of_three_hosts_speak_in_tls(member: Member, tmp_path: Path) -> None:
    """Each has an address of the loopback of its own."""
    shell, ports = Shell(tmp_path), random.Random()
    init, found, token = commands("Three hosts", block=2)
    (join,) = commands("Three hosts", block=3)
    listen = dict(zip(DIRECTORIES, free_ports(len(DIRECTORIES)), strict=True))

    def here(line: str, node: str) -> str:
        """With that host's directory and addresses."""
        line = re.sub(r"--etcd \S+", f"--etcd {member.endpoint} --prefix hosts", line)
        line = re.sub(r"--listen \S+", f"--listen 127.0.0.{node[1]}:{listen[node]}", line)
        line = line.replace("--base-port 0", f"--base-port {free_base_port(ports)}")
        return line.replace("--dir DIR", f"--dir {node}").replace("init DIR", f"init {node}")

    for line in (init, found):
        shell.run(here(line, "n1"))
    for node in DIRECTORIES[1:]:
        shell.run(here(join, node).replace("TOKEN", shell.run(here(token, "n1")).strip()))
    with shell.serving("for n in n1 n2 n3; do mailnode up $n & done", ready=len(DIRECTORIES)):
        line = f"mailnode account add {ALICE} --dir n1"
        until(SECONDS_MAX, served(partial(shell.run, line, stdin=f"{PASSWORD}\n")))
        alice = User(tmp_path, ALICE)
        for node in DIRECTORIES:
            until(SECONDS_MAX, served(partial(alice.send, node, ALICE, f"from {node}")))
        for node in DIRECTORIES:
            assert sorted(alice.subjects(node)) == [f"from {each}" for each in DIRECTORIES]
        found = [load(tmp_path / node).cluster for node in DIRECTORIES]
        assert all(at is not None and at.listen for at in found)
        assert not list(tmp_path.glob("*/peer.sock"))
