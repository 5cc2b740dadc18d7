"""A shard with one account alone, for a backup of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from mailnode.admin.restoring import MEMORY_OCTETS, copied, directory_row, next_part, parsed
from mailnode.clock import Clock
from mailnode.directory.address import directory_account
from mailnode.store import keys
from mailnode.store.keys import Family, Kind
from mailnode.store.shard import open_copy, open_shard


def extract(checkpoint: Callable[[int], Path], address: str, path: Path, clock: Clock) -> tuple[str, bytes]:
    """Into a new shard at `path`, what is stored of an account, with its directory row. `checkpoint` is that
    of the node which has a partition.

    The address as canonical, and the new shard's incarnation. Raises NotRestored and ShardError.
    """
    asked, incarnation = parsed(address), clock.random(16)
    directory = directory_account(asked)
    listed = keys.state(directory, Kind.DIRECTORY, str(asked).encode())
    listing = open_copy(checkpoint(keys.partition(directory)), MEMORY_OCTETS)
    try:
        row = directory_row(listing, asked)
    finally:
        listing.close()
    source = open_copy(checkpoint(keys.partition(row.account)), MEMORY_OCTETS)
    try:
        own = keys.state(row.account, Kind.ACCOUNT)
        target = open_shard(path, MEMORY_OCTETS, incarnation)
        try:
            puts = copied(source, row.account)
            while part := next_part(puts):
                target.write(part, sync=False)
            values = [(own, source.get(Family.STATE, own)), (listed, row.SerializeToString())]
            target.write([(Family.STATE, key, value) for key, value in values], sync=True)
        finally:
            target.close()
    finally:
        source.close()
    return str(asked), incarnation
