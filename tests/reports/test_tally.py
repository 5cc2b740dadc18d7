"""What a report will say is counted, or left out; mail waits for neither."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from mailnode.limits import Limits
from mailnode.mailbox.verbs import Account, NotKnown, Unavailable
from mailnode.pb.change_pb2 import Intent, Result
from mailnode.pb.row_pb2 import DmarcRow
from mailnode.reports.places import DMARC
from mailnode.reports.tally import Tally
from tests.reports.scene import Noon


class Away:
    """Accounts of a node that cannot be asked."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def open(self, account: int) -> Account:
        raise self._error


class Full:
    """Accounts that take nothing, and say so."""

    async def open(self, account: int) -> Any:
        return self

    async def apply(self, intent: Intent) -> Result:
        return Result(refused="DISKFULL")


@pytest.mark.parametrize("accounts", [Away(Unavailable()), Away(NotKnown()), Full()])
def test_what_cannot_be_put_is_left_out_and_told_once(
    accounts: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def work() -> int:
        tally = Tally(DMARC, accounts, Noon(), Limits())
        for _ in range(3):
            await tally.count("asking.example", DmarcRow())
        return tally.left_out

    assert asyncio.run(work()) == 3
    (told,) = caplog.records
    assert told.levelname == "WARNING" and told.exc_info is None


class Slow:
    """Accounts of a data centre that is cut off, until it is not."""

    def __init__(self) -> None:
        self.healed = asyncio.Event()
        self.counts: asyncio.Queue[int] = asyncio.Queue()

    async def open(self, account: int) -> Any:
        return self

    async def apply(self, intent: Intent) -> Result:
        await self.healed.wait()
        self.counts.put_nowait(DmarcRow.FromString(intent.put_row.value).count)
        return Result()


def test_mail_waits_only_for_a_while_until_it_is_counted() -> None:
    async def work() -> None:
        slow = Slow()
        tally = Tally(DMARC, slow, Noon(), replace(Limits(), report_counted_seconds_max=0.0))  # type: ignore[arg-type]
        for _ in range(3):
            await tally.count("asking.example", DmarcRow())
        assert slow.counts.empty()
        slow.healed.set()
        assert await slow.counts.get() == 1, "what was on its way goes on by itself"
        await tally.count("asking.example", DmarcRow())
        assert await slow.counts.get() == 4
        assert tally.left_out == 0

    asyncio.run(work())
