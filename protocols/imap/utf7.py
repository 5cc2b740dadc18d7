"""Modified UTF-7 for mailbox names, RFC 3501 §5.1.3."""

from __future__ import annotations

import binascii
import re

_ALONE = re.compile("[\ud800-\udfff]")
_UNENCODED = re.compile(r"[\x20-\x7e]+")
_ENCODED = re.compile(rb"&([^-]*)-")


def encode(name: str) -> bytes:
    """The name in printable US-ASCII. Surrogates that stand alone become U+FFFD."""
    if name.isascii() and name.isprintable():
        return name.replace("&", "&-").encode()
    encoded = bytearray()
    at = 0
    for plain in _UNENCODED.finditer(name):
        encoded += _shifted(name[at : plain.start()])
        encoded += plain[0].replace("&", "&-").encode()
        at = plain.end()
    return bytes(encoded + _shifted(name[at:]))


def _shifted(text: str) -> bytes:
    if not text:
        return b""
    octets = _ALONE.sub("\ufffd", text).encode("utf-16-be")
    base64 = binascii.b2a_base64(octets, newline=False).rstrip(b"=")
    return b"&" + base64.replace(b"/", b",") + b"-"


def decode(octets: bytes) -> str | None:
    """The name; None when it is not modified UTF-7: 8-bit, a shift without end, or what has a shorter form.

    RFC 3501 §5.1.3 forbids those: one name would have several spellings.
    """
    name = _decoded(octets)
    return name if name is not None and encode(name) == octets else None


def _decoded(octets: bytes) -> str | None:
    if b"&" not in octets:
        return octets.decode() if octets.isascii() else None
    decoded = []
    at = 0
    for shift in _ENCODED.finditer(octets):
        text = _unshifted(shift[1])
        if text is None:
            return None
        decoded += [octets[at : shift.start()], text.encode()]
        at = shift.end()
    decoded.append(octets[at:])
    if any(b"&" in piece or not piece.isascii() for piece in decoded[::2]):
        return None
    return b"".join(decoded).decode()


def _unshifted(base64: bytes) -> str | None:
    if not base64:
        return "&"
    try:
        octets = binascii.a2b_base64(base64.replace(b",", b"/") + b"=" * (-len(base64) % 4), strict_mode=True)
        return octets.decode("utf-16-be")
    except (binascii.Error, UnicodeDecodeError):
        return None
