"""The asking end of the stream to one other node, which all accounts that it leads share.

It is opened when there is something to ask, and anew when it ended. What was asked on a stream that ended is
`Interrupted`; what could not be said at all is `Unreached`. An idle watch is a number on both ends.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from itertools import count
from typing import Protocol

from mailnode.limits import Limits
from mailnode.mailbox.outgoing import Outgoing, Pieces
from mailnode.mailbox.remembered import RowKey
from mailnode.mailbox.said import failed_meant, listed_meant
from mailnode.mailbox.verbs import Mailboxes, Unavailable
from mailnode.pb.account_pb2 import Answer, Answers, Ask, Asks, MailboxesAsk, Nothing, RowAsk, TouchedList

log = logging.getLogger(__name__)


class Unreached(Unavailable):
    """The node could not be spoken to: it knows nothing of what was to be asked."""


class Interrupted(Exception):
    """No answer came: what was asked may have been done, or not."""


class Late(Interrupted):
    """The node was there all the time, but gave no answer within it."""


class Stream(Protocol):
    """Of two nodes: messages, Asks one way and Answers the other. Both raise OSError when it has ended."""

    async def read(self) -> bytes:
        """The next message."""

    async def write(self, message: bytes) -> None: ...

    def close(self) -> None: ...


class Attached(Protocol):
    """A watch, as the link sees it."""

    def heard(self, touched: TouchedList) -> None:
        """There is more."""

    def broken(self) -> None:
        """Nothing will come any more."""


class Link:
    """Lives on the loop."""

    def __init__(
        self,
        connect: Callable[[], Awaitable[Stream]],
        limits: Limits,
        lost: Callable[[], None] = lambda: None,
    ) -> None:
        """`connect` raises Unreached. `lost` is called when a stream has ended, before anything is asked on
        the next one."""
        self._connect = connect
        self._lost = lost
        self._limits = limits
        self._numbers = count(1)
        self._places = asyncio.Semaphore(limits.remote_calls_open_max)
        self._speaking: _Speaking | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def ask(self, ask: Ask) -> Answer:
        """What is answered at once; raises as the account does, Unreached and Interrupted."""
        return await self._asked(ask, _Single())

    async def row(self, account: int, kind: int, key: bytes) -> bytes:
        """As `ask`; not asked where the node said that it would say when the row changes."""
        kept = None if self._speaking is None else self._speaking.kept.get((account, kind, key))
        if kept is not None:
            return kept
        ask = Ask(account=account, row=RowAsk(kind=kind, key=key))
        return (await self._asked(ask, _Row((account, kind, key)))).row

    async def mailboxes(self, account: int) -> Mailboxes:
        """As `ask`; where nothing changed since it was asked last, little is said."""
        ask, call = Ask(account=account, mailboxes=MailboxesAsk()), _Single()
        async with self._places:
            speaking = self._begun(ask)
            known = speaking.listed.get(account)
            if known is not None:
                ask.mailboxes.known = known.version
            said = (await self._answered(speaking, ask, call)).mailboxes
            if said.unchanged and known is not None:
                return known
            listed = listed_meant(said)
            speaking.listed.take(account, listed)
            return listed

    async def _asked(self, ask: Ask, call: _Single) -> Answer:
        async with self._places:
            return await self._answered(self._begun(ask), ask, call)

    async def _answered(self, speaking: _Speaking, ask: Ask, call: _Single) -> Answer:
        speaking.calls[ask.call] = call
        try:
            await speaking.say(ask)
            async with asyncio.timeout(self._limits.remote_seconds_max):
                return await call.answer
        except TimeoutError:
            raise Late from None
        finally:
            speaking.leave(ask.call, call.answer.done() and not call.answer.cancelled())

    async def each(self, ask: Ask) -> AsyncGenerator[Answer, None]:
        """What is answered in runs, which come as they are taken; raises as `ask`."""
        async with self._places:
            speaking, call = self._begun(ask), _Streamed()
            speaking.calls[ask.call] = call
            taken = 0
            try:
                await speaking.say(ask)
                while True:
                    async with asyncio.timeout(self._limits.remote_seconds_max):
                        answer = await call.next()
                    if answer is None:
                        return
                    taken += 1
                    if not call.has_ended:
                        speaking.out.put(Ask(call=ask.call, taken=taken))
                    yield answer
            except TimeoutError:
                raise Late from None
            finally:
                speaking.leave(ask.call, call.has_ended)

    async def watch(self, ask: Ask, attached: Attached) -> Watching:
        """`attached` hears the difference before this returns, and then whatever comes, until the watch is
        left or the stream ends; raises as `ask`."""
        speaking, call = self._begun(ask), _Watched(attached)
        speaking.calls[ask.call] = call
        began = call.began
        assert began is not None
        try:
            await speaking.say(ask)
            async with asyncio.timeout(self._limits.remote_seconds_max):
                await began
        except TimeoutError:
            raise Late from None
        finally:
            if call.began is not None:
                speaking.leave(ask.call, over=False)
        return Watching(speaking, ask.call)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _begun(self, ask: Ask) -> _Speaking:
        ask.call = next(self._numbers)
        if self._speaking is None or self._speaking.is_over:
            self._speaking = _Speaking(self._limits)
            task = asyncio.ensure_future(self._speaking.run(self._connect, self._lost))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return self._speaking


class Watching:
    """The node's number of a watch."""

    __slots__ = ("_call", "_speaking")

    def __init__(self, speaking: _Speaking, call: int) -> None:
        self._speaking = speaking
        self._call = call

    def told(self, position: int) -> None:
        if not self._speaking.is_over:
            self._speaking.out.put(Ask(call=self._call, told=position))

    def leave(self) -> None:
        self._speaking.leave(self._call, over=False)


class _Speaking:
    """One stream from its begin to its end."""

    def __init__(self, limits: Limits) -> None:
        self.calls: dict[int, _Single | _Streamed | _Watched] = {}
        self.out: Outgoing[Ask] = Outgoing(lambda call, piece: Ask(call=call, piece=piece), limits)
        self.is_over = False
        self.kept = _KeptRows(limits.directory_rows_cached_max)
        self.listed = _KeptLists(limits.mailboxes_kept_max)
        self._pieces = Pieces(limits.peer_message_octets_max)

    async def say(self, ask: Ask) -> None:
        await self.out.room()
        self.out.put(ask)

    def leave(self, call: int, over: bool) -> None:
        """Nobody waits for the call any more; `over`: its node knows."""
        if self.calls.pop(call, None) is None or over or self.is_over:
            return
        self._pieces.forget(call)
        self.out.forget(call)
        self.out.put(Ask(call=call, cancel=Nothing()))

    async def run(self, connect: Callable[[], Awaitable[Stream]], lost: Callable[[], None]) -> None:
        error: Exception = Unreached("the stream was closed")
        try:
            stream = await connect()
            error = Interrupted()
            try:
                await self._flow(stream)
            finally:
                stream.close()
                lost()
        except Unreached as unreached:
            error = unreached
        except OSError:
            pass
        except Exception:
            log.exception("a stream to another node ended by our own mistake")
        finally:
            self.is_over = True
            self.kept.clear()
            self.listed.clear()
            calls, self.calls = self.calls, {}
            for call in calls.values():
                call.fail(error)

    async def _flow(self, stream: Stream) -> None:
        """Until one of both ends."""

        async def write(asks: list[bytes]) -> None:
            await stream.write(Asks(asks=asks).SerializeToString())

        tasks = [asyncio.ensure_future(self._read(stream)), asyncio.ensure_future(self.out.flow(write))]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            task.result()

    async def _read(self, stream: Stream) -> None:
        while True:
            for answer in Answers.FromString(await stream.read()).answers:
                self._hear(Answer.FromString(answer))

    def _hear(self, answer: Answer) -> None:
        if answer.HasField("piece"):
            octets = self._pieces.whole(answer.call, answer.piece) if answer.call in self.calls else None
            if octets is None:
                return
            answer = Answer.FromString(octets)
        if answer.HasField("changed"):
            changed = answer.changed
            self.kept.pop((changed.account, changed.kind, changed.key), None)
            return
        call = self.calls.get(answer.call)
        if call is None:
            return
        if answer.HasField("failed"):
            del self.calls[answer.call]
            call.fail(failed_meant(answer.failed))
        else:
            if answer.kept and isinstance(call, _Row):
                self.kept.take(call.key, answer.row)
            call.hear(answer)


class _KeptRows(dict[RowKey, bytes]):
    """Rows that the other node tells of when they change; beyond the bound the oldest are forgotten."""

    def __init__(self, rows_max: int) -> None:
        super().__init__()
        self._rows_max = rows_max

    def take(self, key: RowKey, row: bytes) -> None:
        self[key] = row
        if len(self) > self._rows_max:
            del self[next(iter(self))]


class _KeptLists(dict[int, Mailboxes]):
    """Mailboxes of accounts as they were last told; of more than so many the oldest are forgotten."""

    def __init__(self, mailboxes_max: int) -> None:
        super().__init__()
        self._mailboxes_max = mailboxes_max
        self._count = 0

    def take(self, account: int, listed: Mailboxes) -> None:
        self._drop(account)
        self[account] = listed
        self._count += len(listed.rows)
        while self._count > self._mailboxes_max:
            self._drop(next(iter(self)))

    def _drop(self, account: int) -> None:
        before = self.pop(account, None)
        self._count -= 0 if before is None else len(before.rows)


class _Single:
    """One that has one answer."""

    __slots__ = ("answer",)

    def __init__(self) -> None:
        self.answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()

    def hear(self, answer: Answer) -> None:
        if not self.answer.done():
            self.answer.set_result(answer)

    def fail(self, error: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)


class _Row(_Single):
    """One that asks for a row."""

    __slots__ = ("key",)

    def __init__(self, key: RowKey) -> None:
        super().__init__()
        self.key = key


class _Streamed:
    """One that has many, of which the other node sends no more than a few ahead."""

    __slots__ = ("_came", "_error", "_waiter", "has_ended")

    def __init__(self) -> None:
        self._came: deque[Answer] = deque()
        self._error: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None
        self.has_ended = False

    def hear(self, answer: Answer) -> None:
        if answer.HasField("end"):
            self.has_ended = True
        else:
            self._came.append(answer)
        self._wake()

    def fail(self, error: Exception) -> None:
        self.has_ended, self._error = True, error
        self._wake()

    async def next(self) -> Answer | None:
        """None: that was all."""
        while not self._came:
            if self._error is not None:
                raise self._error
            if self.has_ended:
                return None
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        return self._came.popleft()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class _Watched:
    """One that is answered as long as it is not left."""

    __slots__ = ("_attached", "began")

    def __init__(self, attached: Attached) -> None:
        self._attached = attached
        self.began: asyncio.Future[None] | None = asyncio.get_running_loop().create_future()
        """Until it has."""

    def hear(self, answer: Answer) -> None:
        self._attached.heard(answer.touched)
        if self.began is not None and not self.began.done():
            self.began.set_result(None)
        self.began = None

    def fail(self, error: Exception) -> None:
        if self.began is None:
            self._attached.broken()
        elif not self.began.done():
            self.began.set_exception(error)
