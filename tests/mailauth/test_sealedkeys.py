"""Keys of a cluster: one list for all nodes, whichever of them makes a step, and sealed where it lies."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace
from typing import Any

import pytest

from mailnode.cluster import etcd_rows as rows
from mailnode.cluster.etcd import Put
from mailnode.cluster.etcd_map import EtcdMap
from mailnode.cluster.etcd_rows import Keys, SealedKey
from mailnode.cluster.secret import Secret
from mailnode.domain import Domain
from mailnode.limits import Limits
from mailnode.mailauth.keyring import DAY_SECONDS, RETIRED_SECONDS, REVOKED, Held, KeysError, State
from mailnode.mailauth.resolver import Resolver
from mailnode.mailauth.rotation import Rotation
from mailnode.mailauth.sealedkeys import SealedKeys
from mailnode.mailauth.signer import Key
from tests.cluster.following import following
from tests.cluster.members import Member, members
from tests.mailauth.test_resolver import Still
from tests.mailauth.verifying import quoted
from tests.mailauth.zone import Zone

HERE = Domain("here.test", "+", scram=True, dkim="m1", dkim_rotate_days=90)
SECRET = Secret(bytes(range(32)))


@pytest.fixture(scope="module")
def etcds() -> Iterator[Member]:
    with members(1) as made:
        yield made[0]


def run(etcds: Member, work: Callable[[EtcdMap, EtcdMap], Coroutine[Any, Any, None]]) -> None:
    """With what two nodes of a new cluster know."""

    async def bounded() -> None:
        keys = Keys(f"test-{secrets.token_hex(4)}")
        async with (
            asyncio.timeout(60),
            following(etcds.endpoint, keys) as one,
            following(etcds.endpoint, keys, "b") as other,
        ):
            await work(one, other)

    asyncio.run(bounded())


def test_of_two_nodes_that_try_the_same_step_at_once_one_makes_it(etcds: Member) -> None:
    async def work(*sources: EtcdMap) -> None:
        rings = [SealedKeys(source, SECRET).of(HERE) for source in sources]
        first = await rings[0].generate("ed25519", 5)
        await sources[1].reached(sources[0].revision)
        assert [ring.all() for ring in rings] == [[first], [first]]
        for step in (
            lambda ring: ring.turn(["m1"], 10),
            lambda ring: ring.follow(90, 10 + 90 * DAY_SECONDS),
            lambda ring: ring.turn(["m2"], 20),
            lambda ring: ring.turn([], 20 + RETIRED_SECONDS),
        ):
            made = await asyncio.gather(*(step(ring) for ring in rings))
            assert sorted(map(bool, made)) == [False, True]
        for source in sources:
            await source.reached(max(each.revision for each in sources))
        second = Held("m2", "ed25519", State.SIGNING, 20)
        revoked = Held("m1", "ed25519", State.REVOKED, 20 + RETIRED_SECONDS)
        assert [ring.all() for ring in rings] == [[revoked, second]] * 2
        assert rings[0].records() == rings[1].records()
        assert dict(rings[0].records())["m1"] == REVOKED
        assert sources[1].signing["here.test"]["m1"].sealed == b""
        made_at_once = await asyncio.gather(*(ring.generate("ed25519", 30) for ring in rings))
        assert {held.selector for held in made_at_once} == {"m3", "m4"}

    run(etcds, work)


def test_a_node_signs_with_a_key_that_another_turned(etcds: Member) -> None:
    async def work(there: EtcdMap, here: EtcdMap) -> None:
        ring = SealedKeys(there, SECRET).of(HERE)
        await ring.generate("ed25519", 5)
        zone = Zone({f"m1._domainkey.{HERE.name}": {"TXT": [quoted(dict(ring.records())["m1"])]}})
        signing: dict[str, Any] = {}
        resolver = Resolver(zone, Still(), Limits())
        assert (there.map.me.node, here.map.me.node) == ("a", "b")
        elected = await there.etcd.transact([], [Put(there.keys.balancer(), b"a")])
        for source in (here, there, here):  # of which one makes the step
            await source.reached(max(elected.revision, there.revision))
            rings = SealedKeys(source, SECRET)
            await Rotation(rings, {HERE.name: HERE}, signing, resolver, Still()).look()
        (key,) = signing[HERE.name]
        assert isinstance(key, Key)
        assert (key.selector, key.algorithm) == ("m1", "ed25519-sha256")

    run(etcds, work)


def test_what_cannot_be_opened_is_told_and_lies_in_etcd_under_seal(etcds: Member) -> None:
    async def work(source: EtcdMap, _: EtcdMap) -> None:
        ring = SealedKeys(source, SECRET).of(HERE)
        await ring.generate("ed25519", 5)
        pair = await source.etcd.get(source.keys.key("here.test", "m1"))
        assert pair is not None and b"PRIVATE KEY" not in pair.value
        with pytest.raises(KeysError, match="key m1: sealed by another secret"):
            SealedKeys(source, Secret(bytes(32))).of(HERE).records()
        # What was sealed for one key is none under the name of another.
        row = rows.key_octets(SealedKey(2, "rsa", "signing", 5, rows.key_of(pair.value, 0).sealed))
        answer = await source.etcd.transact([], [Put(source.keys.key("here.test", "m2"), row)])
        await source.reached(answer.revision)
        with pytest.raises(KeysError, match="key m2: sealed by another secret, or about something else"):
            ring.signing()
        first = replace(rows.key_of(pair.value, 0), state="signing")
        answer = await source.etcd.transact([], [Put(pair.key, rows.key_octets(first))])
        await source.reached(answer.revision)
        (key,) = SealedKeys(source, SECRET).signing(HERE)
        assert key.selector == "m1", "what can be opened signs"

    run(etcds, work)
