"""All rows of a partition, from a replica that has them to one that lacks too much of the log.

Octets in pieces of bounded size, each of whole rows: a family, a key, a value.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from concurrent.futures import Executor
from itertools import chain
from struct import Struct
from typing import NamedTuple

from mailnode.cluster.replica_messages import Position
from mailnode.limits import MiB
from mailnode.pb.row_pb2 import AppliedRow
from mailnode.store import keys
from mailnode.store.damage import readable
from mailnode.store.keys import OF_ACCOUNTS, Family
from mailnode.store.shard import Put, Shard

PIECE_OCTETS = 1 * MiB
"""About: a row is in one piece, and longer than a chunk of content it is never."""
_ROW = Struct(">BHI")

Row = tuple[int, bytes, bytes]
"""The index of a family in OF_ACCOUNTS, key, value."""


class BadSnapshot(ValueError):
    """Octets that are no rows, or not of the partition."""


class Unwanted(Exception):
    """This replica takes no snapshot of that partition, or not now."""


Octets = AsyncGenerator[bytes]


class Opened(NamedTuple):
    """A partition as it was when it was opened."""

    at: Position
    octets: Octets
    """Its rows. While they are there, what was dropped since stays on the disk."""


def opened(shard: Shard, pool: Executor, partition: int) -> Opened:
    """Blocking; called while nothing is written. Its octets are read in the pool.

    Raises Unreadable, DecodeError.
    """
    row = AppliedRow.FromString(shard.get(Family.STATE, keys.applied(partition)) or b"")
    return Opened(Position(row.epoch, row.seq), _read(_pieces(rows(shard, partition)), pool))


async def _read(pieces: Iterator[bytes], pool: Executor) -> Octets:
    loop = asyncio.get_running_loop()
    while piece := await loop.run_in_executor(pool, next, pieces, b""):
        yield piece


def rows(shard: Shard, partition: int) -> Iterator[Row]:
    """All as they are at the call: each iterator is opened by its first row."""
    return chain.from_iterable(
        [_opened(shard, index, family, partition) for index, family in enumerate(OF_ACCOUNTS)]
    )


def _opened(shard: Shard, index: int, family: str, partition: int) -> Iterator[Row]:
    found = readable(shard, family, *keys.partition_range(family, partition))
    first = next(found, None)
    found = chain((first,), found) if first is not None else iter(())
    return ((index, key, value) for key, value in found)


def _pieces(found: Iterator[Row]) -> Iterator[bytes]:
    parts: list[bytes] = []
    octets = 0
    for index, key, value in found:
        parts += (_ROW.pack(index, len(key), len(value)), key, value)
        octets += _ROW.size + len(key) + len(value)
        if octets >= PIECE_OCTETS:
            yield b"".join(parts)
            parts, octets = [], 0
    if parts:
        yield b"".join(parts)


def puts(piece: bytes, partition: int) -> Iterator[Put]:
    """Of a piece. Raises BadSnapshot."""
    prefix = partition.to_bytes(2, "big")
    at = 0
    while at < len(piece):
        if at + _ROW.size > len(piece):
            raise BadSnapshot("a row that is cut off")
        index, key_octets, value_octets = _ROW.unpack_from(piece, at)
        at += _ROW.size
        key, value = piece[at : at + key_octets], piece[at + key_octets : at + key_octets + value_octets]
        at += key_octets + value_octets
        if index >= len(OF_ACCOUNTS) or at > len(piece) or not key.startswith(prefix):
            raise BadSnapshot("a row of no family, of another partition, or cut off")
        yield OF_ACCOUNTS[index], key, value
