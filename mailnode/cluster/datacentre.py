"""How a cluster gets one more data centre: its etcd gets what all of them hold, and a home of its own.

Invariants: the token of the first one is used by what names the data centre there; it is written into the new
etcd with the cluster itself, in one transaction, so what was cut off is done again with another token, and
goes on.
"""

from __future__ import annotations

from dataclasses import replace

from mailnode.clock import Clock
from mailnode.cluster import etcd_rows as rows
from mailnode.cluster.admission import Refused, admitted, cluster_in
from mailnode.cluster.etcd import Drop, Etcd, Pair, Put, Unchanged
from mailnode.cluster.etcd_rows import Cluster, Home, Keys
from mailnode.cluster.tokens import Token

HOMES = 16
"""Of 4 bits of an account's id."""
_COPIED = ("name", "domain", "key")
_PUTS_MAX = 100  # of a transaction, of which etcd takes 128


async def begin(first: Etcd, etcd: Etcd, token: Token, dc: str, clock: Clock) -> None:
    """`etcd` holds the cluster of `first`, as that of `dc`, and the token. Raises EtcdError and Refused."""
    keys = Keys(token.prefix)
    cluster = await cluster_in(first, keys)
    if dc == cluster.dc or not cluster.dc:
        where = ", ".join(first.endpoints)
        raise Refused(f"--dc {dc}: the data centre of {where} is {cluster.dc or 'without a name'}")
    opened = await first.get(keys.token(token.name))
    _, good = await admitted(first, token, clock)
    assert opened is not None
    known = [pair async for _, pairs in first.pages(*keys.kind("home")) for pair in pairs]
    number, home = _home(keys, known, dc)
    dcs = [
        Put(keys.dc(cluster.dc), rows.dc_octets(first.endpoints)),
        Put(keys.dc(dc), rows.dc_octets(etcd.endpoints)),
    ]
    mine = Put(keys.home(number), rows.home_octets(home))
    at = next((pair.revision for pair in known if pair.key == mine.key), 0)
    answer = await first.transact([good, Unchanged(mine.key, at)], [Drop(good.key), *dcs, mine])
    if not answer.is_done:
        raise Refused("the token was used meanwhile; `mailnode cluster token` makes another one")
    homes = [Put(pair.key, pair.value) for pair in known if pair.key != mine.key]
    await _copy(first, etcd, keys)
    await _found(first, etcd, keys, replace(cluster, dc=dc), [*homes, *dcs, mine])
    left = max(1, (token.ends - clock.now_microseconds()) // 1_000_000)
    await etcd.transact([Unchanged(opened.key, 0)], [Put(opened.key, opened.value, await etcd.grant(left))])


def _home(keys: Keys, known: list[Pair], dc: str) -> tuple[int, Home]:
    """The one that the data centre has, or the first that nobody has, like home 0. Raises Refused."""
    homes = {int(keys.parted(pair.key)[1], 16): rows.home_of(pair.value) for pair in known}
    for number in range(HOMES):
        if number not in homes:
            return number, Home(dc, 1, homes[0].copies, homes[0].min_insync)
        if homes[number].dc == dc:
            return number, homes[number]
    raise Refused(f"all {HOMES} homes are owned by data centres already")


async def _copy(first: Etcd, etcd: Etcd, keys: Keys) -> None:
    for kind in _COPIED:
        async for _, pairs in first.pages(*keys.kind(kind)):
            puts = [Put(pair.key, pair.value) for pair in pairs]
            for at in range(0, len(puts), _PUTS_MAX):
                await etcd.transact([Unchanged(keys.cluster(), 0)], puts[at : at + _PUTS_MAX])


async def _found(first: Etcd, etcd: Etcd, keys: Keys, cluster: Cluster, puts: list[Put]) -> None:
    authority = await first.get(keys.authority())
    made = [Put(keys.cluster(), rows.cluster_octets(cluster)), *puts]
    if authority is not None:
        made.append(Put(authority.key, authority.value))
    if not (await etcd.transact([Unchanged(keys.cluster(), 0)], made)).is_done:
        raise Refused(f"{', '.join(etcd.endpoints)} hold a cluster under {keys.prefix!r} already")
