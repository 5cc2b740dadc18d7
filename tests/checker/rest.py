"""All clients have come to rest: what they were told, and what one is told who returns, is the truth."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from tests.checker.ask import Ask
from tests.checker.client import Client
from tests.checker.commands import MAILBOXES
from tests.checker.told import Lie, numbers_of
from tests.checker.world import World
from tests.wire.fetched import fetched
from tests.wire.imap import ImapConnection

STATUS = re.compile(rb"MESSAGES (\d+) UNSEEN (\d+) DELETED (\d+) UIDNEXT (\d+)")
UIDVALIDITY = re.compile(rb"\* OK \[UIDVALIDITY (\d+)\]")
HIGHEST = re.compile(rb"\* OK \[HIGHESTMODSEQ (\d+)\]")
VANISHED = re.compile(rb"\* VANISHED \(EARLIER\) (\S+)\Z")

Truth = dict[int, frozenset[str]]
"""UID -> flags, \\Recent excepted."""


@dataclass(slots=True)
class Memory:
    """What a client of QRESYNC keeps of a mailbox while it is away (RFC 7162 §3.2)."""

    uid_validity: int
    highest: int
    truth: Truth


@dataclass(slots=True)
class Rest:
    """`observer` sees a mailbox for the first time, `returning` comes back to it each time."""

    world: World
    observer: ImapConnection
    returning: ImapConnection
    memories: dict[str, Memory] = field(default_factory=dict)

    async def hold(self, clients: list[Client]) -> None:
        """Everybody hears all there is to hear; then nothing that was told may differ from what is there."""
        for client in clients:
            await client.play(Ask((b"NOOP",), self.world.tick()))
        for mailbox in MAILBOXES:
            truth = await self._truth(mailbox)
            self.world.settle(mailbox, truth)
            for client in clients:
                if client.mailbox == mailbox:
                    _compare(client, truth)
            await self._return(mailbox, truth)

    async def _truth(self, mailbox: str) -> Truth:
        await self.observer.ok(b"EXAMINE " + mailbox.encode())
        answer = await self.observer.ok(b"FETCH 1:* (UID FLAGS BODY.PEEK[HEADER.FIELDS (X-ID)])")
        truth = {}
        for item in fetched(answer.untagged):
            truth[item.uid] = item.flags
            (identity,) = [v for name, v in item.items.items() if name.startswith(b"BODY[")]
            self.world.identify((mailbox, item.uid), identity.split()[1])
        await self._compare_status(mailbox, truth)
        return truth

    async def _compare_status(self, mailbox: str, truth: Truth) -> None:
        status = await self.observer.ok(b"STATUS %b (MESSAGES UNSEEN DELETED UIDNEXT)" % mailbox.encode())
        found = STATUS.search(status.untagged[-1])
        assert found is not None
        unseen = sum("\\Seen" not in flags for flags in truth.values())
        deleted = sum("\\Deleted" in flags for flags in truth.values())
        if [int(n) for n in found.groups()[:3]] != [len(truth), unseen, deleted]:
            raise Lie(f"STATUS of {mailbox} is {found[0]!r}, not {len(truth)}, {unseen}, {deleted}")
        if int(found[4]) <= max(truth, default=0):
            raise Lie(f"STATUS of {mailbox} is {found[0]!r}, with UID {max(truth)}")

    async def _return(self, mailbox: str, truth: Truth) -> None:
        """Who knows what was at the last rest, and is told the rest now, knows all (RFC 7162 §3.2.5)."""
        memory = self.memories.get(mailbox)
        since = b" (QRESYNC (%d %d))" % (memory.uid_validity, memory.highest) if memory else b""
        answer = await self.returning.ok(b"EXAMINE %b%b" % (mailbox.encode(), since))
        if memory is not None:
            _compare_told(mailbox, caught_up(memory, answer.untagged), truth)
        (uid_validity,) = [int(m[1]) for line in answer.untagged if (m := UIDVALIDITY.match(line))]
        (highest,) = [int(m[1]) for line in answer.untagged if (m := HIGHEST.match(line))]
        self.memories[mailbox] = Memory(uid_validity, highest, truth)


def caught_up(memory: Memory, untagged: tuple[bytes, ...]) -> Truth:
    known = dict(memory.truth)
    for line in untagged:
        if vanished := VANISHED.match(line):
            for uid in numbers_of(vanished[1]):
                known.pop(uid, None)
    for item in fetched(untagged):
        if int(item.items[b"MODSEQ"].strip(b"()")) <= memory.highest:
            raise Lie(f"UID {item.uid} is told with {item.items[b'MODSEQ']!r}, asked since {memory.highest}")
        known[item.uid] = item.flags
    return known


def _compare_told(mailbox: str, known: Truth, truth: Truth) -> None:
    if known.keys() != truth.keys():
        raise Lie(
            f"who returns to {mailbox} misses {truth.keys() - known.keys()}, "
            f"and was not told that these are gone: {known.keys() - truth.keys()}"
        )
    for uid, flags in truth.items():
        if known[uid] != flags:
            raise Lie(f"who returns to {mailbox} takes UID {uid} for {sorted(known[uid])}: {sorted(flags)}")


def _compare(client: Client, truth: Truth) -> None:
    assert client.told is not None
    if len(client.told.messages) != len(truth):
        raise Lie(f"{client.name} knows of {len(client.told.messages)} messages, there are {len(truth)}")
    for number, (known, uid) in enumerate(zip(client.told.messages, sorted(truth), strict=True), 1):
        if known.uid not in (0, uid):
            raise Lie(f"{client.name}: message {number} has UID {uid}, not {known.uid}")
        if known.flags is not None and known.flags != truth[uid]:
            raise Lie(f"{client.name}: UID {uid} has {sorted(truth[uid])}, told were {sorted(known.flags)}")
