"""The beginning of a command: its tag and its name."""

from __future__ import annotations

import re
from dataclasses import dataclass

from protocols.cursor import Cursor
from protocols.fault import Fault

UNTAGGED = b"*"

_TAG = re.compile(rb"[^\x00-\x20\x7f-\xff(){%*\"\\+]++(?![^ ])")
_SPACES = re.compile(rb" +")
_NAME = re.compile(rb"[A-Za-z0-9\-]+")


@dataclass(frozen=True, slots=True)
class Head:
    """`name` in capitals; `by_uid`: UID stands before it; `at`: where what follows the name begins."""

    tag: bytes
    name: str
    by_uid: bool
    at: int


def tag_of(octets: bytes) -> bytes:
    """tag = 1*<any ASTRING-CHAR except "+">; "*" where none stands whole: the answer can name no command."""
    match = _TAG.match(octets)
    return match[0] if match else UNTAGGED


def head(octets: bytes) -> Head:
    """command = tag SP name, or tag SP "UID" SP name. Raises Fault."""
    cursor = Cursor(octets)
    tag = cursor.need(_TAG, "a tag")
    name = _name(cursor)
    by_uid = name == "UID"
    if by_uid:
        name = _name(cursor)
    return Head(tag, name, by_uid, cursor.at)


def _name(cursor: Cursor) -> str:
    """SP and a word. Leniency: several spaces, seen from scripts."""
    cursor.need(_SPACES, "a space")
    name = cursor.need(_NAME, "a command").decode().upper()
    if not cursor.ended and cursor.peek() != b" ":
        raise Fault("BAD", "Unknown command")
    return name
