"""What the rows of one connection share: its account and what it selected."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from mailnode.clock import Clock
from mailnode.directory.rows import intent_id
from mailnode.limits import Limits
from mailnode.listeners.authentication import Authentication
from mailnode.listeners.conversation import Conversation
from mailnode.listeners.imap.refusal import Refused
from mailnode.listeners.imap.selected import Selected
from mailnode.mailbox.connections import Connections
from mailnode.mailbox.content import UploadIds
from mailnode.mailbox.verbs import Account, NotKnown, Unavailable
from mailnode.pb.change_pb2 import Intent, Result
from mailnode.pb.row_pb2 import MailboxRow
from mailnode.store.damage import Unreadable
from protocols.fault import Fault
from protocols.imap import response
from protocols.imap.answer import Answer, Bad
from protocols.imap.capability import REV2
from protocols.imap.command import withholds_expunge
from protocols.imap.event import Append, Fetch, List, Search, Status, Store
from protocols.imap.grammar import speaks_utf8

if TYPE_CHECKING:
    from mailnode.listeners.imap.append import Appending


class Accounts(Protocol):
    async def open(self, account: int) -> Account: ...


class StillHere:
    """Says that we are there while the client is in IDLE and nothing happens: Dovecot does, and clients take
    the silence of a connection for its end. The wheel calls."""

    __slots__ = ("_client", "slot")

    def __init__(self, client: Client) -> None:
        self._client = client
        self.slot = 0

    def due(self) -> None:
        client = self._client
        client.say(None, b"* OK Still here\r\n")
        client.conversation.wheel.file(self, client.limits.imap_still_here_seconds)


@dataclass(slots=True)
class Client:
    """One client. The session lets no command pass that comes too early for `account` or `selected`."""

    conversation: Conversation[Client]
    authentication: Authentication
    connections: Connections
    accounts: Accounts
    upload_ids: UploadIds
    clock: Clock
    limits: Limits
    authenticated: Account | None = None
    selection: Selected | None = None
    idling: asyncio.Task[None] | None = None
    appends: dict[Append, Appending] = field(default_factory=dict)
    still_here: StillHere = field(init=False)

    def __post_init__(self) -> None:
        self.still_here = StillHere(self)

    @property
    def account(self) -> Account:
        assert self.authenticated is not None
        return self.authenticated

    @property
    def selected(self) -> Selected:
        assert self.selection is not None
        return self.selection

    @property
    def utf8(self) -> bool:
        """Whether names and quoted strings are UTF-8 to it: ENABLE UTF8=ACCEPT or IMAP4rev2."""
        return speaks_utf8(self.enabled())

    @property
    def rev2(self) -> bool:
        """Whether it said ENABLE IMAP4rev2."""
        return REV2 in self.enabled()

    def enabled(self) -> frozenset[str]:
        """The extensions that it enabled."""
        session: Any = self.conversation.session
        enabled: frozenset[str] = session.enabled
        return enabled

    @property
    def mailbox_name(self) -> Callable[[str], bytes]:
        """How the name of a mailbox is said to it."""
        return response.mailbox_utf8 if self.utf8 else response.mailbox

    def deselect(self) -> None:
        if self.selection is not None:
            self.selection.close()
            self.selection = None

    # -- answering

    def say(self, event: Any, answer: Answer) -> None:
        self.conversation.send(event, answer)

    async def say_all(self, event: Any, pieces: AsyncIterator[bytes]) -> None:
        """A long answer, no faster than the client reads."""
        async for piece in pieces:
            if piece:
                self.say(event, piece)
                await self.conversation.drained()

    async def end(self, event: Any, answer: Answer) -> None:
        """End a command: news of the selected mailbox first, EXPUNGE only where it may be said."""
        selected = self.selection
        if selected is not None:
            news = selected.news_keeping_numbers() if withholds_expunge(event) else selected.news()
            await self.say_all(event, news)
        self.say(event, answer)

    def say_modseq(self, event: Any) -> None:
        """HIGHESTMODSEQ when CONDSTORE was enabled with a mailbox selected (RFC 7162 §3.1)."""
        selected = self.selection
        if selected is not None and not selected.modseq_told and selected.condstore:
            selected.modseq_told = True
            self.say(event, selected.highest_modseq())

    # -- asking the account

    async def apply(self, intent: Intent) -> Result:
        """Under a new id; raises Refused and NotKnown."""
        intent.id = intent_id(self.clock)
        result = await self.account.apply(intent)
        if result.refused:
            raise Refused(result.refused)
        return result

    async def mailbox(self, name: str, code: str) -> MailboxRow:
        """The mailbox of a full name, one that holds messages; raises Refused with `code`."""
        row = (await self.account.mailboxes()).named(name)
        if row is None or row.noselect:
            raise Refused(code)
        return row


Row = Callable[[Client, Any], Coroutine[Any, Any, None]]


_ENABLING = (Fetch, List, Search, Status, Store)


def refusing(row: Row) -> Row:
    """A row whose command is answered NO or BAD where the account, or the numbers it names, say so."""

    async def answered(client: Client, event: Any) -> None:
        try:
            if isinstance(event, _ENABLING):
                client.say_modseq(event)
            await row(client, event)
        except Refused as refused:
            await client.end(event, refused.no)
        except (NotKnown, Unavailable, Unreadable):
            client.say(event, Refused("UNAVAILABLE").no)
        except Fault as fault:
            client.say(event, Bad(fault.text))

    return answered
