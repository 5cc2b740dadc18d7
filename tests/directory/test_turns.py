"""Networks take turns at the pool."""

import asyncio
from collections.abc import Coroutine

import pytest

from mailnode.directory.turns import Busy, Turns


class Queue:
    """Who got a turn, in order; each holds it until `next` lets one go."""

    def __init__(self, waiting_max: int) -> None:
        self.turns = Turns(1, waiting_max)
        self.had: list[bytes] = []
        self._ends: asyncio.Queue[None] = asyncio.Queue()

    def come(self, network: bytes) -> asyncio.Task[None]:
        return asyncio.get_running_loop().create_task(self._hold(network))

    async def _hold(self, network: bytes) -> None:
        async with self.turns.turn(network):
            self.had.append(network)
            await self._ends.get()

    async def settle(self) -> None:
        for _ in range(5):
            await asyncio.sleep(0)

    async def serve(self, count: int) -> None:
        await self.settle()
        for _ in range(count):
            self._ends.put_nowait(None)
            await self.settle()


def run(work: Coroutine[None, None, None]) -> None:
    asyncio.run(work)


def test_a_network_that_fills_the_queue_is_served_by_turns_with_the_others() -> None:
    async def scenario() -> None:
        queue = Queue(10)
        tasks = [queue.come(network) for network in (b"a", b"a", b"a", b"a", b"b", b"c", b"c")]
        await queue.serve(len(tasks))
        await asyncio.gather(*tasks)
        assert queue.had == [b"a", b"a", b"b", b"c", b"a", b"c", b"a"]

    run(scenario())


def test_where_all_places_are_taken_the_longest_gives_way_to_who_has_fewer() -> None:
    async def scenario() -> None:
        queue = Queue(4)
        flood = [queue.come(b"a") for _ in range(5)]
        await queue.settle()
        with pytest.raises(Busy):
            await queue.come(b"a")
        others = [queue.come(b"b"), queue.come(b"c")]
        await queue.settle()
        with pytest.raises(Busy):
            await queue.come(b"b")  # it would have as many as the longest
        await queue.serve(5)
        outcomes = await asyncio.gather(*flood, return_exceptions=True)
        assert [isinstance(outcome, Busy) for outcome in outcomes] == [False] * 3 + [True] * 2
        await asyncio.gather(*others)
        assert queue.had == [b"a", b"a", b"b", b"c", b"a"]

    run(scenario())


def test_who_is_gone_takes_no_turn_and_no_place() -> None:
    async def scenario() -> None:
        queue = Queue(2)
        first, gone, last = (queue.come(network) for network in (b"a", b"b", b"c"))
        await queue.settle()
        gone.cancel()
        await queue.settle()
        await queue.serve(2)
        await asyncio.gather(first, last)
        assert queue.had == [b"a", b"c"]
        after = queue.come(b"d")
        await queue.serve(1)
        await after

    run(scenario())


def test_a_turn_given_to_who_has_just_gone_goes_to_the_next() -> None:
    async def scenario() -> None:
        queue = Queue(2)
        first, gone, last = (queue.come(network) for network in (b"a", b"b", b"c"))
        await queue.settle()
        first.cancel()
        await asyncio.sleep(0)  # it gives its turn to the second, which has not run since
        gone.cancel()
        await queue.serve(1)
        await last
        assert queue.had == [b"a", b"c"]

    run(scenario())
