"""Files that are there whole or not at all, whenever the machine stops."""

from __future__ import annotations

import os
from pathlib import Path


def write_whole(path: Path, text: str) -> None:
    """In place of what is there; its owner's alone. Raises OSError."""
    making = path.with_name(path.name + ".making")
    with open(making, "w", encoding="utf-8", opener=_private) as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    making.rename(path)
    sync(path.parent)


def unlink(path: Path) -> None:
    path.unlink(missing_ok=True)
    sync(path.parent)


def sync(path: Path) -> None:
    """A file's octets, or what was made, renamed and removed in a folder."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
