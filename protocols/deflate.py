"""A DEFLATE layer (RFC 1951) between a session and its peer: raw, as RFC 4978 §3 has it."""

from __future__ import annotations

import zlib

from protocols.fault import Fault


class Deflate:
    """Both directions of one connection.

    What the peer says is inflated a bounded piece at a time: octets that unfold to a thousand times their
    number fill no memory, and whoever takes the pieces decides when. What we say ends with a flush, so that
    the peer can read all of it. While `resting`, nothing is kept of what was said: the compressor, most of
    the layer's memory, begins anew with each piece, which a raw stream may do after a flush.
    """

    __slots__ = ("_deflate", "_full", "_inflate", "_input", "_memory_level", "_window_bits", "resting")

    def __init__(self, window_bits: int, memory_level: int) -> None:
        """`window_bits` 9 to 15, `memory_level` 1 to 9: 2^(bits + 2) + 2^(level + 9) octets while busy."""
        self._window_bits = window_bits
        self._memory_level = memory_level
        self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)  # the peer chooses its window
        self._input = b""
        self._full = False  # the last piece was as long as it may be: there may be more behind it
        self._deflate: zlib._Compress | None = None
        self.resting = False

    # ---- what the peer says

    def feed(self, octets: bytes) -> None:
        self._input += octets

    @property
    def pending(self) -> bool:
        """Whether `take` may give something."""
        return self._full or bool(self._input)

    def take(self, octets_max: int) -> bytes:
        """The next inflated octets, at most so many; raises Fault for what is no DEFLATE or ends it."""
        try:
            octets = self._inflate.decompress(self._input, octets_max)
        except zlib.error:
            raise Fault("BAD", "This is not DEFLATE") from None
        if self._inflate.eof:
            raise Fault("BAD", "The compressed stream ends")
        self._input = self._inflate.unconsumed_tail
        self._full = len(octets) == octets_max
        return octets

    # ---- what we say

    def deflate(self, octets: bytes) -> bytes:
        """All of it, as the peer can inflate it now."""
        deflate = self._deflate or zlib.compressobj(
            method=zlib.DEFLATED, wbits=-self._window_bits, memLevel=self._memory_level
        )
        self._deflate = None if self.resting else deflate
        return deflate.compress(octets) + deflate.flush(zlib.Z_SYNC_FLUSH)

    def rest(self) -> None:
        """Nothing is to be said for long."""
        self.resting = True
        self._deflate = None
