"""A header as signatures see it: RFC 6376 §3.7 and §5.4.2."""

from __future__ import annotations

import re
from collections.abc import Iterable

from protocols.dkim.canonical import Form, relaxed_field

_FIELD = re.compile(rb"[^\n]*+(?:\n[ \t][^\n]*+)*+\n")
_B_TAG = re.compile(rb"(\A[^:]*:|;)([ \t\r\n]*b[ \t\r\n]*=)[^;]*")


class Head:
    """The raw fields of a header, which ends with the CRLF of the last one. Other lines are passed over."""

    __slots__ = ("_by_name", "_relaxed")

    def __init__(self, octets: bytes) -> None:
        self._by_name: dict[bytes, list[bytes]] = {}
        self._relaxed: dict[bytes, bytes] = {}
        for field in _FIELD.findall(octets):
            name, colon, _ = field.partition(b":")
            if colon:
                self._by_name.setdefault(name.rstrip(b" \t").lower(), []).append(field)

    def all(self, name: bytes) -> list[bytes]:
        """The fields of a lower-case name, in their order."""
        return self._by_name.get(name, [])

    def signed(self, names: Iterable[bytes], form: Form, signature: bytes) -> bytes:
        """What a signature field is made over: the fields that it names, of several the last first, then
        itself without its `b=`. What is not there counts as nothing."""
        taken: dict[bytes, int] = {}
        pieces = []
        for name in names:
            fields = self._by_name.get(name)
            if fields is None:
                continue
            at = taken.get(name, 0) + 1
            while at <= len(fields) and fields[-at] is signature:  # a signature does not sign itself
                at += 1
            taken[name] = at
            if at <= len(fields):
                pieces.append(self.canonical(fields[-at], form))
        own = without_signature(signature)
        own = relaxed_field(own) if form is Form.RELAXED else own
        return b"".join(pieces) + own.removesuffix(b"\r\n")

    def canonical(self, field: bytes, form: Form) -> bytes:
        if form is Form.SIMPLE:
            return field
        relaxed = self._relaxed.get(field)
        if relaxed is None:
            relaxed = self._relaxed[field] = relaxed_field(field)
        return relaxed


def value_of(field: bytes) -> bytes:
    """Behind the colon, as it stands."""
    return field.partition(b":")[2]


def without_signature(field: bytes) -> bytes:
    """With the value of `b=` deleted, and all white space around it: RFC 6376 §3.7."""
    return _B_TAG.sub(rb"\1\2", field, count=1)
