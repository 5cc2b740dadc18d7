"""How many copies a cluster keeps of what is at home in a data centre: shown, and changed, as etcd has it.

No node need run for it; those that do follow.
"""

from __future__ import annotations

import argparse
import asyncio
from dataclasses import asdict, dataclass, replace

from mailnode.cli.failure import Failure
from mailnode.cli.printing import Column, number, print_json, show_rows
from mailnode.cluster.etcd import Etcd, EtcdError, Put, Unchanged
from mailnode.cluster.etcd_at import asking
from mailnode.cluster.etcd_map import EtcdMap, OtherCluster
from mailnode.cluster.etcd_rows import Home, Keys, home_octets, home_of
from mailnode.cluster.map import Map
from mailnode.cluster.replica_messages import Member
from mailnode.clustered import ClusterAt
from mailnode.config import load


@dataclass(frozen=True, slots=True)
class Wish:
    """None: as it is."""

    copies: int | None
    min_insync: int | None
    sync_dcs: tuple[str, ...] | None

    def of(self, home: Home) -> Home:
        return replace(
            home,
            copies=home.copies if self.copies is None else self.copies,
            min_insync=home.min_insync if self.min_insync is None else self.min_insync,
            sync_dcs=home.sync_dcs if self.sync_dcs is None else self.sync_dcs,
        )


def copies(options: argparse.Namespace) -> None:
    """Raises Failure and ConfigError."""
    at = load(options.directory).cluster
    if at is None:
        raise Failure(f"{options.directory} is in no cluster: `mailnode cluster init` begins one")
    names = options.sync_dcs
    sync_dcs = None if names is None else tuple(name for name in names.split(",") if name)
    try:
        homes = asyncio.run(_homes(at, Wish(options.copies, options.min_insync, sync_dcs)))
    except (EtcdError, OtherCluster) as error:
        raise Failure(str(error)) from None
    if options.json:
        print_json([{"home": number, **asdict(home)} for number, home in homes])
    else:
        show_rows(homes, HOMES)


async def _homes(at: ClusterAt, wish: Wish) -> list[tuple[int, Home]]:
    """Those of this etcd's data centre, as they are now. Raises Failure, EtcdError and OtherCluster."""
    async with asking(at) as etcd:
        source = EtcdMap(etcd, Keys(at.prefix), Map(Member(at.name, 0)))
        await source.read()
        assert source.cluster is not None
        own = sorted(number for number, home in source.homes.items() if home.dc == source.cluster.dc)
        return [(number, await _home(etcd, source, number, wish)) for number in own]


async def _home(etcd: Etcd, source: EtcdMap, number: int, wish: Wish) -> Home:
    key = source.keys.home(number)
    pair = await etcd.get(key)
    assert pair is not None
    home = home_of(pair.value)
    wished = wish.of(home)
    if wished == home:
        return home
    _check(source, wished)
    answer = await etcd.transact([Unchanged(key, pair.revision)], [Put(key, home_octets(wished))])
    if not answer.is_done:
        raise Failure("it was changed by somebody else meanwhile: type it again")
    return wished


def _check(source: EtcdMap, home: Home) -> None:
    """That it can be kept. Raises Failure."""
    peers = [node.peer for node in source.nodes.values() if not node.is_leaving]
    hosts = {peer.host for peer in peers if peer.dc == home.dc}
    if home.copies > len(hosts):
        raise Failure(f"{home.copies} copies need as many hosts, and there are {len(hosts)}")
    if not 1 <= home.min_insync <= home.copies:
        raise Failure(f"--min-insync: found {home.min_insync}, expected 1 to {home.copies}, the copies")
    others = source.dcs.keys() - {home.dc}
    if strange := [name for name in home.sync_dcs if name not in others]:
        known = ", ".join(sorted(others)) or "none"
        raise Failure(f"--sync-dcs: {strange[0]!a} is none of the other data centres: {known}")


HOMES = (
    number("HOME", lambda row: row[0]),
    Column("DC", lambda row: row[1].dc or "-"),
    number("COPIES", lambda row: row[1].copies),
    number("MIN-INSYNC", lambda row: row[1].min_insync),
    Column("SYNC-DCS", lambda row: ", ".join(row[1].sync_dcs) or "-"),
)
