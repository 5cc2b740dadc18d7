"""Readers of what happened to an account: a late one is answered at once, no wake-up is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from mailnode.cluster.partitions import Unavailable
from mailnode.mailbox.verbs import Resync
from mailnode.pb.change_pb2 import Touched


class Follower:
    """A `Watch` of an account on this node, of one mailbox or (0) of all and of their list."""

    __slots__ = (
        "_behind",
        "_call",
        "_ended",
        "_leave",
        "_pending",
        "_pending_max",
        "_taken_to",
        "_waiter",
        "mailbox",
        "position",
        "told_to",
    )

    def __init__(
        self, mailbox: int, position: int, pending_max: int, leave: Callable[[Follower], None]
    ) -> None:
        self.position = position
        self.told_to = self._taken_to = position
        self.mailbox = mailbox
        self._pending: list[Touched] = []
        self._pending_max = pending_max
        self._behind = False
        self._ended = False
        self._waiter: asyncio.Future[None] | None = None
        self._leave = leave
        self._call: Callable[[], None] | None = None

    def call(self, woken: Callable[[], None]) -> None:
        """Instead of `wait`: `woken` is called at each commit after which `pending` has something to say."""
        self._call = woken
        if self._pending or self._behind or self._ended:
            woken()

    def offer(self, touched: Touched) -> None:
        """What a commit touched; dropped when the reader is too far behind, which it is told then."""
        if touched.position <= self.position or not concerns(touched, self.mailbox):
            return
        self.position = touched.position
        if len(self._pending) >= self._pending_max:
            self.lose()
            return
        self._pending.append(touched)
        self._wake()

    def precede(self, missed: Iterable[Touched]) -> None:
        """What came before the first offer; too late for a reader that fell behind meanwhile."""
        if self._behind:
            return
        self._pending[:0] = [touched for touched in missed if concerns(touched, self.mailbox)]
        if len(self._pending) > self._pending_max:
            self.lose()

    def lose(self) -> None:
        """The reader must read the state anew."""
        self._pending.clear()
        self._behind = True
        self._wake()

    def end(self) -> None:
        """Its account is led elsewhere from now on."""
        self._ended = True
        self._wake()

    def told(self) -> None:
        self.told_to = self._taken_to

    def told_up_to(self, position: int) -> None:
        """What `told` says, by a reader elsewhere."""
        self.told_to = max(self.told_to, min(position, self._taken_to))

    def pending(self) -> list[Touched]:
        self._taken_to = self.position
        if self._ended:
            raise Unavailable
        if self._behind:
            # What was offered since is in the state that the reader is about to read.
            self._behind = False
            self._pending.clear()
            raise Resync
        came, self._pending = self._pending, []
        return came

    def wait(self) -> Awaitable[None]:
        self._waiter = asyncio.get_running_loop().create_future()
        if self._pending or self._behind or self._ended:
            self._wake()
        return self._waiter

    def close(self) -> None:
        self._leave(self)

    def _wake(self) -> None:
        if self._call is not None:
            self._call()
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


def concerns(touched: Touched, mailbox: int) -> bool:
    """Whether a reader of this mailbox, or (0) of all, is to be told."""
    return not mailbox or any(each.mailbox == mailbox for each in touched.mailboxes)
