"""Every key of the shard. Integers are big-endian, so that octet order is numeric order."""

from __future__ import annotations

import enum
from struct import Struct


class Family(enum.StrEnum):
    """Column families, divided by how their rows change."""

    BLOB = "blob"
    HEAD = "head"
    MAIL = "mail"
    STATE = "state"
    DUE = "due"
    INDEX = "index"
    LOG = "log"


class Kind(enum.IntEnum):
    """Of a row in the `state` family. The numbers are stored: never change one."""

    ACCOUNT = 1
    MAILBOX = 2
    ENTRY = 3
    OVERFLOW = 4
    PLACE = 5
    TOUCHED = 6
    MSGID = 7
    RESULT = 8
    SUBSCRIPTION = 9
    CREDENTIAL = 10
    DIRECTORY = 11
    APPLIED = 12


class Blob(enum.IntEnum):
    """Of a row in the `blob` family."""

    MAIL = 1
    UPLOAD = 2


class Due(enum.IntEnum):
    """Of a row in the `due` family."""

    UPLOAD = 1
    CREATION = 2


FORMAT = b"format"
"""The shard's own row, in the default family."""

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

account_id = Struct(">Q").pack


def partition(account: int) -> int:
    """The slice of the ring that an account lies in: its first 16 bits, home and slot."""
    return account >> 48


def directory_account(partition: int) -> int:
    return partition << 48 | DIRECTORY_ACCOUNT


def state(account: int, kind: int, key: bytes = b"") -> bytes:
    """The row `key` of a kind, or with no key the prefix of all of them."""
    return _KIND.pack(account, kind) + key


def mailbox(account: int, mailbox: int) -> bytes:
    return _KIND_U32.pack(account, Kind.MAILBOX, mailbox)


def entry(account: int, mailbox: int, uid: int) -> bytes:
    return _ENTRY.pack(account, Kind.ENTRY, mailbox, uid)


def overflow(account: int, mailbox: int, uid: int) -> bytes:
    return _ENTRY.pack(account, Kind.OVERFLOW, mailbox, uid)


def place(account: int, mail: int, mailbox: int, uid: int) -> bytes:
    return _PLACE.pack(account, Kind.PLACE, mail, mailbox, uid)


def touched(account: int, position: int) -> bytes:
    return _KIND_U64.pack(account, Kind.TOUCHED, position)


def mail(account: int, mail: int) -> bytes:
    """Of the families `mail` and `head`."""
    return _U64_U64.pack(account, mail)


def blob(account: int, kind: Blob, blob: int, chunk: int) -> bytes:
    return _BLOB.pack(account, kind, blob, chunk)


def due(account: int, kind: Due, time_microseconds: int, key: bytes) -> bytes:
    return _KIND_U64.pack(account, kind, time_microseconds) + key


def applied(partition: int) -> bytes:
    return state(directory_account(partition), Kind.APPLIED)


def after(prefix: bytes) -> bytes:
    """The first key behind every key that begins with `prefix`."""
    stripped = prefix.rstrip(b"\xff")
    if not stripped:
        raise ValueError("no key lies behind this prefix")
    return stripped[:-1] + bytes((stripped[-1] + 1,))


def uid_of_entry(key: bytes) -> int:
    return int.from_bytes(key[13:17], "big")
