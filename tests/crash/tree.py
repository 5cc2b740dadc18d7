"""Mailboxes that come, are renamed and go: which names may be there, and which must."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

Names = frozenset[str]


@dataclass(frozen=True, slots=True)
class Rearrangement:
    """CREATE, RENAME or DELETE under way: until it is answered the names may be as before or as after."""

    kind: str
    account: str
    come: Names = frozenset()
    moved: Mapping[str, str] = field(default_factory=dict)  # old name -> new name
    gone: Names = frozenset()

    def applied(self, names: Names) -> Names:
        return (names - self.gone - self.moved.keys()) | self.come | frozenset(self.moved.values())


class Tree:
    """Of every account; one rearrangement at a time in each."""

    def __init__(self) -> None:
        self.names: dict[str, Names] = {}
        self._open: dict[str, Rearrangement] = {}

    def begin(self, change: Rearrangement) -> Rearrangement:
        assert change.account not in self._open, "one rearrangement an account at a time"
        self._open[change.account] = change
        return change

    def acknowledge(self, change: Rearrangement) -> None:
        del self._open[change.account]
        self.names[change.account] = change.applied(self.of(change.account))

    def of(self, account: str) -> Names:
        return self.names.get(account, frozenset())

    def judge(self, account: str, found: Collection[str]) -> tuple[Rearrangement | None, Iterable[str]]:
        """What was cut off and is done after all, and what is wrong; `found` are the names that are ours."""
        there = frozenset(found)
        before, change = self.of(account), self._open.pop(account, None)
        done = change is not None and there == change.applied(before)
        self.names[account] = there
        wrong = [] if done or there == before else [f"there are {sorted(there)}, promised: {sorted(before)}"]
        return (change if done else None), wrong


def moved(names: Names, old: str, new: str) -> dict[str, str]:
    """RENAME takes what is below along (RFC 9051 §6.3.6)."""
    return {name: new + name[len(old) :] for name in names if name == old or name.startswith(old + "/")}


def with_parents(name: str) -> Names:
    """CREATE makes what is above too (RFC 9051 §6.3.4)."""
    levels = name.split("/")
    return frozenset("/".join(levels[:count]) for count in range(1, len(levels) + 1))
