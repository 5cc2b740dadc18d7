"""A message from the open net: who gets it, as what, and what the sender is told."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from hashlib import blake2b

import pytest

from mailnode.delivery.accept import Accept
from mailnode.delivery.replies import one_for_all
from mailnode.delivery.transaction import Sender, Transaction
from mailnode.log import KeyValue
from mailnode.mailbox.rows import BLOB_CHUNK_OCTETS
from mailnode.mailbox.verbs import NotKnown
from mailnode.pb.change_pb2 import Result
from protocols.smtp.envelope import NO_PARAMETERS, Durable, MailParameters, Path
from protocols.smtp.reply import Reply
from protocols.smtp.trace import Came
from tests.delivery.memory import ANN, House

CAME = Came(b"client.example", "192.0.2.1", "mx.here.example", "ESMTPS")
CONTENT = b"Subject: hello\r\nMessage-ID: <1@there.example>\r\n\r\nbody\r\n"


async def begun(house: House, reverse_path: bytes, parameters: MailParameters = NO_PARAMETERS) -> Transaction:
    sender = Sender(Path(reverse_path), parameters, 0)
    transaction = await Accept(house.delivery).begin(CAME, sender)
    assert isinstance(transaction, Transaction)
    return transaction


def sent(
    house: House,
    recipients: Sequence[str],
    pieces: Sequence[bytes] = (CONTENT,),
    reverse_path: bytes = b"zoe@there.example",
    parameters: MailParameters = NO_PARAMETERS,
) -> tuple[list[Reply], tuple[Reply, ...]]:
    """What RCPT and content were answered."""

    async def send() -> tuple[list[Reply], tuple[Reply, ...]]:
        transaction = await begun(house, reverse_path, parameters)
        answers = [await transaction.recipient(Path(one.encode())) for one in recipients]
        for piece in pieces[:-1]:
            await transaction.write(piece)
        return answers, await transaction.finish(pieces[-1])

    return asyncio.run(send())


@pytest.mark.parametrize(
    ("address", "code", "enhanced"),
    [
        ("ann@here.example", 250, "2.1.5"),
        ("all@here.example", 250, "2.1.5"),
        ("nobody@here.example", 550, "5.1.1"),
        ("ann@elsewhere.example", 550, "5.7.1"),
    ],
)
def test_each_recipient_is_resolved(address: str, code: int, enhanced: str) -> None:
    answers, _ = sent(House(), [address, "bob@here.example"])
    assert (answers[0].code, answers[0].enhanced) == (code, enhanced)


def test_a_directory_that_cannot_be_asked_is_451() -> None:
    async def ask() -> Reply:
        house = House()
        house.lookup.unavailable = True
        return await (await begun(house, b"")).recipient(Path(b"ann@here.example"))

    answer = asyncio.run(ask())
    assert (answer.code, answer.enhanced) == (451, "4.3.0")


def test_what_is_stored_is_what_came_behind_its_trace() -> None:
    house = House()
    _, replies = sent(house, ["ann@here.example"])
    (copy,) = house.accounts.ann.copies
    trace, _, rest = copy.octets.partition(b"+0000\r\n")
    assert rest == CONTENT
    assert trace.startswith(
        b"Return-Path: <zoe@there.example>\r\n"
        b"Received: from client.example ([192.0.2.1])\r\n by mx.here.example with ESMTPS id "
    )
    assert b"\r\n for <ann@here.example>; " in trace
    assert replies[0].code == 250 and replies[0].text.split()[0].encode() in trace


def test_the_row_describes_the_stored_octets() -> None:
    house = House()
    sent(house, ["ann@here.example"])
    (copy,) = house.accounts.ann.copies
    assert copy.mail.size == len(copy.octets)
    assert copy.mail.checksum == blake2b(copy.octets, digest_size=16).digest()
    assert copy.octets.startswith(copy.head) and copy.head.endswith(b"\r\n\r\n")
    assert copy.mail.message_id.strip(b"<>") == b"1@there.example"


def test_the_null_reverse_path_is_kept() -> None:
    house = House()
    sent(house, ["ann@here.example"], reverse_path=b"")
    assert house.accounts.ann.copies[0].octets.startswith(b"Return-Path: <>\r\n")


def test_several_recipients_share_octets_that_name_none_of_them() -> None:
    house = House()
    _, replies = sent(house, ["ann@here.example", "bob@here.example"])
    (anns,), (bobs,) = house.accounts.ann.copies, house.accounts.bob.copies
    assert anns.octets == bobs.octets
    assert b"\r\n for <" not in anns.octets
    assert [reply.code for reply in replies] == [250, 250]


def test_an_account_gets_one_copy_by_however_many_addresses() -> None:
    house = House()
    _, replies = sent(house, ["sales@here.example", "ann@here.example", "all@here.example"])
    assert len(house.accounts.ann.copies) == len(house.accounts.bob.copies) == 1
    assert len(replies) == 3


def test_copies_of_a_transaction_have_ids_of_their_own() -> None:
    house = House()
    sent(house, ["all@here.example"])
    sent(house, ["all@here.example"])
    ids = [intent.id for account in (house.accounts.ann, house.accounts.bob) for intent in account.asked]
    assert len(set(ids)) == 4 and all(len(each) == 16 for each in ids)


def test_a_copy_goes_to_the_mailbox_of_its_tag_or_to_inbox() -> None:
    house = House()
    sent(house, ["ann+lists@here.example", "ann@here.example", "bob@here.example"])
    (anns,), (bobs,) = house.accounts.ann.copies, house.accounts.bob.copies
    assert (anns.name, anns.inbox_stands_in) == ("lists", True)
    assert bobs.name == "INBOX"


# outcomes of ann's account, then what SMTP answers, and LMTP for ann and bob
FAILURES = [
    ([NotKnown()], 250, [250, 250]),
    ([NotKnown(), NotKnown()], 451, [451, 250]),
    ([Result(refused="OVERQUOTA")], 452, [452, 250]),
    ([Result(refused="UNAVAILABLE")], 451, [451, 250]),
    ([Result(refused="NONEXISTENT")], 451, [451, 250]),
    ([NotKnown(), Result(refused="OVERQUOTA")], 452, [452, 250]),
    ([ValueError("a mistake of ours")], 451, [451, 250]),
]


@pytest.mark.parametrize(("outcomes", "one", "each"), FAILURES)
def test_250_is_said_only_when_every_copy_is_durable(
    outcomes: list[Result | Exception], one: int, each: list[int]
) -> None:
    house = House()
    house.accounts.ann.outcomes.extend(outcomes)
    _, replies = sent(house, ["ann@here.example", "bob@here.example"])
    assert [reply.code for reply in replies] == each
    assert one_for_all(replies).code == one
    assert len(house.accounts.bob.copies) == 1


def test_who_asks_for_copies_is_told_how_many_there_are_of_each_message(
    caplog: pytest.LogCaptureFixture,
) -> None:
    house, everybody = House(), ["ann@here.example", "bob@here.example"]

    def deliver(copies: int) -> list[str]:
        house.accounts.ann.outcomes.append(Result(copies=2))
        house.accounts.bob.outcomes.append(Result(copies=3))
        _, replies = sent(house, everybody, parameters=MailParameters(durable=Durable(copies)))
        return [reply.text.partition(" ")[2] for reply in replies]

    with caplog.at_level(logging.INFO):
        assert deliver(2) == ["accepted, durable on 2 nodes"] * 2
        assert deliver(0) == ["accepted"] * 2
    assert [intent.copies for intent in house.accounts.ann.asked] == [2, 0]
    assert [vars(record)["copies"] for record in caplog.records] == ["2", "2"]
    house.accounts.ann.outcomes.append(Result(refused="UNAVAILABLE"))
    house.accounts.bob.outcomes.append(Result(copies=3))
    _, (anns, bobs) = sent(house, everybody, parameters=MailParameters(durable=Durable(3)))
    assert anns.code == 451 and bobs.text.endswith("durable on 3 nodes")


def test_who_asks_for_data_centres_is_told_which_have_every_copy(caplog: pytest.LogCaptureFixture) -> None:
    house, everybody = House(), ["ann@here.example", "bob@here.example"]
    house.accounts.ann.outcomes.append(Result(copies=2, dcs=["dc2", "dc3"]))
    house.accounts.bob.outcomes.append(Result(copies=2, dcs=["dc3"]))  # by a node that knows nothing of dc2
    with caplog.at_level(logging.INFO):
        _, replies = sent(house, everybody, parameters=MailParameters(durable=Durable(1, ("dc2", "dc3"))))
    assert [reply.text.partition(" ")[2] for reply in replies] == [
        "accepted, durable on 2 nodes and in dc3"
    ] * 2
    assert [list(intent.dcs) for intent in house.accounts.ann.asked] == [["dc2", "dc3"]]
    assert vars(caplog.records[0])["dcs"] == "dc3"


def test_a_data_centre_that_there_is_not_is_told_before_anything_is_sent() -> None:
    house = House()
    sender = Sender(Path(b"zoe@there.example"), MailParameters(durable=Durable(1, ("dc2", "dc9"))), 0)
    begun = asyncio.run(Accept(house.delivery).begin(CAME, sender))
    assert isinstance(begun, Reply) and (begun.code, begun.enhanced) == (501, "5.5.4")
    assert begun.text == "XDURABLE: the cluster has no data centre dc9"


@pytest.mark.parametrize("why", [NotKnown(), OSError("the disk"), ValueError("a row that cannot be read")])
def test_a_recipient_whose_account_cannot_be_asked_is_451_before_anybody_has_a_copy(why: Exception) -> None:
    house = House()
    house.accounts.broken[ANN] = why
    answers, replies = sent(house, ["ann@here.example", "all@here.example", "bob@here.example"])
    assert [answer.code for answer in answers] == [451, 451, 250]
    assert [reply.code for reply in replies] == [250]
    assert len(house.accounts.bob.copies) == 1 and not house.accounts.ann.asked


def filled(house: House) -> House:
    """Bob's account has room for no octet more, not even with grace."""
    house.accounts.bob.held = house.accounts.bob.quota_octets = 1000
    return house


def test_who_is_full_is_452_at_rcpt_and_so_is_an_alias_of_theirs() -> None:
    house = filled(House())
    answers, replies = sent(house, ["ann@here.example", "bob@here.example", "all@here.example"])
    assert [(answer.code, answer.enhanced) for answer in answers[1:]] == [(452, "4.2.2")] * 2
    assert [reply.code for reply in replies] == [250]
    assert not house.accounts.bob.asked


def test_a_size_that_is_declared_is_held_against_the_quota_at_rcpt() -> None:
    house = House()
    house.accounts.ann.quota_octets = 1000

    async def ask(size: int) -> Reply:
        sender = Sender(Path(b"zoe@there.example"), MailParameters(size=size), 0)
        transaction = await Accept(house.delivery).begin(CAME, sender)
        assert isinstance(transaction, Transaction)
        return await transaction.recipient(Path(b"ann@here.example"))

    assert [asyncio.run(ask(size)).code for size in (0, 1000, 1100, 1101)] == [250, 250, 250, 452]


def test_one_who_filled_up_since_rcpt_has_smtp_refuse_the_content_before_anybody_has_a_copy() -> None:
    house = House()

    async def send() -> Reply:
        transaction = await begun(house, b"zoe@there.example")
        for one in (b"ann@here.example", b"bob@here.example"):
            assert (await transaction.recipient(Path(one))).positive
        filled(house)
        return await transaction.finish_as_one(CONTENT)

    answer = asyncio.run(send())
    assert (answer.code, answer.enhanced) == (452, "4.2.2")
    assert not house.accounts.ann.copies and not house.accounts.bob.copies


def test_each_message_has_a_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    house = House()
    house.accounts.ann.outcomes.append(Result(refused="OVERQUOTA"))
    sent(house, ["ann@here.example", "bob@here.example"])
    sent(house, ["bob@here.example"], reverse_path=b"")
    lines = [KeyValue().format(record).partition(" message=")[2] for record in caplog.records]
    size = len(house.accounts.bob.copies[0].octets)
    assert lines[0].startswith('"message refused" transaction=')
    assert lines[0].endswith(
        f" reverse_path=zoe@there.example forward_paths=ann@here.example,bob@here.example size={size}"
        ' peer=192.0.2.1 protocol=ESMTPS reply="452 4.2.2" refused=ann@here.example'
    )
    assert lines[1].startswith('"message taken" transaction=') and ' reverse_path="" ' in lines[1]
    assert lines[1].endswith(' reply="250 2.0.0"') and len(lines) == 2


def test_what_is_not_known_is_asked_again_once_as_a_retry_of_the_same() -> None:
    house = House()
    house.accounts.ann.outcomes.extend([NotKnown(), NotKnown()])
    sent(house, ["ann@here.example"])
    first, second = house.accounts.ann.asked
    assert first.id == second.id
    assert (first.retry, second.retry) == (False, True)


@pytest.mark.parametrize(("hops", "code"), [(3, 250), (4, 554)])
def test_a_message_that_loops_is_refused(hops: int, code: int) -> None:
    house = House()
    house.limits = replace(house.limits, smtp_hops_max=3)
    fields = b"received: from a\r\nX-Received: no hop\r\n" * hops + b"\r\nReceived: neither\r\n"
    _, replies = sent(house, ["ann@here.example"], [fields])
    assert replies[0].code == code
    assert len(house.accounts.ann.copies) == (code == 250)


def test_a_long_content_is_uploaded_as_it_comes_and_named_at_its_end() -> None:
    house = House()
    line = b"0123456789abcdef" * 4 + b"\r\n"
    pieces = [CONTENT, line * 3000, line * 3000, line * 3000]
    _, replies = sent(house, ["all@here.example"], pieces)
    for account in (house.accounts.ann, house.accounts.bob):
        (copy,) = account.copies
        stored = account.uploaded
        assert stored.endswith(b"".join(pieces)) and stored.startswith(b"Return-Path: ")
        assert copy.octets == b"" and copy.mail.upload
        assert copy.mail.size == len(stored)
        assert copy.mail.checksum == blake2b(stored, digest_size=16).digest()
        assert stored.startswith(copy.head) and copy.head.endswith(b"\r\n\r\n")
        sizes = [len(intent.upload.octets) for intent in account.asked[:-1]]
        assert set(sizes[:-1]) == {BLOB_CHUNK_OCTETS} and sizes[-1] <= BLOB_CHUNK_OCTETS
    assert [reply.code for reply in replies] == [250]


@pytest.mark.parametrize("beyond", [0, 1])
def test_content_stays_in_memory_up_to_a_chunk(beyond: int) -> None:
    trace = House()
    sent(trace, ["ann@here.example"], [b""])
    room = BLOB_CHUNK_OCTETS - len(trace.accounts.ann.copies[0].octets)
    house = House()
    sent(house, ["ann@here.example"], [b"x" * (room + beyond)])
    (copy,) = house.accounts.ann.copies
    assert bool(copy.mail.upload) == bool(beyond)


def test_an_account_that_lost_a_chunk_gets_no_copy() -> None:
    house = House()
    house.accounts.ann.outcomes.extend([NotKnown(), NotKnown()])
    _, replies = sent(house, ["ann@here.example", "bob@here.example"], [b"x" * 400_000, b"y" * 400_000])
    assert not house.accounts.ann.copies and len(house.accounts.bob.copies) == 1
    assert [reply.code for reply in replies] == [451, 250]
    assert len(house.accounts.ann.asked) == 2
