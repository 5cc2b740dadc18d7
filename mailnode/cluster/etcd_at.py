"""The etcd that a node's configuration names."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc

from mailnode.cluster.etcd import Etcd, Login
from mailnode.clustered import ClusterAt
from mailnode.table import ConfigError


def etcd_at(at: ClusterAt) -> Etcd:
    """Raises ConfigError."""
    return Etcd(at.endpoints, _credentials(at), Login(at.user, at.password) if at.user else None)


@asynccontextmanager
async def asking(at: ClusterAt) -> AsyncIterator[Etcd]:
    """Raises ConfigError."""
    etcd = etcd_at(at)
    try:
        yield etcd
    finally:
        await etcd.close()


def _credentials(at: ClusterAt) -> grpc.ChannelCredentials | None:
    if at.authority is None:
        return None
    try:
        own = [path.read_bytes() if path else None for path in (at.key, at.certificate)]
        return grpc.ssl_channel_credentials(at.authority.read_bytes(), *own)
    except OSError as error:
        raise ConfigError(f"[cluster]: {error.filename} cannot be read: {error.strerror}") from None
