"""One resolver for all who ask: what is kept, shared and bounded."""

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

import pytest

from mailnode.limits import Limits
from mailnode.mailauth.resolver import Answer, Resolver, Shares, Unavailable
from mailnode.metrics import Metrics
from tests.mailauth.zone import FAILS, TTL_SECONDS, Zone

NAMES = {
    "example.test": {"MX": ["10 mx.example.test."], "TXT": ['"one"', '"two"']},
    "broken.test": {"MX": FAILS},
}


class Still:
    """A clock that stands where it is put."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def now_microseconds(self) -> int:
        return int(self.seconds * 1e6)

    def monotonic_seconds(self) -> float:
        return self.seconds

    def random(self, octets: int) -> bytes:
        return bytes(octets)


def asked(zone: Zone, limits: Limits | None = None) -> tuple[Resolver, Still]:
    clock = Still()
    return Resolver(zone, clock, limits or Limits()), clock


def texts(answer: Answer) -> list[str]:
    return [str(record) for record in answer.records]


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


def test_an_answer_is_kept_for_its_time_whatever_case_the_name_has() -> None:
    async def work() -> None:
        zone = Zone(NAMES)
        resolver, clock = asked(zone)
        assert texts(await resolver.records("Example.TEST.", "MX")) == ["10 mx.example.test."]
        clock.seconds += TTL_SECONDS - 1
        await resolver.records("example.test", "MX")
        assert len(zone.asked) == 1
        clock.seconds += 1
        await resolver.records("example.test", "MX")
        assert zone.asked == [("example.test", "MX")] * 2

    run(work())


def test_an_answer_is_kept_no_longer_than_the_bound_whatever_its_owner_says() -> None:
    async def work() -> None:
        zone = Zone(NAMES)
        resolver, clock = asked(zone, replace(Limits(), dns_ttl_seconds_max=TTL_SECONDS - 10))
        await resolver.records("example.test", "MX")
        clock.seconds += TTL_SECONDS - 11
        await resolver.records("example.test", "MX")
        assert len(zone.asked) == 1
        clock.seconds += 1
        await resolver.records("example.test", "MX")
        assert len(zone.asked) == 2

    run(work())


def test_that_there_is_none_is_kept_within_its_own_bound() -> None:
    async def work() -> None:
        zone = Zone(NAMES)
        resolver, clock = asked(zone, replace(Limits(), dns_nothing_seconds_max=60))
        for name, exists in (("example.test", True), ("none.test", False)):
            answer = await resolver.records(name, "A")
            assert (answer.records, answer.exists) == ((), exists)
        clock.seconds += 59
        await resolver.records("none.test", "A")
        assert len(zone.asked) == 2
        clock.seconds += 1
        await resolver.records("none.test", "A")
        assert len(zone.asked) == 3

    run(work())


def test_many_who_ask_at_the_same_time_are_one_question() -> None:
    async def work() -> None:
        zone = Zone(NAMES)
        resolver, _ = asked(zone)
        impatient = asyncio.ensure_future(resolver.records("example.test", "TXT"))
        others = [asyncio.ensure_future(resolver.records("example.test", "TXT")) for _ in range(50)]
        await asyncio.sleep(0)
        impatient.cancel()
        answers = await asyncio.gather(*others)
        assert [texts(answer) for answer in answers] == [['"one"', '"two"']] * 50
        assert len(zone.asked) == 1

    run(work())


def test_a_failure_is_told_to_all_and_asked_again_later() -> None:
    async def work() -> None:
        zone = Zone(NAMES)
        resolver, clock = asked(zone)
        both = [resolver.records("broken.test", "MX") for _ in range(2)]
        outcomes = await asyncio.gather(*both, return_exceptions=True)
        assert all(isinstance(outcome, Unavailable) for outcome in outcomes)
        assert resolver.kept("broken.test", "MX") is None
        for expected in (1, 2):
            with pytest.raises(Unavailable, match=r"MX of broken\.test"):
                await resolver.records("broken.test", "MX")
            assert len(zone.asked) == expected
            clock.seconds += Limits().dns_failure_seconds

    run(work())


def test_questions_and_answers_are_bounded() -> None:
    async def work() -> None:
        zone = Zone(NAMES)
        limits = replace(Limits(), dns_queries_open_max=3, dns_answers_kept_max=5)
        resolver, _ = asked(zone, limits)
        await asyncio.gather(*(resolver.records(f"n{number}.test", "A") for number in range(20)))
        assert zone.open_most == 3
        for number in reversed(range(20)):
            await resolver.records(f"n{number}.test", "A")
        assert len(zone.asked) == 20 + 15

    run(work())


def test_long_answers_take_the_room_of_many_short_ones() -> None:
    async def work() -> None:
        names = {f"n{number}.test": {"TXT": ['"' + "x" * 250 + '" ' * 1] * 4000} for number in range(3)}
        zone = Zone({**names, "short.test": {"A": ["192.0.2.1"]}})
        resolver, _ = asked(zone, replace(Limits(), dns_octets_kept_max=5_000_000))
        await resolver.records("short.test", "A")
        for name in names:
            await resolver.records(name, "TXT")
            await resolver.records("short.test", "A")
        assert len(zone.asked) == 4  # what is used stays
        await resolver.records("n2.test", "TXT")
        assert len(zone.asked) == 4
        await resolver.records("n0.test", "TXT")
        assert len(zone.asked) == 5

    run(work())


def test_who_fills_a_share_leaves_room_for_others_and_what_is_kept_needs_none() -> None:
    """For those who ask the resolver itself; and within the shares for mail from other networks."""

    async def work() -> None:
        silent = asyncio.Event()
        zone = Zone(NAMES)

        async def ask(name: str, kind: str) -> Answer:
            if name.startswith("slow"):
                await silent.wait()
            return await zone(name, kind)

        resolver = Resolver(ask, Still(), replace(Limits(), dns_queries_open_max=4))
        await resolver.records("example.test", "MX")
        shares = Shares(resolver, 3, 2)
        greedy, other = shares.of(b"one"), shares.of(b"two")
        slow = [
            asyncio.ensure_future(shares.of(b"one").records(f"slow{number}.test", "A")) for number in range(5)
        ]
        await asyncio.sleep(0)
        assert texts(await greedy.records("example.test", "MX")) == ["10 mx.example.test."]
        assert texts(await other.records("example.test", "TXT")) == ['"one"', '"two"']
        stuck = [asyncio.ensure_future(other.records(f"slow{number}.test", "AAAA")) for number in range(5)]
        await asyncio.sleep(0)
        assert not (await resolver.records("none.test", "A")).exists
        silent.set()
        assert all(not answer.exists for answer in await asyncio.gather(*slow, *stuck))

    run(work())


def test_who_gives_up_a_question_has_no_second_share_before_it_has_ended() -> None:
    async def work() -> None:
        silent, zone = asyncio.Event(), Zone(NAMES)

        async def ask(name: str, kind: str) -> Answer:
            await silent.wait()
            return await zone(name, kind)

        shares = Shares(Resolver(ask, Still(), Limits()), 10, 2)
        for number in range(20):
            asking = asyncio.ensure_future(shares.of(b"one").records(f"slow{number}.test", "A"))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
        last = asyncio.ensure_future(shares.of(b"one").records("last.test", "A"))
        silent.set()
        assert not (await last).exists
        assert len(zone.asked) == 3  # two were under way, none that was given up while it waited

    run(work())


def test_what_became_of_questions_is_counted() -> None:
    async def work() -> None:
        metrics = Metrics(Still())
        resolver = Resolver(Zone(NAMES), Still(), Limits(), metrics)
        for name, kind in (("example.test", "MX"), ("example.test", "MX"), ("none.test", "A")):
            await resolver.records(name, kind)
        with pytest.raises(Unavailable):
            await resolver.records("broken.test", "MX")
        counts = {("MX", "found"): 1, ("MX", "kept"): 1, ("A", "nothing"): 1, ("MX", "failed"): 1}
        assert metrics.dns.counts == counts
        assert sum(metrics.dns_seconds.of().counts) == 2

    run(work())
