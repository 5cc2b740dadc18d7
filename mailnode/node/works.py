"""What a node does beside its listeners."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator, Sequence
from typing import Any

from mailnode.cluster.replication import Replication
from mailnode.config import Config
from mailnode.config import Relay as RelayConfig
from mailnode.delivery.returning import Returning
from mailnode.mailauth.keyring import Keyrings
from mailnode.mailauth.rotation import Rotation
from mailnode.mailauth.signer import Key, Signer
from mailnode.mailbox import orphans
from mailnode.node.house import House
from mailnode.node.reporting import incoming, kept, sending, sessions_kept
from mailnode.relay.attempt import Attempts
from mailnode.relay.bounce import Bounces
from mailnode.relay.outbox import Outbox, Relay
from mailnode.relay.route import Routes


def works(config: Config, parts: House) -> Iterator[Coroutine[Any, Any, None]]:
    """What goes on beside the listeners; raises ConfigError."""
    yield _sweep(parts)
    yield _trim(parts)
    yield _collect(parts)
    yield _look_at_disk(parts)
    yield parts.scrub.run()
    if parts.others.passes is not None:
        yield parts.others.passes.run()
    yield parts.sums.run()
    yield parts.pulse.run()
    yield _resume(parts)
    if parts.others.replication is not None:
        yield _returning(config, parts, parts.others.replication).run()
    yield incoming(parts).run()
    if config.relay is not None:
        yield _outbox(config, config.relay, parts).run()
        if config.reports is not None:
            yield sending(config, config.reports, parts).run()
        yield Rotation(parts.keyrings, parts.domains, parts.signing, parts.resolver, parts.clock).run()


def _returning(config: Config, parts: House, replication: Replication) -> Returning:
    return Returning(
        replication.set_aside,
        parts.shard,
        parts.accounts,
        parts.pools.loads,
        parts.clock,
        config.returned_file,
        parts.shard.checkpoint,
    )


def _outbox(config: Config, told: RelayConfig, parts: House) -> Outbox:
    """Our users' mail goes on to other domains."""
    clock, limits = parts.clock, parts.limits
    parts.signing.update(signing(config, parts.keyrings))
    relay = Relay(
        Routes(parts.resolver, clock, config.hostname, limits, loopback=told.loopback),
        Signer(parts.signing, clock),
        Attempts(config.hostname, told.port, limits, sessions_kept(config, parts)),
        Bounces(config.hostname, parts.upload_ids, clock),
        clock,
        limits,
        parts.metrics,
        parts.traced,
    )
    return Outbox(parts.accounts, relay)


def signing(config: Config, keyrings: Keyrings) -> dict[str, Sequence[Key]]:
    """By domain; raises ConfigError."""
    domains = config.domains if config.relay else ()
    return {domain.name: keyrings.signing(domain) for domain in domains}


async def _sweep(parts: House) -> None:
    """What no connection of this run can still be sending goes at once; later what took too long."""
    loop = asyncio.get_running_loop()
    kept = parts.limits.upload_kept_seconds * 1_000_000
    # Where others have replicas, contents may be coming by way of them.
    before = parts.clock.now_microseconds() - (0 if parts.others.partitions.is_alone else kept)
    while True:
        await loop.run_in_executor(parts.pools.writer, orphans.sweep, parts.shard, before)
        await loop.run_in_executor(
            parts.pools.upkeep, parts.shard.collect, parts.limits.blob_garbage_share_max
        )
        await asyncio.sleep(parts.limits.uploads_swept_seconds)
        before = parts.clock.now_microseconds() - kept


async def _resume(parts: House) -> None:
    """What was left half-done, by the last run of the node or by who led a partition before it."""
    people, has_begun = parts.people, True
    while True:
        if has_begun:
            await people.removal.resume()
        await people.creation.resume(parts.accounts.dues)
        await people.renaming.resume(parts.accounts.dues)
        has_begun = await _has_begun(parts)


async def _has_begun(parts: House) -> bool:
    """To lead anything; False after a while: what could not be done then is tried again."""
    try:
        async with asyncio.timeout(parts.limits.collected_seconds):
            await parts.accounts.begun()
    except TimeoutError:
        return False
    return True


async def _look_at_disk(parts: House) -> None:
    while True:
        parts.space.look()
        await asyncio.get_running_loop().run_in_executor(None, parts.ballast.load, parts.space)
        await asyncio.sleep(parts.limits.disk_looked_seconds)


async def _trim(parts: House) -> None:
    while True:
        await parts.trimming.trim()
        await kept(parts).trim()
        await asyncio.sleep(parts.limits.trimmed_seconds)


async def _collect(parts: House) -> None:
    while True:
        await parts.collecting.collect()
        await parts.people.removal.purge()
        await asyncio.sleep(parts.limits.collected_seconds)
