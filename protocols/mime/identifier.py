"""Message-IDs: RFC 5322 §3.6.4, as threading compares them (RFC 5256 §3)."""

import re

_BRACKETED = re.compile(rb"<([^<>]++)>")
_UNUSUAL = re.compile(rb'[\s("\\]')
_COMMENT = re.compile(rb"\([^()]*+\)")
_SPACE_OR_QUOTE = re.compile(rb'[\s"]++|\\')


def read_identifiers(value: bytes) -> list[bytes]:
    """The Message-IDs of a field value, without their angle brackets and in normal form, in order.

    Leniency: a value without any brackets is taken for words that are Message-IDs where they hold an `@`.
    """
    found = _BRACKETED.findall(value)
    if not found and b"<" not in value:
        found = [word for word in value.split() if b"@" in word]
    return [identifier for identifier in map(_normal, found) if identifier]


def _normal(identifier: bytes) -> bytes:
    """White space, comments (RFC 5322 §4.5.4) and quoting removed."""
    if not _UNUSUAL.search(identifier):
        return identifier
    return _SPACE_OR_QUOTE.sub(b"", _COMMENT.sub(b"", identifier))
