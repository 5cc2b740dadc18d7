"""Mail from our user: RFC 6409."""

from __future__ import annotations

import re
from functools import partial

from mailnode.delivery.replies import DISK_FULL, NOT_YOUR_ADDRESS, UNAVAILABLE
from mailnode.delivery.transaction import Delivery, Sender, Terms, Transaction
from mailnode.directory.lookup import Recipients
from mailnode.mailbox.verbs import NotKnown
from protocols.smtp.envelope import Path
from protocols.smtp.reply import Reply
from protocols.smtp.trace import Came, date_time

_END_OF_HEADER = re.compile(rb"\A\r\n|\r\n\r\n")
_DATE = re.compile(rb"^date[ \t]*:", re.IGNORECASE | re.MULTILINE)
_MESSAGE_ID = re.compile(rb"^message-id[ \t]*:", re.IGNORECASE | re.MULTILINE)


class Submit:
    """Begins transactions of one user at a time: each names the account that was authenticated."""

    __slots__ = ("_delivery", "_terms")

    def __init__(self, delivery: Delivery, host: str, not_local: Reply | None) -> None:
        """`host` stands in the Message-IDs of messages that came without; `not_local` as in Terms."""
        self._delivery = delivery
        self._terms = Terms(not_local, partial(missing, host))

    async def begin(self, came: Came, sender: Sender) -> Transaction | Reply:
        """A user sends from an address of their own (RFC 6409 §6.1), or with the null reverse-path."""
        if self._delivery.is_short():
            return DISK_FULL
        if not sender.reverse_path.null:
            refused = await self._not_own(sender.reverse_path, sender.account)
            if refused is not None:
                return refused
        return Transaction(self._delivery, self._terms, came, sender)

    async def _not_own(self, reverse_path: Path, account: int) -> Reply | None:
        try:
            resolution = await self._delivery.lookup.resolve(str(reverse_path))
        except (NotKnown, OSError):
            return UNAVAILABLE
        if isinstance(resolution, Recipients) and account in [one.id for one in resolution.accounts]:
            return None
        return NOT_YOUR_ADDRESS


def missing(host: str, first: bytes, identity: str, seconds: int) -> bytes:
    """The fields that RFC 6409 §8.2 and §8.3 have us add, if the header in `first` lacks them."""
    end = _END_OF_HEADER.search(first)
    header = first[: end.start()] if end else first
    fields = b""
    if not _DATE.search(header):
        fields += f"Date: {date_time(seconds)}\r\n".encode()
    if not _MESSAGE_ID.search(header):
        fields += f"Message-ID: <{identity}@{host}>\r\n".encode()
    return fields
