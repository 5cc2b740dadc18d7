"""Where each slot's copies *should* lie: consistent hashing with virtual nodes, weighted and even.

Pure, and the same whatever the order of the nodes. A slot's copies go to the first nodes clockwise of its
point that have room; what is held already stays where it may. So a node that comes takes its share from the
others and a node that goes leaves its share to them, and nothing else moves.

Invariants: never two copies of a slot on one host; no more of them in one rack than the weights force; each
node within one copy of its share, unless hosts forbid it; fewer hosts than copies make fewer copies.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b

from mailnode.cluster.layer import Layer, Node
from mailnode.cluster.shares import shares

SLOTS = 4096
"""Of a home: 12 bits of an account id."""
POINTS_OF_A_NODE = 32
"""On the circle, at the mean weight: where room runs out decides more than these."""

Held = Mapping[int, tuple[str, ...]]
"""By slot: the names of nodes that have a copy, the primary first."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Of one slot: where it should be."""

    home: tuple[str, ...]
    """In the home DC, the primary first."""
    far: tuple[str, ...]
    """One asynchronous copy in each further DC, by name of the DC."""


def placements(
    nodes: Iterable[Node], home: str, copies: int, held: Held | None = None, slots: int = SLOTS
) -> list[Placement]:
    """Of each slot of the data centre `home`, `copies` there and one in each other data centre.

    `held` is what the map says now; a node of it that is not in `nodes` is leaving. Of slots that may move as
    well, those move that come first in it. ValueError: no node in `home`, a name twice, or a weight that is
    not above 0.
    """
    by_dc: dict[str, list[Node]] = {}
    for node in sorted(nodes, key=lambda node: node.name):
        by_dc.setdefault(node.dc, []).append(node)
    _check(by_dc, home)
    held = held or {}
    at_home = placed(by_dc.pop(home), copies, held, slots)
    others = [placed(by_dc[dc], 1, held, slots) for dc in sorted(by_dc)]
    return [Placement(at_home[slot], tuple(each[slot][0] for each in others)) for slot in range(slots)]


def _check(by_dc: Mapping[str, list[Node]], home: str) -> None:
    if home not in by_dc:
        raise ValueError(f"no node in the data centre {home!r}")
    names = [node.name for nodes in by_dc.values() for node in nodes]
    if len(set(names)) < len(names):
        raise ValueError("two nodes have one name")
    for nodes in by_dc.values():
        for node in nodes:
            if node.weight <= 0:
                raise ValueError(f"the weight of {node.name!r} is {node.weight}, not above 0")


def placed(nodes: list[Node], copies: int, held: Held, slots: int) -> list[tuple[str, ...]]:
    """In one data centre, `copies` of each slot."""
    copies = min(copies, len({node.host for node in nodes}))
    layer = Layer(nodes, shares(nodes, copies, slots), shares(nodes, 1, slots), slots)
    for slot, names in held.items():
        layer.keep(slot, names, copies)
    points, owners = _circle(nodes)
    for slot in range(slots):
        _fill(layer, slot, copies, owners, bisect_right(points, _point(f"slot {slot}")))
    layer.even()
    # What is held moves a little at a time: another call goes on.
    layer.part_racks(swaps_max=int(max(layer.shares)) // 20 if held else slots)
    layer.even_primaries(dict.fromkeys((*held, *range(slots))))
    return [tuple(nodes[index].name for index in layer.copies[slot]) for slot in range(slots)]


def _circle(nodes: list[Node]) -> tuple[list[int], list[int]]:
    """The points of the virtual nodes in order, and whose each is."""
    mean = sum(node.weight for node in nodes) / len(nodes)
    circle = sorted(
        (_point(f"{node.name} {number}"), index)
        for index, node in enumerate(nodes)
        for number in range(max(1, round(POINTS_OF_A_NODE * node.weight / mean)))
    )
    return [point for point, _ in circle], [index for _, index in circle]


def _point(name: str) -> int:
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest())


def _fill(layer: Layer, slot: int, copies: int, owners: list[int], begin: int) -> None:
    """Up to `copies` for the slot: with room and of another rack; then with room; then of another host."""
    for may in (layer.is_best, layer.is_good, layer.has_room, layer.is_legal):
        if len(layer.copies[slot]) >= copies:
            return
        seen = set()
        for index in (*owners[begin:], *owners[:begin]):
            if index in seen:
                continue
            seen.add(index)
            if may(slot, index):
                layer.add(slot, index)
                if len(layer.copies[slot]) >= copies:
                    return
            if len(seen) == len(layer.nodes):
                break
