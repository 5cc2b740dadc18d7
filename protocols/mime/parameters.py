"""Content-Type, Content-Disposition and their parameters: RFC 2045 §5.1, RFC 2183, RFC 2231."""

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote_from_bytes, unquote_to_bytes

from protocols.mime.charset import decode

# Name (as it stands) and value (UTF-8 or raw octets, quoting removed). A name that ends with `*`: the value
# was labelled with a charset (RFC 2231 §4), is not ASCII, and is UTF-8 here.
Parameters = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class ContentType:
    type: bytes  # as it stands
    subtype: bytes
    parameters: Parameters
    media_type: bytes  # lower case, b"text/plain"
    charset: bytes  # lower case; empty where none is given
    boundary: bytes  # empty where none is given


@dataclass(frozen=True, slots=True)
class Disposition:
    type: bytes  # as it stands
    parameters: Parameters


_TOKEN = rb"[^\s()<>@,;:\\\"/\[\]?=]"
_MEDIA_TYPE = re.compile(rb"\s*+(%b++)\s*+/\s*+([^\s;\"(]++)" % _TOKEN)
_DISPOSITION = re.compile(rb"\s*+([^\s;\"(=]++)(?!\s*+=)")
# *(";" attribute "=" value), where nearly all headers end
_PLAIN = re.compile(
    rb"\s*+;\s*+([^\s()<>@,;:\\\"/\[\]?=*]++)=(?:\"([^\"\\]*+)\"|(%b++))(?=\s*+(?:;|\Z))" % _TOKEN
)
# Leniency: no semicolon between parameters, spaces around `=`, unquoted values with spaces or specials, and
# quotes that nothing closes.
_PARAMETER = re.compile(
    rb"[;\s]*+([^\s;=\"(]++)\s*+=\s*+(?:\"((?:[^\"\\]|\\.)*+)(?:\"|\Z)"
    rb"|([^;\s\"]*+(?:[ \t]++(?![^\s;=\"]++\s*+=)[^;\s\"]++)*))",
    re.DOTALL,
)
_SKIP = re.compile(rb"[;\s]*+(?:[^;\s]++|\Z)")
_COMMENT = re.compile(rb"\([^()\"]*+\)")
_QUOTED_PAIR = re.compile(rb"\\(.)", re.DOTALL)
# attribute ["*" section] ["*"]: RFC 2231 §7
_SECTION = re.compile(rb"([^*]++)(?:\*(\d{1,9}))?(\*)?")
_CACHED_OCTETS_MAX = 160  # longer values are rarely the same twice

TEXT_PLAIN = ContentType(b"TEXT", b"PLAIN", (), b"text/plain", b"", b"")
MESSAGE_RFC822 = ContentType(b"MESSAGE", b"RFC822", (), b"message/rfc822", b"", b"")


def read_content_type(value: bytes, parameters_max: int) -> ContentType | None:
    """None where the value is no media type: RFC 2045 §5.2 then takes the default."""
    if len(value) > _CACHED_OCTETS_MAX:
        return _read_content_type(value, parameters_max)
    return _cached_content_type(value, parameters_max)


def _read_content_type(value: bytes, parameters_max: int) -> ContentType | None:
    match = _MEDIA_TYPE.match(value)
    if match is None:
        if b"(" not in value:
            return None
        value = _COMMENT.sub(b" ", value)
        match = _MEDIA_TYPE.match(value)
        if match is None:
            return None
    kind, subtype = match.groups()
    parameters = read_parameters(value, match.end(), parameters_max)
    charset = parameter(parameters, b"charset").lower()
    boundary = parameter(parameters, b"boundary").rstrip(b" \t")
    return ContentType(kind, subtype, parameters, (kind + b"/" + subtype).lower(), charset, boundary)


_cached_content_type = lru_cache(maxsize=1024)(_read_content_type)


def read_disposition(value: bytes, parameters_max: int) -> Disposition | None:
    """RFC 2183 §2. None where no type is given."""
    match = _DISPOSITION.match(value)
    return (
        None if match is None else Disposition(match[1], read_parameters(value, match.end(), parameters_max))
    )


def parameter(parameters: Parameters, name: bytes) -> bytes:
    """The value of a parameter (lower-case name); empty where it is not there."""
    for spelling, value in parameters:
        if spelling.lower() == name:
            return value
    return b""


def read_parameters(value: bytes, start: int, parameters_max: int) -> Parameters:
    """Parameters from an offset to the end of a field value."""
    found: list[tuple[bytes, bytes]] = []
    while len(found) < parameters_max and (plain := _PLAIN.match(value, start)):
        found.append((plain[1], plain[2] or plain[3] or b""))
        start = plain.end()
    if len(found) == parameters_max or not value[start:].strip(b"; \t"):
        return tuple(found)
    if b"(" in value:
        value = value[:start] + _COMMENT.sub(b" ", value[start:])
    _read_lenient(value, start, parameters_max, found)
    return tuple(found) if not any(b"*" in name for name, _ in found) else _joined_sections(found)


def _read_lenient(value: bytes, start: int, parameters_max: int, found: list[tuple[bytes, bytes]]) -> None:
    for _ in range(parameters_max - len(found)):
        match = _PARAMETER.match(value, start)
        if match is not None:
            name, quoted, token = match.groups()
            text = token.strip(b" \t") if quoted is None else _QUOTED_PAIR.sub(rb"\1", quoted)
            if text or quoted is not None:
                found.append((name, text))
        else:
            match = _SKIP.match(value, start)
        if match is None or match.end() == start:
            break
        start = match.end()


def _joined_sections(found: list[tuple[bytes, bytes]]) -> Parameters:
    """Continuations joined and charsets decoded: RFC 2231 §3, §4."""
    sections: dict[bytes, list[tuple[int, bool, bytes]]] = {}
    names: dict[bytes, bytes] = {}
    for spelling, value in found:
        section = _SECTION.match(spelling)
        if section is not None:
            name = section[1].lower()
            names.setdefault(name, section[1])
            number = -1 if section[2] is None and section[3] is None else int(section[2] or 0)
            sections.setdefault(name, []).append((number, section[3] is not None, value))
    return tuple(pair for name in sections for pair in _joined(names[name], sorted(sections[name])))


def _joined(name: bytes, sections: list[tuple[int, bool, bytes]]) -> Parameters:
    """One parameter from its sections (-1: the whole value, unlabelled, which yields to a labelled one)."""
    plain = [value for number, _, value in sections if number < 0]
    parts = [(extended, value) for number, extended, value in sections if number >= 0]
    if not parts:
        return ((name, plain[0]),)
    charset = b""
    if parts[0][0]:
        charset, _, rest = parts[0][1].partition(b"'")
        parts[0] = (True, rest.partition(b"'")[2])
    octets = b"".join(unquote_to_bytes(value) if extended else value for extended, value in parts)
    text = decode(octets, charset).encode("utf-8", "replace") if charset else octets
    if text.isascii() or not charset:
        return ((name, text),)
    labelled = (name + b"*", text)
    return (labelled,) if not plain else ((name, plain[0]), labelled)


def percent_encoded(value: bytes) -> bytes:
    """An extended-value of RFC 2231 §7 for UTF-8 octets."""
    return b"utf-8''" + quote_from_bytes(value, safe="!#$&+-.^_`{|}~").encode("ascii")
