"""An account with a quota, as senders meet it: many at the same time, over SMTP and LMTP."""

import smtplib
from concurrent.futures import ThreadPoolExecutor

from tests.node.test_node import ALICE, HOST, deliver, inbox, mailnode, node
from tests.wire.node import Node

__all__ = ["node"]
BOB = "bob@example.test"
BODY = b"Subject: x\r\n\r\nbody\r\n"


def limit(node: Node, *words: str) -> None:
    done = mailnode("account", "quota", ALICE, *words, "--dir", str(node.directory))
    assert done.returncode == 0, done.stderr


def code(node: Node) -> int:
    """Of the step that ended a delivery."""
    with smtplib.SMTP(HOST, node.port("smtp")) as client:
        client.ehlo()
        client.mail("a@client.example")
        refused, _ = client.rcpt(ALICE)
        return refused if refused != 250 else client.data(BODY)[0]


def test_many_senders_at_the_same_time_do_not_overrun_a_quota(node: Node) -> None:
    limit(node, "--messages", "10")
    with ThreadPoolExecutor(16) as senders:
        codes = list(senders.map(code, [node] * 40))
    assert sorted(codes) == [250] * 10 + [452] * 30
    assert len(inbox(node)) == 10


def test_who_is_full_holds_up_nobody_else_and_lmtp_answers_for_each(node: Node) -> None:
    added = mailnode("account", "add", BOB, "--dir", str(node.directory), typed="secret\n")
    assert added.returncode == 0, added.stderr
    deliver(node, b"first")
    limit(node, "--storage", "200")
    with smtplib.LMTP(HOST, node.port("lmtp")) as client:
        client.ehlo()
        client.mail("a@client.example")
        assert [client.rcpt(one)[0] for one in (ALICE, BOB)] == [452, 250]
        client.rset()
        limit(node, "--storage", "100k")
        client.mail("a@client.example")
        assert [client.rcpt(one)[0] for one in (ALICE, BOB)] == [250, 250]
        limit(node, "--storage", "200")
        client.docmd("DATA")
        client.send(BODY + b".\r\n")
        assert [client.getreply()[0] for _ in range(2)] == [452, 250]
    assert len(inbox(node)) == 1 and len(inbox(node, BOB, "secret")) == 1
