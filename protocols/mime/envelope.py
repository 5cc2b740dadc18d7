"""ENVELOPE: RFC 9051 §7.5.2."""

from protocols.mime.address import Address, read_addresses
from protocols.mime.fields import Header
from protocols.mime.imapstring import nstring, quoted
from protocols.mime.limits import MIME_LIMITS, MimeLimits

# What Dovecot says where an address lacks a half, since NIL would mean a group; clients know these words.
_MISSING_MAILBOX = b"MISSING_MAILBOX"
_MISSING_HOST = b"MISSING_DOMAIN"


def envelope(header: Header, utf8: bool, limits: MimeLimits = MIME_LIMITS) -> bytes:
    """The envelope structure of a message with this header."""
    return write_envelope(header, envelope_addresses(header, limits), utf8)


def envelope_addresses(header: Header, limits: MimeLimits) -> dict[bytes, list[Address]]:
    """The address fields of a header by lower-case name.

    Of several destination fields all count (RFC 5322 §4.5.3), of several others the first.
    """
    found: dict[bytes, list[Address]] = {}
    for name in (b"from", b"sender", b"reply-to", b"to", b"cc", b"bcc"):
        value = header.first(name)
        if value:
            if name in header.repeated and name in (b"to", b"cc", b"bcc"):
                value = b",".join(header.all(name))
            found[name] = read_addresses(value, limits)
    return found


def write_envelope(header: Header, addresses: dict[bytes, list[Address]], utf8: bool) -> bytes:
    """The envelope structure from a header and its addresses."""
    lists = {name: _address_list(found, utf8) for name, found in addresses.items()}
    author = lists.get(b"from", b"NIL")
    return b"(%b %b %b %b %b %b %b %b %b %b)" % (
        nstring(header.first(b"date"), utf8),
        nstring(header.first(b"subject"), utf8),
        author,
        lists.get(b"sender", author),
        lists.get(b"reply-to", author),
        lists.get(b"to", b"NIL"),
        lists.get(b"cc", b"NIL"),
        lists.get(b"bcc", b"NIL"),
        nstring(header.first(b"in-reply-to"), utf8),
        nstring(header.first(b"message-id"), utf8),
    )


def _address_list(addresses: list[Address], utf8: bool) -> bytes:
    if not addresses:
        return b"NIL"
    return b"(%b)" % b"".join([_address(address, utf8) for address in addresses])


def _address(address: Address, utf8: bool) -> bytes:
    name, route, mailbox, host = address
    return b"(%b %b %b %b)" % (
        b"NIL" if name is None else quoted(name, utf8),
        b"NIL" if route is None else quoted(route, utf8),
        b"NIL" if mailbox is None else quoted(mailbox or _MISSING_MAILBOX, utf8),
        b"NIL" if host is None else quoted(host or _MISSING_HOST, utf8),
    )
