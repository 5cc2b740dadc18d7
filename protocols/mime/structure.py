"""BODY and BODYSTRUCTURE: RFC 9051 §7.5.2, RFC 3501 §7.4.2."""

import re

from protocols.mime.envelope import envelope
from protocols.mime.fields import Header
from protocols.mime.imapstring import nstring, quoted
from protocols.mime.limits import MIME_LIMITS, MimeLimits
from protocols.mime.parameters import Parameters, percent_encoded, read_disposition
from protocols.mime.part import Part

_LANGUAGE_SEPARATOR = re.compile(rb"[\s,]+")
_US_ASCII = b'"CHARSET" "US-ASCII"'  # RFC 2046 §4.1.2: what a text part without a charset has


def body(part: Part, utf8: bool, limits: MimeLimits = MIME_LIMITS) -> bytes:
    """BODY: the structure without extension data."""
    return _Writer(utf8, limits).body(part)


def body_structure(part: Part, utf8: bool, limits: MimeLimits = MIME_LIMITS) -> bytes:
    """BODYSTRUCTURE: the structure with extension data."""
    return _Writer(utf8, limits).structure(part)


def both(part: Part, utf8: bool, limits: MimeLimits = MIME_LIMITS) -> tuple[bytes, bytes]:
    """BODY and BODYSTRUCTURE, the work that they share done once."""
    if part.children:
        return body(part, utf8, limits), body_structure(part, utf8, limits)
    writer = _Writer(utf8, limits)
    leaf = writer.leaf(part)
    return b"(%b)" % leaf, b"(%b %b)" % (leaf, writer.leaf_extension(part.header))


class _Writer:
    """utf8: strings are UTF-8 and message/global is a message; else they are ASCII and it is not."""

    def __init__(self, utf8: bool, limits: MimeLimits) -> None:
        self._utf8 = utf8
        self._limits = limits

    def body(self, part: Part) -> bytes:
        if part.is_multipart:
            parts = b"".join([self.body(child) for child in part.children])
            return b"(%b %b)" % (parts, quoted(part.content_type.subtype, self._utf8))
        if self._is_message(part):
            return b"(%b %b)" % (self._message(part, self.body(part.children[0])), b"%d" % part.lines)
        return b"(%b)" % self.leaf(part)

    def structure(self, part: Part) -> bytes:
        if part.is_multipart:
            return self._multipart(part)
        if self._is_message(part):
            nested = self._message(part, self.structure(part.children[0]))
            return b"(%b %d %b)" % (nested, part.lines, self.leaf_extension(part.header))
        return b"(%b %b)" % (self.leaf(part), self.leaf_extension(part.header))

    def _is_message(self, part: Part) -> bool:
        return part.is_message and (self._utf8 or part.content_type.media_type != b"message/global")

    def _multipart(self, part: Part) -> bytes:
        """body-type-mpart with body-ext-mpart."""
        return b"(%b %b %b %b)" % (
            b"".join([self.structure(child) for child in part.children]),
            quoted(part.content_type.subtype, self._utf8),
            self._parameters(part.content_type.parameters),
            self._common_extension(part.header),
        )

    def _message(self, part: Part, structure: bytes) -> bytes:
        """body-type-msg, but for the lines."""
        return b"%b %b %b" % (self._fields(part), envelope(part.children[0].header, self._utf8), structure)

    def leaf(self, part: Part) -> bytes:
        """body-type-basic or body-type-text."""
        if part.content_type.type.lower() == b"text":
            return b"%b %d" % (self._fields(part), part.lines)
        return self._fields(part)

    def _fields(self, part: Part) -> bytes:
        """media type and body-fields."""
        kind, header = part.content_type, part.header
        parameters = self._parameters(kind.parameters)
        if not kind.charset and kind.type.lower() == b"text":
            parameters = (
                b"(%b)" % _US_ASCII if parameters == b"NIL" else b"%b %b)" % (parameters[:-1], _US_ASCII)
            )
        encoding = header.first(b"content-transfer-encoding")
        return b"%b %b %b %b %b %b %d" % (
            quoted(kind.type, self._utf8),
            quoted(kind.subtype, self._utf8),
            parameters,
            nstring(header.first(b"content-id"), self._utf8),
            nstring(header.first(b"content-description"), self._utf8),
            quoted(part.encoding, self._utf8) if encoding else b'"7BIT"',
            part.body_end - part.body_start,
        )

    def leaf_extension(self, header: Header) -> bytes:
        """body-ext-1part."""
        if b"content-md5" not in header.index:
            return b"NIL " + self._common_extension(header)
        return b"%b %b" % (nstring(header.first(b"content-md5"), self._utf8), self._common_extension(header))

    def _common_extension(self, header: Header) -> bytes:
        """body-fld-dsp, body-fld-lang, body-fld-loc."""
        return b"%b %b %b" % (
            self._disposition(header.first(b"content-disposition")),
            self._language(header.first(b"content-language")),
            nstring(header.first(b"content-location"), self._utf8),
        )

    def _disposition(self, value: bytes | None) -> bytes:
        disposition = read_disposition(value, self._limits.parameters_max) if value else None
        if disposition is None:
            return b"NIL"
        return b"(%b %b)" % (quoted(disposition.type, self._utf8), self._parameters(disposition.parameters))

    def _language(self, value: bytes | None) -> bytes:
        tags = [tag for tag in _LANGUAGE_SEPARATOR.split(value) if tag] if value else []
        if not tags:
            return b"NIL"
        written = [quoted(tag, self._utf8) for tag in tags]
        return written[0] if len(written) == 1 else b"(%b)" % b" ".join(written)

    def _parameters(self, parameters: Parameters) -> bytes:
        """body-fld-param. A labelled value is UTF-8 (RFC 9051 §7.5.2), in ASCII extended (RFC 2231)."""
        if not parameters:
            return b"NIL"
        written = []
        for name, value in parameters:
            if name.endswith(b"*") and not self._utf8:
                value = percent_encoded(value)
            written.append(quoted(name, self._utf8) + b" " + quoted(value, self._utf8))
        return b"(%b)" % b" ".join(written)
