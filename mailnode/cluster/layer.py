"""The copies of all slots in one data centre, while they are being evened out."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil, floor


@dataclass(frozen=True, slots=True)
class Node:
    name: str
    host: str
    rack: str = ""
    dc: str = ""
    weight: float = 1.0
    """Its capacity, as compared with the others."""


class Layer:
    """Nodes are indexes into `nodes`; `copies[slot]` has the primary first."""

    def __init__(
        self, nodes: Sequence[Node], shares: Sequence[float], primary_shares: Sequence[float], slots: int
    ) -> None:
        self.nodes = nodes
        self.copies: list[list[int]] = [[] for _ in range(slots)]
        self.shares = shares
        self._primary_shares = primary_shares
        self._slots_of: list[set[int]] = [set() for _ in nodes]
        self._news_of: list[list[int]] = [[] for _ in nodes]
        """The slots of a node, each again when its copies changed: what could not move then may now."""
        self._read: dict[tuple[int, int], int] = {}
        """By giver and taker: how many of the giver's news cannot move."""
        self._racks_matter = True
        self._indexes = {node.name: index for index, node in enumerate(nodes)}

    def keep(self, slot: int, names: Iterable[str], copies: int) -> None:
        """Of what is held, as many as there should be, on hosts of their own."""
        for name in names:
            index = self._indexes.get(name)
            if index is not None and len(self.copies[slot]) < copies and self.is_legal(slot, index):
                self.add(slot, index)

    def add(self, slot: int, index: int) -> None:
        self.copies[slot].append(index)
        self._slots_of[index].add(slot)
        self._news_of[index].append(slot)

    def is_legal(self, slot: int, index: int) -> bool:
        host = self.nodes[index].host
        return all(self.nodes[other].host != host for other in self.copies[slot])

    def has_room(self, slot: int, index: int) -> bool:
        return len(self._slots_of[index]) < ceil(self.shares[index]) and self.is_legal(slot, index)

    def is_good(self, slot: int, index: int) -> bool:
        rack = self.nodes[index].rack
        return self.has_room(slot, index) and all(
            self.nodes[other].rack != rack for other in self.copies[slot]
        )

    def is_best(self, slot: int, index: int) -> bool:
        """Good, and still below its share rounded down: nobody gets more before everybody has that."""
        return len(self._slots_of[index]) < floor(self.shares[index]) and self.is_good(slot, index)

    def even(self) -> None:
        """Copies from who has more than the share to who has less, through a third where hosts forbid it.

        Where that does not do, racks matter less than shares.
        """
        for self._racks_matter in (True, False):
            _even([len(slots) for slots in self._slots_of], self.shares, self._copy_paths, self._move)
            self._read.clear()
        self._racks_matter = True

    def part_racks(self, swaps_max: int) -> None:
        """Swap copies of two slots where one has two in a rack: the counts stay as they are."""
        left = swaps_max
        hopeless: set[tuple[str, frozenset[str]]] = set()
        for slot, copies in enumerate(self.copies):
            racks = [self.nodes[index].rack for index in copies]
            for giver in [index for at, index in enumerate(copies) if racks[at] in racks[:at]]:
                key = self.nodes[giver].rack, frozenset(racks)
                if key in hopeless:
                    continue
                swap = self._swap(slot, giver)
                if swap is None:
                    hopeless.add(key)
                    continue
                if left == 0:
                    return
                left -= 1
                self._move(slot, giver, swap[1])
                self._move(swap[0], swap[1], giver)

    def _swap(self, slot: int, giver: int) -> tuple[int, int] | None:
        """Another slot and its copy, each of which is better where the other is."""
        racks = {self.nodes[index].rack for index in self.copies[slot]}
        for taker, node in enumerate(self.nodes):
            if node.rack in racks or not self._may_move(slot, giver, taker):
                continue
            other = self._movable(taker, giver)
            if other is not None:
                return other, taker
        return None

    def even_primaries(self, slots: Iterable[int]) -> None:
        """Which of the copies is the primary: no copy moves. Of `slots`, the first that may."""
        led: list[list[dict[int, None]]] = [[{} for _ in self.nodes] for _ in self.nodes]
        counts = [0] * len(self.nodes)
        for slot in slots:
            copies = self.copies[slot]
            counts[copies[0]] += 1
            for other in copies[1:]:
                led[copies[0]][other][slot] = None

        def onward(giver: int) -> Iterator[tuple[int, int]]:
            return (
                (taker, next(iter(led[giver][taker]))) for taker in range(len(counts)) if led[giver][taker]
            )

        def lead(slot: int, giver: int, taker: int) -> None:
            copies = self.copies[slot]
            for other in copies[1:]:
                del led[giver][other][slot]
            copies[copies.index(taker)] = giver
            copies[0] = taker
            for other in copies[1:]:
                led[taker][other][slot] = None

        _even(counts, self._primary_shares, onward, lead)

    def _copy_paths(self, giver: int) -> Iterator[tuple[int, int]]:
        """Whom each other node may relieve, and of which slot. The neediest first."""
        needy = sorted(
            range(len(self.nodes)), key=lambda taker: len(self._slots_of[taker]) - self.shares[taker]
        )
        for taker in needy:
            slot = self._movable(giver, taker)
            if slot is not None:
                yield taker, slot

    def _movable(self, giver: int, taker: int) -> int | None:
        """A slot for which the taker's rack is as good."""
        if giver == taker:
            return None
        news = self._news_of[giver]
        for at in range(self._read.get((giver, taker), 0), len(news)):
            if self._may_move(news[at], giver, taker):
                self._read[giver, taker] = at
                return news[at]
        self._read[giver, taker] = len(news)
        return None

    def _may_move(self, slot: int, giver: int, taker: int) -> bool:
        if slot not in self._slots_of[giver]:
            return False
        nodes = self.nodes
        others = [nodes[other] for other in self.copies[slot] if other != giver]
        if any(other.host == nodes[taker].host for other in others):
            return False
        racks = [other.rack for other in others] if self._racks_matter else []
        return racks.count(nodes[taker].rack) <= racks.count(nodes[giver].rack)

    def _move(self, slot: int, giver: int, taker: int) -> None:
        """The taker is what the giver was, the primary or not."""
        copies = self.copies[slot]
        copies[copies.index(giver)] = taker
        self._slots_of[giver].remove(slot)
        self._slots_of[taker].add(slot)
        for index in copies:
            self._news_of[index].append(slot)


def _even(
    counts: list[int],
    shares: Sequence[float],
    onward: Callable[[int], Iterable[tuple[int, int]]],
    move: Callable[[int, int, int], None],
) -> None:
    """One at a time along a shortest path, until each count is its share rounded, or no path is left."""
    while True:
        over = [index for index, share in enumerate(shares) if counts[index] > ceil(share - 1e-6)]
        under = [index for index, share in enumerate(shares) if counts[index] < floor(share + 1e-6)]
        if not over and not under:
            return
        givers = over or [index for index, share in enumerate(shares) if counts[index] > floor(share + 1e-6)]
        takers = under or [index for index, share in enumerate(shares) if counts[index] < ceil(share - 1e-6)]
        givers.sort(key=lambda index: shares[index] - counts[index])
        path = _path(givers, frozenset(takers), onward)
        if not path:
            return
        counts[path[0][1]] -= 1
        counts[path[-1][2]] += 1
        # From the end: what a step takes was found while the steps behind it had not moved.
        for slot, giver, taker in reversed(path):
            move(slot, giver, taker)


def _path(
    givers: Sequence[int], takers: frozenset[int], onward: Callable[[int], Iterable[tuple[int, int]]]
) -> list[tuple[int, int, int]]:
    """Of (slot, giver, taker), from one of the givers to one of the takers."""
    came: dict[int, tuple[int, int, int] | None] = dict.fromkeys(givers)
    queue = deque(givers)
    while queue:
        giver = queue.popleft()
        for taker, slot in onward(giver):
            if taker in came:
                continue
            came[taker] = slot, giver, taker
            if taker in takers:
                return _back(came, taker)
            queue.append(taker)
    return []


def _back(came: dict[int, tuple[int, int, int] | None], taker: int) -> list[tuple[int, int, int]]:
    path = []
    step = came[taker]
    while step is not None:
        path.append(step)
        step = came[step[1]]
    return path[::-1]
