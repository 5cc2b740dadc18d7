"""A loop, pools and a clock that move when told, so that any interleaving can be written down or drawn."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor, Future
from functools import partial
from typing import Any, TypeVar

T = TypeVar("T")
TURNS_MAX = 10_000
"""More turns than anything here needs: what is not done then waits for ever."""


class HandPool(Executor):
    """Jobs wait until they are run, in any order; and then until the loop hears of it, as between threads."""

    def __init__(self) -> None:
        self._jobs: list[tuple[Future[Any], Callable[[], Any]]] = []
        self._outcomes: list[Callable[[], None]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self._jobs.append((future, lambda: fn(*args, **kwargs)))
        return future

    @property
    def waiting(self) -> int:
        return len(self._jobs)

    @property
    def unheard(self) -> int:
        return len(self._outcomes)

    def run(self, index: int = 0) -> None:
        """Run one job to its end: what it did can be seen."""
        future, job = self._jobs.pop(index)
        if not future.set_running_or_notify_cancel():
            return
        try:
            result = job()
        except BaseException as error:
            self._outcomes.append(partial(future.set_exception, error))
        else:
            self._outcomes.append(partial(future.set_result, result))

    def hear(self) -> None:
        """The oldest outcome reaches the loop, in its next turn."""
        self._outcomes.pop(0)()


class HandClock:
    """Stands still until it is set; its randomness is a count."""

    def __init__(self, microseconds: int = 1_700_000_000_000_000) -> None:
        self.microseconds = microseconds
        self._drawn = 0

    def now_microseconds(self) -> int:
        return self.microseconds

    def monotonic_seconds(self) -> float:
        return self.microseconds / 1e6

    def random(self, octets: int) -> bytes:
        self._drawn += 1
        return self._drawn.to_bytes(octets, "big")


class HandLoop:
    """An asyncio loop that makes single turns, and the node's pools on it."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.loop.set_exception_handler(self._note)
        self.writer = HandPool()
        self.loads = HandPool()
        self.mistakes: list[str] = []
        """What the loop was left to report."""

    def _note(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self.mistakes.append(f"{context.get('message')}: {context.get('exception')!r}")

    def start(self, coroutine: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        return self.loop.create_task(coroutine)

    def turn(self, turns: int = 1) -> None:
        """What is ready runs once, and what that made ready in the next turn."""
        for _ in range(turns):
            self.loop.call_soon(self.loop.stop)
            self.loop.run_forever()

    def settle(self) -> None:
        """Turns until all that is left waits for a pool (or for ever)."""
        self.turn(20)

    def work(self) -> None:
        """Turns and jobs, until no job is left."""
        self.settle()
        while any(pool.waiting or pool.unheard for pool in (self.loads, self.writer)):
            for pool in (self.loads, self.writer):
                if pool.waiting:
                    pool.run()
                while pool.unheard:
                    pool.hear()
            self.settle()

    def until(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """The result of a coroutine; jobs run as it needs them."""
        task = self.start(coroutine)
        for _ in range(TURNS_MAX):
            if task.done():
                return task.result()
            self.work()
        raise AssertionError(f"waits for ever: {task}")

    def close(self) -> None:
        """Whatever still waits is cancelled."""
        while tasks := asyncio.all_tasks(self.loop):
            for task in tasks:
                task.cancel()
            self.loop.run_until_complete(asyncio.wait(tasks))
        self.loop.close()
