"""Flags (RFC 9051 §2.3.2): the system ones in their case, and names for the bits of a message's flags."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

SYSTEM = ("\\Answered", "\\Flagged", "\\Deleted", "\\Seen", "\\Draft")
RECENT = "\\Recent"
_CANONICAL = {name.lower(): name for name in (*SYSTEM, RECENT)}
_CACHED_MAX = 10_000  # distinct sets of flags in one mailbox; more are rendered each time


def canonical(flag: str) -> str:
    """A system flag in the case of the RFC; any other as it is."""
    return _CANONICAL.get(flag.lower(), flag) if flag.startswith("\\") else flag


def each_once(flags: Iterable[str]) -> tuple[str, ...]:
    """Flags in order of appearance, canonical, without those that differ in case only from one before."""
    once: dict[str, str] = {}
    for flag in flags:
        once.setdefault(flag.lower(), canonical(flag))
    return tuple(once.values())


class FlagNames:
    """The names of the 64 bits of a message's flags, and flag lists rendered once for each distinct value."""

    __slots__ = ("_lists", "names")

    def __init__(self, names: Sequence[str]) -> None:
        """`names[i]` is the flag of bit i; empty when the bit has none."""
        self.names = tuple(names)
        self._lists: dict[int, bytes] = {}

    def list(self, flags: int) -> bytes:
        """The names of the bits that are set, with spaces between: `\\Seen $Forwarded`."""
        found = self._lists.get(flags)
        if found is None:
            found = b" ".join(n.encode() for i, n in enumerate(self.names) if n and flags >> i & 1)
            if len(self._lists) < _CACHED_MAX:
                self._lists[flags] = found
        return found

    def lists(self, flags: Sequence[int]) -> Iterable[bytes]:
        """`list` of each: one look-up a message where few distinct values are."""
        distinct = set(flags)
        if len(distinct) > _CACHED_MAX:
            return map(self.list, flags)
        return map({value: self.list(value) for value in distinct}.__getitem__, flags)
