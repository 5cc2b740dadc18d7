"""One session has a maildrop (RFC 1939 §4), of whichever node, for as long as its node is heard."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from mailnode.mailbox import maildrops
from mailnode.mailbox.maildrops import Locks, Maildrops, Taken
from mailnode.mailbox.service import Leases
from mailnode.mailbox.verbs import Unavailable
from tests.directory.memory import StillClock

ACCOUNT, OTHER = 1, 2


class Owner:
    """The node that leads the accounts."""

    def __init__(self) -> None:
        self.clock = StillClock()
        self.term: int | None = 1
        self.begin()

    def begin(self) -> None:
        """Anew: it knows of no lock."""
        self.locks = Locks(self.clock, lambda account: self.term)


class Node:
    """One with sessions. The stream to the owner may be cut."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self.leases: Leases | None = {}
        self.answers_lost = 0
        self.lost: list[int] = []
        self.maildrops = Maildrops(self._at_owner, owner.clock)

    async def _at_owner(self, account: int, function: str, octets: bytes) -> bytes:
        if self.leases is None:
            raise Unavailable
        answer = await self._owner.locks.functions[function](octets, self.leases)
        if self.answers_lost:
            self.answers_lost -= 1
            raise Unavailable
        return answer

    def cut(self) -> None:
        """The owner notices."""
        leases, self.leases = self.leases, None
        for give_back in (leases or {}).values():
            give_back()

    async def take(self, account: int = ACCOUNT, delay_seconds: int = 0) -> Taken:
        return await self.maildrops.take(account, delay_seconds, lambda: self.lost.append(account))

    async def look(self) -> None:
        self.leases = {} if self.leases is None else self.leases
        for account in list(self.maildrops.held()):
            await self.maildrops.look(account)


def scenario(test: Callable[[Owner, Node, Node], Awaitable[None]]) -> None:
    owner = Owner()

    async def run() -> None:
        await test(owner, Node(owner), Node(owner))

    asyncio.run(run())


def test_it_is_one_sessions_of_any_node_until_that_releases_it() -> None:
    async def test(owner: Owner, one: Node, other: Node) -> None:
        assert await one.take() is Taken.YES
        assert await one.take() is await other.take() is Taken.IN_USE
        assert await other.take(OTHER) is Taken.YES
        await other.maildrops.release(ACCOUNT)  # which it has not
        assert await other.take() is Taken.IN_USE
        await one.maildrops.release(ACCOUNT)
        assert await other.take() is Taken.YES
        assert one.lost == other.lost == []

    scenario(test)


def test_it_is_free_when_the_node_of_its_session_is_gone() -> None:
    async def test(owner: Owner, one: Node, other: Node) -> None:
        assert await one.take() is Taken.YES
        one.cut()
        assert await other.take() is Taken.YES
        await one.look()
        assert one.lost == [ACCOUNT] and not one.maildrops.held()
        await one.maildrops.release(ACCOUNT)
        assert await one.take() is Taken.IN_USE

    scenario(test)


def test_who_was_away_has_it_still_where_nobody_took_it() -> None:
    async def test(owner: Owner, one: Node, other: Node) -> None:
        assert await one.take(delay_seconds=600) is Taken.YES
        one.cut()
        await one.look()
        owner.begin()  # it was away itself
        await one.look()
        assert one.lost == []
        assert await other.take() is Taken.IN_USE

    scenario(test)


def test_what_was_taken_anew_outlives_the_stream_by_which_it_was_taken_first() -> None:
    async def test(owner: Owner, one: Node, other: Node) -> None:
        assert await one.take() is Taken.YES
        first, one.leases = one.leases, {}
        await one.look()
        for give_back in (first or {}).values():
            give_back()
        assert await other.take() is Taken.IN_USE

    scenario(test)


def test_a_lock_of_before_the_account_was_led_elsewhere_is_none() -> None:
    async def test(owner: Owner, one: Node, other: Node) -> None:
        assert await one.take() is Taken.YES
        owner.term = 2
        assert await other.take() is Taken.YES

    scenario(test)


def test_a_session_ends_though_the_node_of_its_account_does_not_hear_it() -> None:
    async def test(owner: Owner, one: Node, other: Node) -> None:
        assert await one.take() is Taken.YES
        one.leases = None
        await one.maildrops.release(ACCOUNT)
        assert not one.maildrops.held()

    scenario(test)


def test_logins_too_soon_one_after_the_other_wait_whichever_node_they_come_to() -> None:
    """RFC 2449 §6.5."""

    async def test(owner: Owner, one: Node, other: Node) -> None:
        assert await one.take(delay_seconds=10) is Taken.YES
        await one.maildrops.release(ACCOUNT)
        owner.clock.seconds += 9
        assert await other.take(delay_seconds=10) is Taken.TOO_SOON
        assert await other.take(OTHER, delay_seconds=10) is Taken.YES
        owner.clock.seconds += 1
        assert await other.take(delay_seconds=10) is Taken.YES
        owner.clock.seconds += 10
        assert await one.take(delay_seconds=10) is Taken.IN_USE

    scenario(test)


def test_what_was_taken_though_the_answer_was_lost_is_given_back() -> None:
    async def test(owner: Owner, one: Node, other: Node) -> None:
        one.answers_lost = 1
        with pytest.raises(Unavailable):
            await one.take()
        assert await one.take() is Taken.YES
        await one.maildrops.release(ACCOUNT)
        assert await other.take() is Taken.YES

    scenario(test)


def test_who_could_not_be_told_that_a_session_is_over_is_told_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maildrops, "_AGAIN_SECONDS", 0)
    monkeypatch.setattr(maildrops, "_RELEASE_SECONDS_MAX", 0)

    async def test(owner: Owner, one: Node, other: Node) -> None:
        assert await one.take() is Taken.YES
        leases, one.leases = one.leases, None
        await one.maildrops.release(ACCOUNT)
        with pytest.raises(Unavailable):
            await one.take()
        assert await other.take() is Taken.IN_USE
        one.leases = leases  # it was not the stream that was away
        await asyncio.wait(one.maildrops._releasing.values())
        assert await other.take() is Taken.YES
        assert one.lost == other.lost == []

    scenario(test)


def test_who_takes_a_maildrop_anew_changes_nothing_of_how_soon_others_may_log_in() -> None:
    async def test(owner: Owner, one: Node, other: Node) -> None:
        assert await one.take(delay_seconds=10) is Taken.YES
        assert await one.take(OTHER, delay_seconds=10) is Taken.YES
        await one.maildrops.release(OTHER)
        owner.clock.seconds += 9
        await one.look()
        assert await other.take(OTHER, delay_seconds=10) is Taken.TOO_SOON
        owner.clock.seconds += 1
        assert await other.take(OTHER, delay_seconds=10) is Taken.YES

    scenario(test)
