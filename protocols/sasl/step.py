"""What an exchange gives at each step, and the base64 around it."""

from __future__ import annotations

import binascii
from dataclasses import dataclass, field
from typing import Protocol

from protocols.fault import Fault


@dataclass(frozen=True, slots=True)
class Challenge:
    """Send this, in base64; the client's response is the next step's argument."""

    octets: bytes


@dataclass(frozen=True, slots=True)
class Credentials:
    """The end: verify these. `authzid` is empty unless the client wants to act as somebody else."""

    authzid: str
    authcid: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeysWanted:
    """SCRAM only: look up the keys of `authcid` and hand them to `scram.Server.keys`."""

    authcid: str


@dataclass(frozen=True, slots=True)
class Proven:
    """The end: the client has shown that it knows the password behind the keys; `which` of them, from 0."""

    authzid: str
    authcid: str
    which: int


Step = Challenge | Credentials | KeysWanted | Proven | Fault
"""A Fault is the end too; its code is one of RFC 5802 §7's error values, such as `invalid-encoding`."""


class Server(Protocol):
    """The server's side of one exchange."""

    def start(self) -> Challenge:
        """What to send when the client began without an initial response."""

    def step(self, response: bytes) -> Step:
        """Take the initial response, or the response to the last challenge."""


class Client(Protocol):
    """The client's side of one exchange."""

    def initial(self) -> bytes | None:
        """The initial response; None where the server speaks first."""

    def step(self, challenge: bytes) -> bytes:
        """The response to a challenge; raises Fault when the server is not who it should be."""


def decoded(text: bytes) -> bytes | None:
    """The octets of strict base64, RFC 4648 §4; None: it is none."""
    if len(text) % 4:  # padding too many is strict enough for binascii
        return None
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        return None


def initial_response(word: bytes) -> bytes | None:
    """initial-response = base64 / "=", RFC 4954 §4, RFC 5034 §4; None: it is neither.

    "=" stands for no octets, which is not the same as no initial response.
    """
    return b"" if word == b"=" else decoded(word)


def encoded(octets: bytes) -> bytes:
    return binascii.b2a_base64(octets, newline=False)


def text(octets: bytes) -> str:
    """UTF-8 without NUL and not empty; raises Fault."""
    try:
        decoded_text = octets.decode()
    except UnicodeDecodeError:
        raise Fault("invalid-encoding", "Not UTF-8") from None
    if not decoded_text or "\0" in decoded_text:
        raise Fault("invalid-encoding", "A name or password is empty or holds NUL")
    return decoded_text
