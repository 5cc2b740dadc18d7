"""Reports come in: a reader of the accounts behind the `report_address` of our domains, as an IMAP client is.

Messages are delivered as any others. Where the reader was stands in a row of the account, so what came while
the node was down is read after it; a report that is read twice is kept once. Junk and Trash are not read:
who forges a report to us fails by DMARC as others do.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass

from mailnode.clock import Clock
from mailnode.directory.lookup import Lookup, Recipients
from mailnode.domain import Domain
from mailnode.limits import Limits
from mailnode.mailbox.accounts import Accounts
from mailnode.mailbox.verbs import ALL_UIDS, Account, Expunged, NotKnown, Resync, UidRanges, Unavailable, Want
from mailnode.metrics import Metrics
from mailnode.pb.change_pb2 import Intent, PutRow, Touched
from mailnode.pb.row_pb2 import MailRow, ReportRow
from mailnode.reports import opened, rowed
from mailnode.reports.kept import TAKEN, Kept
from mailnode.store.damage import Unreadable
from mailnode.store.keys import Kind
from protocols.reports.failure import Reported
from protocols.reports.tls import TlsReport
from protocols.reports.values import Malformed

log = logging.getLogger(__name__)

_PASSED_OVER = frozenset(("\\Junk", "\\Trash", "\\Drafts", "\\Sent"))


@dataclass(frozen=True, slots=True)
class Incoming:
    accounts: Accounts
    lookup: Lookup
    domains: Mapping[str, Domain]
    kept: Kept
    pool: Executor
    """For what takes long: a report of 64 MiB some seconds."""
    clock: Clock
    limits: Limits
    metrics: Metrics

    async def run(self) -> None:
        """Until it is cancelled. Each minute it is looked whose the addresses are, and who leads them."""
        following: dict[int, asyncio.Task[None]] = {}
        try:
            while True:
                await self._follow_those(await self._addressed(), following)
                await asyncio.sleep(self.limits.reports_looked_seconds)
        finally:
            for task in following.values():
                task.cancel()
            await asyncio.gather(*following.values(), return_exceptions=True)

    async def _addressed(self) -> set[int]:
        found: set[int] = set()
        for address in {domain.report_address for domain in self.domains.values()} - {""}:
            try:
                whose = await self.lookup.resolve(address)
            except (NotKnown, Unavailable, OSError):
                continue
            if isinstance(whose, Recipients):
                found.update(each.id for each in whose.accounts if self.accounts.leads(each.id))
        return found

    async def _follow_those(self, wanted: Collection[int], following: dict[int, asyncio.Task[None]]) -> None:
        for account, task in list(following.items()):
            if account not in wanted or task.done():
                task.cancel()
                del following[account]
        for account in wanted:
            if account not in following:
                following[account] = asyncio.ensure_future(self._followed(account))

    async def _followed(self, account: int) -> None:
        """What ends it is told, and a minute later it is begun anew."""
        try:
            await self.follow(await self.accounts.open(account))
        except (NotKnown, Unavailable, OSError) as error:
            log.info("reports are read later", extra={"account": f"{account:016x}", "reason": error})
        except Exception:  # our own mistake: others' reports go on
            log.exception("reports could not be read", extra={"account": f"{account:016x}"})

    async def follow(self, account: Account) -> None:
        """Without end; raises NotKnown."""
        read_to = int.from_bytes(await account.row(Kind.REPORTS_READ, b""), "big")
        watch = await account.watch(read_to, 0)
        try:
            while True:
                position = (await account.mailboxes()).position
                try:
                    came = watch.pending()
                except Resync:
                    await self._read_all(account)
                    await self._read_to(account, position)
                else:
                    await self._read_touched(account, came)
                    if any(mailbox.created for each in came for mailbox in each.mailboxes):
                        await self._read_to(account, came[-1].position)
                watch.told()
                await watch.wait()
        finally:
            watch.close()

    async def _read_to(self, account: Account, position: int) -> None:
        put = PutRow(kind=Kind.REPORTS_READ, key=b"", value=position.to_bytes(8, "big"))
        await account.apply(Intent(put_row=put))

    async def _read_all(self, account: Account) -> None:
        for mailbox in list((await account.mailboxes()).rows):
            await self._read_mailbox(account, mailbox, ALL_UIDS)

    async def _read_touched(self, account: Account, came: Iterable[Touched]) -> None:
        for touched in came:
            for each in touched.mailboxes:
                if each.created:
                    ranges = [(uids.first, uids.last) for uids in each.created]
                    await self._read_mailbox(account, each.mailbox, ranges)

    async def _read_mailbox(self, account: Account, mailbox: int, uids: UidRanges) -> None:
        row = (await account.mailboxes()).rows.get(mailbox)
        if row is None or row.special_use in _PASSED_OVER:
            return
        try:
            async for run in account.messages(mailbox, uids, Want.MAILS):
                for mail in run.mails:
                    await self.read(account, mail)
        except KeyError:
            return  # the mailbox went meanwhile

    async def read(self, account: Account, mail: MailRow) -> None:
        """Every report in a message; raises NotKnown."""
        for part in opened.parts(mail.part):
            try:
                octets = b"".join([piece async for piece in account.octets(mail.mail, part.body, part.end)])
                report = await asyncio.get_running_loop().run_in_executor(
                    self.pool, opened.read, octets, part.encoding, part.type
                )
            except (Expunged, Unreadable):
                return
            except Malformed as error:
                self.metrics.reports_received.add(("unknown", "malformed"))
                log.info("a part of a message is no report", extra={"type": part.type, "reason": error})
                continue
            await self._keep(report)

    async def _keep(self, report: opened.Report) -> None:
        rows = list(rowed.rows(report, self.kept.domains, self.clock.now_microseconds()))
        kind = _kind(report)
        if not rows:
            self.metrics.reports_received.add((kind, "not ours"))
        for row in rows:
            result = await self.kept.keep(row)
            self.metrics.reports_received.add((kind, result))
            if result == TAKEN and row.kind == ReportRow.AGGREGATE:
                self.metrics.reported_messages.add((row.domain, "fail"), row.failed)
                self.metrics.reported_messages.add((row.domain, "pass"), row.messages - row.failed)
            extra = {
                "domain": row.domain,
                "kind": kind,
                "organization": row.organization,
                "failed": row.failed,
            }
            log.info("a report came in", extra=extra | {"result": result})


def _kind(report: opened.Report) -> str:
    if isinstance(report, Reported):
        return "failure"
    return "tls" if isinstance(report, TlsReport) else "dmarc"
