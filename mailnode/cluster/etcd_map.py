"""What is known of a cluster, as etcd says it: the map, the registry, leases, homes, domains and their keys.

Read whole when the node starts, then watched from that revision on. While etcd cannot be asked everything
stays as it was last known, so mail goes on; what it was asked to change waits.

Invariants: nothing is taken from an etcd of another cluster, nor from one that has gone back to an earlier
revision (a restored backup would give epochs out twice); a shard whose lease is not seen is told as lost to
whoever follows, also when that happened before this node began.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from contextlib import aclosing
from typing import TypeVar

from mailnode.cluster import etcd_rows as rows
from mailnode.cluster.etcd import CALL_SECONDS, Compacted, Etcd, EtcdError, Pair
from mailnode.cluster.etcd_rows import Cluster, DomainText, Home, Keys, Registered, SealedKey
from mailnode.cluster.map import Map
from mailnode.cluster.replica_messages import Member, Row

log = logging.getLogger(__name__)

T = TypeVar("T")

AGAIN_SECONDS = 0.5  # until etcd is asked again: a new leader is elected in about a second

SLICE_PAIRS = 500  # some ms of the loop

LeaseTold = Callable[[Member, bool], None]
DomainsTold = Callable[[frozenset[str]], None]


class OtherCluster(Exception):
    """This etcd does not hold what the shard has joined; the text is for an operator."""


class EtcdMap:
    """Feeds a Map. Lives on the loop: what follows is told there, in the order of revisions."""

    def __init__(self, etcd: Etcd, keys: Keys, known: Map, joined: bytes = b"") -> None:
        """`joined`: the cluster that the shard belongs to; empty: to none yet."""
        self.etcd = etcd
        self.keys = keys
        self.map = known
        self.joined = joined
        self.cluster: Cluster | None = None
        self.cluster_revision = 0
        self.nodes: dict[str, Registered] = {}
        self.homes: dict[int, Home] = {}
        self._heard: dict[int, Home] = {}
        """What nodes say of homes, where that is later than what any etcd said here."""
        self.dcs: dict[str, tuple[str, ...]] = {}
        """The endpoints of each data centre's etcd."""
        self.others: dict[str, EtcdMap] = {}
        """What the etcd of each other data centre says (`cluster/others`)."""
        self.domains: dict[str, DomainText] = {}
        self.signing: dict[str, dict[str, SealedKey]] = {}
        """Keys of domains, by selector; also of a domain that was removed, for it may come back."""
        self.domain_changes = 0
        """How often some of them changed."""
        self.leases: dict[Member, int] = {}
        """Those that are held: the run of each shard's process."""
        self.balancer = ""
        self.revision = 0
        self.ailment = ""
        """Why etcd cannot be asked now; empty: it can."""
        self._seen: set[bytes] = set()
        self._members: set[Member] = set()
        self._lease_told: list[LeaseTold] = []
        self._domains_told: list[DomainsTold] = []
        self._domains_changed: set[str] = set()
        self.changes = 0
        """How often something was taken."""
        self._changed = asyncio.Event()
        self.told: Callable[[], None] = lambda: None
        """Called when something was taken."""

    # -- whoever follows

    def follow_leases(self, told: LeaseTold) -> None:
        """`told(shard, is_held)` of each that is known now, and of each that changes."""
        self._lease_told.append(told)
        for member in sorted(self._members):
            told(member, member in self.leases)

    def follow_domains(self, told: DomainsTold) -> None:
        """`told(names)` of domains that changed, they or their keys."""
        self._domains_told.append(told)

    async def changed(self, since: int) -> int:
        """Returns `changes` once it is not `since` any more."""
        while self.changes == since:
            await self._changed.wait()
        return self.changes

    async def reached(self, revision: int) -> None:
        """Returns once nothing up to that revision is missing here; raises EtcdError."""
        try:
            async with asyncio.timeout(CALL_SECONDS):
                changes = self.changes
                while self.revision < revision:
                    changes = await self.changed(changes)
        except TimeoutError:
            raise EtcdError(f"what it holds at revision {revision} is not known here yet") from None

    def in_order(self) -> list[tuple[str, DomainText]]:
        """The domains, as they were made."""
        return sorted(self.domains.items(), key=lambda each: (each[1].made, each[0]))

    def hostnames(self) -> set[str]:
        """Under which mail comes to the cluster, in all data centres."""
        nodes = [node for source in (self, *self.others.values()) for node in source.nodes.values()]
        return {node.hostname for node in nodes if node.hostname and not node.is_leaving}

    def of_domains(self) -> EtcdMap:
        """Where domains and their keys are changed: in the data centre of home 0. Raises EtcdError."""
        home = self.latest_homes().get(0)
        if home is None or self.cluster is None or home.dc == self.cluster.dc:
            return self
        other = self.others.get(home.dc)
        if other is None or not other.revision:
            raise EtcdError(f"domains and keys are changed in data centre {home.dc}, which is not known here")
        return other

    # -- etcd

    async def read(self) -> None:
        """Everything as it is now. Raises EtcdError and OtherCluster; then nothing is taken."""
        begin, end = self.keys.all()
        revisions, found = set(), list[Pair]()
        async for revision, pairs in self.etcd.pages(begin, end):
            revisions.add(revision)
            found += pairs
        self._check(max(revisions), found)
        self._take((), self._seen - {pair.key for pair in found})
        for at in range(0, len(found), SLICE_PAIRS):
            self._take(found[at : at + SLICE_PAIRS], ())
            await asyncio.sleep(0)
        self.revision = max(revisions)
        self.happened()
        self._recover()

    async def run(self) -> None:
        """What changes, for ever; `read` comes before."""
        work = self._watch
        while True:
            try:
                await work()
                work = self._watch
            except Compacted:
                log.info("etcd has forgotten what happened meanwhile: all is read anew")
                work = self.read
            except (EtcdError, OtherCluster) as error:
                self._ail(str(error))
                await asyncio.sleep(AGAIN_SECONDS)

    async def _watch(self) -> None:
        # An etcd that was put back would be watched in silence until it is at that revision again.
        at = self.keys.cluster()
        async for revision, pairs in self.etcd.pages(at, at + b"\0"):
            self._check(revision, pairs)
        self._recover()
        async with aclosing(self.etcd.watch(*self.keys.all(), self.revision + 1)) as watch:
            async for changes in watch:
                self._take(changes.puts, changes.dropped)
                self.revision = max(self.revision, changes.revision)

    def _take(self, puts: Iterable[Pair], dropped: Iterable[bytes]) -> None:
        for key in dropped:
            self._understood(key, self._drop, key)
        for pair in puts:
            self._understood(pair.key, self._put, pair)
        if self._domains_changed:
            names, self._domains_changed = frozenset(self._domains_changed), set()
            self.domain_changes += 1
            for told in self._domains_told:
                told(names)
        self.happened()

    def latest_homes(self) -> dict[int, Home]:
        """Of each home what the data centre says that knows its latest generation."""
        latest: dict[int, Home] = {}
        for known in (*(source.homes for source in self.sources()), self._heard):
            for number, home in known.items():
                if number not in latest or home.generation > latest[number].generation:
                    latest[number] = home
        return latest

    def hear(self, homes: Mapping[int, Home]) -> None:
        """What a node of the cluster says of them."""
        latest = self.latest_homes()
        later = {
            number: home
            for number, home in homes.items()
            if number not in latest or home.generation > latest[number].generation
        }
        for number, home in later.items():
            log.warning(
                "a home is led elsewhere by now",
                extra={"home": number, "dc": home.dc, "generation": home.generation},
            )
            self._heard[number] = home
            self.map.begin_generation(number, home.generation, home.dc)
        if later:
            self.happened()

    def sources(self) -> tuple[EtcdMap, ...]:
        """This one, and that of each other data centre."""
        return (self, *self.others.values())

    def all_nodes(self) -> dict[str, Registered]:
        """Of all data centres, by name."""
        return {name: node for source in self.sources() for name, node in source.nodes.items()}

    def all_leases(self) -> frozenset[Member]:
        return frozenset(member for source in self.sources() for member in source.leases)

    def own_homes(self) -> dict[int, Home]:
        """Those whose partitions this etcd has the rows of."""
        dc = self.cluster.dc if self.cluster is not None else ""
        return {number: home for number, home in self.latest_homes().items() if home.dc == dc}

    def happened(self) -> None:
        """Something is known that was not."""
        self.told()
        self.changes += 1
        self._changed.set()
        self._changed = asyncio.Event()

    def _understood(self, key: bytes, take: Callable[[T], None], value: T) -> None:
        try:
            take(value)
        except ValueError as error:
            log.error("what etcd holds is passed over", extra={"key": ascii(key), "reason": error})

    def _ail(self, why: str) -> None:
        if not self.ailment:
            log.warning("etcd cannot be asked: failovers and moves wait, mail goes on", extra={"reason": why})
        self.ailment = why

    def _recover(self) -> None:
        if self.ailment:
            log.info("etcd answers again")
        self.ailment = ""

    def _check(self, revision: int, found: list[Pair]) -> None:
        at = self.keys.cluster()
        values = [pair.value for pair in found if pair.key == at]
        if not values:
            raise OtherCluster(
                f"{', '.join(self.etcd.endpoints)} hold no cluster under {self.keys.prefix!r}: "
                "`mailnode cluster init` makes one"
            )
        cluster = rows.cluster_of(values[0])
        if self.joined and cluster.id != self.joined:
            raise OtherCluster(
                f"this shard belongs to cluster {self.joined.hex()}, and etcd holds {cluster.id.hex()}"
            )
        if revision < self.revision:
            raise OtherCluster(f"etcd is at revision {revision}, behind {self.revision}: it was put back")

    # -- what is taken

    def _put(self, pair: Pair) -> None:
        kind, rest = self.keys.parted(pair.key)
        if kind != "row":  # they are never dropped
            self._seen.add(pair.key)
        match kind:
            case "row":
                self._put_row(int(rest, 16), rows.row_of(pair.value, pair.revision))
            case "node":
                self._put_node(rows.node_of(rest, pair.value))
            case "lease":
                self._put_lease(rows.member_of(rest), rows.run_of(pair.value))
            case "home":
                self._put_home(int(rest, 16), rows.home_of(pair.value))
            case "dc":
                self.dcs[rest] = rows.endpoints_of(pair.value)
            case "domain":
                self._put_domain(rest, rows.domain_of(pair.value, pair.revision))
            case "key":
                domain, selector = rest.split("/")
                self._put_key(domain, selector, rows.key_of(pair.value, pair.revision))
            case "cluster":
                self.cluster, self.cluster_revision = rows.cluster_of(pair.value), pair.revision
            case "balancer":
                self.balancer = pair.value.decode(errors="replace")

    def _drop(self, key: bytes) -> None:
        self._seen.discard(key)
        kind, rest = self.keys.parted(key)
        match kind:
            case "node":
                self.nodes.pop(rest, None)
                self.map.drop_peer(rest)
            case "lease":
                member = rows.member_of(rest)
                self.leases.pop(member, None)
                self._tell_lease(member)
            case "home":
                self.homes.pop(int(rest, 16), None)
            case "dc":
                self.dcs.pop(rest, None)
            case "domain":
                self.domains.pop(rest, None)
                self._domains_changed.add(rest)
            case "key":
                domain, selector = rest.split("/")
                self.signing.get(domain, {}).pop(selector, None)
                self._domains_changed.add(domain)
            case "balancer":
                self.balancer = ""

    def _put_row(self, partition: int, row: Row) -> None:
        self.map.put(partition, row)
        for member in (row.primary, *row.in_sync):
            self._meet(member)

    def _put_home(self, number: int, home: Home) -> None:
        self.homes[number] = home
        self.map.begin_generation(number, home.generation, home.dc)

    def _put_node(self, node: Registered) -> None:
        self.nodes[node.peer.name] = node
        self.map.put_peer(node.peer)
        self._meet(node.member)

    def _put_domain(self, name: str, domain: DomainText) -> None:
        if self.domains.get(name) != domain:
            self.domains[name] = domain
            self._domains_changed.add(name)

    def _put_key(self, domain: str, selector: str, key: SealedKey) -> None:
        signing = self.signing.setdefault(domain, {})
        if signing.get(selector) != key:
            signing[selector] = key
            self._domains_changed.add(domain)

    def _put_lease(self, member: Member, run: int) -> None:
        self.leases[member] = run
        self._tell_lease(member)

    def _meet(self, member: Member) -> None:
        """A shard that has no lease, and had none since we know of it, is lost."""
        if member not in self._members:
            self._tell_lease(member)

    def _tell_lease(self, member: Member) -> None:
        self._members.add(member)
        for told in self._lease_told:
            told(member, member in self.leases)
