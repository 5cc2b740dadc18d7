"""A data centre is lost, and another one leads what it led."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from mailnode.cli.asking import ask
from mailnode.cli.printing import Column, number, plain, print_json, show_rows, text
from mailnode.pb import admin_pb2 as pb


def promote(options: argparse.Namespace) -> None:
    """Raises Failure."""
    answer = ask(
        options,
        pb.ClusterPromoteRequest(
            dc=options.dc,
            lost=options.lost,
            although_alive=options.although_alive,
            homes=options.home,
            empty=options.empty,
        ),
    )
    if options.json:
        print_json(plain(answer))
        return
    for line in _said(answer):
        print(line)
    behind = [row for row in answer.partitions if row.told > row.seq]
    if behind:
        print()
        show_rows(behind, BEHIND)


def _said(answer: pb.ClusterPromoteAnswer) -> Iterator[str]:
    for home in answer.homes:
        rows = [row for row in answer.partitions if row.partition >> 12 == home.home]
        led = sum(bool(row.node) for row in rows)
        was = f", which {text(home.was)} led" if home.was else ""
        yield (
            f"home {home.home}{was}: {text(answer.dc)} leads it in generation {home.generation}, "
            f"{led:,} of {len(rows):,} partitions"
        )
    for dc in answer.alive:
        yield f"{text(dc)} is alive: it acknowledges mail until it hears of this"
    without = [row.partition for row in answer.partitions if not row.node]
    if without:
        away = f" (no answer: {text(' '.join(answer.away))})" if answer.away else ""
        yield (
            f"nobody who answered has a copy of {len(without):,} partitions{away}, so nobody leads them: "
            "start who has one and type this again, or begin them without mail: --empty"
        )
    empty = sum(row.empty and bool(row.node) for row in answer.partitions)
    if empty:
        yield f"{empty:,} partitions began anew, without mail"
    lost = sum(row.told - row.seq for row in answer.partitions)
    yield (
        f"known to be committed there and not here: {lost:,} entries. What was committed since it was last "
        "heard is not known"
    )
    yield f"all of it: {text(answer.file)}"


def _age(row: Any) -> str:
    return f"{row.age:.1f} s" if row.HasField("age") else "-"


BEHIND = (
    number("PARTITION", lambda row: row.partition),
    Column("NODE", lambda row: text(row.node)),
    number("EPOCH", lambda row: row.epoch),
    number("HAS", lambda row: f"{row.seq:,}"),
    number("COMMITTED", lambda row: f"{row.told:,}"),
    number("HEARD", _age),
)
