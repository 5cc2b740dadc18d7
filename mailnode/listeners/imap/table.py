"""The IMAP listener as a value: one row for each type of event."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from typing import Any

from mailnode.clock import Clock
from mailnode.directory.attempt import Caller, Scope
from mailnode.directory.source import source_of
from mailnode.limits import Limits
from mailnode.listeners.admission import is_local, network_of
from mailnode.listeners.authentication import Authentication, Verifier, offered
from mailnode.listeners.conversation import Conversation
from mailnode.listeners.imap import append, compress, fetch, idle, login, mailboxes, message, quota, select
from mailnode.listeners.imap.client import Accounts, Client, refusing
from mailnode.listeners.listener import Goodbye, Listener
from mailnode.mailbox.connections import Connections
from mailnode.mailbox.content import UploadIds
from protocols.imap import event as events
from protocols.imap import response
from protocols.imap.answer import Greeting, Ok
from protocols.imap.capability import Policy
from protocols.imap.command import State
from protocols.imap.limits import ImapLimits
from protocols.imap.server import Session

IDENTITY = {"name": "mailnode"}
"""What ID tells (RFC 2971 §3.3): no version, which is for an attacker rather than for a client."""
TOO_MANY_CONNECTIONS = b"* BYE Too many connections, try again later\r\n"
_GOODBYES = {
    Goodbye.FAILED: b"* BYE Internal error, try again later\r\n",
    Goodbye.SILENT: b"* BYE Autologout, nothing was said for too long\r\n",  # RFC 9051 §5.4
    Goodbye.STOPPING: b"* BYE Shutting down\r\n",
    Goodbye.REVOKED: b"* BYE This login is no longer good\r\n",
}


def listener(
    verifier: Verifier,
    connections: Connections,
    accounts: Accounts,
    upload_ids: UploadIds,
    clock: Clock,
    limits: Limits,
    *,
    mechanisms: tuple[str, ...],
    auth_needs_tls: bool,
    literal_minus: bool = False,
) -> Listener[Client]:
    """IMAP with STARTTLS, or in TLS from the first octet: RFC 9051, RFC 8314.

    Where authentication needs no TLS, it needs none from this machine only.
    """

    bounds = _bounds(limits)

    @cache  # all connections share the few that there are
    def policy(tls: bool, allowed: bool, names: tuple[str, ...]) -> Policy:
        return Policy(
            tls=tls,
            starttls=True,
            plaintext_login=allowed,
            mechanisms=names,
            append_octets_max=limits.imap_message_octets_max,
            literal_minus=literal_minus,
        )

    def session(conversation: Conversation[Client]) -> Session:
        tls = conversation.tls is not None
        allowed = tls or (not auth_needs_tls and is_local(conversation.peer.host))
        names = offered(mechanisms, conversation.bindings) if allowed else ()
        return Session(bounds, policy(tls, allowed, names))

    def client(conversation: Conversation[Client]) -> Client:
        caller = Caller(source_of(conversation.peer.host), Scope.IMAP)
        authentication = Authentication(verifier, clock, limits, caller, conversation)
        return Client(conversation, authentication, connections, accounts, upload_ids, clock, limits)

    return Listener(
        name="imap",
        session=session,
        state=client,
        opened=_opened,
        rows=ROWS,
        closed=_closed,
        refusal=TOO_MANY_CONNECTIONS,
        goodbye=_goodbye,
        silence_seconds_max=limits.imap_login_seconds_max,
    )


def _bounds(limits: Limits) -> ImapLimits:
    """What of the limits a session needs."""
    return ImapLimits(
        line_octets_max=limits.imap_line_octets_max,
        command_octets_max=limits.imap_command_octets_max,
        message_octets_max=limits.imap_message_octets_max,
        swallow_octets_max=limits.imap_swallow_octets_max,
        chunk_octets_max=limits.messages_octets_max,
        events_open_max=limits.imap_events_open_max,
        errors_max=limits.imap_errors_max,
        depth_max=limits.imap_depth_max,
        sequence_ranges_max=limits.imap_sequence_ranges_max,
        list_patterns_max=limits.imap_list_patterns_max,
        search_keys_max=limits.imap_search_keys_max,
        keyword_octets_max=limits.keyword_octets_max,
    )


async def _opened(client: Client) -> None:
    client.say(None, Greeting("mailnode ready"))


async def _closed(client: Client) -> None:
    client.authentication.left()
    client.deselect()
    client.appends.clear()
    client.conversation.wheel.drop(client.still_here)
    if client.authenticated is not None:
        client.connections.leave(client.authenticated.id, network_of(client.conversation.peer.host))


def _goodbye(session: Any, why: Goodbye) -> bytes:
    """Nothing after the tagged answer of LOGOUT."""
    return b"" if session.state is State.LOGOUT else _GOODBYES[why]


# -- rows that belong to no subject


async def _replied(client: Client, event: events.Reply) -> None:
    client.say(event, event.answer)


async def _parted(client: Client, event: events.Goodbye) -> None:
    client.say(event, event.answer)
    client.conversation.close()


async def _noop(client: Client, event: events.Noop) -> None:
    await client.end(event, Ok("Nothing done"))


async def _logout(client: Client, event: events.Logout) -> None:
    client.say(event, Ok("Logged out"))
    client.conversation.close()


async def _identified(client: Client, event: events.Id) -> None:
    client.say(event, response.identified(IDENTITY))
    await client.end(event, Ok("Said"))


_ROWS: Mapping[type, Callable[[Client, Any], Any]] = {
    events.Reply: _replied,
    events.Goodbye: _parted,
    events.Noop: _noop,
    events.Logout: _logout,
    events.Id: _identified,
    events.StartTls: login.start_tls,
    events.Login: login.login,
    events.Authenticate: login.authenticate,
    events.AuthenticateResponse: login.proceed,
    events.Compress: compress.compress,
    events.Select: select.select,
    events.Close: select.close,
    events.Unselect: select.unselect,
    events.Idle: idle.idle,
    events.IdleDone: idle.idle_done,
    events.Create: mailboxes.create,
    events.Delete: mailboxes.delete,
    events.Rename: mailboxes.rename,
    events.Subscribe: mailboxes.subscribe,
    events.Unsubscribe: mailboxes.unsubscribe,
    events.List: mailboxes.list_,
    events.Lsub: mailboxes.lsub,
    events.Namespace: mailboxes.namespace,
    events.Status: mailboxes.status,
    events.GetQuota: quota.get_quota,
    events.GetQuotaRoot: quota.get_quota_root,
    events.Append: append.append,
    events.NextMessage: append.next_message,
    events.Chunk: append.chunk,
    events.LastChunk: append.last_chunk,
    events.AppendBroken: append.append_broken,
    events.Fetch: fetch.fetch,
    events.Store: message.store,
    events.Copy: message.copy,
    events.Move: message.move,
    events.Expunge: message.expunge,
    events.Search: message.search,
}

ROWS: Mapping[type, Callable[[Client, Any], Awaitable[None]]] = {
    event: refusing(row) for event, row in _ROWS.items()
}
