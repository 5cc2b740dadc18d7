"""The messages of the corpus beside the project, as they would come by SMTP: with CRLF line ends."""

import gzip
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

CORPUS = Path(__file__).resolve().parents[4] / "shared" / "corpus"
_FROM_LINE = re.compile(rb"(?m)^From [^\n]*\n")


class RealMessage(NamedTuple):
    name: str  # the file below the corpus, and the message's number in a mailbox file
    octets: bytes


def real_messages(corpus: Path = CORPUS) -> Iterator[RealMessage]:
    """Every message in the order of names, mailbox files taken apart."""
    for path in sorted(corpus.rglob("*")):
        name = str(path.relative_to(corpus))
        if path.suffix in (".eml", ".msg"):
            yield RealMessage(name, crlf(path.read_bytes()))
        elif path.name.endswith((".mbox", ".mbox.gz")):
            octets = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
            for number, message in enumerate(_FROM_LINE.split(octets)[1:]):
                yield RealMessage(f"{name}:{number}", crlf(message))


def crlf(octets: bytes) -> bytes:
    return octets.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
