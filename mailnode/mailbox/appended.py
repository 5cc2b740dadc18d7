"""A change of an account as an entry of its partition's list."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from mailnode.mailbox.rows import BLOB_CHUNK_OCTETS, ENTRY_OCTETS, content_rows, rows, upload_row
from mailnode.pb.change_pb2 import Change
from mailnode.pb.row_pb2 import MailRow
from mailnode.store import keys
from mailnode.store.formats import FORMAT
from mailnode.store.keys import Blob, Family
from mailnode.store.shard import Put

_BESIDE_OCTETS = 500
"""Of the keys and counters that every change writes."""


class Appended:
    """A change on its way to disk."""

    __slots__ = ("_commit", "change", "durable", "octets", "partition")
    large = False

    def __init__(self, change: Change, commit: Callable[[Change], None]) -> None:
        self._commit = commit
        self.change = change
        self.partition = keys.partition(change.account)
        self.durable = not change.HasField("upload")
        self.octets = _BESIDE_OCTETS + change.ByteSize()

    def encoded(self) -> bytes:
        return self.change.SerializeToString()

    def rows(self, format: int) -> Iterable[Put]:
        return rows(self.change, format)

    def committed(self) -> None:
        if self.durable:
            self._commit(self.change)


class LargeAppended(Appended):
    """One of so many entries that others shall not wait for all of its rows."""

    __slots__ = ()
    large = True


def entries_of(change: Change) -> int:
    """How many entries a change writes or drops."""
    written = sum([len(entries.entries) for entries in change.entries])
    return (written + sum([len(gone.entries) for gone in change.entries_dropped])) // ENTRY_OCTETS


class Changes:
    """Encoded changes, as replication asks for them (`cluster/log_rows`)."""

    def rows(self, data: bytes, format: int) -> Iterable[Put]:
        return rows(Change.FromString(data), format)

    def apart(self, data: bytes) -> tuple[bytes, Sequence[Put]]:
        change = Change.FromString(data)
        contents: list[Put] = []
        if change.HasField("upload"):
            contents.append(upload_row(change.account, change.upload))
            change.upload.ClearField("octets")
        for mail in change.mails:
            contents += content_rows(change.account, mail.row.mail, mail.octets)
            mail.ClearField("octets")
        return (change.SerializeToString(), contents) if contents else (data, ())

    def whole(self, data: bytes, get: Callable[[str, bytes], bytes | None]) -> bytes:
        change = Change.FromString(data)
        if change.HasField("upload"):
            family, key, _ = upload_row(change.account, change.upload)
            change.upload.octets = get(family, key) or b""
        for mail in change.mails:
            if not mail.row.upload:
                mail.octets = _content(change.account, mail.row, get)
        return change.SerializeToString()


def _content(account: int, row: MailRow, get: Callable[[str, bytes], bytes | None]) -> bytes:
    """Nothing where it is not all there."""
    chunks = [
        get(Family.BLOB, keys.blob(account, Blob.MAIL, row.mail, chunk))
        for chunk in range(-(-row.size // BLOB_CHUNK_OCTETS))
    ]
    return b"" if None in chunks else b"".join([chunk for chunk in chunks if chunk is not None])


def replay(encoded: bytes) -> Iterable[Put]:
    """The rows of an encoded change."""
    return rows(Change.FromString(encoded), FORMAT)
