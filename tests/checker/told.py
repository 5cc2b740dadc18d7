"""What one client was told of the mailbox that it has selected (RFC 9051 §5.2, §7.4-5)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from tests.wire.fetched import Fetched

UID_MAX = 0xFFFFFFFF
EXISTS = re.compile(rb"\* (\d+) EXISTS\Z")
RECENT = re.compile(rb"\* (\d+) RECENT\Z")
VANISHED = re.compile(rb"\* VANISHED ([\d:,]+)\Z")
EXPUNGE = re.compile(rb"\* (\d+) EXPUNGE\Z")


class Lie(AssertionError):
    """The server said something that cannot be true."""


@dataclass(slots=True)
class Known:
    """One message. `uid` 0, `mod_sequence` 0, `flags` None: not told yet. `flags` are without \\Recent."""

    uid: int = 0
    flags: frozenset[str] | None = None
    mod_sequence: int = 0


@dataclass(slots=True)
class Told:
    """The messages behind the sequence numbers; `selected_at`: the moment when SELECT was sent."""

    selected_at: int
    messages: list[Known] = field(default_factory=list)

    def exists(self, count: int) -> None:
        """RFC 9051 §7.4.1: only EXPUNGE makes it less."""
        if count < len(self.messages):
            raise Lie(f"EXISTS {count} after {len(self.messages)}, without EXPUNGE")
        self.messages += [Known() for _ in range(count - len(self.messages))]

    def recent(self, count: int) -> None:
        if count > len(self.messages):
            raise Lie(f"RECENT {count} of {len(self.messages)}")

    def expunge(self, number: int) -> Known:
        """RFC 9051 §7.5.1: what follows moves up."""
        gone = self._at(number)
        del self.messages[number - 1]
        return gone

    def vanish(self, uid: int) -> None:
        """RFC 7162 §3.2.10. A UID that was not told yet is one of the messages without any at its place:
        which of them is all the same."""
        after = next((n for n, known in enumerate(self.messages) if known.uid >= uid), len(self.messages))
        if after < len(self.messages) and self.messages[after].uid == uid:
            del self.messages[after]
        elif after and not self.messages[after - 1].uid:
            del self.messages[after - 1]
        else:
            raise Lie(f"VANISHED {uid}, which is not among {self.uids()}")

    def fetch(self, item: Fetched) -> Known:
        known = self._at(item.number)
        if b"UID" in item.items and item.uid != known.uid:
            self._uid(item.number, known, item.uid)
        if b"FLAGS" in item.items:
            known.flags = item.flags
        if b"MODSEQ" in item.items:
            self._mod_sequence(item.number, known, int(item.items[b"MODSEQ"].strip(b"()")))
        return known

    def uids(self) -> list[int]:
        """Those that were told."""
        return [known.uid for known in self.messages if known.uid]

    def number(self, uid: int) -> int:
        """0: not told."""
        return next((n for n, known in enumerate(self.messages, 1) if known.uid == uid), 0)

    def _at(self, number: int) -> Known:
        if not 1 <= number <= len(self.messages):
            raise Lie(f"message {number} of {len(self.messages)}")
        return self.messages[number - 1]

    def _mod_sequence(self, number: int, known: Known, now: int) -> None:
        """RFC 7162 §3.1: it only grows."""
        if now < max(known.mod_sequence, 1):
            raise Lie(f"message {number} has mod-sequence {now} after {known.mod_sequence}")
        known.mod_sequence = now

    def _uid(self, number: int, known: Known, uid: int) -> None:
        """RFC 9051 §2.3.1.1: a message keeps its UID, and they ascend with the numbers."""
        if known.uid not in (0, uid):
            raise Lie(f"message {number} has UID {uid}, and had {known.uid}")
        before = next((k.uid for k in reversed(self.messages[: number - 1]) if k.uid), 0)
        after = next((k.uid for k in self.messages[number:] if k.uid), UID_MAX + 1)
        if not before < uid < after:
            raise Lie(f"UID {uid} at {number}, between {before} and {after}")
        known.uid = uid


def numbers_of(octets: bytes) -> list[int]:
    """A sequence set without "*", in its order."""
    numbers: list[int] = []
    for piece in octets.split(b","):
        first, _, last = piece.partition(b":")
        numbers += range(int(first), int(last or first) + 1)
    return numbers
