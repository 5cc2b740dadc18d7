"""A position in the octets of one whole command: what the productions of a grammar move along."""

from __future__ import annotations

from re import Match, Pattern

from protocols.fault import Fault


class Cursor:
    """Nothing asks for more octets: the command is whole. A mismatch leaves the position where it was."""

    __slots__ = ("at", "octets")

    def __init__(self, octets: bytes, at: int = 0) -> None:
        self.octets = octets
        self.at = at

    @property
    def ended(self) -> bool:
        return self.at >= len(self.octets)

    def peek(self) -> bytes:
        """The next octet, or b"" at the end."""
        return self.octets[self.at : self.at + 1]

    def skip(self, token: bytes) -> bool:
        """Move past these very octets, if they come next."""
        if not self.octets.startswith(token, self.at):
            return False
        self.at += len(token)
        return True

    def match(self, pattern: Pattern[bytes]) -> Match[bytes] | None:
        """Move past what the pattern matches here."""
        match = pattern.match(self.octets, self.at)
        if match:
            self.at = match.end()
        return match

    def run(self, count: int) -> bytes | None:
        """Move past so many octets; None when they are not there."""
        end = self.at + count
        if end > len(self.octets):
            return None
        taken = self.octets[self.at : end]
        self.at = end
        return taken

    def need(self, pattern: Pattern[bytes], what: str) -> bytes:
        """What the pattern matches here; raises Fault("BAD", ...) otherwise."""
        match = self.match(pattern)
        if match is None:
            raise self.fault(what)
        return match[0]

    def fault(self, expected: str) -> Fault:
        return Fault("BAD", f"Expected {expected} at octet {self.at}")
