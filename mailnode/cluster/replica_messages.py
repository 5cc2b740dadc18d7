"""What replicas say to each other, to the map and to the disk. Plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Position(NamedTuple):
    """Of an entry in a partition's list. Two entries at one position are the same entry."""

    epoch: int
    seq: int


START = Position(0, 0)


class Member(NamedTuple):
    """A shard: a replaced or emptied disk makes another member of the same node."""

    node: str
    incarnation: int


NOBODY = Member("", 0)
"""Leads what another data centre leads by now, until its row is known."""


class Far(NamedTuple):
    """A node of another data centre that should have a copy: of what is committed, and later than here."""

    node: str
    dc: str


EPOCHS_OF_A_GENERATION = 1 << 32
"""So that what a later generation of a home says is of a later epoch, whatever the earlier one still does."""


def first_epoch(generation: int) -> int:
    """Of a home's generation, which are counted from 1."""
    return max(0, generation - 1) * EPOCHS_OF_A_GENERATION


def generation_of(epoch: int) -> int:
    """That an epoch is of."""
    return epoch // EPOCHS_OF_A_GENERATION + 1


@dataclass(frozen=True, slots=True)
class Entry:
    position: Position
    data: bytes
    """Empty: the first of an epoch, which changes nothing."""
    format: int = 1


@dataclass(frozen=True, slots=True)
class Row:
    """A partition's row of the map."""

    revision: int
    """Rises with each write of the row: what a compare-and-swap compares."""
    epoch: int
    primary: Member
    run: int
    """Of the primary's process: an epoch belongs to one run."""
    in_sync: tuple[Member, ...]
    """In the order in which they try to take over."""
    replicas: tuple[str, ...]
    """The nodes that should have a copy; the first should lead."""
    min_insync: int = 1
    far: tuple[Far, ...] = ()
    """Never in sync, so they do not lead by themselves."""
    sync_dcs: tuple[str, ...] = ()
    """An append ends once one of `far` has it in each of these data centres."""
    since: tuple[Position, ...] = ()
    """Of each generation of the home from the second on, the last entry of before that it began with."""

    @property
    def order(self) -> tuple[int, int]:
        """Later rows have a higher one. Each data centre's map counts revisions of its own, a generation of
        a home lies in one of them."""
        return self.epoch // EPOCHS_OF_A_GENERATION, self.revision


@dataclass(frozen=True, slots=True)
class Swap:
    """Write `row` if the map still has its revision, and no lease of `unless_leased`.

    The answer is the row as it is then. It may be lost; the swap may come late, or twice.
    """

    partition: int
    row: Row
    unless_leased: Member | None = None


# -- of one partition


@dataclass(frozen=True, slots=True)
class Append:
    partition: int
    epoch: int
    before: Position
    """Of the entry before the first."""
    entries: tuple[Entry, ...]
    commit: int


@dataclass(frozen=True, slots=True)
class Ack:
    """Durable here as the primary has it, up to `matched`; and so is the epoch."""

    partition: int
    epoch: int
    matched: int


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Not the same at what came before: `nearest` is the last that may be common."""

    partition: int
    epoch: int
    nearest: Position


@dataclass(frozen=True, slots=True)
class Refused:
    """That epoch is over."""

    partition: int
    epoch: int


@dataclass(frozen=True, slots=True)
class Join:
    """A replica that does not know how far it matches asks the primary to be told."""

    partition: int
    last: Position


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Instead of entries that are trimmed: the rows as of `at`, which the node puts beside it."""

    partition: int
    epoch: int
    at: Position
    epochs: tuple[Position, ...]


# -- of a pair of nodes


@dataclass(frozen=True, slots=True)
class Heartbeat:
    sent: float
    """By the sender's clock."""
    base: int
    version: int
    claims: tuple[tuple[int, int], ...]
    """(partition, epoch) that the sender leads with this follower, as changed since `base`; 0: no longer."""
    commits: tuple[tuple[int, int, int], ...]
    """(partition, epoch, commit) that moved."""


@dataclass(frozen=True, slots=True)
class Promise:
    """The answer to a heartbeat: not to take over what it claims, but what is refused, for some seconds."""

    run: int
    sent: float
    version: int
    """Of the claims as they are known here; another than the heartbeat's promises nothing."""
    refused: tuple[tuple[int, int], ...]
    """(partition, epoch known here)."""
    is_short: bool
    """The disk has no room for more than what frees some."""
    is_leaving: bool = False
    """It stops once nobody counts on it."""


Message = Append | Ack | Mismatch | Refused | Join | Snapshot | Heartbeat | Promise


@dataclass(frozen=True, slots=True)
class Frame:
    """All that one node has to say to another at one moment."""

    sender: Member
    run: int
    to: Member
    messages: tuple[Message, ...]


# -- what must be durable, in this order


@dataclass(frozen=True, slots=True)
class Write:
    """Of one partition: from `after` on, the log is these entries; the epoch, if it is new."""

    partition: int
    epoch: int
    after: int
    entries: tuple[Entry, ...]
    truncated: tuple[Entry, ...] = ()
    """Those behind `after` that were there: never committed."""


@dataclass(frozen=True, slots=True)
class Install:
    """Everything of the partition is as the snapshot says: range-delete, put, and `present` last."""

    snapshot: Snapshot


@dataclass(frozen=True, slots=True)
class Trim:
    partition: int
    upto: int


@dataclass(frozen=True, slots=True)
class Drop:
    """Nothing of the partition stays, neither rows nor log: range-delete."""

    partition: int


Writing = Write | Install | Trim | Drop


# -- what must be read


@dataclass(frozen=True, slots=True)
class Fetch:
    """Entries that another replica lacks and that are on the disk alone: those from `after` on, and how many
    octets of them. `fetched` takes them."""

    partition: int
    to: Member
    after: int
    octets_max: int
