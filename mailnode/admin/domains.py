"""The domains of a node, as an operator adds and removes them while it serves.

Those of mailnode.toml are whoever's wrote it, remarks and all. One that is added here is a file of its own,
DIR/domains.d/NAME.toml, which the configuration reads beside them; so is its key, DIR/dkim/.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

from mailnode.config import DROP_INS, FILE, Config, ConfigError, load
from mailnode.directory.address import Malformed, canonical_domain
from mailnode.directory.rows import Rows
from mailnode.domain import Domain, domain_text, domain_with, postmaster
from mailnode.durable import sync, unlink, write_whole
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
        count = await counted(self._rows)
        return pb.DomainListAnswer(domains=[self._shown(domain, count) for domain in config.domains])

    async def add(self, name: str) -> pb.DomainListAnswer:
        """Raises Refused and ConfigError."""
        async with self._turn:
            domain = new_domain(name)
            if domain.name in self._names():
                raise Refused(f"{domain.name} is one of this node's domains already")
            path = load(self._directory).dkim_key(domain)
            if not path.exists():  # that of a domain which comes back: the DNS may still have it
                await asyncio.get_running_loop().run_in_executor(None, _write_key, path)
            self._file(domain.name).parent.mkdir(mode=0o700, exist_ok=True)
            self._replace(domain.name, domain_text(domain))
            return pb.DomainListAnswer(domains=[self._shown(domain, Counter())])

    async def change(self, name: str, settings: Mapping[str, str]) -> pb.DomainListAnswer:
        """Raises Refused and ConfigError."""
        async with self._turn:
            domain = domain_with(self._of_file(name), settings)
            self._replace(domain.name, domain_text(domain))
            return pb.DomainListAnswer(domains=[self._shown(domain, Counter())])

    async def remove(self, name: str, keep_accounts: bool) -> pb.DomainListAnswer:
        """Raises Refused and ConfigError."""
        async with self._turn:
            domain = self._of_file(name)
            await refuse_if_used(self._rows, domain.name, keep_accounts)
            shown = self._shown(domain, Counter())
            self._replace(domain.name, "")
            return pb.DomainListAnswer(domains=[shown])

    def _replace(self, name: str, text: str) -> None:
        """The file of a domain; empty: it goes. Raises ConfigError; then it is as it was."""
        file = self._file(name)
        before = file.read_text() if file.exists() else ""
        _write(file, text)
        try:
            self._changed(load(self._directory))
        except ConfigError:  # it was the last one, or another file has a mistake
            _write(file, before)
            raise

    def take(self) -> None:
        """What the files say now; raises ConfigError."""
        self._changed(load(self._directory))

    def _of_file(self, name: str) -> Domain:
        domain = self._known(name)
        if not self._file(domain.name).exists():
            raise Refused(f"{domain.name} stands in {FILE}: change it there, and reload")
        return domain

    def _known(self, name: str) -> Domain:
        canonical = canonical_domain(name)
        for domain in load(self._directory).domains:
            if domain.name == canonical:
                return domain
        raise Refused(f"{name!a} is none of this node's domains: {', '.join(self._names())}")

    def _names(self) -> list[str]:
        return [domain.name for domain in load(self._directory).domains]

    def _file(self, name: str) -> Path:
        return self._directory / DROP_INS / f"{name}.toml"

    def _shown(self, domain: Domain, count: Count) -> pb.DomainListAnswer.Domain:
        file = self._file(domain.name)
        return pb.DomainListAnswer.Domain(
            domain=domain.name,
            file=str(file.relative_to(self._directory)) if file.exists() else FILE,
            dkim=domain.dkim,
            accounts=count[domain.name, DirectoryRow.ACCOUNT],
            aliases=count[domain.name, DirectoryRow.ALIAS],
            text=domain_text(domain),
        )


def new_domain(name: str) -> Domain:
    """Raises Refused."""
    canonical = canonical_domain(name)
    if isinstance(canonical, Malformed):
        raise Refused(canonical.reason)
    return Domain(canonical, "+", scram=True, dkim=SELECTOR, report_address=postmaster(canonical))


Count = Counter[tuple[str, int]]
"""Of directory rows, by domain and kind."""


async def counted(rows: Rows) -> Count:
    return Counter((address.domain, int(row.kind)) for address, row in (await rows.all()).items())


async def refuse_if_used(rows: Rows, domain: str, keep_accounts: bool) -> None:
    """Raises Refused."""
    found = (await rows.all()).items()
    addresses = [each for each, row in found if (each.domain, row.kind) == (domain, DirectoryRow.ACCOUNT)]
    if addresses and not keep_accounts:
        some = ", ".join(map(str, addresses[:3])) + (", ..." if len(addresses) > 3 else "")
        raise Refused(f"{domain} has {len(addresses)} accounts: {some}")


def _write(file: Path, text: str) -> None:
    if text:
        write_whole(file, text)
    else:
        unlink(file)


def _write_key(path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    key.write(path, key.new())
    sync(path)
    sync(path.parent)
