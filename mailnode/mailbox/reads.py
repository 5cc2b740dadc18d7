"""What an account reads of its shard. Blocking: called in the pool for loads, never on the loop."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from itertools import compress, islice
from sys import intern
from typing import TypeVar

from google.protobuf.message import DecodeError, Message

from mailnode.mailbox import mending
from mailnode.mailbox.arrays import Arrays
from mailnode.mailbox.decided import Leaving
from mailnode.mailbox.forms import columns_of, is_form_row
from mailnode.mailbox.needle import pieces
from mailnode.mailbox.queue import item_key
from mailnode.mailbox.rows import (
    BLOB_CHUNK_OCTETS,
    ENTRY_OCTETS,
    MAIL,
    SIZE,
    expunged_row,
    longs,
    uid_of,
    uids_of,
    words,
)
from mailnode.mailbox.verbs import Expunged, Gone, Messages, Want
from mailnode.mailbox.watch import concerns
from mailnode.pb.change_pb2 import Touched
from mailnode.pb.row_pb2 import (
    AccountRow,
    DirectoryRow,
    ExpungedRow,
    Keywords,
    MailboxRow,
    MailboxRows,
    MailRow,
    MailRows,
)
from mailnode.store import keys
from mailnode.store.damage import Unreadable, readable, told
from mailnode.store.keys import Blob, Family, Kind
from mailnode.store.shard import Shard

M = TypeVar("M", bound=Message)

_VALUES_JOINED = 20_000
"""Joining holds the interpreter: that many entries take it half a millisecond."""
_SCAN_ROWS_MIN = 4
_SCANNED_PER_ROW = 4
"""A scan passes over a row 5 to 10 times as fast as a seek finds one."""

_THREAD_OCTETS = 8
_STANDS_IN = {Kind.MSGID: b"", Kind.QUEUE: b"\xff", Kind.EXPUNGED: b"\xff"}
"""For small rows that the disk does not give back; no message of protobuf begins with these octets."""
_KIND_OCTETS = 9
"""Of account and kind, before what names a row."""

_ROWS_TAG = MailRows.ROWS_FIELD_NUMBER << 3 | 2


@dataclass(frozen=True, slots=True)
class Head:
    """What is kept of an account in memory as long as it is used."""

    row: AccountRow
    mailboxes: dict[int, MailboxRow]
    subscribed: tuple[str, ...]


def accounts_from(shard: Shard, account: int) -> Iterator[int]:
    """The accounts that have rows, from this one on."""
    while found := next(readable(shard, Family.STATE, keys.account_id(account), keys.END), None):
        account = keys.account_of(found[0])
        yield account
        account += 1


class Reads:
    """Of one account."""

    __slots__ = ("_account", "_shard")

    def __init__(self, shard: Shard, account: int) -> None:
        self._shard = shard
        self._account = account

    def head(self) -> Head:
        """What cannot be read of it is reported, and made up of what can: who has mail here can log in."""
        mailboxes, unread = self._mailboxes()
        account = self._account_row()
        if account is None:
            account = mending.account_row(mailboxes, unread, self._position(), self._mail_last())
            account.address, account.expunged_since = self._address(), self._expunged_since()
        for mailbox in unread:
            name = mending.mended_name(mailbox, mailboxes)
            entries = bytes(self.arrays(mailbox).entries)
            mailboxes[mailbox] = mending.mailbox_row(mailbox, name, entries, account)
        mending.adopt(mailboxes)
        names = [key[_KIND_OCTETS:].decode("utf-8", "replace") for key, _ in self._kind(Kind.SUBSCRIPTION)]
        return Head(account, mailboxes, tuple(map(intern, names)))

    def _mailboxes(self) -> tuple[dict[int, MailboxRow], list[int]]:
        """By id; and the ids of those whose rows are not readable."""
        rows = list(self._kind(Kind.MAILBOX))
        with suppress(DecodeError):  # together: each alone takes half a KiB
            joined = MailboxRows.FromString(_joined([value for _, value in rows])).rows
            return {row.mailbox: row for row in joined}, []
        parsed = {keys.mailbox_of(key): self._parsed(MailboxRow, key, value) for key, value in rows}
        readable_rows = {mailbox: row for mailbox, row in parsed.items() if row is not None}
        return readable_rows, [mailbox for mailbox, row in parsed.items() if row is None]

    def _account_row(self) -> AccountRow | None:
        """Empty where the account was never created; None: it is not readable."""
        key = keys.state(self._account, Kind.ACCOUNT)
        try:
            return self._parsed(AccountRow, key, self._shard.get(Family.STATE, key) or b"")
        except Unreadable as error:
            told.tell(Family.STATE, key, error.reason)
            return None

    def _position(self) -> int:
        """Of the last change that left a touched row, 0 where none did."""
        return max((keys.position_of_touched(key) for key, _ in self._kind(Kind.TOUCHED)), default=0)

    def _address(self) -> str:
        """As the directory has it, which lies in the same partition; empty where nothing leads here."""
        start = keys.state(keys.directory_account(keys.partition(self._account)), Kind.DIRECTORY)
        for key, value in readable(self._shard, Family.STATE, start, keys.after(start)):
            row = self._parsed(DirectoryRow, key, value)
            if row is not None and row.kind == DirectoryRow.ACCOUNT and row.account == self._account:
                return key[len(start) :].decode("utf-8", "replace")
        return ""

    def _expunged_since(self) -> int:
        """The time of what was expunged first of all that can be brought back, 0 for nothing."""
        first = next(self._kind(Kind.EXPUNGED), None)
        return keys.time_of_expunged(first[0][_KIND_OCTETS:]) if first else 0

    def _mail_last(self) -> int:
        start = keys.account_id(self._account)
        rows = readable(self._shard, Family.MAIL, start, keys.after(start))
        return max((keys.mail_of(key) for key, _ in rows), default=0)

    def _parsed(self, kind: type[M], key: bytes, value: bytes) -> M | None:
        """A row of the state; one that cannot be parsed is reported."""
        try:
            return kind.FromString(value)
        except DecodeError as error:
            told.tell(Family.STATE, key, str(error))
            return None

    def arrays(self, mailbox: int) -> Arrays:
        start = keys.entry(self._account, mailbox, 0)[:-4]
        rows = readable(self._shard, Family.STATE, start, keys.after(start))
        entries = bytearray()
        while values := [value for _, value in islice(rows, _VALUES_JOINED)]:
            part = b"".join(values)
            if len(part) != ENTRY_OCTETS * len(values):
                return self._arrays_one_by_one(mailbox)
            entries += part
        return Arrays(entries, self._overflow(mailbox))

    def entries_within(self, mailbox: int, first_uid: int, uid_next: int) -> int:
        """How many messages have these UIDs."""
        start, end = (keys.entry(self._account, mailbox, uid) for uid in (first_uid, uid_next))
        return sum(1 for _ in readable(self._shard, Family.STATE, start, end))

    def _arrays_one_by_one(self, mailbox: int) -> Arrays:
        """Where some entry has not the octets that an entry has."""
        start = keys.entry(self._account, mailbox, 0)[:-4]
        entries = bytearray()
        for key, value in readable(self._shard, Family.STATE, start, keys.after(start)):
            if len(value) == ENTRY_OCTETS and uid_of(value) == keys.uid_of_entry(key):
                entries += value
            else:
                told.tell(Family.STATE, key, "no entry of this UID")
        return Arrays(entries, self._overflow(mailbox))

    def _overflow(self, mailbox: int) -> dict[int, Keywords]:
        start = keys.overflow(self._account, mailbox, 0)[:-4]
        rows = readable(self._shard, Family.STATE, start, keys.after(start))
        found = ((keys.uid_of_entry(key), self._parsed(Keywords, key, value)) for key, value in rows)
        return {uid: keywords for uid, keywords in found if keywords is not None}

    def touched(self, after: int, mailbox: int, count_max: int) -> list[Touched]:
        """What the first changes behind a position touched of a mailbox, or (0) of all, in order.

        Raises Unreadable: what a reader was not told would never reach it.
        """
        start = keys.touched(self._account, after + 1)
        rows = self._shard.scan(Family.STATE, start, keys.after(keys.state(self._account, Kind.TOUCHED)))
        found = (touched for row in rows if concerns(touched := _touched(*row), mailbox))
        return list(islice(found, count_max))

    def small_row(self, kind: int, key: bytes) -> bytes:
        """Empty where there is none; raises Unreadable."""
        return self._shard.get(Family.STATE, keys.state(self._account, kind, key)) or b""

    def small_rows(self, kind: int, prefix: bytes, after: bytes, count_max: int) -> list[tuple[bytes, bytes]]:
        """By their keys; what cannot be read is passed over, and reported."""
        start = keys.state(self._account, kind)
        first = start + (after + b"\0" if after else prefix)
        rows = readable(self._shard, Family.STATE, first, keys.after(start + prefix))
        return [(key[len(start) :], value) for key, value in islice(rows, count_max)]

    def unique_ids(self, mailbox: int) -> dict[int, str]:
        start = keys.unique_id(self._account, mailbox, 0)[:-4]
        rows = readable(self._shard, Family.STATE, start, keys.after(start))
        return {keys.uid_of_entry(key): value.decode("ascii", "replace") for key, value in rows}

    def known(self, origins: Sequence[bytes]) -> list[bool]:
        found = [keys.state(self._account, Kind.ORIGIN, origin) for origin in origins]
        return [value is not None for value in self._shard.get_many(Family.STATE, found)]

    def row_asked(self, kind: int, key: bytes) -> bytes:
        """As `small_row`, for a decision: a message whose relatives cannot be read begins a thread, and an
        item of the queue that cannot be read may go."""
        try:
            row = self.small_row(kind, key)
        except Unreadable as error:
            if kind not in _STANDS_IN:
                raise
            told.tell(Family.STATE, error.key, error.reason)
            return _STANDS_IN[kind]
        if kind == Kind.MSGID and row and len(row) != _THREAD_OCTETS:
            told.tell(Family.STATE, keys.state(self._account, kind, key), "no thread")
            return b""
        return row

    def expunged(self) -> Iterator[tuple[bytes, ExpungedRow]]:
        """What can be brought back, the oldest first, by keys as intents name them; empty where it cannot be
        read."""
        for key, value in self._kind(Kind.EXPUNGED):
            yield key[_KIND_OCTETS:], expunged_row(value) or ExpungedRow()

    def gone(self) -> list[Gone]:
        """The same for people, without what cannot be read."""
        return [
            Gone(
                key,
                keys.time_of_expunged(key),
                row.mailbox,
                row.name,
                len(row.entries) // ENTRY_OCTETS,
                sum(words(row.entries, SIZE)),
            )
            for key, row in self.expunged()
            if row.entries
        ]

    def leaving(self, rows: Mapping[tuple[int, bytes], bytes]) -> tuple[dict[int, Leaving], int]:
        """The mails of expunged rows, and the time of the first row that is none of these, 0 for none."""
        mails: set[int] = set()
        for value in rows.values():
            row = expunged_row(value)
            if row is not None:
                mails.update(longs(row.entries, MAIL))
        named = {key for _, key in rows}
        others = (key[_KIND_OCTETS:] for key, _ in self._kind(Kind.EXPUNGED))
        following = next((key for key in others if key not in named), None)
        found = {mail: self._leaving(mail) for mail in sorted(mails)}
        return found, 0 if following is None else keys.time_of_expunged(following)

    def _leaving(self, mail: int) -> Leaving:
        start, end = keys.place(self._account, mail, 0, 0), keys.place(self._account, mail + 1, 0, 0)
        places = frozenset(keys.place_of(key) for key, _ in self._shard.scan(Family.STATE, start, end))
        row = self._mails([mail])[0]
        queued = self.row_asked(Kind.QUEUE, item_key(mail))
        return Leaving(places, row.upload if row else 0, bool(queued))

    def messages(self, position: int, entries: bytes, overflow: dict[int, Keywords], want: Want) -> Messages:
        """A run with the columns that are wanted; what cannot be read is reported and left out."""
        ids = longs(entries, MAIL).tolist()
        mails = self._mails(ids) if want & Want.MAILS else []
        heads = self._heads(ids) if want & Want.HEADS else []
        forms = self._forms(ids) if want & Want.FORMS else []
        octets = self._octets(ids, words(entries, SIZE)) if want & Want.OCTETS else []
        columns = [column for column in (mails, heads, forms, octets) if column]
        if any(None in column for column in columns):
            whole = [all(column[index] is not None for column in columns) for index in range(len(ids))]
            entries = b"".join(compress(_cut(entries), whole))
            mails, heads = list(compress(mails, whole)), list(compress(heads, whole))
            forms, octets = list(compress(forms, whole)), list(compress(octets, whole))
        run = Messages(position, uids_of(entries), len(entries) // ENTRY_OCTETS, entries, overflow=overflow)
        run.mails = [m for m in mails if m is not None]
        run.heads = [h for h in heads if h is not None]
        try:
            run.forms = columns_of([f for f in forms if f is not None])
        except ValueError:
            return self.messages(position, self._with_forms(entries), overflow, want)
        run.octets = [o for o in octets if o is not None]
        return run

    def mail(self, mail: int) -> MailRow:
        """Raises Expunged, of one that cannot be read too."""
        row = self._mails([mail])[0]
        if row is None:
            raise Expunged
        return row

    def kept(self, entry: bytes) -> tuple[MailRow, bytes, bytes]:
        """What is kept of the mail of an entry but its octets: row, head, forms. Raises Expunged."""
        ids = longs(entry, MAIL).tolist()
        mail, head, forms = self._mails(ids)[0], self._heads(ids)[0], self._forms(ids)[0]
        if mail is None or head is None or forms is None:
            raise Expunged
        return mail, head, forms

    def chunk(self, row: MailRow, chunk: int) -> bytes:
        """A chunk of a mail's octets; raises Expunged, of one that cannot be read too."""
        octets = self._shard.get_many(Family.BLOB, [self._blob_key(row, chunk)])[0]
        if octets is None:
            self._report("blob", [row.mail])
            raise Expunged
        return octets

    def octets(self, row: MailRow, start: int, end: int) -> bytes:
        """The octets [start, end) of a mail at once; raises Expunged."""
        first, last = start // BLOB_CHUNK_OCTETS, max(start, end - 1) // BLOB_CHUNK_OCTETS
        joined = b"".join(self.chunk(row, chunk) for chunk in range(first, last + 1))
        offset = first * BLOB_CHUNK_OCTETS
        return joined[start - offset : end - offset]

    def long_pieces(self, run: Messages) -> dict[int, list[bytes]]:
        """What is searched of the mails whose octets a run left out."""
        found: dict[int, list[bytes]] = {}
        for index, (mail, octets) in enumerate(zip(run.mails, run.octets, strict=False)):
            if mail.size and not octets:
                with suppress(Expunged):  # it is reported, and the others are searched
                    found[index] = [self.octets(mail, p.start, p.end) for p in pieces(mail.part)]
        return found

    def _octets(self, ids: list[int], sizes: Iterable[int]) -> list[bytes | None]:
        """Whole contents; b"" for a long one, which lies in several chunks; None for one that is lost."""
        found = self._short(ids, sizes)
        missing = [mail for mail, octets in found.items() if octets is None]
        for row in self._mails(missing):
            if row is not None and row.upload:
                found[row.mail] = self._shard.get_many(Family.BLOB, [self._blob_key(row, 0)])[0]
        self._report(Family.BLOB, [mail for mail in missing if found[mail] is None])
        return [found.get(mail, b"") for mail in ids]

    def _short(self, ids: list[int], sizes: Iterable[int]) -> dict[int, bytes | None]:
        """Contents of one chunk, by mail; None where it was uploaded or is gone."""
        short = [mail for mail, size in zip(ids, sizes, strict=True) if 0 < size <= BLOB_CHUNK_OCTETS]
        blobs = [keys.blob(self._account, Blob.MAIL, mail, 0) for mail in short]
        return dict(zip(short, self._shard.get_many(Family.BLOB, blobs), strict=True))

    def _blob_key(self, row: MailRow, chunk: int) -> bytes:
        if row.upload:
            return keys.blob(self._account, Blob.UPLOAD, row.upload, chunk)
        return keys.blob(self._account, Blob.MAIL, row.mail, chunk)

    def _mails(self, ids: list[int]) -> list[MailRow | None]:
        """None for one that is not there or cannot be read."""
        values = self._column(Family.MAIL, ids)
        if None not in values:
            try:
                return _rows(values)
            except DecodeError:
                pass
        rows = [_row(value) for value in values]
        self._report(Family.MAIL, [mail for mail, row in zip(ids, rows, strict=True) if row is None])
        return rows

    def _heads(self, ids: list[int]) -> list[bytes | None]:
        values = self._column(Family.HEAD, ids)
        if None in values:
            self._report(Family.HEAD, [mail for mail, head in zip(ids, values, strict=True) if head is None])
        return values

    def _forms(self, ids: list[int]) -> list[bytes | None]:
        rows = self._column(Family.FORM, ids)
        if None in rows:
            self._report(Family.FORM, [mail for mail, row in zip(ids, rows, strict=True) if row is None])
        return rows

    def _with_forms(self, entries: bytes) -> bytes:
        """Those of entries whose forms can be read."""
        ids = longs(entries, MAIL).tolist()
        whole = [row is not None and is_form_row(row) for row in self._column(Family.FORM, ids)]
        self._report(Family.FORM, [mail for mail, is_whole in zip(ids, whole, strict=True) if not is_whole])
        return b"".join(compress(_cut(entries), whole))

    def _report(self, family: str, ids: list[int]) -> None:
        for mail in ids:
            told.tell(family, keys.mail(self._account, mail), "missing, or not what was written")

    def _column(self, family: str, ids: list[int]) -> list[bytes | None]:
        """The rows of mails in `family`: by scan where the mails lie close together, the rest by seeks."""
        if len(ids) < _SCAN_ROWS_MIN:
            return self._sought(family, ids)
        scanned = self._scanned(family, min(ids), max(ids), _SCANNED_PER_ROW * len(ids))
        found = _ids(scanned)
        if found == ids:
            return [value for _, value in scanned]
        values: dict[int, bytes | None] = {mail: row[1] for mail, row in zip(found, scanned, strict=True)}
        left = [mail for mail in dict.fromkeys(ids) if mail not in values]
        values.update(zip(left, self._sought(family, left), strict=True))
        return [values[mail] for mail in ids]

    def _scanned(self, family: str, first: int, last: int, rows_max: int) -> list[tuple[bytes, bytes]]:
        start, end = keys.mail(self._account, first), keys.mail(self._account, last + 1)
        return list(islice(readable(self._shard, family, start, end), rows_max))

    def _sought(self, family: str, ids: list[int]) -> list[bytes | None]:
        return self._shard.get_many(family, [keys.mail(self._account, mail) for mail in ids])

    def _kind(self, kind: int) -> Iterator[tuple[bytes, bytes]]:
        start = keys.state(self._account, kind)
        return readable(self._shard, Family.STATE, start, keys.after(start))


def _touched(key: bytes, value: bytes) -> Touched:
    """Raises Unreadable."""
    try:
        return Touched.FromString(value)
    except DecodeError as error:
        raise Unreadable(Family.STATE, key, str(error)) from None


def _cut(entries: bytes) -> Iterator[bytes]:
    return (entries[start : start + ENTRY_OCTETS] for start in range(0, len(entries), ENTRY_OCTETS))


def _ids(scanned: list[tuple[bytes, bytes]]) -> list[int]:
    """The mails of rows of `mail`, `head` or `form`."""
    columns = array("Q", b"".join([key for key, _ in scanned]))
    columns.byteswap()
    return columns[1::2].tolist()


def _rows(values: Sequence[bytes | None]) -> list[MailRow | None]:
    """All there; raises DecodeError."""
    return list(MailRows.FromString(_joined(values)).rows)


def _joined(values: Sequence[bytes | None]) -> bytes:
    """Rows as MailRows and MailboxRows hold them."""
    return b"".join(
        [octets for value in values if value is not None for octets in (_before(len(value)), value)]
    )


def _row(value: bytes | None) -> MailRow | None:
    try:
        return None if value is None else MailRow.FromString(value)
    except DecodeError:
        return None


@lru_cache(maxsize=4096)
def _before(octets: int) -> bytes:
    """What stands before a row: the field's number and type, and the length as a varint."""
    said = bytearray((_ROWS_TAG,))
    while octets > 0x7F:
        said.append(octets & 0x7F | 0x80)
        octets >>= 7
    said.append(octets)
    return bytes(said)
