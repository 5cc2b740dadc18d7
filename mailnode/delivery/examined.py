"""Content from another server: kept back until its verdict is known, for that stands in front of it."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Network, IPv6Network, ip_address

from mailnode.delivery.held import Held, Spool
from mailnode.delivery.replies import DISK_FULL, NOT_KNOWN, rejected
from mailnode.limits import KiB
from mailnode.mailauth.signatures import head, head_end
from mailnode.mailauth.verdict import (
    Disposition,
    Envelope,
    Examination,
    Verdict,
    Verdicts,
    disposition,
    vouched,
)
from protocols.smtp.reply import Reply
from protocols.smtp.trace import Came

log = logging.getLogger(__name__)

FORESEEN_OCTETS = 64 * KiB
"""A header that is longer is read when its message has ended: it is kept for each that is under way."""


Judged = Callable[[Verdict, Disposition, str, bytes, str], Awaitable[None]]
"""Takes the verdict on a message with what it came to, why it is no other, the header and the results;
these two are empty where the policy's owner asks for no failure reports. Returns once it is durable."""


@dataclass(frozen=True, slots=True)
class Authentication:
    """How a node finds out who mail from other servers is from, and what it does then.

    `rejects` says whether the domain of a recipient wants mail rejected where its author's domain does;
    `defers`: what cannot be known now shall come again. Nobody asks about `exempt` addresses: whoever they
    pass mail on for is not known here.
    """

    verdicts: Verdicts
    authserv_id: str
    spool: Spool
    rejects: Callable[[str], bool]
    defers: bool
    exempt: tuple[IPv4Network | IPv6Network, ...] = ()
    sealers: frozenset[str] = frozenset()
    """Domains that are believed what they seal, RFC 8617: those of mailing lists."""
    judged: Judged | None = None
    """Who keeps what reports say."""

    def is_exempt(self, address: str) -> bool:
        """The empty address, of a unix socket, is."""
        if not address:
            return True
        host = ip_address(address.partition("%")[0])
        host = (host.version == 6 and host.ipv4_mapped) or host
        return any(host in network for network in self.exempt)


class Examined:
    """`write` all but the last octets, `end` with those; then the rest is known."""

    __slots__ = (
        "_authentication",
        "_came",
        "_examination",
        "_failed",
        "_head",
        "_held",
        "_override",
        "_reverse_path",
        "_verdict",
        "disposition",
        "size",
    )

    def __init__(self, authentication: Authentication, came: Came, reverse_path: str) -> None:
        self._authentication = authentication
        self._came = came
        self._reverse_path = reverse_path
        self._examination: Examination | None = None
        self._head: bytearray | None = bytearray()  # until it is whole; None: nobody needs it any more
        self._held = Held(authentication.spool)
        self._failed = False
        self._verdict: Verdict | None = None
        self._override = ""
        self.disposition = Disposition.NONE
        self.size = 0

    async def write(self, octets: bytes) -> None:
        """What cannot be kept is refused at the end: SMTP has no reply before."""
        if self._head is not None:
            self._foresee(octets)
        await self._keep(octets)

    def _foresee(self, octets: bytes) -> None:
        """While a long body is under way the DNS is asked what its header leads to."""
        head = self._head
        assert head is not None
        seen = len(head)
        head += octets
        if (end := head_end(head, seen)) >= 0:
            self._head = None
            self._begun().foresee(bytes(head[:end]))
        elif len(head) > FORESEEN_OCTETS:
            self._head = None

    async def _keep(self, octets: bytes) -> None:
        self._begun()
        self.size += len(octets)
        if self._failed:
            return
        try:
            await self._held.write(octets)
        except OSError:
            self._failed = True
            log.exception("a content could not be kept for its verdict")

    async def end(self, octets: bytes, recipients: Sequence[str]) -> None:
        """Raises OSError. After DATA one reply is for all: only what every recipient refuses is refused."""
        await self._keep(octets)
        if self._failed:
            return
        authentication = self._authentication
        verdict = self._verdict = await self._begun().end(self._held.octets)
        rejects = all(map(authentication.rejects, recipients))
        self.disposition, self._override = disposition(verdict.dmarc, rejects, authentication.defers)
        if self.disposition is not Disposition.NONE and (why := vouched(verdict.arc, authentication.sealers)):
            self.disposition, self._override = Disposition.NONE, why

    def _begun(self) -> Examination:
        """Not before there is content: who names only wrong recipients has nobody asked."""
        if self._examination is None:
            name = self._came.name.decode("utf-8", "replace")
            envelope = Envelope(self._came.address, name, self._reverse_path)
            self._examination = self._authentication.verdicts.begin(envelope)
        return self._examination

    def octets(self) -> AsyncIterator[bytes]:
        """As they came; raises OSError."""
        return self._held.octets()

    @property
    def refusal(self) -> Reply | None:
        if self._failed:
            return DISK_FULL
        if self.disposition is Disposition.DEFER:
            return NOT_KNOWN
        if self.disposition is Disposition.REJECT and self._verdict is not None:
            return rejected(self._verdict.dmarc.domain or "its author's domain")
        return None

    @property
    def came(self) -> Came:
        """With the name that the address has."""
        return (
            self._came
            if self._verdict is None
            else replace(self._came, reverse_name=self._verdict.iprev.name)
        )

    def front(self) -> bytes:
        """The fields that tell the verdict."""
        if self._verdict is None:
            return b""
        identity, host = self._authentication.authserv_id, self._came.host
        return self._verdict.fields(identity, host, self.disposition, self._override)

    async def told(self) -> None:
        """Whoever keeps what reports say has it durably, as far as it can be kept."""
        judged, verdict = self._authentication.judged, self._verdict
        if judged is None or verdict is None or verdict.dmarc.applied is None:
            return
        header, results = b"", ""
        if verdict.dmarc.applied.record.ruf:
            header = await head(self._held.octets)
            field = self.front().partition(b"\r\nReceived-SPF")[0]
            results = field.partition(b":")[2].decode("utf-8", "replace")
        await judged(verdict, self.disposition, self._override, header, results)

    def words(self) -> dict[str, str]:
        """For the log and metrics."""
        return {} if self._verdict is None else self._verdict.words()
