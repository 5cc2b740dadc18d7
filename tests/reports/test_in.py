"""Reports come in: read from the mailbox that they were delivered to, kept once, told by who sends as us."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from mailnode.admin.refusal import Refusal
from mailnode.config import Reports
from mailnode.delivery.accept import Accept
from mailnode.delivery.transaction import Sender, Transaction
from mailnode.node import operator
from mailnode.node.reporting import incoming, kept
from mailnode.node.services import _delivery
from mailnode.pb import admin_pb2 as pb
from mailnode.pb.row_pb2 import ReportRow
from mailnode.reports.kept import IMPLAUSIBLE, TAKEN, Kept
from protocols.reports import aggregate, tls
from protocols.reports.letter import Letter, Part, write
from protocols.reports.packed import packed
from protocols.reports.values import Aggregate
from protocols.smtp.envelope import MailParameters
from protocols.smtp.envelope import Path as Mailbox
from protocols.smtp.trace import Came
from tests.protocols.reports.samples import AGGREGATE, FAILURE, TLS
from tests.protocols.reports.test_packed import zipped
from tests.reports.scene import DAY, Noon, Scene, made, played, running

POLICY = replace(AGGREGATE.policy, domain="news.example.test")
REPORT = replace(AGGREGATE, policy=POLICY)
TLS_REPORT = replace(TLS, policies=(replace(TLS.policies[0], domain="example.test"),))


def octets_of(report: Aggregate) -> bytes:
    return aggregate.write(report)


async def deliver(scene: Scene, parts: Sequence[Part]) -> None:
    letter = Letter("r@receiver.example", "postmaster@example.test", "x", "d", "7f", "receiver.example")
    accept = Accept(_delivery(scene.config, scene.parts))
    came = Came(b"mx.receiver.example", "192.0.2.7", "mail.example.test", "ESMTP")
    begun = await accept.begin(came, Sender(Mailbox(b""), MailParameters(), 0))
    assert isinstance(begun, Transaction)
    assert (await begun.recipient(Mailbox(b"postmaster@example.test"))).positive
    assert (await begun.finish_as_one(write(letter, "A report.", parts))).positive


async def seen(scene: Scene, count: int) -> list[tuple[str, ReportRow]]:
    """What is kept, once there is so much."""
    found: list[tuple[str, ReportRow]] = []
    while len(found) < count:
        found = [each async for each in kept(scene.parts).all("", 0)]
    return found


def test_reports_are_read_from_the_mailbox_kept_once_and_told_by_source_also_after_a_restart(
    tmp_path: Path,
) -> None:
    directory, clock = made(tmp_path), Noon()
    gzipped = Part("application/gzip", packed(octets_of(REPORT)), "r.xml.gz")

    async def work() -> None:
        async with running(directory, {}, clock, Reports()) as scene:
            await deliver(scene, [gzipped])  # nobody reads yet
        async with running(directory, {}, clock, Reports()) as scene:
            reading = asyncio.ensure_future(incoming(scene.parts).run())
            assert len(await seen(scene, 1)) == 1
            await deliver(scene, [Part("application/zip", zipped(8, octets_of(REPORT)), "again.zip")])
            await deliver(scene, [Part("application/gzip", b"\x1f\x8bnothing", "bad.xml.gz")])
            await deliver(scene, [Part("text/xml", octets_of(AGGREGATE), "not-ours.xml")])
            await deliver(
                scene, [Part("application/tlsrpt+gzip", packed(tls.write(TLS_REPORT)), "t.json.gz")]
            )
            await deliver(
                scene, [Part("message/feedback-report", FAILURE.replace(b"example.org", b"example.test"))]
            )
            found = await seen(scene, 3)
            counts = scene.parts.metrics.reports_received.counts
            assert counts == {
                ("dmarc", "taken"): 1,
                ("dmarc", "repeated"): 1,
                ("unknown", "malformed"): 1,
                ("dmarc", "not ours"): 1,
                ("tls", "taken"): 1,
                ("failure", "taken"): 1,
            }
            messages = scene.parts.metrics.reported_messages.counts
            assert messages == {("example.test", "fail"): 7, ("example.test", "pass"): 100}
            assert {row.kind: (row.messages, row.failed) for _, row in found} == {
                ReportRow.AGGREGATE: (107, 7),
                ReportRow.TLS: (43, 3),
                ReportRow.FAILURE: (2, 2),
            }
            await told(scene)
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def told(scene: Scene) -> None:
        asked = operator(scene.config, scene.parts, lambda changed: None)
        listed = await asked.ReportList(pb.ReportListRequest(domain="example.test"))
        assert [each.kind for each in listed.reports] == ["dmarc", "tls", "failure"] or len(
            listed.reports
        ) == 3
        (one,) = [each for each in listed.reports if each.kind == "dmarc"]
        shown = await asked.ReportShow(pb.ReportShowRequest(report=one.report))
        assert [row.source for row in shown.row.records] == ["2001:db8::1", "192.0.2.1"]
        sources = (await asked.ReportSources(pb.ReportSourcesRequest())).sources
        assert [(each.address, each.messages, each.failed, list(each.passed)) for each in sources] == [
            ("2001:db8::1", 7, 7, ["list.example", "mail.list.example"])
        ]
        everybody = await asked.ReportSources(pb.ReportSourcesRequest(all=True))
        assert {each.address for each in everybody.sources} == {"2001:db8::1", "192.0.2.1", "192.0.2.66"}
        for wrong in ("00", "zz"):
            with pytest.raises(Refusal):
                await asked.ReportShow(pb.ReportShowRequest(report=wrong))
        with pytest.raises(Refusal):
            await asked.ReportList(pb.ReportListRequest(domain="other.example"))

    played(work)


def test_old_reports_go_and_of_too_many_the_oldest(tmp_path: Path) -> None:
    directory, clock = made(tmp_path), Noon()

    def row(day: int) -> ReportRow:
        return ReportRow(domain="example.test", begin=day * 86_400, end=day * 86_400 + 86_399)

    async def days(reports: Kept) -> list[int]:
        return [each.begin // 86_400 async for _, each in reports.all("", 0)]

    async def work() -> None:
        async with running(directory, {}, clock, Reports(), reports_kept_max=2) as scene:
            reports = Kept(scene.parts.accounts, scene.parts.domains, clock, scene.config.limits)
            for day in (DAY - 399, DAY - 3, DAY - 2):
                assert await reports.keep(row(day)) == TAKEN
            for day in (DAY - 401, DAY + 5, 2**20):
                assert await reports.keep(row(day)) == IMPLAUSIBLE
            assert await reports.trim() == 1
            assert await days(reports) == [DAY - 3, DAY - 2]
            clock.now += 399 * 86_400 * 1_000_000
            assert await reports.trim() == 2
            assert await days(reports) == []

    played(work)
