"""What a report will say is counted, or left out; mail waits for neither."""

from __future__ import annotations

import asyncio

import pytest

from mailnode.limits import Limits
from mailnode.mailbox.verbs import Account, NotKnown, Unavailable
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


@pytest.mark.parametrize("error", [Unavailable(), NotKnown()])
def test_what_cannot_be_put_is_left_out_and_told_once(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    async def work() -> int:
        tally = Tally(DMARC, Away(error), Noon(), Limits())
        for _ in range(3):
            await tally.count("asking.example", DmarcRow())
        return tally.left_out

    assert asyncio.run(work()) == 3
    (told,) = caplog.records
    assert told.levelname == "WARNING" and told.exc_info is None
