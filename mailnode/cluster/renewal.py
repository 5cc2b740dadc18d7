"""A node's certificate is renewed before it ends, by the node itself."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import grpc

from mailnode.clock import Clock
from mailnode.cluster.admission import Refused, authority_of
from mailnode.cluster.authority import (
    EXPIRES_SOON,
    RENEWED_BEFORE,
    Files,
    credentials_in,
    ends,
    key_of,
    name_in,
    now,
    pem_of,
)
from mailnode.cluster.etcd import Etcd, EtcdError
from mailnode.cluster.etcd_rows import Keys
from mailnode.cluster.secret import Secret
from mailnode.durable import write_whole
from mailnode.table import ConfigError

log = logging.getLogger(__name__)

_LOOKED_SECONDS = 3600.0


class Renewal:
    """Lives on the loop. `shown` is told of the credentials of channels to come."""

    def __init__(
        self,
        etcd: Etcd,
        keys: Keys,
        files: Files,
        clock: Clock,
        shown: Callable[[grpc.ChannelCredentials], None],
    ) -> None:
        self._etcd = etcd
        self._keys = keys
        self._files = files
        self._clock = clock
        self._shown = shown

    async def run(self) -> None:
        """For ever; at once where the folder has no certificate."""
        if not self._files.certificate.exists():
            return
        while True:
            await self.look()
            await asyncio.sleep(_LOOKED_SECONDS)

    async def look(self) -> None:
        """Renew it where it is time. Never fails."""
        try:
            left = ends(self._files) - now(self._clock)
            if left >= RENEWED_BEFORE:
                return
            await renew(self._etcd, self._keys, self._files, self._clock)
            self._shown(credentials_in(self._files)[1])
            log.info("this node's certificate is renewed", extra={"until": f"{ends(self._files):%Y-%m-%d}"})
        except (EtcdError, Refused, ConfigError, OSError, ValueError) as error:
            self._complain(str(error))

    def _complain(self, why: str) -> None:
        try:
            until = ends(self._files)
        except (OSError, ValueError) as error:
            log.error("this node's certificate cannot be read", extra={"reason": error})
            return
        level = logging.WARNING if until - now(self._clock) < EXPIRES_SOON else logging.INFO
        told = {"until": f"{until:%Y-%m-%d}", "reason": why}
        log.log(level, "this node's certificate is not renewed yet", extra=told)


async def renew(etcd: Etcd, keys: Keys, files: Files, clock: Clock) -> None:
    """Another certificate for the same name and key. Raises EtcdError, Refused, OSError, ValueError."""
    authority = await authority_of(etcd, keys, Secret(files.secret.read_bytes()))
    if pem_of(authority.certificate) != files.authority.read_bytes():
        raise Refused(f"etcd holds another cluster under {keys.prefix!r} than {files.authority} is of")
    key = key_of(files.key.read_bytes())
    certificate = authority.issue(name_in(files), key.public_key(), clock)
    write_whole(files.certificate, pem_of(certificate).decode())
