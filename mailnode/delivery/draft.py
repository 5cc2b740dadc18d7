"""What our user submits, until its header is whole: whose it says it is, and what nobody else shall read."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

from mailnode.delivery.replies import HEADER_TOO_LONG, NOT_ONE_AUTHOR, NOT_YOUR_FROM
from protocols.mime.address import read_addresses
from protocols.mime.fields import Header, read_header
from protocols.smtp.reply import Reply

HEAD_OCTETS_MAX = 1024 * 1024  # as much of a header as anybody reads
FIELDS_MAX = 10_000

_END = re.compile(rb"(?:\A|\n)\r?\n")
_BLIND = frozenset((b"bcc", b"resent-bcc"))

Judge = Callable[[Header], Awaitable[Reply | None]]
Owns = Callable[[str], Awaitable[bool]]


class Draft:
    """`feed` it the content in any cuts, then `end`; where there is a `refusal` nothing comes out."""

    __slots__ = ("_ended", "_held", "_judge", "refusal")

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._held = b""
        self._ended = False  # the header
        self.refusal: Reply | None = None

    async def feed(self, octets: bytes) -> bytes:
        if self._ended:
            return b"" if self.refusal else octets
        seen = max(0, len(self._held) - 3)
        self._held += octets
        end = _END.search(self._held, seen)
        if end is not None:
            return await self._whole(end.end())
        if len(self._held) > HEAD_OCTETS_MAX:
            self.refusal, self._ended, self._held = HEADER_TOO_LONG, True, b""
        return b""

    async def end(self) -> bytes:
        """What is held of a message that has ended in its header."""
        return b"" if self._ended else await self._whole(len(self._held))

    async def _whole(self, end: int) -> bytes:
        head, rest = self._held[:end], self._held[end:]
        self._ended, self._held = True, b""
        header = read_header(head, 0, FIELDS_MAX)
        self.refusal = await self._judge(header)
        return b"" if self.refusal else without_blind(header) + rest


def without_blind(header: Header) -> bytes:
    """Its octets without Bcc and Resent-Bcc: RFC 6409 §8, RFC 5322 §3.6.3."""
    pieces, at = [], 0
    for field in header.fields:
        if field.name.lower() in _BLIND:
            pieces.append(header.octets[at : field.start])
            at = field.end
    return b"".join(pieces) + header.octets[at:] if pieces or at else header.octets


async def not_own(header: Header, owns: Owns) -> Reply | None:
    """Why a header says that the message is somebody else's; raises what `owns` raises.

    RFC 5322 §3.6.2: an author; or several, one of them the user, and the Sender too. Without From it is
    nobody's, which deceives nobody.
    """
    fields = header.all(b"from")
    if len(fields) > 1 or len(header.all(b"sender")) > 1:
        return NOT_ONE_AUTHOR
    authors = _addresses(fields)
    if fields and not authors:
        return NOT_ONE_AUTHOR
    senders = _addresses(header.all(b"sender"))
    if len(authors) == 1:
        return None if await owns(authors[0]) else NOT_YOUR_FROM
    if authors and (len(senders) != 1 or not await owns(senders[0])):
        return NOT_YOUR_FROM
    for author in authors:
        if await owns(author):
            return None
    return NOT_YOUR_FROM if authors else None


def _addresses(values: list[bytes]) -> list[str]:
    found = (address for value in values for address in read_addresses(value))
    return [
        b"@".join((each.mailbox or b"", each.host)).decode("utf-8", "replace") for each in found if each.host
    ]
