"""`mailnode doctor` and `mailnode status`: is the node well, and what is it doing?"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from mailnode import node
from mailnode.admin import client
from mailnode.cli.asking import ask
from mailnode.cli.dns_findings import dns_findings
from mailnode.cli.domains import domains
from mailnode.cli.failure import Failure
from mailnode.cli.findings import (
    Finding,
    Level,
    certificate_findings,
    machine_findings,
    port_findings,
    trust_findings,
)
from mailnode.cli.printing import Column, number, octets, plain, print_json, show, show_rows, text, time
from mailnode.clock import SystemClock
from mailnode.config import Config, ConfigError, load, shard_of
from mailnode.listeners.ports import become
from mailnode.pb import admin_pb2 as pb
from mailnode.store.shard import ShardError, open_shard

FINDINGS = (
    Column("ABOUT", lambda row: text(row.about)),
    Column("", lambda row: row.level),
    Column("FOUND", lambda row: text(row.found)),
    Column("WHAT TO DO", lambda row: text(row.advice)),
)


def doctor(options: argparse.Namespace) -> None:
    """Raises Failure where something is wrong; a warning alone is none."""
    findings = asyncio.run(_looked(options.directory))
    if options.json:
        print_json([asdict(each) for each in findings])
    else:
        show_rows(findings, FINDINGS)
    errors = sum(each.level is Level.ERROR for each in findings)
    if errors:
        raise Failure(f"{errors} of {len(findings)} findings are errors")


async def _looked(directory: Path) -> list[Finding]:
    try:
        config = load(directory)
    except ConfigError as error:
        return [Finding("configuration", Level.ERROR, str(error), "mend it; nothing else was looked at")]
    findings = [Finding("configuration", Level.OK, f"{config.directory} is {config.hostname}")]
    try:
        configs = node.members(directory)
    except ConfigError as error:
        return [*findings, Finding("nodes", Level.ERROR, str(error), "nothing else was looked at")]
    running = client.running([each.admin_socket for each in configs]) is not None
    findings += [*port_findings(config, running=running), *machine_findings(config)]
    try:
        become(config.user)  # what the node can read is asked, and nothing of the shard is ever root's
    except ConfigError as error:
        return [*findings, Finding("user", Level.ERROR, str(error), "run this as root, or as that user")]
    findings += [*(_shard_finding(each, running) for each in configs), *certificate_findings(config)]
    findings += trust_findings(config)
    try:
        async with domains(directory) as known:
            return findings + [each async for each in dns_findings(known)]
    except ConfigError as error:
        return [*findings, Finding("domains", Level.ERROR, str(error), "their records were not looked at")]


def _shard_finding(config: Config, running: bool) -> Finding:
    about = shard_of(config.node)
    if running:
        if not client.is_running(config.admin_socket):
            return Finding(about, Level.ERROR, "its node does not answer", "look into the log")
        return Finding(about, Level.OK, "a node serves it")
    if not config.shard.exists():
        return Finding(about, Level.ERROR, f"{config.shard} is not there", "restore a backup")
    try:
        open_shard(config.shard, config.memory_octets, SystemClock().random(16)).close()
    except ShardError as error:
        advice = "`mailnode doctor shard` looks closer, `mailnode restore` makes a node out of a backup"
        return Finding(about, Level.ERROR, str(error), advice)
    return Finding(about, Level.OK, "it opens")


# -- status

NODES = (
    Column("NODE", lambda row: row.node),
    Column("RUNNING", lambda row: f"since {time(row.started)}" if row.running else "no"),
    number("SESSIONS", lambda row: sum(each.open for each in row.sessions)),
    number("MESSAGES", lambda row: row.messages_in),
    number("QUEUE", lambda row: row.queue_items),
    number("SHARD", lambda row: octets(row.shard_octets)),
)
SESSIONS = (
    Column("SERVICE", lambda row: row.service),
    number("SESSIONS", lambda row: row.open),
)


def status(options: argparse.Namespace) -> None:
    answer = ask(options, pb.StatusRequest())
    if options.json:
        print_json(plain(answer))
        return
    for title, value in _lines(answer):
        print(f"{title:<10} {value}")
    if answer.nodes:
        print()
        show(answer.nodes, NODES, as_json=False)
    if answer.running:
        print()
        show(answer.sessions, SESSIONS, as_json=False)


def _lines(answer: pb.StatusAnswer) -> Iterator[tuple[str, str]]:
    now = SystemClock().now_microseconds()
    yield "node", f"{answer.hostname}, mailnode {answer.version}"
    if answer.running:
        yield "running", f"for {_duration(now - answer.started)}, since {time(answer.started)}"
        yield (
            "messages",
            (
                f"{answer.messages_in} came in, {answer.messages_in_rate:.1f} a second in the last minute; "
                f"{answer.messages_out} recipients at other servers were reached"
            ),
        )
    else:
        yield "running", "no"
    oldest = f", the oldest for {_duration(now - answer.queue_oldest)}" if answer.queue_oldest else ""
    yield "queue", f"{answer.queue_items} messages wait for other servers{oldest}"
    yield "shard", f"{octets(answer.shard_octets)}; {octets(answer.disk_free_octets)} of the disk are free"
    yield "scrub", f"ended {time(answer.last_scrub)}" if answer.last_scrub else "never ended"


def _duration(microseconds: int) -> str:
    seconds = max(0, microseconds) // 1_000_000
    for unit, size in (("d", 86_400), ("h", 3600), ("m", 60)):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
