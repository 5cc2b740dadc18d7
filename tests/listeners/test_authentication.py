"""Authentication against credentials that are a plain table."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar

import pytest

from mailnode.directory.attempt import Identity, Reason, Scope
from mailnode.limits import Limits
from mailnode.listeners.authentication import (
    MECHANISMS,
    Authenticated,
    Authentication,
    Outcome,
    Refusal,
    offered,
)
from mailnode.log import KeyValue
from protocols.sasl.plain import LoginClient, PlainClient
from protocols.sasl.scram_client import Client as ScramClient
from protocols.sasl.step import Challenge, Client
from tests.directory.asking import caller
from tests.directory.memory import StillClock
from tests.listeners.users import Users

ACCOUNT = 7
PASSWORDS = {"ann@example.test": "secret"}
UNBOUND = ("PLAIN", "LOGIN", "SCRAM-SHA-256")
T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


class Conversation:
    """The one that is authenticated."""

    def __init__(self, bindings: Mapping[bytes, bytes] | None = None) -> None:
        self.bindings = bindings or {}
        self.revoked = 0

    def revoke(self) -> None:
        self.revoked += 1


def users() -> Users:
    return Users(ACCOUNT, PASSWORDS)


def fresh(users: Users, limits: Limits | None = None) -> Authentication:
    return Authentication(users, StillClock(), limits or Limits(), caller(), Conversation())


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


@pytest.mark.parametrize("mechanism", UNBOUND)
@pytest.mark.parametrize("begins", [True, False])
def test_every_mechanism_admits_the_right_password(mechanism: str, begins: bool) -> None:
    client = client_of(mechanism, "ann@example.test", "secret")
    outcome = run(dance(fresh(users()), mechanism, client, begins))
    assert outcome == Authenticated(ACCOUNT, "ann@example.test")


@pytest.mark.parametrize("mechanism", UNBOUND)
@pytest.mark.parametrize(
    ("user", "password"), [("ann@example.test", "guess"), ("bob@example.test", "secret"), ("bob", "made up")]
)
def test_every_mechanism_refuses_all_else_alike(mechanism: str, user: str, password: str) -> None:
    assert run(dance(fresh(users()), mechanism, client_of(mechanism, user, password), True)) is Refusal.WRONG


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
    assert run(fresh(users()).begin("PLAIN", message)) == outcome


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256"])
def test_what_is_no_message_of_the_mechanism_is_malformed(mechanism: str) -> None:
    assert run(fresh(users()).begin(mechanism, b"what?")) is Refusal.MALFORMED


@pytest.mark.parametrize(
    ("trouble", "refusal"),
    [(Reason.BUSY, Refusal.BUSY), (Reason.UNAVAILABLE, Refusal.UNAVAILABLE)],
)
def test_what_cannot_be_looked_at_now_is_no_failure_of_the_peer(trouble: Reason, refusal: Refusal) -> None:
    table = users()
    table.trouble = trouble
    authentication = fresh(table, Limits(authentication_failures_max=1))
    assert run(authentication.login("ann@example.test", "secret")) is refusal
    assert not authentication.exhausted


def test_a_peer_that_guesses_is_exhausted_after_the_bound() -> None:
    authentication = fresh(users(), Limits(authentication_failures_max=3))
    run(authentication.login("ann@example.test", "a"))
    run(authentication.begin("PLAIN", b"what?"))
    assert not authentication.exhausted
    run(dance(authentication, "SCRAM-SHA-256", client_of("SCRAM-SHA-256", "ann@example.test", "c"), True))
    assert authentication.exhausted


def test_an_exchange_that_was_given_up_leaves_nothing_behind() -> None:
    async def gives_up() -> Outcome:
        authentication = fresh(users())
        await authentication.begin("LOGIN", b"bob@example.test")
        return await dance(authentication, "LOGIN", LoginClient("ann@example.test", "secret"), False)

    assert run(gives_up()) == Authenticated(ACCOUNT, "ann@example.test")


@pytest.mark.parametrize(
    "reason", [Reason.WRONG, Reason.REPEATED, Reason.SUSPENDED, Reason.SCOPE, Reason.EXPIRED]
)
def test_the_peer_learns_no_more_than_that_it_is_wrong(reason: Reason) -> None:
    table = users()
    table.trouble = reason
    assert run(fresh(table).login("ann@example.test", "secret")) is Refusal.WRONG


def test_whoever_must_wait_is_told_so_and_counts_as_one_who_guesses() -> None:
    table = users()
    table.trouble = Reason.DELAYED
    authentication = fresh(table, Limits(authentication_failures_max=2))
    assert run(authentication.login("ann@example.test", "secret")) is Refusal.DELAYED
    assert run(authentication.begin("SCRAM-SHA-256", b"n,,n=ann@example.test,r=x")) is Refusal.DELAYED
    assert authentication.exhausted


@pytest.mark.parametrize(
    ("reason", "refusal", "is_failure"),
    [(Reason.DELAYED, Refusal.DELAYED, True), (Reason.UNAVAILABLE, Refusal.UNAVAILABLE, False)],
)
def test_a_proof_is_not_looked_at_while_others_have_failed_too_often_or_nobody_knows(
    reason: Reason, refusal: Refusal, is_failure: bool
) -> None:
    authentication = fresh(table := users(), Limits(authentication_failures_max=1))

    async def scenario() -> Outcome:
        client = client_of("SCRAM-SHA-256", "ann@example.test", "secret")
        challenge = await authentication.begin("SCRAM-SHA-256", client.initial())
        assert isinstance(challenge, Challenge)
        table.keeps_off = reason
        return await authentication.proceed(client.step(challenge.octets))

    assert run(scenario()) is refusal
    assert authentication.exhausted is is_failure


@pytest.mark.parametrize("mechanism", UNBOUND)
def test_a_session_is_told_to_end_until_it_has_left(mechanism: str) -> None:
    table, conversation = users(), Conversation()
    authentication = Authentication(table, StillClock(), Limits(), caller(), conversation)
    run(dance(authentication, mechanism, client_of(mechanism, "ann@example.test", "secret"), True))
    table.sessions.end(ACCOUNT + 1, lambda identity: False)
    table.sessions.end(ACCOUNT, lambda identity: identity == Identity(ACCOUNT, 0))
    assert conversation.revoked == 0
    table.sessions.end(ACCOUNT, lambda identity: identity == Identity(ACCOUNT, 5))
    table.sessions.end(ACCOUNT, lambda identity: False)
    assert conversation.revoked == 1
    run(dance(authentication, mechanism, client_of(mechanism, "ann@example.test", "secret"), True))
    authentication.left()
    table.sessions.end(ACCOUNT, lambda identity: False)
    assert conversation.revoked == 1


def test_a_failure_is_one_line_with_the_peer_before_what_the_peer_chose(
    caplog: pytest.LogCaptureFixture,
) -> None:
    run(fresh(users()).begin("PLAIN", b"what?"))
    run(fresh(users()).begin("PLAIN", b"bob\0ann@example.test\0secret"))
    malformed, other = (KeyValue().format(record) for record in caplog.records)
    begin = 'message="authentication failed" peer=192.0.2.1 service=imap'
    assert malformed.endswith(f'{begin} reason=malformed login=""')
    assert other.endswith(f"{begin} reason=wrong login=ann@example.test")


@pytest.mark.parametrize(("scope", "outcome"), [(Scope.IMAP, Refusal.MALFORMED), (Scope.SMTP, None)])
def test_a_client_that_was_not_told_of_plus_is_refused_where_it_is_offered(
    scope: Scope, outcome: Refusal | None
) -> None:
    conversation = Conversation({b"tls-exporter": b"x"})
    authentication = Authentication(users(), StillClock(), Limits(), caller(scope=scope), conversation)
    said = run(authentication.begin("SCRAM-SHA-256", b"y,,n=ann@example.test,r=x"))
    assert said is outcome or (outcome is None and isinstance(said, Challenge))


def test_a_mechanism_is_offered_with_its_plus_where_the_channel_can_be_bound() -> None:
    assert offered(UNBOUND, {}) == UNBOUND
    bound = offered(UNBOUND, {b"tls-exporter": b"x"})
    assert bound == ("PLAIN", "LOGIN", "SCRAM-SHA-256-PLUS", "SCRAM-SHA-256")
    assert set(bound) == set(MECHANISMS)
