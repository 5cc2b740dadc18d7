"""A node's backups, and nodes out of them, with clients that know more than the backup does."""

from __future__ import annotations

import asyncio
import json
import random
import re
import shutil
import smtplib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.store.damaging import flip
from tests.wire import imap
from tests.wire.imap import Answer, ImapConnection
from tests.wire.node import Node
from tests.wire.server import ServerFailed, free_base_port

HOST = "127.0.0.1"
ALICE, BOB, PASSWORD = "alice@example.test", "bob@example.test", "sesame"
UID_GAP = 100_000


def mailnode(*words: object, status: int = 0) -> str:
    command = [sys.executable, "-m", "mailnode", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == status, done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    running = Node(tmp_path / "node", free_base_port(random.Random()), {ALICE: PASSWORD, BOB: PASSWORD})
    running.start()
    yield running
    if running.is_running:
        running.stop()


def deliver(node: Node, subject: str, recipient: str = ALICE, octets: int = 100) -> None:
    with smtplib.SMTP(HOST, node.port("smtp")) as client:
        text = f"Subject: {subject}\r\n\r\n" + "x" * 70 + "\r\n" + ("y" * 70 + "\r\n") * (octets // 72)
        client.sendmail("a@client.example", [recipient], text)


async def login(node: Node, address: str = ALICE) -> ImapConnection:
    client = await imap.connect(HOST, node.port("imap"), None)
    await client.login(address, PASSWORD)
    return client


def number(answer: Answer, word: bytes) -> int:
    said = b" ".join(answer.untagged)
    found = re.search(rb"\[%b (\d+)\]" % word, said)
    assert found is not None, said
    return int(found[1])


async def subjects(node: Node, address: str = ALICE, mailbox: bytes = b"INBOX") -> list[bytes]:
    client = await login(node, address)
    await client.ok(b"SELECT " + mailbox)
    answer = await client.ok(b"FETCH 1:* (BODY.PEEK[])")
    client.close()
    return [re.search(rb"Subject: (.*?)\r\n", line)[1] for line in answer.untagged if b"Subject: " in line]  # type: ignore[index]


def restored(node: Node, backups: Path, *words: object) -> Node:
    """In place of the old one, whose disk is gone."""
    if node.is_running:
        node.kill()
    shutil.rmtree(node.directory)
    print(mailnode("restore", backups, node.directory, *words))
    node.start()
    return node


def test_a_client_that_knows_more_than_the_backup_is_resynchronised_by_qresync(
    node: Node, tmp_path: Path
) -> None:
    asyncio.run(_knows_more(node, tmp_path / "backups"))


async def _knows_more(node: Node, backups: Path) -> None:
    for subject in ("one", "two", "three"):
        deliver(node, subject)
    mailnode("backup", "make", backups, "--dir", node.directory)
    # What is lost: two more messages, a flag, an expunge.
    deliver(node, "four")
    deliver(node, "five")
    client = await login(node)
    selected = await client.ok(b"SELECT INBOX (CONDSTORE)")
    await client.ok(b"STORE 1 +FLAGS (\\Flagged)")
    await client.ok(b"STORE 2 +FLAGS (\\Deleted)")
    await client.ok(b"EXPUNGE")
    validity, client_knows = number(selected, b"UIDVALIDITY"), b"1,3:5"
    status = await client.ok(b"STATUS INBOX (HIGHESTMODSEQ UIDNEXT)")
    modseq = int(re.search(rb"HIGHESTMODSEQ (\d+)", status.untagged[0])[1])  # type: ignore[index]
    client.close()

    restored(node, backups)
    client = await login(node)
    await client.ok(b"ENABLE QRESYNC")
    known = b"(%d %d %b)" % (validity, modseq, client_knows)
    selected = await client.ok(b"SELECT INBOX (QRESYNC " + known + b")")
    said = selected.untagged
    assert number(selected, b"UIDVALIDITY") == validity
    assert number(selected, b"HIGHESTMODSEQ") > modseq + 2**31
    assert number(selected, b"UIDNEXT") == 4 + UID_GAP
    assert [line for line in said if b"VANISHED" in line] == [b"* VANISHED (EARLIER) 4:5"]
    fetched = {line[line.index(b"UID ") + 4 :].split()[0]: line for line in said if b" FETCH " in line}
    assert sorted(fetched) == [b"1", b"3"] and b"\\Flagged" not in fetched[b"1"]
    # One that does not say what it knows is told of all that is there, and of all that is not.
    selected = await client.ok(b"SELECT INBOX (QRESYNC (%d %d))" % (validity, modseq))
    assert [line for line in selected.untagged if b"VANISHED" in line] == [
        b"* VANISHED (EARLIER) 4:%d" % (3 + UID_GAP)
    ]
    assert sum(b" FETCH " in line for line in selected.untagged) == 3
    # What it last saw is older than what is there: it is told so, and changes nothing.
    answer = await client.command(b"UID STORE 1 (UNCHANGEDSINCE %d) +FLAGS (\\Seen)" % modseq)
    assert b"MODIFIED 1" in answer.text
    answer = await client.ok(b"UID FETCH 1:* (FLAGS) (CHANGEDSINCE %d)" % modseq)
    assert sum(b" FETCH " in line for line in answer.untagged) == 3
    deliver(node, "six")
    await client.ok(b"NOOP")
    answer = await client.ok(b"UID SEARCH SUBJECT six")
    assert b"* SEARCH %d" % (4 + UID_GAP) in answer.untagged
    client.close()


def test_backups_are_incremental_listed_verified_pruned_and_refused_when_truncated(
    node: Node, tmp_path: Path
) -> None:
    backups = tmp_path / "backups"
    deliver(node, "long", octets=600_000)
    mailnode("backup", "make", backups, "--dir", node.directory)
    before = {file.name for file in (backups / "files").iterdir()}
    node.stop()
    mailnode("backup", "make", backups, "--dir", node.directory)
    node.start()
    new = [file for file in (backups / "files").iterdir() if file.name not in before]
    assert sum(file.stat().st_size for file in new) < 200_000, "not the long message once more"
    assert not list(node.directory.glob("shard.checkpoint*"))
    assert mailnode("backup", "list", backups).count("\n") == 3
    assert "2 backups are whole" in mailnode("backup", "verify", backups)
    mailnode("backup", "make", backups, "--dir", node.directory, "--keep", "1")
    assert mailnode("backup", "list", backups).count("\n") == 2
    assert asyncio.run(subjects(restored(node, backups))) == [b"long"]
    key = next(node.directory.glob("dkim/*.pem"))
    assert key.stat().st_mode & 0o777 == 0o600

    largest = max((backups / "files").iterdir(), key=lambda file: file.stat().st_size)
    largest.write_bytes(largest.read_bytes()[:-1])
    assert "octets, not" in mailnode("backup", "verify", backups, status=1)
    refused = mailnode("restore", backups, tmp_path / "other", status=1)
    assert "is not whole" in refused and str(largest) in refused
    assert not (tmp_path / "other").exists() and not list(tmp_path.glob(".other*"))
    assert "not empty" in mailnode("restore", backups, node.directory, status=1)
    inside = mailnode("backup", "make", node.directory / "x", "--dir", node.directory, status=1)
    assert "another disk" in inside


def test_an_account_comes_back_into_what_is_there_and_as_a_new_one(node: Node, tmp_path: Path) -> None:
    backups = tmp_path / "backups"
    deliver(node, "one")
    deliver(node, "long", octets=600_000)
    asyncio.run(_flagged(node))
    mailnode("backup", "make", backups, "--dir", node.directory)
    asyncio.run(_expunged(node))
    deliver(node, "later")
    told = mailnode("restore", backups, node.directory, "--account", ALICE)
    assert "1 messages came back into what is there; 1 were there" in told, told
    assert sorted(asyncio.run(subjects(node))) == [b"later", b"long", b"one"]
    again = mailnode("restore", backups, node.directory, "--account", ALICE)
    assert "0 messages came back" in again, again
    told = mailnode("restore", backups, node.directory, "--account", ALICE, "--into", "carol@example.test")
    assert "2 messages came back" in told
    assert asyncio.run(subjects(node, "carol@example.test")) == [b"one", b"long"]
    assert "no account then" in mailnode(
        "restore", backups, node.directory, "--account", "dave@example.test", status=1
    )


async def _flagged(node: Node) -> None:
    client = await login(node)
    await client.ok(b"SELECT INBOX")
    await client.ok(b"STORE 1 +FLAGS (\\Seen $Work)")
    client.close()


async def _expunged(node: Node) -> None:
    client = await login(node)
    await client.ok(b"SELECT INBOX")
    await client.ok(b"STORE 1 +FLAGS (\\Deleted)")
    await client.ok(b"EXPUNGE")
    client.close()


def test_an_account_that_is_gone_comes_back_as_it_was_under_its_old_id(node: Node, tmp_path: Path) -> None:
    backups = tmp_path / "backups"
    deliver(node, "one")
    deliver(node, "long", octets=600_000)
    asyncio.run(_flagged(node))
    mailnode("backup", "make", backups, "--dir", node.directory)
    before = asyncio.run(_identity(node))
    node.stop()
    shutil.rmtree(node.directory)
    node.accounts = {BOB: PASSWORD}
    node.start()  # a new one, which never heard of Alice
    told = mailnode("restore", backups, node.directory, "--account", ALICE)
    assert "2 messages came back as it was" in told
    after = asyncio.run(_identity(node))
    assert after[0] == before[0] and after[1] == before[1] + UID_GAP
    assert asyncio.run(subjects(node)) == [b"one", b"long"]
    deliver(node, "new")
    node.kill()
    node.start()
    assert asyncio.run(subjects(node)) == [b"one", b"long", b"new"]


async def _identity(node: Node) -> tuple[list[bytes], int]:
    client = await login(node)
    selected = await client.ok(b"SELECT INBOX")
    answer = await client.ok(b"FETCH 1:* (UID EMAILID THREADID FLAGS INTERNALDATE)")
    client.close()
    return [b"%d" % number(selected, b"UIDVALIDITY"), *answer.untagged], number(selected, b"UIDNEXT")


def test_a_damaged_log_is_refused_and_recovered_on_request_beyond_what_was_given_out(node: Node) -> None:
    """A kill leaves all mail in the log; the disk then changes one octet near its end."""
    for subject in ("one", "two", "three"):
        deliver(node, subject)
    node.kill()
    log = max((node.directory / "shard").glob("*.log"), key=lambda file: file.stat().st_size)
    flip(log, log.stat().st_size - 40)
    directory = ("--dir", node.directory)
    with pytest.raises(ServerFailed, match="damaged"):
        node.start()
    told = mailnode("doctor", "shard", *directory, status=1)
    assert "lost with it" in told and "restore a backup, or lose" in told
    told = mailnode("doctor", "shard", *directory, "--recover")
    assert "rows of" in told and "shard.damaged-" in told
    assert mailnode("doctor", "shard", *directory) == "the shard is sound\n"
    node.start()
    left = asyncio.run(subjects(node))
    assert left == [b"one", b"two", b"three"][: len(left)] and len(left) >= 2
    deliver(node, "four")
    assert asyncio.run(_last_uid(node)) >= UID_GAP


async def _last_uid(node: Node) -> int:
    client = await login(node)
    await client.ok(b"SELECT INBOX")
    answer = await client.ok(b"FETCH * (UID)")
    client.close()
    return int(re.search(rb"UID (\d+)", answer.untagged[0])[1])  # type: ignore[index]


def test_a_backup_of_one_account_has_that_alone_and_brings_it_back(node: Node, tmp_path: Path) -> None:
    backups, of_node = tmp_path / "backups", ("--dir", node.directory)
    deliver(node, "to alice", octets=600_000)
    deliver(node, "to bob", BOB)
    mailnode("backup", "make", backups, *of_node)
    mailnode("backup", "make", backups, *of_node, "--account", "Alice@example.test", "--keep", 1)
    listed = json.loads(mailnode("backup", "list", backups, "--json"))
    whole, of_alice = listed
    assert (whole["account"], of_alice["account"]) == ("", ALICE), "each is the last of its kind"
    assert "2 backups are whole" in mailnode("backup", "verify", backups)
    name = ("--backup", of_alice["name"])
    assert "no backup of everything" in mailnode("restore", backups, tmp_path / "x", *name, status=1)
    node.stop()
    shutil.rmtree(node.directory)
    node.accounts = {BOB: PASSWORD}
    node.start()
    restoring = ("restore", backups, node.directory, *name, "--account")
    assert "1 messages came back as it was" in mailnode(*restoring, ALICE)
    assert asyncio.run(subjects(node)) == [b"to alice"]
    assert "has no backup" in mailnode(*restoring, BOB, status=1)
