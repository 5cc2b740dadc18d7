"""A flag of one message as a register: which values may a read have found?"""

from __future__ import annotations

from dataclasses import dataclass, field

ANYTHING = None


@dataclass(slots=True)
class Write:
    """`value` None: whatever it was. `acknowledged` None: not known to have been done, or when."""

    sent: int
    acknowledged: int | None
    value: bool | None


@dataclass(slots=True)
class Register:
    """The writes of one flag of one message by anybody, with the moments of their command and its OK."""

    writes: list[Write] = field(default_factory=list)

    def may_read(self, value: bool, sent: int, answered: int) -> bool:
        """Whether a read between two moments can have found `value`: some write of it was not replaced for
        certain before the read began (linearizability of one read)."""
        return any(
            write.value in (value, ANYTHING)
            for write in self.writes
            if write.sent < answered and not self._replaced(write, sent)
        )

    def _replaced(self, write: Write, moment: int) -> bool:
        if write.acknowledged is None:
            return False
        return any(
            later.sent > write.acknowledged and later.acknowledged is not None and later.acknowledged < moment
            for later in self.writes
        )

    def settle(self, value: bool, moment: int) -> None:
        """At rest the value is known: what was written before is of no interest."""
        self.writes = [Write(moment, moment, value)]
