"""The node's end of an import: what another store had enters one account."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from mailnode.admin.refusal import Refusal
from mailnode.mailbox.content import UploadIds
from mailnode.mailbox.verbs import Account, NotKnown
from mailnode.pb import admin_pb2 as pb
from mailnode.pb.change_pb2 import Intent, Result

_ASKS = frozenset(("add", "upload", "create_mailbox", "adopt", "subscribe"))


@dataclass(frozen=True, slots=True)
class Inlet:
    """Into one account. `answer` gives what an import asks after its first request."""

    account: Account
    upload_ids: UploadIds
    message_octets_max: int

    async def begin(self) -> pb.ImportAnswer:
        mailboxes = await self.account.mailboxes()
        account = pb.ImportAccount(message_octets_max=self.message_octets_max)
        for name, mailbox in mailboxes.names.items():
            account.mailboxes.add(name=name, row=mailboxes.rows[mailbox])
        return pb.ImportAnswer(account=account, upload=self.upload_ids.take())

    async def answer(self, request: pb.ImportRequest) -> pb.ImportAnswer:
        """Raises Refusal."""
        answer = pb.ImportAnswer(upload=self.upload_ids.take())
        if request.HasField("known"):
            answer.known = bytes(await self.account.known(request.known.origins))
        elif request.intent.WhichOneof("ask") in _ASKS:
            answer.result.CopyFrom(await self._apply(request.intent))
        else:
            raise Refusal("an import does not ask that")
        return answer

    async def _apply(self, intent: Intent) -> Result:
        try:
            return await self.account.apply(intent)
        except NotKnown:
            raise Refusal("it is not known whether all of it was stored: run it again") from None


async def answers(first: Inlet, requests: AsyncIterator[pb.ImportRequest]) -> AsyncIterator[pb.ImportAnswer]:
    """To each request behind the first."""
    yield await first.begin()
    async for request in requests:
        yield await first.answer(request)
