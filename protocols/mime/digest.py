"""All that is kept of a message beside its octets, in one value."""

from dataclasses import dataclass

from protocols.mime.address import Address
from protocols.mime.date import Sent, read_date
from protocols.mime.envelope import envelope_addresses, write_envelope
from protocols.mime.fields import Field, Header
from protocols.mime.identifier import read_identifiers
from protocols.mime.limits import MIME_LIMITS, MimeLimits
from protocols.mime.part import Message, Part
from protocols.mime.scan import scan
from protocols.mime.structure import body_structure as write_body_structure
from protocols.mime.structure import both
from protocols.mime.subject import BaseSubject, base_subject
from protocols.mime.words import decode_words


@dataclass(frozen=True, slots=True)
class SortKeys:
    """RFC 5256 §3, RFC 5957 §3: decoded, but not yet in the form of a collation; empty for what is absent."""

    base_subject: str
    is_reply: bool  # `Re:`, `Fwd:` or the like was removed from the subject: RFC 5256 §3, THREAD
    from_mailbox: str  # addr-mailbox of the first address
    to_mailbox: str
    cc_mailbox: str
    display_from: str
    display_to: str


@dataclass(frozen=True, slots=True)
class Digest:
    """A message read. Octets of IMAP data are ASCII; where `needs_utf8`, a UTF8=ACCEPT session deserves
    `envelope`, `body` and `body_structure` of the parts written again, with utf8 true."""

    size: int
    head: bytes  # the raw header with its empty line
    fields: tuple[Field, ...]
    root: Part
    envelope: bytes
    body: bytes
    body_structure: bytes
    needs_utf8: bool
    preview: str
    message_id: bytes  # normal form, without angle brackets; empty where there is none
    in_reply_to: tuple[bytes, ...]
    references: tuple[bytes, ...]  # the last of them, oldest first
    sent: Sent | None  # the Date field
    sort: SortKeys


def digest(octets: bytes, limits: MimeLimits = MIME_LIMITS) -> Digest:
    """Read a whole message."""
    return digest_of(scan(octets, limits), limits)


def digest_of(message: Message, limits: MimeLimits = MIME_LIMITS) -> Digest:
    """What `digest` gives, of a message that was scanned, in pieces or whole."""
    root = message.root
    header = root.header
    addresses = envelope_addresses(header, limits)
    envelope = write_envelope(header, addresses, False)
    body, body_structure = both(root, False, limits)
    needs_utf8 = _may_need_utf8(root) and (
        write_envelope(header, addresses, True) != envelope
        or write_body_structure(root, True, limits) != body_structure
    )
    identifiers = read_identifiers(header.index.get(b"message-id", b""))
    date = header.first(b"date")
    return Digest(
        message.size,
        header.octets,
        header.fields,
        root,
        envelope,
        body,
        body_structure,
        needs_utf8,
        message.preview,
        identifiers[0] if identifiers else b"",
        _last_identifiers(header, b"in-reply-to", limits.references_max),
        _last_identifiers(header, b"references", limits.references_max),
        read_date(date) if date else None,
        _sort_keys(header, addresses),
    )


@dataclass(frozen=True, slots=True)
class Utf8Forms:
    """IMAP data of a message where quoted strings may hold UTF-8: RFC 6855 §3."""

    envelope: bytes
    body: bytes
    body_structure: bytes


def utf8_forms(message: Message, limits: MimeLimits = MIME_LIMITS) -> Utf8Forms:
    """Of a message that was scanned; of its header alone the envelope is right."""
    header = message.root.header
    envelope = write_envelope(header, envelope_addresses(header, limits), True)
    return Utf8Forms(envelope, *both(message.root, True, limits))


def _may_need_utf8(part: Part) -> bool:
    """Whether a part's structure may differ in a session with UTF8=ACCEPT; it rarely does."""
    header = part.header
    return (
        not header.octets.isascii()
        or part.content_type.media_type == b"message/global"
        or b"*" in header.index.get(b"content-type", b"")
        or b"*" in header.index.get(b"content-disposition", b"")
        or any(map(_may_need_utf8, part.children))
    )


def _last_identifiers(header: Header, name: bytes, most: int) -> tuple[bytes, ...]:
    value = header.index.get(name)
    return tuple(read_identifiers(value)[-most:]) if value else ()


def _sort_keys(header: Header, addresses: dict[bytes, list[Address]]) -> SortKeys:
    subject = header.first(b"subject")
    base = base_subject(decode_words(subject)) if subject else BaseSubject("", False)
    author, to = _first(addresses, b"from"), _first(addresses, b"to")
    return SortKeys(
        base.text,
        base.is_reply,
        _mailbox(author),
        _mailbox(to),
        _mailbox(_first(addresses, b"cc")),
        _display(author),
        _display(to),
    )


_NOBODY = Address(None, None, None, None)


def _first(addresses: dict[bytes, list[Address]], name: bytes) -> Address:
    found = addresses.get(name)
    return found[0] if found else _NOBODY


def _mailbox(address: Address) -> str:
    return decode_words(address.mailbox) if address.mailbox else ""


def _display(address: Address) -> str:
    """RFC 5957 §3."""
    if address.name and (name := decode_words(address.name)):
        return name
    mailbox = _mailbox(address)
    return f"{mailbox}@{decode_words(address.host)}" if mailbox and address.host else mailbox
