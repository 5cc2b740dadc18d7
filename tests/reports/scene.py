"""A node without listeners that authenticates and sends; a DNS server and a host for all other domains."""

from __future__ import annotations

import asyncio
import email
import email.policy
import shutil
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from email.message import EmailMessage
from functools import cache
from pathlib import Path

from mailnode.config import Config, Mailauth, Relay, Reports, load
from mailnode.mailbox.verbs import ALL_UIDS, Want
from mailnode.node.house import House, house
from mailnode.node.reporting import sending
from mailnode.node.works import _outbox
from mailnode.reports.places import DAY_SECONDS, DMARC, TLS, Topic, account_of
from mailnode.reports.sending import Sending
from tests.node.test_node import ALICE, PASSWORD, mailnode
from tests.relay.host import HOST, Scripted, listening
from tests.wire.nameserver import Nameserver

DAY = 20_454  # 2026-01-01
NOON = (DAY * DAY_SECONDS + DAY_SECONDS // 2) * 1_000_000
SECONDS_MAX = 30


class Noon:
    """Put forward by hand."""

    def __init__(self) -> None:
        self.now = NOON
        self._drawn = 0

    def now_microseconds(self) -> int:
        return self.now

    def monotonic_seconds(self) -> float:
        return self.now / 1e6

    def random(self, octets: int) -> bytes:
        self._drawn += 1
        return self._drawn.to_bytes(8, "big").rjust(octets, b"\0")[-octets:]


@dataclass(slots=True)
class Scene:
    config: Config
    parts: House
    clock: Noon
    host: Scripted
    sending: Sending
    names: dict[str, Mapping[str, Sequence[str]]]

    async def end_day(self) -> None:
        """Whatever is to be sent of it is due, and is sent; nothing works at it but this."""
        self.clock.now += 18 * 3600 * 1_000_000
        for topic in (DMARC, TLS):
            while task := self.parts.accounts.dues.take(topic.due, self.clock.now):
                await self.sending.reported(topic, task)

    async def rows(self, topic: Topic, domain: str) -> list[tuple[bytes, bytes]]:
        account = await self.parts.accounts.open(account_of(domain))
        return await account.rows(topic.kind, b"", b"", 1000)

    async def sent(self) -> EmailMessage:
        """The next message that the other host is sent."""
        await self.host.came.acquire()
        content = self.host.contents.pop(0).replace(b"\r\n..", b"\r\n.")
        message: EmailMessage = email.message_from_bytes(content, policy=email.policy.default)  # type: ignore[arg-type]
        return message

    async def inbox(self) -> list[bytes]:
        owner = await self.parts.people.lookup.owner(ALICE)
        assert owner is not None
        account = await self.parts.accounts.open(owner.account)
        row = (await account.mailboxes()).named("INBOX")
        assert row is not None
        found: list[bytes] = []
        async for run in account.messages(row.mailbox, ALL_UIDS, Want.OCTETS):
            found += run.octets
        return found


@cache
def _made(folder: Path) -> Path:
    directory = folder / "node"
    done = mailnode("init", str(directory), "--domain", "example.test", "--account", f"{ALICE}:{PASSWORD}")
    assert done.returncode == 0, done.stderr
    return directory


def made(tmp_path: Path) -> Path:
    """A node's directory; making one takes longer than copying it."""
    copy = tmp_path / "node"
    shutil.copytree(_made(tmp_path.parent), copy)
    return copy


@asynccontextmanager
async def running(
    directory: Path,
    names: dict[str, Mapping[str, Sequence[str]]],
    clock: Noon,
    reports: Reports,
    dns: int = 0,
    **limits: int,
) -> AsyncIterator[Scene]:
    host = Scripted()
    with Nameserver(names) as nameserver:
        async with listening(host) as port:
            config = replace(
                load(directory),
                dns=((HOST, dns or nameserver.port),),
                relay=Relay(port, loopback=True),
                mailauth=Mailauth("", exempt=()),
                reports=reports,
            )
            config = replace(config, limits=replace(config.limits, **limits))
            async with house(config, clock) as parts:
                assert config.relay is not None
                outbox = asyncio.ensure_future(_outbox(config, config.relay, parts).run())
                try:
                    yield Scene(config, parts, clock, host, sending(config, reports, parts), names)
                finally:
                    outbox.cancel()
                    await asyncio.gather(outbox, return_exceptions=True)


def played(work: Callable[[], Coroutine[None, None, None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(SECONDS_MAX):
            await work()

    asyncio.run(bounded())
