"""Keys of domains as etcd holds them for all nodes of a cluster, sealed by its secret.

A step of a domain's list is one transaction on the condition that none of its keys has changed since: of
nodes that try the same step at the same time one makes it, and the others find nothing left to do.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from mailnode.cluster import etcd_rows as rows
from mailnode.cluster.etcd import EtcdError, Put, Unchanged
from mailnode.cluster.etcd_map import EtcdMap
from mailnode.cluster.etcd_rows import SealedKey
from mailnode.cluster.secret import Secret
from mailnode.domain import Domain
from mailnode.mailauth import key
from mailnode.mailauth.keyring import Held, Keyring, KeysError, State, Step
from mailnode.mailauth.signer import Key

log = logging.getLogger(__name__)

ATTEMPTS = 10  # each lost to another node, whose step leaves less to do


@dataclass(frozen=True, slots=True)
class SealedKeys:
    """Of all domains of a cluster."""

    source: EtcdMap
    secret: Secret | None
    """None: the node was given none, and opens nothing."""

    def of(self, domain: Domain) -> Keyring:
        return Keyring(SealedKeysOf(self.source, self.secret, domain.name))

    def signing(self, domain: Domain) -> Sequence[Key]:
        """Those that can be opened: one that cannot shall stop no node of the cluster, and no other key."""
        ring = self.of(domain)
        try:
            signing = [held for held in ring.all() if held.state is State.SIGNING]
        except KeysError as error:
            log.error("mail of a domain is not signed", extra={"domain": domain.name, "reason": error})
            return ()
        found: list[Key] = []
        for held in signing:
            try:
                found.append(ring.key(held))
            except KeysError as error:
                log.error("a key signs nothing", extra={"domain": domain.name, "reason": error})
        return found

    def may_turn(self) -> bool:
        """One that is elected: two that think so do no harm, but each asks the DNS."""
        is_elected = self.source.balancer == self.source.map.me.node
        try:
            return is_elected and self.source.of_domains() is self.source
        except EtcdError:
            return False


@dataclass(frozen=True, slots=True)
class SealedKeysOf:
    """Of one domain."""

    source: EtcdMap
    secret: Secret | None
    domain: str

    def all(self) -> list[Held]:
        return _listed(self.domain, self._rows())

    def private(self, selector: str) -> key.Private:
        row = self._rows().get(selector)
        if row is None or not row.sealed:
            raise KeysError(f"{self.domain}: key {selector}: etcd holds none")
        try:
            return key.of_pem(self._secret.open(row.sealed, about(self.domain, selector)))
        except ValueError as error:
            raise KeysError(f"{self.domain}: key {selector}: {error}") from None

    def is_free(self, selector: str) -> bool:
        return selector not in self._rows()

    async def change(self, step: Step, pem: bytes = b"") -> list[Held]:
        try:
            there = replace(self, source=self.source.of_domains())
            for _ in range(ATTEMPTS):
                before = dict(there._rows())
                keys = there.all()
                changed = [held for held in step(keys) if held not in keys]
                if not changed or await there._changed(before, changed, pem):
                    return changed
        except EtcdError as error:
            raise KeysError(f"{self.domain}: its keys could not be changed: {error}") from None
        raise KeysError(f"{self.domain}: its keys are being changed elsewhere: try again")

    async def _changed(self, before: Mapping[str, SealedKey], changed: Sequence[Held], pem: bytes) -> bool:
        """Whether nobody else was first."""
        keys = self.source.keys
        revisions = {held.selector: 0 for held in changed}
        revisions |= {selector: row.revision for selector, row in before.items()}
        conditions = [Unchanged(keys.key(self.domain, each), at) for each, at in revisions.items()]
        puts = [self._put(before, held, pem) for held in changed]
        answer = await self.source.etcd.transact(conditions, puts, [each.key for each in conditions])
        # At a revision between others may have changed what is not followed here.
        await self.source.reached(max((pair.revision for pair in answer.pairs), default=answer.revision))
        return answer.is_done

    def _put(self, before: Mapping[str, SealedKey], held: Held, pem: bytes) -> Put:
        row = before.get(held.selector)
        number = row.number if row else max((each.number for each in before.values()), default=0) + 1
        sealed = row.sealed if row else self._secret.seal(pem, about(self.domain, held.selector))
        return put_of(self.source.keys, self.domain, held, number, sealed)

    @property
    def _secret(self) -> Secret:
        if self.secret is None:
            raise KeysError(f"{self.domain}: keys are sealed by a secret that this node was not given")
        return self.secret

    def _rows(self) -> Mapping[str, SealedKey]:
        return self.source.signing.get(self.domain, {})


def put_of(keys: rows.Keys, domain: str, held: Held, number: int, sealed: bytes) -> Put:
    """One that is revoked is kept without what it signed with."""
    kept = b"" if held.state is State.REVOKED else sealed
    row = SealedKey(number, held.kind, held.state.value, held.since, kept)
    return Put(keys.key(domain, held.selector), rows.key_octets(row))


def about(domain: str, selector: str) -> bytes:
    """What a sealed key is about."""
    return f"key/{domain}/{selector}".encode()


def _listed(domain: str, found: Mapping[str, SealedKey]) -> list[Held]:
    try:
        return [
            Held(selector, row.kind, State(row.state), row.since)
            for selector, row in sorted(found.items(), key=lambda each: each[1].number)
        ]
    except ValueError as error:
        raise KeysError(f"{domain}: its keys: {error}") from None
