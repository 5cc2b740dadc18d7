"""How many copies each node should have: by weight, as far as one copy of a slot on a host allows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mailnode.cluster.layer import Node


def shares(nodes: Sequence[Node], copies: int, slots: int) -> list[float]:
    """Of `slots` x `copies`, in the order of `nodes`: a host takes `slots` at most."""
    weights: dict[str, float] = {}
    for node in nodes:
        weights[node.host] = weights.get(node.host, 0) + node.weight
    left = float(slots * copies)
    full: set[str] = set()
    while True:
        per_weight = left / (sum(weight for host, weight in weights.items() if host not in full) or 1)
        over = [host for host, weight in weights.items() if host not in full and weight * per_weight > slots]
        if not over:
            break
        full.update(over)
        left -= slots * len(over)
    return [
        node.weight / weights[node.host] * slots if node.host in full else node.weight * per_weight
        for node in nodes
    ]
