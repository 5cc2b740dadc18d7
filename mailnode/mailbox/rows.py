"""What a change leaves in the shard: `rows(change, format)` reads nothing and writes absolute puts and drops.

Hot rows are struct-packed here and nowhere else; all others are the messages of protos/row.proto.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from itertools import repeat
from struct import Struct

from google.protobuf.message import DecodeError

from mailnode.limits import KiB
from mailnode.pb.change_pb2 import Change, ContentDropped, Dropped, Entries, Mail, Trim, Upload
from mailnode.pb.row_pb2 import ExpungedRow
from mailnode.store import keys
from mailnode.store.keys import Blob, Due, Family, Kind
from mailnode.store.shard import DropTo, Put

# -- entries -----------------------------------------------------------------------------------------------

ENTRY = Struct("<QQQQIIII")
"""mail id, created, modified (positions), flags, save date, size, internal date (seconds), UID.

48 octets in multiples of 8, so that columns are cut by strided memoryviews of joined values. Little-endian
because a memoryview casts in the order of the machine, and ours all are. The UID stands in the key too:
in the row it lets a mailbox be loaded from the values alone.
"""
ENTRY_OCTETS = ENTRY.size
MAIL, CREATED, MODIFIED, FLAGS = 0, 1, 2, 3
"""Columns of 8 octets."""
SAVE_DATE, SIZE, INTERNAL_DATE, UID = 8, 9, 10, 11
"""Columns of 4 octets."""

ANSWERED = 1 << 0
FLAGGED = 1 << 1
DELETED = 1 << 2
SEEN = 1 << 3
DRAFT = 1 << 4
SYSTEM_FLAGS = ANSWERED | FLAGGED | DELETED | SEEN | DRAFT
KEYWORD_BIT_FIRST = 5
KEYWORD_BITS = 58
OVERFLOW = 1 << 63
"""The entry has keywords that found no bit: they are in its overflow row."""
KEYWORD_MASK = ((1 << KEYWORD_BITS) - 1) << KEYWORD_BIT_FIRST

STATE = Family.STATE

LIVE, LEAVING = b"", b"-"
"""Of a place: there is an entry; or there was, and it can be brought back."""

EXPUNGED_ENTRIES = 500
"""Of an expunged row: a row is brought back, or dropped with its mails, at once."""

BLOB_CHUNK_OCTETS = 256 * KiB
"""Stored: the chunk of an offset is computed with it. Never change it."""


def longs(entries: bytes | bytearray | memoryview, column: int) -> memoryview[int]:
    """A column of 8 octets of joined entries."""
    return memoryview(entries).cast("B").cast("Q")[column :: ENTRY_OCTETS // 8]


def words(entries: bytes | bytearray | memoryview, column: int) -> memoryview[int]:
    """A column of 4 octets of joined entries."""
    return memoryview(entries).cast("B").cast("I")[column :: ENTRY_OCTETS // 4]


def uid_of(entry: bytes) -> int:
    """Of one entry."""
    return int.from_bytes(entry[-4:], "little")


def uids_of(entries: bytes | bytearray | memoryview) -> array[int]:
    uids = array("I")
    uids.frombytes(words(entries, UID).tobytes())
    return uids


def cut(entries: bytes) -> Iterator[bytes]:
    """Each of joined entries."""
    return (entries[start : start + ENTRY_OCTETS] for start in range(0, len(entries), ENTRY_OCTETS))


def as_new(entries: bytes, position: int, first_uid: int, now_seconds: int) -> bytearray:
    """The entries as they enter a mailbox: UIDs from `first_uid` on."""
    count = len(entries) // ENTRY_OCTETS
    copies = bytearray(entries)
    longs(copies, CREATED)[:] = array("Q", [position]) * count
    longs(copies, MODIFIED)[:] = array("Q", [position]) * count
    words(copies, SAVE_DATE)[:] = array("I", [now_seconds]) * count
    words(copies, UID)[:] = array("I", range(first_uid, first_uid + count))
    return copies


def unique_id(uid_validity: int, uid: int) -> str:
    """A message's unique-id for POP3, unless it brought its own: RFC 1939 §7."""
    return f"{uid_validity:08x}{uid:08x}"


def low_flags(entries: bytes) -> bytes:
    """Of each entry the octet of the flags that has the system bits."""
    return entries[_LOW_FLAGS_AT::ENTRY_OCTETS]


def count_with(low: bytes, flag: int) -> int:
    """In how many of `low_flags` the system bit stands."""
    return low.translate(_WITH[flag]).count(1)


_LOW_FLAGS_AT = 24
_WITH = {1 << bit: bytes(octet >> bit & 1 for octet in range(256)) for bit in range(5)}


def expunged_row(value: bytes) -> ExpungedRow | None:
    """None for what cannot be read."""
    try:
        row = ExpungedRow.FromString(value)
    except DecodeError:
        return None
    return None if len(row.entries) % ENTRY_OCTETS else row


# -- rows of a change --------------------------------------------------------------------------------------


def rows(change: Change, format: int) -> Iterator[Put]:
    """Every row that the change writes or drops. There is one format so far."""
    account = change.account
    if change.HasField("upload"):
        yield from _upload_rows(account, change.upload)
        return
    if change.purged:
        end = DropTo(keys.account_id(account + 1))
        yield from ((family, keys.account_id(account), end) for family in keys.OF_ACCOUNTS)
        return
    yield STATE, keys.state(account, Kind.ACCOUNT), change.row.SerializeToString()
    for mailbox in change.mailboxes:
        yield STATE, keys.mailbox(account, mailbox.mailbox), mailbox.SerializeToString()
    for entries in change.entries:
        yield from _entry_rows(account, entries)
    for gone in change.places_dropped:
        places = _place_keys(account, gone.mailbox, gone.entries)
        yield from zip(repeat(STATE), places, repeat(None), strict=False)
    for gone in change.entries_dropped:
        yield from _dropped_rows(account, gone)
        if gone.expunged:
            yield from _expunged_rows(account, change.position, gone)
    for mail in change.mails:
        yield from _mail_rows(account, mail)
    if change.HasField("touched"):
        yield STATE, keys.touched(account, change.position), change.touched.SerializeToString()
    for row in change.rows:
        yield STATE, keys.state(account, row.kind, row.key), row.value or None
    for due in change.dues:
        yield Family.DUE, keys.due(account, due.kind, due.time, due.key), None if due.done else b""
    for content in change.contents_dropped:
        yield from _content_dropped_rows(account, content)
    if change.HasField("trimmed"):
        yield from _trimmed_rows(account, change.trimmed)
    if change.intent:
        yield STATE, keys.state(account, Kind.RESULT, change.intent), change.result.SerializeToString()
    if change.touched.list:
        yield from _list_rows(change)


def _trimmed_rows(account: int, trimmed: Trim) -> Iterator[Put]:
    if trimmed.touched:
        yield STATE, keys.touched(account, 0), DropTo(keys.touched(account, trimmed.touched + 1))
    if trimmed.results:
        end = keys.state(account, Kind.RESULT, trimmed.results.to_bytes(8, "big"))
        yield STATE, keys.state(account, Kind.RESULT), DropTo(end)


def _list_rows(change: Change) -> Iterator[Put]:
    """Mailboxes and subscriptions that come and go with a change of the list."""
    account = change.account
    for dropped in change.mailboxes_dropped:
        yield STATE, keys.mailbox(account, dropped), None
    for subscription in change.subscriptions:
        key = keys.state(account, Kind.SUBSCRIPTION, subscription.name.encode())
        yield STATE, key, b"" if subscription.subscribed else None


def _entry_rows(account: int, entries: Entries) -> Iterator[Put]:
    mailbox, packed = entries.mailbox, entries.entries
    if len(packed) == ENTRY_OCTETS:
        yield STATE, keys.entry(account, mailbox, uid_of(packed)), packed
    else:
        yield from zip(repeat(STATE), _entry_keys(account, mailbox, packed), cut(packed), strict=False)
    if entries.placed:
        yield from zip(repeat(STATE), _place_keys(account, mailbox, packed), repeat(LIVE), strict=False)
    for uid, keywords in sorted(entries.overflow.items()):  # a map has no order of its own
        value = keywords.SerializeToString() if keywords.names else None
        yield STATE, keys.overflow(account, mailbox, uid), value


def _dropped_rows(account: int, dropped: Dropped) -> Iterator[Put]:
    mailbox, packed = dropped.mailbox, dropped.entries
    yield from zip(repeat(STATE), _entry_keys(account, mailbox, packed), repeat(None), strict=False)
    place = LEAVING if dropped.expunged else None
    yield from zip(repeat(STATE), _place_keys(account, mailbox, packed), repeat(place), strict=False)
    for flags, uid in zip(longs(packed, FLAGS), words(packed, UID), strict=True):
        if flags & OVERFLOW:
            yield STATE, keys.overflow(account, mailbox, uid), None
    if dropped.unique_ids:
        for uid in words(packed, UID):
            yield STATE, keys.unique_id(account, mailbox, uid), None


def _expunged_rows(account: int, position: int, gone: Dropped) -> Iterator[Put]:
    octets = EXPUNGED_ENTRIES * ENTRY_OCTETS
    for part, start in enumerate(range(0, len(gone.entries), octets)):
        row = ExpungedRow(mailbox=gone.kept.mailbox, name=gone.kept.name, keywords=gone.kept.keywords)
        row.entries = gone.entries[start : start + octets]
        if gone.kept.overflow:
            for uid in set(words(row.entries, UID)) & gone.kept.overflow.keys():
                row.overflow[uid].CopyFrom(gone.kept.overflow[uid])
        key = keys.expunged(gone.expunged, position, part)
        yield STATE, keys.state(account, Kind.EXPUNGED, key), row.SerializeToString(deterministic=True)


def _entry_keys(account: int, mailbox: int, packed: bytes) -> Iterator[bytes]:
    return map(keys.entry, repeat(account), repeat(mailbox), words(packed, UID))


def _place_keys(account: int, mailbox: int, packed: bytes) -> Iterator[bytes]:
    return map(keys.place, repeat(account), longs(packed, MAIL), repeat(mailbox), words(packed, UID))


def _mail_rows(account: int, mail: Mail) -> Iterator[Put]:
    row = mail.row
    key = keys.mail(account, row.mail)
    yield Family.MAIL, key, row.SerializeToString()
    yield Family.HEAD, key, mail.head
    yield Family.FORM, key, mail.forms
    if row.upload:
        yield Family.DUE, upload_due(account, row.upload), None
    yield from content_rows(account, row.mail, mail.octets)


def content_rows(account: int, mail: int, octets: bytes) -> Iterator[Put]:
    """Of a content that came with its change."""
    for chunk, start in enumerate(range(0, len(octets), BLOB_CHUNK_OCTETS)):
        yield (
            Family.BLOB,
            keys.blob(account, Blob.MAIL, mail, chunk),
            octets[start : start + BLOB_CHUNK_OCTETS],
        )


def upload_row(account: int, upload: Upload) -> Put:
    """A chunk of a content that came before."""
    return Family.BLOB, keys.blob(account, Blob.UPLOAD, upload.upload, upload.chunk), upload.octets


def _content_dropped_rows(account: int, content: ContentDropped) -> Iterator[Put]:
    key = keys.mail(account, content.mail)
    yield Family.MAIL, key, None
    yield Family.HEAD, key, None
    yield Family.FORM, key, None
    kind, blob = (Blob.UPLOAD, content.upload) if content.upload else (Blob.MAIL, content.mail)
    for chunk in range(-(-content.size // BLOB_CHUNK_OCTETS)):
        yield Family.BLOB, keys.blob(account, kind, blob, chunk), None


def _upload_rows(account: int, upload: Upload) -> Iterator[Put]:
    yield upload_row(account, upload)
    if upload.chunk == 0:
        yield Family.DUE, upload_due(account, upload.upload), b""


def upload_due(account: int, upload: int) -> bytes:
    """Against orphans: an upload's id is the time of its making."""
    return keys.due(account, Due.UPLOAD, upload, b"")
