"""Nodes, network, map and clients in one queue of events, all drawn from one seed."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from functools import partial
from itertools import count

from mailnode.cluster.append import Unavailable
from mailnode.cluster.replica_messages import Frame, Member, Position, Row, Swap
from tests.sim import datacentres
from tests.sim.checker import Broken, Checker
from tests.sim.etcd import Etcd
from tests.sim.node import Node, Rows

TICK_SECONDS = 0.2
HEAL_SECONDS = 30.0
"""Beside the time after which one who was removed returns, each of the members one after another."""


class World:
    def __init__(self, seed: int, *, has_far: bool = False) -> None:
        self.chance = chance = random.Random(seed)
        self.now = 0.0
        self.steps = 0
        self.return_seconds = chance.choice([1.0, 1.0, 5.0, 60.0])
        self.frame_octets = chance.choice([100, 1000, 1 << 20])
        names = [f"n{number}" for number in range(chance.choice([3, 3, 4, 5]))]
        self.nodes = {name: Node(name, chance.uniform(0, 1000), chance.uniform(0.9, 1.1)) for name in names}
        rows = {}
        for at in range(2):
            copies = chance.choice([2, 3, 3])
            replicas = tuple(chance.sample(names, copies))
            first = Member(replicas[0], 1)
            rows[at] = Row(1, 0, first, 0, (first,), replicas, chance.choice([1, 1, 2]))
        self.near = tuple(names)
        """The nodes of the data centre whose map it is."""
        self.has_far = has_far
        if has_far:
            datacentres.add(self.nodes, rows, random.Random(f"far {seed}"))
        self.etcd = Etcd(rows)
        self.checker = Checker(partial(self.is_everywhere, self.etcd))
        self.down: set[str] = set()
        self.cut: set[tuple[str, str]] = set()
        """(from, to); "etcd" is one of them."""
        self.loss = self.twice = self.late = 0.0
        self.changing = chance.choice([0.0, 0.2, 0.5])
        """How often what goes on is a change that somebody wants."""
        self.is_faulty = self.has_clients = True
        self.on_swapped: Callable[[Node], None] | None = None
        """What goes wrong just when the map has changed."""
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()
        self._runs = count(1)
        self._ids = count(1)
        for node in self.nodes.values():
            self.start(node)
        self.at(0, self._leases)
        self.at(1, self._clients)

    def map_of(self, node: Node) -> Etcd:
        """That of its data centre."""
        return self.etcd

    def checker_of(self, node: Node) -> Checker:
        """Of what is led by that map."""
        return self.checker

    def is_everywhere(self, etcd: Etcd, partition: int, position: Position) -> bool:
        members = etcd.rows[partition].in_sync
        disks = [self.nodes[member.node].disk for member in members if self.nodes[member.node].me == member]
        return all(disk.of(partition).has(position) for disk in disks)

    # -- the queue

    def at(self, delay: float, do: Callable[[], None]) -> None:
        heapq.heappush(self._queue, (self.now + delay, next(self._order), do))

    def step(self) -> None:
        self.now, _, do = heapq.heappop(self._queue)
        do()
        self.steps += 1

    def for_run(self, node: Node, do: Callable[[], None]) -> Callable[[], None]:
        """Only if the process is still the same then."""
        run = node.run

        def then() -> None:
            if node.core is None or node.run != run:
                return
            if self.now < node.hung_until:
                self.at(node.hung_until - self.now, then)
                return
            do()
            self.work(node)

        return then

    # -- processes

    def start(self, node: Node) -> None:
        node.start(next(self._runs), self.now, self.return_seconds, self.frame_octets)
        self.down.discard(node.name)
        self._tick(node)
        self._renew(node)
        for partition in self.map_of(node).rows:
            self._read(node, partition)

    def crash(self, node: Node, loses_disk: bool = False) -> None:
        node.core, node.hung_until = None, 0.0
        self.down.add(node.name)
        node.disk.crash(self.chance)
        if loses_disk:
            node.replace_disk()

    def work(self, node: Node) -> None:
        node.work(
            self.checker_of(node),
            partial(self._send, node),
            partial(self._swap, node),
            partial(self._sync, node),
        )

    def _tick(self, node: Node) -> None:
        assert node.core is not None
        node.core.tick(node.clock(self.now))
        self.at(TICK_SECONDS * self.chance.uniform(0.8, 1.2), self.for_run(node, partial(self._tick, node)))

    def _sync(self, node: Node, number: int, mark: int) -> None:
        delay = self.chance.uniform(0.001, 0.02) + max(0.0, node.slow_until - self.now)
        self.at(delay, self.for_run(node, partial(self._synced, node, number, mark)))

    def _synced(self, node: Node, number: int, mark: int) -> None:
        """What was put before it; syncs end in any order, each covers all before."""
        assert node.core is not None
        node.disk.sync(mark)
        datacentres.note(self.checker_of(node).durable, node)
        node.core.synced(number)

    # -- network

    def _send(self, node: Node, frame: Frame, rows: Rows) -> None:
        self.at(self.chance.uniform(0.001, 0.05), self.for_run(node, partial(self._taken, node, frame.to)))
        for _ in range(1 + (self.chance.random() < self.twice)):
            if self.chance.random() < self.loss or (node.name, frame.to.node) in self.cut:
                continue
            slow = self.chance.uniform(0, 3) if self.chance.random() < self.late else 0
            self.at(self.chance.uniform(0.001, 0.03) + slow, partial(self._arrive, node.name, frame, rows))

    def _taken(self, node: Node, to: Member) -> None:
        assert node.core is not None
        node.core.taken(to)

    def _arrive(self, sender: str, frame: Frame, rows: Rows) -> None:
        node = self.nodes[frame.to.node]
        if self.now < node.hung_until:
            self.at(node.hung_until - self.now, partial(self._arrive, sender, frame, rows))
            return
        if node.core is not None and (sender, node.name) not in self.cut:
            node.step(frame, rows)
            self.work(node)

    # -- the map

    def _reaches_etcd(self, node: Node) -> bool:
        return (node.name, "etcd") not in self.cut

    def _swap(self, node: Node, swap: Swap) -> None:
        """A request or its answer may be lost; a request may come late, and its node be dead by then."""
        if self._reaches_etcd(node) and self.chance.random() >= self.loss:
            slow = self.chance.uniform(0, 6) if self.chance.random() < self.late else 0
            self.at(
                self.chance.uniform(0.002, 0.05) + slow,
                partial(self._swapped, node, swap, node.run, self.map_of(node)),
            )

    def _swapped(self, node: Node, swap: Swap, run: int, etcd: Etcd) -> None:
        if not any(self.nodes[member.node].me == member for member in swap.row.in_sync):
            return  # a disk is lost with its request to be alone in the set still under way: two faults
        if any(self.nodes[member.node].dc for member in (swap.row.primary, *swap.row.in_sync)):
            raise Broken(f"{node.name} asks for a far copy in sync: {swap.row}")
        changed = etcd.swap(swap)
        if changed and self.on_swapped is not None and self.is_faulty:
            self.on_swapped(node)
        if node.run == run and self._reaches_etcd(node) and self.chance.random() >= self.loss:
            self._read(node, swap.partition)
        if changed:
            self.tell(swap.partition)

    def tell(self, partition: int) -> None:
        """Everybody reads the row that changed, each some time later."""
        for node in self.nodes.values():
            self._read(node, partition)

    def _read(self, node: Node, partition: int) -> None:
        """The row as it is now comes to the node some time later; tried again until the map is reached."""
        if node.core is None:
            return
        if not self._reaches_etcd(node):
            self.at(0.5, self.for_run(node, partial(self._read, node, partition)))
            return
        row = self.map_of(node).rows[partition]
        slow = self.chance.uniform(0, 5) if self.chance.random() < self.late else 0

        def arrive() -> None:
            assert node.core is not None
            named = *row.replicas, *(each.node for each in (*row.in_sync, *row.far))
            if node.name in named or partition in node.core.partitions:
                node.core.read(partition, row)

        self.at(self.chance.uniform(0.001, 0.05) + slow, self.for_run(node, arrive))

    def _renew(self, node: Node) -> None:
        assert node.core is not None
        if self._reaches_etcd(node) and node.core.may_renew():
            etcd = self.map_of(node)
            etcd.renew(node.me, node.run, self.now)
            for other in self.nodes.values():
                if other.core is not None and self._reaches_etcd(other) and self.map_of(other) is etcd:
                    other.core.lease(node.me, True)
        self.at(0.8, self.for_run(node, partial(self._renew, node)))

    def _leases(self) -> None:
        for node in self.nodes.values():
            etcd = self.map_of(node)
            etcd.expire(self.now)
            if node.core is not None and self._reaches_etcd(node) and self.now >= node.hung_until:
                for row in etcd.rows.values():
                    node.core.lease(row.primary, row.primary in etcd.leases)
        self.at(0.3, self._leases)

    # -- clients

    def _clients(self) -> None:
        if not self.has_clients:
            return
        for node in self.nodes.values():
            if node.core is None or self.now < node.hung_until:
                continue
            for at in list(node.core.partitions):
                if self.chance.random() < 0.6 and self.now >= node.quiet_until:
                    self._propose(node, at)
                if node.core.serves(at, node.clock(self.now)):
                    self.checker_of(node).read(at, node.rows.get(at, []))
                if self.chance.random() < 0.02:
                    replica = node.core.partitions[at]
                    node.core.trim(at, replica.applied - self.chance.randint(0, 3))
                if self.chance.random() < 0.1:
                    replica = node.core.partitions[at]
                    replica.release(replica.applied - self.chance.randint(0, 3))
            self.work(node)
        self.at(self.chance.uniform(0.01, 0.2), self._clients)

    def _propose(self, node: Node, partition: int) -> None:
        assert node.core is not None
        data = f"{next(self._ids)}".encode()
        try:
            position = node.core.propose(partition, data)
        except Unavailable:
            return
        node.proposed[partition, position] = data

    # -- the end

    def heal(self) -> None:
        """No fault any more: everybody comes back, and everything is as it should be."""
        self.is_faulty = False
        self.cut.clear()
        self.loss = self.twice = self.late = 0.0
        for node in self.nodes.values():
            node.slow_until = node.quiet_until = node.hung_until = 0.0
            if node.core is None:
                self.start(node)
        if self.has_far:
            self.pass_seconds(datacentres.CUT_SECONDS_MAX)
            datacentres.cut(self, *datacentres.OTHERS)
        self.pass_seconds(HEAL_SECONDS + 2.2 * self.return_seconds)
        self._check_served(is_cut=True)
        if self.has_far:
            datacentres.join(self)
            self.pass_seconds(HEAL_SECONDS)
            self._check_served(is_cut=False)
        self.has_clients = False
        self.pass_seconds(5)
        for at, row in self.etcd.rows.items():
            if len({far.dc for far in row.far}) < len(row.far):
                raise Broken(f"partition {at} has two far copies in one place: {row}")
            names = *row.replicas, *(far.node for far in row.far)
            others = [node for node in self.nodes.values() if node.name not in names]
            if any(node.rows.get(at) for node in others):
                raise Broken(f"partition {at} lies where it should not: {row}")
            self.checker.healed(at, [self.nodes[name].rows.get(at, []) for name in names])

    def pass_seconds(self, seconds: float) -> None:
        until = self.now + seconds
        while self.now < until:
            self.step()

    def _check_served(self, *, is_cut: bool) -> None:
        """As the map says it should be; with other data centres cut off, unless they are to be waited for."""
        reads = self.checker.reads
        before = {at: self.checker.acked.get(at, 0) for at in self.etcd.rows}
        self.pass_seconds(2)
        for at, row in self.etcd.rows.items():
            is_whole = {member.node for member in row.in_sync} == set(row.replicas)
            if not is_whole or row.primary.node != row.replicas[0]:
                raise Broken(f"partition {at} has not healed: {row}")
            if (self.checker.acked[at] <= before[at]) != (is_cut and bool(row.sync_dcs)):
                raise Broken(f"partition {at} takes {'no ' if not is_cut else ''}writes: {row}")
        if self.checker.reads == reads:
            raise Broken("nothing is read")
