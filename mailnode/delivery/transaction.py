"""A mail transaction: its recipients, its content, its copies."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from mailnode.clock import Clock
from mailnode.delivery.copies import QUEUE, Accounts, Copies
from mailnode.delivery.draft import Draft
from mailnode.delivery.examined import Examined
from mailnode.delivery.replies import (
    DISK_FULL,
    NO_SUCH_DOMAIN,
    NO_SUCH_USER,
    TOO_MANY_HOPS,
    UNAVAILABLE,
    accepted,
    durable,
    no_such_dc,
    one_for_all,
)
from mailnode.directory.address import Malformed, canonical_domain
from mailnode.directory.lookup import NotLocal, Resolution, Unknown
from mailnode.limits import Limits
from mailnode.mailauth.verdict import Disposition
from mailnode.mailbox.content import Arrived, Content, UploadIds, transaction_name
from mailnode.mailbox.names import JUNK
from mailnode.mailbox.verbs import NotKnown, Unavailable
from mailnode.metrics import Metrics
from mailnode.pb.row_pb2 import QueueRow
from mailnode.traces import Span, Tell
from protocols.smtp.envelope import Body, MailParameters, Path
from protocols.smtp.reply import RECIPIENT_OK, Reply
from protocols.smtp.trace import Came, received, return_path
from protocols.unforged import Unforged

log = logging.getLogger(__name__)

RANDOM_OCTETS = 8


class Lookup(Protocol):
    """What is asked of `directory.lookup.Lookup`."""

    async def resolve(self, address: str) -> Resolution: ...


@dataclass(frozen=True, slots=True)
class Delivery:
    """What all transactions of a node share."""

    lookup: Lookup
    accounts: Accounts
    upload_ids: UploadIds
    clock: Clock
    limits: Limits
    is_short: Callable[[], bool]
    """Whether the disk has no room for mail."""
    metrics: Metrics = field(default_factory=Metrics)
    traced: Tell | None = None
    authserv_ids: frozenset[str] = frozenset()
    """The names under which this site tells who has sent something, in lower case: RFC 8601 §2.5."""
    dcs: Callable[[], Collection[str]] = tuple
    """The data centres of the cluster."""

    def refusal(self, parameters: MailParameters) -> Reply | None:
        """Why no transaction begins."""
        if self.is_short():
            return DISK_FULL
        unknown = set(parameters.durable.dcs).difference(self.dcs())
        return no_such_dc(sorted(unknown)) if unknown else None


@dataclass(frozen=True, slots=True)
class Sender:
    """What MAIL said, and the account of the user who said it: 0 when it is nobody's."""

    reverse_path: Path
    parameters: MailParameters
    account: int


@dataclass(frozen=True, slots=True)
class Terms:
    """What differs between mail from the open net and from our users.

    `not_local` refuses recipients of other domains; None: their mail goes on. `missing(first, identity,
    seconds)` gives fields to put before the content, of which it sees the begin. `shows_client`: Received
    names who the message came from.
    """

    not_local: Reply | None
    missing: Callable[[bytes, str, int], bytes]
    shows_client: bool = True


class Transaction:
    """Ask `recipient` for each RCPT, then `write` content in pieces and `finish` with the last one.

    One that is given up is simply dropped: what was uploaded is swept later.
    """

    __slots__ = (
        "_began",
        "_came",
        "_content",
        "_copies",
        "_delivery",
        "_draft",
        "_examined",
        "_identity",
        "_item",
        "_recipients",
        "_sender",
        "_started",
        "_terms",
        "_unforged",
    )

    def __init__(
        self,
        delivery: Delivery,
        terms: Terms,
        came: Came,
        sender: Sender,
        examined: Examined | None = None,
        draft: Draft | None = None,
    ) -> None:
        """`examined` is for mail from other servers alone, `draft` for that of our users."""
        self._delivery = delivery
        self._examined = examined
        self._draft = draft
        self._unforged = Unforged(delivery.authserv_ids)
        self._terms = terms
        self._came = came
        self._sender = sender
        self._item = _item(sender)
        now = delivery.clock.now_microseconds().to_bytes(8, "big")
        self._identity = self._item.transaction = now + delivery.clock.random(RANDOM_OCTETS)
        self._recipients: list[tuple[Path, tuple[int, ...]]] = []
        grace_share, traced = delivery.limits.quota_grace_share, delivery.traced
        wanted = sender.parameters.durable
        self._copies = Copies(delivery.accounts, self._identity, grace_share, delivery.clock, traced, wanted)
        self._content = Content(self._copies.upload, delivery.upload_ids)
        self._began = False
        self._started = delivery.metrics.seconds()

    async def recipient(self, path: Path) -> Reply:
        try:
            resolution = await self._delivery.lookup.resolve(str(path))
        except (NotKnown, Unavailable, OSError):
            return UNAVAILABLE
        if isinstance(resolution, Unknown):
            return NO_SUCH_USER
        if isinstance(resolution, NotLocal):
            return self._terms.not_local or self._goes_on(path)
        accounts = tuple([one.id for one in resolution.accounts])
        size = max(self._sender.parameters.size, 1)  # a full account takes not even the smallest
        if (refused := await self._copies.likely_refusal(accounts, size)) is not None:
            return refused
        for one in resolution.accounts:
            self._copies.add(one.id, one.tag)
        self._recipients.append((path, accounts))
        return RECIPIENT_OK

    def _goes_on(self, path: Path) -> Reply:
        if not is_domain(str(path).rpartition("@")[2]):
            return NO_SUCH_DOMAIN
        if all(one.forward_path != path.mailbox for one in self._item.recipients):
            self._item.recipients.add(forward_path=path.mailbox)
        self._copies.queue(self._sender.account, self._item)
        self._recipients.append((path, (QUEUE,)))
        return RECIPIENT_OK

    async def write(self, octets: bytes) -> None:
        """Returns when as much is kept elsewhere that the next piece has room."""
        if self._examined is None:
            await self._take(octets)
        else:
            await self._examined.write(octets)

    async def _take(self, octets: bytes) -> None:
        if self._draft is not None:
            octets = await self._draft.feed(octets)
        await self._put(self._unforged.feed(octets))

    async def finish(self, octets: bytes) -> tuple[Reply, ...]:
        """A reply for each accepted recipient, in order; positive once its copies are durable."""
        ended = self._delivery.metrics.seconds()
        arrived = await self._end(octets)
        replies = await self._replies(arrived)
        self._tell(arrived.mail.size, replies, ended)
        return replies

    async def finish_as_one(self, octets: bytes) -> Reply:
        """One reply for all recipients. Where one of them has no room none has a copy: the sender asks again,
        and who is full is then refused alone, at RCPT."""
        ended = self._delivery.metrics.seconds()
        if self._examined is not None and (refused := await self._judged(self._examined, octets)):
            if self._examined.disposition is Disposition.REJECT:
                await self._examined.told()
            self._tell(self._examined.size, (refused,) * len(self._recipients), ended)
            return refused
        arrived = await self._end(octets)
        refused = await self._refused_before(arrived.mail.size)
        replies = (refused,) * len(self._recipients) if refused else await self._stored(arrived)
        self._tell(arrived.mail.size, replies, ended)
        return one_for_all(replies)

    async def _refused_before(self, octets: int) -> Reply | None:
        """Why none of several copies is made; a single one tells by itself whether it has room."""
        copies = {key for _, keys in self._recipients for key in keys}
        if len(copies) <= 1:
            return None
        return await self._copies.refusal(sorted(copies - {QUEUE}), octets)

    async def _stored(self, arrived: Arrived) -> tuple[Reply, ...]:
        """What was found out about it shares the sync of its copies."""
        if self._examined is None:
            return await self._replies(arrived)
        replies, _ = await asyncio.gather(self._replies(arrived), self._examined.told())
        return replies

    async def _judged(self, examined: Examined, octets: bytes) -> Reply | None:
        """Why the whole of it is not taken."""
        await examined.end(octets, [str(path) for path, _ in self._recipients])
        metrics = self._delivery.metrics
        for method, result in examined.words().items():
            metrics.authentication.add((method, result))
        metrics.dispositions.add((examined.disposition.value,))
        if examined.disposition is Disposition.QUARANTINE:
            self._copies.file(JUNK)
        return examined.refusal

    async def _end(self, octets: bytes) -> Arrived:
        """Of what was examined, `octets` are there already."""
        if self._examined is None:
            await self._take(octets)
        else:
            async for piece in self._examined.octets():
                await self._put(self._unforged.feed(piece))
        if self._draft is not None:
            await self._put(self._unforged.feed(await self._draft.end()))
        rest = self._unforged.end()
        if rest or not self._began:
            await self._write(rest)
        return await self._content.finish()

    async def _put(self, octets: bytes) -> None:
        """What is put in front sees the header whole, so nothing is written before."""
        if octets:
            await self._write(octets)

    async def _write(self, octets: bytes) -> None:
        if not self._began:
            self._began = True
            octets = self._front(octets) + octets
        await self._content.write(octets)

    async def _replies(self, arrived: Arrived) -> tuple[Reply, ...]:
        if self._draft is not None and self._draft.refusal is not None:
            return (self._draft.refusal,) * len(self._recipients)
        if hops(arrived.head) - 1 > self._delivery.limits.smtp_hops_max:  # RFC 5321 §6.3; one is our own
            return (TOO_MANY_HOPS,) * len(self._recipients)
        await self._copies.store(arrived)
        is_asked = self._sender.parameters.durable.copies and self._copies.durable
        well = accepted(self._name)
        if is_asked:
            well = durable(self._name, self._copies.durable, self._copies.dcs)
        return tuple(self._copies.outcome(keys) or well for _, keys in self._recipients)

    def _tell(self, size: int, replies: Sequence[Reply], ended: float) -> None:
        """`ended`: when its last octet was there."""
        metrics, service = self._delivery.metrics, _service(self._came.protocol)
        worst = one_for_all(replies)
        result = "taken" if worst.positive else "deferred" if worst.code < 500 else "refused"
        metrics.messages.add((service, result))
        if worst.positive:
            metrics.message_octets.add((service,), size)
        now = metrics.seconds()
        metrics.stored.of(service).observe(now - ended)
        metrics.transactions.of(service).observe(now - self._started)
        self._tell_log(size, replies, worst)
        if self._delivery.traced is not None:
            self._delivery.traced(self._span(service, size, worst))

    def _span(self, service: str, size: int, worst: Reply) -> Span:
        attributes: dict[str, str | int] = {
            "mailnode.transaction": self._name,
            "mailnode.service": service,
            "mailnode.size": size,
            "mailnode.reply": f"{worst.code} {worst.enhanced}",
            "network.peer.address": self._came.address,
        }
        began = int.from_bytes(self._identity[:8], "big")
        ended = self._delivery.clock.now_microseconds()
        return Span("message", self._identity, began, ended, attributes, worst.positive, whole=True)

    def _tell_log(self, size: int, replies: Sequence[Reply], worst: Reply) -> None:
        """One line a message, whatever became of it; who did not get it stands in `refused`."""
        paths = [str(path) for path, _ in self._recipients]
        refused = [path for path, reply in zip(paths, replies, strict=True) if not reply.positive]
        fields = {
            "transaction": self._name,
            "reverse_path": str(self._sender.reverse_path),
            "forward_paths": ",".join(paths),
            "size": size,
            "peer": self._came.address,
            "protocol": self._came.protocol,  # RFC 3848: with S it came in TLS, with A from a user
            "reply": f"{worst.code} {worst.enhanced}",
        }
        if self._copies.durable:
            fields["copies"] = str(self._copies.durable)  # that were durable before the reply
        if self._copies.dcs:
            fields["dcs"] = ",".join(self._copies.dcs)  # likewise, in each of them
        if self._examined is not None:
            fields |= self._examined.words() | {"disposition": self._examined.disposition.value}
        if self._unforged.taken:
            fields["forged_results"] = str(self._unforged.taken)
        if refused:
            fields["refused"] = ",".join(refused)
        log.info("message taken" if worst.positive else "message refused", extra=fields)

    @property
    def _name(self) -> str:
        """As logs, Received and the client know the transaction."""
        return transaction_name(self._identity)

    def _front(self, first: bytes) -> bytes:
        """Trace fields, RFC 5321 §4.4, and what the terms add."""
        only = self._recipients[0][0] if len(self._recipients) == 1 else None
        seconds = self._delivery.clock.now_microseconds() // 1_000_000
        path = return_path(self._sender.reverse_path)
        self._item.start = len(path)  # a field of the final delivery only: it does not go on
        examined = self._examined
        verdict, came = (b"", self._came) if examined is None else (examined.front(), examined.came)
        if not self._terms.shows_client:
            came = Came(came.host.encode(), "", came.host, came.protocol)
        trace = path + verdict + received(came, self._name, only, seconds)
        return trace + self._terms.missing(first, self._name, seconds)


def _item(sender: Sender) -> QueueRow:
    return QueueRow(
        reverse_path=sender.reverse_path.mailbox,
        smtputf8=sender.parameters.smtputf8,
        eight_bit_mime=sender.parameters.body is Body.EIGHT_BIT_MIME,
    )


def _service(protocol: str) -> str:
    """Of the name in Received: RFC 3848, RFC 6531 §4.3."""
    if "LMTP" in protocol:
        return "lmtp"
    return "submission" if protocol.endswith("A") else "smtp"


def is_domain(text: str) -> bool:
    """A name that the DNS can be asked for, or an address literal."""
    return text.startswith("[") or not isinstance(canonical_domain(text), Malformed)


def hops(head: bytes) -> int:
    """Received fields of a header."""
    return (b"\n" + head).lower().count(b"\nreceived:")
