"""How the cluster is: its nodes, its partitions, what moves."""

from __future__ import annotations

import argparse
from typing import Any

from mailnode.cli.asking import ask
from mailnode.cli.printing import Column, number, octets, plain, print_json, show, show_rows, text
from mailnode.pb import admin_pb2 as pb


def status(options: argparse.Namespace) -> None:
    answer = ask(options, pb.ClusterStatusRequest())
    if options.json:
        print_json(plain(answer))
        return
    show_rows(answer.nodes, NODES)
    print()
    show_rows(answer.states, STATES)
    if answer.dcs:
        print()
        show_rows(answer.dcs, DCS)
    if moves := [move for node in answer.nodes for move in node.seen.moves]:
        print()
        show_rows(moves, MOVES)
    print()
    for line in (*_moving(answer), *_aside(answer), *_etcd(answer)):
        print(line)


def mapped(options: argparse.Namespace) -> None:
    show(ask(options, asked(options.which)).rows, ROWS, options.json)


def asked(which: str) -> pb.ClusterMapRequest:
    """Of an address, of a partition by its number, or of all."""
    if which.isdecimal():
        return pb.ClusterMapRequest(partition=int(which))
    return pb.ClusterMapRequest(address=which, all=not which)


def progress(answer: pb.ClusterStatusAnswer) -> str:
    """How far the moves are; empty: nothing moves."""
    for node in answer.nodes:
        seen = node.seen
        if node.name == answer.balancer and seen.left:
            whole = seen.moved + seen.left
            done = f"{seen.moved:,} of {whole:,} partitions moved"
            return f"{done}, {about(seen.left / seen.rate)} left" if seen.rate else done
    return ""


def about(seconds: float) -> str:
    if seconds < 90:
        return f"about {max(1, round(seconds))} s"
    if seconds < 90 * 60:
        return f"about {round(seconds / 60)} min"
    return f"about {seconds / 3600:.1f} h"


def _moving(answer: pb.ClusterStatusAnswer) -> list[str]:
    if not answer.balancer:
        return ["no node says where copies should be: etcd elects one"]
    said = progress(answer)
    return [said] if said else ["all copies are where they should be"]


def _aside(answer: pb.ClusterStatusAnswer) -> list[str]:
    return [
        f"{text(node.name)} gives back what others have not got of {node.seen.aside:,} partitions"
        for node in answer.nodes
        if node.seen.aside
    ]


def _etcd(answer: pb.ClusterStatusAnswer) -> list[str]:
    members = ", ".join(answer.etcd)
    cut_off = [node for node in answer.nodes if node.seen.etcd]
    if not cut_off:
        return [f"etcd ({members}) answers every node that answers"]
    return [f"etcd does not answer {node.name}: {text(node.seen.etcd)}" for node in cut_off]


def _state(node: Any) -> str:
    if not node.leased:
        return "away"
    if not node.HasField("seen"):
        return "silent"
    return "leaving" if node.leaving else "alive"


def _lag(node: Any) -> str:
    return f"{node.lag_entries:,} ({node.lag_seconds:.1f} s)" if node.lag_entries else "-"


def _lacks(dc: Any) -> str:
    return f"{dc.lag.entries:,}" if dc.HasField("lag") else "not known"


def _behind(dc: Any) -> str:
    return f"{dc.lag.seconds:.1f} s" if dc.lag.entries else "-"


def _share(move: Any) -> str:
    return f"{100 * move.entries // move.of} %" if move.of else "0 %"


NODES = (
    Column("NODE", lambda row: text(row.name)),
    Column("STATE", _state),
    Column("ADDRESS", lambda row: text(row.address)),
    Column("HOST", lambda row: text(row.host)),
    Column("RACK", lambda row: text(row.rack) or "-"),
    Column("DC", lambda row: text(row.dc) or "-"),
    number("WEIGHT", lambda row: f"{row.weight:g}"),
    Column("VERSION", lambda row: f"{row.seen.version or '-'}/{row.format}"),
    number("LEADS", lambda row: f"{row.led:,}"),
    number("COPIES", lambda row: f"{row.copied:,}"),
    number("LEARNS", lambda row: f"{row.learning:,}"),
    number("LAG", _lag),
    number("FREE", lambda row: octets(row.seen.disk_free_octets) if row.seen.disk_free_octets else "-"),
)
STATES = (
    number("PARTITIONS", lambda row: f"{row.partitions:,}"),
    Column("STATE", lambda row: row.state),
)
DCS = (
    Column("DATA CENTRE", lambda row: text(row.name)),
    Column("HOMES", lambda row: " ".join(map(str, row.homes)) or "-"),
    number("LACKS", _lacks),
    number("BEHIND", _behind),
    number("WORST PARTITION", lambda row: row.lag.partition if row.lag.entries else "-"),
)
MOVES = (
    number("PARTITION", lambda row: row.partition),
    Column("FROM", lambda row: text(getattr(row, "from"))),
    Column("TO", lambda row: text(row.to)),
    number("ENTRIES", lambda row: f"{row.of:,}"),
    number("DONE", _share),
)
ROWS = (
    number("PARTITION", lambda row: row.partition),
    Column("PRIMARY", lambda row: text(row.primary)),
    Column("IN SYNC", lambda row: text(" ".join(row.in_sync))),
    Column("COPIES SHOULD BE", lambda row: text(" ".join(row.replicas))),
    Column("FAR", lambda row: text(" ".join(row.far)) or "-"),
    number("EPOCH", lambda row: row.epoch),
    number("MIN-INSYNC", lambda row: row.min_insync),
    Column("STATE", lambda row: row.state),
)
