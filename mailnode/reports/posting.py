"""Mail of the node's own: reports, out of a system account, which nothing comes back of."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from hashlib import blake2b

from mailnode.directory.lookup import Lookup, NotLocal, Unknown
from mailnode.mailbox.accounts import Accounts
from mailnode.mailbox.content import Arrived, Content, UploadIds
from mailnode.mailbox.names import INBOX
from mailnode.mailbox.verbs import Account, NotKnown, decided
from mailnode.pb.change_pb2 import Add, Intent, Submit, Upload
from mailnode.pb.row_pb2 import QueueRow
from protocols.smtp.envelope import Path
from protocols.smtp.trace import return_path

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Name:
    """What a message is: asked for again under the same name it goes once. Microseconds, of about now."""

    time_microseconds: int
    about: str

    @property
    def intent_id(self) -> bytes:
        time = self.time_microseconds.to_bytes(8, "big")
        return time + blake2b(self.about.encode(), digest_size=8).digest()

    @property
    def text(self) -> str:
        return self.intent_id.hex()


class Posting:
    """`reverse_path` is empty for the null one."""

    def __init__(self, accounts: Accounts, lookup: Lookup, upload_ids: UploadIds, reverse_path: str) -> None:
        self._accounts = accounts
        self._lookup = lookup
        self._upload_ids = upload_ids
        self._reverse_path = reverse_path.encode()

    async def post(self, account: Account, name: Name, recipient: str, octets: bytes) -> bool:
        """To one address: into its mailbox where it is one of ours, else into the account's queue. Whether it
        could; raises NotKnown and Unavailable."""
        whose = await self._lookup.resolve(recipient)
        if isinstance(whose, NotLocal):
            return await self._submit(account, name, recipient, octets)
        if isinstance(whose, Unknown):
            log.warning("nobody has the address for a report", extra={"recipient": recipient})
            return False
        taken = False
        for each in whose.accounts:
            taken |= await self._add(await self._accounts.open(each.id), name, octets)
        return taken

    async def _submit(self, account: Account, name: Name, recipient: str, octets: bytes) -> bool:
        arrived = await self._arrived(account, octets)
        item = QueueRow(
            reverse_path=self._reverse_path,
            recipients=[QueueRow.Recipient(forward_path=recipient.encode())],
            transaction=name.intent_id,
        )
        submit = Submit(
            mail=arrived.mail, octets=arrived.octets, head=arrived.head, forms=arrived.forms, item=item
        )
        intent = Intent(id=name.intent_id, retry=True, submit=submit)
        return not decided(await account.apply(intent)).refused

    async def _add(self, account: Account, name: Name, octets: bytes) -> bool:
        arrived = await self._arrived(account, return_path(Path(self._reverse_path)) + octets)
        message = Add.Message(
            name=INBOX,
            mail=arrived.mail,
            octets=arrived.octets,
            head=arrived.head,
            forms=arrived.forms,
            inbox_stands_in=True,
        )
        intent = Intent(id=name.intent_id, retry=True, add=Add(messages=[message]))
        return not decided(await account.apply(intent)).refused

    async def _arrived(self, account: Account, octets: bytes) -> Arrived:
        async def upload(chunk: Upload) -> None:
            if (await account.apply(Intent(upload=chunk))).refused:
                raise NotKnown  # what an intent names must be there

        content = Content(upload, self._upload_ids)
        await content.write(octets)
        return await content.finish()
