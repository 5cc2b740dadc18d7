"""Whether what is stored of an account is what was written, and fits together. Blocking, in steps.

Reading finds what RocksDB's own checksums say; the rest is compared here: octets with their checksum, heads
with the octets' begin, counters with entries, entries with places, places with mails. Changes go on
meanwhile: what could be one of them is looked at again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from hashlib import blake2b
from itertools import groupby
from typing import Any

from google.protobuf.message import DecodeError

from mailnode.mailbox.forms import is_form_row
from mailnode.mailbox.rows import DELETED, ENTRY, ENTRY_OCTETS, LEAVING, LIVE, SEEN
from mailnode.pb.change_pb2 import Result, Touched
from mailnode.pb.row_pb2 import (
    AccountRow,
    AppliedRow,
    CredentialRow,
    DirectoryRow,
    ExpungedRow,
    Keywords,
    MailboxRow,
    MailRow,
    QueueRow,
)
from mailnode.store import keys
from mailnode.store.damage import Unreadable
from mailnode.store.keys import Blob, Family, Kind
from mailnode.store.shard import Shard

_STEP_OCTETS = 1024 * 1024
_LOOKS = 3
"""At counters of an account that changes meanwhile; then the next pass looks."""
_CHECKSUM_OCTETS = 16
_OWN = len(keys.state(0, Kind.CREDENTIAL))
"""Of a key that has nothing behind its kind."""

STATE = Family.STATE

_PARSED: dict[int, Any] = {
    Kind.ACCOUNT: AccountRow,
    Kind.MAILBOX: MailboxRow,
    Kind.OVERFLOW: Keywords,
    Kind.TOUCHED: Touched,
    Kind.RESULT: Result,
    Kind.DIRECTORY: DirectoryRow,
    Kind.APPLIED: AppliedRow,
    Kind.QUEUE: QueueRow,
    Kind.EXPUNGED: ExpungedRow,
}

WRONG_FORMS = "its forms are missing, or not what was written"

Found = Callable[[str, bytes, str], None]
"""Told of the family, the key, and what is wrong."""


class Check:
    """Of one account; each step reads about a MiB, and gives how many octets it read."""

    def __init__(self, shard: Shard, account: int, found: Found) -> None:
        self._shard = shard
        self._account = account
        self._found = found
        self._read = 0
        self.mails = 0

    def steps(self) -> Iterator[int]:
        for part in (self._rows_parsed(), self._mailboxes(), self._placed(), self._mails()):
            for _ in part:
                if self._read >= _STEP_OCTETS:
                    yield self._taken()
        yield self._taken()

    def _taken(self) -> int:
        octets, self._read = self._read, 0
        return octets

    def _scan(self, family: str, prefix: bytes, *, tells: bool = True) -> Iterator[tuple[bytes, bytes]]:
        """What can be read; the rest is found."""
        start, end = prefix, keys.after(prefix)
        while True:
            try:
                for key, value in self._shard.scan(family, start, end):
                    self._read += len(key) + len(value)
                    yield key, value
                return
            except Unreadable as error:
                if tells:
                    self._found(family, error.key, error.reason)
                if not start < error.following < end:
                    return
                start = error.following

    # -- the state

    def _rows_parsed(self) -> Iterator[None]:
        for key, value in self._scan(STATE, keys.account_id(self._account)):
            wrong = wrong_state(key, value)
            if wrong:
                self._found(STATE, key, wrong)
            yield

    def _mailboxes(self) -> Iterator[None]:
        """Counters against entries, at a moment at which nothing changed."""
        for _ in range(_LOOKS):
            before = self._position()
            wrong: list[tuple[bytes, str]] = []
            counted: dict[int, Counter[str]] = {}
            for _ in self._count(counted):
                yield
            for key, value in self._scan(STATE, keys.state(self._account, Kind.MAILBOX), tells=False):
                wrong += [(key, what) for what in _wrong_counters(value, counted)]
            if before == self._position():
                for key, what in wrong:
                    self._found(STATE, key, what)
                return

    def _count(self, counted: dict[int, Counter[str]]) -> Iterator[None]:
        for key, value in self._scan(STATE, keys.state(self._account, Kind.ENTRY), tells=False):
            if len(value) != ENTRY_OCTETS:
                continue
            _, _, modified, flags, _, size, _, uid = ENTRY.unpack(value)
            counts = counted.setdefault(keys.mailbox_of(key), Counter())
            counts["messages"] += 1
            counts["size"] += size
            counts["unseen"] += not flags & SEEN
            counts["deleted"] += bool(flags & DELETED)
            counts["last_uid"] = uid
            counts["modified"] = max(counts["modified"], modified)
            yield

    def _position(self) -> int:
        try:
            row = self._shard.get(STATE, keys.state(self._account, Kind.ACCOUNT))
            return AccountRow.FromString(row or b"").position
        except (Unreadable, DecodeError):
            return 0

    def _placed(self) -> Iterator[None]:
        """Each entry has its place, and each place its entry and its mail."""
        for key, value in self._scan(STATE, keys.state(self._account, Kind.ENTRY), tells=False):
            if len(value) == ENTRY_OCTETS:
                mail, uid = ENTRY.unpack(value)[0], keys.uid_of_entry(key)
                place = keys.place(self._account, mail, keys.mailbox_of(key), uid)
                if self._get(STATE, place) != LIVE and self._get(STATE, key) is not None:
                    self._found(STATE, key, f"no place of the mail {mail}")
            yield
        places = self._scan(STATE, keys.state(self._account, Kind.PLACE), tells=False)
        for mail, rows in groupby(places, lambda row: keys.mail_of_place(row[0])):
            there = self._get(Family.MAIL, keys.mail(self._account, mail)) is not None
            for key, value in rows:
                self._check_place(key, value, there)
                yield

    def _check_place(self, key: bytes, value: bytes, there: bool) -> None:
        if not there and self._get(STATE, key) is not None:
            self._found(STATE, key, "its mail is missing")
        entry = keys.entry(self._account, *keys.place_of(key))
        if value == LIVE and self._get(STATE, entry) is None and self._get(STATE, key) == LIVE:
            self._found(STATE, key, "its entry is missing")

    def _get(self, family: str, key: bytes) -> bytes | None:
        """Something for what cannot be read, which the scan has told of."""
        try:
            return self._shard.get(family, key)
        except Unreadable:
            return b"?"

    # -- mails

    def _mails(self) -> Iterator[None]:
        for key, value in self._scan(Family.MAIL, keys.account_id(self._account)):
            try:
                row = MailRow.FromString(value)
            except DecodeError as error:
                self._found(Family.MAIL, key, str(error))
                continue
            self.mails += 1
            for wrong in self._wrong(key, row):
                if self._get(Family.MAIL, key) == value:  # else it went meanwhile
                    self._found(Family.MAIL, key, wrong)
            yield
        for family in (Family.DUE, Family.INDEX):
            for _ in self._scan(family, keys.account_id(self._account)):
                yield

    def _wrong(self, key: bytes, row: MailRow) -> Iterator[str]:
        forms, head = self._get(Family.FORM, key), self._get(Family.HEAD, key)
        if forms is None or not is_form_row(forms):
            yield WRONG_FORMS
        try:
            yield from (wrong for _, wrong in wrong_content(row, head, self._counted(row)))
        except Unreadable as error:
            yield f"its octets are not readable: {error.reason}"

    def _counted(self, row: MailRow) -> Iterator[bytes]:
        for _, chunk in self._chunks(row):
            self._read += len(chunk)
            yield chunk

    def _chunks(self, row: MailRow) -> Iterator[tuple[bytes, bytes]]:
        kind, blob = (Blob.UPLOAD, row.upload) if row.upload else (Blob.MAIL, row.mail)
        start, end = (keys.blob(self._account, kind, each, 0) for each in (blob, blob + 1))
        return self._shard.scan(Family.BLOB, start, end)


def wrong_content(row: MailRow, head: bytes | None, chunks: Iterable[bytes]) -> Iterator[tuple[str, str]]:
    """Of a mail: the family that is wrong by what its row says, and how."""
    checksum, octets, begin = blake2b(digest_size=_CHECKSUM_OCTETS), 0, b""
    for chunk in chunks:
        checksum.update(chunk)
        octets += len(chunk)
        begin += chunk[: max(0, row.header - len(begin))]
    if octets != row.size:
        yield Family.BLOB, f"it has {octets} octets, not {row.size}"
    elif checksum.digest() != row.checksum:
        yield Family.BLOB, "its octets are not those of its checksum"
    elif head != begin:
        yield Family.HEAD, "its head is not the begin of its octets"


def wrong_state(key: bytes, value: bytes) -> str:
    """What is wrong with a row of the state by itself."""
    kind = keys.kind_of(key)
    if kind == Kind.ENTRY:
        right = len(value) == ENTRY_OCTETS and ENTRY.unpack(value)[-1] == keys.uid_of_entry(key)
        return "" if right else "no entry of this UID"
    if kind == Kind.PLACE:
        return "" if value in (LIVE, LEAVING) else "no place"
    parsed: Any = CredentialRow if kind == Kind.CREDENTIAL and len(key) == _OWN else _PARSED.get(kind)
    try:
        row: Any = parsed.FromString(value) if parsed else None
    except DecodeError as error:
        return str(error)
    if kind == Kind.MAILBOX and row.mailbox != keys.mailbox_of(key):
        return "another mailbox"
    return ""


def _wrong_counters(value: bytes, counted: dict[int, Counter[str]]) -> Iterator[str]:
    try:
        row = MailboxRow.FromString(value)
    except DecodeError:
        return
    counts = counted.get(row.mailbox, Counter())
    for name in ("messages", "unseen", "deleted", "size"):
        if getattr(row, name) != counts[name]:
            yield f"{name} is {getattr(row, name)}, and {counts[name]} by its entries"
    if row.uid_next <= counts["last_uid"]:
        yield f"UIDNEXT is {row.uid_next}, and there is UID {counts['last_uid']}"
    if row.highest_modseq < counts["modified"]:
        yield f"HIGHESTMODSEQ is {row.highest_modseq}, and an entry has {counts['modified']}"
