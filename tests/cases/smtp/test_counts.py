"""What only numbers make: many recipients, many hosts that a message passed."""

from __future__ import annotations

import pytest

from tests.cases.smtp.house import SmtpHouse
from tests.wire.node import Node


@pytest.fixture
def house(running: Node) -> SmtpHouse:
    house = SmtpHouse(running)
    house.reset()
    return house


@pytest.mark.parametrize(("recipients", "refused"), [(100, 0), (1000, 0), (1001, 1), (1100, 100)])
def test_recipients_beyond_the_limit_are_452_and_the_others_get_the_message(
    house: SmtpHouse, recipients: int, refused: int
) -> None:
    """RFC 5321 §4.5.3.1.8, §4.5.3.1.10; over LMTP each of the others has its reply, RFC 2033 §4.2."""
    wire = house.open("lmtp mail")
    wire.send(b"".join(b"RCPT TO:<smtp+%d@example.test>\r\n" % number for number in range(recipients)))
    replies = [wire.line()[:9] for _ in range(recipients)]
    assert replies == [b"250 2.1.5"] * (recipients - refused) + [b"452 4.5.3"] * refused
    wire.send(b"DATA\r\nSubject: many\r\n\r\n.\r\nNOOP\r\n")
    assert wire.line().startswith(b"354 ")
    assert {wire.line()[:9] for _ in range(recipients - refused)} == {b"250 2.0.0"}
    assert wire.line() == b"250 2.0.0 OK"
    wire.close()
    assert house.arrived() == 1


@pytest.mark.parametrize(("hosts", "arrived"), [(100, 1), (101, 0)])
def test_a_message_that_passed_more_than_a_hundred_hosts_loops(
    house: SmtpHouse, hosts: int, arrived: int
) -> None:
    """RFC 5321 §6.3"""
    wire = house.open("mx data")
    wire.send(
        b"Received: from a.example by b.example; Mon, 5 Jan 2026 10:00:00 +0000\r\n" * hosts + b"\r\n.\r\n"
    )
    assert wire.line().startswith(b"250 2.0.0 " if arrived else b"554 5.4.6 ")
    wire.close()
    assert house.arrived() == arrived


def test_a_peer_that_tries_names_is_sent_away_from_the_mx(house: SmtpHouse) -> None:
    """RFC 5321 §7.3; who has authenticated, or delivers from our own site, is not."""
    names = b"".join(b"RCPT TO:<nobody%d@example.test>\r\n" % number for number in range(102))
    wire = house.open("mx mail")
    wire.send(names)
    assert [wire.line()[:9] for _ in range(101)] == [b"550 5.1.1"] * 101
    assert wire.line() == b"421 4.7.0 Too many refused recipients, closing"
    assert wire.rest() == b""
    for scene in ("lmtp mail", "submission mail"):
        wire = house.open(scene)
        wire.send(names)
        assert [wire.line()[:9] for _ in range(102)] == [b"550 5.1.1"] * 102
        wire.close()
