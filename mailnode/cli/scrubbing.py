"""`mailnode scrub`: a look at everything that is stored, with what it finds."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from typing import Any

from mailnode import node
from mailnode.admin import client
from mailnode.admin.refusal import Refusal
from mailnode.cli.asking import sockets
from mailnode.cli.failure import Failure
from mailnode.cli.printing import Column, octets, show
from mailnode.clock import SystemClock
from mailnode.pb import admin_pb2 as pb

POLLED_SECONDS = 0.5

FAULTS = (
    Column("ACCOUNT", lambda row: row.account),
    Column("FAMILY", lambda row: row.family),
    Column("KEY", lambda row: row.key),
    Column("WHAT", lambda row: row.what),
)


def scrub(options: argparse.Namespace) -> None:
    """By the node that runs, or here while none does. Raises Failure where something is wrong."""
    at = sockets(options.directory)
    try:
        answer = client.ask_any(at, pb.ScrubRequest(begin=True))
        while answer.running:
            time.sleep(POLLED_SECONDS)
            answer = client.ask_any(at, pb.ScrubRequest())
            _say(answer)
    except client.NotRunning:
        answer = asyncio.run(_offline(options))
    except (client.Failed, Refusal) as error:
        raise Failure(str(error)) from None
    if options.json:
        show([answer], (), as_json=True)
    elif answer.faults:
        show(answer.faults, FAULTS, as_json=False)
    if answer.fault_count:
        raise Failure(f"{answer.fault_count} faults in {answer.mails} mails of {answer.accounts} accounts")
    if not options.json:
        print(
            f"{answer.mails} mails of {answer.accounts} accounts, {octets(answer.octets)}: nothing is wrong"
        )


async def _offline(options: argparse.Namespace) -> Any:
    async with node.offline(options.directory, SystemClock()) as whole:
        for parts in whole.houses:
            parts.scrub.begin()
        scrubbing = asyncio.gather(*(parts.scrub.go_on() for parts in whole.houses))
        while not scrubbing.done():
            await asyncio.wait((scrubbing,), timeout=POLLED_SECONDS)
            _say(await whole.everywhere.asked("Scrub", pb.ScrubRequest()))
        await scrubbing
        return await whole.everywhere.asked("Scrub", pb.ScrubRequest())


def _say(answer: Any) -> None:
    if sys.stderr.isatty():
        end = "" if answer.running else "\r\x1b[K"
        text = f"\r{answer.accounts} accounts, {answer.mails} mails, {octets(answer.octets)}"
        print(text, end=end, file=sys.stderr, flush=True)
