"""`mailnode cluster verify`: whether all copies are equal, and how they become so."""

from __future__ import annotations

import argparse
import sys
import time

from mailnode.cli.asking import ask
from mailnode.cli.failure import Failure
from mailnode.cli.printing import Column, octets, show
from mailnode.cluster.map import PARTITIONS
from mailnode.pb import admin_pb2 as pb

POLLED_SECONDS = 0.2

DIFFERENCES = (
    Column("PARTITION", lambda row: str(row.partition)),
    Column("FAMILY", lambda row: row.family),
    Column("KEY", lambda row: row.key),
    Column("WHAT", lambda row: row.what),
    Column("WHY", lambda row: row.why),
    Column("REPAIRED", lambda row: "yes" if row.is_mended else "no"),
)


def verify(options: argparse.Namespace) -> None:
    """By the nodes that run. Raises Failure where copies differ, or could not be compared."""
    answer = ask(options, _request(options))
    while answer.running:
        time.sleep(POLLED_SECONDS)  # for a person who looks on: the node answers at once how far it is
        answer = ask(options, pb.VerifyRequest())
        _say(answer)
    if options.json:
        show([answer], (), as_json=True)
    elif answer.told:
        show(answer.told, DIFFERENCES, as_json=False)
    many = "partition" if answer.partitions == 1 else "partitions"
    compared = f"{answer.rows} rows of {answer.partitions} {many}, {octets(answer.octets)}"
    left = answer.differences - answer.mended
    if left or answer.not_compared:
        failures = "".join([f"\n{each}" for each in answer.failures])
        found = f"{compared}: {left} differences left, {answer.not_compared} partitions not compared"
        raise Failure(found + failures)
    if not options.json:
        mended = f": {answer.mended} rows repaired" if answer.mended else ": all copies are equal"
        print(compared + mended)


def _request(options: argparse.Namespace) -> pb.VerifyRequest:
    request = pb.VerifyRequest(begin=True, repair=options.repair)
    if options.what and not options.all:
        if options.what.isdecimal():
            request.partitions.append(int(options.what))
        else:
            request.address = options.what
    return request


def what(text: str) -> str:
    """An address, or the number of a partition."""
    if "@" in text or (text.isdecimal() and int(text) < PARTITIONS):
        return text
    raise argparse.ArgumentTypeError(f"{text!a} is no address, and no partition: 0 to {PARTITIONS - 1}")


def _say(answer: pb.VerifyAnswer) -> None:
    if sys.stderr.isatty():
        end = "" if answer.running else "\r\x1b[K"
        text = f"\r{answer.partitions} partitions, {answer.rows} rows, {octets(answer.octets)}"
        print(text, end=end, file=sys.stderr, flush=True)
