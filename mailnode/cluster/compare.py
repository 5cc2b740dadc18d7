"""Copies of a partition compared: a tree of hashes over ranges of rows. Pure.

The hash of a range is the sum of the hashes of its rows. So it is the sum of its parts' hashes however it is
cut, and another node can say it of any range without having cut its own rows in the same way. One node reads
its rows once and makes a tree; the other is asked for the widest ranges first, and only what differs is asked
for in smaller ones. What cannot be read counts as a row that nobody else has.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from mailnode.limits import MiB
from mailnode.store import keys
from mailnode.store.keys import FAMILIES, Family, Kind

FANOUT = 64
LEAF_ROWS = 256
LEAF_OCTETS = 1 * MiB
"""A leaf is what is read again, and told row by row, where something in it differs."""
LEAVES = FANOUT * FANOUT
"""Of one tree: two levels below its root."""
HASH_OCTETS = 16
_MODULUS = 1 << 8 * HASH_OCTETS
_ROW_OCTETS = 64
"""Of a row beside its value, about."""

COMPARED = tuple(family for family in FAMILIES if family != Family.LOG)
"""The log is each copy's own: how far it is trimmed, and what is not committed."""
OWN_KINDS = frozenset((Kind.APPLIED,))
"""Of rows of the state that say where a copy is, and are written by it alone."""

Place = bytes
"""A family and a key, in one order: first the family's number, then the key."""
FIRST: Place = b"\0"
LAST: Place = bytes((len(COMPARED),))
"""Before and behind all places."""

_NUMBERS = {family: number for number, family in enumerate(COMPARED)}


def place(family: str, key: bytes) -> Place:
    return bytes((_NUMBERS[family],)) + key


def family_of(at: Place) -> str:
    return COMPARED[at[0]]


def key_of(at: Place) -> bytes:
    return at[1:]


def behind(at: Place) -> Place:
    """The first place behind that of a row."""
    return at + b"\0"


@dataclass(frozen=True, slots=True)
class Range:
    start: Place
    end: Place


def spans(partition: int, asked: Range) -> Iterator[tuple[str, bytes, bytes]]:
    """Family, first key and end of each scan that a range of places is."""
    for number in range(asked.start[0], min(asked.end[0] + 1, len(COMPARED))):
        family = COMPARED[number]
        first, end = keys.partition_range(family, partition)
        if number == asked.start[0]:
            first = max(first, key_of(asked.start))
        if number == asked.end[0]:
            end = min(end, key_of(asked.end))
        if first < end:
            yield family, first, end


def row_hash(at: Place, value: bytes) -> int:
    octets = len(at).to_bytes(2, "big") + at + value
    return int.from_bytes(blake2b(octets, digest_size=HASH_OCTETS).digest(), "big")


def damage_hash(node: str, at: Place) -> int:
    """Of what cannot be read behind a place: like that of no other node, and of no row."""
    return int.from_bytes(blake2b(at, digest_size=HASH_OCTETS, person=_person(node)).digest(), "big")


def _person(node: str) -> bytes:
    return blake2b(node.encode(), digest_size=16).digest()


def summed(hashes: Iterable[int]) -> int:
    return sum(hashes) % _MODULUS


# -- the tree


@dataclass(frozen=True, slots=True)
class Node:
    """A range, and the hash of the rows in it."""

    range: Range
    hash: int


class Leaves:
    """Cuts rows that are added in order."""

    def __init__(self, start: Place, octets_max: int) -> None:
        """`octets_max`: after which there is enough for one tree."""
        self._start = start
        self._octets_max = octets_max
        self._rows = self._octets = self._hash = 0
        self._last = start
        self._leaves: list[Node] = []
        self.octets = self.rows = 0

    def add(self, at: Place, octets: int, hash: int) -> None:
        """A row, or what counts as one, of a value of so many octets."""
        octets += _ROW_OCTETS
        self._rows, self._octets, self._last = self._rows + 1, self._octets + octets, at
        self._hash = (self._hash + hash) % _MODULUS
        self.rows, self.octets = self.rows + 1, self.octets + octets
        if self._rows >= LEAF_ROWS or self._octets >= LEAF_OCTETS:
            self._cut(behind(at))

    @property
    def are_enough(self) -> bool:
        return self.octets >= self._octets_max or len(self._leaves) >= LEAVES - 1

    def tree(self, end: Place | None = None) -> Tree:
        """Of all that was added; up to `end`, or no further than to the last row."""
        end = end or behind(self._last)
        if end > self._start:
            self._cut(end)
        return Tree(self._leaves)

    def _cut(self, end: Place) -> None:
        self._leaves.append(Node(Range(self._start, end), self._hash))
        self._start = end
        self._rows = self._octets = self._hash = 0


class Tree:
    """Levels of nodes, the leaves first; of the last there are at most FANOUT."""

    def __init__(self, leaves: Sequence[Node]) -> None:
        self.levels = [list(leaves)]
        while len(self.levels[-1]) > FANOUT:
            below = self.levels[-1]
            starts = range(0, len(below), FANOUT)
            self.levels.append([_joined(below[start : start + FANOUT]) for start in starts])

    @property
    def end(self) -> Place:
        """Behind the last of its rows."""
        return self.levels[0][-1].range.end


def _joined(nodes: Sequence[Node]) -> Node:
    return Node(Range(nodes[0].range.start, nodes[-1].range.end), summed(node.hash for node in nodes))


class Differences:
    """Which leaves of a tree another copy has otherwise: a question for each level, as long as any differ."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._level = len(tree.levels) - 1
        self._asked = list(range(len(tree.levels[-1])))
        self.leaves: list[Range] = []
        """Found, once there is nothing more to ask."""

    def ask(self) -> list[Range]:
        """Whose hashes the other is to say; none: that was all."""
        return [self._tree.levels[self._level][index].range for index in self._asked]

    def told(self, theirs: Sequence[int]) -> None:
        """The hashes of what was asked."""
        level = self._tree.levels[self._level]
        differing = [at for at, hash in zip(self._asked, theirs, strict=True) if level[at].hash != hash]
        if self._level == 0:
            self.leaves, self._asked = [level[at].range for at in differing], []
            return
        self._level -= 1
        count = len(self._tree.levels[self._level])
        children = (range(at * FANOUT, min(at * FANOUT + FANOUT, count)) for at in differing)
        self._asked = [child for each in children for child in each]
