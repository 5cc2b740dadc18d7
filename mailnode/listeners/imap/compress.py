"""COMPRESS (RFC 4978): from the tagged OK on, both directions are deflated."""

from __future__ import annotations

from mailnode.listeners.imap.client import Client
from protocols.deflate import Deflate
from protocols.imap.answer import Ok
from protocols.imap.event import Compress


async def compress(client: Client, event: Compress) -> None:
    limits = client.limits
    await client.end(event, Ok("DEFLATE from here on"))
    await client.conversation.compress(Deflate(limits.deflate_window_bits, limits.deflate_memory_level))
