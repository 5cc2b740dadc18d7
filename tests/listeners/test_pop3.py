"""POP3 over real sockets on a real account; the peer is a line at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.task import Clock as TwistedClock

from mailnode.clock import SystemClock
from mailnode.limits import KiB, Limits
from mailnode.listeners.admission import Admission
from mailnode.listeners.listening import Listening
from mailnode.listeners.pop3 import Custom, pop3
from mailnode.listeners.tls import Certificate
from mailnode.listeners.wheel import Wheel
from mailnode.mailbox.content import Content, UploadIds
from mailnode.mailbox.maildrops import Locks, Maildrops, Taken
from mailnode.mailbox.verbs import Account, Expunged, NotKnown
from mailnode.pb.change_pb2 import Add, Create, Expunge, Intent, Result, UidRange, Upload
from tests.listeners.door import Caller, until
from tests.listeners.loop import REACTOR, run
from tests.listeners.test_tls import made, start_tls
from tests.listeners.users import Users
from tests.mailbox.house import ACCOUNT, Ticking, opened
from tests.store.faulty_shard import FaultyShard

SHORT = b"Subject: short\r\n\r\n.one\r\ntwo\r\n"
LONG = b"Subject: long\r\n\r\n" + b"".join(b"line %06d of many\r\n" % line for line in range(40_000))
EMPTY = b""
INBOX = 1
STANDARD = Custom()


class Troubled:
    """The account, but where `trouble` says otherwise."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self.trouble = ""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._account, name)

    async def apply(self, intent: Intent) -> Result:
        if self.trouble == "not known":
            raise NotKnown
        if self.trouble == "refused":
            return Result(refused="UNAVAILABLE")
        return await self._account.apply(intent)

    async def octets(self, mail: int, start: int, end: int) -> AsyncIterator[bytes]:
        if self.trouble == "gone":
            raise Expunged
        async for octets in self._account.octets(mail, start, end):
            yield octets
            if self.trouble == "cut":
                raise Expunged


class Opener:
    def __init__(self, account: Troubled) -> None:
        self.account: Any = account

    async def open(self, account: int) -> Account:
        assert account == ACCOUNT
        if self.account.trouble == "no shard":
            raise OSError("the shard cannot be read")
        opened: Account = self.account
        return opened


@dataclass
class House:
    account: Troubled
    listening: Listening[Any]
    port: int

    async def call(self) -> Caller:
        caller = Caller(*await asyncio.open_connection("127.0.0.1", self.port, limit=2 * len(LONG)))
        assert await caller.hear() == b"+OK pop.example POP3 ready"
        return caller

    async def login(self) -> Caller:
        caller = await self.call()
        assert (await caller.ask(b"USER ann")).startswith(b"+OK")
        assert (await caller.ask(b"PASS secret")).startswith(b"+OK 3 messages")
        return caller


async def add(account: Account, octets: bytes, ids: UploadIds) -> None:
    async def upload(chunk: Upload) -> None:
        await account.apply(Intent(id=bytes(15) + b"u", upload=chunk))

    content = Content(upload, ids)
    await content.write(octets)
    arrived = await content.finish()
    message = Add.Message(
        name="INBOX", mail=arrived.mail, octets=arrived.octets, head=arrived.head, forms=arrived.forms
    )
    await account.apply(Intent(id=bytes(16), add=Add(messages=[message])))


def maildrops(clock: Ticking) -> Maildrops:
    locks, leases = Locks(clock, lambda account: 1), dict[bytes, Callable[[], None]]()

    async def at_owner(account: int, function: str, octets: bytes) -> bytes:
        return await locks.functions[function](octets, leases)

    return Maildrops(at_owner, clock)


class Lone:
    """A maildrop that is taken once; then `lost` says that another session has it."""

    def __init__(self) -> None:
        self.lost: Callable[[], None] = lambda: None
        self.released = 0

    async def take(self, account: int, delay_seconds: int, lost: Callable[[], None]) -> Taken:
        self.lost = lost
        return Taken.YES

    async def release(self, account: int) -> None:
        self.released += 1


@asynccontextmanager
async def house(
    certificate: Certificate | None = None,
    time: Any = REACTOR,
    custom: Custom = STANDARD,
    users: Users | None = None,
    lone: Lone | None = None,
) -> AsyncIterator[House]:
    """With a short, a long and an empty message in INBOX."""
    limits, clock = Limits(), Ticking()
    with opened(FaultyShard(), clock) as (accounts, failures):
        account = await accounts.open(ACCOUNT)
        await account.apply(Intent(id=bytes(16), create=Create(address="ann@here.example")))
        ids = UploadIds(clock)
        for octets in (SHORT, LONG, EMPTY):
            await add(account, octets, ids)
        troubled = Troubled(account)
        listener = pop3(
            Opener(troubled),
            users or Users(ACCOUNT, {"ann": "secret"}),
            lone or maildrops(clock),
            clock,
            "pop.example",
            limits,
            mechanisms=("PLAIN", "LOGIN", "SCRAM-SHA-256"),
            passwords_need_tls=certificate is not None,
            custom=custom,
        )
        listening = Listening(
            REACTOR,
            listener,
            limits=limits,
            clock=SystemClock(),
            wheel=Wheel(time),
            admission=Admission(limits),
            certificate=certificate,
            implicit=False,
        )
        try:
            yield House(troubled, listening, listening.open("127.0.0.1", 0))
        finally:
            await listening.stop()
        assert not failures


def in_house(test: Callable[[House], Coroutine[Any, Any, None]]) -> None:
    async def body() -> None:
        async with house() as opened_house:
            await test(opened_house)

    run(body())


async def message(caller: Caller) -> bytes:
    """A multi-line response as a message, RFC 1939 §3."""
    lines = []
    while (line := await caller.reader.readline()) != b".\r\n":
        lines.append(line[1:] if line.startswith(b".") else line)
    return b"".join(lines)


async def sizes(house: House) -> list[bytes]:
    caller = await house.login()
    assert (await caller.ask(b"LIST")).startswith(b"+OK")
    listed = (await message(caller)).split(b"\r\n")
    await caller.ask(b"QUIT")
    return listed[:-1]


def test_messages_come_as_they_are_stored_and_in_their_sizes() -> None:
    async def test(house: House) -> None:
        caller = await house.login()
        for number, octets in enumerate((SHORT, LONG, EMPTY), 1):
            assert await caller.ask(b"LIST %d" % number) == b"+OK %d %d" % (number, len(octets))
            assert await caller.ask(b"RETR %d" % number) == b"+OK Message follows"
            assert await message(caller) == octets

    in_house(test)


def test_messages_asked_for_in_any_order_and_twice_are_the_ones_asked_for() -> None:
    async def test(house: House) -> None:
        more = [b"Subject: %d\r\n\r\n%b\r\n" % (number, b"x" * (number * 1000)) for number in range(40)]
        for octets in more:
            await add(house.account, octets, UploadIds(Ticking()))
        every = [SHORT, LONG, EMPTY, *more]
        caller = await house.call()
        await caller.ask(b"USER ann")
        assert (await caller.ask(b"PASS secret")).startswith(b"+OK %d messages" % len(every))
        for number in (4, 5, 6, 6, 7, 9, 10, 4, 5, *range(1, len(every) + 1)):
            assert await caller.ask(b"RETR %d" % number) == b"+OK Message follows"
            assert await message(caller) == every[number - 1]

    in_house(test)


def test_top_reads_no_more_than_it_shows() -> None:
    async def test(house: House) -> None:
        house.account.trouble = "cut"  # after the first chunk
        caller = await house.login()
        assert await caller.ask(b"TOP 2 3") == b"+OK Message follows"
        assert await message(caller) == b"\r\n".join(LONG.split(b"\r\n")[:5]) + b"\r\n"
        assert await caller.ask(b"NOOP") == b"+OK Nothing done"

    in_house(test)


def test_unique_ids_stay_and_are_never_given_twice() -> None:
    async def test(house: House) -> None:
        caller = await house.login()
        await caller.ask(b"UIDL")
        before = (await message(caller)).split(b"\r\n")[:-1]
        await caller.ask(b"DELE 3")
        await caller.ask(b"QUIT")
        await add(house.account._account, SHORT, UploadIds(Ticking()))
        caller = await house.login()
        await caller.ask(b"UIDL")
        after = (await message(caller)).split(b"\r\n")[:-1]
        assert after[:2] == before[:2]
        assert after[2] not in before
        assert all(1 <= len(line.split()[1]) <= 70 for line in after)

    in_house(test)


def test_quit_removes_what_was_marked_and_nothing_else() -> None:
    async def test(house: House) -> None:
        caller = await house.login()
        caller.say(b"DELE 1", b"DELE 2", b"RSET", b"DELE 1", b"DELE 3", b"QUIT")
        assert (await caller.rest()).endswith(b"+OK Goodbye\r\n")
        rows = (await house.account.mailboxes()).rows
        assert [(row.messages, row.size) for row in rows.values()] == [(1, len(LONG))]

    in_house(test)


def test_a_connection_that_ends_without_quit_removes_nothing() -> None:
    async def test(house: House) -> None:
        caller = await house.login()
        await caller.ask(b"DELE 1")
        caller.leave()
        await until(lambda: not len(house.listening))
        assert len(await sizes(house)) == 3

    in_house(test)


def test_what_may_not_have_been_removed_is_said() -> None:
    async def test(house: House) -> None:
        for trouble in ("not known", "refused"):
            house.account.trouble = trouble
            caller = await house.login()
            await caller.ask(b"DELE 1")
            assert await caller.ask(b"QUIT") == b"-ERR [SYS/TEMP] The messages could not be removed"
            assert await caller.rest() == b""
        house.account.trouble = ""
        assert len(await sizes(house)) == 3

    in_house(test)


def test_a_maildrop_has_one_session_at_a_time() -> None:
    async def test(house: House) -> None:
        first, second = await house.login(), await house.call()
        await second.ask(b"USER ann")
        assert (await second.ask(b"PASS secret")).startswith(b"-ERR [IN-USE]")
        await first.ask(b"QUIT")
        await second.ask(b"USER ann")
        assert (await second.ask(b"PASS secret")).startswith(b"+OK")
        second.leave()
        await until(lambda: not len(house.listening))
        await house.login()

    in_house(test)


def test_a_message_removed_meanwhile_is_refused_and_the_others_are_given() -> None:
    async def test(house: House) -> None:
        caller = await house.login()
        house.account.trouble = "gone"
        assert await caller.ask(b"RETR 1") == b"-ERR The message was removed meanwhile"
        house.account.trouble = ""
        assert await caller.ask(b"RETR 1") == b"+OK Message follows"

    in_house(test)


def test_a_message_that_breaks_off_ends_the_connection_without_its_end() -> None:
    async def test(house: House) -> None:
        caller = await house.login()
        house.account.trouble = "cut"
        caller.say(b"RETR 2")
        heard = await caller.rest()
        assert heard.startswith(b"+OK")
        assert not heard.endswith(b"\r\n.\r\n")
        assert len(heard) <= 257 * KiB

    in_house(test)


def test_removing_what_imap_expunged_meanwhile_is_no_error() -> None:
    async def test(house: House) -> None:
        caller = await house.login()
        await caller.ask(b"DELE 1")
        uids = [UidRange(first=1, last=1)]
        await house.account.apply(
            Intent(id=b"i" * 16, expunge=Expunge(mailbox=INBOX, uids=uids, whatever_flags=True))
        )
        assert await caller.ask(b"QUIT") == b"+OK Goodbye"

    in_house(test)


def test_a_guessing_peer_is_dismissed() -> None:
    async def test(house: House) -> None:
        caller = await house.call()
        for _ in range(Limits().authentication_failures_max):
            await caller.ask(b"USER ann")
            assert await caller.ask(b"PASS guess") == b"-ERR [AUTH] Wrong name or password"
        assert await caller.rest() == b""
        caller = await house.call()
        caller.say(*[b"GET / HTTP/1.1"] * 50)
        assert (await caller.rest()).endswith(b"-ERR Too many errors\r\n")

    in_house(test)


def test_passwords_are_taken_after_stls(tmp_path: Path) -> None:
    async def test() -> None:
        async with house(made(tmp_path)) as opened_house:
            caller = await opened_house.call()
            assert (await caller.ask(b"USER ann")).startswith(b"-ERR Passwords are taken in TLS only")
            assert await caller.ask(b"STLS") == b"+OK Begin TLS"
            await start_tls(caller, tmp_path)
            assert await caller.ask(b"AUTH PLAIN AGFubgBzZWNyZXQ=") == b"+OK 3 messages (%d octets)" % (
                len(SHORT) + len(LONG)
            )

    run(test())


def test_stopping_says_so() -> None:
    async def test(house: House) -> None:
        caller = await house.login()
        await house.listening.stop()
        assert await caller.rest() == b"-ERR [SYS/TEMP] Shutting down\r\n"

    in_house(test)


def test_ten_minutes_of_silence_end_a_session_without_a_word_and_without_removing() -> None:
    """RFC 1939 §3; the maildrop is free again, §4."""

    async def test() -> None:
        time: Any = TwistedClock()
        async with house(time=time) as opened_house:
            caller = await opened_house.login()
            await caller.ask(b"DELE 1")
            time.pump([1] * 599)
            assert await caller.ask(b"NOOP") == b"+OK Nothing done"
            time.pump([1] * 599)
            assert len(opened_house.listening) == 1
            time.pump([1] * 3)
            assert await caller.rest() == b""
            await until(lambda: not len(opened_house.listening))
            assert len(await sizes(opened_house)) == 3

    run(test())


def test_a_maildrop_that_cannot_be_read_ends_the_session_and_is_not_locked() -> None:
    async def test(house: House) -> None:
        house.account.trouble = "no shard"
        caller = await house.call()
        caller.say(b"USER ann", b"PASS secret")
        assert (await caller.rest()).endswith(b"-ERR [SYS/TEMP] Internal error, try again later\r\n")
        house.account.trouble = ""
        await until(lambda: not len(house.listening))
        await house.login()

    in_house(test)


@pytest.mark.parametrize("marks_seen", [False, True])
def test_what_was_retrieved_whole_is_seen_after_quit_where_the_node_is_told_so(marks_seen: bool) -> None:
    async def test() -> None:
        async with house(custom=Custom(marks_seen=marks_seen)) as opened_house:
            caller = await opened_house.login()
            caller.say(b"RETR 1", b"TOP 2 0", b"RETR 3", b"DELE 3", b"QUIT")
            assert (await caller.rest()).endswith(b"+OK Goodbye\r\n")
            rows = (await opened_house.account.mailboxes()).rows
            assert [(row.messages, row.unseen) for row in rows.values()] == [(2, 1 if marks_seen else 2)]

    run(test())


def test_what_was_retrieved_is_seen_although_the_connection_broke() -> None:
    async def test() -> None:
        async with house() as opened_house:
            caller = await opened_house.login()
            caller.say(b"RETR 1", b"DELE 2", b"NOOP")
            while await caller.hear() != b"+OK Nothing done":
                pass
            caller.leave()
            await opened_house.listening.stop()
            rows = (await opened_house.account.mailboxes()).rows
            assert [(row.messages, row.unseen) for row in rows.values()] == [(3, 2)]

    run(test())


def test_with_expire_0_what_was_retrieved_goes_at_quit() -> None:
    """RFC 2449 §6.7: "the server MUST assume an implicit DELE"."""

    async def test() -> None:
        async with house(custom=Custom(expire_days=0)) as opened_house:
            caller = await opened_house.login()
            caller.say(b"CAPA", b"RETR 1", b"TOP 2 0", b"QUIT")
            heard = await caller.rest()
            assert b"\r\nEXPIRE 0\r\n" in heard
            rows = (await opened_house.account.mailboxes()).rows
            assert [row.messages for row in rows.values()] == [2]

    run(test())


def test_what_came_lately_stays_whatever_was_read() -> None:
    async def test() -> None:
        async with house(custom=Custom(expire_days=1)) as opened_house:
            caller = await opened_house.login()
            caller.say(b"CAPA", b"RETR 1", b"QUIT")
            assert b"\r\nEXPIRE 1\r\n" in await caller.rest()
            rows = (await opened_house.account.mailboxes()).rows
            assert [(row.messages, row.unseen) for row in rows.values()] == [(3, 2)]

    run(test())


def test_a_login_too_soon_after_another_waits() -> None:
    """RFC 2449 §6.5, §8.1.1."""

    async def test() -> None:
        async with house(custom=Custom(login_delay_seconds=600)) as opened_house:
            caller = await opened_house.login()
            caller.say(b"CAPA", b"QUIT")
            assert b"\r\nLOGIN-DELAY 600\r\n" in await caller.rest()
            caller = await opened_house.call()
            caller.say(b"USER ann", b"PASS secret", b"QUIT")
            assert b"-ERR [LOGIN-DELAY] " in await caller.rest()

    run(test())


def test_a_maildrop_that_another_session_has_is_not_released_by_who_lost_it() -> None:
    """That one may be of this node too, and have come before this connection is over."""

    async def scenario() -> None:
        for is_lost in (True, False):
            lone = Lone()
            async with house(lone=lone) as node:
                caller = await node.login()
                if is_lost:
                    lone.lost()
                    assert (await caller.hear()).startswith(b"-ERR [IN-USE]")
                else:
                    assert (await caller.ask(b"QUIT")).startswith(b"+OK")
                await until(lambda: not len(node.listening))
            assert bool(lone.released) is not is_lost

    run(scenario())
