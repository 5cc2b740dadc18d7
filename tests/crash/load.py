"""Clients that make a server promise things, until it is killed under them.

The randomness is seeded, the server's answers are what moves time: the kill comes with the k-th answer.
"""

import asyncio
import random
import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

from tests.crash.ledger import NOWHERE, Change, Copy, Key, Ledger, Promise
from tests.wire import imap, smtp
from tests.wire.fetched import fetched
from tests.wire.server import HOST, Server

MAILBOXES = ("INBOX", "Archive", "Trash", "Drafts")
FLAGS = ("\\Seen", "\\Answered", "\\Flagged", "\\Draft", "$Forwarded", "Work")
MUTATORS_AN_ACCOUNT = 2
SENDERS_A_SERVICE = 2
BATCH_MESSAGES_MAX = 6
WINDOW_MESSAGES = 100  # a session looks at the newest of a mailbox
LARGE_OCTETS = 300_000  # beyond what is stored in one piece
LARGE_SHARE = 0.02
LOAD_SECONDS_MAX = 120.0

APPENDUID = re.compile(rb"\[APPENDUID (\d+) (\d+)\]")
COPYUID = re.compile(rb"\[COPYUID (\d+) ([0-9:,]+) ([0-9:,]+)\]")
EXISTS = re.compile(rb"\* (\d+) EXISTS")
UID_VALIDITY = re.compile(rb"\[UIDVALIDITY (\d+)\]")
UID_NEXT = re.compile(rb"\[UIDNEXT (\d+)\]")
ITEMS = b"(UID FLAGS BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])"

GONE = (OSError, EOFError)  # what a client sees of a kill


class Fuse:
    """Kills with the k-th acknowledgement of a run of the server."""

    def __init__(self, acknowledgements: int, kill: Callable[[], None]) -> None:
        self._left = acknowledgements
        self._kill = kill

    @property
    def burnt(self) -> bool:
        return self._left == 0

    def burn(self) -> None:
        if self._left > 0:
            self._left -= 1
            if self._left == 0:
                self._kill()


@dataclass(frozen=True, slots=True)
class Load:
    """What the clients of one run share."""

    server: Server
    ledger: Ledger
    fuse: Fuse
    services: Sequence[str]  # of smtp, lmtp
    tag: str  # of this run, makes Message-IDs unique

    def acknowledge(self, promise: Promise) -> None:
        self.ledger.acknowledge(promise)
        self.fuse.burn()


async def run(load: Load, seed: int, beside: Iterable[Awaitable[None]]) -> None:
    """Until every connection is broken; TimeoutError where the server no longer answers."""
    clients = list(beside)
    for service in load.services:
        for number in range(SENDERS_A_SERVICE):
            name = f"{service}{number}"
            clients.append(_sender(load, service, Writer(f"{name}.{load.tag}", seed)))
    for account in load.server.accounts:
        for number in range(MUTATORS_AN_ACCOUNT):
            name = f"{account.partition('@')[0]}-{number}.{load.tag}"
            clients.append(_mutator(load, account, Writer(name, seed)))
    await asyncio.wait_for(asyncio.gather(*clients), LOAD_SECONDS_MAX)


class Writer:
    """One client's choices: they follow from its name and the seed alone."""

    def __init__(self, name: str, seed: int) -> None:
        self.random = random.Random(f"{seed} {name}")
        self._name = name
        self._count = 0

    def message(self) -> tuple[str, bytes]:
        """A new Message-ID and a message with it; some octets are not ASCII, some lines begin with a dot."""
        self._count += 1
        message_id = f"{self._count}.{self._name}@crash.example.test"
        octets = LARGE_OCTETS if self.random.random() < LARGE_SHARE else self.random.randrange(4000)
        line = b".%s \xc3\xa4\xff %x\r\n" % (message_id.encode(), self.random.getrandbits(200))
        head = (
            f"From: <a@client.example.test>\r\nSubject: {self._count}\r\nMessage-ID: <{message_id}>\r\n\r\n"
        )
        return message_id, head.encode() + line * (octets // len(line))

    def flags(self) -> frozenset[str]:
        return frozenset(self.random.sample(FLAGS, self.random.randrange(len(FLAGS))))

    def another(self, mailbox: str) -> str:
        return self.random.choice([each for each in MAILBOXES if each != mailbox])


async def _sender(load: Load, service: str, writer: Writer) -> None:
    """Deliver to one or two accounts, again and again."""
    try:
        connection = await smtp.connect(HOST, load.server.port(service))
        await connection.greet(b"LHLO" if service == "lmtp" else b"EHLO")
        while True:
            await deliver(load, connection, service, writer)
    except smtp.SmtpFault as fault:
        load.ledger.refused(f"{service}: {fault}")
    except GONE:
        pass


async def deliver(load: Load, connection: smtp.SmtpConnection, service: str, writer: Writer) -> None:
    message_id, content = writer.message()
    accounts = writer.random.sample(list(load.server.accounts), writer.random.choice([1, 1, 2]))
    keys = [Key(account, message_id) for account in accounts]
    answered = [[key] for key in keys] if service == "lmtp" else [keys]
    promises = [
        load.ledger.attempt("deliver", each, content, Copy("INBOX"), exact=False) for each in answered
    ]
    replies = await connection.deliver(
        smtp.envelope("a@client.example.test", *accounts), smtp.stuffed(content)
    )
    for promise, reply in zip(promises, replies, strict=True):
        if reply.code != 250:
            raise smtp.SmtpFault(f"{reply.code} {reply.lines!r}")
        load.acknowledge(promise)


async def _mutator(load: Load, account: str, writer: Writer) -> None:
    """One IMAP session that changes what its account holds, again and again."""

    async def work(connection: imap.ImapConnection) -> None:
        session = Session(load, account, connection, writer)
        await session.select("INBOX")
        while True:
            await session.step()

    await logged_in(load, account, work)


async def logged_in(load: Load, account: str, work: Callable[[imap.ImapConnection], Awaitable[None]]) -> None:
    """Work on an IMAP connection until that breaks."""
    try:
        trust = imap.trust(load.server.certificate)
        connection = await imap.connect(HOST, load.server.port("imaps"), trust)
        await connection.login(account, load.server.accounts[account])
        await work(connection)
    except imap.ImapFault as fault:
        load.ledger.refused(f"imap: {fault}")
    except GONE:
        pass


class Session:
    """A mailbox is selected; what the session was told of it is `known`: UID -> key."""

    def __init__(self, load: Load, account: str, connection: imap.ImapConnection, writer: Writer) -> None:
        self._load = load
        self._ledger = load.ledger
        self._account = account
        self._connection = connection
        self._writer = writer
        self._mailbox = ""
        self._known: dict[int, Key] = {}

    async def step(self) -> None:
        verbs = [self.append, self.store, self.store, self.copy, self.move, self.expunge, self.look]
        if self._writer.random.random() < 0.1:
            await self.select(self._writer.another(self._mailbox))
        await self._writer.random.choice(verbs)()

    async def select(self, mailbox: str) -> None:
        answer = await self._connection.ok(b"SELECT " + mailbox.encode())
        self._mailbox = mailbox
        self._known.clear()
        text = b"\n".join(answer.untagged)
        validity, uid_next, exists = UID_VALIDITY.search(text), UID_NEXT.search(text), EXISTS.search(text)
        assert validity and uid_next and exists, f"SELECT said {answer.untagged!r}"
        self._ledger.saw_status(self._account, mailbox, int(validity[1]), int(uid_next[1]))
        if int(exists[1]):
            # By UID: a message that another client expunged meanwhile is passed over in silence.
            await self._fetch(b"UID FETCH %d:*" % max(1, int(uid_next[1]) - WINDOW_MESSAGES))

    async def look(self) -> None:
        """What others did meanwhile."""
        await self._connection.ok(b"NOOP")
        await self._fetch(b"UID FETCH %d:*" % (max(self._known, default=0) + 1))

    async def _fetch(self, command: bytes) -> None:
        answer = await self._connection.ok(command + b" " + ITEMS)
        for each in fetched(answer.untagged):
            if b"UID" in each.items and each.message_id:  # others' flag changes come without
                self._know(each.uid, each.message_id)

    def _know(self, uid: int, message_id: str) -> None:
        self._ledger.saw_arrival(self._account, self._mailbox, uid, message_id)
        key = Key(self._account, message_id)
        if key in self._ledger.messages:
            self._known[uid] = key

    def _some(self) -> dict[int, Copy]:
        """A few messages that are surely here and that no other client is changing."""
        free: dict[int, Copy] = {}
        for uid, key in self._known.items():
            if copy := self._ledger.copy(key, self._mailbox, uid):
                free[uid] = copy
        uids = sorted(free)
        count = min(len(uids), self._writer.random.randint(1, BATCH_MESSAGES_MAX))
        return {uid: free[uid] for uid in sorted(self._writer.random.sample(uids, count))}

    async def append(self) -> None:
        message_id, content = self._writer.message()
        mailbox, flags = self._writer.random.choice(MAILBOXES), self._writer.flags()
        promise = self._ledger.attempt(
            "append", [Key(self._account, message_id)], content, Copy(mailbox, flags), exact=True
        )
        command = f"APPEND {mailbox} ({' '.join(sorted(flags))})".encode()
        answer = await self._connection.ok(command, content)
        self._load.acknowledge(promise)
        if uid := APPENDUID.search(answer.text):
            self._ledger.saw(self._account, mailbox, int(uid[2]), message_id)

    async def store(self) -> None:
        some, flags = self._some(), self._writer.flags()
        sign = self._writer.random.choice(["+", "-", ""])
        changed = {uid: Copy(self._mailbox, _after(copy.flags, sign, flags)) for uid, copy in some.items()}
        await self._change("store", some, changed, f"{sign}FLAGS ({' '.join(sorted(flags))})")

    async def expunge(self) -> None:
        some = self._some()
        marked = {uid: Copy(self._mailbox, copy.flags | {"\\Deleted"}) for uid, copy in some.items()}
        await self._change("store", some, marked, "+FLAGS.SILENT (\\Deleted)")
        await self._change("expunge", marked, {}, "")

    async def copy(self) -> None:
        some, mailbox = self._to_another()
        copied = {uid: Copy(mailbox, copy.flags) for uid, copy in some.items()}
        answer = await self._change("copy", {}, copied, mailbox)
        self._know_copied(answer, mailbox)

    async def move(self) -> None:
        some, mailbox = self._to_another()
        moved = {uid: Copy(mailbox, copy.flags) for uid, copy in some.items()}
        answer = await self._change("move", some, moved, mailbox)
        self._know_copied(answer, mailbox)

    def _to_another(self) -> tuple[dict[int, Copy], str]:
        """Some messages, and a mailbox that has no copy of them yet."""
        mailbox = self._writer.another(self._mailbox)
        some = self._some()
        absent = {uid for uid in some if not self._ledger.is_in(self._known[uid], mailbox)}
        return {uid: some[uid] for uid in absent}, mailbox

    async def _change(
        self, verb: str, taken: dict[int, Copy], put: dict[int, Copy], rest: str
    ) -> imap.Answer | None:
        """`UID VERB set rest`, promised for each UID; None when there is no UID."""
        uids = sorted(taken.keys() | put.keys())
        if not uids:
            return None
        changes = {self._known[uid]: Change(_world(taken.get(uid)), _world(put.get(uid))) for uid in uids}
        promise = self._ledger.begin(Promise(verb, changes, atomic=verb in ("copy", "move")))
        uid_set = ",".join(map(str, uids))
        answer = await self._connection.ok(f"UID {verb.upper()} {uid_set} {rest}".rstrip().encode())
        self._load.acknowledge(promise)
        return answer

    def _know_copied(self, answer: imap.Answer | None, mailbox: str) -> None:
        """COPYUID: the new UID of each (RFC 4315 §3); with MOVE untagged (RFC 6851 §4.3)."""
        texts = (*answer.untagged, answer.text) if answer else ()
        for text in texts:
            if found := COPYUID.search(text):
                for old, new in zip(_expanded(found[2]), _expanded(found[3]), strict=True):
                    self._ledger.saw(self._account, mailbox, new, self._known[old].message_id)


def _after(old: frozenset[str], sign: str, flags: frozenset[str]) -> frozenset[str]:
    """What STORE makes of flags (RFC 9051 §6.4.6)."""
    return {"+": old | flags, "-": old - flags, "": flags}[sign]


def _world(copy: Copy | None) -> frozenset[Copy]:
    return NOWHERE if copy is None else frozenset({copy})


def _expanded(uid_set: bytes) -> list[int]:
    uids: list[int] = []
    for part in uid_set.split(b","):
        first, _, last = part.partition(b":")
        uids += range(int(first), int(last or first) + 1)
    return uids
