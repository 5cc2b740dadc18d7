"""A message from our user: whose address it may be from, and what we add to it."""

from __future__ import annotations

import asyncio

import pytest

from mailnode.delivery.submit import Submit, missing
from mailnode.delivery.transaction import Transaction
from protocols.smtp.envelope import Path
from protocols.smtp.reply import Reply
from protocols.smtp.trace import Came
from tests.delivery.memory import ANN, BOB, House

CAME = Came(b"laptop.example", "192.0.2.1", "submit.here.example", "ESMTPSA")


def begun(house: House, reverse_path: bytes, account: int) -> Transaction | Reply:
    return asyncio.run(Submit(house.delivery, "here.example").begin(CAME, Path(reverse_path), account))


@pytest.mark.parametrize(
    ("reverse_path", "account"),
    [
        (b"ann@here.example", ANN),
        (b"ann+lists@here.example", ANN),
        (b"sales@here.example", ANN),
        (b"all@here.example", BOB),
        (b"", BOB),
    ],
)
def test_a_user_sends_from_an_own_address(reverse_path: bytes, account: int) -> None:
    assert isinstance(begun(House(), reverse_path, account), Transaction)


@pytest.mark.parametrize(
    "reverse_path", [b"ann@here.example", b"nobody@here.example", b"bob@elsewhere.example"]
)
def test_a_user_does_not_send_from_another_address(reverse_path: bytes) -> None:
    answer = begun(House(), reverse_path, BOB)
    assert isinstance(answer, Reply) and (answer.code, answer.enhanced) == (550, "5.7.1")


def test_a_directory_that_cannot_be_asked_is_451() -> None:
    house = House()
    house.lookup.unavailable = True
    answer = begun(house, b"ann@here.example", ANN)
    assert isinstance(answer, Reply) and answer.code == 451


@pytest.mark.parametrize(
    ("address", "code", "enhanced"),
    [
        ("bob@here.example", 250, "2.1.5"),
        ("nobody@here.example", 550, "5.1.1"),
        ("zoe@there.example", 550, "5.7.1"),
    ],
)
def test_local_recipients_are_delivered_to_others_refused(address: str, code: int, enhanced: str) -> None:
    async def ask() -> Reply:
        transaction = await Submit(House().delivery, "here.example").begin(CAME, Path(b""), ANN)
        assert isinstance(transaction, Transaction)
        return await transaction.recipient(Path(address.encode()))

    answer = asyncio.run(ask())
    assert (answer.code, answer.enhanced) == (code, enhanced)


def test_what_was_missing_is_added_behind_the_trace() -> None:
    house = House()

    async def send() -> None:
        transaction = await Submit(house.delivery, "here.example").begin(CAME, Path(b"ann@here.example"), ANN)
        assert isinstance(transaction, Transaction)
        await transaction.recipient(Path(b"bob@here.example"))
        await transaction.finish(b"From: ann@here.example\r\n\r\nhi\r\n")

    asyncio.run(send())
    (copy,) = house.accounts.bob.copies
    names = [line.partition(b":")[0] for line in copy.head.split(b"\r\n") if line[:1] not in (b" ", b"")]
    assert names == [b"Return-Path", b"Received", b"Date", b"Message-ID", b"From"]
    assert b" with ESMTPSA id " in copy.head
    assert copy.mail.message_id.strip(b"<>").endswith(b"@here.example")
    assert copy.mail.sent == int(house.clock.seconds)


DATE = b"Date: Mon, 12 Jan 1970 13:46:40 +0000\r\n"
MESSAGE_ID = b"Message-ID: <1a@here.example>\r\n"


@pytest.mark.parametrize(
    ("first", "added"),
    [
        (b"", DATE + MESSAGE_ID),
        (b"\r\nDate: in the body\r\n", DATE + MESSAGE_ID),
        (b"X: 1\r\n\r\nDate: 2\r\nMessage-ID: 3\r\n", DATE + MESSAGE_ID),
        (b"DATE : x\r\n\r\n", MESSAGE_ID),
        (b"X: 1\r\nmessage-id:\r\n x\r\n\r\n", DATE),
        (b"Date: x\r\nMessage-Id: y\r\n", b""),
        (b"Resent-Date: x\r\nX: Date: y\r\n", DATE + MESSAGE_ID),
    ],
)
def test_only_missing_fields_are_added(first: bytes, added: bytes) -> None:
    assert missing("here.example", first, "1a", 1_000_000) == added
