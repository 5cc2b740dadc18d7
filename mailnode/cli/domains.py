"""The domains that a command is about, and their keys: of the directory, or of its cluster, as etcd has them.

No node need run for them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from mailnode.cli.failure import Failure
from mailnode.cluster.authority import secret_of
from mailnode.cluster.etcd import EtcdError
from mailnode.cluster.etcd_at import asking
from mailnode.cluster.etcd_map import EtcdMap, OtherCluster
from mailnode.cluster.etcd_rows import Keys
from mailnode.cluster.map import Map
from mailnode.cluster.replica_messages import Member
from mailnode.clustered import ClusterAt
from mailnode.config import Config, ConfigError, load
from mailnode.domain import Domain
from mailnode.mailauth.keyfiles import KeyFiles
from mailnode.mailauth.keyring import Keyrings
from mailnode.mailauth.sealedkeys import SealedKeys
from mailnode.node.domains import KnownDomains


@dataclass(frozen=True, slots=True)
class Domains:
    config: Config
    keyrings: Keyrings
    hosts: Sequence[str]
    """That take mail for them."""

    def named(self, name: str) -> Domain:
        """Raises Failure."""
        for domain in self.config.domains:
            if domain.name == name.lower():
                return domain
        names = ", ".join(each.name for each in self.config.domains)
        raise Failure(f"{name!a} is none of this node's domains: {names}")


@asynccontextmanager
async def domains(directory: Path) -> AsyncIterator[Domains]:
    """Raises ConfigError."""
    config = load(directory)
    if config.cluster is None:
        yield Domains(config, KeyFiles(config), [config.hostname])
        return
    async with _following(config.cluster) as source:
        known = replace(config, domains=tuple(KnownDomains(source).in_order()))
        hosts = sorted(source.hostnames() | {config.hostname})
        yield Domains(known, SealedKeys(source, secret_of(config)), hosts)


@asynccontextmanager
async def _following(at: ClusterAt) -> AsyncIterator[EtcdMap]:
    """What etcd has, and hears. Raises ConfigError."""
    async with asking(at) as etcd:
        source = EtcdMap(etcd, Keys(at.prefix), Map(Member(at.name, 0)))
        try:
            await source.read()
        except (EtcdError, OtherCluster) as error:
            raise ConfigError(str(error)) from None
        watching = asyncio.create_task(source.run())
        try:
            yield source
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
