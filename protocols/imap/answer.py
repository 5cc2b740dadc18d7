"""What may be said to an event: the second argument of `Session.send`.

A part is plain `bytes`: whole untagged responses as `response`, `fetch` and `view` make them, or the next
octets of a response with a long literal (the caller sends such a response to its end before anything else).
`Ok`, `No` and `Bad` end an event. `code` is a response code without its brackets (`TRYCREATE`,
`APPENDUID 38505 3955`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from protocols.fault import Fault


@dataclass(frozen=True, slots=True)
class Ok:
    text: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class No:
    text: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class Bad:
    text: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class GoOn:
    """`+`: the literal of an APPEND may come, or idling has begun. Nothing is written for LITERAL+."""

    text: str = "OK"


@dataclass(frozen=True, slots=True)
class Challenge:
    """`+` and the octets in base64: the next step of AUTHENTICATE."""

    octets: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Greeting:
    """`* OK` with the capabilities: sent with event None before all else."""

    text: str


@dataclass(frozen=True, slots=True)
class Bye:
    """`* BYE`: sent with event None, at once and whatever is open; the session is over."""

    text: str
    code: str = ""


Answer = bytes | Ok | No | Bad | GoOn | Challenge | Greeting | Bye


def refusal(fault: Fault) -> Bad | No:
    """The answer that a fault holds: `BAD`, `NO`, `NO [CANNOT]`."""
    word, _, code = fault.code.partition(" ")
    kind = Bad if word == "BAD" else No
    return kind(fault.text, code[1:-1])
