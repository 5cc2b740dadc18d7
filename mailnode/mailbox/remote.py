"""An account wherever it is: who speaks to it notices a pause when its primary dies or moves, and no more.

Each verb is asked where the map says; again where another node named the owner; again, after a pause, while
there is none. What was read already is not read again.
"""

from __future__ import annotations

from array import array
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import Protocol, TypeVar

from mailnode.mailbox.account import LocalAccount
from mailnode.mailbox.committed import copied
from mailnode.mailbox.link import Interrupted
from mailnode.mailbox.linked import LinkedAccount
from mailnode.mailbox.places import Places
from mailnode.mailbox.quota import Usage
from mailnode.mailbox.verbs import (
    Gone,
    Mailboxes,
    Messages,
    NotKnown,
    Resync,
    UidRanges,
    Unavailable,
    Want,
)
from mailnode.mailbox.watch import Follower
from mailnode.pb.account_pb2 import SearchKey, TouchedList
from mailnode.pb.change_pb2 import Intent, Result, Touched

T = TypeVar("T")
Seat = LocalAccount | LinkedAccount

_ELSEWHERE = (Unavailable, Interrupted, NotKnown)
"""After each a read is asked again. NotKnown: the node stopped leading the account while it was at it."""
_BESIDE_OCTETS = 1024
"""Of a message between nodes, beside the intent."""


class RemoteAccount:
    """`verbs.Account`; it may well be this node's at the moment."""

    __slots__ = ("__weakref__", "_places", "id")

    def __init__(self, account: int, places: Places) -> None:
        self.id = account
        self._places = places

    # -- reading

    async def mailboxes(self) -> Mailboxes:
        return await self._read(lambda seat: seat.mailboxes())

    def messages(self, mailbox: int, uids: UidRanges, want: Want) -> AsyncGenerator[Messages, None]:
        return self._runs(lambda seat, rest: seat.messages(mailbox, rest, want), uids, want)

    def departed(self, mailbox: int, uids: UidRanges, want: Want) -> AsyncGenerator[Messages, None]:
        return self._runs(lambda seat, rest: seat.departed(mailbox, rest, want), uids, want)

    async def octets(self, mail: int, start: int, end: int) -> AsyncGenerator[bytes, None]:
        tries = self._places.tries()
        while True:
            try:
                seat = await self._places.seat(self.id, tries.owner)
                async with aclosing(seat.octets(mail, start, end)) as chunks:
                    async for chunk in chunks:
                        start += len(chunk)
                        yield chunk
                        tries.begin()
                return
            except _ELSEWHERE as error:
                await tries.wait(error)

    async def search(self, mailbox: int, key: SearchKey) -> array[int]:
        return await self._read(lambda seat: seat.search(mailbox, key))

    async def expunged(self) -> list[Gone]:
        return await self._read(lambda seat: seat.expunged())

    async def usage(self) -> Usage:
        usage = await self._read(lambda seat: seat.usage())
        self._places.usages.take(self.id, usage)
        return usage

    async def usage_lately(self) -> Usage:
        return self._places.usages.get(self.id) or await self.usage()

    async def claim_recent(self, mailbox: int) -> tuple[int, int]:
        """Asked again after an answer that never came, nothing is \\Recent to anybody."""
        return await self._read(lambda seat: seat.claim_recent(mailbox))

    async def recent(self, mailbox: int) -> int:
        return await self._read(lambda seat: seat.recent(mailbox))

    async def row(self, kind: int, key: bytes) -> bytes:
        return await self._read(lambda seat: seat.row(kind, key))

    async def rows(self, kind: int, prefix: bytes, after: bytes, count_max: int) -> list[tuple[bytes, bytes]]:
        return await self._read(lambda seat: seat.rows(kind, prefix, after, count_max))

    async def unique_ids(self, mailbox: int) -> dict[int, str]:
        return await self._read(lambda seat: seat.unique_ids(mailbox))

    async def known(self, origins: Sequence[bytes]) -> list[bool]:
        return await self._read(lambda seat: seat.known(origins))

    async def _read(self, ask: Callable[[Seat], Awaitable[T]]) -> T:
        tries = self._places.tries()
        while True:
            try:
                return await ask(await self._places.seat(self.id, tries.owner))
            except _ELSEWHERE as error:
                await tries.wait(error)

    async def _runs(
        self, ask: Callable[[Seat, UidRanges], AsyncGenerator[Messages, None]], rest: UidRanges, want: Want
    ) -> AsyncGenerator[Messages, None]:
        tries = self._places.tries()
        while True:
            try:
                seat = await self._places.seat(self.id, tries.owner)
                async with aclosing(ask(seat, rest)) as runs:
                    async for run in runs:
                        if want != Want.UIDS and run.count:
                            rest = _behind(rest, run.uids[run.count - 1])
                        yield run
                        tries.begin()
                return
            except _ELSEWHERE as error:
                await tries.wait(error)

    # -- writing

    async def apply(self, intent: Intent) -> Result:
        """Asked again, as a retry, where no answer came: done once all the same where it has an id, and an
        upload is the same twice."""
        if intent.ByteSize() > self._places.limits.peer_message_octets_max - _BESIDE_OCTETS:
            return Result(refused="LIMIT")
        tries = self._places.tries()
        asked_before = False
        while True:
            try:
                seat = await self._places.seat(self.id, tries.owner)
                result = await seat.apply(intent)
                if result.refused:
                    self._places.usages.forget(self.id)
                return result
            except _ELSEWHERE as error:
                if not isinstance(error, Unavailable):
                    if not intent.id and not intent.HasField("upload"):
                        raise NotKnown from None
                    intent, asked_before = _again(intent), True
                try:
                    await tries.wait(error)
                except Unavailable:
                    if asked_before:
                        raise NotKnown from None
                    raise

    # -- watching

    async def watch(self, position: int, mailbox: int) -> RemoteWatch:
        watch = RemoteWatch(self, self._places, position, mailbox)
        await self._read(watch.attach_at)
        return watch


def _again(intent: Intent) -> Intent:
    again = Intent()
    again.CopyFrom(intent)
    again.retry = True
    return again


def _behind(ranges: UidRanges, uid: int) -> UidRanges:
    return tuple((max(first, uid + 1), last) for first, last in ranges if last > uid)


class _Attachment(Protocol):
    def told(self, position: int) -> None: ...

    def leave(self) -> None: ...


class RemoteWatch(Follower):
    """A watch that is attached anew at its last position, by itself, when it comes off."""

    __slots__ = ("_account", "_attachment", "_gone", "_places", "is_closed")

    def __init__(self, account: RemoteAccount, places: Places, position: int, mailbox: int) -> None:
        super().__init__(mailbox, position, places.limits.watch_pending_max, lambda _: None)
        self._account = account
        self._places = places
        self._attachment: _Attachment | None = None
        self._gone = False
        """Messages that went are told since the account's node was last told of that."""
        self.is_closed = False

    async def attach(self) -> None:
        await self.attach_at(await self._places.seat(self._account.id))

    async def attach_at(self, seat: Seat) -> None:
        if isinstance(seat, LinkedAccount):
            attachment: _Attachment = await seat.attach(self.position, self.mailbox, self)
        else:
            attachment = await _Near.begin(seat, self)
        if self.is_closed:
            attachment.leave()
            return
        self._attachment = attachment

    def heard(self, touched: TouchedList) -> None:
        if touched.resync:
            self.lose()
        for each in touched.touched:
            self.offer(copied(each))
        self.position = max(self.position, touched.position)

    def offer(self, touched: Touched) -> None:
        self._gone = self._gone or any(each.destroyed for each in touched.mailboxes)
        super().offer(touched)

    def broken(self) -> None:
        self._leave_attachment()
        if not self.is_closed:
            self._places.attach_later(self)

    def told(self) -> None:
        super().told()
        if self._gone and self._attachment is not None:
            self._attachment.told(self.told_to)
            self._gone = False

    def close(self) -> None:
        self.is_closed = True
        self._leave_attachment()

    def _leave_attachment(self) -> None:
        attachment, self._attachment = self._attachment, None
        if attachment is not None:
            attachment.leave()


class _Near:
    """Of a watch the attachment to an account of this node."""

    __slots__ = ("_account", "_follower", "_watch")

    def __init__(self, account: LocalAccount, follower: Follower, watch: RemoteWatch) -> None:
        self._account = account  # as long as somebody watches, it is this object
        self._follower = follower
        self._watch = watch

    @classmethod
    async def begin(cls, account: LocalAccount, watch: RemoteWatch) -> _Near:
        follower = await account.watch(watch.position, watch.mailbox)
        near = cls(account, follower, watch)
        near._pull()
        follower.call(near._pull)
        return near

    def _pull(self) -> None:
        try:
            for touched in self._follower.pending():
                self._watch.offer(touched)
        except Resync:
            self._watch.lose()
        except Unavailable:
            self._watch.broken()
            return
        self._watch.position = max(self._watch.position, self._follower.position)

    def told(self, position: int) -> None:
        self._follower.told_up_to(position)

    def leave(self) -> None:
        self._follower.close()
