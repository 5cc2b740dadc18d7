"""`mailnode doctor shard`: what is wrong with the store, and how a node goes on without that."""

from __future__ import annotations

import argparse

from mailnode import node
from mailnode.cli.failure import Failure
from mailnode.cli.keeping import raise_in
from mailnode.cli.printing import octets, print_json
from mailnode.clock import SystemClock
from mailnode.config import Config
from mailnode.store.doctor import Diagnosis, examine, recover


def shard(options: argparse.Namespace) -> None:
    """Of every node, while none runs. Raises Failure where something is wrong and nothing was done."""
    configs = node.members(options.directory)
    found = [(config, examine(config.shard, config.memory_octets)) for config in configs]
    if options.json:
        shown = [_plain(config, each) for config, each in found]
        print_json(shown[0] if len(shown) == 1 else shown)
    else:
        for config, each in found:
            if len(found) > 1:
                print(f"{config.shard}:")
            _say(each)
    damaged = [config for config, each in found if not each.is_sound]
    if damaged and not options.recover:
        raise Failure("the shard is damaged: restore a backup, or lose what is named by `--recover`")
    clock = SystemClock()
    for config in damaged:
        aside, rows = recover(config.shard, config.memory_octets, clock.now_microseconds(), clock.random(16))
        accounts = raise_in(config)
        if not options.json:
            print(f"{rows} rows of {accounts} accounts came over; the damaged shard is {aside}")


def _plain(config: Config, found: Diagnosis) -> dict[str, object]:
    return {
        "shard": str(config.shard),
        "sound": found.is_sound,
        "log": found.log,
        "log_octets": found.log_octets,
        "unreadable": found.unreadable,
    }


def _say(found: Diagnosis) -> None:
    if found.log:
        print(f"log: {found.log}")
        print(f"lost with it: what stands behind the bad record, of {octets(found.log_octets)} in all logs")
    for line in found.unreadable:
        print(f"not readable: {line}")
    if found.is_sound:
        print("the shard is sound")
