"""What `mailnode doctor` finds in the DNS, and where that leads, beside what `mailnode dns` prints."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

from mailnode.cli.domains import Domains
from mailnode.cli.findings import Finding, Level
from mailnode.cli.zone import zone_of
from mailnode.clock import SystemClock
from mailnode.config import ConfigError
from mailnode.domain import Domain, postmaster
from mailnode.mailauth import sts, zone
from mailnode.mailauth.published import Zone, policy_url, records
from mailnode.mailauth.resolver import Resolver, Unavailable
from mailnode.mailauth.servers import asking
from mailnode.mailauth.spf import Spf
from protocols.sts import Mode, read_id

FOUND_CHARACTERS, MANY_CHARACTERS = 60, 200


async def dns_findings(known: Domains) -> AsyncIterator[Finding]:
    config = known.config
    resolver = Resolver(asking(config.dns, config.limits.dns_seconds_max), SystemClock(), config.limits)
    try:
        addresses = await zone.addresses(resolver, config.hostname)
        async for finding in _host_findings(resolver, config.hostname, addresses):
            yield finding
        told: set[Finding] = set()
        for domain in config.domains:
            async for finding in _domain_findings(resolver, known, domain, addresses):
                if finding not in told:  # of the host that they share once
                    told.add(finding)
                    yield finding
    except Unavailable as error:
        yield Finding("DNS", Level.ERROR, str(error), "see to it that this machine's DNS server answers")


async def _host_findings(resolver: Resolver, host: str, found: Sequence[str]) -> AsyncIterator[Finding]:
    if not found:
        advice = "publish A and AAAA records with this machine's addresses"
        yield Finding(host, Level.ERROR, "it has no address", advice)
    for address in found:
        names = await zone.names(resolver, address)
        if host in names:
            yield Finding(host, Level.OK, f"{address}, which is {host}")
        else:
            advice = f"have whoever gave you {address} publish a PTR record that says {host}"
            yield Finding(host, Level.WARNING, f"{address} is {', '.join(names) or 'nobody'}", advice)


async def _domain_findings(
    resolver: Resolver, known: Domains, domain: Domain, addresses: Sequence[str]
) -> AsyncIterator[Finding]:
    config = known.config
    try:
        wanted = zone_of(known, domain)
    except ConfigError as error:
        advice = "its mail cannot be signed: bring the key back from a backup"
        yield Finding(domain.name, Level.ERROR, str(error), advice)
        return
    shall = list(records(wanted))
    there = await asyncio.gather(*(zone.seen(resolver, each) for each in shall), return_exceptions=True)
    for record, each in zip(shall, there, strict=True):
        if isinstance(each, Unavailable):
            advice = "see to it that the servers of its zone answer"
            yield Finding(f"{record.kind} {record.name}", Level.ERROR, str(each), advice)
        elif isinstance(each, BaseException):
            raise each
        else:
            yield _record_finding(each, wanted)
    spf = Spf(resolver, SystemClock(), config.limits, config.hostname)
    for address in addresses:
        yield await _spf_finding(spf, config.hostname, domain.name, address)
    if read_id(await zone.texts(resolver, f"_mta-sts.{domain.name}")):
        yield await _policy_finding(resolver, wanted)


def _record_finding(seen: zone.Seen, wanted: Zone) -> Finding:
    record = seen.record
    about = f"{record.kind} {record.name}"
    there = " | ".join(seen.there)
    if seen.right:
        return Finding(about, Level.OK, there[:FOUND_CHARACTERS] or "nothing, as it should be")
    if not there and (why := _dispensable(seen, wanted)):
        return Finding(about, Level.OK, f"nothing is published: {why}")
    advice = f"publish: {record.data}"
    if record.data.endswith(" ."):
        advice = f"this node does not offer it; if nobody does, {advice}"
    level = Level.ERROR if _loses_mail(seen) else Level.WARNING
    return Finding(about, level, there[:MANY_CHARACTERS] or "nothing is published", advice)


def _dispensable(seen: zone.Seen, wanted: Zone) -> str:
    """Why nobody misses it."""
    if seen.record.kind == "TLSA" and not seen.signed:
        return f"DNSSEC does not vouch for {wanted.host}, so nobody would believe it"
    if seen.record.name.startswith("_mta-sts.") and wanted.policy.mode is Mode.NONE:
        return "the domain has no policy"
    return ""


def _loses_mail(seen: zone.Seen) -> bool:
    """Other servers cannot send, or do not believe what we send."""
    if seen.record.kind == "TLSA":
        return bool(seen.there)  # RFC 7672 §2.2: who asks for it sends to no host with another key
    return seen.record.kind == "MX" or "._domainkey." in seen.record.name


async def _spf_finding(spf: Spf, host: str, domain: str, address: str) -> Finding:
    about = f"SPF of {domain}"
    checked = await spf.check(address, host, postmaster(domain))
    found = f"mail from {address} has {checked.result}" + (f": {checked.reason}" if checked.reason else "")
    if checked.result == "pass":
        return Finding(about, Level.OK, found)
    return Finding(about, Level.WARNING, found, f"let its v=spf1 record allow {address}, with `mx` for one")


async def _policy_finding(resolver: Resolver, wanted: Zone) -> Finding:
    about, ours = policy_url(wanted.domain), wanted.policy
    advice = f"`mailnode dns {wanted.domain}` prints what it shall say"
    try:
        found = await sts.fetched(resolver, wanted.domain)
    except sts.Absent as error:
        return Finding(about, Level.WARNING, str(error), advice)
    if found.mode is Mode.ENFORCE and not all(map(found.covers, wanted.hosts)):
        told = f"it allows no host but {', '.join(found.hosts)}"
        return Finding(about, Level.ERROR, told[:MANY_CHARACTERS], f"others refuse to send here: {advice}")
    if found != ours:
        hosts = ", ".join(found.hosts)
        told = f"mode {found.mode}, hosts {hosts}, for {found.seconds} seconds"
        return Finding(about, Level.WARNING, told[:MANY_CHARACTERS], advice)
    return Finding(about, Level.OK, f"mode {found.mode}")
