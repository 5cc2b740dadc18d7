"""Before authentication (RFC 9051 §6.2): who the client is, and TLS."""

from __future__ import annotations

from typing import Any

from mailnode.listeners.admission import network_of
from mailnode.listeners.authentication import Authenticated, Outcome, Refusal
from mailnode.listeners.imap.client import Client
from protocols.imap import answer
from protocols.imap.answer import Bad, Bye, No, Ok
from protocols.imap.event import Authenticate, AuthenticateResponse, Login, StartTls
from protocols.sasl.step import Challenge

_REFUSALS: dict[Refusal, answer.Answer] = {
    Refusal.WRONG: No("Wrong name or password", "AUTHENTICATIONFAILED"),
    Refusal.MALFORMED: Bad("The exchange does not go as the mechanism says"),
    Refusal.BUSY: No("Too many logins at this moment", "UNAVAILABLE"),
    Refusal.UNAVAILABLE: No("The account cannot be read at this moment", "UNAVAILABLE"),
    Refusal.DELAYED: No("Too many failed logins, try again later", "UNAVAILABLE"),
}


async def start_tls(client: Client, event: StartTls) -> None:
    client.say(event, Ok("Begin TLS"))
    await client.conversation.start_tls()


async def login(client: Client, event: Login) -> None:
    await _conclude(client, event, await client.authentication.login(event.user, event.password))


async def authenticate(client: Client, event: Authenticate) -> None:
    await _conclude(client, event, await client.authentication.begin(event.mechanism, event.initial))


async def proceed(client: Client, event: AuthenticateResponse) -> None:
    await _conclude(client, event, await client.authentication.proceed(event.octets))


async def _conclude(client: Client, event: Any, outcome: Outcome) -> None:
    if isinstance(outcome, Challenge):
        client.say(event, answer.Challenge(outcome.octets))
        return
    if isinstance(outcome, Authenticated):
        await _logged_in(client, event, outcome.account)
        return
    client.say(event, _REFUSALS[outcome])
    if client.authentication.exhausted:
        client.say(None, Bye("Too many failures"))
        client.conversation.close()


async def _logged_in(client: Client, event: Any, account: int) -> None:
    opened = await client.accounts.open(account)
    most = client.limits.imap_connections_per_login_max
    if not await client.connections.admit(account, network_of(client.conversation.peer.host), most):
        client.say(event, No("Too many connections of this account from this address", "LIMIT"))
        return
    client.authenticated = opened  # from here on the end of the connection counts it out
    client.conversation.patience(client.limits.imap_idle_seconds_max)
    client.say(event, Ok("Logged in"))
