"""The header field table: which field stands where, and a field's value unfolded.

Fields tile the header: each ends where the next begins, the last one before the empty line. A line that is no
field (RFC 5322 §2.2), such as the `From ` line of a mailbox file, is a row with the empty name.
"""

import re
from dataclasses import dataclass
from typing import NamedTuple

# A line with the lines that continue it: RFC 5322 §2.2.3. A bare LF ends a line too.
_FIELD = re.compile(rb"[^\n]*+(?:\n[ \t][^\n]*+)*+(?:\n|\Z)")
# field-name: RFC 5322 §3.6.8, with white space before the colon, §4.5.8. Leniency: 8-bit names; seen in spam.
_NAME = re.compile(rb"[!-9;-~\x80-\xff]+(?=[ \t]*\Z)")
_FOLD = re.compile(rb"\r?\n")


class Field(NamedTuple):
    """A header field; offsets are absolute in the message, in octets."""

    name: bytes  # as it stands, without the colon; empty for a line that is no field
    start: int
    value: int  # behind the colon
    end: int  # behind the line end


@dataclass(frozen=True, slots=True)
class Header:
    """A header block: its octets with the empty line that ends it, where it begins, and its fields."""

    octets: bytes
    start: int
    fields: tuple[Field, ...]
    index: dict[bytes, bytes]  # lower-case name -> value as it stands, of the first field of that name
    repeated: frozenset[bytes]  # the names (lower case) of several fields

    def first(self, name: bytes) -> bytes | None:
        """The value of the first field `name` (lower case), unfolded and stripped; None: there is none."""
        value = self.index.get(name)
        return None if value is None else unfold(value)

    def all(self, name: bytes) -> list[bytes]:
        """The values of all fields `name` (lower case), in order."""
        return [
            unfold(self.octets[field.value - self.start : field.end - self.start])
            for field in self.fields
            if field.name.lower() == name
        ]


def no_header(start: int) -> Header:
    """That of a part without one."""
    return Header(b"", start, (), {}, frozenset())


def read_header(octets: bytes, start: int, fields_max: int) -> Header:
    """Read a header block that begins at the absolute offset `start`."""
    fields: list[Field] = []
    index: dict[bytes, bytes] = {}
    repeated: set[bytes] = set()
    offset = start
    for line in _FIELD.findall(octets, 0, _end_of_fields(octets)):
        if not line or len(fields) == fields_max:
            break
        end = offset + len(line)
        name, colon, value = line.partition(b":")
        known = _LOWER.get(name)
        if known is None:
            known = _lower_name(name) if colon else b""
        if known:
            fields.append(Field(name.rstrip(), offset, offset + len(name) + 1, end))
            if known not in index:
                index[known] = value
            else:
                repeated.add(known)
        else:
            fields.append(Field(b"", offset, offset, end))
        offset = end
    return Header(octets, start, tuple(fields), index, frozenset(repeated))


def unfold(value: bytes) -> bytes:
    """Remove line ends (RFC 5322 §2.2.3) and the white space around."""
    if b"\n" in value[:-2]:
        value = _FOLD.sub(b"", value)
    return value.strip(b" \t\r\n")


def _end_of_fields(octets: bytes) -> int:
    """Where the empty line begins, or the block ends without one."""
    if octets.endswith((b"\n\r\n", b"\n\n")) or octets in (b"\r\n", b"\n"):
        return octets.rfind(b"\n", 0, -1) + 1
    return len(octets)


def _lower_name(name: bytes) -> bytes:
    """The name in lower case; empty where it is no field name."""
    match = _NAME.match(name)
    return match.group().lower() if match else b""


_LOWER: dict[bytes, bytes] = {
    spelling: name.lower()
    for name in (
        *(b"Received", b"Return-Path", b"Delivered-To", b"Date", b"Subject", b"From", b"Sender", b"Reply-To"),
        *(b"To", b"Cc", b"Bcc", b"In-Reply-To", b"Message-ID", b"Message-Id", b"References", b"MIME-Version"),
        *(
            b"Content-Type",
            b"Content-Transfer-Encoding",
            b"Content-Disposition",
            b"Content-ID",
            b"Content-Id",
        ),
        *(b"Content-Description", b"Content-Language", b"Content-Location", b"Content-MD5", b"Mime-Version"),
        *(b"DKIM-Signature", b"X-Mailer", b"User-Agent", b"List-Id", b"List-Unsubscribe", b"List-Post"),
        *(b"List-Help", b"List-Subscribe", b"List-Archive", b"Precedence", b"Errors-To", b"X-Spam-Status"),
        *(b"Authentication-Results", b"Received-SPF", b"ARC-Seal", b"ARC-Message-Signature", b"Organization"),
        *(b"ARC-Authentication-Results", b"X-Received", b"X-Originating-IP", b"X-Spam-Level", b"Importance"),
    )
    for spelling in (name, name.lower(), name.upper())
}
