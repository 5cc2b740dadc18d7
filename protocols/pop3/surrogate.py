"""A header in ASCII for clients that did not ask for UTF-8: RFC 6856 §2.1, by the simple rules of RFC 6858.

Text becomes encoded words, parameters extended values (RFC 2231 §4), an address that cannot be said in ASCII
a display name before an address that is none, and fields that hold neither are left out. Octets that are not
UTF-8 stay: nobody can tell what they say. The body stays as it is, 8BITMIME or not.
"""

from __future__ import annotations

import re

from protocols.mime.address import GROUP_END, Address, read_addresses
from protocols.mime.fields import read_header, unfold
from protocols.mime.limits import MIME_LIMITS
from protocols.mime.parameters import Parameters, percent_encoded, read_content_type, read_disposition
from protocols.mime.words import decode_words, encode_phrase, encode_words

NO_ADDRESS = b"invalid@internationalized-address.invalid"
LINE_OCTETS = 76  # RFC 2047 §2, where a line has an encoded word

_ADDRESSES = frozenset(
    b"from sender reply-to to cc bcc resent-from resent-sender resent-reply-to resent-to resent-cc resent-bcc"
    b" disposition-notification-to".split()
)
_NO_TEXT = frozenset(
    b"received return-path delivered-to date message-id in-reply-to references resent-date resent-message-id"
    b" mime-version content-id content-transfer-encoding dkim-signature".split()
)
_ATOMS = re.compile(rb"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+")
_WORDS = re.compile(rb"[ \t]*[^ \t]+|[ \t]+\Z")


class Surrogate:
    """Lets a message pass and puts its header into ASCII, as far as the limits of MIME reach."""

    __slots__ = ("_header", "_in_header")

    def __init__(self) -> None:
        self._header = b""
        self._in_header = True

    def take(self, octets: bytes) -> bytes:
        """What may leave; nothing until the header is whole."""
        if not self._in_header:
            return octets
        self._header += octets
        end = 2 if self._header.startswith(b"\r\n") else self._header.find(b"\r\n\r\n") + 4
        if end < 4 and end != 2 and len(self._header) < MIME_LIMITS.header_octets_max:
            return b""
        return self._pass(end)

    def end(self) -> bytes:
        """The message was a header only."""
        return self._pass(len(self._header)) if self._in_header else b""

    def _pass(self, end: int) -> bytes:
        octets, self._header, self._in_header = self._header, b"", False
        header = octets[:end]
        return octets if header.isascii() else surrogate(header) + octets[end:]


def surrogate(header: bytes) -> bytes:
    """A header block with the empty line that ends it, if it has one."""
    said, at = [], 0
    for field in read_header(header, 0, MIME_LIMITS.fields_max).fields:
        octets = header[field.start : field.end]
        said.append(octets if octets.isascii() or not _is_utf8(octets) else _field(field.name, octets))
        at = field.end
    return b"".join(said) + header[at:]


def _field(name: bytes, octets: bytes) -> bytes:
    kind, value = name.lower(), unfold(octets[len(name) :].partition(b":")[2])
    if not name or not name.isascii() or kind in _NO_TEXT:
        return b""
    if kind in _ADDRESSES:
        body = _address_list(read_addresses(value))
    elif kind == b"content-type" and (media := read_content_type(value, MIME_LIMITS.parameters_max)):
        body = _with_parameters(media.type + b"/" + media.subtype, media.parameters)
    elif kind == b"content-disposition" and (found := read_disposition(value, MIME_LIMITS.parameters_max)):
        body = _with_parameters(found.type, found.parameters)
    else:
        body = encode_words(decode_words(value))
    return _folded(name + b": " + body) + b"\r\n"


def _address_list(addresses: list[Address]) -> bytes:
    """address-list, RFC 5322 §3.4"""
    said, separator = b"", b""
    for address in addresses:
        if address == GROUP_END:
            said, separator = said + b";", b", "
        elif address.host is None:
            said, separator = said + separator + _phrase(address.mailbox or b"") + b":", b" "
        else:
            said, separator = said + separator + _mailbox(address), b", "
    return said


def _mailbox(address: Address) -> bytes:
    name, local, host = address.name or b"", address.mailbox or b"", address.host or b""
    if not (local and host):
        return _phrase(name or local or host)
    spec = (local if _ATOMS.fullmatch(local) else _quoted(local)) + b"@" + host
    if not spec.isascii():
        return (
            _phrase(b" ".join(word for word in (name, local + b"@" + host) if word)) + b" <%b>" % NO_ADDRESS
        )
    return _phrase(name) + b" <%b>" % spec if name else spec


def _phrase(name: bytes) -> bytes:
    if name.isascii():
        return name if b"=?" in name else _quoted(name)
    return encode_phrase(decode_words(name))


def _quoted(text: bytes) -> bytes:
    return b'"%b"' % text.replace(b"\\", b"\\\\").replace(b'"', b'\\"')


def _with_parameters(value: bytes, parameters: Parameters) -> bytes:
    """A parameter that is not ASCII is an extended one, RFC 2231 §4; a type that is not is no type."""
    said = [value if value.isascii() else b"application/octet-stream"]
    for name, content in parameters:
        plain = name.rstrip(b"*")
        if plain.isascii():
            ascii_only = content.isascii()
            said.append(plain + (b"=" + _quoted(content) if ascii_only else b"*=" + percent_encoded(content)))
    return b"; ".join(said)


def _folded(line: bytes) -> bytes:
    """RFC 5322 §2.2.3: broken before white space, where a line would be longer than LINE_OCTETS."""
    lines, current = [], b""
    for word in _WORDS.findall(line):
        if current and len(current) + len(word) > LINE_OCTETS and word.strip():
            lines.append(current)
            current = b""
        current += word
    return b"\r\n".join([*lines, current])


def _is_utf8(octets: bytes) -> bool:
    try:
        octets.decode()
    except UnicodeDecodeError:
        return False
    return True
