"""aioimaplib, for asyncio; it has no STARTTLS."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import aioimaplib
import pytest

from interop import samples
from interop.witness import WAIT_SECONDS_MAX, Account
from tests.wire.imap import trust
from tests.wire.server import HOST


def _plain(account: Account) -> aioimaplib.IMAP4:
    return aioimaplib.IMAP4(HOST, account.server.port("imap"), timeout=WAIT_SECONDS_MAX)


def _tls(account: Account) -> aioimaplib.IMAP4:
    context = trust(account.server.certificate)
    return aioimaplib.IMAP4_SSL(
        HOST, account.server.port("imaps"), timeout=WAIT_SECONDS_MAX, ssl_context=context
    )


Connect = Callable[[Account], aioimaplib.IMAP4]


@asynccontextmanager
async def opened(account: Account, connect: Connect = _tls) -> AsyncIterator[aioimaplib.IMAP4]:
    """Logged in, INBOX selected; LOGOUT at the end."""
    client = connect(account)
    await client.wait_hello_from_server()
    assert (await client.login(account.address, account.password)).result == "OK"
    assert (await client.select("INBOX")).result == "OK"
    yield client
    assert (await client.logout()).result == "OK"


@pytest.mark.parametrize("connect", [_plain, _tls], ids=["plain", "tls"])
def test_what_is_appended_is_fetched_octet_for_octet(account: Account, connect: Connect) -> None:
    message = samples.plain()

    async def session() -> None:
        async with opened(account, connect) as client:
            appended = await client.append(message, "INBOX", "\\Seen")
            assert appended.result == "OK"
            fetched = await client.uid("fetch", "1", "(UID FLAGS RFC822.SIZE BODY.PEEK[])")
            assert fetched.result == "OK"
            assert message in fetched.lines
            assert f"RFC822.SIZE {len(message)}".encode() in fetched.lines[0]

    asyncio.run(session())
    (stored,) = account.messages()
    assert (stored.items[b"BODY[]"], stored.flags) == (message, {"\\Seen"})


def test_messages_are_marked_searched_copied_moved_and_expunged(account: Account) -> None:
    messages = [samples.plain(str(number)) for number in range(4)]
    for message in messages:
        account.append(message)

    async def session() -> None:
        async with opened(account) as client:
            assert (await client.store("1", "+FLAGS", "(\\Flagged)")).result == "OK"
            assert (await client.search("FLAGGED")).lines[0] == b"1"
            assert (await client.uid_search("UNFLAGGED")).lines[0] == b"2 3 4"
            assert (await client.copy("1", "Archive")).result == "OK"
            assert (await client.uid("copy", "2", "Archive")).result == "OK"
            assert (await client.move("2", "Trash")).result == "OK"
            assert (await client.uid("store", "3", "+FLAGS.SILENT", "(\\Deleted)")).result == "OK"
            assert (await client.uid("expunge", "3")).result == "OK"
            assert (await client.uid("move", "4", "Trash")).result == "OK"

    asyncio.run(session())
    assert account.octets() == messages[:1]
    assert account.octets("Archive") == messages[:2]
    assert account.octets("Trash") == [messages[1], messages[3]]


def test_mailboxes_are_made_renamed_counted_and_deleted(account: Account) -> None:
    async def session() -> None:
        async with opened(account) as client:
            for answer in (
                await client.create("Work/2026"),
                await client.rename("Work", "Job"),
                await client.subscribe("Job/2026"),
                await client.unsubscribe("Job/2026"),
                await client.status("Job/2026", "(MESSAGES UIDNEXT)"),
                await client.namespace(),
                await client.id(name="aioimaplib"),
            ):
                assert answer.result == "OK", answer
            listed = await client.list('""', '"Job*"')
            assert [line for line in listed.lines if line.endswith(b"Job/2026")]
            assert (await client.delete("Job/2026")).result == "OK"
            assert (await client.delete("Job/2026")).result == "NO"

    asyncio.run(session())
    assert "Job/2026" not in account.mailboxes()


def test_several_commands_may_be_under_way_at_once(account: Account) -> None:
    """Each of another name: of several FETCH at once the library loses count, with any server."""
    for number in range(10):
        account.append(samples.plain(str(number)))

    async def session() -> None:
        async with opened(account) as client:
            answers = await asyncio.gather(
                client.uid("fetch", "1:*", "(BODY.PEEK[])"),
                client.status("INBOX", "(MESSAGES)"),
                client.list('""', "*"),
                client.noop(),
            )
            assert {answer.result for answer in answers} == {"OK"}

    asyncio.run(session())


def test_idle_tells_what_another_session_does(account: Account) -> None:
    message = samples.plain()

    async def session() -> None:
        async with opened(account) as client:
            idle = await client.idle_start(timeout=WAIT_SECONDS_MAX)
            await asyncio.to_thread(account.append, message)
            assert b"1 EXISTS" in await _told(client, b"EXISTS")
            async with opened(account) as other:
                await other.store("1", "+FLAGS.SILENT", "(\\Deleted)")
                assert any(b"\\Deleted" in line for line in await _told(client, b"FETCH"))
                await other.expunge()
                assert b"1 EXPUNGE" in await _told(client, b"EXPUNGE")
            client.idle_done()
            assert (await asyncio.wait_for(idle, WAIT_SECONDS_MAX)).result == "OK"

    asyncio.run(session())


async def _told(client: aioimaplib.IMAP4, word: bytes) -> list[bytes]:
    """All that IDLE pushes until there is something of that kind."""
    lines: list[bytes] = []
    while not any(word in line for line in lines):
        lines += await client.wait_server_push(WAIT_SECONDS_MAX)
    return lines
