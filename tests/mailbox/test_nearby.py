"""Rows of the other data centre, as copies in this one have them: node a leads in dc1, b and c are in dc2."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from mailnode.cluster.map import Map, Peer
from mailnode.cluster.replica_messages import Far, Member, Row
from mailnode.mailbox.nearby import Nearby
from mailnode.mailbox.verbs import Unavailable
from mailnode.store import keys
from mailnode.store.damage import Unreadable
from mailnode.store.keys import Family, Kind
from tests.store.faulty_shard import FaultyShard

A, B, C = (Member(name, number) for number, name in enumerate("abc", 1))
ACCOUNT = keys.directory_account(5)
KEY, VALUE = b"ann@example.test", b"hers"


class Shard(FaultyShard):
    is_readable = True

    def get(self, family: str, key: bytes) -> bytes | None:
        if not self.is_readable:
            raise Unreadable(family, key, "checksum")
        return super().get(family, key)


class Node:
    """One of dc2, whose calls to others end at `others`."""

    def __init__(self, me: Member, *far: Far, primary: Member = A) -> None:
        self.shard = Shard()
        self.map = Map(me)
        for member, dc in ((A, "dc1"), (B, "dc2"), (C, "dc2")):
            self.map.put_peer(Peer(member.node, member.node, "", dc, 1.0, member.incarnation, ""))
        if far:
            row = Row(
                1, epoch=1, primary=primary, run=1, in_sync=(primary,), replicas=(primary.node,), far=far
            )
            self.map.put(5, row)
        self.others: dict[str, Node] = {}
        self.asked: list[str] = []
        self.is_sound = True
        self._loads = ThreadPoolExecutor(1)
        self.nearby = Nearby(self.shard, self._loads, self.map, self._call, lambda _: self.is_sound)

    async def _call(self, node: str, function: str, octets: bytes) -> bytes:
        self.asked.append(node)
        if node not in self.others:
            raise Unavailable("it is away")
        return await self.others[node].nearby.functions[function](octets, {})

    def has(self) -> None:
        self.shard.write([(Family.STATE, keys.state(ACCOUNT, Kind.DIRECTORY, KEY), VALUE)], sync=True)

    def row(self, key: bytes = KEY) -> bytes:
        return asyncio.run(self.nearby.row(ACCOUNT, Kind.DIRECTORY, key))


def test_the_own_far_copy_is_read() -> None:
    node = Node(B, Far("b", "dc2"))
    node.has()
    assert (node.row(), node.row(b"nobody@example.test"), node.asked) == (VALUE, b"", [])


def test_the_far_copy_of_a_neighbour_is_asked_and_who_is_away_says_nothing() -> None:
    node, neighbour = Node(C, Far("b", "dc2")), Node(B, Far("b", "dc2"))
    neighbour.has()
    assert node.row() == b""
    node.others["b"] = neighbour
    assert node.row() == VALUE
    assert node.asked == ["b", "b"]


def test_of_two_copies_the_older_is_asked() -> None:
    node = Node(C, Far("c", "dc2"), Far("b", "dc2"))
    assert (node.row(), node.asked) == (b"", ["b"])


@pytest.mark.parametrize("primary", [B, C])
def test_what_is_led_in_the_own_data_centre_is_not_read_so(primary: Member) -> None:
    node = Node(B, Far("a", "dc1"), primary=primary)
    node.has()
    assert (node.row(), node.asked) == (b"", [])


def test_a_copy_that_has_stopped_or_cannot_be_read_says_nothing() -> None:
    node = Node(B, Far("b", "dc2"))
    node.has()
    node.is_sound = False
    assert node.row() == b""
    node.is_sound = True
    assert node.row() == VALUE
    node.shard.is_readable = False
    assert node.row() == b""


def test_who_knows_no_map_of_the_other_data_centre_reads_its_own_copy() -> None:
    node = Node(B)
    node.has()
    assert node.row() == VALUE
