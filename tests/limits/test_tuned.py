"""Limits as an operator sets them, at a node: what is refused in the protocol's words, the session stays in
step or is told goodbye, and others are served."""

from __future__ import annotations

import random
from base64 import b64encode
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from mailnode.limits import KiB
from tests.cases.wire import Wire
from tests.limits.bystander import BOB, PASSWORD, Bystander, tuned
from tests.wire.node import Node
from tests.wire.server import DOMAIN, free_base_port

ANN = f"ann@{DOMAIN}"
OCTETS_MAX = 64 * KiB
TUNED = {
    "smtp_message_octets_max": OCTETS_MAX,
    "imap_message_octets_max": OCTETS_MAX,
    "smtp_errors_max": 2,
    "imap_errors_max": 2,
    "pop3_errors_max": 2,
    "smtp_refused_recipients_max": 1,
    "authentication_failures_max": 2,
    "authentication_threads_max": 1,
    "authentication_queue_max": 1,
}
WRONG = b64encode(b"\0" + ANN.encode() + b"\0wrong")
LOGIN = b"l LOGIN %b %b" % (ANN.encode(), PASSWORD.encode())
PROBES = {"imap": (b"p NOOP", b"p OK"), "pop3": (b"UTF8", b"+OK"), "smtp": (b"NOOP", b"250 ")}


class Row(NamedTuple):
    """Lines that are said, and how the answers begin; `goes_on`: the session then."""

    service: str
    said: tuple[bytes, ...]
    told: tuple[bytes, ...]
    goes_on: bool


LARGE = b"x" * 998 + b"\r\n"
ROWS = {
    "a message of SMTP that grows too large": Row(
        "smtp",
        (b"HELO x.test", b"MAIL FROM:<>", b"RCPT TO:<%b>" % ANN.encode(), b"DATA", LARGE * 70 + b"."),
        (b"250", b"250", b"250", b"354", b"552 5.3.4 "),
        True,
    ),
    "a message of IMAP that is too large": Row(
        "imap", (LOGIN, b"a APPEND INBOX {%d}" % (OCTETS_MAX + 1)), (b"l OK", b"a NO [TOOBIG]"), True
    ),
    "mistakes of SMTP": Row("smtp", (b"x",) * 3, (b"500", b"500", b"421 4.7.0 "), False),
    "mistakes of IMAP": Row("imap", (b"a x",) * 3, (b"a BAD", b"a BAD", b"* BYE "), False),
    "mistakes of POP3": Row("pop3", (b"x",) * 3, (b"-ERR", b"-ERR", b"-ERR"), False),
    "names that do not exist": Row(
        "smtp",
        (b"HELO x.test", b"MAIL FROM:<>", *(b"RCPT TO:<n%d@example.test>" % number for number in range(3))),
        (b"250", b"250", b"550", b"550", b"421 4.7.0 "),
        False,
    ),
    "wrong passwords of IMAP": Row(
        "imap",
        (b"a AUTHENTICATE PLAIN " + WRONG,) * 2,
        (b"a NO [AUTHENTICATIONFAILED]",) * 2 + (b"* BYE",),
        False,
    ),
    "wrong passwords of POP3": Row("pop3", (b"AUTH PLAIN " + WRONG,) * 2, (b"-ERR [AUTH]",) * 2, False),
    "wrong passwords of submission": Row(
        "submission",
        (b"EHLO x.test", b"AUTH PLAIN " + WRONG, b"AUTH PLAIN " + WRONG),
        (b"250 ", b"535 5.7.8 ", b"421 4.7.0 "),
        False,
    ),
    "a password longer than any": Row(
        "imap",
        (b"a LOGIN %b {%d+}\r\n%b" % (ANN.encode(), 2000, b"x" * 2000),),
        (b"a NO [AUTHENTICATIONFAILED]",),
        True,
    ),
}


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    directory = tmp_path_factory.mktemp("tuned") / "node"
    node = Node(directory, free_base_port(random.Random()), {ANN: PASSWORD, BOB: PASSWORD})
    node.init()
    tuned(node, **TUNED)
    node.start()
    yield node
    node.stop()


@pytest.fixture
def bob(node: Node) -> Iterator[Bystander]:
    bob = Bystander(node)
    yield bob
    bob.close()


def greeted(node: Node, service: str) -> Wire:
    wire = Wire(node.port(service))
    assert wire.line().startswith((b"* OK", b"+OK", b"220"))
    return wire


def last_line(wire: Wire) -> bytes:
    """Of an answer: an EHLO has several."""
    while (line := wire.line())[3:4] == b"-" and line[:3].isdigit():
        pass
    return line


@pytest.mark.parametrize("name", ROWS)
def test_what_is_too_much_is_refused_and_others_are_served(node: Node, bob: Bystander, name: str) -> None:
    row = ROWS[name]
    wire = greeted(node, row.service)
    for said in row.said:
        wire.send(said + b"\r\n")
    bob.is_served()
    told = [last_line(wire) for _ in row.told]
    assert [line[: len(begin)] for line, begin in zip(told, row.told, strict=True)] == list(row.told), told
    if row.goes_on:
        probe, answer = PROBES[row.service]
        wire.send(probe + b"\r\n")
        assert wire.line().startswith(answer)
    else:
        wire.rest()
    wire.close()


def test_of_many_logins_at_once_some_are_told_to_try_again_and_who_is_logged_in_feels_nothing(
    node: Node, bob: Bystander
) -> None:
    """One hash at a time, and one that waits: RFC 5530 §3, RFC 3206 §4, RFC 4954 §6."""
    services = {
        "imap": (b"a LOGIN %b wrong", b"a NO [UNAVAILABLE] "),
        "pop3": (b"AUTH PLAIN " + WRONG, b"-ERR [SYS/TEMP] "),
        "submission": (b"EHLO x.test\r\nAUTH PLAIN " + WRONG, b"454 4.7.0 "),
    }
    for service, (said, busy) in services.items():
        wires = [greeted(node, service) for _ in range(10)]
        for number, wire in enumerate(wires):
            name = b"n%d@example.test" % number
            wire.send((said % name if b"%b" in said else said) + b"\r\n")
        bob.is_served()
        told = [last_line(wire) if service != "submission" else _second(wire) for wire in wires]
        assert sum(line.startswith(busy) for line in told) >= 5, told
        for wire in wires:
            wire.close()
    wire = greeted(node, "imap")
    wire.send(LOGIN + b"\r\n")
    assert wire.line().startswith(b"l OK ")
    wire.close()


def _second(wire: Wire) -> bytes:
    last_line(wire)
    return last_line(wire)
