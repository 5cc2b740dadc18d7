"""SMTP, submission and LMTP at their ports: events of the session into words of `delivery`, and back.

What is decided, is decided there and in `authentication`; a row here only translates.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from mailnode.clock import Clock
from mailnode.delivery.accept import Accept
from mailnode.delivery.submit import Submit
from mailnode.delivery.transaction import Sender, Transaction
from mailnode.directory.attempt import Caller, Scope
from mailnode.directory.source import source_of
from mailnode.limits import Limits
from mailnode.listeners.admission import is_local
from mailnode.listeners.authentication import Authenticated, Authentication, Outcome, Refusal, Verifier
from mailnode.listeners.conversation import Conversation
from mailnode.listeners.listener import Goodbye, Listener
from protocols.sasl.step import Challenge
from protocols.smtp import event as events
from protocols.smtp import reply
from protocols.smtp.profile import BareNewline, Bounds, Channel, Flavour, Profile
from protocols.smtp.reply import Reply
from protocols.smtp.server import Session
from protocols.smtp.trace import Came, with_protocol

TOO_MANY_CONNECTIONS = Reply(421, "4.7.0", "Too many connections, try again later")
GUESSING = Reply(421, "4.7.0", "Too many failed logins, closing")
_GOODBYES = {
    Goodbye.FAILED: Reply(421, "4.3.0", "Internal error, try again later"),
    Goodbye.SILENT: Reply(421, "4.4.2", "Timeout, closing"),  # RFC 5321 §4.5.3.2
    Goodbye.STOPPING: Reply(421, "4.3.2", "Shutting down"),  # RFC 5321 §3.8
    Goodbye.REVOKED: Reply(421, "4.7.0", "This login is no longer good"),
}
_REFUSALS = {
    Refusal.WRONG: Reply(535, "5.7.8", "Authentication credentials invalid"),  # RFC 4954 §6
    Refusal.MALFORMED: Reply(501, "5.5.2", "The authentication exchange went wrong"),
    Refusal.BUSY: Reply(454, "4.7.0", "Temporary authentication failure"),
    Refusal.UNAVAILABLE: Reply(454, "4.7.0", "Temporary authentication failure"),
    Refusal.DELAYED: Reply(454, "4.7.0", "Too many failed logins, try again later"),
}

NOBODY = events.Hello(b"", False, reply.OK)  # no client has said who it is

Begin = Callable[[Came, Sender], Awaitable[Transaction | Reply]]
"""Opens a transaction."""


@dataclass(slots=True)
class Client:
    """What the rows of a connection share. `account` is 0 until its user has authenticated."""

    conversation: Conversation[Client]
    profile: Profile
    begin: Begin
    authentication: Authentication | None  # on submission only
    account: int = 0
    hello: events.Hello = NOBODY
    transactions: dict[int, Transaction] = field(default_factory=dict)

    def came(self, smtputf8: bool) -> Came:
        conversation, hello = self.conversation, self.hello
        secure, authenticated = conversation.tls is not None, self.account != 0
        protocol = with_protocol(self.profile.flavour, hello.extended, secure, authenticated, smtputf8)
        return Came(hello.name, conversation.peer.host, self.profile.host, protocol)


# -- listeners


def mx(
    accept: Accept, host: str, limits: Limits, bare_newline: BareNewline = BareNewline.REJECT
) -> Listener[Client]:
    """The open net's mail for us: RFC 5321."""
    profile = Profile(Flavour.MX, host, bounds(limits), bare_newline, starttls=True)
    return _accepting("smtp", profile, accept, limits)


def lmtp(
    accept: Accept,
    host: str,
    limits: Limits,
    bare_newline: BareNewline = BareNewline.NORMALIZE,
    copies_max: int = 0,
) -> Listener[Client]:
    """Mail from another part of our own site: RFC 2033."""
    profile = Profile(Flavour.LMTP, host, bounds(limits), bare_newline, copies_max=copies_max)
    return _accepting("lmtp", profile, accept, limits)


def submission(
    submit: Submit,
    verifier: Verifier,
    clock: Clock,
    host: str,
    limits: Limits,
    *,
    mechanisms: tuple[str, ...],
    auth_needs_tls: bool,
    bare_newline: BareNewline = BareNewline.NORMALIZE,
    copies_max: int = 0,
) -> Listener[Client]:
    """Our users' mail, by STARTTLS or in TLS from the first octet: RFC 6409, RFC 8314.

    Where authentication needs no TLS, it needs none from this machine only.
    """
    profile = Profile(
        Flavour.SUBMISSION,
        host,
        bounds(limits),
        bare_newline,
        starttls=True,
        mechanisms=mechanisms,
        auth_needs_tls=auth_needs_tls,
        copies_max=copies_max,
    )

    def client(conversation: Conversation[Client]) -> Client:
        caller = Caller(source_of(conversation.peer.host), Scope.SMTP)
        authentication = Authentication(verifier, clock, limits, caller, conversation)
        return Client(conversation, profile, submit.begin, authentication)

    return _listener("submission", profile, client, limits)


def _accepting(name: str, profile: Profile, accept: Accept, limits: Limits) -> Listener[Client]:
    def client(conversation: Conversation[Client]) -> Client:
        return Client(conversation, profile, accept.begin, None)

    return _listener(name, profile, client, limits)


def _listener(
    name: str, profile: Profile, client: Callable[[Conversation[Client]], Client], limits: Limits
) -> Listener[Client]:
    remote = replace(profile, auth_needs_tls=True)

    def session(conversation: Conversation[Client]) -> Session:
        ours = profile if is_local(conversation.peer.host) else remote
        return Session(ours, Channel.PLAIN if conversation.tls is None else Channel.TLS)

    return Listener(
        name=name,
        session=session,
        state=client,
        opened=_opened,
        rows=ROWS,
        closed=_closed,
        refusal=TOO_MANY_CONNECTIONS.octets(),
        goodbye=lambda session, why: _GOODBYES[why].octets(),
        silence_seconds_max=limits.smtp_command_seconds_max,
    )


def bounds(limits: Limits) -> Bounds:
    """What of the limits a session needs."""
    return Bounds(
        line_octets_max=limits.smtp_command_line_octets_max,
        recipients_max=limits.smtp_recipients_max,
        message_octets_max=limits.smtp_message_octets_max,
        errors_max=limits.smtp_errors_max,
        refused_recipients_max=limits.smtp_refused_recipients_max,
        events_open_max=limits.smtp_events_open_max,
    )


# -- rows


async def _opened(client: Client) -> None:
    session = client.conversation.session
    assert isinstance(session, Session)
    client.conversation.send(None, session.greeting)


async def _closed(client: Client) -> None:
    if client.authentication is not None:
        client.authentication.left()
    client.transactions.clear()


async def _answered(client: Client, event: events.Answered | events.AuthCancelled) -> None:
    client.conversation.send(event, event.reply)


async def _hello(client: Client, event: events.Hello) -> None:
    client.hello = event
    client.transactions.clear()
    client.conversation.send(event, event.reply)


async def _mail(client: Client, event: events.Mail) -> None:
    sender = Sender(event.reverse_path, event.parameters, client.account)
    begun = await client.begin(client.came(event.parameters.smtputf8), sender)
    if isinstance(begun, Transaction):
        client.transactions[event.transaction] = begun
        client.conversation.send(event, reply.SENDER_OK)
    else:
        client.conversation.send(event, begun)


async def _rcpt(client: Client, event: events.Rcpt) -> None:
    answer = await client.transactions[event.transaction].recipient(event.forward_path)
    client.conversation.send(event, answer)


async def _data(client: Client, event: events.Data) -> None:
    client.conversation.send(event, reply.GO_ON)


async def _chunk(client: Client, event: events.Chunk) -> None:
    await client.transactions[event.transaction].write(event.octets)


async def _last_chunk(client: Client, event: events.LastChunk) -> None:
    """Beside the rows of the next transactions, so that they share a sync."""
    client.conversation.beside(_finish(client, client.transactions.pop(event.transaction), event))


async def _finish(client: Client, transaction: Transaction, event: events.LastChunk) -> None:
    each = client.profile.flavour is Flavour.LMTP
    finish = transaction.finish if each else transaction.finish_as_one
    client.conversation.send(event, await finish(event.octets))


async def _forget(client: Client, event: events.ContentRefused | events.Reset) -> None:
    client.transactions.clear()
    client.conversation.send(event, event.reply)


async def _starttls(client: Client, event: events.StartTls) -> None:
    client.conversation.send(event, event.reply)
    await client.conversation.start_tls()
    if client.authentication is not None:
        client.authentication.left()
    client.account, client.hello = 0, NOBODY  # RFC 3207 §4.2: what was said before TLS is forgotten


async def _auth(client: Client, event: events.Auth) -> None:
    assert client.authentication is not None
    _authenticated(client, event, await client.authentication.begin(event.mechanism, event.initial))


async def _auth_response(client: Client, event: events.AuthResponse) -> None:
    assert client.authentication is not None
    _authenticated(client, event, await client.authentication.proceed(event.octets))


def _authenticated(client: Client, event: events.Event, outcome: Outcome) -> None:
    conversation, authentication = client.conversation, client.authentication
    if isinstance(outcome, Challenge):
        conversation.send(event, events.Challenge(outcome.octets))
    elif isinstance(outcome, Authenticated):
        client.account = outcome.account
        conversation.send(event, reply.AUTHENTICATED)
    elif authentication is not None and authentication.exhausted:
        conversation.send(event, GUESSING)
        conversation.close()
    else:
        conversation.send(event, _REFUSALS[outcome])


async def _goodbye(client: Client, event: events.Goodbye) -> None:
    client.conversation.send(event, event.reply)
    client.conversation.close()


ROWS: Mapping[type, Callable[[Client, Any], Awaitable[None]]] = {
    events.Answered: _answered,
    events.Hello: _hello,
    events.Mail: _mail,
    events.Rcpt: _rcpt,
    events.Data: _data,
    events.Chunk: _chunk,
    events.LastChunk: _last_chunk,
    events.ContentRefused: _forget,
    events.Reset: _forget,
    events.StartTls: _starttls,
    events.Auth: _auth,
    events.AuthResponse: _auth_response,
    events.AuthCancelled: _answered,
    events.Goodbye: _goodbye,
}
