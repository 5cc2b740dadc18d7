"""One data centre leads what another led, which is cut off, goes on, and hears of it at the end.

What was acknowledged by either of them is there at last, once: in the list that the second generation began
with, or as what was given back from a copy that had more. Each has a map and a checker of its own.
"""

from __future__ import annotations

from functools import partial

from mailnode.cluster.append import Unavailable
from mailnode.cluster.replica_messages import Drop, Far, Position, Row, first_epoch
from tests.sim import datacentres, faults
from tests.sim.checker import Broken, Checker
from tests.sim.etcd import Etcd
from tests.sim.node import Node
from tests.sim.world import HEAL_SECONDS, World

TO, HOME = "dc2", "dc1"
APART_SECONDS = 20.0


class Promotion(World):
    def __init__(self, seed: int) -> None:
        self.promoted: Etcd | None = None
        self.heard: set[str] = set()
        """The nodes that go by the map of the later generation."""
        super().__init__(seed, has_far=True)
        self.later = self.checker
        self.given_back = 0

    def map_of(self, node: Node) -> Etcd:
        return self.promoted if self.promoted is not None and node.name in self.heard else self.etcd

    def checker_of(self, node: Node) -> Checker:
        return self.later if node.name in self.heard else self.checker

    # -- the promotion

    def promote(self) -> bool:
        """Whether it has a copy of each partition."""
        places = [self.nodes[name] for name in datacentres.NODES[TO]]
        for node in places:
            if node.core is None:
                self.start(node)
        copies = {at: self._best(places, at) for at in self.etcd.rows}
        rows = {at: self._row(at, node) for at, node in copies.items() if node is not None}
        if len(rows) < len(copies):
            return False
        self.promoted = Etcd(rows)
        self.later = Checker(partial(self.is_everywhere, self.promoted))
        for at, row in rows.items():
            self._begin(at, row.since[0].seq)
        for node in places:
            self._hear(node, "")
        return True

    def _begin(self, at: int, seq: int) -> None:
        """What the second generation has of the first."""
        before, later = self.checker, self.later
        later.applied |= {key: each for key, each in before.applied.items() if key[0] == at and key[1] <= seq}
        later.seqs |= {key: each for key, each in before.seqs.items() if key[0] == at and each <= seq}

    def _best(self, places: list[Node], at: int) -> Node | None:
        """As cluster/promoting does."""
        found = [node for node in places if node.core is not None and at in node.core.partitions]
        for node in found:  # what is told is durable
            self.work(node)
            node.disk.sync(node.disk.mark())
            datacentres.note(self.checker.durable, node)
        having = [(self._last(node, at), node.name) for node in found if self._last(node, at).seq]
        return self.nodes[max(having)[1]] if having else None

    def _last(self, node: Node, at: int) -> Position:
        assert node.core is not None
        return node.core.partitions[at].log.last

    def _row(self, at: int, node: Node) -> Row:
        far, epoch = (Far(self.etcd.rows[at].primary.node, HOME),), first_epoch(2)
        since = (self._last(node, at),)
        return Row(1, epoch, node.me, 0, (node.me,), (node.name,), 1, far, since=since)

    def _hear(self, node: Node, dc: str) -> None:
        """Of its new home, all at once."""
        assert self.promoted is not None and node.core is not None
        self.work(node)
        node.dc = dc
        self.heard.add(node.name)
        node.proposed.clear()
        node.unconfirmed.clear()
        for at, row in self.promoted.rows.items():
            if at in node.core.partitions:
                node.core.read(at, row)
            else:
                self._read(node, at)
        self.work(node)

    # -- the other one comes back

    def return_all(self) -> None:
        self.is_faulty = False
        self.loss = self.twice = self.late = 0.0
        self.cut.clear()
        for node in self.nodes.values():
            node.slow_until = node.quiet_until = node.hung_until = 0.0
            if node.core is None:
                self.start(node)
        for node in self.nodes.values():
            if node.name not in self.heard:
                self._hear(node, node.dc or HOME)
        for _ in range(8):
            self.pass_seconds(HEAL_SECONDS / 8)
            for node in self.nodes.values():
                self._give_back(node)

    def _give_back(self, node: Node) -> None:
        """As delivery/returning does: what came is asked of who leads now, once, and the copy begins anew."""
        assert node.core is not None and self.promoted is not None
        for at, replica in list(node.core.partitions.items()):
            if replica.beyond is None:
                continue
            primary = self.nodes[self.promoted.rows[at].primary.node]
            log = replica.log.after(max(replica.applied, replica.log.released), replica.log.last.seq)
            tail = [*node.rows.get(at, [])[replica.beyond :], *log]
            if not all(self._bring(primary, at, entry.data) for entry in tail if entry.data):
                continue
            node.disk.of(at).write(Drop(at), [])
            node.rows[at] = []
            node.core.renew(at)
            self.work(node)

    def _bring(self, primary: Node, at: int, data: bytes) -> bool:
        """By its id: what is there, or on its way, does not come again."""
        assert primary.core is not None
        if at not in primary.core.partitions:
            return False
        waiting = [each for (where, _), each in primary.proposed.items() if where == at]
        if data in waiting or any(entry.data == data for entry in primary.rows.get(at, [])):
            return True
        try:
            primary.proposed[at, primary.core.propose(at, data)] = data
        except Unavailable:
            return False
        self.given_back += 1
        self.work(primary)
        return True

    def check(self) -> None:
        assert self.promoted is not None
        self.has_clients = False
        self.pass_seconds(5)
        for at, row in self.promoted.rows.items():
            names = *row.replicas, *(far.node for far in row.far)
            copies = [self.nodes[name].rows.get(at, []) for name in names]
            self.later.healed(at, copies)
            have = {entry.data for entry in copies[0]}
            taken = [data for data, (where, _) in self.checker.acknowledged.items() if where == at]
            lost = [data for data in taken if data not in have]
            if lost:
                raise Broken(f"acknowledged in {HOME}, and lost: {lost} of {at}")


def simulate(seed: int, steps: int) -> Promotion:
    """Raises Broken, with the seed and the step; nothing is promoted where a copy was never there."""
    world = Promotion(seed)
    faults.begin(world)
    try:
        while world.steps < steps:
            world.step()
        world.is_faulty = False  # what goes wrong from here on is the cut alone
        datacentres.cut(world, TO)
        world.pass_seconds(2)
        if world.promote():
            world.pass_seconds(APART_SECONDS)
            world.return_all()
            world.check()
    except Exception as error:
        raise Broken(f"seed {seed}, step {world.steps}, {world.now:.2f} s: {error!r}") from error
    return world
