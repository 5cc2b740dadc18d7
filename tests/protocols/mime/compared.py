"""One message read by us and by Python's `email`: what each says, side by side.

A `Compared` is one thing that both were asked. Octets that no charset is known for stand as surrogates.
"""

from __future__ import annotations

import email
import re
from collections.abc import Iterator
from email.headerregistry import AddressHeader, HeaderRegistry
from email.message import Message as Parsed
from email.policy import compat32
from email.utils import mktime_tz, parsedate_tz
from itertools import zip_longest
from typing import Any, NamedTuple

from protocols.mime.address import GROUP_END, Address, read_addresses
from protocols.mime.digest import Digest, digest
from protocols.mime.fields import unfold
from protocols.mime.limits import MIME_LIMITS
from protocols.mime.parameters import Parameters, read_disposition
from protocols.mime.part import Part
from protocols.mime.text import decode_text
from protocols.mime.transfer import decode_transfer
from protocols.mime.words import decode_words

ADDRESSES = ("from", "sender", "reply-to", "to", "cc", "bcc")
_LINE_END = re.compile(r"\r\n|\r|\n")
_REGISTRY = HeaderRegistry()


class Compared(NamedTuple):
    aspect: str
    source: str  # what was read: a field's value, a part's media type and encoding
    ours: Any
    theirs: Any
    octets: bytes = b""  # of a body, as it stands


def compared(octets: bytes) -> Iterator[Compared]:
    """All that both can say of a message."""
    ours, theirs = digest(octets), email.message_from_bytes(octets, policy=compat32)
    fields = [(name, _LINE_END.sub("", value).strip(" \t")) for name, value in theirs.raw_items()]
    yield Compared("fields", _text(ours.head), _our_fields(octets, ours), fields)
    values = {name.lower(): value for name, value in reversed(fields)}
    if "subject" in values:
        yield _subject(values["subject"])
    if "date" in values:
        yield _date(values["date"], ours)
    for name, value in fields:
        if name.lower() in ADDRESSES:
            yield _addresses(name.lower(), value)
    yield from _parts(octets, list(_walk(ours.root)), list(theirs.walk()))


def _text(octets: bytes) -> str:
    return octets.decode("ascii", "surrogateescape")


def _our_fields(octets: bytes, ours: Digest) -> list[tuple[str, str]]:
    return [(_text(f.name), _text(unfold(octets[f.value : f.end]))) for f in ours.fields]


def _subject(value: str) -> Compared:
    return Compared(
        "subject",
        value,
        decode_words(value.encode("ascii", "surrogateescape")),
        str(_REGISTRY("subject", value)),
    )


def _date(value: str, ours: Digest) -> Compared:
    parsed = parsedate_tz(value)
    return Compared("date", value, ours.sent and ours.sent.seconds, parsed and mktime_tz(parsed))


# -- addresses ---------------------------------------------------------------------------------------------

Mailbox = tuple[str, str, str, str]
"""Of the group (empty: none), display name, local part, domain."""


def _addresses(name: str, value: str) -> Compared:
    read = read_addresses(value.encode("ascii", "surrogateescape"))
    try:
        header = _REGISTRY(name, value)
    except AttributeError as mistake:  # some broken lists end so in email/_header_value_parser.py
        return Compared("addresses", value, _our_mailboxes(read), mistake)
    assert isinstance(header, AddressHeader)
    theirs = [
        (group.display_name or "", one.display_name, one.username, one.domain)
        for group in header.groups
        for one in group.addresses
    ]
    return Compared("addresses", value, _our_mailboxes(read), theirs)


def _our_mailboxes(addresses: list[Address]) -> list[Mailbox]:
    found, group = [], ""
    for address in addresses:
        if address == GROUP_END:
            group = ""
        elif address.host is None:
            group = _decoded(address.mailbox)
        else:
            parts = (address.name, address.mailbox, address.host)
            name, mailbox, host = map(_decoded, parts)
            found.append((group, name, mailbox, host))
    return found


def _decoded(octets: bytes | None) -> str:
    return decode_words(octets) if octets else ""


# -- parts -------------------------------------------------------------------------------------------------


def _walk(part: Part) -> Iterator[Part]:
    yield part
    for child in part.children:
        yield from _walk(child)


def _parts(octets: bytes, ours: list[Part], theirs: list[Parsed]) -> Iterator[Compared]:
    """Where the trees differ there is no telling which part is which."""
    trees = (
        [_text(part.content_type.media_type) for part in ours],
        [part.get_content_type() for part in theirs],
    )
    defects = {type(defect).__name__ for part in theirs for defect in part.defects}
    yield Compared("tree", " ".join(sorted(defects)), *trees, octets)
    if trees[0] == trees[1]:
        for own, other in zip_longest(ours, theirs):
            yield from _part(octets, own, other)


def _part(octets: bytes, own: Part, other: Parsed) -> Iterator[Compared]:
    kind = own.content_type
    value = _text(own.header.first(b"content-type") or b"")
    yield Compared("charset", value, _text(kind.charset), other.get_content_charset() or "")
    yield Compared("boundary", value, _text(kind.boundary), other.get_boundary() or "")
    yield from _disposition(own, other, value)
    if not own.children:
        yield from _leaf(octets[own.body_start : own.body_end], own, other)


def _disposition(own: Part, other: Parsed, content_type: str) -> Iterator[Compared]:
    value = own.header.first(b"content-disposition") or b""
    disposition = read_disposition(value, MIME_LIMITS.parameters_max)
    kind = _text(disposition.type).lower() if disposition else ""
    yield Compared("disposition", _text(value), kind, other.get_content_disposition() or "")
    name = _value(disposition.parameters, b"filename") if disposition else b""
    name = name or _value(own.content_type.parameters, b"name")
    theirs = (other.get_filename() or "").strip()
    yield Compared("filename", f"{content_type} | {_text(value)}", _utf8(name.strip()), theirs)


def _value(parameters: Parameters, name: bytes) -> bytes:
    """Of a parameter, the labelled one (RFC 2231) rather than the plain one."""
    found = {spelling.lower(): value for spelling, value in reversed(parameters)}
    return found.get(name + b"*", found.get(name, b""))


def _utf8(octets: bytes) -> str:
    return octets.decode("utf-8", "surrogateescape")


def _leaf(body: bytes, own: Part, other: Parsed) -> Iterator[Compared]:
    source = _text(own.content_type.media_type + b" " + own.encoding)
    decoded = decode_transfer(body, own.encoding)
    theirs = other.get_payload(decode=True)
    assert isinstance(theirs, bytes)
    yield Compared("size", source, own.decoded_size, len(decoded), body)
    yield Compared("octets", source, decoded, theirs, body)
    if decoded == theirs and own.content_type.media_type.startswith(b"text/"):
        charset = own.content_type.charset
        text = decode_text(body, charset, own.encoding, len(decoded))
        yield Compared("text", _text(charset), text, _their_text(theirs, other), decoded)


def _their_text(octets: bytes, other: Parsed) -> str | LookupError:
    try:
        return octets.decode(other.get_content_charset() or "ascii", "replace")
    except LookupError as unknown:
        return unknown
