"""The domains of a cluster, as an operator adds, changes and removes them at any of its nodes.

Etcd has them. Each change is a transaction on the condition that nobody else was first, and is answered once
etcd has it and this node has heard of it; the others hear of it as soon. Of several data centres one has the
domains, and the others copy them: there they are changed, wherever an operator is.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress

from mailnode.admin.domains import Count, Refused, counted, new_domain, refuse_if_used
from mailnode.clock import Clock
from mailnode.cluster import etcd_rows as rows
from mailnode.cluster.etcd import Drop, EtcdError, Put, Unchanged
from mailnode.cluster.etcd_map import EtcdMap
from mailnode.cluster.etcd_rows import DomainText
from mailnode.cluster.secret import Secret
from mailnode.config import ConfigError
from mailnode.directory.address import canonical_domain
from mailnode.directory.rows import Rows
from mailnode.domain import Domain, domain_of, domain_text, domain_with
from mailnode.mailauth import key
from mailnode.mailauth.keyring import Held, State
from mailnode.mailauth.sealedkeys import about, put_of
from mailnode.pb import admin_pb2 as pb
from mailnode.pb.row_pb2 import DirectoryRow


class ClusterDomains:
    def __init__(self, source: EtcdMap, directory: Rows, secret: Secret | None, clock: Clock) -> None:
        self._source = source
        self._directory = directory
        self._secret = secret
        self._clock = clock

    async def listed(self) -> pb.DomainListAnswer:
        count = await counted(self._directory)
        return pb.DomainListAnswer(
            domains=[self._shown(name, found.text, count) for name, found in self._source.in_order()]
        )

    async def add(self, name: str) -> pb.DomainListAnswer:
        """Raises Refused."""
        domain, source = new_domain(name), self._there()
        if domain.name in source.domains:
            raise Refused(f"{domain.name} is one of the cluster's domains already")
        now = self._clock.now_microseconds()
        text = domain_text(domain)
        puts = [Put(source.keys.domain(domain.name), rows.domain_octets(DomainText(text, now)))]
        if not source.signing.get(domain.name):  # else it comes back: the DNS may still have its keys
            puts.append(await self._first_key(domain, now))
        await self._transact([Unchanged(put.key, 0) for put in puts], puts)
        return self._answer(domain.name, text)

    async def change(self, name: str, settings: Mapping[str, str]) -> pb.DomainListAnswer:
        """Raises Refused and ConfigError."""
        name, found = self._known(name)
        domain = domain_with(domain_of(name, found.text), settings)
        self._check(domain)
        at, text = self._there().keys.domain(name), domain_text(domain)
        put = Put(at, rows.domain_octets(DomainText(text, found.made)))
        await self._transact([Unchanged(at, found.revision)], [put])
        return self._answer(name, text)

    async def remove(self, name: str, keep_accounts: bool) -> pb.DomainListAnswer:
        """Raises Refused."""
        name, found = self._known(name)
        others = [each for each in self._there().in_order() if each[0] != name]
        if not others:
            raise Refused(f"{name} is the only domain of the cluster: add another one first")
        await refuse_if_used(self._directory, name, keep_accounts)
        keys, (other, kept) = self._there().keys, others[0]
        conditions = [
            Unchanged(keys.domain(name), found.revision),
            Unchanged(keys.domain(other), kept.revision),  # of the last two one stays
        ]
        await self._transact(conditions, [Drop(keys.domain(name))])
        return self._answer(name, found.text)

    def take(self) -> None:
        """Nothing: each node follows etcd."""

    def _check(self, domain: Domain) -> None:
        """Raises Refused."""
        copies = max((home.copies for home in self._source.homes.values()), default=0)
        if domain.min_insync > copies:
            asked, has = domain.min_insync, f"of each change the cluster has {copies} copies"
            raise Refused(f"{domain.name}: min_insync: found {asked}, expected at most {copies}: {has}")

    def _known(self, name: str) -> tuple[str, DomainText]:
        canonical = canonical_domain(name)
        there = self._there()
        found = there.domains.get(canonical) if isinstance(canonical, str) else None
        if found is None:
            names = ", ".join(each for each, _ in there.in_order())
            raise Refused(f"{name!a} is none of the cluster's domains: {names}")
        return str(canonical), found

    async def _first_key(self, domain: Domain, now: int) -> Put:
        if self._secret is None:
            raise Refused("this node has no secret of the cluster to seal keys with: `mailnode cluster join`")
        pem = await asyncio.to_thread(key.new)
        held = Held(domain.dkim, "rsa", State.SIGNING, now // 1_000_000)
        sealed = self._secret.seal(pem, about(domain.name, held.selector))
        return put_of(self._there().keys, domain.name, held, 1, sealed)

    def _there(self) -> EtcdMap:
        """Where they are changed. Raises Refused."""
        try:
            return self._source.of_domains()
        except EtcdError as error:
            raise Refused(str(error)) from None

    async def _transact(self, conditions: Sequence[Unchanged], changes: Sequence[Put | Drop]) -> None:
        """Raises Refused."""
        there = self._there()
        try:
            answer = await there.etcd.transact(conditions, changes)
        except EtcdError as error:
            raise Refused(f"{error}: whether it is done `mailnode domain list` will say") from None
        if not answer.is_done:
            raise Refused("somebody else was first: see `mailnode domain list`")
        with suppress(EtcdError):  # it will be known here once etcd can be heard again
            await there.reached(answer.revision)

    def _answer(self, name: str, text: str) -> pb.DomainListAnswer:
        return pb.DomainListAnswer(domains=[self._shown(name, text, Counter())])

    def _shown(self, name: str, text: str, count: Count) -> pb.DomainListAnswer.Domain:
        """Also one that this program cannot read."""
        try:
            dkim = domain_of(name, text).dkim
        except ConfigError:
            dkim = ""
        return pb.DomainListAnswer.Domain(
            domain=name,
            file=f"etcd: {self._source.keys.domain(name).decode()}",
            dkim=dkim,
            accounts=count[name, DirectoryRow.ACCOUNT],
            aliases=count[name, DirectoryRow.ALIAS],
            text=text,
        )
