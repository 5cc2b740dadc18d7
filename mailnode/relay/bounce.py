"""The sender hears of what did not arrive: a report, delivered into the account that submitted."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from hashlib import blake2b

from mailnode.clock import Clock
from mailnode.limits import KiB
from mailnode.mailbox.content import Content, UploadIds
from mailnode.mailbox.names import INBOX
from mailnode.mailbox.verbs import Account, Expunged, NotKnown
from mailnode.pb.change_pb2 import Add, Intent, Upload
from mailnode.pb.row_pb2 import QueueRow
from mailnode.relay.waiting import item_name
from protocols.smtp.dsn import Action, Report, Undelivered
from protocols.smtp.envelope import Path
from protocols.smtp.trace import return_path

log = logging.getLogger(__name__)

HEAD_OCTETS_MAX = 64 * KiB
"""Of the header that a report shows."""


class Bounces:
    """`host` is who reports."""

    def __init__(self, host: str, upload_ids: UploadIds, clock: Clock) -> None:
        self._host = host
        self._upload_ids = upload_ids
        self._clock = clock

    async def tell(
        self, account: Account, mail: int, item: QueueRow, action: Action, undelivered: Sequence[Undelivered]
    ) -> bool:
        """Whether nothing is left to tell: the report is durable, or nobody is to have it; False: the
        sender's account is full, or the disk, or too much waits there. Asked again, it is there once."""
        sender = Path(item.reverse_path)
        if sender.null:  # RFC 5321 §6.1: nothing is sent about a notification
            item_is = item_name(account.id, mail)
            log.info("nobody to report to", extra={"item": item_is, "recipients": len(undelivered)})
            return True
        intent_id = _intent_id(mail, item, action)
        report = Report(
            self._host,
            intent_id.hex(),
            action,
            item.queued // 1_000_000,
            self._clock.now_microseconds() // 1_000_000,
        )
        octets = report.octets(sender, undelivered, await _head(account, mail, item))
        add = await self._add(account, octets)
        result = await account.apply(Intent(id=intent_id, retry=True, add=add))
        return result.refused not in ("OVERQUOTA", "DISKFULL", "UNAVAILABLE")

    async def _add(self, account: Account, octets: bytes) -> Add:
        async def upload(chunk: Upload) -> None:
            if (await account.apply(Intent(upload=chunk))).refused:
                raise NotKnown  # what an Add names must be there

        content = Content(upload, self._upload_ids)
        await content.write(return_path(Path(b"")) + octets)
        arrived = await content.finish()
        message = Add.Message(
            name=INBOX,
            mail=arrived.mail,
            octets=arrived.octets,
            head=arrived.head,
            forms=arrived.forms,
            inbox_stands_in=True,
        )
        return Add(messages=[message])


def _intent_id(mail: int, item: QueueRow, action: Action) -> bytes:
    """The same for the same attempt; its time is the item's, which is younger than results are kept."""
    about = f"{mail} {item.attempts} {action.value}".encode()
    return item.queued.to_bytes(8, "big") + blake2b(about, digest_size=8).digest()


async def _head(account: Account, mail: int, item: QueueRow) -> bytes:
    """The raw header of what was sent, with its empty line; less of a long one, nothing of a lost one."""
    octets = b""
    try:
        async for piece in account.octets(mail, item.start, min(item.start + HEAD_OCTETS_MAX, item.size)):
            octets += piece
    except Expunged:
        return b"\r\n"
    head, found, _ = octets.partition(b"\r\n\r\n")
    return (head if found else octets[: octets.rfind(b"\r\n")]) + b"\r\n\r\n"
