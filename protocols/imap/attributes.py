"""Reads fetch-att (RFC 9051 §9) into a `Plan`."""

from __future__ import annotations

import re

from protocols.imap import response
from protocols.imap.fetch import PICKING, Attribute, Binary, BinarySize, Item, Of, Plan, Section
from protocols.imap.grammar import Grammar
from protocols.imap.sequence import NUMBER_MAX

_FAST = (Attribute.FLAGS, Attribute.INTERNALDATE, Attribute.SIZE)
_ALL = (*_FAST, Attribute.ENVELOPE)
_MACROS: dict[str, tuple[Item, ...]] = {"FAST": _FAST, "ALL": _ALL, "FULL": (*_ALL, Attribute.BODY)}
_ATTRIBUTES = {attribute.value: attribute for attribute in Attribute}
_SECTIONS = {
    "RFC822": Section((), Of.ALL, frozenset(), 0, 0, False, b"RFC822"),
    "RFC822.HEADER": Section((), Of.HEADER, frozenset(), 0, 0, True, b"RFC822.HEADER"),
    "RFC822.TEXT": Section((), Of.TEXT, frozenset(), 0, 0, False, b"RFC822.TEXT"),
}
_BINARIES = frozenset({"BINARY", "BINARY.PEEK", "BINARY.SIZE"})
_TEXTS = {of.value: of for of in Of if of is not Of.ALL}
_NAME = re.compile(rb"[A-Za-z0-9.]+")
_PART = re.compile(rb"[1-9]\d{0,9}")
_TEXT = re.compile(rb"[A-Za-z.]+")
_LAZY = re.compile(rb" \((?i:LAZY)\)")
_PARTIAL = re.compile(rb"<(\d{1,19})\.(\d{1,19})>")


def plan(g: Grammar) -> Plan:
    """ "ALL" / "FULL" / "FAST" / fetch-att / "(" fetch-att *(SP fetch-att) ")" """
    if g.peek() == b"(":
        items = g.listed(lambda: _attribute(g))
        if not items:
            raise g.fault("what to fetch")
        return Plan(tuple(dict.fromkeys(items)))
    start = g.at
    macro = _MACROS.get(_name(g))
    if macro is not None:
        return Plan(macro)
    g.at = start
    return Plan((_attribute(g),))


def _name(g: Grammar) -> str:
    return g.need(_NAME, "what to fetch").decode().upper()


def _attribute(g: Grammar) -> Item:
    """fetch-att, one of them"""
    name = _name(g)
    if name in ("BODY", "BODY.PEEK") and g.peek() == b"[":
        return _section(g, peek=name == "BODY.PEEK")
    if name in _BINARIES and g.peek() == b"[":
        return _binary(g, name)
    item = _ATTRIBUTES.get(name) or _SECTIONS.get(name)
    if item is None:
        raise g.fault("what to fetch")
    if item is Attribute.PREVIEW:
        g.match(_LAZY)  # RFC 8970 §4.1; it is at hand all the same
    return item


def _section(g: Grammar, *, peek: bool) -> Section:
    """section ["<" number "." nz-number ">"], section = "[" [section-spec] "]" """
    g.skip(b"[")
    path = _path(g)
    of = _of(g, path)
    names = _header_list(g) if of in PICKING else []
    if not g.skip(b"]"):
        raise g.fault('"]"')
    start, count = _partial(g)
    label = b"BODY[%b]" % _spec(path, of, names)
    if count:
        label += b"<%d>" % start
    return Section(path, of, frozenset(n.lower() for n in names), start, count, peek, label)


def _binary(g: Grammar, name: str) -> Binary | BinarySize:
    """section-binary [partial], section-binary = "[" [section-part] "]", RFC 9051 §9"""
    g.skip(b"[")
    path = _path(g)
    if g.octets[g.at - 1 : g.at] == b"." or not g.skip(b"]"):
        raise g.fault('"]"')
    spec = _spec(path, Of.ALL, [])
    if name == "BINARY.SIZE":
        return BinarySize(path, b"BINARY.SIZE[%b]" % spec)
    start, count = _partial(g)
    label = b"BINARY[%b]" % spec
    if count:
        label += b"<%d>" % start
    return Binary(path, start, count, name == "BINARY.PEEK", label)


def _path(g: Grammar) -> tuple[int, ...]:
    """section-part = nz-number *("." nz-number), and the "." before a section-text"""
    path: list[int] = []
    while (number := g.match(_PART)) is not None:
        path.append(int(number[0]))
        if len(path) > g.limits.depth_max:
            raise g.fault("fewer parts within parts")
        if not g.skip(b"."):
            break
    return tuple(path)


def _of(g: Grammar, path: tuple[int, ...]) -> Of:
    """section-msgtext / section-text, or nothing"""
    after_point = g.octets[g.at - 1 : g.at] == b"."
    text = g.match(_TEXT)
    if text is None:
        if after_point:
            raise g.fault("a section")
        return Of.ALL
    of = _TEXTS.get(text[0].decode().upper())
    if of is None or (path and not after_point) or (of is Of.MIME and not path):
        raise g.fault("a section")
    return of


def _header_list(g: Grammar) -> list[bytes]:
    """header-list = "(" header-fld-name *(SP header-fld-name) ")" """
    g.sp()
    names = g.listed(g.astring)
    if not names or not all(names):
        raise g.fault("names of header fields")
    return names


def _partial(g: Grammar) -> tuple[int, int]:
    """partial = "<" number64 "." nz-number64 ">"; (0, 0) where there is none."""
    if g.peek() != b"<":
        return 0, 0
    match = g.match(_PARTIAL)
    if match is None or not 0 < int(match[2]) < 1 << 63:
        raise g.fault("a partial range")
    return int(match[1]), min(int(match[2]), NUMBER_MAX)


def _spec(path: tuple[int, ...], of: Of, names: list[bytes]) -> bytes:
    """section-spec, as the response repeats it"""
    words = [b"%d" % number for number in path]
    if of is not Of.ALL:
        words.append(of.value.encode())
    spec = b".".join(words)
    if names:
        spec += b" (%b)" % b" ".join(response.astring(name) for name in names)
    return spec
