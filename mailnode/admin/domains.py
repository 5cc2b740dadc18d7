"""The domains of a node, as an operator adds and removes them while it serves.

Those of mailnode.toml are whoever's wrote it, remarks and all. One that is added here is a file of its own,
DIR/domains.d/NAME.toml, which the configuration reads beside them; so is its key, DIR/dkim/.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from mailnode.config import DROP_INS, FILE, Config, ConfigError, Domain, domain_lines, load, postmaster
from mailnode.directory.address import Address, Malformed, canonical_domain
from mailnode.directory.rows import Rows
from mailnode.durable import sync, write_whole
from mailnode.mailauth import key
from mailnode.pb import admin_pb2 as pb
from mailnode.pb.row_pb2 import DirectoryRow

SELECTOR = "m1"
"""Of a new domain's first key."""


class Refused(Exception):
    """The text is one line for whoever asked."""


class Domains:
    """`changed` is told of the configuration with its new domains; raises ConfigError and takes nothing when
    they cannot be used."""

    def __init__(self, directory: Path, rows: Rows, changed: Callable[[Config], object]) -> None:
        self._directory = directory
        self._rows = rows
        self._changed = changed
        self._turn = asyncio.Lock()

    async def listed(self) -> pb.DomainListAnswer:
        """Raises ConfigError."""
        config = load(self._directory)
        count = Counter((address.domain, int(row.kind)) for address, row in (await self._rows.all()).items())
        return pb.DomainListAnswer(domains=[self._shown(domain, count) for domain in config.domains])

    async def add(self, name: str) -> pb.DomainListAnswer:
        """Raises Refused and ConfigError."""
        async with self._turn:
            domain = self._new(name)
            path = load(self._directory).dkim_key(domain)
            if not path.exists():  # that of a domain which comes back: the DNS may still have it
                await asyncio.get_running_loop().run_in_executor(None, _write_key, path)
            file = self._file(domain.name)
            file.parent.mkdir(mode=0o700, exist_ok=True)
            write_whole(file, "\n".join(domain_lines(domain)) + "\n")
            try:
                self._changed(load(self._directory))
            except ConfigError:
                file.unlink()
                raise
            return pb.DomainListAnswer(domains=[self._shown(domain, Counter())])

    async def remove(self, name: str, keep_accounts: bool) -> pb.DomainListAnswer:
        """Raises Refused and ConfigError."""
        async with self._turn:
            domain = self._known(name)
            file = self._file(domain.name)
            if not file.exists():
                raise Refused(f"{domain.name} stands in {FILE}: take it out there, and reload")
            addresses = await self._accounts(domain.name)
            if addresses and not keep_accounts:
                some = ", ".join(map(str, addresses[:3])) + (", ..." if len(addresses) > 3 else "")
                raise Refused(f"{domain.name} has {len(addresses)} accounts: {some}")
            octets = file.read_text()
            file.unlink()
            try:
                self._changed(load(self._directory))
            except ConfigError:  # it was the last one, or the file has a mistake: as it was before
                write_whole(file, octets)
                raise
            sync(file.parent)
            return pb.DomainListAnswer(domains=[self._shown(domain, Counter())])

    def take(self) -> None:
        """What the files say now; raises ConfigError."""
        self._changed(load(self._directory))

    def _new(self, name: str) -> Domain:
        canonical = canonical_domain(name)
        if isinstance(canonical, Malformed):
            raise Refused(canonical.reason)
        if canonical in self._names():
            raise Refused(f"{canonical} is one of this node's domains already")
        return Domain(canonical, "+", scram=True, dkim=SELECTOR, report_address=postmaster(canonical))

    def _known(self, name: str) -> Domain:
        canonical = canonical_domain(name)
        for domain in load(self._directory).domains:
            if domain.name == canonical:
                return domain
        raise Refused(f"{name!a} is none of this node's domains: {', '.join(self._names())}")

    def _names(self) -> list[str]:
        return [domain.name for domain in load(self._directory).domains]

    async def _accounts(self, domain: str) -> list[Address]:
        rows = (await self._rows.all()).items()
        return [
            address for address, row in rows if (address.domain, row.kind) == (domain, DirectoryRow.ACCOUNT)
        ]

    def _file(self, name: str) -> Path:
        return self._directory / DROP_INS / f"{name}.toml"

    def _shown(self, domain: Domain, count: Counter[tuple[str, int]]) -> pb.DomainListAnswer.Domain:
        file = self._file(domain.name)
        return pb.DomainListAnswer.Domain(
            domain=domain.name,
            file=str(file.relative_to(self._directory)) if file.exists() else FILE,
            dkim=domain.dkim,
            accounts=count[domain.name, DirectoryRow.ACCOUNT],
            aliases=count[domain.name, DirectoryRow.ALIAS],
        )


def _write_key(path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    key.write(path, key.new())
    sync(path)
    sync(path.parent)
