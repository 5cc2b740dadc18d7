"""The message that a report travels in: RFC 7489 §7.2.1.1, RFC 8460 §5.3, RFC 6591 §2."""

from __future__ import annotations

from base64 import encodebytes
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Part:
    """`disposition` is a file name, for what is to be kept as a file; then it goes as base64."""

    media_type: str
    octets: bytes
    file_name: str = ""


@dataclass(frozen=True, slots=True)
class Letter:
    """`identity` makes Message-ID and boundary, so it is new for each. `date` is a date-time of RFC 5322.

    `report_type` makes a multipart/report of it (RFC 6522); empty: multipart/mixed.
    """

    sender: str
    recipient: str
    subject: str
    date: str
    identity: str
    host: str
    report_type: str = ""
    fields: tuple[tuple[str, str], ...] = ()


def write(letter: Letter, text: str, parts: Sequence[Part]) -> bytes:
    """The whole message; of others it takes only addresses and domains that were looked at."""
    boundary = f"report-{letter.identity}"
    opened = f"--{boundary}\r\n".encode()
    written = [_part(Part("text/plain; charset=us-ascii", _lines(text))), *map(_part, parts)]
    body = b"".join(opened + part for part in written)
    return _fields(letter, boundary) + body + f"--{boundary}--\r\n".encode()


def _fields(letter: Letter, boundary: str) -> bytes:
    kind = f'report; report-type="{letter.report_type}"' if letter.report_type else "mixed"
    extra = "".join(f"{name}: {value}\r\n" for name, value in letter.fields)
    return (
        f"From: <{letter.sender}>\r\nTo: <{letter.recipient}>\r\nSubject: {letter.subject}\r\n"
        f"Date: {letter.date}\r\nMessage-ID: <{letter.identity}@{letter.host}>\r\n{extra}"
        "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"  # RFC 3834 §5
        f'Content-Type: multipart/{kind};\r\n boundary="{boundary}"\r\n\r\n'
    ).encode()


def _part(part: Part) -> bytes:
    if not part.file_name:
        encoding = "" if part.octets.isascii() else "Content-Transfer-Encoding: 8bit\r\n"
        head = f"Content-Type: {part.media_type}\r\n{encoding}\r\n".encode()
        return head + part.octets.removesuffix(b"\r\n") + b"\r\n"
    named = (
        f'Content-Type: {part.media_type};\r\n name="{part.file_name}"\r\n'
        "Content-Transfer-Encoding: base64\r\n"
        f'Content-Disposition: attachment;\r\n filename="{part.file_name}"\r\n\r\n'
    )
    return named.encode() + encodebytes(part.octets).replace(b"\n", b"\r\n")


def _lines(text: str) -> bytes:
    return text.encode("ascii", "replace").replace(b"\n", b"\r\n") + b"\r\n"


def subject(domain: str, submitter: str, report_id: str) -> str:
    """dmarc-subject of RFC 7489 §7.2.1.1, and tlsrpt-subject of RFC 8460 §5.3; folded, for names are long."""
    return f"Report Domain: {domain}\r\n Submitter: {submitter}\r\n Report-ID: <{report_id}>"


def file_name(submitter: str, domain: str, begin: int, end: int, unique: str, extension: str) -> str:
    """RFC 7489 §7.2.1.1, RFC 8460 §5.1; `unique` may be empty."""
    return "!".join(filter(None, (submitter, domain, str(begin), str(end), unique))) + extension
