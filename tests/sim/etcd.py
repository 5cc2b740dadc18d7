"""The map: rows by revision, and leases. Linearizable; its clients lose requests and answers."""

from __future__ import annotations

from dataclasses import replace

from mailnode.cluster.replica_messages import Member, Row, Swap

TTL_SECONDS = 3.0


class Etcd:
    def __init__(self, rows: dict[int, Row]) -> None:
        self.rows = rows
        self.leases: dict[Member, tuple[int, float]] = {}
        """(run, until)."""

    def swap(self, swap: Swap) -> bool:
        row = self.rows[swap.partition]
        if row.revision != swap.row.revision or swap.unless_leased in self.leases:
            return False
        self.rows[swap.partition] = replace(swap.row, revision=row.revision + 1)
        return True

    def renew(self, member: Member, run: int, now: float) -> bool:
        """Whether it still stood; a new one is made where it did not."""
        stood = self.leases.get(member, (0, 0.0))[0] == run
        self.leases[member] = run, now + TTL_SECONDS
        return stood

    def expire(self, now: float) -> None:
        for member in [member for member, (_, until) in self.leases.items() if until < now]:
            del self.leases[member]
