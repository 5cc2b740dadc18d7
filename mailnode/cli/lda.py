"""A message from another program of this machine into mailboxes: LMTP at the node's socket.

It ends as sysexits.h says, for those who ask again: Postfix's pipe(8), getmail, fetchmail. Whatever is not a
refusal of the node for good is to be tried again.
"""

from __future__ import annotations

import smtplib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from mailnode.cli.failure import Failure
from mailnode.config import ConfigError, load
from mailnode.migration.lines import with_crlf

DATA_ERROR, NO_USER, UNAVAILABLE, TRY_AGAIN = 65, 67, 69, 75
_PIECE_OCTETS = 64 * 1024
_SECONDS_MAX = 600.0
_NO_USER = ("5.1.1", "5.1.2", "5.1.3")


def deliver(directory: Path, addresses: Sequence[str], sender: str, message: IO[bytes]) -> None:
    """Returns once every address has it for good; raises Failure."""
    try:
        config = load(directory)
        if config.lmtp_socket is None:
            raise Failure(f"{directory} has no LMTP socket (`socket` of [lmtp])", TRY_AGAIN)
        with smtplib.LMTP(str(config.lmtp_socket.absolute()), timeout=_SECONDS_MAX) as node:
            node.ehlo_or_helo_if_needed()
            refusals = _refusals(node, addresses, sender, message)
    except (ConfigError, OSError, smtplib.SMTPException) as error:
        raise Failure(f"not delivered, try again: {error}", TRY_AGAIN) from None
    if refusals:
        told = "; ".join(f"{address}: {said}" for address, (_, said) in refusals.items())
        raise Failure(told, _status(refusals))


def _refusals(
    node: smtplib.LMTP, addresses: Sequence[str], sender: str, message: IO[bytes]
) -> dict[str, tuple[int, str]]:
    """By address: the code of the reply, and the reply. Raises SMTPException and OSError."""
    options = ["BODY=8BITMIME"]
    if not (sender.isascii() and all(each.isascii() for each in addresses)):
        options.append("SMTPUTF8")
        node.command_encoding = "utf-8"
    code, said = node.mail(sender, options)
    if code != 250:
        return dict.fromkeys(addresses, (code, said.decode("utf-8", "replace")))
    refused = {}
    for each in dict.fromkeys(addresses):
        code, said = node.rcpt(each)
        if code != 250:
            refused[each] = (code, said.decode("utf-8", "replace"))
    accepted = [each for each in dict.fromkeys(addresses) if each not in refused]
    if not accepted:
        return refused
    code, said = node.docmd("DATA")
    if code != 354:
        return refused | dict.fromkeys(accepted, (code, said.decode("utf-8", "replace")))
    for piece in _stuffed(message):
        node.send(piece)
    for each in accepted:
        code, said = node.getreply()
        if code != 250:
            refused[each] = (code, said.decode("utf-8", "replace"))
    return refused


def _stuffed(message: IO[bytes]) -> Iterator[bytes]:
    """The content with CRLF for each line end and its dots doubled, and the end of data (RFC 5321 §4.5.2)."""
    begins, held = True, b""
    for piece in with_crlf(_without_from(message)):
        whole = held + piece
        octets, held = (whole[:-1], b"\r") if whole.endswith(b"\r") else (whole, b"")
        dotted = octets.replace(b"\r\n.", b"\r\n..")
        yield b"." + dotted if begins and octets.startswith(b".") else dotted
        begins = octets.endswith(b"\n") if octets else begins
    yield held
    yield b".\r\n" if begins and not held else b"\r\n.\r\n"


def _without_from(message: IO[bytes]) -> Iterator[bytes]:
    """Without the line "From " that a local mailer may put before a message."""
    first = message.readline(_PIECE_OCTETS)
    yield b"" if first.startswith(b"From ") else first
    while piece := message.read(_PIECE_OCTETS):
        yield piece


def _status(refusals: dict[str, tuple[int, str]]) -> int:
    """One that may be tried again counts most: else its mail is lost."""
    if any(code // 100 != 5 for code, _ in refusals.values()):
        return TRY_AGAIN
    if all(said.startswith(_NO_USER) for _, said in refusals.values()):
        return NO_USER
    return DATA_ERROR if all(said.startswith("5.6") for _, said in refusals.values()) else UNAVAILABLE
