"""Every key of the shard. Integers are big-endian, so that octet order is numeric order."""

from __future__ import annotations

from struct import Struct
from typing import Final


class Family:
    """Column families, divided by how their rows change. Plain constants here and below: members of an
    `enum` cost more than the put of the row that they name."""

    BLOB: Final = "blob"
    HEAD: Final = "head"
    FORM: Final = "form"
    MAIL: Final = "mail"
    STATE: Final = "state"
    DUE: Final = "due"
    INDEX: Final = "index"
    LOG: Final = "log"


FAMILIES: Final = (
    Family.BLOB,
    Family.HEAD,
    Family.FORM,
    Family.MAIL,
    Family.STATE,
    Family.DUE,
    Family.INDEX,
    Family.LOG,
)


class Kind:
    """Of a row in the `state` family. The numbers are stored: never change one."""

    ACCOUNT: Final = 1
    MAILBOX: Final = 2
    ENTRY: Final = 3
    OVERFLOW: Final = 4
    PLACE: Final = 5
    TOUCHED: Final = 6
    MSGID: Final = 7
    RESULT: Final = 8
    SUBSCRIPTION: Final = 9
    CREDENTIAL: Final = 10
    DIRECTORY: Final = 11
    APPLIED: Final = 12
    QUEUE: Final = 13
    EXPUNGED: Final = 14
    UNIQUE_ID: Final = 20
    ORIGIN: Final = 21
    ADOPTED: Final = 22
    DMARC_FOUND: Final = 30
    TLS_FOUND: Final = 31
    REPORT: Final = 32
    REPORTS_READ: Final = 33


class Blob:
    """Of a row in the `blob` family. Stored: never change one."""

    MAIL: Final = 1
    UPLOAD: Final = 2


class Due:
    """Of a row in the `due` family. Stored: never change one."""

    UPLOAD: Final = 1
    CREATION: Final = 2
    QUEUE: Final = 3
    EXPUNGED: Final = 4
    REMOVED: Final = 5
    RENAMING: Final = 6
    DMARC_REPORT: Final = 30
    TLS_REPORT: Final = 31


OF_ACCOUNTS: Final = tuple(family for family in FAMILIES if family != Family.LOG)
"""Whose rows begin with an account's id."""

FORMAT = b"format"
"""The shard's own row, in the default family."""

END = b"\xff" * 32
"""Behind every key: the homes and slots that exist do not reach it."""

SLOTS = 4096
"""Partitions of a home: 12 bits."""

DIRECTORY_ACCOUNT = 0
SPOOL_ACCOUNT = 1
"""The reserved low 48 bits of a partition's system accounts."""

_KIND = Struct(">QB")
_KIND_U32 = Struct(">QBI")
_KIND_U64 = Struct(">QBQ")
_ENTRY = Struct(">QBII")
_PLACE = Struct(">QBQII")
_BLOB = Struct(">QBQI")
_U64_U64 = Struct(">QQ")
_LOG = Struct(">HQ")
_EXPUNGED = Struct(">QQI")

DUE_OCTETS_MIN = _KIND_U64.size

account_id = Struct(">Q").pack


def partition_range(family: str, partition: int) -> tuple[bytes, bytes]:
    """The first key of a partition in a family, and the first behind all of its."""
    prefix = partition.to_bytes(2, "big")
    width = _LOG.size if family == Family.LOG else 8
    return prefix.ljust(width, b"\0"), END if prefix == b"\xff\xff" else after(prefix)


def partition(account: int) -> int:
    """The slice of the ring that an account lies in: its first 16 bits, home and slot."""
    return account >> 48


def is_system(account: int) -> bool:
    """Whether it is one of a partition's own."""
    return account & (1 << 48) - 1 in (DIRECTORY_ACCOUNT, SPOOL_ACCOUNT)


def directory_account(partition: int) -> int:
    return partition << 48 | DIRECTORY_ACCOUNT


def spool_account(partition: int) -> int:
    return partition << 48 | SPOOL_ACCOUNT


def state(account: int, kind: int, key: bytes = b"") -> bytes:
    """The row `key` of a kind, or with no key the prefix of all of them."""
    return _KIND.pack(account, kind) + key


def mailbox(account: int, mailbox: int) -> bytes:
    return _KIND_U32.pack(account, Kind.MAILBOX, mailbox)


def entry(account: int, mailbox: int, uid: int) -> bytes:
    return _ENTRY.pack(account, Kind.ENTRY, mailbox, uid)


def overflow(account: int, mailbox: int, uid: int) -> bytes:
    return _ENTRY.pack(account, Kind.OVERFLOW, mailbox, uid)


def unique_id(account: int, mailbox: int, uid: int) -> bytes:
    return _ENTRY.pack(account, Kind.UNIQUE_ID, mailbox, uid)


def place(account: int, mail: int, mailbox: int, uid: int) -> bytes:
    return _PLACE.pack(account, Kind.PLACE, mail, mailbox, uid)


def touched(account: int, position: int) -> bytes:
    return _KIND_U64.pack(account, Kind.TOUCHED, position)


def expunged(time_microseconds: int, position: int, part: int) -> bytes:
    """Behind account and kind: of what the change at a position expunged, which may be in several parts."""
    return _EXPUNGED.pack(time_microseconds, position, part)


def time_of_expunged(key: bytes) -> int:
    """Of what `expunged` gives."""
    return int.from_bytes(key[:8], "big")


def mail(account: int, mail: int) -> bytes:
    """Of the families `mail`, `head` and `form`."""
    return _U64_U64.pack(account, mail)


def blob(account: int, kind: int, blob: int, chunk: int) -> bytes:
    return _BLOB.pack(account, kind, blob, chunk)


def due(account: int, kind: int, time_microseconds: int, key: bytes) -> bytes:
    return _KIND_U64.pack(account, kind, time_microseconds) + key


def applied(partition: int) -> bytes:
    return state(directory_account(partition), Kind.APPLIED)


def log(partition: int, seq: int) -> bytes:
    return _LOG.pack(partition, seq)


def replica(partition: int) -> bytes:
    """Before all entries of the partition's log."""
    return log(partition, 0)


def after(prefix: bytes) -> bytes:
    """The first key behind every key that begins with `prefix`."""
    stripped = prefix.rstrip(b"\xff")
    if not stripped:
        raise ValueError("no key lies behind this prefix")
    return stripped[:-1] + bytes((stripped[-1] + 1,))


def place_of(key: bytes) -> tuple[int, int]:
    """Mailbox and UID of a place."""
    return int.from_bytes(key[17:21], "big"), int.from_bytes(key[21:25], "big")


def uid_of_entry(key: bytes) -> int:
    return int.from_bytes(key[13:17], "big")


def mailbox_of(key: bytes) -> int:
    """Of a mailbox, an entry, an overflow or a unique-id."""
    return int.from_bytes(key[9:13], "big")


def mail_of_place(key: bytes) -> int:
    return int.from_bytes(key[9:17], "big")


def mail_of(key: bytes) -> int:
    """Of `mail` and `head`."""
    return int.from_bytes(key[8:16], "big")


def blob_of(key: bytes) -> int:
    """The mail or the upload that a blob is a chunk of."""
    return int.from_bytes(key[9:17], "big")


def position_of_touched(key: bytes) -> int:
    return int.from_bytes(key[9:17], "big")


def account_of(key: bytes) -> int:
    return int.from_bytes(key[:8], "big")


def kind_of(key: bytes) -> int:
    """Of a key in `state`, `blob` or `due`."""
    return key[8]


def partition_of_log(key: bytes) -> int:
    return int.from_bytes(key[:2], "big")


def seq_of_log(key: bytes) -> int:
    return int.from_bytes(key[2:10], "big")


def time_of_due(key: bytes) -> int:
    return int.from_bytes(key[9:17], "big")
