"""Reports that anybody may send: a value or `Malformed` comes of them, and what comes is bounded."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from protocols.reports import aggregate_read, failure, tls
from protocols.reports.aggregate import write
from protocols.reports.packed import unpacked
from protocols.reports.values import Malformed

T = TypeVar("T")

RECORDS_MAX = 20
UNPACKED_OCTETS_MAX = 1 << 20


def aggregate(octets: bytes) -> None:
    report = _read(lambda: aggregate_read.read(octets, RECORDS_MAX))
    if report is not None:
        assert len(report.records) <= RECORDS_MAX
        assert report.messages == report.left_out + sum(record.count for record in report.records)
        again = aggregate_read.read(write(report), RECORDS_MAX)
        assert [each.source for each in again.records] == [each.source for each in report.records]


def tls_json(octets: bytes) -> None:
    report = _read(lambda: tls.read(octets))
    if report is not None:
        assert len(tls.write(report)) < 1 << 24
        assert tls.read(tls.write(report)).policies == report.policies


def feedback(octets: bytes) -> None:
    _read(lambda: failure.read(octets))
    assert failure.redacted(octets[:2000], b"key").count(b"\n") == octets[:2000].count(b"\n")


def packed(octets: bytes) -> None:
    found = _read(lambda: unpacked(octets, UNPACKED_OCTETS_MAX))
    assert found is None or len(found) <= UNPACKED_OCTETS_MAX


def _read(read: Callable[[], T]) -> T | None:
    try:
        return read()
    except Malformed:
        return None
