"""Octets of a shard's files that change behind its back."""

from __future__ import annotations

from pathlib import Path

from mailnode.store.keys import Family
from mailnode.store.shard import RocksShard


def flush(shard: RocksShard) -> None:
    """What was written lies in table files now, and nothing of it in the log."""
    for column in shard._columns.values():
        column.flush()


def flip(file: Path, offset: int) -> None:
    with file.open("r+b") as stream:
        stream.seek(offset)
        octet = stream.read(1)[0]
        stream.seek(offset)
        stream.write(bytes((octet ^ 0xFF,)))


def table(shard: RocksShard, path: Path, first: bytes) -> Path:
    """The table file of the shard at `path` whose first key this is."""
    files = shard._columns[Family.STATE].live_files()
    return path / next(file["name"].strip("/") for file in files if file["start_key"] == first)


def where(path: Path, octets: bytes, suffix: str) -> tuple[Path, int]:
    """The file of the shard at `path`, and the offset in it, where these octets lie uncompressed."""
    for file in sorted(path.glob(f"*{suffix}")):
        at = file.read_bytes().find(octets)
        if at >= 0:
            return file, at
    raise AssertionError(f"no {suffix} file of {path} has {octets[:40]!r}")
