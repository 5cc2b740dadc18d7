"""Content from another server: kept back until its verdict is known, for that stands in front of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mailnode.delivery.held import Held
from mailnode.delivery.replies import NOT_KNOWN, rejected
from mailnode.mailauth.verdict import Disposition, Envelope, Verdict, Verdicts, disposition
from protocols.smtp.reply import Reply
from protocols.smtp.trace import Came


@dataclass(frozen=True, slots=True)
class Authentication:
    """How a node finds out who mail from other servers is from, and what it does then.

    `directory` is where long content waits. `rejects` says whether the domain of a recipient wants mail
    rejected where its author's domain does; `defers`: what cannot be known now shall come again.
    """

    verdicts: Verdicts
    authserv_id: str
    directory: Path
    rejects: Callable[[str], bool]
    defers: bool


class Examined:
    """`write` all but the last octets, `end` with those; then the rest is known."""

    __slots__ = (
        "_authentication",
        "_came",
        "_examination",
        "_held",
        "_override",
        "_verdict",
        "disposition",
        "size",
    )

    def __init__(self, authentication: Authentication, came: Came, reverse_path: str) -> None:
        self._authentication = authentication
        self._came = came
        name = came.name.decode("utf-8", "replace")
        self._examination = authentication.verdicts.begin(Envelope(came.address, name, reverse_path))
        self._held = Held(authentication.directory)
        self._verdict: Verdict | None = None
        self._override = ""
        self.disposition = Disposition.NONE
        self.size = 0

    async def write(self, octets: bytes) -> None:
        """Raises OSError."""
        self.size += len(octets)
        await self._held.write(octets)

    async def end(self, octets: bytes, recipients: Sequence[str]) -> None:
        """Raises OSError. After DATA one reply is for all: only what every recipient refuses is refused."""
        await self.write(octets)
        authentication = self._authentication
        verdict = self._verdict = await self._examination.end(self._held.octets)
        rejects = all(map(authentication.rejects, recipients))
        self.disposition, self._override = disposition(verdict.dmarc, rejects, authentication.defers)

    def octets(self) -> AsyncIterator[bytes]:
        """As they came; raises OSError."""
        return self._held.octets()

    @property
    def refusal(self) -> Reply | None:
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

    def words(self) -> dict[str, str]:
        """For the log and metrics."""
        return {} if self._verdict is None else self._verdict.words()
