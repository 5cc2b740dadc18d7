"""FETCH responses, taken apart."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

FETCH = re.compile(rb"\* (\d+) FETCH \(")
NAME = re.compile(rb"[A-Z0-9.-]+(?:\[[^\]]*\](?:<\d+>)?)?", re.IGNORECASE)
LITERAL = re.compile(rb"~?\{(\d+)\}\r\n")
QUOTED = re.compile(rb'"((?:[^"\\]|\\.)*)"')
ATOM = re.compile(rb"[^ ()\"{]+")
MESSAGE_ID = re.compile(rb"^message-id:\s*<([^>\r\n]+)>", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Fetched:
    """One FETCH response: data item (upper case) -> value; a list stays as its text, parentheses included."""

    number: int
    items: dict[bytes, bytes]

    @property
    def uid(self) -> int:
        return int(self.items[b"UID"])

    @property
    def flags(self) -> frozenset[str]:
        r"""Without \Recent, which belongs to the session."""
        names = self.items[b"FLAGS"].strip(b"()").decode().split()
        return frozenset(names) - {"\\Recent"}

    @property
    def message_id(self) -> str:
        """From whatever header octets were fetched; empty when there is none."""
        headers = [value for name, value in self.items.items() if name.startswith(b"BODY[")]
        found = MESSAGE_ID.search(b"".join(headers))
        return found[1].decode() if found else ""


def fetched(responses: Iterable[bytes]) -> list[Fetched]:
    """The FETCH responses among untagged ones."""
    return [_fetched(each, start) for each in responses if (start := FETCH.match(each))]


def _fetched(response: bytes, start: re.Match[bytes]) -> Fetched:
    items, at = {}, start.end()
    while name := NAME.match(response, at):
        value, at = _value(response, name.end() + 1)
        items[name[0].upper()] = value
        at += response[at : at + 1] == b" "
    return Fetched(int(start[1]), items)


def _value(response: bytes, at: int) -> tuple[bytes, int]:
    """The value at an offset, and the offset behind it."""
    if literal := LITERAL.match(response, at):
        end = literal.end() + int(literal[1])
        return response[literal.end() : end], end
    if quoted := QUOTED.match(response, at):
        return re.sub(rb"\\(.)", rb"\1", quoted[1]), quoted.end()
    if response[at : at + 1] == b"(":
        end = _list_end(response, at)
        return response[at:end], end
    atom = ATOM.match(response, at)
    if atom is None:
        raise ValueError(f"no value at {at} of {response[:200]!r}")
    return atom[0], atom.end()


def _list_end(response: bytes, at: int) -> int:
    depth = 0
    while True:
        if string := LITERAL.match(response, at):
            at = string.end() + int(string[1])
        elif string := QUOTED.match(response, at):
            at = string.end()
        else:
            depth += {b"(": 1, b")": -1}.get(response[at : at + 1], 0)
            at += 1
            if depth == 0:
                return at
