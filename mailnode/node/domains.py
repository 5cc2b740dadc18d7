"""The domains of a node in a cluster, as etcd says them: what it begins with, and what it hears later."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from mailnode.cluster.etcd_map import EtcdMap
from mailnode.config import Config, ConfigError
from mailnode.domain import Domain, domain_of

log = logging.getLogger(__name__)

Taken = Callable[[Sequence[Domain], frozenset[str]], object]
"""All, and the names of those that changed, they or their keys."""


class KnownDomains:
    """Of a cluster. A text that this program cannot read leaves its domain as it was."""

    def __init__(self, source: EtcdMap) -> None:
        self._source = source
        self._known: dict[str, Domain] = {}
        self._missed: set[str] = set()
        """Changed before somebody followed."""
        self._taken: Taken | None = None
        self._look_at(source.domains)
        source.follow_domains(self._told)

    def of(self, config: Config) -> Config:
        """With the cluster's domains in place of those of its files."""
        known = self.in_order()
        if other := [domain.name for domain in config.domains if domain not in known]:
            log.warning(
                "domains of this directory are not taken: etcd has the cluster's", extra={"domains": other}
            )
        return replace(config, domains=tuple(known))

    def in_order(self) -> list[Domain]:
        return [self._known[name] for name, _ in self._source.in_order() if name in self._known]

    def follow(self, taken: Taken) -> None:
        """It is told of what has changed since, and at once of what had."""
        self._taken = taken
        if self._missed:
            taken(self.in_order(), frozenset(self._missed))

    def _told(self, names: frozenset[str]) -> None:
        self._look_at(names)
        if self._taken is None:
            self._missed |= names
            return
        try:
            self._taken(self.in_order(), names)
        except Exception:  # our own mistake with a domain must not end the watch of the map
            log.exception("domains could not be taken", extra={"domains": sorted(names)})

    def _look_at(self, names: Iterable[str]) -> None:
        for name in names:
            found = self._source.domains.get(name)
            if found is None:
                self._known.pop(name, None)
                continue
            try:
                self._known[name] = domain_of(name, found.text)
            except ConfigError as error:
                log.error("a domain is not taken", extra={"domain": name, "reason": error})
