"""Small rows that exist and are asked for daily, kept in memory by the node that leads their accounts.

What is here is what is committed, for an account changes through its one object alone. Nodes that were told
of a row keep it too, until they hear that it is here no longer (`service`, `link`).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from mailnode.pb.change_pb2 import Change
from mailnode.store import keys
from mailnode.store.keys import Kind

RowKey = tuple[int, int, bytes]
"""Account, kind and key."""


class RememberedRows:
    """Of one kind; those that were asked for last."""

    def __init__(self, rows_max: int) -> None:
        self._rows_max = rows_max
        self._rows: OrderedDict[RowKey, bytes] = OrderedDict()
        self.gone: Callable[[RowKey], object] = lambda _: None
        """Told of each row that is here no longer."""

    def get(self, key: RowKey) -> bytes | None:
        row = self._rows.get(key)
        if row is not None:
            self._rows.move_to_end(key)
        return row

    def take(self, key: RowKey, row: bytes) -> None:
        """What was read. That there is none is not kept: a flood of guesses would push out the others."""
        if key[1] != Kind.DIRECTORY or not row:
            return
        self._rows[key] = row
        if len(self._rows) > self._rows_max:
            self._drop(next(iter(self._rows)))

    def commit(self, change: Change) -> None:
        for row in change.rows:
            self._drop((change.account, row.kind, row.key))

    def forget(self, partition: int) -> None:
        """Its accounts are written by others, or were."""
        for key in [each for each in self._rows if keys.partition(each[0]) == partition]:
            self._drop(key)

    def _drop(self, key: RowKey) -> None:
        if self._rows.pop(key, None) is not None:
            self.gone(key)
