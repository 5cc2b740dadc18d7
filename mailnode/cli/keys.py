"""The keys that a domain's mail is signed with, as an operator sees and changes them.

They are files: nothing here needs the node, which looks at them every minute.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import asdict

from mailnode.cli.failure import Failure
from mailnode.cli.printing import Column, print_json, show_rows
from mailnode.cli.printing import time as told_time
from mailnode.config import Domain, load
from mailnode.mailauth.keyring import Held, Keyring, State
from mailnode.mailauth.published import key_record


def listed(options: argparse.Namespace) -> None:
    _, ring = _ring(options)
    keys = ring.all()
    if options.json:
        print_json([asdict(held) for held in keys])
        return
    show_rows(keys, KEYS)


def generate(options: argparse.Namespace) -> None:
    """A new key, which signs once its record is seen."""
    domain, ring = _ring(options)
    made = ring.generate(options.kind, int(time.time()))
    _publish(options, domain, ring, [made])


def rotate(options: argparse.Namespace) -> None:
    """A follower for each key that signs and has none yet."""
    domain, ring = _ring(options)
    keys = ring.all()
    waiting = {held.kind for held in keys if held.state is State.WAITING}
    kinds = {held.kind for held in keys if held.state is State.SIGNING} - waiting
    made = [ring.generate(kind, int(time.time())) for kind in sorted(kinds)]
    if not made:
        raise Failure(f"{domain.name}: no key signs that has no follower yet: `mailnode dkim list` says more")
    _publish(options, domain, ring, made)


def revoke(options: argparse.Namespace) -> None:
    domain, ring = _ring(options)
    revoked = ring.revoke(options.selector, int(time.time()))
    if revoked is None:
        names = ", ".join(held.selector for held in ring.all()) or "none"
        raise Failure(f"{options.selector!a} is no key of {domain.name}: {names}")
    _publish(options, domain, ring, [revoked])


def publish(options: argparse.Namespace) -> None:
    domain, ring = _ring(options)
    _publish(options, domain, ring, ring.all())


def _ring(options: argparse.Namespace) -> tuple[Domain, Keyring]:
    config = load(options.directory)
    for domain in config.domains:
        if domain.name == options.domain.lower():
            return domain, Keyring(config, domain)
    names = ", ".join(each.name for each in config.domains)
    raise Failure(f"{options.domain!a} is none of this node's domains: {names}")


def _publish(options: argparse.Namespace, domain: Domain, ring: Keyring, keys: list[Held]) -> None:
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
