"""Mail in from other stores and out to files, of a node that runs or of its directory."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import json
import os
import ssl
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from mailnode import node
from mailnode.admin import client
from mailnode.admin.refusal import Refusal
from mailnode.cli import lda
from mailnode.cli.asking import sockets
from mailnode.cli.failure import Failure
from mailnode.cli.printing import octets, text
from mailnode.clock import SystemClock
from mailnode.migration import arrival, departure
from mailnode.migration.arrival import Arrival, Ask
from mailnode.migration.departure import Departure, Export, Target
from mailnode.migration.maildir import MaildirSource
from mailnode.migration.maildir_target import MaildirTarget
from mailnode.migration.mbox import MboxSource, Quoting
from mailnode.migration.mbox_target import MboxTarget
from mailnode.migration.server import Login, Security, ServerSource
from mailnode.migration.source import Source, SourceError
from mailnode.pb import admin_pb2 as pb

QUOTINGS = tuple(each.value for each in Quoting)
SECURITIES = tuple(each.value for each in Security)
PASSWORD = "MAILNODE_IMPORT_PASSWORD"
NAMED_ALL_BUT = 3
"""Exit status: done, but for the messages that were named."""

Counts = arrival.Counts | departure.Counts


def import_maildir(options: argparse.Namespace) -> None:
    _import(options, MaildirSource(options.path, options.source, options.pop3_uidl))


def import_mbox(options: argparse.Namespace) -> None:
    quoting = Quoting(options.quoting)
    _import(options, MboxSource(options.path, options.source, options.pop3_uidl, quoting))


def import_imap(options: argparse.Namespace) -> None:
    security = Security(options.security)
    login = Login(
        host=options.host,
        port=options.port or (993 if security is Security.TLS else 143),
        security=security,
        user=options.user,
        master=options.master,
        password=_password(options),
        context=_context(options),
    )
    try:
        source = ServerSource(login, options.source or f"{options.user}@{options.host}", options.pop3_uidl)
    except SourceError as error:
        raise Failure(str(error)) from None
    try:
        _import(options, source)
    finally:
        source.close()


def export_maildir(options: argparse.Namespace) -> None:
    _export(options, MaildirTarget(options.path, options.crlf))


def export_mbox(options: argparse.Namespace) -> None:
    _export(options, MboxTarget(options.path, options.crlf))


def deliver(options: argparse.Namespace) -> None:
    lda.deliver(options.directory, options.addresses, options.sender, sys.stdin.buffer)


def _password(options: argparse.Namespace) -> str:
    if options.password_file is not None:
        lines: list[str] = options.password_file.read_text("utf-8").splitlines()
        return lines[0] if lines else ""
    return os.environ.get(PASSWORD) or getpass.getpass(f"Password at {options.host}: ")


def _context(options: argparse.Namespace) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=options.certificate)
    if options.no_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


# -- in and out


def _import(options: argparse.Namespace, source: Source) -> None:
    async def work(counts: arrival.Counts) -> None:
        async with _importing(options.directory, options.address) as ask:
            await Arrival(ask, source, options.into, options.mailbox, options.keep_uids, counts).run(
                options.address
            )

    counts = arrival.Counts()
    with _progress("imported", lambda: counts.imported + counts.present) as told:
        counts.told = told
        _run(work(counts))
    _conclude(counts, counts.imported, "imported", options.json)


def _export(options: argparse.Namespace, target: Target) -> None:
    async def work(counts: departure.Counts) -> None:
        async with _exporting(options.directory) as export:
            leaving = Departure(export, options.address, target, options.mailbox, counts)
            await leaving.run(await leaving.mailboxes())

    counts = departure.Counts()
    with _progress("exported", lambda: counts.exported + counts.present) as told:
        counts.told = told
        _run(work(counts))
    _conclude(counts, counts.exported, "exported", options.json)


def _run(work: object) -> None:
    try:
        asyncio.run(work)  # type: ignore[arg-type]
    except (Refusal, SourceError, client.Failed) as error:
        raise Failure(str(error)) from None
    except client.NotRunning:
        raise Failure("the node stopped: run it again") from None


@asynccontextmanager
async def _importing(directory: Path, address: str) -> AsyncIterator[Ask]:
    """By the node, or, while none runs, as it would."""
    if (socket := client.running(sockets(directory))) is not None:
        async with client.importing(socket) as ask:
            yield ask
        return
    async with node.offline(directory, SystemClock()) as whole:
        inlet = await whole.everywhere.operator.inlet(address)

        async def asked(request: pb.ImportRequest) -> pb.ImportAnswer:
            return await (inlet.begin() if request.address else inlet.answer(request))

        yield asked


@asynccontextmanager
async def _exporting(directory: Path) -> AsyncIterator[Export]:
    if (socket := client.running(sockets(directory))) is not None:
        yield lambda request: client.exporting(socket, request)
        return
    async with node.offline(directory, SystemClock()) as whole:
        yield whole.everywhere.operator.Export


# -- what is said


@contextmanager
def _progress(what: str, done: Callable[[], int]) -> Iterator[Callable[[Counts], None]]:
    """On a terminal, a line that moves."""
    columns = (BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=None)

        def told(counts: Counts) -> None:
            line = f"{done()} messages {what}, {octets(counts.octets)}, {len(counts.failed)} not"
            completed = done() + len(counts.failed)
            progress.update(task, description=line, completed=completed, total=counts.total or None)

        yield told


def _conclude(counts: Counts, done: int, what: str, as_json: bool) -> None:
    if as_json:
        fields = asdict(counts)
        del fields["told"], fields["total"]
        if isinstance(counts, arrival.Counts):
            fields["keywords_left_out"] = sorted(counts.keywords_left_out)
        print(json.dumps(fields, indent=2, ensure_ascii=False))
    else:
        for each in counts.failed:
            print(f"{text(each.message)}: {text(each.mailbox)}: {text(each.reason)}", file=sys.stderr)
        if isinstance(counts, arrival.Counts) and counts.keywords_left_out:
            names = " ".join(sorted(counts.keywords_left_out))
            print(f"keywords that IMAP cannot say were left out: {text(names)}", file=sys.stderr)
        print(
            f"{done} messages {what} ({octets(counts.octets)}), {counts.present} were there already, "
            f"{len(counts.failed)} not {what}, in {counts.mailboxes} mailboxes"
        )
    if counts.failed:
        raise Failure(f"{len(counts.failed)} messages were not {what}", NAMED_ALL_BUT)
