"""IDLE (RFC 9051 §6.3.13)."""

from __future__ import annotations

import asyncio

from mailnode.listeners.imap.client import Client
from mailnode.listeners.imap.selected import Selected
from protocols.imap.answer import GoOn, Ok
from protocols.imap.event import Idle, IdleDone

_BEHIND_SECONDS = 1.0
"""Before news is asked for again that the account's node could not be asked for."""


async def idle(client: Client, event: Idle) -> None:
    """What happens is said at once, until the client says DONE."""
    client.say(event, GoOn("idling"))
    client.conversation.rest()
    client.conversation.wheel.file(client.still_here, client.limits.imap_still_here_seconds)
    if client.selection is not None:
        client.idling = client.conversation.start(_tell(client, client.selection))


async def _tell(client: Client, selected: Selected) -> None:
    while True:
        async for piece in selected.news():
            if piece:
                client.say(None, piece)
                await client.conversation.drained()
        if selected.is_behind:
            await asyncio.sleep(_BEHIND_SECONDS)
        else:
            await selected.wait()


async def idle_done(client: Client, event: IdleDone) -> None:
    """From here on what is still being told is told before the end of IDLE, not after it."""
    client.conversation.wheel.drop(client.still_here)
    if client.idling is not None:
        async with client.selected.telling:
            client.idling.cancel()
        client.idling = None
    await client.end(event, Ok("Idled"))
