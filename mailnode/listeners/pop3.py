"""POP3 at its ports: logins, octets and the removal at the end, in the words of the session.

A maildrop is the INBOX as it is at the login. One session at a time may have it (RFC 1939 §4). IMAP does not
hear of that lock: a message that it expunges meanwhile is refused, or was read before.
"""

from __future__ import annotations

from array import array
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from mailnode.clock import Clock
from mailnode.directory.attempt import Caller, Scope
from mailnode.directory.rows import intent_id
from mailnode.directory.source import source_of
from mailnode.limits import Limits
from mailnode.listeners.admission import is_local
from mailnode.listeners.authentication import Authenticated, Authentication, Outcome, Refusal, Verifier
from mailnode.listeners.conversation import Conversation
from mailnode.listeners.listener import Goodbye, Listener
from mailnode.mailbox.maildrops import Taken
from mailnode.mailbox.ranges import packed
from mailnode.mailbox.rows import MAIL, SAVE_DATE, SEEN, SIZE, longs, low_flags, unique_id, words
from mailnode.mailbox.verbs import ALL_UIDS, Account, Expunged, NotKnown, Unavailable, Want
from mailnode.pb.change_pb2 import Expunge, Intent, Store
from protocols.pop3 import event as events
from protocols.pop3.command import EXPIRE_NEVER, Policy, err
from protocols.pop3.event import Done, Octets, Opened, Refused
from protocols.pop3.server import Session
from protocols.sasl.step import Challenge

IN_USE = Refused("IN-USE", "Another session has the maildrop")
TOO_SOON = Refused("LOGIN-DELAY", "There was a login a moment ago, try again later")
AWAY = Refused("SYS/TEMP", "The maildrop cannot be read at this moment")
GONE = Refused("", "The message was removed meanwhile")
NOT_REMOVED = Refused("SYS/TEMP", "The messages could not be removed")
_REFUSALS = {
    Refusal.WRONG: Refused("AUTH", "Wrong name or password"),
    Refusal.MALFORMED: Refused("", "The exchange does not go as the mechanism says"),
    Refusal.BUSY: Refused("SYS/TEMP", "Too many logins at this moment"),
    Refusal.UNAVAILABLE: Refused("SYS/TEMP", "The account cannot be read at this moment"),
    Refusal.DELAYED: Refused("SYS/TEMP", "Too many failed logins, try again later"),  # RFC 3206 §4
}
_GOODBYES = {
    Goodbye.FAILED: err("SYS/TEMP", "Internal error, try again later"),
    Goodbye.SILENT: b"",  # RFC 1939 §3: close without any response
    Goodbye.STOPPING: err("SYS/TEMP", "Shutting down"),
    Goodbye.REVOKED: err("AUTH", "This login is no longer good"),
    Goodbye.DISPOSSESSED: err("IN-USE", "Another session has the maildrop now"),
}


class Accounts(Protocol):
    async def open(self, account: int) -> Account: ...


@dataclass(frozen=True, slots=True)
class Custom:
    """What an operator decides. `marks_seen`: what RETR gave is \\Seen once the session ends.

    `expire_days`: after QUIT nothing is left that was read, and came that long ago (RFC 2449 §6.7; 0: what
    RETR gave), EXPIRE_NEVER: all stays. `login_delay_seconds`: between two logins of an account (§6.5).
    """

    marks_seen: bool = True
    expire_days: int = EXPIRE_NEVER
    login_delay_seconds: int = 0


class Maildrops(Protocol):
    """Of `mailbox.maildrops`."""

    async def take(self, account: int, delay_seconds: int, lost: Callable[[], None]) -> Taken: ...

    async def release(self, account: int) -> None: ...


@dataclass(frozen=True, slots=True)
class Inbox:
    """A maildrop: INBOX at the login, as columns; an index counts from 0 in all of them."""

    account: Account
    mailbox: int
    uid_validity: int
    uids: Sequence[int]
    mails: Sequence[int]
    sizes: Sequence[int]
    unique_ids: Mapping[int, str]
    """By UID, what messages had on the server that they came from."""
    old: frozenset[int]
    """Those that came so long ago that they go once they are read."""
    expired: frozenset[int]
    """Of these those that were read."""

    def unique_id(self, index: int) -> str:
        """Never given to another message, RFC 1939 §7."""
        uid = self.uids[index]
        return self.unique_ids.get(uid) or unique_id(self.uid_validity, uid)


async def read_inbox(account: Account, old_seconds: int) -> Inbox:
    """Empty where there is no INBOX. `old_seconds`: what came up to then is `old`."""
    uids, mails, sizes = array("I"), array("Q"), array("I")
    row = (await account.mailboxes()).named("INBOX")
    if row is None:
        return Inbox(account, 0, 0, uids, mails, sizes, {}, frozenset(), frozenset())
    old, seen = set[int](), set[int]()
    async for run in account.messages(row.mailbox, ALL_UIDS, Want.ENTRIES):
        first = len(uids)
        uids.extend(run.uids[: run.count])
        if old_seconds >= 0:
            dates, flags = words(run.entries, SAVE_DATE), low_flags(run.entries)
            old.update(at for at, date in enumerate(dates, first) if date <= old_seconds)
            seen.update(at for at, low in enumerate(flags, first) if low & SEEN)
        mails.frombytes(longs(run.entries, MAIL).tobytes())
        sizes.frombytes(words(run.entries, SIZE).tobytes())
    unique_ids = await account.unique_ids(row.mailbox) if row.unique_ids else {}
    return Inbox(
        account,
        row.mailbox,
        row.uid_validity,
        uids,
        mails,
        sizes,
        unique_ids,
        frozenset(old),
        frozenset(old & seen),
    )


class Ahead:
    """Whole messages that a client which retrieves one after the other will ask for next."""

    __slots__ = ("_held", "_next", "_octets_max")

    def __init__(self, octets_max: int) -> None:
        self._octets_max = octets_max
        self._held: dict[int, bytes] = {}
        self._next = -1

    async def take(self, inbox: Inbox, index: int) -> bytes:
        """The message; empty when it is to be read by itself."""
        in_order, self._next = index == self._next, index + 1
        if index not in self._held:
            self._held = await self._read(inbox, index) if in_order else {}
        return self._held.pop(index, b"")

    async def _read(self, inbox: Inbox, index: int) -> dict[int, bytes]:
        octets, end = 0, index
        while end < len(inbox.sizes) and octets + inbox.sizes[end] <= self._octets_max:
            octets += inbox.sizes[end]
            end += 1
        indexes = {inbox.uids[at]: at for at in range(index, end)}
        uids = [(inbox.uids[index], inbox.uids[end - 1])] if indexes else []
        found: dict[int, bytes] = {}
        async for run in inbox.account.messages(inbox.mailbox, uids, Want.OCTETS):
            found.update((indexes[uid], whole) for uid, whole in zip(run.uids, run.octets, strict=True))
        return found


@dataclass(slots=True)
class Client:
    """What the rows of a connection share. `locked`: the account whose maildrop we hold, 0: none."""

    conversation: Conversation[Client]
    accounts: Accounts
    authentication: Authentication
    maildrops: Maildrops
    clock: Clock
    ahead: Ahead
    custom: Custom
    locked: int = 0
    opened: Inbox | None = field(default=None, repr=False)

    @property
    def inbox(self) -> Inbox:
        assert self.opened is not None  # the session lets nothing pass before a login
        return self.opened

    def lost(self) -> None:
        """Another session has the maildrop: it is not ours to release any more."""
        self.locked = 0
        self.conversation.dispossess()

    async def release(self) -> None:
        locked, self.locked = self.locked, 0
        if locked:
            await self.maildrops.release(locked)


def pop3(
    accounts: Accounts,
    verifier: Verifier,
    maildrops: Maildrops,
    clock: Clock,
    host: str,
    limits: Limits,
    *,
    mechanisms: tuple[str, ...],
    passwords_need_tls: bool,
    custom: Custom = Custom(),
) -> Listener[Client]:
    """By STLS, or in TLS from the first octet: RFC 1939, RFC 8314.

    Where passwords may come outside TLS, they may from this machine only.
    """
    policy = Policy(
        host=host,
        mechanisms=mechanisms,
        starttls=True,
        passwords_need_tls=passwords_need_tls,
        line_octets_max=limits.pop3_line_octets_max,
        exchange_line_octets_max=limits.pop3_exchange_line_octets_max,
        errors_max=limits.pop3_errors_max,
        expire_days=custom.expire_days,
        login_delay_seconds=custom.login_delay_seconds,
    )

    def client(conversation: Conversation[Client]) -> Client:
        caller = Caller(source_of(conversation.peer.host), Scope.POP3)
        authentication = Authentication(verifier, clock, limits, caller, conversation)
        ahead = Ahead(limits.pop3_ahead_octets_max)
        return Client(conversation, accounts, authentication, maildrops, clock, ahead, custom)

    remote = replace(policy, passwords_need_tls=True)

    def session(conversation: Conversation[Client]) -> Session:
        ours = policy if is_local(conversation.peer.host) else remote
        return Session(ours, conversation.tls is not None)

    return Listener(
        name="pop3",
        session=session,
        state=client,
        opened=_opened,
        rows=ROWS,
        closed=_closed,
        refusal=err("SYS/TEMP", "Too many connections, try again later"),
        goodbye=_goodbye,
        silence_seconds_max=limits.pop3_idle_seconds_max,
    )


def _goodbye(session: Session, why: Goodbye) -> bytes:
    return b"" if session.in_content else _GOODBYES[why]


# -- rows


async def _opened(client: Client) -> None:
    session = client.conversation.session
    assert isinstance(session, Session)
    client.conversation.send(None, session.greeting)


async def _closed(client: Client) -> None:
    client.authentication.left()
    session = client.conversation.session
    assert isinstance(session, Session)
    try:
        if client.opened is not None and client.locked:
            await _mark(client, session.retrieved)
    finally:
        await client.release()


async def _answered(client: Client, event: events.Answered) -> None:
    client.conversation.send(event, Done())


async def _dismissed(client: Client, event: events.Dismissed) -> None:
    client.conversation.send(event, Done())
    client.conversation.close()


async def _start_tls(client: Client, event: events.StartTls) -> None:
    client.conversation.send(event, Done())
    await client.conversation.start_tls()


async def _login(client: Client, event: events.Login) -> None:
    await _conclude(client, event, await client.authentication.login(event.user, event.password))


async def _authenticate(client: Client, event: events.Authenticate) -> None:
    await _conclude(client, event, await client.authentication.begin(event.mechanism, event.initial))


async def _proceed(client: Client, event: events.AuthenticateResponse) -> None:
    await _conclude(client, event, await client.authentication.proceed(event.octets))


async def _conclude(client: Client, event: events.Event, outcome: Outcome) -> None:
    conversation = client.conversation
    if isinstance(outcome, Challenge):
        conversation.send(event, outcome)
    elif isinstance(outcome, Authenticated):
        conversation.send(event, await _open(client, outcome.account))
    else:
        conversation.send(event, _REFUSALS[outcome])
        if client.authentication.exhausted:
            conversation.close()


async def _open(client: Client, account: int) -> Opened | Refused:
    delay = client.custom.login_delay_seconds
    try:
        taken = await client.maildrops.take(account, delay, client.lost)
    except Unavailable:
        return AWAY
    if taken is not Taken.YES:
        return IN_USE if taken is Taken.IN_USE else TOO_SOON
    client.locked = account
    try:
        inbox = await read_inbox(await client.accounts.open(account), _old_seconds(client))
    except (NotKnown, Unavailable):
        await client.release()
        return AWAY
    client.opened = inbox
    return Opened(events.Maildrop(inbox.sizes, inbox.unique_id))


def _old_seconds(client: Client) -> int:
    """-1: nothing is from before that."""
    days = client.custom.expire_days
    return client.clock.now_microseconds() // 1_000_000 - days * 86_400 if days != EXPIRE_NEVER else -1


async def _retr(client: Client, event: events.Retr) -> None:
    conversation = client.conversation
    session = conversation.session
    assert isinstance(session, Session)
    inbox = client.inbox
    try:
        if ahead := await client.ahead.take(inbox, event.index):
            conversation.send(event, Octets(ahead))
        else:
            async for octets in inbox.account.octets(inbox.mails[event.index], 0, inbox.sizes[event.index]):
                conversation.send(event, Octets(octets))
                await conversation.drained()
                if not session.wants_octets:
                    break
    except (Expunged, NotKnown, Unavailable) as error:
        if session.in_content:
            conversation.abort()  # nothing says that what was sent is not all
        else:
            conversation.send(event, GONE if isinstance(error, Expunged) else AWAY)
        return
    conversation.send(event, Done())


async def _quit(client: Client, event: events.Quit) -> None:
    """The UPDATE state, RFC 1939 §6: removed for good before it is said."""
    await _mark(client, event.retrieved)
    going = sorted({*event.deleted, *_expired(client, event.retrieved)})
    removed = not going or await _remove(client, going)
    await client.release()
    client.conversation.send(event, Done() if removed else NOT_REMOVED)
    client.conversation.close()


def _expired(client: Client, retrieved: Sequence[int]) -> frozenset[int]:
    """What is not kept any longer: it came long ago, and was read (RFC 2449 §6.7)."""
    inbox = client.opened
    return inbox.expired.union(inbox.old.intersection(retrieved)) if inbox is not None else frozenset()


async def _mark(client: Client, indexes: Sequence[int]) -> None:
    """Nobody was told that it would be: what is not known to be marked is none of the peer's errors."""
    if not client.custom.marks_seen or not indexes:
        return
    inbox = client.inbox
    uids = packed([inbox.uids[index] for index in indexes])
    store = Store(mailbox=inbox.mailbox, uids=uids, mode=Store.ADD, flags=SEEN)
    with suppress(NotKnown, Unavailable):
        await inbox.account.apply(Intent(id=intent_id(client.clock), store=store))


async def _remove(client: Client, indexes: Sequence[int]) -> bool:
    inbox = client.inbox
    uids = packed([inbox.uids[index] for index in indexes])
    expunge = Expunge(mailbox=inbox.mailbox, uids=uids, whatever_flags=True)
    try:
        result = await inbox.account.apply(Intent(id=intent_id(client.clock), expunge=expunge))
    except (NotKnown, Unavailable):
        return False
    return not result.refused


ROWS: Mapping[type, Callable[[Client, Any], Awaitable[None]]] = {
    events.Answered: _answered,
    events.Dismissed: _dismissed,
    events.StartTls: _start_tls,
    events.Login: _login,
    events.Authenticate: _authenticate,
    events.AuthenticateResponse: _proceed,
    events.Retr: _retr,
    events.Quit: _quit,
}
