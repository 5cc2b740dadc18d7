"""The etcds of other data centres: read and watched, never written; and what all of them should hold alike.

Each data centre's etcd has the rows of the homes that are led there, its registry, and which data centres
there are. One that cannot be reached stays as it was last known: mail to what it leads waits, or is asked of
its nodes, all else goes on.

Alike in all: data centres; which home is led where (`cluster/generations`); domains and their keys, as
the data centre of home 0 has them, where alone they are changed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from mailnode.cluster import etcd_rows as rows
from mailnode.cluster.etcd import Drop, Etcd, EtcdError, Put, Unchanged
from mailnode.cluster.etcd_map import AGAIN_SECONDS, EtcdMap, OtherCluster

log = logging.getLogger(__name__)

PUTS_MAX = 100  # of a transaction, of which etcd takes 128


class Others:
    """Follows those that the own etcd names; feeds its map. Lives on the loop."""

    def __init__(self, source: EtcdMap, connect: Callable[[Sequence[str]], Etcd]) -> None:
        self._source = source
        self._connect = connect
        self._following: dict[str, tuple[tuple[str, ...], asyncio.Task[None]]] = {}

    async def run(self) -> None:
        """Until it is cancelled."""
        changes = -1
        try:
            while True:
                for dc, endpoints in self._wanted().items():
                    self._follow(dc, endpoints)
                changes = await self._source.changed(changes)
        finally:
            tasks = [task for _, task in self._following.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _wanted(self) -> dict[str, tuple[str, ...]]:
        source = self._source
        own = source.cluster.dc if source.cluster is not None else ""
        return {dc: endpoints for dc, endpoints in source.dcs.items() if dc != own}

    def _follow(self, dc: str, endpoints: tuple[str, ...]) -> None:
        before = self._following.get(dc)
        if before is not None and before[0] == endpoints:
            return
        if before is not None:
            before[1].cancel()
        self._following[dc] = endpoints, asyncio.ensure_future(self._watch(dc, endpoints))

    async def _watch(self, dc: str, endpoints: tuple[str, ...]) -> None:
        while True:
            try:
                await self._followed(dc, endpoints)
            except Exception as error:  # TLS files, or our own mistake: the own etcd is followed
                log.exception("a data centre is not followed", extra={"dc": dc})
                if dc in self._source.others:
                    self._source.others[dc].ailment = str(error)
            await asyncio.sleep(AGAIN_SECONDS)

    async def _followed(self, dc: str, endpoints: tuple[str, ...]) -> None:
        source = self._source
        etcd = self._connect(endpoints)
        other = EtcdMap(etcd, source.keys, source.map, source.joined)
        source.others[dc] = other
        other.told = source.happened
        try:
            while True:
                try:
                    await other.read()
                    break
                except (EtcdError, OtherCluster) as error:
                    is_news = not other.ailment
                    if is_news:
                        log.warning("a data centre cannot be asked", extra={"dc": dc, "reason": error})
                    other.ailment = str(error)
                    if is_news:
                        source.happened()
                    await asyncio.sleep(AGAIN_SECONDS)
            await other.run()
        finally:
            await etcd.close()


class Alike:
    """What the own etcd holds because others do. Called by the one node that is elected for it."""

    def __init__(self, source: EtcdMap) -> None:
        self._source = source
        self._followed: object = None
        """What of domains was compared."""

    async def agree(self) -> None:
        """Raises EtcdError."""
        if self._source.others:
            await _follow_dcs(self._source)
            await self._follow_domains()

    async def _follow_domains(self) -> None:
        source = self._source
        home = source.latest_homes().get(0)
        other = source.others.get(home.dc) if home is not None else None
        if other is None or not other.revision:
            return
        compared = other, other.domain_changes, source.domain_changes
        if compared == self._followed:
            return
        theirs, ours = domain_puts(other), domain_puts(source)
        changes: list[Put | Drop] = [put for key, put in theirs.items() if ours.get(key) != put]
        changes += [Drop(key) for key in ours if key not in theirs]
        for begin in range(0, len(changes), PUTS_MAX):
            await source.etcd.transact([], changes[begin : begin + PUTS_MAX])
        self._followed = compared


async def _follow_dcs(source: EtcdMap) -> None:
    keys, others = source.keys, source.others.values()
    known = {dc: endpoints for other in others for dc, endpoints in other.dcs.items()}
    for dc, endpoints in known.items():
        if dc not in source.dcs:
            await source.etcd.transact(
                [Unchanged(keys.dc(dc), 0)], [Put(keys.dc(dc), rows.dc_octets(endpoints))]
            )


def domain_puts(source: EtcdMap) -> dict[bytes, Put]:
    """Domains and their keys, as they lie in etcd."""
    keys = source.keys
    puts = [Put(keys.domain(name), rows.domain_octets(row)) for name, row in source.domains.items()]
    for domain, signing in source.signing.items():
        puts += [Put(keys.key(domain, name), rows.key_octets(key)) for name, key in signing.items()]
    return {put.key: put for put in puts}
