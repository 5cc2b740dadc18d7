"""What an account reads of its shard. Blocking: called in the pool for loads, never on the loop."""

from __future__ import annotations

import logging
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import compress, islice

from google.protobuf.message import DecodeError

from mailnode.mailbox.arrays import Arrays
from mailnode.mailbox.forms import columns_of, is_form_row
from mailnode.mailbox.needle import pieces
from mailnode.mailbox.rows import BLOB_CHUNK_OCTETS, ENTRY_OCTETS, MAIL, SIZE, longs, uids_of, words
from mailnode.mailbox.verbs import Expunged, Messages, Want
from mailnode.mailbox.watch import concerns
from mailnode.pb.change_pb2 import Touched
from mailnode.pb.row_pb2 import AccountRow, Keywords, MailboxRow, MailboxRows, MailRow, MailRows
from mailnode.store import keys
from mailnode.store.keys import Blob, Family, Kind
from mailnode.store.shard import Shard

log = logging.getLogger(__name__)

_VALUES_JOINED = 20_000
"""Joining holds the interpreter: that many entries take it half a millisecond."""
_SCAN_ROWS_MIN = 4
_SCANNED_PER_ROW = 4
"""A scan passes over a row 5 to 10 times as fast as a seek finds one."""

_ROWS_TAG = MailRows.ROWS_FIELD_NUMBER << 3 | 2


@dataclass(frozen=True, slots=True)
class Head:
    """What is kept of an account in memory as long as it is used."""

    row: AccountRow
    mailboxes: dict[int, MailboxRow]
    subscribed: set[str]


def accounts_from(shard: Shard, account: int) -> Iterator[int]:
    """The accounts that have rows, from this one on."""
    while found := next(shard.scan(Family.STATE, keys.account_id(account), keys.END), None):
        account = keys.account_of(found[0])
        yield account
        account += 1


class Reads:
    """Of one account."""

    def __init__(self, shard: Shard, account: int) -> None:
        self._shard = shard
        self._account = account

    def head(self) -> Head:
        row = self._shard.get(Family.STATE, keys.state(self._account, Kind.ACCOUNT))
        values = [value for _, value in self._kind(Kind.MAILBOX)]
        mailboxes = MailboxRows.FromString(_joined(values)).rows  # together: each alone takes half a KiB
        names = [key[9:].decode() for key, _ in self._kind(Kind.SUBSCRIPTION)]
        return Head(AccountRow.FromString(row or b""), {m.mailbox: m for m in mailboxes}, set(names))

    def arrays(self, mailbox: int) -> Arrays:
        start = keys.entry(self._account, mailbox, 0)[:-4]
        values = self._shard.values(Family.STATE, start, keys.after(start))
        entries = bytearray()
        while part := b"".join(islice(values, _VALUES_JOINED)):
            entries += part
        start = keys.overflow(self._account, mailbox, 0)[:-4]
        rows = self._shard.scan(Family.STATE, start, keys.after(start))
        overflow = {keys.uid_of_entry(key): Keywords.FromString(value) for key, value in rows}
        return Arrays(entries, overflow)

    def touched(self, after: int, mailbox: int, count_max: int) -> list[Touched]:
        """What the first changes behind a position touched of a mailbox, or (0) of all, in order."""
        start = keys.touched(self._account, after + 1)
        rows = self._shard.scan(Family.STATE, start, keys.after(keys.state(self._account, Kind.TOUCHED)))
        found = (touched for _, value in rows if concerns(touched := Touched.FromString(value), mailbox))
        return list(islice(found, count_max))

    def small_row(self, kind: int, key: bytes) -> bytes:
        return self._shard.get(Family.STATE, keys.state(self._account, kind, key)) or b""

    def messages(self, position: int, entries: bytes, overflow: dict[int, Keywords], want: Want) -> Messages:
        """A run with the columns that are wanted; what cannot be read is reported and left out."""
        ids = longs(entries, MAIL).tolist()
        mails = self._mails(ids) if want & (Want.MAILS | Want.OCTETS) else []
        heads = self._heads(ids) if want & Want.HEADS else []
        forms = self._forms(ids) if want & Want.FORMS else []
        octets = self._octets(mails, words(entries, SIZE).tolist()) if want & Want.OCTETS else []
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
        """Raises Expunged."""
        row = self._mails([mail])[0]
        if row is None:
            raise Expunged
        return row

    def chunk(self, row: MailRow, chunk: int) -> bytes:
        """A chunk of a mail's octets; raises Expunged."""
        octets = self._shard.get(Family.BLOB, self._blob_key(row, chunk))
        if octets is None:
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
                found[index] = [self.octets(mail, p.start, p.end) for p in pieces(mail.part)]
        return found

    def _octets(self, mails: Sequence[MailRow | None], sizes: Sequence[int]) -> list[bytes | None]:
        """Whole contents; b"" for a long one, which lies in several chunks."""
        short = [m for m, size in zip(mails, sizes, strict=True) if m and size <= BLOB_CHUNK_OCTETS]
        found = self._shard.get_many(Family.BLOB, [self._blob_key(m, 0) for m in short])
        octets = {m.mail: value for m, value in zip(short, found, strict=True)}
        return [None if m is None else octets.get(m.mail, b"") for m in mails]

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
            log.error("account %016x: the %s row of mail %d is not readable", self._account, family, mail)

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
        return list(islice(self._shard.scan(family, start, end), rows_max))

    def _sought(self, family: str, ids: list[int]) -> list[bytes | None]:
        return self._shard.get_many(family, [keys.mail(self._account, mail) for mail in ids])

    def _kind(self, kind: int) -> Iterator[tuple[bytes, bytes]]:
        start = keys.state(self._account, kind)
        return self._shard.scan(Family.STATE, start, keys.after(start))


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
