"""A message from our user: whose address it may be from, and what we add to it."""

from __future__ import annotations

import asyncio

import pytest

from mailnode.delivery.draft import HEAD_OCTETS_MAX, not_own
from mailnode.delivery.replies import LOCAL_ONLY
from mailnode.delivery.submit import Policy, Submit, missing
from mailnode.delivery.transaction import Sender, Transaction
from mailnode.mailbox.verbs import NotKnown
from protocols.mime.fields import read_header
from protocols.smtp.envelope import Body, MailParameters, Path
from protocols.smtp.reply import Reply
from protocols.smtp.trace import Came
from tests.delivery.memory import ANN, BOB, House

CONTENT = b"From: ann@here.example\r\n\r\nhi\r\n"
DEFAULT = Policy()
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


def submitted(
    house: House, content: bytes, policy: Policy = DEFAULT, cut: int = 1 << 20
) -> tuple[tuple[Reply, ...], list[bytes]]:
    """What is said, and what came in, when Ann sends it to Bob."""

    async def send() -> tuple[Reply, ...]:
        sender = Sender(Path(b"ann@here.example"), PARAMETERS, ANN)
        transaction = await Submit(house.delivery, "here.example", None, policy).begin(CAME, sender)
        assert isinstance(transaction, Transaction)
        assert (await transaction.recipient(Path(b"bob@here.example"))).positive
        for at in range(0, len(content), cut):
            await transaction.write(content[at : at + cut])
        return await transaction.finish(b"")

    replies = asyncio.run(send())
    return replies, [copy.octets for copy in house.accounts.bob.copies]


@pytest.mark.parametrize("cut", [1, 5, 1000])
def test_bcc_goes_and_all_else_stays_however_it_came(cut: int) -> None:
    content = (
        b"BCC: a@x.example,\r\n b@x.example\r\nFrom: sales@here.example\r\nResent-Bcc : c@x.example\r\n"
        b"X-Bcc: d\r\nBcc:\r\n\r\nBcc: body\r\n"
    )
    _, (octets,) = submitted(House(), content, cut=cut)
    assert octets.endswith(b"\r\nFrom: sales@here.example\r\nX-Bcc: d\r\n\r\nBcc: body\r\n")
    assert octets.count(b"x.example") == 0


@pytest.mark.parametrize("content", [b"From: bob@here.example", b"Bcc: x@y\r\nFrom: bob@here.example\r\n"])
def test_a_message_that_is_all_header_is_judged_too(content: bytes) -> None:
    replies, copies = submitted(House(), content)
    assert (replies[0].code, copies) == (550, [])


def test_a_header_too_long_to_judge_is_refused_and_not_kept() -> None:
    replies, copies = submitted(House(), b"X: " + b"y" * HEAD_OCTETS_MAX + b"\r\n", cut=100_000)
    assert (replies[0].code, replies[0].enhanced, copies) == (552, "5.3.4", [])


def test_who_may_write_in_the_name_of_others_does() -> None:
    replies, copies = submitted(House(), b"From: zoe@there.example\r\n\r\n", Policy(foreign_from=True))
    assert replies[0].positive and len(copies) == 1


def test_received_names_no_client_where_it_shall_not() -> None:
    _, (octets,) = submitted(House(), CONTENT, Policy(shows_client=False))
    assert b"laptop" not in octets and b"192.0.2.1" not in octets
    assert b"Received: from submit.here.example\r\n by submit.here.example with ESMTPSA id " in octets


def test_a_directory_that_cannot_be_asked_for_the_author_is_451() -> None:
    async def judged() -> Reply | None:
        async def owns(address: str) -> bool:
            raise NotKnown

        with pytest.raises(NotKnown):
            await not_own(read_header(b"From: a@b\r\n\r\n", 0, 10), owns)
        house = House()
        sender = Sender(Path(b""), PARAMETERS, ANN)
        transaction = await Submit(house.delivery, "here.example", None).begin(CAME, sender)
        assert isinstance(transaction, Transaction)
        await transaction.recipient(Path(b"bob@here.example"))
        house.lookup.unavailable = True
        return await transaction.finish_as_one(CONTENT)

    answer = asyncio.run(judged())
    assert answer is not None and answer.code == 451
