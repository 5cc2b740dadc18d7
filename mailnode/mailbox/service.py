"""The answering end of the streams of other nodes: what they ask of the accounts that this node leads."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from typing import Protocol

from mailnode.limits import Limits
from mailnode.mailbox.account import LocalAccount
from mailnode.mailbox.link import Stream
from mailnode.mailbox.outgoing import Outgoing, Pieces
from mailnode.mailbox.remembered import RememberedRows, RowKey
from mailnode.mailbox.said import (
    failed_said,
    gone_said,
    listed_said,
    ranges_meant,
    run_said,
    stored_said,
    u32s,
    usage_said,
)
from mailnode.mailbox.verbs import Resync, UidRanges, Unavailable, Want
from mailnode.mailbox.watch import Follower
from mailnode.pb.account_pb2 import (
    Answer,
    Answers,
    Ask,
    Asks,
    Claimed,
    Failed,
    KeptRow,
    Listed,
    Nothing,
    RunsAsk,
    TouchedList,
    UniqueIds,
)

log = logging.getLogger(__name__)

_AHEAD = 2
"""Runs that are sent before the caller has taken them: one on its way, one being read."""

Leases = dict[bytes, Callable[[], None]]
"""What a node has taken here, and how it is given back; all of it when its stream ends."""

Function = Callable[[bytes, Leases], Awaitable[bytes]]
"""What a part above the mailbox answers to its like on another node."""


class Here(Protocol):
    """What this node leads."""

    async def local(self, account: int) -> LocalAccount:
        """Raises NotPrimary, which names who leads it."""

    def check(self, account: int) -> None:
        """As `local`, which is not needed itself."""

    async def own_directory_rows(self, kind: int) -> list[tuple[bytes, bytes]]:
        """Of the partitions that this node leads."""

    @property
    def remembered(self) -> RememberedRows: ...


class Service:
    """One for a node; each stream is of one other node. Lives on the loop."""

    def __init__(self, here: Here, limits: Limits) -> None:
        self._here = here
        self._limits = limits
        self.functions: dict[str, Function] = {}
        """By name; `node` puts them in."""
        self._speaking: set[_Speaking] = set()
        here.remembered.gone = self._changed

    async def speak(self, stream: Stream) -> None:
        """Until the stream ends."""
        speaking = _Speaking(self._here, self.functions, self._limits)
        self._speaking.add(speaking)
        try:
            await speaking.run(stream)
        finally:
            self._speaking.discard(speaking)

    def _changed(self, key: RowKey) -> None:
        for speaking in self._speaking:
            speaking.changed(key)

    @property
    def watches(self) -> int:
        """Of other nodes."""
        return sum(len(speaking.watches) for speaking in self._speaking)


class _Speaking:
    """One stream from its begin to its end."""

    def __init__(self, here: Here, functions: Mapping[str, Function], limits: Limits) -> None:
        self._here = here
        self._functions = functions
        self._limits = limits
        self._out: Outgoing[Answer] = Outgoing(lambda call, piece: Answer(call=call, piece=piece), limits)
        self._pieces = Pieces(limits.peer_message_octets_max)
        self._calls: dict[int, _Call] = {}
        self.watches: dict[int, _Watched] = {}
        self._leases: Leases = {}
        self._kept: set[RowKey] = set()
        """Rows that the other node remembers."""

    async def run(self, stream: Stream) -> None:
        async def write(answers: list[bytes]) -> None:
            await stream.write(Answers(answers=answers).SerializeToString())

        tasks = [asyncio.ensure_future(self._read(stream)), asyncio.ensure_future(self._out.flow(write))]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                error = task.exception()
                if error is not None and not isinstance(error, OSError):
                    log.error("a stream of another node ended by our own mistake", exc_info=error)
        finally:
            await self._end(tasks)

    async def _end(self, tasks: list[asyncio.Task[None]]) -> None:
        """Nobody hears any more of what was asked."""
        every = [*tasks, *(call.task for call in self._calls.values() if call.task is not None)]
        for task in every:
            task.cancel()
        await asyncio.gather(*every, return_exceptions=True)
        for watched in self.watches.values():
            watched.close()
        self.watches.clear()
        for give_back in self._leases.values():
            give_back()
        self._leases.clear()

    async def _read(self, stream: Stream) -> None:
        while True:
            for ask in Asks.FromString(await stream.read()).asks:
                self._hear(Ask.FromString(ask))

    def _hear(self, ask: Ask) -> None:
        match ask.WhichOneof("ask"):
            case "piece":
                octets = self._pieces.whole(ask.call, ask.piece)
                if octets is not None:
                    self._hear(Ask.FromString(octets))
            case "taken":
                if ask.call in self._calls:
                    self._calls[ask.call].take(ask.taken)
            case "told":
                if ask.call in self.watches:
                    self.watches[ask.call].follower.told_up_to(ask.told)
            case "cancel":
                self._cancel(ask.call)
            case _:
                self._begin(ask)

    def _begin(self, ask: Ask) -> None:
        if len(self._calls) >= self._limits.remote_calls_open_max:
            busy = Failed(why=Failed.UNAVAILABLE, text="as many calls as may be are open")
            self._out.put(Answer(call=ask.call, failed=busy))
            return
        call = self._calls[ask.call] = _Call()
        call.task = asyncio.ensure_future(self._answer(ask, call))

    def _cancel(self, number: int) -> None:
        self._pieces.forget(number)
        self._out.forget(number)
        watched = self.watches.pop(number, None)
        if watched is not None:
            watched.close()
        call = self._calls.get(number)
        if call is not None and call.task is not None:
            call.task.cancel()

    async def _answer(self, ask: Ask, call: _Call) -> None:
        try:
            await self._answered(ask, call)
        except Exception as error:
            failed = failed_said(error)
            if failed is None:
                log.exception("what another node asked ended by our own mistake")
                failed = Failed(why=Failed.MISTAKE, text=f"{type(error).__name__} of the node that was asked")
            self._out.put(Answer(call=ask.call, failed=failed))
        finally:
            del self._calls[ask.call]

    async def _answered(self, ask: Ask, call: _Call) -> None:
        verb = ask.WhichOneof("ask")
        if verb == "function":
            function = self._functions.get(ask.function.name)
            if function is None:
                raise Unavailable(f"the node knows no {ask.function.name}")
            if ask.account:
                self._here.check(ask.account)
            octets = await function(ask.function.octets, self._leases)
            self._out.put(Answer(call=ask.call, function=octets))
        elif verb == "directory_rows":
            await self._stream(ask, call, self._directory_rows(ask.directory_rows))
        else:
            await self._of_account(verb or "", ask, call, await self._here.local(ask.account))

    async def _of_account(self, verb: str, ask: Ask, call: _Call, account: LocalAccount) -> None:
        if verb == "watch":
            follower = await account.watch(ask.watch.position, ask.watch.mailbox)
            watched = self.watches[ask.call] = _Watched(ask.call, account, follower, self._out)
            watched.begin()
        elif verb in _STREAMED:
            await self._stream(ask, call, _STREAMED[verb](account, ask))
        elif verb in _SINGLE:
            answer = await _SINGLE[verb](account, ask)
            answer.call = ask.call
            await self._out.room()
            if verb == "row":
                self._keep((account.id, ask.row.kind, ask.row.key), answer)
            self._out.put(answer)
        else:
            raise Unavailable("the node does not know what is asked of it")

    def _keep(self, key: RowKey, answer: Answer) -> None:
        """What is not remembered here, or was written since it was read, is kept nowhere; nor what is long:
        that it changed would be heard before it."""
        is_short = answer.ByteSize() <= self._limits.piece_octets_max // 2
        if is_short and self._here.remembered.get(key) == answer.row:
            answer.kept = True
            self._kept.add(key)

    def changed(self, key: RowKey) -> None:
        if key in self._kept:
            self._kept.remove(key)
            account, kind, name = key
            self._out.put(Answer(changed=KeptRow(account=account, kind=kind, key=name)))

    async def _stream(self, ask: Ask, call: _Call, answers: AsyncGenerator[Answer, None]) -> None:
        async with aclosing(answers):
            async for answer in answers:
                answer.call = ask.call
                await call.room()
                await self._out.room()
                self._out.put(answer)
                call.sent += 1
        self._out.put(Answer(call=ask.call, end=Nothing()))

    async def _directory_rows(self, kind: int) -> AsyncGenerator[Answer, None]:
        rows = await self._here.own_directory_rows(kind)
        for start in range(0, len(rows), self._limits.messages_run_max):
            yield Answer(rows=stored_said(rows[start : start + self._limits.messages_run_max]))


class _Call:
    """One under way."""

    __slots__ = ("_taken", "_waiter", "sent", "task")

    def __init__(self) -> None:
        self.task: asyncio.Task[None] | None = None
        self.sent = 0
        self._taken = 0
        self._waiter: asyncio.Future[None] | None = None

    def take(self, taken: int) -> None:
        self._taken = taken
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def room(self) -> None:
        """Returns once the caller has taken so much that more may be sent."""
        while self.sent - self._taken >= _AHEAD:
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter


class _Watched:
    """A watch of another node: while nothing happens, this and its follower are all there is."""

    __slots__ = ("_call", "_out", "account", "follower")

    def __init__(self, call: int, account: LocalAccount, follower: Follower, out: Outgoing[Answer]) -> None:
        self._call = call
        self.account = account  # as long as somebody watches, it is this object
        self._out = out
        self.follower = follower

    def begin(self) -> None:
        self._out.put_made(self._call, self._touched)
        self.follower.call(self._woken)

    def close(self) -> None:
        self.follower.close()

    def _woken(self) -> None:
        self._out.put_made(self._call, self._touched)

    def _touched(self) -> Answer:
        """All that there is to be told at the moment."""
        touched = TouchedList()
        try:
            touched.touched.extend(self.follower.pending())
        except Resync:
            touched.resync = True
        except Unavailable as error:
            return Answer(call=self._call, failed=failed_said(error))
        touched.position = self.follower.position
        return Answer(call=self._call, touched=touched)


# -- verbs


async def _mailboxes(account: LocalAccount, ask: Ask) -> Answer:
    listed = await account.mailboxes()
    if listed.version == ask.mailboxes.known:
        return Answer(mailboxes=Listed(version=listed.version, unchanged=True))
    return Answer(mailboxes=listed_said(listed))


async def _search(account: LocalAccount, ask: Ask) -> Answer:
    found = await account.search(ask.search.mailbox, ask.search.key)
    return Answer(found=u32s(found, len(found)))


async def _apply(account: LocalAccount, ask: Ask) -> Answer:
    return Answer(result=await account.apply(ask.apply))


async def _expunged(account: LocalAccount, ask: Ask) -> Answer:
    return Answer(expunged=gone_said(await account.expunged()))


async def _usage(account: LocalAccount, ask: Ask) -> Answer:
    return Answer(usage=usage_said(await account.usage()))


async def _claim_recent(account: LocalAccount, ask: Ask) -> Answer:
    first, following = await account.claim_recent(ask.claim_recent)
    return Answer(claimed=Claimed(first=first, next=following))


async def _recent(account: LocalAccount, ask: Ask) -> Answer:
    return Answer(recent=await account.recent(ask.recent))


async def _row(account: LocalAccount, ask: Ask) -> Answer:
    return Answer(row=await account.row(ask.row.kind, ask.row.key))


async def _rows(account: LocalAccount, ask: Ask) -> Answer:
    asked = ask.rows
    return Answer(
        rows=stored_said(await account.rows(asked.kind, asked.prefix, asked.after, asked.count_max))
    )


async def _unique_ids(account: LocalAccount, ask: Ask) -> Answer:
    return Answer(unique_ids=UniqueIds(ids=await account.unique_ids(ask.unique_ids)))


async def _known(account: LocalAccount, ask: Ask) -> Answer:
    return Answer(known=bytes(await account.known(list(ask.known.origins))))


_SINGLE: Mapping[str, Callable[[LocalAccount, Ask], Awaitable[Answer]]] = {
    "mailboxes": _mailboxes,
    "search": _search,
    "apply": _apply,
    "expunged": _expunged,
    "usage": _usage,
    "claim_recent": _claim_recent,
    "recent": _recent,
    "row": _row,
    "rows": _rows,
    "unique_ids": _unique_ids,
    "known": _known,
}


async def _messages(account: LocalAccount, ask: Ask) -> AsyncGenerator[Answer, None]:
    async for run in account.messages(*_runs(ask.messages)):
        yield Answer(run=run_said(run))


async def _departed(account: LocalAccount, ask: Ask) -> AsyncGenerator[Answer, None]:
    async for run in account.departed(*_runs(ask.departed)):
        yield Answer(run=run_said(run))


async def _octets(account: LocalAccount, ask: Ask) -> AsyncGenerator[Answer, None]:
    async for chunk in account.octets(ask.octets.mail, ask.octets.start, ask.octets.end):
        yield Answer(chunk=chunk)


def _runs(ask: RunsAsk) -> tuple[int, UidRanges, Want]:
    return ask.mailbox, ranges_meant(ask.uids), Want(ask.want)


_STREAMED: Mapping[str, Callable[[LocalAccount, Ask], AsyncGenerator[Answer, None]]] = {
    "messages": _messages,
    "departed": _departed,
    "octets": _octets,
}
