"""`mailnode doctor shard`: what is wrong with the store, and how a node goes on without that."""

from __future__ import annotations

import argparse

from mailnode.cli.failure import Failure
from mailnode.cli.keeping import raise_in
from mailnode.cli.printing import octets, print_json
from mailnode.clock import SystemClock
from mailnode.config import load
from mailnode.store.doctor import Diagnosis, examine, recover


def shard(options: argparse.Namespace) -> None:
    """While no node runs. Raises Failure where something is wrong and nothing was done."""
    config = load(options.directory)
    found = examine(config.shard, config.memory_octets)
    if options.json:
        print_json(
            {"sound": found.is_sound, "log": found.log, "log_octets": found.log_octets}
            | {"unreadable": found.unreadable}
        )
    else:
        _say(found)
    if found.is_sound:
        return
    if not options.recover:
        raise Failure("the shard is damaged: restore a backup, or lose what is named by `--recover`")
    clock = SystemClock()
    aside, rows = recover(config.shard, config.memory_octets, clock.now_microseconds(), clock.random(16))
    accounts = raise_in(config.shard, config.memory_octets)
    if not options.json:
        print(f"{rows} rows of {accounts} accounts came over; the damaged shard is {aside}")


def _say(found: Diagnosis) -> None:
    if found.log:
        print(f"log: {found.log}")
        print(f"lost with it: what stands behind the bad record, of {octets(found.log_octets)} in all logs")
    for line in found.unreadable:
        print(f"not readable: {line}")
    if found.is_sound:
        print("the shard is sound")
