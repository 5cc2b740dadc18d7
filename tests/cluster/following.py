"""What a node knows of a cluster through etcd, without the node."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from mailnode.cluster import etcd_rows as rows
from mailnode.cluster.etcd import Etcd, Put
from mailnode.cluster.etcd_map import EtcdMap
from mailnode.cluster.etcd_rows import Cluster, Keys
from mailnode.cluster.map import Map
from mailnode.cluster.replica_messages import Member
from mailnode.store.formats import FORMAT


@asynccontextmanager
async def following(endpoint: str, keys: Keys, name: str = "a", dc: str = "dc1") -> AsyncIterator[EtcdMap]:
    """Of a cluster that is made where there is none."""
    etcd = Etcd([endpoint])
    source = EtcdMap(etcd, keys, Map(Member(name, 1)))
    cluster = Cluster(keys.prefix.encode(), dc, FORMAT, 0)
    await etcd.transact([], [Put(keys.cluster(), rows.cluster_octets(cluster))])
    await source.read()
    work = asyncio.create_task(source.run())
    try:
        yield source
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        await etcd.close()
