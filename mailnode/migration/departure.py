"""An account's messages go out as files, each checked against its checksum before it has its place."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from hashlib import blake2b
from typing import IO, Protocol

from mailnode.mailbox.ranges import packed
from mailnode.migration.arrival import Failed
from mailnode.migration.source import SourceError
from mailnode.pb import admin_pb2 as pb

Export = Callable[[pb.ExportRequest], AsyncIterator[pb.ExportAnswer]]

PIECE_OCTETS = 256 * 1024
_HELD_OCTETS = 1 << 20


class Stored:
    """The octets of a message as the account has them; may be read again and again."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def pieces(self) -> Iterator[bytes]:
        self._file.seek(0)
        while piece := self._file.read(PIECE_OCTETS):
            yield piece

    def ends_a_line(self) -> bool:
        size = self._file.seek(0, os.SEEK_END)
        self._file.seek(max(0, size - 1))
        return self._file.read(1) == b"\n"


class Folder(Protocol):
    """One mailbox as it becomes files."""

    def present(self) -> Sequence[int]:
        """UIDs of messages that an earlier run wrote, ascending."""

    def mark(self, message: pb.ExportAnswer.Message) -> None:
        """What is said of one that is present, as it is now."""

    def write(self, message: pb.ExportAnswer.Message, stored: Stored) -> None: ...

    def finish(self) -> None:
        """All is there."""


class Target(Protocol):
    """Each may raise SourceError and OSError."""

    def folder(self, mailbox: pb.ExportAnswer.Mailbox) -> Folder: ...

    def subscribe(self, names: Sequence[str]) -> None: ...


@dataclass(slots=True)
class Counts:
    """What became of the messages so far."""

    exported: int = 0
    present: int = 0
    octets: int = 0
    mailboxes: int = 0
    failed: list[Failed] = field(default_factory=list)
    total: int = 0
    """Messages there."""
    told: Callable[[Counts], None] = lambda counts: None


class Departure:
    """`patterns`: which mailboxes, none: all."""

    def __init__(
        self, export: Export, address: str, target: Target, patterns: Sequence[str], counts: Counts
    ) -> None:
        self._export = export
        self._address = address
        self._target = target
        self._patterns = patterns
        self._counts = counts

    async def mailboxes(self) -> list[pb.ExportAnswer.Mailbox]:
        """Those that are wanted."""
        listed = await anext(self._export(pb.ExportRequest(address=self._address)))
        wanted = [each for each in listed.mailboxes if self._is_wanted(each.name)]
        if not wanted:
            raise SourceError("the account has no mailbox of such a name")
        subscribed = [each.name for each in listed.mailboxes if each.subscribed] + list(listed.subscribed)
        self._target.subscribe([name for name in subscribed if self._is_wanted(name)])
        return wanted

    def _is_wanted(self, name: str) -> bool:
        return not self._patterns or any(fnmatchcase(name, pattern) for pattern in self._patterns)

    async def run(self, mailboxes: Sequence[pb.ExportAnswer.Mailbox]) -> None:
        self._counts.total = sum(mailbox.row.messages for mailbox in mailboxes)
        for mailbox in mailboxes:
            if mailbox.row.noselect:
                continue
            try:
                await self._write(mailbox.name, self._target.folder(mailbox))
            except OSError as error:
                if error.errno != errno.ENAMETOOLONG:
                    raise
                self._fail(mailbox.name, 0, "its name is too long for a file")
            self._counts.mailboxes += 1
        os.sync()  # once, for all the files

    async def _write(self, name: str, folder: Folder) -> None:
        present = folder.present()
        request = pb.ExportRequest(address=self._address, mailbox=name, present=packed(present))
        has_octets = frozenset(present)
        last: pb.ExportAnswer.Message | None = None
        with tempfile.SpooledTemporaryFile(_HELD_OCTETS) as file:
            async for answer in self._export(request):
                file.write(answer.octets)
                for message in answer.messages:
                    if message.unreadable and last is not None and last.uid == message.uid:
                        last = None  # some of its octets came
                    self._end(name, folder, last, file)
                    last = None
                    if message.unreadable:
                        self._fail(name, message.uid, "it cannot be read")
                    elif message.uid in has_octets:
                        folder.mark(message)
                        self._counts.present += 1
                    else:
                        last = message
                        file.write(message.octets)
            self._end(name, folder, last, file)
        folder.finish()

    def _end(
        self, name: str, folder: Folder, message: pb.ExportAnswer.Message | None, file: IO[bytes]
    ) -> None:
        """The octets of the last message are all there; the file is empty again."""
        if message is not None:
            stored = Stored(file)
            if _checksum(stored) == message.checksum:
                folder.write(message, stored)
                self._counts.exported += 1
                self._counts.octets += message.size
                self._counts.told(self._counts)
            else:
                self._fail(name, message.uid, "its octets are not those that were stored")
        file.seek(0)
        file.truncate()

    def _fail(self, mailbox: str, uid: int, reason: str) -> None:
        self._counts.failed.append(Failed(f"UID {uid}" if uid else "all messages", mailbox, reason))
        self._counts.told(self._counts)


def _checksum(stored: Stored) -> bytes:
    checksum = blake2b(digest_size=16)
    for piece in stored.pieces():
        checksum.update(piece)
    return checksum.digest()
