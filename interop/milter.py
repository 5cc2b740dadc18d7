"""What an MTA says to a milter, and what that makes of a message: the protocol of libmilter, version 6."""

import socket
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

VERSION, ACTIONS = 6, 0x1FF
SECONDS_MAX = 30.0
VERDICTS = {b"c": "", b"a": "accept", b"r": "reject", b"t": "tempfail", b"d": "discard"}


@dataclass
class Outcome:
    """`verdict` is empty where the message goes on; `added` are header fields, name and value."""

    verdict: str = ""
    reply: str = ""
    quarantine: str = ""
    added: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Message:
    address: str
    helo: str
    reverse_path: str
    recipient: str
    fields: Sequence[tuple[str, str]]
    body: bytes


def judged(at: tuple[str, int] | str, message: Message) -> Outcome:
    """`at`: address and port, or the path of a unix socket."""
    family = socket.AF_UNIX if isinstance(at, str) else socket.AF_INET
    with socket.socket(family) as connection:
        connection.settimeout(SECONDS_MAX)
        connection.connect(at)
        stream = connection.makefile("rwb")
        outcome = Outcome()

        def say(command: bytes, octets: bytes) -> None:
            stream.write(struct.pack(">I", len(octets) + 1) + command + octets)
            stream.flush()

        def heard() -> tuple[bytes, bytes]:
            (length,) = struct.unpack(">I", stream.read(4))
            return stream.read(1), stream.read(length - 1)

        say(b"O", struct.pack(">III", VERSION, ACTIONS, 0))
        assert heard()[0] == b"O"
        for command, octets, macros in _steps(message):
            if macros:
                say(b"D", command + b"".join(each.encode() + b"\0" for each in macros))
            say(command, octets)
            while _is_more(*heard(), outcome):
                pass
            if outcome.verdict:
                break
        say(b"Q", b"")
        return outcome


def _is_more(code: bytes, octets: bytes, outcome: Outcome) -> bool:
    """Whether the milter has more to say of this step."""
    if code in VERDICTS:
        outcome.verdict = VERDICTS[code]
        return False
    if code == b"y":
        outcome.verdict, outcome.reply = "reject", octets.rstrip(b"\0").decode()
        return False
    if code == b"q":
        outcome.quarantine = octets.rstrip(b"\0").decode()
    elif code in (b"h", b"i"):
        name, value = octets[4 if code == b"i" else 0 :].split(b"\0")[:2]
        outcome.added.append((name.decode(), value.decode()))
    return True


def _steps(message: Message) -> Iterator[tuple[bytes, bytes, Sequence[str]]]:
    """Command, what it says, and the macros before it."""
    port = struct.pack(">H", 12345)
    yield b"C", b"client\x004" + port + message.address.encode() + b"\0", ("j", "mx.here.test")
    yield b"H", message.helo.encode() + b"\0", ()
    yield b"M", b"<%s>\0" % message.reverse_path.encode(), ("i", "QUEUEID")
    yield b"R", b"<%s>\0" % message.recipient.encode(), ()
    for name, value in message.fields:
        yield b"L", name.encode() + b"\0" + value.encode() + b"\0", ()
    yield b"N", b"", ()
    yield b"B", message.body, ()
    yield b"E", b"", ("i", "QUEUEID")
