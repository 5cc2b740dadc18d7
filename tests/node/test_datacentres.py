"""Two data centres with an etcd each, begun by the commands of docs/cluster.md; a node in each."""

from __future__ import annotations

import json
import os
import random
import secrets
import signal
import smtplib
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from mailnode.config import load
from mailnode.directory.address import Address, canonical, directory_account
from mailnode.limits import MiB
from mailnode.mailbox.mending import UID_GAP
from mailnode.store import keys
from mailnode.store.keys import Family, Kind
from mailnode.store.shard import open_shard
from tests.cluster.members import Member, members
from tests.node.several import SECONDS_MAX, wait_for
from tests.node.test_any_node import PASSWORD, logged_in
from tests.wire.node import Node, program
from tests.wire.server import DOMAIN, HOST, free_base_port

ALICE, BOB, CAROL = (f"{name}@{DOMAIN}" for name in ("alice", "bob", "carol"))
"""Bob is at home in dc2, the others in dc1."""
NOBODY = f"nobody@{DOMAIN}"


class Two:
    def __init__(self, folder: Path, members: list[Member]) -> None:
        self.etcds = members
        etcds = [member.endpoint for member in members]
        ports = random.Random()
        self.a, self.b = (Node(folder / name, free_base_port(ports), {}) for name in "ab")
        self.a.init()
        prefix = f"test-{secrets.token_hex(4)}"
        asked = ["--etcd", etcds[0], "--prefix", prefix, "--copies", "1", "--min-insync", "1"]
        run("cluster", "init", "--dir", str(self.a.directory), *asked)
        self.a.start()
        token = run("cluster", "token", "--dir", str(self.a.directory)).strip()
        options = ["--base-port", str(self.b.base_port), "--allow-plaintext-auth", "--local-only"]
        there = ["--dc", "dc2", "--etcd", etcds[1]]
        run("cluster", "join", token, "--dir", str(self.b.directory), *there, *options)
        self.b.start()
        for address, dc in ((ALICE, "dc1"), (BOB, "dc2"), (CAROL, "dc1")):
            words = ("account", "add", address, "--dc", dc, "--dir", str(self.a.directory))
            wait_for(lambda words=words: tried(*words, stdin=PASSWORD))  # type: ignore[misc]


def run(*words: str, stdin: str = "") -> str:
    done = subprocess.run([*program(), *words], input=stdin, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def tried(*words: str, stdin: str = "") -> bool:
    return subprocess.run([*program(), *words], input=stdin.encode(), capture_output=True).returncode == 0


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    with members(1) as one, members(1) as other:
        made = Two(tmp_path_factory.mktemp("dcs"), [*one, *other])
        yield made
        for node in (made.a, made.b):
            if node.is_running:
                node.kill()


def send(node: Node, to: str) -> None:
    with smtplib.SMTP(HOST, node.port("smtp"), timeout=SECONDS_MAX) as client:
        client.sendmail("carol@example.org", [to], "Subject: hello\r\n\r\nbody\r\n")


def test_each_data_centre_takes_mail_and_sessions_of_all_users(two: Two) -> None:
    for node in (two.a, two.b):
        for user in (ALICE, BOB):
            send(node, user)
    for node in (two.a, two.b):
        for user in (ALICE, BOB):
            client = logged_in(node, user)
            assert b"* 2 EXISTS" in client.ok(b"SELECT INBOX")
            client.close()


def shown(node: Node, *words: str) -> Any:
    return json.loads(run("cluster", *words, "--json", "--dir", str(node.directory)))


def lacks(node: Node) -> dict[str, int]:
    """What the copies in each data centre lack, of those of which somebody says so."""
    dcs = shown(node, "status")["dcs"]
    return {dc["name"]: int(dc["lag"]["entries"]) for dc in dcs if "lag" in dc}


def all_is_far(node: Node) -> bool:
    return all(row["far"] for row in shown(node, "map")) and lacks(node) == {"dc1": 0, "dc2": 0}


@contextmanager
def stopped(node: Node) -> Iterator[None]:
    """It neither answers nor goes away, as a data centre that is cut off."""
    os.kill(node.process_id, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(node.process_id, signal.SIGCONT)


def reply(node: Node, to: str) -> int:
    """To RCPT."""
    with smtplib.SMTP(HOST, node.port("smtp"), timeout=SECONDS_MAX) as client:
        client.ehlo()
        client.mail("dave@example.org")
        return client.rcpt(to)[0]


def held(node: Node, user: str) -> bytes:
    client = logged_in(node, user)
    told = client.ok(b"STATUS INBOX (MESSAGES)")[0]
    client.close()
    return told


def test_a_data_centre_that_is_cut_off_serves_who_is_at_home_there(two: Two) -> None:
    wait_for(lambda: all_is_far(two.a))
    before = held(two.b, BOB)
    with stopped(two.a):
        send(two.b, BOB)
        assert held(two.b, BOB) != before
        with ThreadPoolExecutor() as pool:  # each waits for the one who could say
            assert list(pool.map(lambda to: reply(two.b, to), (NOBODY, CAROL, BOB))) == [451, 451, 250]
        assert lacks(two.b).keys() == {"dc1"}  # what dc2 lacks of home 0 only dc1 knows
        told = run("cluster", "status", "--dir", str(two.b.directory)).splitlines()
        assert any(line.split()[:5] == ["dc2", "1", "not", "known", "-"] for line in told), told
    wait_for(lambda: (reply(two.b, NOBODY), reply(two.b, CAROL)) == (550, 250))
    wait_for(lambda: all_is_far(two.b))


def durable(node: Node, to: str, asked: str) -> str:
    """What LMTP says of a message for whom at least so much is asked."""
    with smtplib.LMTP(HOST, node.port("lmtp"), timeout=2 * SECONDS_MAX) as client:
        client.ehlo()
        code, text = client.mail("dave@example.org", [f"XDURABLE={asked}"])
        if code == 250:
            assert client.rcpt(to)[0] == 250
            code, text = client.data(b"Subject: durable\r\n\r\nbody\r\n")
        return f"{code} {text.decode()}"


def test_a_message_may_ask_to_be_in_another_data_centre_too(two: Two) -> None:
    for node in (two.a, two.b):
        for user in (CAROL, BOB):
            assert durable(node, user, "1+dc2+dc1").endswith("durable on one node and in dc1, dc2")
    assert " copies=1 dcs=dc1,dc2\n" in two.a.log.read_text()
    assert durable(two.a, CAROL, "1+dc9").startswith("501 5.5.4 ")
    with stopped(two.b):
        assert durable(two.a, CAROL, "1").endswith("durable on one node")
        assert durable(two.a, CAROL, "1+dc2").startswith("451 ")
    wait_for(lambda: durable(two.a, CAROL, "1+dc2").startswith("250 "))


def test_what_is_changed_of_addresses_comes_to_the_other_data_centre(two: Two) -> None:
    sales = f"sales@{DOMAIN}"
    for node, home in ((two.a, two.a), (two.b, two.a)):
        run("alias", "add", sales, BOB, "--dir", str(home.directory))
        assert reply(node, sales) == 250, "at once, for who has it not asks for it"
        wait_for(lambda: lacks(two.a) == {"dc1": 0, "dc2": 0})
        run("alias", "remove", sales, "--dir", str(home.directory))
        wait_for(lambda node=node: reply(node, sales) == 550)  # type: ignore[misc]


def verified(node: Node, *words: str) -> tuple[int, str]:
    command = [*program(), "cluster", "verify", ALICE, *words, "--dir", str(node.directory)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout


def test_a_copy_in_another_data_centre_is_compared_and_repaired(two: Two) -> None:
    address = canonical(ALICE)
    assert isinstance(address, Address)
    row = keys.state(directory_account(address), Kind.DIRECTORY, str(address).encode())
    two.b.stop()
    with closing(open_shard(load(two.b.directory).shard, 64 * MiB, b"")) as shard:
        assert shard.get(Family.STATE, row)
        shard.write([(Family.STATE, row, None)], sync=True)
    two.b.start()
    wait_for(lambda: lacks(two.a).get("dc2") == 0)
    wait_for(lambda: row.hex() in verified(two.a)[1])
    assert verified(two.a, "--repair")[0] == 0
    assert [verified(node)[0] for node in (two.a, two.b)] == [0, 0]


def promote(node: Node, dc: str, *words: str) -> subprocess.CompletedProcess[str]:
    asked = ["cluster", "promote", dc, "--json", "--dir", str(node.directory), *words]
    return subprocess.run([*program(), *asked], capture_output=True, text=True, timeout=60)


def test_a_data_centre_leads_what_a_lost_one_led_and_serves_it_when_that_is_back(two: Two) -> None:
    send(two.a, ALICE)
    wait_for(lambda: all_is_far(two.a))
    had = messages(two.a, ALICE)
    refused = promote(two.b, "dc2", "--lost", "dc1")
    assert refused.returncode and "dc1 is alive: node1 answers" in refused.stderr

    two.b.kill()
    send(two.a, ALICE)  # acknowledged, and nowhere else
    client = logged_in(two.a, ALICE)
    client.ok(b"SELECT INBOX")
    client.ok(b"UID STORE 1 +FLAGS (\\Flagged)")
    two.etcds[0].kill()
    two.a.kill()
    two.b.start()
    done = promote(two.b, "dc2")
    assert not done.returncode, done.stderr
    report = json.loads(done.stdout)
    assert [(home["home"], home["was"], home["generation"]) for home in report["homes"]] == [(0, "dc1", 2)]
    kept = json.loads(Path(report["file"]).read_text())
    assert kept["homes"][0]["generation"] == "2"
    led = report["partitions"]
    assert len(led) == len(kept["partitions"]) == 4096
    assert [row for row in led if row["node"] != "dc2-node1" or row["told"] != row["seq"]] == []

    wait_for(lambda: logs_in(two.b, ALICE))
    send(two.b, ALICE)
    here = logged_in(two.b, ALICE)
    selected = here.ok(b"SELECT INBOX")
    assert b"* %d EXISTS" % (had + 1) in selected
    assert any(b"[UIDNEXT %d]" % (had + 2 + UID_GAP) in line for line in selected)

    two.etcds[0].start()
    two.etcds[0].wait_until_ready()
    two.a.start()
    here.say(b"x IDLE")
    here.until(b"%d EXISTS" % (had + 2))  # what dc1 had taken alone
    wait_for(lambda: list(two.a.directory.rglob("returned.jsonl")))
    told = next(two.a.directory.rglob("returned.jsonl"))
    lines = [json.loads(line) for line in told.read_text().splitlines()]
    assert [line["uids"] for line in lines if line["what"] == "flags"] == [[1]]
    assert [line["messages"] for line in lines if line["what"] == "brought"] == [1]
    send(two.a, ALICE)
    there = logged_in(two.a, ALICE)
    assert b"* %d EXISTS" % (had + 3) in there.ok(b"SELECT INBOX")
    for _ in range(3):  # all copies of dc1 are made anew
        with suppress(TimeoutError):
            wait_for(lambda: lacks(two.b) == {"dc1": 0})
    assert lacks(two.b) == {"dc1": 0} and all(row["far"] for row in shown(two.b, "map"))

    back = promote(two.a, "dc1", "--lost", "dc2", "--home", "0", "--although-alive")
    assert not back.returncode, back.stderr
    home, alive = json.loads(back.stdout)["homes"][0], json.loads(back.stdout)["alive"]
    assert (home["was"], home["generation"], alive) == ("dc2", 3, ["dc2"])
    wait_for(lambda: logs_in(two.b, ALICE) and messages(two.b, ALICE) == had + 3)
    send(two.b, ALICE)
    assert messages(two.a, ALICE) == had + 4
    assert shown(two.a, "map", ALICE)[0]["primary"] == "node1"


def messages(node: Node, user: str) -> int:
    return int(held(node, user).rpartition(b" ")[2].rstrip(b")"))


def logs_in(node: Node, user: str) -> bool:
    try:
        logged_in(node, user).close()
    except AssertionError:
        return False
    return True
