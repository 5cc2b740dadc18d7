"""One client: sends commands, and holds every response against what it was told and what all know."""

from __future__ import annotations

import asyncio
import random
import re
from collections import deque

from tests.checker.ask import Ask
from tests.checker.told import EXISTS, EXPUNGE, RECENT, VANISHED, Lie, Told, numbers_of
from tests.checker.world import World
from tests.wire.fetched import FETCH, Fetched, fetched
from tests.wire.imap import Answer, ImapConnection, join_literals

CLOSED = re.compile(rb"\* OK \[CLOSED\]")
UIDVALIDITY = re.compile(rb"\* OK \[UIDVALIDITY (\d+)\]")
IDENTITY = re.compile(rb"X-Id: (\S+)", re.IGNORECASE)
OF_SELECT = rb"OK \[(PERMANENTFLAGS|UIDNEXT|HIGHESTMODSEQ|MAILBOXID)"
OF_BOTH = rb"FLAGS|%b|OK \[COPYUID|OK Still here|ENABLED|STATUS" % OF_SELECT
HARMLESS = re.compile(rb"\* (%b|OK \[UNSEEN|SEARCH)\b" % OF_BOTH)
HARMLESS_REV2 = re.compile(rb"\* (%b|ESEARCH|LIST)\b" % OF_BOTH)
TRANSCRIPT_LINES = 60


class Client:
    """`mailbox` "" and `told` None: nothing is selected."""

    def __init__(self, name: str, connection: ImapConnection, world: World, seed: str) -> None:
        self.name = name
        self.world = world
        self.random = random.Random(seed)
        self.mailbox = ""
        self.read_only = False
        self.rev2 = False  # it said ENABLE IMAP4rev2
        self.told: Told | None = None
        self.session = 0  # another number with each SELECT
        self.transcript: deque[str] = deque(maxlen=TRANSCRIPT_LINES)
        self._connection = connection
        self._tag = 0
        self._coming: Ask | None = None  # a SELECT, until what is of the old mailbox was said

    # ---- sending

    async def play(self, *asks: Ask) -> None:
        """Send the commands in one piece, and read the answer of each."""
        tags = [self._send(ask) for ask in asks]
        for ask, tag in zip(asks, tags, strict=True):
            self._begin(ask)
            untagged = []
            while not (response := await self._response()).startswith(tag + b" "):
                untagged.append(response)
                self.hear(response, ask)
            self._end(ask, response, untagged)

    def _send(self, ask: Ask) -> bytes:
        self._tag += 1
        tag = b"%b%d" % (self.name.encode(), self._tag)
        self._write(tag + b" " + join_literals(ask.parts) + b"\r\n")
        return tag

    def _write(self, octets: bytes) -> None:
        self.transcript.append(f"{self.world.now} C {octets!r}")
        self._connection.write(octets)

    async def _response(self) -> bytes:
        response = await self._connection.response()
        self._note(response)
        return response

    def _note(self, response: bytes) -> None:
        self.transcript.append(f"{self.world.tick()} S {response!r}")

    def _begin(self, ask: Ask) -> None:
        ask.begun()
        if ask.select:
            self._coming = ask
            if self.told is None:
                self._switch(ask)

    def _end(self, ask: Ask, response: bytes, untagged: list[bytes]) -> None:
        _, status, text = response.split(b" ", 2)
        if status not in ask.statuses:
            raise Lie(f"{ask.parts[0]!r} is answered {status.decode()} {text!r}")
        if status == b"OK":
            for write in ask.writes:
                write.acknowledged = self.world.now
        ask.done(Answer(status, text, tuple(untagged)))
        self.world.operated()

    def _switch(self, ask: Ask) -> None:
        self.told, self.mailbox, self.read_only = Told(ask.sent), ask.select, ask.read_only
        self.session = self.world.tick()
        self._coming = None

    def deselected(self) -> None:
        self.told, self.mailbox = None, ""

    # ---- IDLE

    async def idle(self, operations: int) -> None:
        """IDLE until the others have done so much, then DONE."""
        ask = Ask((b"IDLE",), self.world.tick())
        tag = self._send(ask)
        while (response := await self._response())[:1] != b"+":
            self.hear(response, ask)  # what happened before may be told first
        reading = asyncio.ensure_future(self._connection.response())
        waiting = asyncio.ensure_future(self.world.idle(operations))
        while not waiting.done():
            await asyncio.wait({reading, waiting}, return_when=asyncio.FIRST_COMPLETED)
            if reading.done():
                self._heard_idle(await reading, ask)
                reading = asyncio.ensure_future(self._connection.response())
        self._write(b"DONE\r\n")
        while not (response := await reading).startswith(tag + b" "):
            self._heard_idle(response, ask)
            reading = asyncio.ensure_future(self._connection.response())
        self._note(response)
        self._end(ask, response, [])

    def _heard_idle(self, response: bytes, ask: Ask) -> None:
        self._note(response)
        self.hear(response, ask)

    # ---- hearing

    def hear(self, response: bytes, ask: Ask) -> None:
        """An untagged response while `ask` is answered; raises Lie."""
        if self._coming is not None and CLOSED.match(response):
            self._switch(self._coming)
        elif validity := UIDVALIDITY.match(response):
            self.world.meet(self.mailbox, int(validity[1]))
        elif not (HARMLESS_REV2 if self.rev2 else HARMLESS).match(response):
            self._of_mailbox(response, ask)

    def _of_mailbox(self, response: bytes, ask: Ask) -> None:
        if self.told is None:
            raise Lie(f"nothing is selected: {response!r}")
        if exists := EXISTS.match(response):
            self.told.exists(int(exists[1]))
        elif (recent := RECENT.match(response)) and not self.rev2:
            self.told.recent(int(recent[1]))
        elif expunge := EXPUNGE.match(response):
            self._expunged(self.told, int(expunge[1]), ask)
        elif vanished := VANISHED.match(response):
            self._vanished(self.told, numbers_of(vanished[1]), ask)
        elif FETCH.match(response):
            (item,) = fetched([response])
            self._fetched(self.told, item, ask)
        else:
            raise Lie(f"not understood: {response!r}")

    def _expunged(self, told: Told, number: int, ask: Ask) -> None:
        if ask.keeps_numbers:
            raise Lie(f"EXPUNGE while {ask.parts[0]!r} is answered")
        gone = told.expunge(number)
        if gone.uid:
            self.world.expunged((self.mailbox, gone.uid))

    def _vanished(self, told: Told, uids: list[int], ask: Ask) -> None:
        if ask.keeps_numbers:
            raise Lie(f"VANISHED while {ask.parts[0]!r} is answered")
        for uid in uids:
            told.vanish(uid)
            self.world.expunged((self.mailbox, uid))

    def _fetched(self, told: Told, item: Fetched, ask: Ask) -> None:
        known = told.fetch(item)
        if not known.uid:
            return
        place = (self.mailbox, known.uid)
        self.world.seen(place, told.selected_at)
        if b"FLAGS" in item.items and b"MODSEQ" in item.items:
            self.world.versioned(place, known.mod_sequence, item.flags)
        if b"FLAGS" in item.items:
            self.world.read(place, item.flags, ask.sent, f"{self.name} {ask.parts[0]!r}")
            if b"\\Recent" in item.items[b"FLAGS"] and self.rev2:
                raise Lie(f"{place} is \\Recent to one that enabled IMAP4rev2")
            if b"\\Recent" in item.items[b"FLAGS"] and not self.read_only:
                self.world.claim_recent(place, self.session)
        for name, value in item.items.items():
            if name.startswith(b"BODY[HEADER") and (identity := IDENTITY.search(value)):
                self.world.identify(place, identity[1])
