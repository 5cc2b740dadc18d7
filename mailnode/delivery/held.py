"""Content kept back until it is known what goes in front of it: in memory, a long one in a file."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import IO

from mailnode.mailbox.rows import BLOB_CHUNK_OCTETS

PIECE_OCTETS = BLOB_CHUNK_OCTETS
"""Written and read at a time; as much as `mailbox.content` holds of a message."""


class Held:
    """The file has no name: whatever becomes of the node or of the transaction, it is gone."""

    __slots__ = ("_directory", "_file", "_octets", "_pieces")

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._file: IO[bytes] | None = None
        self._pieces: list[bytes] = []
        self._octets = 0

    async def write(self, octets: bytes) -> None:
        """Raises OSError."""
        self._pieces.append(octets)
        self._octets += len(octets)
        if self._octets > PIECE_OCTETS:
            pieces, self._pieces, self._octets = self._pieces, [], 0
            await asyncio.get_running_loop().run_in_executor(None, self._spool, pieces)

    def _spool(self, pieces: list[bytes]) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile(dir=self._directory, buffering=0)  # noqa: SIM115
        octets = memoryview(b"".join(pieces))
        while octets:  # without a buffer a write may take less than it was given
            octets = octets[self._file.write(octets) :]

    async def octets(self) -> AsyncIterator[bytes]:
        """All that was written, from its begin; raises OSError."""
        file = self._file
        if file is not None:
            loop, at = asyncio.get_running_loop(), 0
            while piece := await loop.run_in_executor(None, _read, file, at):
                at += len(piece)
                yield piece
        for piece in self._pieces:
            yield piece


def _read(file: IO[bytes], at: int) -> bytes:
    file.seek(at)
    return file.read(PIECE_OCTETS)
