"""Commands in any order, cut anywhere, broken off anyhow: the node makes no mistake and keeps nobody.

A seed makes the dialogues; a failure names it and what was sent.
"""

from __future__ import annotations

import os
import random
import socket
import struct
from pathlib import Path

import pytest

from tests.wire.node import Node
from tests.wire.server import HOST

DIALOGUES = 150  # of a seed
ANSWERS_MAX = 5000  # after so many to somebody else, what is over has ended
SECONDS_MAX = 20.0
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close says RST
SMTP_LINES = b"""\
EHLO c
HELO c
LHLO c
MAIL FROM:<>
MAIL FROM:<a@b.example> SIZE=9
MAIL FROM:<smtp@example.test> SMTPUTF8
RCPT TO:<smtp@example.test>
RCPT TO:<other+x@example.test>
RCPT TO:<nobody@example.test>
RCPT TO:<x>
DATA
Subject: x
.
BDAT 5
BDAT 3 LAST
BDAT 0 LAST
BDAT 150000
RSET
NOOP
HELP
VRFY a
QUIT
AUTH PLAIN AHNtdHBAZXhhbXBsZS50ZXN0AHNlY3JldA==
AUTH PLAIN
AUTH LOGIN
*
STARTTLS
"""
POP3_LINES = b"""\
USER pop3@example.test
PASS secret
AUTH PLAIN AHBvcDNAZXhhbXBsZS50ZXN0AHNlY3JldA==
AUTH LOGIN
*
STAT
LIST
UIDL
RETR 1
TOP 1 3
DELE 1
RSET
NOOP
CAPA
UTF8
LANG
STLS
QUIT
"""
IMAP_LINES = b"""\
a LOGIN imap@example.test secret
a AUTHENTICATE PLAIN
AGltYXBAZXhhbXBsZS50ZXN0AHNlY3JldA==
*
a SELECT INBOX
a EXAMINE INBOX
a APPEND INBOX {3+}
a STATUS INBOX (MESSAGES UNSEEN)
a LIST "" *
a FETCH 1:* (FLAGS ENVELOPE BODYSTRUCTURE)
a FETCH 1 BODY[]
a STORE 1:* +FLAGS (\\Deleted)
a SEARCH TEXT {1}
a COPY 1:* INBOX
a EXPUNGE
a IDLE
DONE
a NOOP
a STARTTLS
a CLOSE
a LOGOUT
"""
NOISE = (
    *(b"\0\r\n", b"\r", b"\n", b"a\nb\r\n", b"\xff\r\n", b"x\r\n.\r\n"),
    *(b"x" * 3000 + b"\r\n", b"y" * 150_000),
)
SERVICES = {
    "smtp": SMTP_LINES,
    "submission": SMTP_LINES,
    "lmtp": SMTP_LINES,
    "pop3": POP3_LINES,
    "imap": IMAP_LINES,
}


@pytest.mark.parametrize("seed", range(4))
def test_nothing_that_a_peer_does_is_our_mistake_or_keeps_a_connection(running: Node, seed: int) -> None:
    randomness = random.Random(seed)
    sockets, failures = open_sockets(running), tracebacks(running)
    for _ in range(DIALOGUES):
        service = randomness.choice(list(SERVICES))
        pieces = [*SERVICES[service].replace(b"\n", b"\r\n").splitlines(keepends=True), *NOISE]
        said = randomness.choices(pieces, k=randomness.randrange(1, 25))
        heard = dialogue(running, service, b"".join(said), randomness)
        assert b"Internal error" not in heard, (service, said)
        assert tracebacks(running) == failures, (service, said)
    assert ended(running, sockets), "a connection is kept"


def dialogue(node: Node, service: str, octets: bytes, randomness: random.Random) -> bytes:
    """What is heard, if the peer listens to the end."""
    with socket.create_connection((HOST, node.port(service)), SECONDS_MAX) as peer:
        try:
            return _dialogue(peer, octets, randomness)
        except TimeoutError:
            raise
        except OSError:  # ENOTCONN, which `shutdown` gives, is no ConnectionError
            return b""  # it was closed while octets of ours were on their way


def _dialogue(peer: socket.socket, octets: bytes, randomness: random.Random) -> bytes:
    at = 0
    while at < len(octets):
        count = randomness.choice((1, 10, 1000, len(octets)))
        peer.sendall(octets[at : at + count])
        at += count
    end = randomness.choice(("gone", "reset", "half closed"))
    if end == "reset":
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    if end != "half closed":
        return b""
    peer.shutdown(socket.SHUT_WR)
    heard = bytearray()
    while piece := peer.recv(1 << 16):
        heard += piece
    return bytes(heard)


def ended(node: Node, sockets: int) -> bool:
    """Whether only so many are open, while another peer's commands are answered."""
    with socket.create_connection((HOST, node.port("smtp")), SECONDS_MAX) as peer:
        for _ in range(ANSWERS_MAX):
            if open_sockets(node) <= sockets + 1:
                return True
            peer.sendall(b"NOOP\r\n")
            peer.recv(1000)
    return False


def open_sockets(node: Node) -> int:
    return sum(_is_socket(entry) for entry in Path(f"/proc/{node.process_id}/fd").iterdir())


def _is_socket(entry: Path) -> bool:
    try:
        return os.readlink(entry).startswith("socket:")
    except FileNotFoundError:
        return False


def tracebacks(node: Node) -> int:
    return node.log.read_bytes().count(b"Traceback")
