"""A message as it comes in: parsed while it streams, and where its octets are until an account names them.

Up to one chunk of the shard (256 KiB) is held in memory and travels with the intent; of a longer message each
chunk is uploaded as it fills, so that no message is held whole.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from hashlib import blake2b

from mailnode.clock import Clock
from mailnode.mailbox.forms import form_row
from mailnode.mailbox.rows import BLOB_CHUNK_OCTETS
from mailnode.pb.change_pb2 import Upload
from mailnode.pb.row_pb2 import MailRow, Part
from protocols.mime import part as mime
from protocols.mime.digest import Digest, digest_of
from protocols.mime.scan import Scanner

_CHECKSUM_OCTETS = 16


def transaction_name(identity: bytes) -> str:
    """As logs, Received and the client know a transaction: of its 16 octets, those that differ."""
    return identity[2:12].hex()


class UploadIds:
    """Ids of uploads, never one twice in a run of the node: the time, as the sweeper of orphans reads it.

    They are two apart: the one behind each is that of `going_on`.
    """

    __slots__ = ("_clock", "_last")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = 0

    def take(self) -> int:
        self._last = max(self._clock.now_microseconds(), self._last + 2)
        return self._last


def going_on(upload: int) -> int:
    """The upload of the same content for the queue: the mail of a user and what waits end at other times."""
    return upload and upload + 1


@dataclass(frozen=True, slots=True)
class Arrived:
    """A whole message, in the words of `Add.Message`: `octets` is empty when `mail.upload` names chunks."""

    mail: MailRow
    octets: bytes
    head: bytes
    forms: bytes
    references: tuple[bytes, ...]


class Content:
    """`upload` makes a chunk of a long message known to the account that the message will enter."""

    __slots__ = (
        "_checksum",
        "_chunks",
        "_held",
        "_held_octets",
        "_scanner",
        "_upload",
        "_upload_id",
        "_upload_ids",
    )

    def __init__(self, upload: Callable[[Upload], Awaitable[None]], upload_ids: UploadIds) -> None:
        self._upload = upload
        self._upload_ids = upload_ids
        self._upload_id = 0
        self._chunks = 0
        self._held: list[bytes] = []  # joined once, and never where there is one piece
        self._held_octets = 0
        self._checksum = blake2b(digest_size=_CHECKSUM_OCTETS)
        self._scanner = Scanner()

    async def write(self, octets: bytes) -> None:
        """The next octets, as they are to be stored; raises what `upload` raises."""
        self._scanner.feed(octets)
        self._checksum.update(octets)
        self._held.append(octets)
        self._held_octets += len(octets)
        while self._held_octets > BLOB_CHUNK_OCTETS:
            await self._upload_chunk()

    async def finish(self) -> Arrived:
        while self._upload_id and self._held_octets:
            await self._upload_chunk()
        digest = digest_of(self._scanner.close())
        mail = mail_row(digest)
        mail.checksum = self._checksum.digest()
        mail.upload = self._upload_id
        return Arrived(mail, b"".join(self._held), digest.head, form_row(digest), _answered(digest))

    async def _upload_chunk(self) -> None:
        self._upload_id = self._upload_id or self._upload_ids.take()
        held = b"".join(self._held)
        octets, rest = held[:BLOB_CHUNK_OCTETS], held[BLOB_CHUNK_OCTETS:]
        self._held = [rest] if rest else []
        self._held_octets = len(rest)
        chunk, self._chunks = self._chunks, self._chunks + 1
        await self._upload(Upload(upload=self._upload_id, chunk=chunk, octets=octets))


def mail_row(digest: Digest) -> MailRow:
    """What is kept of a message beside its octets and forms, but for where they are and when they came."""
    sort = digest.sort
    return MailRow(
        size=digest.size,
        header=len(digest.head),
        part=_part(digest.root),
        preview=_unicode(digest.preview),
        base_subject=_unicode(sort.base_subject),
        sort_from=_unicode(sort.from_mailbox),
        sort_to=_unicode(sort.to_mailbox),
        sort_cc=_unicode(sort.cc_mailbox),
        sent=digest.sent.seconds if digest.sent else 0,
        message_id=digest.message_id,
    )


def _part(part: mime.Part) -> Part:
    return Part(
        header=part.header_start,
        body=part.body_start,
        end=part.body_end,
        type=part.content_type.media_type.decode("ascii", "replace"),
        encoding=part.encoding.decode("ascii", "replace"),
        charset=part.content_type.charset.decode("ascii", "replace"),
        decoded=part.decoded_size,
        lines=part.lines,
        parts=[_part(child) for child in part.children],
    )


def _unicode(text: str) -> str:
    """Without the lone surrogates that UTF-7 and UTF-16 can smuggle in."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _answered(digest: Digest) -> tuple[bytes, ...]:
    """The messages that this one answers, the nearest last."""
    return tuple(dict.fromkeys((*digest.references, *digest.in_reply_to)))
