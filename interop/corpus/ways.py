"""Ways in and ways out, several connections each: as fast as the server can, or the whole takes too long."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping

from interop.corpus.maildrop import Maildrop
from interop.corpus.messages import Message
from interop.witness import SENDER, Account
from tests.wire import imap, smtp
from tests.wire.fetched import fetched
from tests.wire.server import HOST
from tests.wire.smtp import Reply

CONNECTIONS = 6
RUN_MESSAGES = 500  # in one FETCH: some megabytes

TAKEN = "taken"
Outcomes = dict[str, str]
"""Name of a message -> TAKEN, or what the refusal says first: `550 5.6.11`, `NO`, `BAD`."""
Put = Callable[[Message], Awaitable[str]]


def by_data(account: Account, messages: Iterable[Message]) -> Outcomes:
    """SMTP: MAIL, RCPT and DATA in one piece."""
    return asyncio.run(_by_mail(account, messages, "smtp", _data))


def by_chunks(account: Account, messages: Iterable[Message]) -> Outcomes:
    """SMTP: MAIL, RCPT and BDAT with the message in one piece."""
    return asyncio.run(_by_mail(account, messages, "smtp", _chunks))


def by_lmtp(account: Account, messages: Iterable[Message]) -> Outcomes:
    return asyncio.run(_by_mail(account, messages, "lmtp", _data))


def by_append(account: Account, messages: Iterable[Message]) -> Outcomes:
    return asyncio.run(_by_append(account, messages, b"APPEND INBOX"))


def by_literal8(account: Account, messages: Iterable[Message]) -> Outcomes:
    """RFC 9051 §4.3: any octets."""
    return asyncio.run(_by_append(account, messages, b"APPEND INBOX ~"))


WAYS_IN: Mapping[str, Callable[[Account, Iterable[Message]], Outcomes]] = {
    "data": by_data,
    "bdat": by_chunks,
    "lmtp": by_lmtp,
    "append": by_append,
    "literal8": by_literal8,
}


def out_by_imap(account: Account) -> list[bytes]:
    """Every BODY[] of INBOX by UID."""
    return asyncio.run(_out_by_imap(account))


def out_by_pop3(account: Account) -> list[bytes]:
    """Every message of the maildrop by number."""
    return asyncio.run(_out_by_pop3(account))


# -- in


async def _spread(messages: Iterable[Message], open_one: Callable[[], Awaitable[Put]]) -> Outcomes:
    """Each connection takes the next message when it is through with one."""
    waiting, outcomes = iter(messages), Outcomes()

    async def work(waiting: Iterator[Message]) -> None:
        put = await open_one()
        for message in waiting:
            outcomes[message.name] = await put(message)

    async with asyncio.TaskGroup() as group:
        for _ in range(CONNECTIONS):
            group.create_task(work(waiting))
    return outcomes


Deliver = Callable[[smtp.SmtpConnection, str, bytes], Awaitable[Reply]]


async def _by_mail(account: Account, messages: Iterable[Message], service: str, deliver: Deliver) -> Outcomes:
    async def open_one() -> Put:
        connection = await smtp.connect(HOST, account.server.port(service))
        await connection.greet(b"LHLO" if service == "lmtp" else b"EHLO")

        async def put(message: Message) -> str:
            reply = await deliver(connection, account.address, message.octets)
            return TAKEN if reply.code == 250 else f"{reply.code} {reply.lines[0].split()[0].decode()}"

        return put

    return await _spread(messages, open_one)


async def _data(connection: smtp.SmtpConnection, recipient: str, octets: bytes) -> Reply:
    """The content has to end in CRLF: one that does not gets it."""
    content = smtp.stuffed(ended(octets))
    (reply,) = await connection.deliver(smtp.envelope(SENDER, recipient), content)
    return reply


async def _chunks(connection: smtp.SmtpConnection, recipient: str, octets: bytes) -> Reply:
    """RFC 3030 §2: two chunks, however long; lines may be cut."""
    half = len(octets) // 2
    envelope = smtp.envelope(SENDER, recipient).octets.removesuffix(b"DATA\r\n")
    first, last = b"BDAT %d\r\n" % half, b"BDAT %d LAST\r\n" % (len(octets) - half)
    connection.write(envelope + first + octets[:half] + last + octets[half:])
    replies = [await connection.reply() for _ in range(4)]
    return replies[-1] if replies[2].code == 250 else replies[2]


async def _by_append(account: Account, messages: Iterable[Message], command: bytes) -> Outcomes:
    async def open_one() -> Put:
        connection = await _session(account)

        async def put(message: Message) -> str:
            answer = await connection.command(command, message.octets, b"")
            return TAKEN if answer.status == b"OK" else answer.status.decode()

        return put

    return await _spread(messages, open_one)


# -- out


async def _session(account: Account) -> imap.ImapConnection:
    connection = await imap.connect(HOST, account.server.port("imap"), None)
    await connection.ok(f'LOGIN {account.address} "{account.password}"'.encode())
    return connection


async def _out_by_imap(account: Account) -> list[bytes]:
    connection = await _session(account)
    selected = await connection.ok(b"EXAMINE INBOX")
    (count,) = [int(line.split()[1]) for line in selected.untagged if line.endswith(b" EXISTS")]
    octets = []
    for first in range(1, count + 1, RUN_MESSAGES):
        run = b"%d:%d" % (first, min(count, first + RUN_MESSAGES - 1))
        answer = await connection.ok(b"FETCH %s (RFC822.SIZE BODY.PEEK[])" % run)
        for each in fetched(answer.untagged):
            octets.append(each.items[b"BODY[]"])
            assert int(each.items[b"RFC822.SIZE"]) == len(octets[-1])
    connection.close()
    return octets


async def _out_by_pop3(account: Account) -> list[bytes]:
    drop = await Maildrop.open(HOST, account.server.port("pop3"))
    await drop.login(account.address, account.password)
    octets = await drop.everything()
    await drop.quit()
    return octets


def ended(octets: bytes) -> bytes:
    """SMTP's DATA and POP3's RETR carry whole lines."""
    return octets if octets.endswith(b"\r\n") else octets + b"\r\n"
