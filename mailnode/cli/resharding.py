"""`mailnode reshard`: another number of nodes in a directory."""

from __future__ import annotations

import argparse
from functools import partial

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from mailnode import node
from mailnode.admin import client
from mailnode.cli.failure import Failure
from mailnode.clock import SystemClock
from mailnode.cluster import local_map, whole
from mailnode.cluster.reshard import reshard
from mailnode.config import FILE, Config, load
from mailnode.listeners.ports import become
from mailnode.mailbox.appended import replay


def run(options: argparse.Namespace) -> None:
    """To the number of --nodes, or of the configuration, or on with what was begun. Raises Failure."""
    config = load(options.directory)
    if config.nodes and options.nodes and config.nodes != options.nodes:
        file = config.directory / FILE
        raise Failure(f"{file}: nodes: found {config.nodes}, expected {options.nodes}, as --nodes says")
    if client.is_running(config.admin_socket):
        raise Failure(f"{config.directory} is served: stop `mailnode up` there first")
    become(config.user)
    with node.locked(config):
        moved_to(config, options.nodes or config.nodes)
    nodes = 1 if (mapped := local_map.read(config.map_file)) is None else len(mapped.incarnations)
    print(f"{config.directory} has {nodes} node{'s' if nodes > 1 else ''}")


def moved_to(config: Config, nodes: int) -> None:
    columns = (TextColumn("moving partitions"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=None)
        clock = SystemClock()
        finish = partial(whole.finish, replay=replay, rows_max=config.limits.part_rows_max)
        for moved in reshard(config, nodes, clock.random, finish):
            progress.update(task, completed=moved.done, total=moved.whole)
