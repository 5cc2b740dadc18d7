"""`mailnode domain show` and `mailnode dns`: settings of a domain, and what its zone shall say."""

from __future__ import annotations

import argparse
import asyncio
from dataclasses import asdict

from mailnode import certificate
from mailnode.cli.domains import Domains, domains
from mailnode.cli.printing import print_json
from mailnode.domain import Domain, domain_text
from mailnode.mailauth.published import SERVICES, Zone, policy, policy_url, records


def show(options: argparse.Namespace) -> None:
    asyncio.run(_show(options))


async def _show(options: argparse.Namespace) -> None:
    async with domains(options.directory) as known:
        domain = known.named(options.domain)
    if options.json:
        print_json(asdict(domain))
    else:
        print(domain_text(domain), end="")


def dns(options: argparse.Namespace) -> None:
    asyncio.run(_dns(options))


async def _dns(options: argparse.Namespace) -> None:
    async with domains(options.directory) as known:
        domain = known.named(options.domain)
        zone = zone_of(known, domain)
    if options.json:
        text = {"url": policy_url(domain.name), "text": zone.policy.text(), "served": zone.serves_policy}
        print_json({"records": [each._asdict() for each in records(zone)], "policy": text})
        return
    for record in records(zone):
        remark = f"  ; {record.remark}" if record.remark else ""
        print(f"{record.name}\tIN\t{record.kind}\t{record.data}{remark}")
    whose = "this node serves" if zone.serves_policy else "a web server shall serve"
    print(f"; {policy_url(domain.name)} is what {whose}, as text/plain:")
    for line in zone.policy.text().splitlines():
        print(f";\t{line}")


def zone_of(known: Domains, domain: Domain) -> Zone:
    """Raises ConfigError where a key cannot be read."""
    config = known.config
    return Zone(
        domain=domain.name,
        host=config.hostname,
        hosts=known.hosts,
        keys=known.keyrings.of(domain).records(),
        ports={at.service: at.port for at in config.listeners if at.service in SERVICES},
        policy=policy(known.hosts, domain.mta_sts),
        serves_policy=config.serves_policies,
        report_address=domain.report_address,
        key_digest=certificate.key_digest(config.certificate),
    )
