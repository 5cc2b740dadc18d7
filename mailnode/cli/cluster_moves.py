"""Nodes are emptied or leave for good, partitions are led elsewhere; what takes long goes on by itself."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from mailnode.cli.asking import ask
from mailnode.cli.cluster_status import ROWS, progress
from mailnode.cli.printing import plain, print_json, show
from mailnode.pb import admin_pb2 as pb

LOOK_SECONDS = 1.0


def drain(options: argparse.Namespace) -> None:
    request = pb.ClusterDrainRequest(node=options.node, back=options.back)
    answer = ask(options, request)
    if options.back:
        _done(options, answer, f"{options.node} is not emptied any more, and gets its share again")
        return
    with _waiting(f"it goes on; `mailnode cluster drain --back {options.node}` ends it") as tell:
        while (said := _left(options, answer.keeps_copies)) is not None:
            tell(said)
            time.sleep(LOOK_SECONDS)  # for a person who looks on: nothing tells a command when it is done
    done = f"{options.node} leads nothing and has no copies: it may be stopped"
    if answer.keeps_copies:
        done = (
            f"{options.node} leads nothing; its copies stay, for too few other hosts are left for them. "
            "It may be stopped for a while"
        )
    _done(options, answer, done)


def _left(options: argparse.Namespace, keeps_copies: bool) -> str | None:
    """What the node still has; None: nothing that could go."""
    whole = ask(options, pb.ClusterStatusRequest())
    for node in whole.nodes:
        if node.name != options.node:
            continue
        copies = 0 if keeps_copies else node.copied + node.learning
        if node.led or copies:
            left = f"{node.name} leads {node.led:,} partitions and has copies of {node.copied:,}"
            return f"{left}; {said}" if (said := progress(whole)) else left
    return None


def move(options: argparse.Namespace) -> None:
    request = pb.ClusterMoveRequest(partition=options.partition, node=options.node)
    rows = ask(options, request).rows
    with _waiting("it goes on; `mailnode cluster map` shows where it is") as tell:
        while not _is_there(rows[0], options.node):
            copies = " ".join(rows[0].in_sync)
            tell(f"partition {options.partition} is led by {rows[0].primary}, copies: {copies}")
            time.sleep(LOOK_SECONDS)  # for a person who looks on: nothing tells a command when it is done
            rows = ask(options, pb.ClusterMapRequest(partition=options.partition)).rows
    show(rows, ROWS, options.json)


def _is_there(row: Any, node: str) -> bool:
    return row.primary == node and set(row.in_sync) == set(row.replicas)


def remove(options: argparse.Namespace) -> None:
    answer = ask(options, pb.ClusterRemoveRequest(node=options.node))
    said = f"{options.node} is no node of the cluster any more; {answer.partitions:,} partitions"
    _done(
        options, answer, f"{said} get a copy elsewhere" if answer.partitions else f"{said} had a copy there"
    )


@contextmanager
def _waiting(goes_on: str) -> Iterator[Callable[[str], None]]:
    """Tells what is waited for on one line of the terminal; ^C ends the waiting alone."""
    is_shown = sys.stderr.isatty()

    def tell(said: str) -> None:
        if is_shown:
            print(f"\r\x1b[K{said}", end="", file=sys.stderr, flush=True)

    try:
        yield tell
        end = ""
    except KeyboardInterrupt:
        end = goes_on
    tell("")
    if end:
        print(end, file=sys.stderr)
        raise SystemExit(130)


def _done(options: argparse.Namespace, answer: Any, said: str) -> None:
    if options.json:
        print_json(plain(answer))
    else:
        print(said)
