"""Authentication against credentials that are a plain table."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest

from mailnode.directory.credential import Busy
from mailnode.limits import Limits
from mailnode.listeners.authentication import MECHANISMS, Authenticated, Authentication, Outcome, Refusal
from protocols.sasl import scram
from protocols.sasl.plain import LoginClient, PlainClient
from protocols.sasl.scram_client import Client as ScramClient
from protocols.sasl.step import Challenge, Client
from tests.directory.memory import StillClock

ACCOUNT = 7
PASSWORDS = {"ann@example.test": "secret"}
T = TypeVar("T")


class Table:
    """Knows one user; `busy` makes it answer "try again"."""

    def __init__(self) -> None:
        self.busy = False

    async def verify(self, login: str, password: str, peer: str) -> int | None:
        if self.busy:
            raise Busy
        return ACCOUNT if PASSWORDS.get(login.lower()) == password else None

    async def scram_keys(self, login: str) -> tuple[int | None, scram.Keys]:
        password = PASSWORDS.get(login)
        keys = scram.keys((password or "made up").encode(), b"salt", 4096)
        return (ACCOUNT if password else None), keys


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def fresh() -> Authentication:
    return Authentication(Table(), StillClock(), Limits(), "192.0.2.1")


def client_of(mechanism: str, user: str, password: str) -> Client:
    if mechanism == "PLAIN":
        return PlainClient(user, password)
    if mechanism == "LOGIN":
        return LoginClient(user, password)
    return ScramClient(user, password, b"client-nonce", 100_000)


async def dance(authentication: Authentication, mechanism: str, client: Client, begins: bool) -> Outcome:
    """`begins`: the client sends an initial response where it has one."""
    outcome = await authentication.begin(mechanism, client.initial() if begins else None)
    while isinstance(outcome, Challenge):
        outcome = await authentication.proceed(client.step(outcome.octets))
    return outcome


@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize("begins", [True, False])
def test_every_mechanism_admits_the_right_password(mechanism: str, begins: bool) -> None:
    client = client_of(mechanism, "ann@example.test", "secret")
    outcome = run(dance(fresh(), mechanism, client, begins))
    assert outcome == Authenticated(ACCOUNT, "ann@example.test")


@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize(
    ("user", "password"), [("ann@example.test", "guess"), ("bob@example.test", "secret"), ("bob", "made up")]
)
def test_every_mechanism_refuses_all_else_alike(mechanism: str, user: str, password: str) -> None:
    assert run(dance(fresh(), mechanism, client_of(mechanism, user, password), True)) is Refusal.WRONG


@pytest.mark.parametrize(
    ("authzid", "outcome"),
    [
        (b"", Authenticated(ACCOUNT, "ann@example.test")),
        (b"Ann@EXAMPLE.test", Authenticated(ACCOUNT, "ann@example.test")),
        (b"bob@example.test", Refusal.WRONG),
        (b"ann", Refusal.WRONG),
    ],
)
def test_nobody_acts_as_somebody_else(authzid: bytes, outcome: Outcome) -> None:
    message = authzid + b"\0ann@example.test\0secret"
    assert run(fresh().begin("PLAIN", message)) == outcome


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256"])
def test_what_is_no_message_of_the_mechanism_is_malformed(mechanism: str) -> None:
    assert run(fresh().begin(mechanism, b"what?")) is Refusal.MALFORMED


def test_busy_credentials_are_no_failure_of_the_peer() -> None:
    table = Table()
    table.busy = True
    authentication = Authentication(table, StillClock(), Limits(authentication_failures_max=1), "192.0.2.1")
    assert run(authentication.login("ann@example.test", "secret")) is Refusal.BUSY
    assert not authentication.exhausted


def test_a_peer_that_guesses_is_exhausted_after_the_bound() -> None:
    authentication = Authentication(Table(), StillClock(), Limits(authentication_failures_max=3), "192.0.2.1")
    run(authentication.login("ann@example.test", "a"))
    run(authentication.begin("PLAIN", b"what?"))
    assert not authentication.exhausted
    run(dance(authentication, "SCRAM-SHA-256", client_of("SCRAM-SHA-256", "ann@example.test", "c"), True))
    assert authentication.exhausted


def test_an_exchange_that_was_given_up_leaves_nothing_behind() -> None:
    async def gives_up() -> Outcome:
        authentication = fresh()
        await authentication.begin("LOGIN", b"bob@example.test")
        return await dance(authentication, "LOGIN", LoginClient("ann@example.test", "secret"), False)

    assert run(gives_up()) == Authenticated(ACCOUNT, "ann@example.test")
