"""The node's end of an export: all messages of a mailbox, octets as stored."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from itertools import islice

from mailnode.mailbox.decided import UID_NEXT_MAX
from mailnode.mailbox.keywords import names_of
from mailnode.mailbox.ranges import packed, pairs
from mailnode.mailbox.rows import (
    ENTRY,
    KEYWORD_MASK,
    SYSTEM_FLAGS,
    unique_id,
)
from mailnode.mailbox.verbs import ALL_UIDS, Account, Expunged, Messages, UidRanges, Want
from mailnode.pb import admin_pb2 as pb
from mailnode.pb.change_pb2 import UidRange
from mailnode.pb.row_pb2 import MailboxRow

_UID = 7
_ANSWER_MESSAGES = 200
"""Without octets: describing them holds the loop for a millisecond."""
_ANSWER_OCTETS = 1 << 20
"""Beyond it the next answer begins: gRPC copies each a few times."""


async def listed(account: Account) -> pb.ExportAnswer:
    mailboxes = await account.mailboxes()
    answer = pb.ExportAnswer(subscribed=sorted(mailboxes.subscribed - mailboxes.names.keys()))
    for name, mailbox in mailboxes.names.items():
        subscribed = name in mailboxes.subscribed
        answer.mailboxes.add(name=name, row=mailboxes.rows[mailbox], subscribed=subscribed)
    return answer


async def messages(
    account: Account, row: MailboxRow, present: Sequence[UidRange]
) -> AsyncIterator[pb.ExportAnswer]:
    """In UID order, each run's of `present` first, which have no octets. One that cannot be read is named as
    that."""
    unique_ids = await account.unique_ids(row.mailbox) if row.unique_ids else {}
    has_octets = pairs(present)
    async for listing in account.messages(row.mailbox, ALL_UIDS, Want.ENTRIES):
        uids = listing.uids[: listing.count]
        absent = packed([uid for uid in uids if not _within(has_octets, uid)] if has_octets else uids)
        wanted = [(each.first, each.last) for each in absent]
        entries = ENTRY.iter_unpack(listing.entries)
        here = (entry for entry in entries if _within(has_octets, entry[_UID]))
        while has_octets and (some := list(islice(here, _ANSWER_MESSAGES))):
            yield pb.ExportAnswer(messages=_described(some, listing, row, unique_ids))
        async for answer in _with_octets(account, row, wanted, unique_ids):
            yield answer


def _within(ranges: UidRanges, uid: int) -> bool:
    at = bisect_right(ranges, (uid, UID_NEXT_MAX))
    return at > 0 and uid <= ranges[at - 1][1]


async def _with_octets(
    account: Account, row: MailboxRow, wanted: UidRanges, unique_ids: dict[int, str]
) -> AsyncIterator[pb.ExportAnswer]:
    left = iter([uid for first, last in wanted for uid in range(first, last + 1)])
    answer, octets = pb.ExportAnswer(), 0
    async for run in account.messages(row.mailbox, wanted, Want.MAILS | Want.OCTETS):
        described = _described(ENTRY.iter_unpack(run.entries), run, row, unique_ids)
        for message, mail, whole in zip(described, run.mails, run.octets, strict=True):
            _name_unreadable(answer, left, message.uid)
            message.checksum = mail.checksum
            message.octets = whole
            answer.messages.append(message)
            octets += len(whole)
            long = mail.size > len(whole)
            if octets > _ANSWER_OCTETS or long:
                yield answer
                answer, octets = pb.ExportAnswer(), 0
            if long:
                async for piece in _pieces(account, mail.mail, mail.size, message.uid):
                    yield piece
    _name_unreadable(answer, left, 0)
    if answer.messages:
        yield answer


def _name_unreadable(answer: pb.ExportAnswer, left: Iterator[int], upto: int) -> None:
    """Those that should have come before `upto`, which comes now."""
    for uid in left:
        if uid == upto:
            return
        answer.messages.add(uid=uid, unreadable=True)


async def _pieces(account: Account, mail: int, size: int, uid: int) -> AsyncIterator[pb.ExportAnswer]:
    try:
        async for octets in account.octets(mail, 0, size):
            yield pb.ExportAnswer(octets=octets)
    except Expunged:
        answer = pb.ExportAnswer()
        answer.messages.add(uid=uid, unreadable=True)
        yield answer


def _described(
    entries: Iterable[tuple[int, ...]], run: Messages, row: MailboxRow, unique_ids: dict[int, str]
) -> Iterator[pb.ExportAnswer.Message]:
    for entry in entries:
        flags, size, date, uid = entry[3], entry[5], entry[6], entry[_UID]
        over = run.overflow[uid].names if uid in run.overflow else ()
        yield pb.ExportAnswer.Message(
            uid=uid,
            flags=flags & SYSTEM_FLAGS,
            keywords=[*names_of(row.keywords, flags & KEYWORD_MASK), *over],
            internal_date=date,
            size=size,
            unique_id=unique_ids.get(uid) or unique_id(row.uid_validity, uid),
        )
