"""Which data centre leads which home, as nodes tell each other in every call; the higher generation wins.

Nodes of two data centres may hear each other while neither reaches the other's etcd. Whoever hears of a later
generation believes it at once, and writes it into the own etcd, from which all others of the data centre have
it, and this node when it starts again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import Any

from google.protobuf.message import DecodeError

from mailnode.cluster import etcd_rows as rows
from mailnode.cluster.etcd import EtcdError, Put, Unchanged
from mailnode.cluster.etcd_map import AGAIN_SECONDS, EtcdMap
from mailnode.pb import cluster_pb2 as pb

log = logging.getLogger(__name__)

Metadata = tuple[tuple[str, bytes], ...]

_KEY = "homes-bin"


class Generations:
    """Lives on the loop."""

    def __init__(self, source: EtcdMap) -> None:
        self._source = source

    @property
    def version(self) -> int:
        return self._source.map.generations_begun

    def metadata(self) -> Metadata:
        """What this node says, in a call or its answer."""
        homes = {number: rows.home_row(home) for number, home in self._source.latest_homes().items()}
        return ((_KEY, pb.Homes(cluster=self._source.joined, homes=homes).SerializeToString()),)

    def hear(self, said: Iterable[tuple[str, Any]] | None) -> None:
        """What another node says in its metadata; nothing, if it is of another cluster or not readable."""
        for octets in [value for key, value in said or () if key == _KEY]:
            try:
                found = pb.Homes.FromString(octets)
            except DecodeError:
                continue
            if found.cluster == self._source.joined:
                self._source.hear({number: rows.home_in(row) for number, row in found.homes.items()})

    async def run(self) -> None:
        """For ever: what others say of homes is written into the own etcd."""
        changes = -1
        while True:
            try:
                await follow_homes(self._source)
            except EtcdError as error:
                log.debug("homes of other data centres are not written", extra={"reason": error})
                await asyncio.sleep(AGAIN_SECONDS)
                continue
            changes = await self._source.changed(changes)


async def follow_homes(source: EtcdMap) -> None:
    """Raises EtcdError."""
    keys = source.keys
    for number, home in source.latest_homes().items():
        mine = source.homes.get(number)
        if mine is not None and mine.generation >= home.generation:
            continue
        pair = await source.etcd.get(keys.home(number))
        if pair is None or rows.home_of(pair.value).generation < home.generation:
            at = Unchanged(keys.home(number), pair.revision if pair is not None else 0)
            await source.etcd.transact([at], [Put(keys.home(number), rows.home_octets(home))])
