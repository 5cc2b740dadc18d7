"""APPEND (RFC 9051 §6.3.12, RFC 3502): what can refuse a message is asked before it comes; then it streams.

Its end waits for the disk beside the next command, so that several APPENDs share a sync.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from mailnode.listeners.imap.client import Client, refusing
from mailnode.listeners.imap.message import keywords, system_bits
from mailnode.listeners.imap.refusal import Refused
from mailnode.mailbox.content import Content, UploadIds
from mailnode.mailbox.verbs import NotKnown, Unavailable
from mailnode.pb.change_pb2 import Add, Intent, Result, Upload
from protocols.imap import response
from protocols.imap.answer import GoOn, Ok
from protocols.imap.event import Append, AppendBroken, Chunk, LastChunk, NextMessage
from protocols.imap.sequence import ranges_of

_INTERNAL_DATE_MAX = 0xFFFFFFFF  # an entry has 32 bits for it: the year 2106


class Appending:
    """The messages of one APPEND: one that is coming, and those that came whole and wait for its end."""

    def __init__(
        self, append: Append, upload: Callable[[Upload], Awaitable[None]], upload_ids: UploadIds
    ) -> None:
        self._upload = upload
        self._upload_ids = upload_ids
        self._message: Append | NextMessage = append
        self._content = Content(upload, upload_ids)
        self._name = append.mailbox
        self._whole: list[Add.Message] = []
        self.octets = 0  # of the whole ones, as far as they are held in memory

    @property
    def count(self) -> int:
        """Of the messages that are whole."""
        return len(self._whole)

    async def write(self, octets: bytes) -> None:
        await self._content.write(octets)

    async def begin(self, message: NextMessage) -> None:
        """The message that was coming is whole, and this one comes."""
        await self._finish()
        self._message = message
        self._content = Content(self._upload, self._upload_ids)

    async def finish(self) -> list[Add.Message]:
        await self._finish()
        return self._whole

    async def _finish(self) -> None:
        arrived, message = await self._content.finish(), self._message
        whole = Add.Message(
            name=self._name,
            flags=system_bits(message.flags),
            keywords=keywords(message.flags),
            internal_date=_stored_date(message.internal_date),
            mail=arrived.mail,
            octets=arrived.octets,
            head=arrived.head,
            forms=arrived.forms,
            references=arrived.references,
        )
        self._whole.append(whole)
        self.octets += whole.ByteSize()  # the header and the structure of a long message are held too


async def append(client: Client, event: Append) -> None:
    await client.mailbox(event.mailbox, "TRYCREATE")
    if not (await client.account.usage()).holds(1, event.size):
        raise Refused("OVERQUOTA")

    async def upload(chunk: Upload) -> None:
        await client.apply(Intent(upload=chunk))

    client.appends[event] = Appending(event, upload, client.upload_ids)
    client.say(event, GoOn())


async def next_message(client: Client, event: NextMessage) -> None:
    """All of them enter the mailbox at once, or none (RFC 3502 §6.3.11): so their number has bounds."""
    appending, limits = client.appends[event.append], client.limits
    if await _tried(client, event.append, appending.begin(event)):
        full = appending.octets > limits.imap_multiappend_octets_max
        if full or appending.count >= limits.imap_multiappend_messages_max:
            _give_up(client, event.append, "LIMIT")
        else:
            client.say(event, GoOn())


async def chunk(client: Client, event: Chunk) -> None:
    await _write(client, event.append, event.octets)


async def append_broken(client: Client, event: AppendBroken) -> None:
    del client.appends[event.append]
    client.say(event, event.answer)


async def last_chunk(client: Client, event: LastChunk) -> None:
    if await _write(client, event.append, event.octets):
        client.conversation.beside(refusing(_store)(client, event))


async def _write(client: Client, append: Append, octets: bytes) -> bool:
    return await _tried(client, append, client.appends[append].write(octets))


async def _tried(client: Client, append: Append, work: Awaitable[None]) -> bool:
    """False: the message cannot be kept, which ends the APPEND; the rest of its literal will not come."""
    try:
        await work
    except (NotKnown, Unavailable, Refused):
        _give_up(client, append, "UNAVAILABLE")
        return False
    return True


def _give_up(client: Client, append: Append, code: str) -> None:
    del client.appends[append]
    client.say(append, Refused(code).no)


async def _store(client: Client, event: LastChunk) -> None:
    messages = await client.appends.pop(event.append).finish()
    result = await client.apply(Intent(add=Add(messages=messages)))
    await client.end(event, Ok("Stored", _append_uid(result)))


def _append_uid(result: Result) -> str:
    uids = [added.uid for added in result.added]
    return response.append_uid(result.added[0].uid_validity, ranges_of(uids))


def _stored_date(internal_date: int | None) -> int:
    """0: now."""
    return 0 if internal_date is None else min(max(internal_date, 1), _INTERNAL_DATE_MAX)
