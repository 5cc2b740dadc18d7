"""The keys that a domain's mail is signed with, as an operator sees and changes them.

Nothing here needs the node: it looks at files every minute, and follows etcd.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict

from mailnode.cli.domains import domains
from mailnode.cli.failure import Failure
from mailnode.cli.printing import Column, print_json, show_rows
from mailnode.cli.printing import time as told_time
from mailnode.domain import Domain
from mailnode.mailauth.keyring import Held, Keyring
from mailnode.mailauth.published import key_record


def listed(options: argparse.Namespace) -> None:
    async def work(domain: Domain, ring: Keyring) -> None:
        keys = ring.all()
        if options.json:
            print_json([asdict(held) for held in keys])
        else:
            show_rows(keys, KEYS)

    _at(options, work)


def generate(options: argparse.Namespace) -> None:
    """A new key, which signs once its record is seen."""

    async def work(domain: Domain, ring: Keyring) -> None:
        made = await ring.generate(options.kind, int(time.time()))
        _publish(options, domain, ring, [made])

    _at(options, work)


def rotate(options: argparse.Namespace) -> None:
    """A follower for each key that signs and has none yet."""

    async def work(domain: Domain, ring: Keyring) -> None:
        made = await ring.follow(0, int(time.time()))
        if not made:
            more = "`mailnode dkim list` says more"
            raise Failure(f"{domain.name}: no key signs that has no follower yet: {more}")
        _publish(options, domain, ring, made)

    _at(options, work)


def revoke(options: argparse.Namespace) -> None:
    async def work(domain: Domain, ring: Keyring) -> None:
        revoked = await ring.revoke(options.selector, int(time.time()))
        if revoked is None:
            names = ", ".join(held.selector for held in ring.all()) or "none"
            raise Failure(f"{options.selector!a} is no key of {domain.name}: {names}")
        _publish(options, domain, ring, [revoked])

    _at(options, work)


def publish(options: argparse.Namespace) -> None:
    async def work(domain: Domain, ring: Keyring) -> None:
        _publish(options, domain, ring, ring.all())

    _at(options, work)


def _at(options: argparse.Namespace, work: Callable[[Domain, Keyring], Awaitable[None]]) -> None:
    async def at_domain() -> None:
        async with domains(options.directory) as known:
            domain = known.named(options.domain)
            await work(domain, known.keyrings.of(domain))

    asyncio.run(at_domain())


def _publish(options: argparse.Namespace, domain: Domain, ring: Keyring, keys: Sequence[Held]) -> None:
    """What the zone shall say of these, as in a zone file."""
    records = [key_record(domain.name, held.selector, ring.record(held)) for held in keys]
    if options.json:
        print_json([each._asdict() for each in records])
        return
    for record in records:
        print(f"{record.name}\tIN\t{record.kind}\t{record.data}")


KEYS = (
    Column("SELECTOR", lambda row: row.selector),
    Column("KIND", lambda row: row.kind),
    Column("STATE", lambda row: row.state),
    Column("SINCE", lambda row: told_time(row.since * 1_000_000)),
)
