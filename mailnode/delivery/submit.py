"""Mail from our user: RFC 6409."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial

from mailnode.delivery.draft import Draft, not_own
from mailnode.delivery.replies import NOT_YOUR_ADDRESS, UNAVAILABLE
from mailnode.delivery.transaction import Delivery, Sender, Terms, Transaction
from mailnode.directory.lookup import Recipients
from mailnode.mailbox.verbs import NotKnown, Unavailable
from protocols.mime.fields import Header
from protocols.smtp.envelope import Path
from protocols.smtp.reply import Reply
from protocols.smtp.trace import Came, date_time

_END_OF_HEADER = re.compile(rb"\A\r\n|\r\n\r\n")
_DATE = re.compile(rb"^date[ \t]*:", re.IGNORECASE | re.MULTILINE)
_MESSAGE_ID = re.compile(rb"^message-id[ \t]*:", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Policy:
    """`foreign_from`: a user may write in another's name. `shows_client`: as in Terms."""

    foreign_from: bool = False
    shows_client: bool = True


DEFAULT = Policy()


class Submit:
    """Begins transactions of one user at a time: each names the account that was authenticated."""

    __slots__ = ("_delivery", "_policy", "_terms")

    def __init__(
        self, delivery: Delivery, host: str, not_local: Reply | None, policy: Policy = DEFAULT
    ) -> None:
        """`host` stands in the Message-IDs of messages that came without; `not_local` as in Terms."""
        self._delivery = delivery
        self._policy = policy
        self._terms = Terms(not_local, partial(missing, host), policy.shows_client)

    async def begin(self, came: Came, sender: Sender) -> Transaction | Reply:
        """A user sends from an address of their own (RFC 6409 §6.1), or with the null reverse-path."""
        refused = self._delivery.refusal(sender.parameters)
        if refused is not None:
            return refused
        if not sender.reverse_path.null:
            refused = await self._not_own(sender.reverse_path, sender.account)
            if refused is not None:
                return refused
        draft = Draft(partial(self._judged, sender.account))
        return Transaction(self._delivery, self._terms, came, sender, draft=draft)

    async def _not_own(self, reverse_path: Path, account: int) -> Reply | None:
        try:
            return None if await self._owns(account, str(reverse_path)) else NOT_YOUR_ADDRESS
        except (NotKnown, Unavailable, OSError):
            return UNAVAILABLE

    async def _judged(self, account: int, header: Header) -> Reply | None:
        """Why a message with this header is not taken from this user."""
        if self._policy.foreign_from:
            return None
        try:
            return await not_own(header, partial(self._owns, account))
        except (NotKnown, Unavailable, OSError):
            return UNAVAILABLE

    async def _owns(self, account: int, address: str) -> bool:
        """Raises NotKnown or OSError."""
        resolution = await self._delivery.lookup.resolve(address)
        return isinstance(resolution, Recipients) and account in [one.id for one in resolution.accounts]


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
