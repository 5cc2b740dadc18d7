"""Messages that a careless program or server would change on the way."""

import itertools
from pathlib import Path

CORPUS = Path(__file__).resolve().parents[2] / "shared" / "corpus"
_numbers = itertools.count(1)


def plain(subject: str = "Minutes", to: str = "somebody@example.test") -> bytes:
    """Dots first and spaces last on a line, octets beyond ASCII, an empty last line; its own Message-ID."""
    return (
        _head(subject, to)
        + (
            "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
            "First line, with a trailing space \r\n.\r\n..two dots\r\n.one dot, grüße, 你好\r\n\tTab\r\n\r\n"
        ).encode()
    )


def ascii_only(subject: str = "Minutes", to: str = "somebody@example.test") -> bytes:
    """For programs that encode what is not ASCII."""
    return _head(subject, to) + b"\r\nFirst line\r\n.a dot\r\n..two\r\n\r\nLast line\r\n"


def empty() -> bytes:
    """A header and nothing behind it."""
    return _head("Nothing", "somebody@example.test") + b"\r\n"


def large(octets: int) -> bytes:
    """An attachment in base64 of about that size."""
    line = b"QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAxMjM0NTY3\r\n"
    return _head("Large", "somebody@example.test") + (
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
        b"--b\r\nContent-Type: text/plain\r\n\r\nSee the attachment.\r\n"
        b"--b\r\nContent-Type: application/octet-stream; name=blob.bin\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\n" + line * (octets // len(line)) + b"--b--\r\n"
    )


def _head(subject: str, to: str) -> bytes:
    return (
        f"From: Sender Name <sender@client.example.net>\r\nTo: {to}\r\nSubject: {subject}\r\n"
        "Date: Tue, 24 Nov 2026 10:00:00 +0100\r\n"
        f"Message-ID: <{next(_numbers)}.interop@client.example.net>\r\nMIME-Version: 1.0\r\n"
    ).encode()


def real(count: int) -> list[bytes]:
    """Real mail, CRLF, evenly from the corpus; empty where it is absent."""
    manifest = CORPUS / "MANIFEST.tsv"
    if not manifest.exists():
        return []
    rows = [line.split("\t") for line in manifest.read_text().splitlines()]
    paths = [path for path, kind, *_ in rows if kind == "msg"]
    return [_crlf((CORPUS / path).read_bytes()) for path in paths[:: max(1, len(paths) // count)][:count]]


def _crlf(octets: bytes) -> bytes:
    """Line ends to CRLF; a NUL cannot be in a literal (RFC 9051 §9), such files lose theirs."""
    return octets.replace(b"\0", b"").replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
