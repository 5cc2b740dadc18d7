"""Nodes, their disks and a map, moved by hand: one command a line, nothing happens by itself.

A scenario is a text: commands, `----`, what they say. Nodes are letters; there is one partition.

    map in_sync=a,b replicas=a,b,c min=1    the row as it is; its first member is the primary
    start a | crash a | replace a           crash loses what is not synced; replace the disk too
    time 2                                  seconds pass, each node ticks twice in each; nothing arrives
    propose a x                             a client's write
    replicas b,c,d                          who should have a copy, the first of them lead
    give a b                                a hands over to b
    sync a                                  what a wrote is durable, and a knows
    deliver a b                             what a said to b arrives
    cut a b | join a b                      both directions; `cut a etcd`
    swap a | swap a unheard | swap a lost   what a asked of the map is done, done but not answered, or not
    lease a held | lease a lost             as all nodes hear it
    settle                                  sync, deliver, swap, until there is nothing more
    show                                    every node
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from mailnode.cluster.append import Unavailable
from mailnode.cluster.replica import Replica
from mailnode.cluster.replica_messages import Entry, Frame, Member, Row, Swap
from tests.sim.checker import Checker
from tests.sim.etcd import Etcd
from tests.sim.node import Node, Rows


class Stage:
    def __init__(self) -> None:
        self.now = 0.0
        self.nodes = {name: Node(name, 0, 1) for name in "abcd"}
        self.etcd = Etcd({})
        self.checker = Checker(lambda partition, position: True)
        self.cuts: set[frozenset[str]] = set()
        self._runs = 0
        self._frames: list[tuple[str, Frame, Rows]] = []
        self._swaps: list[tuple[Node, Swap]] = []
        self._syncs: list[tuple[Node, int, int, int]] = []
        self._said: list[str] = []

    def do(self, line: str) -> list[str]:
        """What it says."""
        verb, *words = line.split()
        getattr(self, f"do_{verb}")(*words)
        said, self._said = self._said, []
        return said

    def do_map(self, *words: str) -> None:
        given = dict(word.split("=") for word in words)
        in_sync = tuple(Member(name, self.nodes[name].incarnation) for name in given["in_sync"].split(","))
        replicas = tuple(given["replicas"].split(","))
        self.etcd.rows[0] = Row(1, 0, in_sync[0], 0, in_sync, replicas, int(given.get("min", "1")))

    def do_start(self, name: str) -> None:
        self._runs += 1
        node = self.nodes[name]
        node.start(self._runs, self.now, 60.0, 1 << 20)
        self._hear(node)
        self._work(node)

    def do_crash(self, name: str) -> None:
        node = self.nodes[name]
        node.core = None
        node.disk.lose()

    def do_replace(self, name: str) -> None:
        self.do_crash(name)
        self.nodes[name].replace_disk()

    def do_time(self, seconds: str) -> None:
        until = self.now + float(seconds)
        while self.now < until:
            self.now += 0.5
            for node in self._up():
                assert node.core is not None
                node.core.tick(self.now)
                self._work(node)

    def do_propose(self, name: str, data: str) -> None:
        node = self.nodes[name]
        assert node.core is not None
        try:
            position = node.core.propose(0, data.encode())
        except Unavailable as error:
            self._said.append(f"unavailable: {error}")
            return
        node.proposed[0, position] = data.encode()
        self._said.append(f"{data} is {position.epoch}.{position.seq}")
        self._work(node)

    def do_replicas(self, names: str) -> None:
        row = self.etcd.rows[0]
        self.etcd.rows[0] = replace(row, replicas=tuple(names.split(",")), revision=row.revision + 1)
        self._hear_all()

    def do_give(self, name: str, to: str) -> None:
        node = self.nodes[name]
        assert node.core is not None
        try:
            node.core.give(0, to)
        except Unavailable as error:
            self._said.append(f"unavailable: {error}")
        self._work(node)

    def do_sync(self, name: str) -> None:
        ours = [each for each in self._syncs if each[0].name == name]
        self._syncs = [each for each in self._syncs if each[0].name != name]
        for node, run, number, mark in ours:
            if node.core is not None and node.run == run:
                node.disk.sync(mark)
                node.core.synced(number)
                self._work(node)

    def do_deliver(self, sender: str, to: str) -> None:
        ours = [each for each in self._frames if (each[0], each[1].to.node) == (sender, to)]
        self._frames = [each for each in self._frames if (each[0], each[1].to.node) != (sender, to)]
        node = self.nodes[to]
        for _, frame, rows in ours:
            if node.core is not None and frozenset((sender, to)) not in self.cuts:
                node.step(frame, rows)
                self._work(node)

    def do_cut(self, one: str, other: str) -> None:
        self.cuts.add(frozenset((one, other)))

    def do_join(self, one: str, other: str) -> None:
        self.cuts.discard(frozenset((one, other)))
        self._hear_all()

    def do_swap(self, name: str, how: str = "") -> None:
        node = self.nodes[name]
        ours = [swap for each, swap in self._swaps if each is node]
        self._swaps = [each for each in self._swaps if each[0].name != name]
        for swap in ours:
            if how != "lost" and frozenset((name, "etcd")) not in self.cuts:
                in_sync = "".join(member.node for member in swap.row.in_sync)
                done = "yes" if self.etcd.swap(swap) else "no"
                leads = f", {swap.row.primary.node} leads" if swap.row.primary != node.me else ""
                self._said.append(f"{name} asks: epoch {swap.row.epoch}, in sync {in_sync}{leads}: {done}")
        if how != "unheard":
            self._hear_all()

    def do_lease(self, name: str, how: str) -> None:
        member = self.nodes[name].me
        if how == "held":
            self.etcd.leases[member] = self.nodes[name].run, self.now
        else:
            self.etcd.leases.pop(member, None)
        for node in self._up():
            assert node.core is not None
            node.core.lease(member, how == "held")

    def do_settle(self) -> None:
        while self._frames or self._swaps or self._syncs:
            for name in self.nodes:
                self.do_sync(name)
                self.do_swap(name)
                for other in self.nodes:
                    self.do_deliver(name, other)

    def do_show(self) -> None:
        for node in [node for node in self.nodes.values() if node.run]:
            replica = node.core.partitions.get(0) if node.core is not None else None
            self._said.append(f"{node.name}: {self._shown(node, replica)}")

    def _shown(self, node: Node, replica: Replica | None) -> str:
        if node.core is None or replica is None:
            return "down" if node.core is None else "nothing"
        log = " ".join(map(_shown_entry, replica.log.after(replica.log.trimmed, replica.log.last.seq)))
        serves = ", serves" if node.core.serves(0, self.now) else ""
        role = "leads" if replica.is_leading else "follows"
        return f"epoch {replica.epoch}, {role}{serves}, [{log}], applied {replica.applied}"

    def _up(self) -> list[Node]:
        return [node for node in self.nodes.values() if node.core is not None]

    def _hear_all(self) -> None:
        for node in self._up():
            self._hear(node)

    def _hear(self, node: Node) -> None:
        assert node.core is not None
        if frozenset((node.name, "etcd")) not in self.cuts:
            node.core.read(0, self.etcd.rows[0])
            self._work(node)

    def _work(self, node: Node) -> None:
        before = set(self.checker.acknowledged)
        node.work(
            self.checker,
            partial(self._send, node),
            lambda swap: self._swaps.append((node, swap)),
            partial(self._sync, node),
        )
        for data in sorted(self.checker.acknowledged.keys() - before):
            self._said.append(f"{node.name} acknowledges {data.decode()}")

    def _send(self, node: Node, frame: Frame, rows: Rows) -> None:
        assert node.core is not None
        node.core.taken(frame.to)
        self._frames.append((node.name, frame, rows))

    def _sync(self, node: Node, number: int, mark: int) -> None:
        self._syncs.append((node, node.run, number, mark))


def _shown_entry(entry: Entry) -> str:
    return f"{entry.position.epoch}.{entry.position.seq}{entry.data.decode()}"
