"""A shard with one account alone, for a backup of it."""

from __future__ import annotations

from pathlib import Path

from mailnode.admin.restoring import MEMORY_OCTETS, copied, directory_row, next_part, parsed
from mailnode.clock import Clock
from mailnode.directory.address import directory_account
from mailnode.store import keys
from mailnode.store.keys import Family, Kind
from mailnode.store.shard import open_copy, open_shard


def extract(checkpoint: Path, address: str, path: Path, clock: Clock) -> tuple[str, bytes]:
    """Into a new shard at `path`, of a checkpoint, what is stored of an account, with its directory row.

    The address as canonical, and the new shard's incarnation. Raises NotRestored and ShardError.
    """
    asked, incarnation = parsed(address), clock.random(16)
    source = open_copy(checkpoint, MEMORY_OCTETS)
    try:
        row = directory_row(source, asked)
        own = keys.state(row.account, Kind.ACCOUNT)
        listed = keys.state(directory_account(asked), Kind.DIRECTORY, str(asked).encode())
        target = open_shard(path, MEMORY_OCTETS, incarnation)
        try:
            puts = copied(source, row.account)
            while part := next_part(puts):
                target.write(part, sync=False)
            values = ((Family.STATE, key, source.get(Family.STATE, key)) for key in (own, listed))
            target.write(values, sync=True)
        finally:
            target.close()
    finally:
        source.close()
    return str(asked), incarnation
