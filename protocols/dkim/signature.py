"""The DKIM-Signature field: RFC 6376 §3.5, §3.7 and §5.4."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass

from protocols.dkim.canonical import relaxed_field

SIGNED = (
    b"from", b"to", b"cc", b"subject", b"date", b"message-id", b"reply-to", b"in-reply-to", b"references",
    b"sender", b"mime-version", b"content-type", b"content-transfer-encoding", b"content-disposition",
    b"list-id", b"list-unsubscribe", b"list-unsubscribe-post",
)  # fmt: skip
"""What makes a message what it is, RFC 6376 §5.4.1."""

OVERSIGNED = (b"from", b"to", b"cc", b"subject", b"date", b"message-id", b"reply-to")
"""Named once more than they are there: another one, put in later, breaks the signature (RFC 6376 §8.15)."""

VALUE_OCTETS = 72  # of a line of base64
_FIELD = re.compile(rb"[^\r\n]*(?:\r\n[ \t][^\r\n]*)*\r\n")


@dataclass(frozen=True, slots=True)
class Unsigned:
    """A signature that lacks only its `b=`."""

    field: bytes
    """From its name to `b=`, without a line end."""
    header: bytes
    """What is signed: fields in relaxed form, this one last."""

    def signed(self, signature: bytes) -> bytes:
        """The whole field, with its CRLF."""
        text = b64encode(signature)
        lines = [text[at : at + VALUE_OCTETS] for at in range(0, len(text), VALUE_OCTETS)]
        return self.field + b"\r\n\t".join(lines) + b"\r\n"


def unsigned(*, domain: str, selector: str, seconds: int, body_hash: bytes, head: bytes) -> Unsigned:
    """For an RSA key; `head` is the raw header. Tags in the order of RFC 6376 §3.5."""
    fields = _by_name(head)
    names = _names(fields)
    text = (
        b"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=%b; s=%b; t=%d;\r\n"
        b"\tbh=%b;\r\n\th=%b;\r\n\tb="
        % (domain.encode(), selector.encode(), seconds, b64encode(body_hash), _folded(names))
    )
    signed = [relaxed_field(fields[name].pop()) for name in names if fields.get(name)]
    return Unsigned(text, b"".join(signed) + relaxed_field(text).removesuffix(b"\r\n"))


def _names(fields: dict[bytes, list[bytes]]) -> list[bytes]:
    """h=: each instance of what is there, and one of each that must not come again."""
    return [name for name in SIGNED for _ in range(len(fields.get(name, ())) + (name in OVERSIGNED))]


def _by_name(head: bytes) -> dict[bytes, list[bytes]]:
    """Raw fields by lower-case name, in their order: the last instance is signed first, RFC 6376 §5.4.2."""
    fields: dict[bytes, list[bytes]] = {}
    for field in _FIELD.findall(head):
        name, colon, _ = field.partition(b":")
        if colon:
            fields.setdefault(name.rstrip(b" \t").lower(), []).append(field)
    return fields


def _folded(names: Sequence[bytes]) -> bytes:
    """Names in lines of a bounded length."""
    lines = [b""]
    for name in names:
        if len(lines[-1]) + len(name) > VALUE_OCTETS:
            lines.append(b"")
        lines[-1] += (b":" if len(lines) > 1 or lines[-1] else b"") + name
    return b"\r\n\t ".join(lines)
