"""APPEND (RFC 9051 §6.3.12): what can refuse a message is asked before it comes; then it streams.

Its end waits for the disk beside the next command, so that several APPENDs share a sync.
"""

from __future__ import annotations

from mailnode.listeners.imap.client import Client, refusing
from mailnode.listeners.imap.message import keywords, system_bits
from mailnode.listeners.imap.refusal import Refused
from mailnode.mailbox.content import Content
from mailnode.mailbox.verbs import NotKnown
from mailnode.pb.change_pb2 import Add, Intent, Upload
from protocols.imap import response
from protocols.imap.answer import GoOn, Ok
from protocols.imap.event import Append, AppendBroken, Chunk, LastChunk

_INTERNAL_DATE_MAX = 0xFFFFFFFF  # an entry has 32 bits for it: the year 2106


async def append(client: Client, event: Append) -> None:
    await client.mailbox(event.mailbox, "TRYCREATE")

    async def upload(chunk: Upload) -> None:
        await client.apply(Intent(upload=chunk))

    client.appends[event] = Content(upload, client.upload_ids)
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
    """False: the message cannot be kept, which ends the APPEND; the rest of its literal will not come."""
    try:
        await client.appends[append].write(octets)
    except (NotKnown, Refused):
        del client.appends[append]
        client.say(append, Refused("UNAVAILABLE").no)
        return False
    return True


async def _store(client: Client, event: LastChunk) -> None:
    append = event.append
    arrived = await client.appends.pop(append).finish()
    message = Add.Message(
        name=append.mailbox,
        flags=system_bits(append.flags),
        keywords=keywords(append.flags),
        internal_date=_stored_date(append.internal_date),
        mail=arrived.mail,
        octets=arrived.octets,
        head=arrived.head,
        references=arrived.references,
    )
    result = await client.apply(Intent(add=Add(messages=[message])))
    added = result.added[0]
    await client.end(event, Ok("Stored", response.append_uid(added.uid_validity, [(added.uid, added.uid)])))


def _stored_date(internal_date: int | None) -> int:
    """0: now."""
    return 0 if internal_date is None else min(max(internal_date, 1), _INTERNAL_DATE_MAX)
