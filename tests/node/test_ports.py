"""Who opens the ports, and who serves them: root that becomes somebody else, or what systemd passes on."""

from __future__ import annotations

import imaplib
import os
import pwd
import random
import smtplib
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailnode.config import FILE
from tests.node.test_node import ALICE, HOST, PASSWORD, deliver
from tests.wire.node import Node
from tests.wire.server import free_base_port

USER = "nobody"
requires_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


@pytest.fixture
def directory() -> Iterator[Path]:
    """One that others may look into, unlike pytest's."""
    with tempfile.TemporaryDirectory() as made:
        Path(made).chmod(0o755)
        yield Path(made)


def made_for(directory: Path, user: str) -> Node:
    base_port, options = free_base_port(random.Random()), ("--allow-plaintext-auth", "--user", user)
    node = Node(directory / "node", base_port, {ALICE: PASSWORD}, options=options)
    node.init()
    return node


@requires_root
def test_root_binds_a_port_below_1024_and_serves_it_as_somebody_else(directory: Path) -> None:
    node = made_for(directory, USER)
    with socket.socket() as probe:
        low = next(port for port in range(1023, 512, -1) if probe.connect_ex((HOST, port)) != 0)
    file = node.directory / FILE
    file.write_text(file.read_text().replace(f"\nimap = {node.port('imap')}\n", f"\nimap = {low}\n"))
    node.start()
    try:
        status = Path(f"/proc/{node.process_id}/status").read_text()
        identity = {
            line.split()[0]: line.split()[1:] for line in status.splitlines() if line[:3] in ("Uid", "Gid")
        }
        nobody = pwd.getpwnam(USER)
        assert identity == {"Uid:": [str(nobody.pw_uid)] * 4, "Gid:": [str(nobody.pw_gid)] * 4}
        deliver(node, b"served")
        client = imaplib.IMAP4(HOST, low)
        client.login(ALICE, PASSWORD)
        assert client.select()[1] == [b"1"]
        client.logout()
    finally:
        node.stop()
    _asked(node, "account", "list")  # as root, while nobody serves: the rows stay the user's
    owners = {path.stat().st_uid for path in node.directory.rglob("*")}
    assert owners == {nobody.pw_uid}
    node.start()
    node.stop()


def _asked(node: Node, *words: str) -> None:
    program = str(Path(sys.executable).with_name("mailnode"))
    subprocess.run([program, *words, "--dir", str(node.directory)], check=True, timeout=60)


BACK = """
from mailnode.listeners.ports import become
become("nobody")
become("nobody")
become("root")
"""


@requires_root
def test_there_is_no_way_back_to_root() -> None:
    done = subprocess.run([sys.executable, "-c", BACK], capture_output=True, text=True, timeout=60)
    assert "user: found 'root', which only root can become" in done.stderr.splitlines()[-1]


def test_a_user_that_is_not_there_is_named(directory: Path) -> None:
    node = Node(directory / "node", free_base_port(random.Random()), {})
    node.init()
    file = node.directory / FILE
    file.write_text(file.read_text().replace('user = ""', 'user = "no-such-user"'))
    program = str(Path(sys.executable).with_name("mailnode"))
    done = subprocess.run([program, "up", str(node.directory)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "user: found 'no-such-user', expected a user of this machine" in done.stderr


ACTIVATED = """
import os, sys
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="2", LISTEN_FDNAMES=sys.argv[1])
os.execv(sys.argv[2], sys.argv[2:])
"""


@pytest.mark.parametrize("names", ["smtp:imap", "unknown:", ""])
def test_sockets_that_the_service_manager_passes_are_served(directory: Path, names: str) -> None:
    """By their names, or where they have none of ours by their ports; what came before the start waits."""
    base_port = free_base_port(random.Random())
    with socket.socket() as smtp, socket.socket() as imap:
        for each, port in ((smtp, base_port + 25), (imap, base_port + 143)):
            each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            each.bind((HOST, 0 if names == "smtp:imap" else port))
            each.listen()
        early = socket.create_connection(smtp.getsockname())
        passing = f'exec 3<&{smtp.fileno()} 4<&{imap.fileno()}; exec "$0" -c "$1" "$2" "${{@:3}}"'
        prefix = ("bash", "-c", passing, sys.executable, ACTIVATED, names)
        node = Node(
            directory / "node",
            base_port,
            {ALICE: PASSWORD},
            prefix=prefix,
            passed=(smtp.fileno(), imap.fileno()),
        )
        node.start()
        try:
            ports = [each.getsockname()[1] for each in (smtp, imap)]
            smtp.close()
            imap.close()
            assert early.recv(4) == b"220 "
            with smtplib.SMTP(HOST, ports[0]) as client:
                client.sendmail("a@client.example", [ALICE], b"Subject: activated\r\n\r\nbody\r\n")
            client = imaplib.IMAP4(HOST, ports[1])
            client.login(ALICE, PASSWORD)
            assert client.select()[1] == [b"1"]
            client.logout()
        finally:
            early.close()
            node.stop()
