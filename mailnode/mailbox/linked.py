"""An account at the other end of a link: each verb is one call, asked once."""

from __future__ import annotations

from array import array
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from mailnode.mailbox.link import Attached, Link, Watching
from mailnode.mailbox.quota import Usage
from mailnode.mailbox.said import (
    gone_meant,
    numbers_of,
    ranges_said,
    run_meant,
    stored_meant,
    usage_meant,
)
from mailnode.mailbox.verbs import Gone, Mailboxes, Messages, UidRanges, Want
from mailnode.pb.account_pb2 import (
    Ask,
    Nothing,
    OctetsAsk,
    Origins,
    RowsAsk,
    RunsAsk,
    SearchAsk,
    SearchKey,
    WatchAsk,
)
from mailnode.pb.change_pb2 import Intent, Result

NOTHING = Nothing()


class LinkedAccount:
    """`verbs.Account`, but for `watch`, which raises Unreached, Interrupted and NotPrimary besides."""

    __slots__ = ("_link", "id")

    def __init__(self, account: int, link: Link) -> None:
        self.id = account
        self._link = link

    async def mailboxes(self) -> Mailboxes:
        return await self._link.mailboxes(self.id)

    def messages(self, mailbox: int, uids: UidRanges, want: Want) -> AsyncGenerator[Messages, None]:
        return self._runs(Ask(account=self.id, messages=_runs(mailbox, uids, want)))

    def departed(self, mailbox: int, uids: UidRanges, want: Want) -> AsyncGenerator[Messages, None]:
        return self._runs(Ask(account=self.id, departed=_runs(mailbox, uids, want)))

    async def _runs(self, ask: Ask) -> AsyncGenerator[Messages, None]:
        async with aclosing(self._link.each(ask)) as answers:
            async for answer in answers:
                yield run_meant(answer.run)

    async def octets(self, mail: int, start: int, end: int) -> AsyncGenerator[bytes, None]:
        ask = Ask(account=self.id, octets=OctetsAsk(mail=mail, start=start, end=end))
        async with aclosing(self._link.each(ask)) as answers:
            async for answer in answers:
                yield answer.chunk

    async def search(self, mailbox: int, key: SearchKey) -> array[int]:
        answer = await self._link.ask(Ask(account=self.id, search=SearchAsk(mailbox=mailbox, key=key)))
        return numbers_of(answer.found)

    async def apply(self, intent: Intent) -> Result:
        return (await self._link.ask(Ask(account=self.id, apply=intent))).result

    async def expunged(self) -> list[Gone]:
        return gone_meant((await self._link.ask(Ask(account=self.id, expunged=NOTHING))).expunged)

    async def usage(self) -> Usage:
        return usage_meant((await self._link.ask(Ask(account=self.id, usage=NOTHING))).usage)

    async def claim_recent(self, mailbox: int) -> tuple[int, int]:
        claimed = (await self._link.ask(Ask(account=self.id, claim_recent=mailbox))).claimed
        return claimed.first, claimed.next

    async def recent(self, mailbox: int) -> int:
        return (await self._link.ask(Ask(account=self.id, recent=mailbox))).recent

    async def row(self, kind: int, key: bytes) -> bytes:
        return await self._link.row(self.id, kind, key)

    async def rows(self, kind: int, prefix: bytes, after: bytes, count_max: int) -> list[tuple[bytes, bytes]]:
        rows = RowsAsk(kind=kind, prefix=prefix, after=after, count_max=count_max)
        return stored_meant((await self._link.ask(Ask(account=self.id, rows=rows))).rows)

    async def unique_ids(self, mailbox: int) -> dict[int, str]:
        return dict((await self._link.ask(Ask(account=self.id, unique_ids=mailbox))).unique_ids.ids)

    async def known(self, origins: Sequence[bytes]) -> list[bool]:
        answer = await self._link.ask(Ask(account=self.id, known=Origins(origins=origins)))
        return [bool(each) for each in answer.known]

    async def attach(self, position: int, mailbox: int, attached: Attached) -> Watching:
        """What `attached` hears is of a watch from this position on."""
        ask = Ask(account=self.id, watch=WatchAsk(position=position, mailbox=mailbox))
        return await self._link.watch(ask, attached)


def _runs(mailbox: int, uids: UidRanges, want: Want) -> RunsAsk:
    return RunsAsk(mailbox=mailbox, uids=ranges_said(uids), want=want)
