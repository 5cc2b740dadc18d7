"""What a directory has of domains and their keys, as etcd shall hold it when a cluster is made out of it."""

from __future__ import annotations

from collections.abc import Iterator

from mailnode.cluster import etcd_rows as rows
from mailnode.cluster.etcd import Put
from mailnode.cluster.etcd_rows import DomainText, Keys
from mailnode.cluster.secret import Secret
from mailnode.config import Config
from mailnode.domain import Domain, domain_text
from mailnode.mailauth.keyfiles import KeyFiles
from mailnode.mailauth.keyring import State
from mailnode.mailauth.sealedkeys import about, put_of


def first_puts(config: Config, keys: Keys, secret: Secret, now: int) -> Iterator[Put]:
    """`now` in microseconds; domains stay in their order. Raises ConfigError where a key cannot be read."""
    for index, domain in enumerate(config.domains):
        row = DomainText(domain_text(domain), now + index)
        yield Put(keys.domain(domain.name), rows.domain_octets(row))
        yield from _keys(config, domain, keys, secret)


def _keys(config: Config, domain: Domain, keys: Keys, secret: Secret) -> Iterator[Put]:
    kept = KeyFiles(config).kept(domain)
    for number, held in enumerate(kept.all(), 1):
        pem = b"" if held.state is State.REVOKED else kept.pem(held.selector)
        sealed = secret.seal(pem, about(domain.name, held.selector))
        yield put_of(keys, domain.name, held, number, sealed)
