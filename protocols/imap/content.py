"""The octets of an APPEND as they are kept: of a plain literal a bare LF becomes CRLF, NUL is refused."""

from __future__ import annotations

import re

from protocols.imap.event import LiteralKind

_BARE_LF = re.compile(rb"(?<!\r)\n")


class Content:
    """One message on its way; `kept` takes it in any cuts."""

    __slots__ = ("_after_cr", "_plain", "has_nul")

    def __init__(self, kind: LiteralKind) -> None:
        self._plain = kind is LiteralKind.PLAIN
        self._after_cr = False
        self.has_nul = False

    def kept(self, octets: bytes) -> bytes:
        """These octets with CRLF where a bare LF was (RFC 9051 §6.3.12 asks for RFC 5322 lines)."""
        if not self._plain:
            return octets
        self.has_nul = self.has_nul or b"\0" in octets
        splits_crlf = self._after_cr and octets.startswith(b"\n")
        self._after_cr = octets.endswith(b"\r")
        if octets.count(b"\n") == octets.count(b"\r\n"):
            return octets
        if splits_crlf:
            return b"\n" + _BARE_LF.sub(b"\r\n", octets[1:])
        return _BARE_LF.sub(b"\r\n", octets)
