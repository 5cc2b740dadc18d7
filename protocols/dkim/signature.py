"""The DKIM-Signature field that we make: RFC 6376 §3.5, §3.7 and §5.4."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass

from protocols.dkim.canonical import Form
from protocols.dkim.head import Head

SIGNED = (
    b"from", b"to", b"cc", b"subject", b"date", b"message-id", b"reply-to", b"in-reply-to", b"references",
    b"sender", b"mime-version", b"content-type", b"content-transfer-encoding", b"content-disposition",
    b"list-id", b"list-unsubscribe", b"list-unsubscribe-post",
)  # fmt: skip
"""What makes a message what it is, RFC 6376 §5.4.1."""

OVERSIGNED = frozenset(
    (
        b"from", b"to", b"cc", b"subject", b"date", b"message-id", b"reply-to", b"sender",
        b"mime-version", b"content-type", b"content-transfer-encoding",
    )
)  # fmt: skip
"""Named once more than they are there: another one, put in later, breaks the signature (RFC 6376 §8.15)."""

VALUE_OCTETS = 72  # of a line of base64


@dataclass(frozen=True, slots=True)
class Unsigned:
    """A signature that lacks only its `b=`."""

    field: bytes
    """From its name to `b=`, without a line end."""
    header: bytes
    """What is signed: fields in relaxed form, this one last."""
    rest: bytes = b""
    """Of the field, behind the value of `b=`."""

    def signed(self, signature: bytes) -> bytes:
        """The whole field, with its CRLF."""
        text = b64encode(signature)
        lines = [text[at : at + VALUE_OCTETS] for at in range(0, len(text), VALUE_OCTETS)]
        return self.field + b"\r\n\t".join(lines) + self.rest + b"\r\n"


def unsigned(
    *, algorithm: str, domain: str, selector: str, seconds: int, body_hash: bytes, head: Head
) -> Unsigned:
    """Tags in the order of RFC 6376 §3.5."""
    names = [name for name in SIGNED for _ in range(len(head.all(name)) + (name in OVERSIGNED))]
    text = (
        b"DKIM-Signature: v=1; a=%b; c=relaxed/relaxed; d=%b; s=%b; t=%d;\r\n\tbh=%b;\r\n\th=%b;\r\n\tb="
        % (
            algorithm.encode(),
            domain.encode(),
            selector.encode(),
            seconds,
            b64encode(body_hash),
            folded(names),
        )
    )
    return Unsigned(text, head.signed(names, Form.RELAXED, text))


def folded(names: Sequence[bytes]) -> bytes:
    """Names in lines of a bounded length."""
    lines = [b""]
    for name in names:
        if len(lines[-1]) + len(name) > VALUE_OCTETS:
            lines.append(b"")
        lines[-1] += (b":" if len(lines) > 1 or lines[-1] else b"") + name
    return b"\r\n\t ".join(lines)
