"""What is found of an account in a shard: its rows in plain words, and whether they agree with each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from mailnode.mailbox.keywords import names_of
from mailnode.mailbox.rows import (
    BLOB_CHUNK_OCTETS,
    DELETED,
    ENTRY,
    LEAVING,
    LIVE,
    OVERFLOW,
    SEEN,
    SYSTEM_FLAGS,
)
from mailnode.pb.change_pb2 import Result, Touched
from mailnode.pb.row_pb2 import AccountRow, ExpungedRow, Keywords, MailboxRow, MailRow
from mailnode.store import keys
from mailnode.store.keys import Blob, Due, Family, Kind
from mailnode.store.shard import Shard
from tests.mailbox.reference import Message, Reference

_ENTRY_KEY = 9
"""Where what names a row begins in its key, behind account and kind."""


class Entry(NamedTuple):
    mail: int
    created: int
    modified: int
    flags: int
    save_date: int
    size: int
    internal_date: int
    uid: int


@dataclass
class Found:
    row: AccountRow
    mailboxes: dict[int, MailboxRow]
    entries: dict[tuple[int, int], Entry]
    """By mailbox and UID."""
    overflow: dict[tuple[int, int], tuple[str, ...]]
    places: set[tuple[int, int, int]]
    """Mail, mailbox, UID."""
    leaving: set[tuple[int, int, int]]
    """The same, of what was expunged and can be brought back."""
    expunged: dict[bytes, ExpungedRow]
    queued: set[int]
    """Mails that wait for other servers."""
    mails: dict[int, MailRow]
    subscribed: set[str]
    touched: list[Touched]
    results: dict[bytes, Result]

    def keywords(self, mailbox: int, uid: int) -> list[str]:
        bits = names_of(self.mailboxes[mailbox].keywords, self.entries[mailbox, uid].flags & ~OVERFLOW)
        return [*bits, *self.overflow.get((mailbox, uid), ())]

    def message(self, mailbox: int, uid: int) -> Message:
        """As the reference says it."""
        entry = self.entries[mailbox, uid]
        keywords = frozenset(name.lower() for name in self.keywords(mailbox, uid))
        tag = self.mails[entry.mail].message_id
        return Message(tag, entry.size, entry.flags & SYSTEM_FLAGS, keywords, entry.modified)

    def names(self) -> dict[str, int]:
        return {"/".join(self._levels(number)): number for number in self.mailboxes}

    def _levels(self, number: int) -> list[str]:
        row = self.mailboxes[number]
        return [*(self._levels(row.parent) if row.parent else ()), row.name]


def find(shard: Shard, account: int) -> Found:
    def kind(number: int) -> Iterator[tuple[bytes, bytes]]:
        start = keys.state(account, number)
        return (
            (key[_ENTRY_KEY:], value) for key, value in shard.scan(Family.STATE, start, keys.after(start))
        )

    return Found(
        row=AccountRow.FromString(shard.get(Family.STATE, keys.state(account, Kind.ACCOUNT)) or b""),
        mailboxes={int.from_bytes(key, "big"): MailboxRow.FromString(row) for key, row in kind(Kind.MAILBOX)},
        entries={_numbers(key, 4): Entry(*ENTRY.unpack(row)) for key, row in kind(Kind.ENTRY)},
        overflow={
            _numbers(key, 4): tuple(Keywords.FromString(row).names) for key, row in kind(Kind.OVERFLOW)
        },
        places={_place(key) for key, value in kind(Kind.PLACE) if value == LIVE},
        leaving={_place(key) for key, value in kind(Kind.PLACE) if value == LEAVING},
        expunged={key: ExpungedRow.FromString(row) for key, row in kind(Kind.EXPUNGED)},
        queued={int.from_bytes(key, "big") for key, _ in kind(Kind.QUEUE)},
        mails={
            int.from_bytes(key[8:], "big"): MailRow.FromString(row)
            for key, row in shard.scan(Family.MAIL, keys.mail(account, 0), keys.mail(account + 1, 0))
        },
        subscribed={key.decode() for key, _ in kind(Kind.SUBSCRIPTION)},
        touched=[Touched.FromString(row) for _, row in kind(Kind.TOUCHED)],
        results={key: Result.FromString(row) for key, row in kind(Kind.RESULT)},
    )


def _place(key: bytes) -> tuple[int, int, int]:
    return int.from_bytes(key[:8], "big"), *_numbers(key[8:], 4)


def _numbers(key: bytes, octets: int) -> tuple[int, int]:
    return int.from_bytes(key[:octets], "big"), int.from_bytes(key[octets:], "big")


def check(shard: Shard, account: int) -> Found:
    """Every family agrees with every other; what was found."""
    found = find(shard, account)
    _check_entries(found)
    _check_counters(found)
    _check_expunged(shard, account, found)
    _check_mails(shard, account, found)
    for number, row in found.mailboxes.items():
        assert row.mailbox == number <= found.row.mailbox_last
        assert not row.parent or row.parent in found.mailboxes
        assert row.uid_validity <= found.row.uid_validity_last
    assert len(found.names()) == len(found.mailboxes), "two mailboxes of one name"
    validities = [row.uid_validity for row in found.mailboxes.values()]
    assert len(set(validities)) == len(validities), "two mailboxes of one UIDVALIDITY"
    assert all(t.position <= found.row.position for t in found.touched)
    assert all(result.position <= found.row.position for result in found.results.values())
    return found


def _check_entries(found: Found) -> None:
    for (mailbox, uid), entry in found.entries.items():
        row = found.mailboxes[mailbox]
        assert entry.uid == uid < row.uid_next
        assert entry.created <= entry.modified <= row.highest_modseq <= found.row.position
        names = [name.lower() for name in found.keywords(mailbox, uid)]
        assert all(names) and len(set(names)) == len(names), f"keywords {names}"
    over = {at for at, entry in found.entries.items() if entry.flags & OVERFLOW}
    assert over == set(found.overflow), "overflow rows without their bit, or bits without their row"
    assert all(found.overflow.values()), "an empty overflow row"
    assert found.places == {(entry.mail, *at) for at, entry in found.entries.items()}


def _check_expunged(shard: Shard, account: int, found: Found) -> None:
    """Each place that is leaving stands in one expunged row; the account is due while there is one."""
    leaving = [
        (entry.mail, row.mailbox, entry.uid)
        for row in found.expunged.values()
        for entry in map(Entry._make, ENTRY.iter_unpack(row.entries))
    ]
    assert len(leaving) == len(set(leaving)) and set(leaving) == found.leaving
    start = keys.state(account, Due.EXPUNGED)  # a due row's key begins as a state row's
    dues = [keys.time_of_due(key) for key, _ in shard.scan(Family.DUE, start, keys.after(start))]
    assert dues == ([found.row.expunged_since] if found.expunged or found.row.expunged_since else [])
    assert not found.expunged or found.row.expunged_since


def _check_counters(found: Found) -> None:
    messages, unseen, deleted, size = (Counter[int]() for _ in range(4))
    for (mailbox, _), entry in found.entries.items():
        messages[mailbox] += 1
        unseen[mailbox] += not entry.flags & SEEN
        deleted[mailbox] += entry.flags & DELETED != 0
        size[mailbox] += entry.size
    for number, row in found.mailboxes.items():
        counted = messages[number], unseen[number], deleted[number], size[number]
        assert (row.messages, row.unseen, row.deleted, row.size) == counted
    assert (found.row.messages, found.row.octets) == (messages.total(), size.total())


def _check_mails(shard: Shard, account: int, found: Found) -> None:
    """The mails are those that have a place, or wait, with all of their octets; uploads that are named are
    not due."""
    placed = {mail for mail, _, _ in found.places | found.leaving}
    assert found.mails.keys() == placed | found.queued
    for mail in placed:
        row = found.mails[mail]
        assert row.mail == mail <= found.row.mail_last
        kind, blob = (Blob.UPLOAD, row.upload) if row.upload else (Blob.MAIL, mail)
        start = keys.blob(account, kind, blob, 0)
        chunks = list(shard.values(Family.BLOB, start, keys.blob(account, kind, blob + 1, 0)))
        assert all(len(chunk) <= BLOB_CHUNK_OCTETS for chunk in chunks)
        octets = b"".join(chunks)
        assert len(octets) == row.size
        assert shard.get(Family.HEAD, keys.mail(account, mail)) == octets[: row.header]
        assert row.message_id in octets[: row.header]
        assert shard.get(Family.FORM, keys.mail(account, mail)) is not None
        assert shard.get(Family.DUE, keys.due(account, 1, row.upload, b"")) is None


def compare(found: Found, reference: Reference) -> None:
    """What was found is what should be there."""
    assert found.row.position == reference.position
    assert found.row.mailbox_last == reference.mailbox_last
    assert found.names() == reference.names()
    assert found.subscribed == reference.subscribed
    for number, box in reference.mailboxes.items():
        row = found.mailboxes[number]
        assert (row.noselect, row.uid_next) == (box.noselect, box.uid_next)
        assert row.highest_modseq == box.modseq
        uids = [uid for mailbox, uid in found.entries if mailbox == number]
        assert {uid: found.message(number, uid) for uid in uids} == box.messages
    mails = {tag: reference.mails[reference.thread_of[tag]] for tag in reference.kept()}
    assert mails == {mail.message_id: mail.thread for mail in found.mails.values()}
