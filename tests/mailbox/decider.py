"""Decisions one after another over a shard, each written and read back before the next, or left in flight."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mailnode.limits import Limits
from mailnode.mailbox.asked import mailbox_needed, rows_asked
from mailnode.mailbox.decide import decide
from mailnode.mailbox.decided import Decided, Loaded, Moment
from mailnode.mailbox.quota import NO_QUOTA
from mailnode.mailbox.reads import Reads
from mailnode.mailbox.rows import rows
from mailnode.pb.change_pb2 import Change, Result
from tests.mailbox import asks
from tests.mailbox.found import Found, check
from tests.store.faulty_shard import FaultyShard

NOW = 1_700_000_000
"""Seconds."""


class Decider:
    """`ask` decides and writes; `leave_open` decides only: that is in flight until `commit`."""

    def __init__(self, **limits: int) -> None:
        self.limits = replace(Limits(), **limits)
        self.shard = FaultyShard()
        self.reads = Reads(self.shard, asks.ACCOUNT)
        self.now_microseconds = NOW * 1_000_000
        head = self.reads.head()
        self.state = Decided(
            asks.ACCOUNT, head.row, head.mailboxes, set(head.subscribed), self.limits.few_entries_max
        )
        self.quota = NO_QUOTA
        self.changes: list[Change] = []
        self._numbers = 0

    def decide(self, ask: Any) -> Change | Result:
        self._numbers += 1
        intent = asks.intent(ask, self._numbers.to_bytes(16, "big"))
        needed = mailbox_needed(intent)
        arrays = self.reads.arrays(needed) if needed else None
        moment = Moment(self.now_microseconds, self.limits, self.quota)
        small_rows = {each: self.reads.row_asked(*each) for each in rows_asked(intent)}
        loaded = Loaded(arrays, small_rows)
        if intent.HasField("collect"):
            leaving, following = self.reads.leaving(loaded.rows)
            loaded = loaded._replace(leaving=leaving, expunged_next=following)
        return decide(self.state, intent, loaded, moment)

    def leave_open(self, ask: Any) -> Change:
        change = self.decide(ask)
        assert isinstance(change, Change), f"refused: {change}"
        return change

    def commit(self, change: Change) -> None:
        self.changes.append(change)
        self.shard.write(rows(change, 1), sync=True)
        self.state.leave(change)

    def ask(self, ask: Any) -> Change:
        change = self.leave_open(ask)
        self.commit(change)
        return change

    def refused(self, ask: Any) -> str:
        """The word of a refusal, "" where there was nothing to do; either takes no position."""
        before = self.state.row.position
        result = self.decide(ask)
        assert isinstance(result, Result), f"done: {result}"
        assert self.state.row.position == before
        return result.refused

    def found(self) -> Found:
        """What is in the shard, which agrees with itself and with what was decided."""
        found = check(self.shard, asks.ACCOUNT)
        assert found.row == self.state.row
        assert found.mailboxes == self.state.mailboxes
        assert found.subscribed == self.state.subscribed
        return found

    def expunged(self) -> list[bytes]:
        """The keys of what can be brought back, the oldest first."""
        return [key for key, _ in self.reads.expunged()]

    def uids(self, mailbox: int) -> list[int]:
        return [uid for number, uid in self.found().entries if number == mailbox]

    def flags(self, mailbox: int, uid: int) -> tuple[int, set[str]]:
        """System flags, and keywords as they were written."""
        found = self.found()
        return found.message(mailbox, uid).flags, set(found.keywords(mailbox, uid))


def account(*names: str, **limits: int) -> Decider:
    """One with INBOX, which is mailbox 1, and others from 2 on."""
    decider = Decider(**limits)
    decider.ask(asks.create(*names))
    return decider
