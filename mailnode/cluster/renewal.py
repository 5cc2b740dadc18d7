"""A node's certificate is renewed before it ends, by the node itself."""

from __future__ import annotations

from mailnode.clock import Clock
from mailnode.cluster.admission import Refused, authority_of
from mailnode.cluster.authority import (
    RENEWED_BEFORE,
    Files,
    ends,
    key_of,
    name_in,
    now,
    pem_of,
)
from mailnode.cluster.etcd import Etcd
from mailnode.cluster.etcd_rows import Keys
from mailnode.cluster.secret import Secret
from mailnode.durable import write_whole


def is_due(files: Files, clock: Clock) -> bool:
    """Raises OSError and ValueError."""
    return ends(files) - now(clock) < RENEWED_BEFORE


async def renew(etcd: Etcd, keys: Keys, files: Files, clock: Clock) -> None:
    """Another certificate for the same name and key. Raises EtcdError, Refused, OSError, ValueError."""
    authority = await authority_of(etcd, keys, Secret(files.secret.read_bytes()))
    if pem_of(authority.certificate) != files.authority.read_bytes():
        raise Refused(f"etcd holds another cluster under {keys.prefix!r} than {files.authority} is of")
    key = key_of(files.key.read_bytes())
    certificate = authority.issue(name_in(files), key.public_key(), clock)
    write_whole(files.certificate, pem_of(certificate).decode())
