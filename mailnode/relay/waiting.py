"""What an operator sees of the queue, and does to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from google.protobuf.message import DecodeError

from mailnode.clock import Clock
from mailnode.mailbox.accounts import Accounts
from mailnode.mailbox.dues import Dues, Task
from mailnode.mailbox.verbs import Account, decided
from mailnode.pb.change_pb2 import Intent, Queue
from mailnode.pb.row_pb2 import QueueRow
from mailnode.store.damage import Unreadable, told
from mailnode.store.keys import Due, Family, Kind, state


def item_name(account: int, mail: int) -> str:
    """As logs and operators know an item: account and mail, in hexadecimal."""
    return f"{account:x}-{mail:x}"


@dataclass(frozen=True, slots=True)
class Item:
    name: str
    row: QueueRow


Change = Callable[[QueueRow, int], None]
"""What is done to an item, at a time in microseconds."""


def retry(row: QueueRow, now: int) -> None:
    """Its next attempt is due."""
    row.held = False
    row.due = now


def hold(row: QueueRow, now: int) -> None:
    """It waits until it is let go."""
    row.held = True


def release(row: QueueRow, now: int) -> None:
    """It is tried at its time again."""
    row.held = False


def remove(row: QueueRow, now: int) -> None:
    """It goes, and nobody is told."""
    del row.recipients[:]


class Waiting:
    """Items that are being tried at this moment are not among those that wait: ask again."""

    def __init__(self, accounts: Accounts, clock: Clock) -> None:
        self._accounts = accounts
        self._clock = clock

    async def items(self, name: str) -> list[Item]:
        """All with an empty name, else the one of that name, if it waits; the oldest first.

        One whose row cannot be read has no recipients, and is given all the same: it can be removed.
        """
        items = [item for task in self._named(name) if (item := await self._shown(task)) is not None]
        return sorted(items, key=lambda item: item.row.queued)

    async def _shown(self, task: Task) -> Item | None:
        try:
            item = await self._item(task)
        except Unreadable:
            return Item(task_name(task), QueueRow(due=task.time_microseconds))
        return item if item.row.recipients else None

    async def change(self, name: str, change: Change) -> list[Item]:
        """Do it to all, or to the one of that name; gives them as they are then. Raises NotKnown and
        Unavailable."""
        changed = []
        for task in self._named(name):
            if self._accounts.dues.claim(Due.QUEUE, task.account, task.key) is not None:
                changed.append(await self._change(task, change))
        return changed

    async def _change(self, task: Task, change: Change) -> Item:
        """Claimed, so that no attempt begins meanwhile; what is written makes it due again."""
        item = await self._shown(task) or Item(task_name(task), QueueRow())
        try:
            change(item.row, self._clock.now_microseconds())
            account = await self._accounts.open(task.account)
            queue = Queue(mail=int.from_bytes(task.key, "big"), item=item.row)
            decided(await account.apply(Intent(queue=queue)))
        except BaseException:
            self._accounts.dues.again(Due.QUEUE, task)
            raise
        return item

    def _named(self, name: str) -> Sequence[Task]:
        tasks = self._accounts.dues.all(Due.QUEUE)
        return [task for task in tasks if not name or task_name(task) == name]

    async def _item(self, task: Task) -> Item:
        account = await self._accounts.open(task.account)
        return Item(task_name(task), await queue_row(account, task.key))


def oldest_microseconds(dues: Dues) -> int:
    """When the oldest item came, which its mail id says; 0: nothing waits."""
    return min((int.from_bytes(task.key, "big") for task in dues.all(Due.QUEUE)), default=0)


async def queue_row(account: Account, key: bytes) -> QueueRow:
    """An item of the queue, empty where it is gone; raises Unreadable, and reports it."""
    try:
        return QueueRow.FromString(await account.row(Kind.QUEUE, key))
    except DecodeError as error:
        told.tell(Family.STATE, state(account.id, Kind.QUEUE, key), str(error))
        raise Unreadable(Family.STATE, key, str(error)) from None


def task_name(task: Task) -> str:
    return item_name(task.account, int.from_bytes(task.key, "big"))
