"""Reports of others about mail in our domains' names, as an operator reads them."""

from __future__ import annotations

import argparse
from typing import Any

from mailnode.cli.asking import ask
from mailnode.cli.printing import Column, number, plain, print_json, show, show_rows, text, time
from mailnode.clock import SystemClock
from mailnode.pb import admin_pb2 as pb


def listed(options: argparse.Namespace) -> None:
    request = pb.ReportListRequest(domain=options.domain, since=options.since(SystemClock()))
    show(ask(options, request).reports, REPORTS, options.json)


def shown(options: argparse.Namespace) -> None:
    answer = ask(options, pb.ReportShowRequest(report=options.report))
    if options.json:
        print_json(plain(answer.row))
        return
    show_rows([answer.about], REPORTS)
    print()
    if answer.row.records:
        show_rows(answer.row.records, RECORDS)
    for policy in answer.row.tls:
        print(f"{text(policy.domain)} {text(policy.kind)}: {policy.successful} well, {policy.failed} failed")
        if policy.details:
            show_rows(policy.details, DETAILS)
    if answer.row.left_out:
        print(f"... and {answer.row.left_out} messages of rarer senders")


def sources(options: argparse.Namespace) -> None:
    since = options.since(SystemClock())
    request = pb.ReportSourcesRequest(domain=options.domain, since=since, all=options.all)
    show(ask(options, request).sources, SOURCES, options.json)


def _passed(row: Any) -> str:
    return "pass" if row.dkim or row.spf else "fail"


def _found(row: Any) -> str:
    """What SPF and DKIM found, whether it aligns or not."""
    found = [f"dkim={each.result} {each.domain}" for each in row.dkim_auth]
    return text(", ".join(found + [f"spf={each.result} {each.domain}" for each in row.spf_auth]))


REPORTS = (
    Column("REPORT", lambda row: row.report),
    Column("KIND", lambda row: row.kind),
    Column("DOMAIN", lambda row: text(row.domain)),
    Column("FROM", lambda row: text(row.organization)[:40]),
    Column("BEGIN", lambda row: time(row.begin)),
    Column("END", lambda row: time(row.end)),
    number("MESSAGES", lambda row: row.messages),
    number("FAILED", lambda row: row.failed),
)
RECORDS = (
    Column("SOURCE", lambda row: text(row.source)),
    number("MESSAGES", lambda row: row.count),
    Column("DMARC", _passed),
    Column("DONE", lambda row: text(row.disposition)),
    Column("AUTHOR", lambda row: text(row.header_from)),
    Column("FOUND", _found),
)
DETAILS = (
    number("SESSIONS", lambda row: row.count),
    Column("RESULT", lambda row: text(row.result)),
    Column("HOST", lambda row: text(row.receiving_host)),
    Column("FROM", lambda row: text(row.sending_ip)),
    Column("REASON", lambda row: text(row.reason)[:60]),
)
SOURCES = (
    Column("DOMAIN", lambda row: text(row.domain)),
    Column("SOURCE", lambda row: text(row.address)),
    number("MESSAGES", lambda row: row.messages),
    number("FAILED", lambda row: row.failed),
    number("REPORTERS", lambda row: row.reporters),
    Column("LAST", lambda row: time(row.last)),
    Column("PASSED FOR", lambda row: text(", ".join(row.passed))[:80]),
)
