"""Content kept back until it is known what goes in front of it: in memory, a long one in a file."""

from __future__ import annotations

import asyncio
import errno
import os
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import IO
from weakref import WeakSet

from mailnode.limits import Limits
from mailnode.mailbox.rows import BLOB_CHUNK_OCTETS

PIECE_OCTETS = BLOB_CHUNK_OCTETS
"""Written and read at a time; as much as `mailbox.content` holds of a message."""


class Spool:
    """Where long contents wait: files without names, a bounded number of them."""

    def __init__(self, directory: Path, limits: Limits) -> None:
        self._directory = directory
        self._limits = limits
        self._open: WeakSet[IO[bytes]] = WeakSet()  # a transaction may end in many ways

    def take(self) -> IO[bytes]:
        """Raises OSError."""
        if len(self._open) >= self._limits.spooled_contents_max:
            raise OSError(errno.EMFILE, "too many long contents wait")
        file = tempfile.TemporaryFile(dir=self._directory, buffering=0)  # noqa: SIM115
        self._open.add(file)
        return file


class Held:
    """Whatever becomes of the node or of the transaction, it is gone."""

    __slots__ = ("_file", "_octets", "_spool")

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._file: IO[bytes] | None = None
        self._octets = bytearray()  # joined as they come: a peer may send one at a time

    async def write(self, octets: bytes) -> None:
        """Raises OSError."""
        self._octets += octets
        if len(self._octets) > PIECE_OCTETS:
            full, self._octets = self._octets, bytearray()
            if self._file is None:
                self._file = self._spool.take()
            await asyncio.get_running_loop().run_in_executor(None, _write, self._file, full)

    async def octets(self) -> AsyncIterator[bytes]:
        """All that was written, from its begin; raises OSError."""
        file = self._file
        if file is not None:
            loop, at = asyncio.get_running_loop(), 0
            while piece := await loop.run_in_executor(None, _read, file, at):
                at += len(piece)
                yield piece
        if self._octets:
            yield bytes(self._octets)


def _write(file: IO[bytes], full: bytearray) -> None:
    file.seek(0, os.SEEK_END)
    octets = memoryview(full)
    while octets:  # without a buffer a write may take less than it was given
        octets = octets[file.write(octets) :]


def _read(file: IO[bytes], at: int) -> bytes:
    file.seek(at)
    return file.read(PIECE_OCTETS)
