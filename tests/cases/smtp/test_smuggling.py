"""Every look-alike of the end of content, against every listener: one message arrives, or none; never two.

The sequences are those of ../shared/vectors/smtp (CVE-2023-51764, -51765, -51766); where they are absent, the
few best known stand in.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cases.smtp.house import SmtpHouse
from tests.cases.wire import Wire
from tests.wire.node import Node

VECTORS = Path(__file__).parents[4] / "shared" / "vectors" / "smtp" / "smuggling_sequences.json"
STAND_INS = {"LF.LF": b"\n.\n", "LF.CRLF": b"\n.\r\n", "CRLF.CR": b"\r\n.\r", "CRLF..CRLF": b"\r\n..\r\n"}
BEFORE = b"Subject: carrier\r\n\r\nbody"
BEHIND = (
    b"MAIL FROM:<mallory@client.example>\r\nRCPT TO:<smtp@example.test>\r\nDATA\r\nSubject: smuggled\r\n\r\nx"
)
CUTS = ("whole", "octet by octet", "in the middle")


def sequences() -> dict[str, bytes]:
    if not VECTORS.exists():
        return STAND_INS
    found = json.loads(VECTORS.read_text())["sequences"]
    return {
        one["name"]: bytes.fromhex(one["bytes_hex"]) for one in found if not one["inside_data_is_end_of_data"]
    }


@pytest.fixture(scope="module")
def house(running: Node) -> SmtpHouse:
    return SmtpHouse(running)


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("service", ["mx", "submission", "lmtp"])
@pytest.mark.parametrize(("name", "sequence"), sequences().items(), ids=lambda value: str(value)[:20])
def test_no_look_alike_ends_content(
    house: SmtpHouse, name: str, sequence: bytes, service: str, cut: str
) -> None:
    house.reset()
    wire = house.open(f"{service} data")
    send(wire, BEFORE, sequence, cut)
    wire.send(BEHIND + b"\r\n.\r\n")
    reply = wire.line()
    wire.send(b"NOOP\r\n")
    assert wire.line() == b"250 2.0.0 OK", "one reply to one content, and the session where it should be"
    taken = taken_by(service, sequence)
    assert reply.startswith(b"250 2.0.0 " if taken else b"550 5.6.11 "), reply
    assert house.arrived() == taken
    wire.close()


def send(wire: Wire, before: bytes, sequence: bytes, cut: str) -> None:
    if cut == "whole":
        wire.send(before + sequence)
    elif cut == "in the middle":
        wire.send(before + sequence[: len(sequence) // 2])
        wire.send(sequence[len(sequence) // 2 :])
    else:
        wire.send(before)
        for octet in sequence:
            wire.send(bytes([octet]))


def taken_by(service: str, sequence: bytes) -> int:
    """Messages that arrive: NUL and bare CR are refused everywhere, bare LF on the MX."""
    content = sequence.replace(b"\r\n", b"")
    refused = b"\0" in content or b"\r" in content or (b"\n" in content and service == "mx")
    return 0 if refused else 1
