"""Messages of an account in a copy of a shard, into an account that has others: added as new ones."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, NamedTuple

from mailnode.limits import MiB
from mailnode.mailbox.arrays import Arrays
from mailnode.mailbox.content import UploadIds
from mailnode.mailbox.keywords import names_of
from mailnode.mailbox.names import full_names
from mailnode.mailbox.reads import Reads
from mailnode.mailbox.rows import BLOB_CHUNK_OCTETS, ENTRY, SYSTEM_FLAGS, cut
from mailnode.mailbox.verbs import ALL_UIDS, Account, Expunged, Want
from mailnode.pb.change_pb2 import Add, CreateMailbox, Intent, Subscribe, Upload
from mailnode.pb.row_pb2 import MailboxRow, MailRow

log = logging.getLogger(__name__)

_MESSAGES = 100
_OCTETS = 4 * MiB
"""Of one intent."""

InPool = Callable[[Callable[[], Any]], Awaitable[Any]]


class NotMerged(Exception):
    """The text is one line."""


class _Came(NamedTuple):
    """A message of the copy; `octets` is empty for a long one."""

    flags: int
    keywords: list[str]
    internal_date: int
    mail: MailRow
    head: bytes
    forms: bytes
    octets: bytes


class Merging:
    """`messages` came, `present` were there already: their octets lay in the mailbox of that name."""

    def __init__(self, reads: Reads, account: Account, upload_ids: UploadIds, in_pool: InPool) -> None:
        self._reads = reads
        self._account = account
        self._upload_ids = upload_ids
        self._in_pool = in_pool
        self.messages = 0
        self.present = 0

    async def merge(self) -> None:
        """Raises NotMerged and NotKnown; asked again, it goes on."""
        head = await self._in_pool(self._reads.head)
        for name, mailbox in full_names(head.mailboxes).items():
            row = head.mailboxes[mailbox]
            if not row.noselect:
                await self._mailbox(name, row)
        for name in sorted(head.subscribed):
            await self._account.apply(Intent(subscribe=Subscribe(name=name, subscribed=True)))

    async def _mailbox(self, name: str, row: MailboxRow) -> None:
        await self._make(name, row)
        present = await self._present(name)
        arrays = await self._in_pool(lambda: self._reads.arrays(row.mailbox))
        came = self._messages(row, arrays)
        add = Add()
        while (message := await self._in_pool(lambda: next(came, None))) is not None:
            if message.mail.checksum in present:
                self.present += 1
                continue
            add.messages.append(await self._message(name, message))
            if len(add.messages) >= _MESSAGES or add.ByteSize() >= _OCTETS:
                await self._add(add)
                add = Add()
        if add.messages:
            await self._add(add)

    async def _make(self, name: str, row: MailboxRow) -> None:
        if (await self._account.mailboxes()).named(name) is not None:
            return
        ask = CreateMailbox(name=name, special_use=row.special_use)
        refused = (await self._account.apply(Intent(create_mailbox=ask))).refused
        if refused == "USEATTR":  # another mailbox has that use
            ask.special_use = ""
            refused = (await self._account.apply(Intent(create_mailbox=ask))).refused
        if refused:
            raise NotMerged(f"the mailbox {name!a} cannot be made: {refused}")

    async def _present(self, name: str) -> set[bytes]:
        """The checksums of what lies in the mailbox of that name."""
        row = (await self._account.mailboxes()).named(name)
        assert row is not None
        found: set[bytes] = set()
        async for run in self._account.messages(row.mailbox, ALL_UIDS, Want.MAILS):
            found.update(mail.checksum for mail in run.mails)
        return found

    async def _add(self, add: Add) -> None:
        refused = (await self._account.apply(Intent(add=add))).refused
        if refused:
            raise NotMerged(f"{add.messages[0].name!a} takes no more: {refused}")
        self.messages += len(add.messages)

    async def _message(self, name: str, came: _Came) -> Add.Message:
        message = Add.Message(
            name=name,
            flags=came.flags & SYSTEM_FLAGS,
            keywords=came.keywords,
            internal_date=came.internal_date,
            mail=came.mail,
            octets=came.octets,
            head=came.head,
            forms=came.forms,
        )
        message.mail.upload = 0
        if came.mail.size and not came.octets:
            message.mail.upload = await self._uploaded(came.mail)
        return message

    async def _uploaded(self, mail: MailRow) -> int:
        upload = self._upload_ids.take()
        for chunk in range(-(-mail.size // BLOB_CHUNK_OCTETS)):
            octets = await self._in_pool(lambda at=chunk: self._reads.chunk(mail, at))  # type: ignore[misc]
            ask = Upload(upload=upload, chunk=chunk, octets=octets)
            refused = (await self._account.apply(Intent(upload=ask))).refused
            if refused:
                raise NotMerged(f"a long message finds no room: {refused}")
        return upload

    def _messages(self, row: MailboxRow, arrays: Arrays) -> Iterator[_Came]:
        """Those that can be read; what cannot is reported. Blocking."""
        for entry in cut(bytes(arrays.entries)):
            _, _, _, flags, _, _, date, uid = ENTRY.unpack(entry)
            keywords = [*names_of(row.keywords, flags)]
            if uid in arrays.overflow:
                keywords += arrays.overflow[uid].names
            try:
                mail, head, forms = self._reads.kept(entry)
                short = mail.size <= BLOB_CHUNK_OCTETS
                octets = self._reads.octets(mail, 0, mail.size) if short else self._whole(mail)
            except Expunged:
                continue
            yield _Came(flags, keywords, date, mail, head, forms, octets)

    def _whole(self, mail: MailRow) -> bytes:
        """Nothing, once all chunks of a long message are known to be there."""
        for chunk in range(-(-mail.size // BLOB_CHUNK_OCTETS)):
            self._reads.chunk(mail, chunk)
        return b""
