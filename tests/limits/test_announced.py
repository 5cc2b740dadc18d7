"""A gigabyte is announced, in every way that the protocols have: it is refused before memory or disk hold any
of it, and others are served."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from mailnode.limits import MiB
from tests.cases.wire import Wire
from tests.limits.bystander import BOB, PASSWORD, Bystander, resident_octets
from tests.wire.node import Node
from tests.wire.server import DOMAIN, free_base_port

ANN = f"ann@{DOMAIN}"
LOGIN = f"l LOGIN {ANN} {PASSWORD}\r\n".encode()
TRANSACTION = f"EHLO x.test\r\nMAIL FROM:<a@x.test>\r\nRCPT TO:<{ANN}>\r\n".encode()
AT_ONCE = 20
SENT = b"x" * MiB
GROWTH_OCTETS_MAX = 16 * MiB  # AT_ONCE have sent more


class Announced(NamedTuple):
    """`before`: what leads there, with so many lines of answer; then what is `said`, and what is told."""

    service: str
    before: bytes
    lines: int
    said: bytes
    told: bytes
    probe: bytes
    """Answered with OK when the session goes on; empty where it ends."""


ANNOUNCED = {
    "a literal before login": Announced(
        "imap", b"", 1, b"a LOGIN {1000000000}\r\n", b"a NO [TOOBIG] ", b"b NOOP\r\n"
    ),
    "a literal": Announced("imap", LOGIN, 2, b"a SELECT {1000000000}\r\n", b"a NO [TOOBIG] ", b"b NOOP\r\n"),
    "a literal of a size that no number has": Announced(
        "imap", LOGIN, 2, b"a SELECT {%b}\r\n" % (b"9" * 30), b"a ", b"b NOOP\r\n"
    ),
    "a literal that is not waited for, before login": Announced(
        "imap", b"", 1, b"a LOGIN {1000000000+}\r\n" + SENT, b"* BYE [TOOBIG] ", b""
    ),
    "a literal that is not waited for": Announced(
        "imap", LOGIN, 2, b"a SELECT {1000000000+}\r\n" + SENT, b"* BYE [TOOBIG] ", b""
    ),
    "a message of IMAP": Announced(
        "imap", LOGIN, 2, b"a APPEND INBOX {1000000000}\r\n", b"a NO [TOOBIG] ", b"b NOOP\r\n"
    ),
    "a message of IMAP that is not waited for": Announced(
        "imap", LOGIN, 2, b"a APPEND INBOX {1000000000+}\r\n" + SENT, b"* BYE [TOOBIG] ", b""
    ),
    "the second message of an APPEND": Announced(
        "imap", LOGIN, 2, b"a APPEND INBOX {3+}\r\na\r\n {1000000000}\r\n", b"a NO [TOOBIG] ", b"b NOOP\r\n"
    ),
    "SIZE": Announced(
        "smtp", b"EHLO x.test\r\n", 9, b"MAIL FROM:<a@x.test> SIZE=1000000000\r\n", b"552 5.3.4 ", b"NOOP\r\n"
    ),
    "a chunk": Announced("smtp", TRANSACTION, 11, b"BDAT 1000000000\r\n" + SENT, b"552 5.3.4 ", b""),
    "a chunk without a transaction": Announced(
        "smtp", b"EHLO x.test\r\n", 9, b"BDAT 1000000000 LAST\r\n" + SENT, b"552 5.3.4 ", b""
    ),
    "a chunk of LMTP": Announced(
        "lmtp", TRANSACTION.replace(b"EHLO", b"LHLO"), 10, b"BDAT 1000000000\r\n", b"552 5.3.4 ", b""
    ),
}


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    directory = tmp_path_factory.mktemp("announced") / "node"
    node = Node(directory, free_base_port(random.Random()), {ANN: PASSWORD, BOB: PASSWORD})
    node.start()
    yield node
    node.stop()


@pytest.fixture
def bob(node: Node) -> Iterator[Bystander]:
    bob = Bystander(node)
    bob.is_served()
    yield bob
    bob.close()


def opened(node: Node, how: Announced) -> Wire:
    wire = Wire(node.port(how.service))
    wire.send(how.before)
    for _ in range(how.lines):
        line = wire.line()
        assert not line.startswith((b"4", b"5", b"l NO", b"l BAD")), line
    return wire


@pytest.mark.parametrize("name", ANNOUNCED)
def test_a_gigabyte_is_refused_before_it_comes(node: Node, bob: Bystander, name: str) -> None:
    how = ANNOUNCED[name]
    wires = [opened(node, how) for _ in range(AT_ONCE)]
    before = resident_octets(node)
    for wire in wires:
        try:
            wire.send(how.said)
        except ConnectionError:
            assert not how.probe  # it was sent away while it spoke
    bob.is_served()
    for wire in wires:
        assert wire.line().startswith(how.told)
    assert resident_octets(node) - before < GROWTH_OCTETS_MAX
    for wire in wires:
        if how.probe:
            wire.send(how.probe)
            assert b"OK" in wire.line()
        else:
            assert wire.rest() == b""
        wire.close()
    bob.is_served()
