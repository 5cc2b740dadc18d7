"""This node's lease: a key that says its shard is alive, and goes when nobody renews it for 3 s.

It tells others when to try to take over, nothing else: whether they may, the map decides. So a lease that
cannot be renewed because etcd does not answer is not lost; it is once etcd says so. Then it is taken anew,
and what the node leads by the map it goes on leading: where another took over meanwhile, the others have its
later epoch and acknowledge nothing of here.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from mailnode.cluster import etcd_rows as rows
from mailnode.cluster.etcd import Etcd, EtcdError, Put, Unchanged
from mailnode.cluster.etcd_rows import Keys
from mailnode.cluster.replica_messages import Member

log = logging.getLogger(__name__)

TTL_SECONDS = 3  # design: what a failover waits for first
RENEWED_SECONDS = 1.0
AGAIN_SECONDS = 0.25  # after an answer that did not come: the lease runs meanwhile


class Lease:
    def __init__(self, etcd: Etcd, keys: Keys, me: Member, run: int) -> None:
        self.number = 0
        """Of etcd; 0 while none is held."""
        self._etcd = etcd
        self._key = keys.lease(me)
        self._run = run
        self._left = False

    async def take(self) -> None:
        """Hold it. What a run before this one holds goes over without a gap. Raises EtcdError."""
        before = await self._etcd.get(self._key)
        number = await self._etcd.grant(TTL_SECONDS)
        put = Put(self._key, rows.lease_octets(self._run), number)
        condition = Unchanged(self._key, before.revision if before else 0)
        answer = await self._etcd.transact([condition], [put], [self._key])
        if not answer.is_done and [pair.lease for pair in answer.pairs] != [number]:
            raise EtcdError("the lease changed hands meanwhile")
        self.number = number

    async def keep(self, may_renew: Callable[[], bool]) -> None:
        """Until `leave`: renew it while it may be, and take it anew where it was lost."""
        while not self._left:
            seconds = await self._kept(may_renew)
            await asyncio.sleep(seconds)

    async def _kept(self, may_renew: Callable[[], bool]) -> float:
        """Seconds until the next look."""
        if not may_renew():
            return RENEWED_SECONDS / 4
        try:
            if self.number and await self._etcd.renew(self.number):
                return RENEWED_SECONDS
            if self.number:
                self.number = 0
                log.warning("this node's lease lapsed: others may have taken over")
            if not self._left:
                await self.take()
        except EtcdError as error:
            log.debug("the lease is not renewed", extra={"reason": error})
            return AGAIN_SECONDS
        return RENEWED_SECONDS

    async def leave(self) -> None:
        """Whoever may take over need not wait, and nothing more is given to this node. Never fails."""
        number, self.number, self._left = self.number, 0, True
        if number:
            try:
                await self._etcd.revoke(number)
            except EtcdError as error:
                log.debug("the lease is not given back", extra={"reason": error})
