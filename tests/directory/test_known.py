"""From where users came, as it is kept of them."""

from __future__ import annotations

import asyncio
from typing import Any

from mailnode.directory.guesses import Standing
from mailnode.directory.known import Known
from mailnode.directory.source import source_of
from mailnode.limits import Limits
from mailnode.pb.change_pb2 import Intent, Result
from tests.directory.memory import StillClock


class OneRow:
    """Accounts of which each takes what `refused` does not refuse."""

    def __init__(self) -> None:
        self.refused = ""
        self._row = b""

    async def open(self, account: int) -> Any:
        return self

    async def row(self, kind: int, key: bytes) -> bytes:
        return self._row

    async def apply(self, intent: Intent) -> Result:
        if not self.refused:
            self._row = intent.put_row.value
        return Result(refused=self.refused)


def test_what_the_account_did_not_take_is_written_the_next_time() -> None:
    async def scene() -> None:
        accounts, home = OneRow(), source_of("192.0.2.1")
        known = Known(accounts, StillClock(), Limits())  # type: ignore[arg-type]
        for refused, standing in (("DISKFULL", Standing.STRANGER), ("", Standing.KNOWN)):
            accounts.refused = refused
            await known.remember(7, home)
            assert await known.standing(7, home) is standing

    asyncio.run(scene())
