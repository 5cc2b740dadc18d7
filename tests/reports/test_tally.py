"""What a report will say is counted, or left out; mail waits for neither."""

from __future__ import annotations

import asyncio
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
