"""Small rows that exist and are asked for daily, kept in memory by the node that leads their accounts.

What is here is what is committed, for an account changes through its one object alone.
"""

from __future__ import annotations

from collections import OrderedDict

from mailnode.pb.change_pb2 import Change
from mailnode.store import keys
from mailnode.store.keys import Kind

_Key = tuple[int, int, bytes]


class RememberedRows:
    """Of one kind; those that were asked for last."""

    def __init__(self, rows_max: int) -> None:
        self._rows_max = rows_max
        self._rows: OrderedDict[_Key, bytes] = OrderedDict()

    def get(self, account: int, kind: int, key: bytes) -> bytes | None:
        row = self._rows.get((account, kind, key))
        if row is not None:
            self._rows.move_to_end((account, kind, key))
        return row

    def take(self, account: int, kind: int, key: bytes, row: bytes) -> None:
        """What was read. That there is none is not kept: a flood of guesses would push out the others."""
        if kind != Kind.DIRECTORY or not row:
            return
        self._rows[account, kind, key] = row
        if len(self._rows) > self._rows_max:
            self._rows.popitem(last=False)

    def commit(self, change: Change) -> None:
        for row in change.rows:
            self._rows.pop((change.account, row.kind, row.key), None)

    def forget(self, partition: int) -> None:
        """Its accounts are written by others, or were."""
        for key in [each for each in self._rows if keys.partition(each[0]) == partition]:
            del self._rows[key]
