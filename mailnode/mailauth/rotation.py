"""Keys come and go by themselves: made when others are old, signing once the DNS shows them, then revoked."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, MutableMapping, Sequence

from mailnode.clock import Clock
from mailnode.domain import Domain
from mailnode.mailauth import zone
from mailnode.mailauth.keyring import Held, Keyring, Keyrings, KeysError, State
from mailnode.mailauth.published import key_record
from mailnode.mailauth.resolver import Resolver, Unavailable
from mailnode.mailauth.signer import Key

log = logging.getLogger(__name__)

LOOK_SECONDS = 60  # how soon a key that was revoked by hand signs no more


class Rotation:
    """`signing` is what the signer reads: it is changed in place, as domains and keys change."""

    def __init__(
        self,
        keyrings: Keyrings,
        domains: Mapping[str, Domain],
        signing: MutableMapping[str, Sequence[Key]],
        resolver: Resolver,
        clock: Clock,
    ) -> None:
        self._keyrings = keyrings
        self._domains = domains
        self._signing = signing
        self._resolver = resolver
        self._clock = clock
        self._known: dict[str, list[Held]] = {}

    async def run(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """At every domain; what is wrong with one is logged, and its keys stay as they are."""
        for domain in list(self._domains.values()):
            try:
                await self._look_at(domain)
            except Unavailable:
                continue  # whether a key is seen is asked again
            except KeysError as error:
                log.error("keys could not be looked at: %s", error, extra={"domain": domain.name})

    async def _look_at(self, domain: Domain) -> None:
        ring = self._keyrings.of(domain)
        if self._keyrings.may_turn():
            await self._turn(domain, ring)
        keys = ring.all()
        if self._known.get(domain.name) != keys:
            self._signing[domain.name] = self._keyrings.signing(domain)
            self._known[domain.name] = keys

    async def _turn(self, domain: Domain, ring: Keyring) -> None:
        now = self._clock.now_microseconds() // 1_000_000
        if domain.dkim_rotate_days:
            for made in await ring.follow(domain.dkim_rotate_days, now):
                self._tell(domain, made)
        for changed in await ring.turn(await self._seen(domain, ring), now):
            self._tell(domain, changed)

    async def _seen(self, domain: Domain, ring: Keyring) -> list[str]:
        """Selectors of waiting keys whose records are published; raises Unavailable."""
        found = []
        for held in ring.all():
            if held.state is State.WAITING:
                record = key_record(domain.name, held.selector, ring.record(held))
                if (await zone.seen(self._resolver, record)).right:
                    found.append(held.selector)
        return found

    def _tell(self, domain: Domain, held: Held) -> None:
        fields = {"domain": domain.name, "selector": held.selector, "state": str(held.state)}
        log.info("a key changed its state", extra=fields)
