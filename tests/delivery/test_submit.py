"""A message from our user: whose address it may be from, and what we add to it."""

from __future__ import annotations

import asyncio

import pytest

from mailnode.delivery.replies import LOCAL_ONLY
from mailnode.delivery.submit import Submit, missing
from mailnode.delivery.transaction import Sender, Transaction
from mailnode.mailbox.verbs import NotKnown
from protocols.smtp.envelope import Body, MailParameters, Path
from protocols.smtp.reply import Reply
from protocols.smtp.trace import Came
from tests.delivery.memory import ANN, BOB, House

CONTENT = b"From: ann@here.example\r\n\r\nhi\r\n"
PARAMETERS = MailParameters(body=Body.EIGHT_BIT_MIME)
CAME = Came(b"laptop.example", "192.0.2.1", "submit.here.example", "ESMTPSA")


async def begin(
    house: House, reverse_path: bytes, account: int, not_local: Reply | None = None
) -> Transaction | Reply:
    sender = Sender(Path(reverse_path), PARAMETERS, account)
    return await Submit(house.delivery, "here.example", not_local).begin(CAME, sender)


def begun(house: House, reverse_path: bytes, account: int) -> Transaction | Reply:
    return asyncio.run(begin(house, reverse_path, account))


def sent(house: House, *recipients: str, content: bytes = CONTENT) -> tuple[Reply, ...]:
    """Ann submits it; what is said to each recipient in the end."""

    async def send() -> tuple[Reply, ...]:
        transaction = await begin(house, b"ann@here.example", ANN)
        assert isinstance(transaction, Transaction)
        for recipient in recipients:
            assert (await transaction.recipient(Path(recipient.encode()))).positive
        return await transaction.finish(content)

    return asyncio.run(send())


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
        ("zoe@there.example", 250, "2.1.5"),
        ("zoe@[192.0.2.1]", 250, "2.1.5"),
        ("zoe@th_re..example", 550, "5.1.2"),
    ],
)
def test_recipients_are_local_or_somebody_elses(address: str, code: int, enhanced: str) -> None:
    async def ask() -> Reply:
        transaction = await begin(House(), b"", ANN)
        assert isinstance(transaction, Transaction)
        return await transaction.recipient(Path(address.encode()))

    answer = asyncio.run(ask())
    assert (answer.code, answer.enhanced) == (code, enhanced)


def test_a_node_that_sends_nothing_on_refuses_other_domains() -> None:
    async def ask() -> Reply:
        transaction = await begin(House(), b"", ANN, LOCAL_ONLY)
        assert isinstance(transaction, Transaction)
        return await transaction.recipient(Path(b"zoe@there.example"))

    assert asyncio.run(ask()) is LOCAL_ONLY


def test_other_domains_share_one_item_of_the_senders_queue() -> None:
    house = House()
    replies = sent(house, "bob@here.example", "zoe@there.example", "yan@else.example")
    assert [reply.code for reply in replies] == [250] * 3
    (intent,) = house.accounts.ann.asked
    submit = intent.submit
    assert submit.octets == house.accounts.bob.copies[0].octets
    assert submit.octets[submit.item.start :].startswith(b"Received: from laptop.example ")
    assert submit.item.reverse_path == b"ann@here.example"
    assert (submit.item.smtputf8, submit.item.eight_bit_mime) == (False, True)
    paths = [recipient.forward_path for recipient in submit.item.recipients]
    assert paths == [b"zoe@there.example", b"yan@else.example"]


def test_who_is_named_twice_waits_once() -> None:
    house = House()
    replies = sent(house, "zoe@there.example", "zoe@there.example")
    assert [reply.code for reply in replies] == [250, 250]
    (intent,) = house.accounts.ann.asked
    assert len(intent.submit.item.recipients) == 1


def test_the_queue_has_an_upload_of_its_own() -> None:
    """What waits for others and what the sender keeps end at different times."""
    house = House()
    sent(house, "ann@here.example", "zoe@there.example", content=CONTENT + b"x" * 300_000)
    uploads = {intent.upload.upload for intent in house.accounts.ann.asked if intent.HasField("upload")}
    named = {intent.submit.mail.upload for intent in house.accounts.ann.asked if intent.HasField("submit")}
    named |= {copy.mail.upload for copy in house.accounts.ann.copies}
    assert len(uploads) == 2 and named == uploads


def test_250_is_said_only_when_the_item_is_durable() -> None:
    house = House()
    house.accounts.ann.outcomes.extend([NotKnown(), NotKnown()])
    replies = sent(house, "zoe@there.example", "bob@here.example")
    assert [reply.code for reply in replies] == [451, 250]


def test_what_was_missing_is_added_behind_the_trace() -> None:
    house = House()

    sent(house, "bob@here.example")
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
