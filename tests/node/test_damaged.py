"""A node whose shard has rows that nobody can parse: it starts, and serves all but what is lost."""

import asyncio
import imaplib
import json
import random
import smtplib
import subprocess
import sys
from pathlib import Path

from mailnode import node as built
from mailnode.admin.operator import asked
from mailnode.clock import SystemClock
from mailnode.config import load
from mailnode.directory.address import canonical, directory_account
from mailnode.pb import admin_pb2 as pb
from mailnode.store import keys
from mailnode.store.keys import Family, Kind
from tests.wire.node import Node
from tests.wire.server import free_base_port

HOST = "127.0.0.1"
ALICE, BOB, CAROL = "alice@example.test", "bob@example.test", "carol@example.test"
PASSWORD = "open sesame"
BAD = b"\xff\xff"
STATE = Family.STATE


def deliver(node: Node, recipient: str) -> int:
    """The code of the last reply."""
    with smtplib.SMTP(HOST, node.port("smtp")) as client:
        client.ehlo()
        client.mail("a@client.example")
        code = client.rcpt(recipient)[0]
        if code == 250:
            code = client.data(b"Subject: x\r\n\r\nbody\r\n")[0]
        return code


async def _spoil(directory: Path) -> None:
    """Of Alice a mail and INBOX's row, Bob's directory row, Carol's credentials, an item of the queue."""
    async with built.house(load(directory), SystemClock()) as parts:
        ids = {}
        for address in (ALICE, BOB, CAROL):
            owner = await parts.people.lookup.owner(address)
            assert owner is not None
            ids[address] = owner.account
        start = keys.account_id(ids[ALICE])
        mails = [key for key, _ in parts.shard.scan(Family.MAIL, start, keys.after(start))]
        inbox = (await (await parts.accounts.open(ids[ALICE])).mailboxes()).names["INBOX"]
        bob = canonical(BOB)
        item = bytes(7) + b"\x09"
        parts.shard.write(
            [
                (Family.FORM, mails[1], BAD),
                (STATE, keys.mailbox(ids[ALICE], inbox), BAD),
                (STATE, keys.state(directory_account(bob), Kind.DIRECTORY, BOB.encode()), BAD),
                (STATE, keys.state(ids[CAROL], Kind.CREDENTIAL), BAD),
                (STATE, keys.state(ids[ALICE], Kind.QUEUE, item), BAD),
                (Family.DUE, keys.due(ids[ALICE], keys.Due.QUEUE, 1, item), b""),
                (Family.DUE, b"short", b""),
                (Family.LOG, keys.log(0, 7), BAD),
            ],
            sync=True,
        )


def test_a_node_with_damaged_rows_starts_and_serves_all_but_them(tmp_path: Path) -> None:
    accounts = dict.fromkeys((ALICE, BOB, CAROL), PASSWORD)
    node = Node(tmp_path / "node", free_base_port(random.Random()), accounts)
    node.start()
    assert [deliver(node, ALICE) for _ in range(3)] == [250, 250, 250]
    node.stop()
    asyncio.run(_spoil(node.directory))
    node.start()
    try:
        _serves(node)
    finally:
        node.stop()
    told = node.log.read_text().count("a row is not readable")
    assert told == 7, "each once"


def _serves(node: Node) -> None:
    assert deliver(node, ALICE) == 250
    assert [deliver(node, BOB) for _ in range(2)] == [451, 451], "not 550: it is not known to be nobody"
    client = imaplib.IMAP4(HOST, node.port("imap"))
    client.login(ALICE, PASSWORD)
    assert client.select() == ("OK", [b"4"])
    assert client.fetch("1:4", "(FLAGS)")[0] == "OK"
    for _ in range(2):
        status, data = client.fetch("1:4", "(UID ENVELOPE)")
        assert status == "NO" and b"EXPUNGEISSUED" in data[0]
        assert len(client.response("FETCH")[1]) == 3
    client.logout()
    carol = imaplib.IMAP4(HOST, node.port("imap"))
    try:
        carol.login(CAROL, PASSWORD)
        raise AssertionError("logged in without credentials")
    except imaplib.IMAP4.error as error:
        assert "UNAVAILABLE" in str(error) or "try again" in str(error)
    listed = _mailnode("account", "list", "--dir", str(node.directory))
    assert ALICE in listed.stdout and CAROL in listed.stdout and BOB not in listed.stdout


def _mailnode(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mailnode", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done


def test_an_item_of_the_queue_that_cannot_be_read_is_listed_and_can_be_removed(tmp_path: Path) -> None:
    directory = tmp_path / "node"
    _mailnode("init", str(directory), "--domain", "example.test", "--account", f"{ALICE}:{PASSWORD}")
    account, item, at = 0x123 << 48 | 77, bytes(7) + b"\x09", 5

    async def scenario() -> list[int]:
        async with built.house(load(directory), SystemClock()) as parts:
            queue, due = keys.state(account, Kind.QUEUE, item), keys.due(account, keys.Due.QUEUE, at, item)
            parts.shard.write([(STATE, queue, BAD), (Family.DUE, due, b"")], sync=True)
        counts = []
        async with built.house(load(directory), SystemClock()) as parts:
            operator = built.operator(load(directory), parts, lambda changed: None)
            for request in (
                pb.QueueListRequest(),
                pb.QueueChangeRequest(what=pb.QueueChangeRequest.REMOVE),
                pb.QueueListRequest(),
            ):
                name = type(request).__name__.removesuffix("Request")
                counts.append(len((await asked(operator, name, request)).items))
            assert parts.shard.get(STATE, queue) is None and parts.shard.get(Family.DUE, due) is None
        return counts

    assert asyncio.run(scenario()) == [1, 1, 0]


def test_scrub_is_asked_of_a_node_that_runs_and_of_one_that_does_not(tmp_path: Path) -> None:
    node = Node(
        tmp_path / "node", free_base_port(random.Random()), {ALICE: PASSWORD, BOB: PASSWORD, CAROL: PASSWORD}
    )
    node.start()
    assert [deliver(node, ALICE) for _ in range(3)] == [250, 250, 250]
    words = ("scrub", "--dir", str(node.directory))
    assert "3 mails of" in _mailnode(*words).stdout
    node.stop()
    assert "nothing is wrong" in _mailnode(*words).stdout
    asyncio.run(_spoil(node.directory))
    for starts in (False, True):
        if starts:
            node.start()
        command = [sys.executable, "-m", "mailnode", *words, "--json"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        [answer] = json.loads(done.stdout)
        assert done.returncode == 1 and "faults in" in done.stderr
        assert answer["fault_count"] >= 5 and not answer["running"] and answer["finished"]
        assert {fault["family"] for fault in answer["faults"]} == {"mail", "state"}
    node.stop()
