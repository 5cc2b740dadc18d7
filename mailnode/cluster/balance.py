"""Which copies move next: from where the map says they are to where the ring says they should be.

Pure. `aims` says where each partition should be in the end; `plan` says which rows of the map get which
`replicas` now. The core does the rest of a move by itself (`membership`): new copies first come in sync, then
the first of `replicas` gets to lead, then old copies go.

Invariants: what is planned never has fewer copies than a home asks for, as far as there were so many, nor two
on one host; of each node no more than some partitions move at a time; what is under way is let end; a row
whose primary has no lease is let alone. Copies of nodes that leave or are lost stay named while no other host
is left for them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from mailnode.cluster.etcd_rows import Home
from mailnode.cluster.layer import Node
from mailnode.cluster.replica_messages import Member, Row, Swap
from mailnode.cluster.ring import SLOTS, Placement, placements

Replicas = tuple[str, ...]
"""Names of nodes; the first should lead."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A node of the registry."""

    node: Node
    member: Member
    stays: bool
    """It is neither leaving nor lost: it may have copies."""
    is_alive: bool
    """Its lease is held."""


Standings = Mapping[str, Standing]
"""By name."""


@dataclass(frozen=True, slots=True)
class Plan:
    swaps: tuple[Swap, ...]
    """To be asked of the map now."""
    left: int
    """Partitions that are not yet as they should be."""
    under_way: frozenset[int]
    """Of them, those that move, these swaps included."""


def aims(standings: Standings, home: Home, rows: Mapping[int, Row], slots: int = SLOTS) -> list[Replicas]:
    """Of each slot of a home, by where its rows (by slot) say that copies are.

    Empty while nobody in the home's data centre may have a copy.
    """
    ring = [standing.node for standing in standings.values() if standing.stays]
    if not any(node.dc == home.dc for node in ring):
        return []
    # What changed last stays, if another may move as well: an operator may have moved it.
    oldest = sorted(rows.items(), key=lambda each: each[1].revision)
    held = {slot: _held(standings, row) for slot, row in oldest}
    placed = placements(ring, home.dc, home.copies, held, slots)
    return [_filled(standings, home, placement, rows.get(slot)) for slot, placement in enumerate(placed)]


def _held(standings: Standings, row: Row) -> Replicas:
    """Who has a copy or gets one, and who stays is to lead."""
    names = (*row.replicas, *(member.node for member in row.in_sync))
    if names and not _stays(standings, names[0]):
        names = (row.primary.node, *names)
    return tuple(dict.fromkeys(names))


def _stays(standings: Standings, name: str) -> bool:
    return name in standings and standings[name].stays


def _filled(standings: Standings, home: Home, placement: Placement, row: Row | None) -> Replicas:
    """With copies of those who go, where fewer hosts stay than there are copies."""
    names = list(placement.home)
    hosts = {standings[name].node.host for name in names}
    for name in _going(standings, home, row) if len(names) < home.copies else ():
        host = standings[name].node.host if name in standings else name
        if len(names) < home.copies and host not in hosts:
            names.append(name)
            hosts.add(host)
    return tuple(names)


def _going(standings: Standings, home: Home, row: Row | None) -> list[str]:
    """Who has a copy at home and should not: those that are alive first."""
    names = dict.fromkeys((*row.replicas, *(member.node for member in row.in_sync)) if row else ())
    going = [
        name
        for name in names
        if not _stays(standings, name) and (name not in standings or standings[name].node.dc == home.dc)
    ]
    return sorted(going, key=lambda name: not (name in standings and standings[name].is_alive))


# -- what moves now


def plan(
    standings: Standings,
    homes: Mapping[int, Home],
    rows: Iterable[tuple[int, Row]],
    aimed: Mapping[int, Replicas],
    moves_max: int,
    slow: Collection[int] = frozenset(),
) -> Plan:
    """`rows` and `aimed` by partition; a partition that has no aim is let alone.

    `moves_max`: partitions that move at a time from a node, or to it; nobody waits for those of `slow`.
    """
    busy = Counter[str]()
    waiting: list[tuple[int, int, Row]] = []
    swaps: list[Swap] = []
    left, under_way = 0, set[int]()
    for partition, row in rows:
        if partition not in aimed:
            continue
        home, aim = homes[partition // SLOTS], aimed[partition]
        if row.min_insync != (min_insync := _min_insync(home, row)):
            swaps.append(Swap(partition, replace(row, min_insync=min_insync)))
        if _is_settled(row, aim):
            continue
        ends = _ends(standings, row)
        if ends:
            under_way.add(partition)
        is_there = is_same(row.replicas, aim)
        left += bool(ends) or not is_there
        if ends and partition not in slow:
            busy.update(ends)
        elif not is_there and min_insync == row.min_insync:
            waiting.append((_urgency(standings, row), partition, row))
    for _, partition, row in sorted(waiting, key=lambda each: each[:2]):
        then = _begun(standings, row, aimed[partition], busy, moves_max)
        if then is not None:
            busy.update(_ends(standings, then))
            under_way.add(partition)
            swaps.append(Swap(partition, then))
    return Plan(tuple(swaps), left, frozenset(under_way))


def _is_settled(row: Row, aim: Replicas) -> bool:
    """Nothing is to be done: most rows, most of the time."""
    is_led = row.replicas == aim and row.primary.node == aim[0]
    return is_led and len(row.in_sync) == len(aim) and {member.node for member in row.in_sync} == set(aim)


def is_same(replicas: Replicas, others: Replicas) -> bool:
    """In which order those come that should not lead says nothing."""
    return replicas[:1] == others[:1] and (replicas == others or set(replicas) == set(others))


def _min_insync(home: Home, row: Row) -> int:
    """What a home asks for; more than before once so many are in sync, so that mail goes on meanwhile."""
    wanted = min(home.min_insync, home.copies)
    return wanted if wanted <= max(row.min_insync, len(row.in_sync)) else row.min_insync


def _ends(standings: Standings, row: Row) -> frozenset[str]:
    """The nodes that are at work until the row is as its `replicas` say; none, if nobody is."""
    if row.primary != _alive(standings, row.primary.node):
        return frozenset()
    in_sync = {member.node for member in row.in_sync}
    learning = [name for name in row.replicas if name not in in_sync and _alive(standings, name)]
    if learning:
        return frozenset((row.primary.node, *learning))
    leading = row.replicas[0]
    is_given = leading != row.primary.node and leading in in_sync and _alive(standings, leading)
    if is_given or in_sync > set(row.replicas):
        return frozenset((row.primary.node, leading))
    return frozenset()


def _alive(standings: Standings, name: str) -> Member | None:
    standing = standings.get(name)
    return standing.member if standing is not None and standing.is_alive else None


def _begun(
    standings: Standings, row: Row, aim: Replicas, busy: Mapping[str, int], moves_max: int
) -> Row | None:
    """The row with which its move begins, if whoever has something to do in it is there and has time."""
    # A name that stays, of one that is away, waits for nobody.
    added = [name for name in aim if name not in row.replicas] or [aim[0]]
    if any(busy[name] >= moves_max for name in (row.primary.node, *added)):
        return None
    in_sync = {member.node for member in row.in_sync}
    is_led = row.primary == _alive(standings, row.primary.node)
    if not is_led or not all(name in in_sync or _alive(standings, name) for name in added):
        return None
    then = replace(row, replicas=aim)
    return then if all(busy[name] < moves_max for name in _ends(standings, then)) else None


def _urgency(standings: Standings, row: Row) -> int:
    """Lost copies first, then what is to be emptied, then what is to be even."""
    if not all(_alive(standings, name) for name in row.replicas):
        return 0
    return 1 if not all(_stays(standings, name) for name in row.replicas) else 2
