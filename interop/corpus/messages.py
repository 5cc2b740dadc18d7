"""The messages of ../shared/corpus, named, with the line ends that they have on the wire."""

import gzip
import re
from collections.abc import Iterator
from dataclasses import dataclass

from interop.samples import CORPUS

FROM_LINE = re.compile(rb"^From [^\n]*\n", re.MULTILINE)
MMDF_LINE = re.compile(rb"^\x01{4}\n", re.MULTILINE)
IETF_ARCHIVE = "mailbox-formats/mailbox"  # mailboxes that no line takes apart: they go in whole


@dataclass(frozen=True, slots=True)
class Message:
    name: str  # its file, and behind # its number in a mailbox, from 0
    octets: bytes


def messages() -> Iterator[Message]:
    """Every one, torture included; nothing where the corpus is absent."""
    for path in sorted(CORPUS.rglob("*")):
        name = str(path.relative_to(CORPUS))
        if path.suffix in (".eml", ".msg") or (name.startswith(IETF_ARCHIVE) and "." not in path.name):
            yield from _taken_apart(name, path.read_bytes())
        elif ".mbox" in path.suffixes:
            octets = path.read_bytes()
            yield from _taken_apart(name, gzip.decompress(octets) if path.suffix == ".gz" else octets)


def _taken_apart(name: str, octets: bytes) -> Iterator[Message]:
    if name.endswith("mmdf"):
        pieces = [piece for piece in MMDF_LINE.split(octets) if piece]
    elif ".mbox" in name:
        pieces = FROM_LINE.split(octets)[1:]
    else:
        yield Message(name, on_the_wire(octets))
        return
    for number, piece in enumerate(pieces):
        yield Message(f"{name}#{number}", on_the_wire(piece))


def on_the_wire(octets: bytes) -> bytes:
    """CRLF where a file has LF throughout; one that has both is as it is."""
    return octets if b"\r\n" in octets else octets.replace(b"\n", b"\r\n")
