"""Mail moves in while the node runs, whoever is killed; and other programs deliver through it."""

import imaplib
import json
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.wire.imap import trust
from tests.wire.node import Node
from tests.wire.server import DOMAIN, HOST, free_base_port

ALICE, BOB = f"alice@{DOMAIN}", f"bob@{DOMAIN}"
COUNT = 1_000


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    node = Node(tmp_path / "node", free_base_port(random.Random()), {ALICE: "secret", BOB: "secret"})
    node.start()
    yield node
    if node.is_running:
        node.stop()


def command(node: Node, *words: str | Path) -> list[str]:
    return [sys.executable, "-m", "mailnode", *map(str, words), "--dir", str(node.directory)]


def run(node: Node, *words: str | Path, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(command(node, *words), input=given, capture_output=True, timeout=60)


def session(node: Node, address: str = ALICE) -> imaplib.IMAP4_SSL:
    tls = trust(node.certificate)
    client = imaplib.IMAP4_SSL(HOST, node.port("imaps"), ssl_context=tls, timeout=30)
    client.login(address, "secret")
    return client


def octets(client: imaplib.IMAP4_SSL, mailbox: str) -> list[bytes]:
    client.select(mailbox, readonly=True)
    return [each[1] for each in client.fetch("1:*", "(BODY.PEEK[])")[1] if isinstance(each, tuple)]


def count(client: imaplib.IMAP4_SSL) -> int:
    return int(client.select("INBOX", readonly=True)[1][0] or 0)


def maildir(root: Path) -> Path:
    (root / "cur").mkdir(parents=True)
    for number in range(COUNT):
        (root / "cur" / f"1.{number}.host:2,S").write_bytes(b"Subject: %d\n\nbody\n" % number)
    (root / "cur" / "2.long.host:2,").write_bytes(b"Subject: long\n\n" + b"long line\n" * 100_000)
    (root / "cur" / "3.nul.host:2,").write_bytes(b"Subject: nul\n\n\0\n")
    return root


def test_an_import_that_is_killed_goes_on_and_doubles_nothing(node: Node, tmp_path: Path) -> None:
    source = maildir(tmp_path / "source")
    words = ("import", "maildir", ALICE, source)
    for victim in ("import", "node"):
        importing = subprocess.Popen(command(node, *words), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        with session(node) as client:
            before = count(client)
            while count(client) == before and importing.poll() is None:
                continue
        importing.kill() if victim == "import" else node.kill()
        importing.communicate()
        assert importing.returncode in (-9, 1, 3)
    node.start()
    done = run(node, *words, "--json")
    assert done.returncode == 3 and json.loads(done.stdout)["failed"] == [
        {
            "message": str(source / "cur" / "3.nul.host:2,"),
            "mailbox": "INBOX",
            "reason": "it has a NUL",
        }
    ]
    with session(node) as client:
        found = octets(client, "INBOX")
    expected = {b"Subject: %d\r\n\r\nbody\r\n" % number for number in range(COUNT)}
    assert len(found) == len(set(found)) == COUNT + 1
    assert expected < set(found)


def test_uids_that_contradict_are_refused_before_anything_comes(node: Node, tmp_path: Path) -> None:
    source = maildir(tmp_path / "source")
    (source / "dovecot-uidlist").write_text("3 V77 N12\n4 :1.4.host\n")
    assert run(node, "deliver", ALICE, given=b"Subject: earlier\n\n").returncode == 0
    done = run(node, "import", "maildir", ALICE, source, "--keep-uids")
    assert done.returncode == 1 and b"'INBOX' gave UIDs of its own already" in done.stderr
    with session(node) as client:
        assert client.select("INBOX")[1] == [b"1"]


def test_a_full_account_is_named_and_what_fits_came(node: Node, tmp_path: Path) -> None:
    source = maildir(tmp_path / "source")
    assert run(node, "account", "quota", ALICE, "--messages", "10").returncode == 0
    done = run(node, "import", "maildir", ALICE, source, "--json")
    counts = json.loads(done.stdout)
    assert done.returncode == 3 and counts["imported"] == 10
    assert {each["reason"] for each in counts["failed"]} == {"the account is full", "it has a NUL"}


def test_a_program_delivers_through_the_node(node: Node) -> None:
    message = b"From someone Thu Jan  1 00:00:00 1970\nSubject: dots\n\n.\n..\nlast\n"
    with session(node) as client:
        client.create("lists")
    assert run(node, "deliver", f"alice+lists@{DOMAIN}", BOB, "-f", "a@b.test", given=message).returncode == 0
    with session(node) as client, session(node, BOB) as other:
        (one,), (two,) = octets(client, "lists"), octets(other, "INBOX")
    assert one.endswith(b"\r\nSubject: dots\r\n\r\n.\r\n..\r\nlast\r\n")
    assert one.startswith(b"Return-Path: <a@b.test>\r\n") and two.startswith(b"Return-Path: <a@b.test>\r\n")


def test_a_delivery_that_failed_says_whether_to_try_again(node: Node) -> None:
    unknown = run(node, "deliver", f"nobody@{DOMAIN}", given=b"A: 1\n\n")
    assert unknown.returncode == 67 and b"nobody@" in unknown.stderr
    node.stop()
    stopped = run(node, "deliver", ALICE, given=b"A: 1\n\n")
    assert stopped.returncode == 75 and b"try again" in stopped.stderr
    elsewhere = [sys.executable, "-m", "mailnode", "deliver", ALICE, "--dir", str(node.directory / "none")]
    assert subprocess.run(elsewhere, input=b"", capture_output=True).returncode == 75
