"""A report's octets out of what it travels in: gzip (RFC 1952), a zip archive of one file, or plain.

What unfolds to more than it may is refused as soon as it has, before more is unfolded.
"""

from __future__ import annotations

import zlib
from struct import Struct, error

from protocols.reports.values import Malformed

_GZIP = b"\x1f\x8b"
_ZIP = b"PK\x03\x04"
_ZIP_END = b"PK\x05\x06"
_CENTRAL = Struct("<4s4xHH8xI18xI")
"""Signature, flags, method, size as packed and where the local header is: APPNOTE 6.3.3 §4.3.12."""
_LOCAL = Struct("<4s22xHH")
"""Signature, sizes of name and extra field: §4.3.7."""
_END_OCTETS_MAX = 22 + 65_535
_STORED, _DEFLATED = 0, 8
_ENCRYPTED = 1


def packed(octets: bytes) -> bytes:
    """As gzip, the same for the same octets."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    return deflate.compress(octets) + deflate.flush()


def unpacked(octets: bytes, octets_max: int) -> bytes:
    """Of whatever it is, by its first octets; raises Malformed."""
    if octets.startswith(_GZIP):
        return _inflated(octets, 16 + zlib.MAX_WBITS, octets_max)
    if octets.startswith(_ZIP):
        return _of_zip(octets, octets_max)
    if len(octets) > octets_max:
        raise Malformed("it is too long")
    return octets


def _inflated(octets: bytes, window: int, octets_max: int) -> bytes:
    inflate = zlib.decompressobj(window)
    try:
        found = inflate.decompress(octets, octets_max + 1)
    except zlib.error as why:
        raise Malformed(f"it cannot be unfolded: {why}") from None
    if len(found) > octets_max:
        raise Malformed("it unfolds to too much")
    if not inflate.eof:
        raise Malformed("it ends too early")
    return found


def _of_zip(octets: bytes, octets_max: int) -> bytes:
    """Its only file, as its central directory tells of it."""
    tail = len(octets) - _END_OCTETS_MAX
    end = octets.rfind(_ZIP_END, max(tail, 0))
    if end < 0 or end + 22 > len(octets):
        raise Malformed("its archive ends too early")
    if int.from_bytes(octets[end + 10 : end + 12], "little") != 1:
        raise Malformed("its archive has not one file")
    try:
        signature, flags, method, size, at = _CENTRAL.unpack_from(octets, _long(octets, end + 16))
        local, name, extra = _LOCAL.unpack_from(octets, at)
    except error:
        raise Malformed("its archive is cut") from None
    if signature != b"PK\x01\x02" or local != _ZIP or flags & _ENCRYPTED:
        raise Malformed("its archive cannot be read")
    begin = at + _LOCAL.size + name + extra
    content = octets[begin : begin + size]
    if method == _STORED and len(content) <= octets_max:
        return content
    if method == _DEFLATED:
        return _inflated(content, -zlib.MAX_WBITS, octets_max)
    raise Malformed("its archive cannot be read")


def _long(octets: bytes, at: int) -> int:
    return int.from_bytes(octets[at : at + 4], "little")
