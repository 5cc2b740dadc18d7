"""Reports go out: each domain's day once, to whoever may have it, whatever happens in between."""

from __future__ import annotations

import asyncio
import gzip
import socket
from collections.abc import Mapping, Sequence
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from mailnode.config import Reports
from mailnode.delivery.accept import Accept
from mailnode.delivery.transaction import Sender, Transaction
from mailnode.mailbox.verbs import Unavailable
from mailnode.node.services import _authentication, _delivery
from mailnode.pb.change_pb2 import Intent, Result
from mailnode.pb.row_pb2 import DmarcRow
from mailnode.reports.collected import found
from mailnode.reports.places import DMARC, TLS, account_of, day_key
from mailnode.reports.posting import Name, Posting
from protocols.reports import aggregate_read, failure, tls
from protocols.reports.values import Aggregate
from protocols.smtp.envelope import MailParameters
from protocols.smtp.envelope import Path as Mailbox
from protocols.smtp.trace import Came
from tests.node.test_node import ALICE
from tests.relay.host import HOST
from tests.reports.scene import DAY, Noon, Scene, made, played, running

Names = dict[str, Mapping[str, Sequence[str]]]
MX = {"MX": ["10 mx.reports.test."]}


def names(rua: str = "mailto:dmarc@bank.example", **more: Mapping[str, Sequence[str]]) -> Names:
    return {
        "bank.example": {"TXT": ['"v=spf1 -all"'], **MX},
        "_dmarc.bank.example": {"TXT": [f'"v=DMARC1\\; p=reject\\; rua={rua}"']},
        "there.example": {"TXT": ['"v=spf1 ip4:127.0.0.1 -all"'], **MX},
        "_dmarc.there.example": {"TXT": ['"v=DMARC1\\; p=none\\; rua=mailto:d@there.example"']},
        "reports.test": MX,
        "mx.reports.test": {"A": [HOST]},
        **more,
    }


async def deliver(scene: Scene, accept: Accept, author: str, sender: str = "zoe@bounces.test") -> None:
    came = Came(b"mx.there.example", "192.0.2.7", "mail.example.test", "ESMTP")
    begun = await accept.begin(came, Sender(Mailbox(sender.encode()), MailParameters(), 0))
    assert isinstance(begun, Transaction)
    transaction = begun
    assert (await transaction.recipient(Mailbox(ALICE.encode()))).positive
    reply = await transaction.finish_as_one(f"From: a@{author}\r\nSubject: x\r\n\r\nbody\r\n".encode())
    assert reply.positive, reply


def accepting(scene: Scene) -> Accept:
    return Accept(_delivery(scene.config, scene.parts), _authentication(scene.config, scene.parts))


def read(message: EmailMessage) -> Aggregate:
    (part,) = message.iter_attachments()
    return aggregate_read.read(gzip.decompress(part.get_content()), 1000)


def test_what_came_in_a_domains_name_is_told_to_it_once_and_a_restart_loses_nothing(tmp_path: Path) -> None:
    directory, clock = made(tmp_path), Noon()

    async def work() -> None:
        async with running(directory, names(), clock, Reports()) as scene:
            accept = accepting(scene)
            await asyncio.gather(*(deliver(scene, accept, "bank.example") for _ in range(5)))
            account = await scene.parts.accounts.open(account_of("bank.example"))
            (row,) = await found(account, DMARC, day_key(DAY, "bank.example"), DmarcRow.FromString)
            assert row.count == 5
        async with running(directory, names(), clock, Reports()) as scene:
            accept = accepting(scene)
            await deliver(scene, accept, "bank.example")
            await deliver(scene, accept, "bank.example", sender="")
            await scene.end_day()
            message = await scene.sent()
            report = read(message)
            assert message["To"] == "dmarc@bank.example" and message["From"] == "postmaster@example.test"
            assert "d=example.test" in message["DKIM-Signature"]
            assert (report.policy.domain, report.policy.p) == ("bank.example", "reject")
            assert (report.metadata.begin, report.metadata.end) == (DAY * 86_400, DAY * 86_400 + 86_399)
            assert [(r.count, r.disposition, r.spf, r.dkim) for r in report.records] == [
                (6, "quarantine", False, False),
                (1, "quarantine", False, False),
            ]
            first, second = report.records
            assert first.source == "192.0.2.7" and first.reasons[0].kind == "local_policy"
            assert (first.envelope_from, second.envelope_from) == ("bounces.test", "")
            assert (first.spf_auth[0].scope, second.spf_auth[0].scope) == ("mfrom", "helo")
            assert f"<{report.metadata.report_id}>" in message["Subject"]
            (attachment,) = message.iter_attachments()
            assert attachment.get_filename().startswith("example.test!bank.example!1767225600!1767311999!")
            assert "MAIL FROM:<>" in " ".join(scene.host.lines)
            assert await scene.rows(DMARC, "bank.example") == []
        async with running(directory, names(), clock, Reports()) as scene:
            assert scene.parts.accounts.dues.all(DMARC.due) == []

    played(work)


def test_another_organizations_address_has_a_report_only_if_it_says_so(tmp_path: Path) -> None:
    directory = made(tmp_path)
    rua = "mailto:victim@there.example,mailto:asks@reports.test,mailto:x@sub.bank.example!1k"
    allows = {
        "bank.example._report._dmarc.reports.test": {"TXT": ['"v=DMARC1\\; rua=mailto:box@reports.test"']}
    }

    async def work() -> None:
        async with running(directory, names(rua, **allows), Noon(), Reports()) as scene:
            await deliver(scene, accepting(scene), "bank.example")
            await scene.end_day()
            message = await scene.sent()
            assert message["To"] == "box@reports.test"
            assert scene.host.contents == []

    played(work)


def test_a_report_too_long_for_its_reader_goes_in_parts_and_what_does_not_fit_not_at_all(
    tmp_path: Path,
) -> None:
    directory = made(tmp_path)

    async def work() -> None:
        async with running(directory, names("mailto:d@bank.example!4k"), Noon(), Reports()) as scene:
            accept = accepting(scene)
            senders = [f"a@{number * 7919 % 9973:x}-{number * 104729 % 7907:x}.test" for number in range(150)]
            await asyncio.gather(*(deliver(scene, accept, "bank.example", sender) for sender in senders))
            await scene.end_day()
            reports = [read(await scene.sent()) for _ in range(2)]
            while sum(report.messages for report in reports) < len(senders):
                reports.append(read(await scene.sent()))
            assert len({report.metadata.report_id for report in reports}) == len(reports) > 1
            assert {r.envelope_from for report in reports for r in report.records} == {
                sender.partition("@")[2] for sender in senders
            }

    played(work)


def test_a_domain_of_too_many_rows_costs_no_more_and_its_mail_is_taken(tmp_path: Path) -> None:
    directory = made(tmp_path)

    async def work() -> None:
        async with running(directory, names(), Noon(), Reports(), report_domain_rows_max=2) as scene:
            accept = accepting(scene)
            for number in range(4):
                await deliver(scene, accept, "bank.example", f"a@{number}.test")
            await deliver(scene, accept, "there.example", "a@there.example")
            await scene.end_day()
            reports = [read(await scene.sent()), read(await scene.sent())]
            assert {r.policy.domain: r.messages for r in reports} == {"bank.example": 2, "there.example": 1}

    played(work)


def test_a_report_about_us_to_one_of_our_addresses_lies_in_its_mailbox(tmp_path: Path) -> None:
    directory = made(tmp_path)
    own = {"_dmarc.example.test": {"TXT": ['"v=DMARC1\\; p=reject\\; rua=mailto:postmaster@example.test"']}}

    async def work() -> None:
        async with running(directory, names(**own), Noon(), Reports()) as scene:
            await deliver(scene, accepting(scene), "example.test")
            await scene.end_day()
            (message,) = await scene.inbox()
            assert b"\r\nSubject: Report Domain: example.test\r\n" in message
            assert scene.host.connections == 0

    played(work)


def test_where_the_dns_does_not_answer_a_report_waits_and_is_let_go_after_a_day(tmp_path: Path) -> None:
    directory, clock = made(tmp_path), Noon()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind((HOST, 0))
        nobody = silent.getsockname()[1]

        async def work() -> None:
            async with running(directory, names(), clock, Reports()) as scene:
                await deliver(scene, accepting(scene), "bank.example")
            async with running(directory, names(), clock, Reports(), nobody, dns_seconds_max=1) as scene:
                await scene.end_day()
                assert len(await scene.rows(DMARC, "bank.example")) == 1
            clock.now += 86_400 * 1_000_000
            async with running(directory, names(), clock, Reports()) as scene:
                await scene.end_day()
                assert await scene.rows(DMARC, "bank.example") == []
                assert scene.host.connections == 0

        played(work)


@pytest.mark.parametrize(
    ("setting", "shown"), [("headers", b"a@bank.example"), ("redacted", b"@bank.example")]
)
def test_a_failure_report_shows_the_header_as_far_as_it_may(
    tmp_path: Path, setting: str, shown: bytes
) -> None:
    directory = made(tmp_path)
    ruf = {"_dmarc.bank.example": {"TXT": ['"v=DMARC1\\; p=none\\; ruf=mailto:f@bank.example"']}}

    async def work() -> None:
        told = Reports(failure=setting)
        async with running(directory, names(**ruf), Noon(), told, report_failures_domain_max=1) as scene:
            accept = accepting(scene)
            await deliver(scene, accept, "bank.example")
            message = await scene.sent()
            assert message.get_content_type() == "multipart/report"
            _, feedback, header = message.iter_parts()
            octets = bytes(feedback).partition(b"\n\n")[2] if feedback.is_multipart() else b""
            raw = message.as_bytes()
            octets = octets or raw[raw.index(b"Feedback-Type") :].partition(b"\n\n")[0]
            said = failure.read(raw[raw.index(b"Feedback-Type") :].partition(b"\n--report")[0])
            assert (said.kind, said.domain, said.source) == ("dmarc", "bank.example", "192.0.2.7")
            assert "dmarc=fail" in said.results
            assert shown in bytes(header) and b"body" not in raw
            assert (b"From: a@" in raw.replace(b"\r", b"")) == (setting == "headers")
            await deliver(scene, accept, "bank.example")
            assert scene.parts.metrics.reports_sent.counts["failure", "bounded"] == 1

    played(work)


def test_how_sessions_came_to_tls_is_told_to_their_domain(tmp_path: Path) -> None:
    directory = made(tmp_path)
    wants = {"_smtp._tls.there.example": {"TXT": ['"v=TLSRPTv1\\; rua=mailto:tls@there.example"']}}

    async def work() -> None:
        async with running(directory, names("", **wants), Noon(), Reports()) as scene:
            for _ in range(3):
                await submitted(scene, "bob@there.example")
                await scene.sent()
            while not (rows := await scene.rows(TLS, "there.example")) or b"\x08\x03" not in rows[0][1]:
                pass
            await scene.end_day()
            message = await scene.sent()
            assert message["TLS-Report-Domain"] == "there.example"
            assert message["TLS-Report-Submitter"] == "example.test"
            _, part = message.iter_parts()
            report = tls.read(gzip.decompress(part.get_content()))
            (policy,) = report.policies
            assert (policy.kind, policy.domain, policy.successful, policy.failed) == (
                "no-policy-found",
                "there.example",
                0,
                3,
            )
            (details,) = policy.details
            assert (details.result, details.receiving_host) == ("starttls-not-supported", "mx.reports.test")
            assert (details.receiving_ip, details.sending_ip) == (HOST, HOST)

    played(work)


async def submitted(scene: Scene, recipient: str) -> None:
    owner = await scene.parts.people.lookup.owner(ALICE)
    assert owner is not None
    account = await scene.parts.accounts.open(owner.account)
    posting = Posting(scene.parts.accounts, scene.parts.people.lookup, scene.parts.upload_ids, ALICE)
    name = Name(scene.clock.now, str(scene.clock.random(8)))
    assert await posting.post(account, name, recipient, b"From: alice@example.test\r\n\r\nbody\r\n")


class Busy:
    """An account that takes nothing now."""

    id = 7

    async def open(self, account: int) -> Busy:
        return self

    async def apply(self, intent: Intent) -> Result:
        return Result(refused="UNAVAILABLE")


@pytest.mark.parametrize("recipient", ["someone@elsewhere.example", ALICE])
def test_a_report_that_an_account_does_not_take_now_is_not_said_to_be_refused(
    tmp_path: Path, recipient: str
) -> None:
    directory = made(tmp_path)

    async def work() -> None:
        async with running(directory, names(), Noon(), Reports()) as scene:
            busy: Any = Busy()
            posting = Posting(busy, scene.parts.people.lookup, scene.parts.upload_ids, ALICE)
            with pytest.raises(Unavailable):
                name = Name(scene.clock.now, "name")
                await posting.post(busy, name, recipient, b"From: x\r\n\r\nbody\r\n")

    played(work)
