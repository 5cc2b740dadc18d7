"""Lists of tags: RFC 6376 §3.2."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_BLANK = " \t\r\n"
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_NO_BASE64 = re.compile(r"[ \t\r\n]+")
_NUMBER = re.compile(r"[0-9]{1,76}")  # RFC 6376 §3.5 for l=; t= and x= have fewer


class Malformed(Exception):
    """A peer's field or record is not as it must be; the text says why."""


def tag_list(octets: bytes) -> dict[str, str]:
    """tag-list = tag-spec *( ";" tag-spec ) [ ";" ]; raises Malformed. Names are told apart by case."""
    text = octets.decode("utf-8", "replace")  # RFC 8616 §4: UTF-8 too
    if _CONTROL.search(text):
        raise Malformed("a control character in a tag")
    specs = text.split(";")
    if not specs[-1].strip(_BLANK):
        specs.pop()
    tags: dict[str, str] = {}
    for spec in specs:
        name, equals, value = spec.partition("=")
        name = name.strip(_BLANK)
        if not equals or not _NAME.fullmatch(name):
            raise Malformed("no list of tags")
        if name in tags:
            raise Malformed(f"{name}= stands twice")
        tags[name] = value.strip(_BLANK)
    return tags


def required(tags: dict[str, str], name: str) -> str:
    """Raises Malformed where it is missing or empty."""
    value = tags.get(name, "")
    if not value:
        raise Malformed(f"{name}= is missing")
    return value


def base64(text: str, name: str) -> bytes:
    """base64string, with white space anywhere; raises Malformed."""
    try:
        return b64decode(_NO_BASE64.sub("", text), validate=True)
    except (binascii.Error, ValueError):
        raise Malformed(f"{name}= is no base64") from None


def number(tags: dict[str, str], name: str) -> int | None:
    """None: there is none; raises Malformed."""
    text = tags.get(name)
    if text is None:
        return None
    if not _NUMBER.fullmatch(text):
        raise Malformed(f"{name}= is no number")
    return int(text)


def colon_list(text: str) -> list[str]:
    """Words between colons, with white space around them."""
    return [word.strip(_BLANK) for word in text.split(":")]
