"""The queue at work: what is due is tried, and what became of it is a change of its account.

Between a server's `250` and that change a crash, or another node that leads the account, makes us try again:
a message may arrive twice, never not at all. An account that takes no change for a while does not: it is
asked again until it does. Everything else is as in the rows: an item is tried by one task at a time, and a
report about it is added under an id of its own, so that it comes once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from mailnode.clock import Clock
from mailnode.limits import Limits
from mailnode.mailauth.resolver import Unavailable as DnsUnavailable
from mailnode.mailbox.accounts import Accounts
from mailnode.mailbox.content import transaction_name
from mailnode.mailbox.dues import Task
from mailnode.mailbox.verbs import Account, Expunged, NotKnown, Unavailable, decided
from mailnode.metrics import Metrics
from mailnode.pb.change_pb2 import Intent, Queue
from mailnode.pb.row_pb2 import QueueRow
from mailnode.relay.attempt import Failed, Outgoing
from mailnode.relay.bounce import Bounces
from mailnode.relay.route import Host
from mailnode.relay.schedule import is_late, is_over, next_due
from mailnode.relay.waiting import item_name, queue_row, task_name
from mailnode.store.damage import Unreadable
from mailnode.store.keys import Due
from mailnode.traces import Span, Tell
from protocols.smtp.dsn import Action, Undelivered
from protocols.smtp.envelope import Body, MailParameters, Path
from protocols.smtp.reply import Reply

log = logging.getLogger(__name__)

Octets = Callable[[], AsyncIterator[bytes]]
"""Gives the content from its begin."""

_AGAIN_SECONDS = 1.0
"""Before an account is asked again that took no change."""

CONTENT_GONE = Reply(554, "5.3.0", "The content of the message is lost")
CONTENT_AWAY = Reply(451, "4.3.0", "The content of the message cannot be read at this moment")


class Routes(Protocol):
    async def hosts(self, domain: str) -> tuple[Host, ...] | Reply: ...


class Signer(Protocol):
    async def field(self, octets: Callable[[], AsyncIterator[bytes]]) -> bytes: ...


class Attempts(Protocol):
    async def make(self, host: Host, outgoing: Outgoing, recipients: Sequence[Path]) -> tuple[Reply, ...]: ...


@dataclass(frozen=True, slots=True)
class Relay:
    """What sending takes."""

    routes: Routes
    signer: Signer
    attempts: Attempts
    bounces: Bounces
    clock: Clock
    limits: Limits
    metrics: Metrics = field(default_factory=Metrics)
    traced: Tell | None = None


class Outbox:
    def __init__(self, accounts: Accounts, relay: Relay) -> None:
        self._accounts = accounts
        self._dues = accounts.dues
        self._relay = relay
        self._room = asyncio.Semaphore(relay.limits.relay_items_open_max)
        self._open: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Until it is cancelled; attempts under way are given up then and made again at the next start."""
        try:
            while True:
                await self._room.acquire()
                self._begin(await self._next())
        finally:
            for attempt in self._open:
                attempt.cancel()
            await asyncio.gather(*self._open, return_exceptions=True)

    async def _next(self) -> Task:
        """The next item that is due, when it is."""
        while (task := self._dues.take(Due.QUEUE, self._relay.clock.now_microseconds())) is None:
            await self._news()
        return task

    async def _news(self) -> None:
        """Something was queued, or the next time has come."""
        at = self._dues.next_time(Due.QUEUE)
        seconds = None if at is None else max(0, at - self._relay.clock.now_microseconds()) / 1e6
        try:
            async with asyncio.timeout(seconds):
                await self._dues.news(Due.QUEUE)
        except TimeoutError:
            pass

    def _begin(self, task: Task) -> None:
        attempt = asyncio.create_task(self._attempted(task))
        self._open.add(attempt)
        attempt.add_done_callback(self._ended)

    def _ended(self, attempt: asyncio.Task[None]) -> None:
        self._open.discard(attempt)
        self._room.release()

    async def _attempted(self, task: Task) -> None:
        """Whatever goes wrong with one item, it stays in the queue and holds up no other."""
        try:
            await self.attempt(task)
        except Unreadable:
            self._dues.aside(Due.QUEUE, task)
        except (NotKnown, Unavailable) as error:
            log.info("an item is tried later", extra={"item": task_name(task), "reason": error})
            self._later(task)
        except Exception:
            log.exception("an item of the queue could not be worked on", extra={"item": task_name(task)})
            self._later(task)

    def _later(self, task: Task) -> None:
        seconds = self._relay.limits.relay_retry_seconds_min
        later = self._relay.clock.now_microseconds() + seconds * 1_000_000
        self._dues.again(Due.QUEUE, task._replace(time_microseconds=later))

    async def attempt(self, task: Task) -> None:
        """Try one item, whatever its time is."""
        account = await self._accounts.open(task.account)
        item = await queue_row(account, task.key)
        if not item.recipients or item.held:
            return
        mail = int.from_bytes(task.key, "big")
        replies = await self._replies(account, mail, item)
        item.attempts += 1
        now = self._relay.clock.now_microseconds()
        failed = self._settle(item, replies, now)
        if failed and not await self._told(account, mail, item, Action.FAILED, failed):
            self._tell_later(item, failed, now)
        if item.recipients and is_late(item, now, self._relay.limits):
            waiting = [Undelivered(Path(one.forward_path), _read(one.reply)) for one in item.recipients]
            item.delay_told = await self._told(account, mail, item, Action.DELAYED, waiting)
        item.due = next_due(item, now, self._relay.clock.random(4), self._relay.limits)
        await _noted(account, Queue(mail=mail, item=item))

    async def _told(
        self, account: Account, mail: int, item: QueueRow, action: Action, undelivered: Sequence[Undelivered]
    ) -> bool:
        """As `Bounces.tell`; False too where it is not known: then it may be told twice."""
        try:
            return await self._relay.bounces.tell(account, mail, item, action, undelivered)
        except (NotKnown, Unavailable):
            return False

    def _settle(self, item: QueueRow, replies: dict[bytes, Reply], now: int) -> list[Undelivered]:
        """Leaves those in the item who still wait; gives those who never will."""
        over = is_over(item, now, self._relay.limits)
        failed = []
        waiting = []
        for one in item.recipients:
            reply = replies[one.forward_path]
            if reply.positive:
                continue
            if reply.code >= 500 or over:
                failed.append(Undelivered(Path(one.forward_path), reply))
            else:
                waiting.append(QueueRow.Recipient(forward_path=one.forward_path, reply=_written(reply)))
        del item.recipients[:]
        item.recipients.extend(waiting)
        return failed

    def _tell_later(self, item: QueueRow, failed: Sequence[Undelivered], now: int) -> None:
        """The sender's account is full: who failed stays, to be tried and told again for as long again."""
        if is_over(item, now - self._relay.limits.relay_kept_seconds_max * 1_000_000, self._relay.limits):
            log.warning("a report had no room", extra={"recipients": len(failed)})
            return
        item.recipients.extend(
            QueueRow.Recipient(forward_path=one.recipient.mailbox, reply=_written(one.reply))
            for one in failed
        )

    # -- one item

    async def _replies(self, account: Account, mail: int, item: QueueRow) -> dict[bytes, Reply]:
        """What was said for each recipient; those of one domain go together."""
        by_domain: dict[str, list[Path]] = {}
        for one in item.recipients:
            path = Path(one.forward_path)
            by_domain.setdefault(path.domain.decode("utf-8", "replace").lower(), []).append(path)
        try:
            outgoing = await self._outgoing(account, mail, item)
        except Expunged:
            return {one.forward_path: CONTENT_GONE for one in item.recipients}
        room = asyncio.Semaphore(self._relay.limits.relay_domains_open_max)
        replies: dict[bytes, Reply] = {}

        async def to(domain: str, paths: Sequence[Path]) -> None:
            async with room:
                said = await self._to_domain(domain, outgoing, paths, item.transaction)
            for path, reply in zip(paths, said, strict=True):
                replies[path.mailbox] = reply
                self._tell(account.id, mail, path, item, reply)

        most = self._relay.limits.relay_recipients_max
        groups = [
            (domain, paths[start : start + most])
            for domain, paths in by_domain.items()
            for start in range(0, len(paths), most)
        ]
        await asyncio.gather(*(to(domain, paths) for domain, paths in groups))
        return replies

    def _tell(self, account: int, mail: int, path: Path, item: QueueRow, reply: Reply) -> None:
        """The log and the metrics, of one recipient."""
        outcome = "sent" if reply.positive else "deferred" if reply.code < 500 else "failed"
        self._relay.metrics.relayed.add((outcome,))
        fields = {
            "item": item_name(account, mail),
            "transaction": transaction_name(item.transaction),
            "recipient": str(path),
            "reply": _written(reply),
        }
        log.info(outcome, extra=fields)

    async def _outgoing(self, account: Account, mail: int, item: QueueRow) -> Outgoing:
        """Signed last, when nothing is changed any more; raises Expunged."""
        octets: Octets = partial(account.octets, mail, item.start, item.size)
        field = await self._relay.signer.field(octets)
        body = Body.EIGHT_BIT_MIME if item.eight_bit_mime else Body.SEVEN_BIT
        parameters = MailParameters(len(field) + item.size - item.start, body, item.smtputf8)
        return Outgoing(Path(item.reverse_path), parameters, _signed(field, octets))

    async def _to_domain(
        self, domain: str, outgoing: Outgoing, paths: Sequence[Path], transaction: bytes
    ) -> tuple[Reply, ...]:
        try:
            hosts = await self._relay.routes.hosts(domain)
        except DnsUnavailable as error:
            return (Reply(451, "4.4.3", str(error)),) * len(paths)
        if isinstance(hosts, Reply):
            return (hosts,) * len(paths)
        said = Reply(451, "4.4.1", "No host answered")
        for host in hosts:
            try:
                return await self._made(host, outgoing, paths, transaction)
            except Failed as failed:
                said = failed.reply
            except (NotKnown, Unavailable):  # other domains have it: the item is not to be begun anew
                return (CONTENT_AWAY,) * len(paths)
        return (said,) * len(paths)

    async def _made(
        self, host: Host, outgoing: Outgoing, paths: Sequence[Path], transaction: bytes
    ) -> tuple[Reply, ...]:
        """One attempt, timed and traced; raises Failed."""
        metrics, clock, traced = self._relay.metrics, self._relay.clock, self._relay.traced
        began, wall = metrics.seconds(), clock.now_microseconds()
        well = False
        try:
            replies = await self._relay.attempts.make(host, outgoing, paths)
            well = all(reply.positive for reply in replies)
            return replies
        finally:
            metrics.attempts.of().observe(metrics.seconds() - began)
            if traced is not None and transaction:
                attributes: dict[str, str | int] = {"server.address": host.name}
                attributes["mailnode.recipients"] = len(paths)
                traced(Span("relay", transaction, wall, clock.now_microseconds(), attributes, well))


async def _noted(account: Account, queue: Queue) -> None:
    """Only then it is over: who was sent the message already would be sent it again."""
    while True:
        try:
            decided(await account.apply(Intent(queue=queue)))
            return
        except (NotKnown, Unavailable) as error:
            log.info("an item waits for its account", extra={"reason": error})
            await asyncio.sleep(_AGAIN_SECONDS)


def _signed(field: bytes, octets: Octets) -> Octets:
    async def signed() -> AsyncIterator[bytes]:
        yield field
        async for piece in octets():
            yield piece

    return signed


def _written(reply: Reply) -> str:
    return " ".join(f"{reply.code} {reply.enhanced} {' '.join((reply.text, *reply.more))}".split())


def _read(text: str) -> Reply:
    code, _, rest = text.partition(" ")
    return Reply(int(code), "", rest)
