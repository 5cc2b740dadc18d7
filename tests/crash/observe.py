"""Everything that a server shows of its accounts, read over IMAP."""

import asyncio
import re
from collections.abc import Callable

from tests.crash.ledger import Entry, Observation, Seen
from tests.wire import imap
from tests.wire.fetched import Fetched, fetched
from tests.wire.server import Server

LIST = re.compile(rb'\* LIST \(([^)]*)\) "." "?([^"]+)"?\Z')
STATUS = re.compile(rb"\[(UIDVALIDITY|UIDNEXT) (\d+)\]|\* (\d+) (EXISTS)")
HEADERS = b"(UID FLAGS BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])"
OCTETS = b"(UID RFC822.SIZE BODY.PEEK[])"

Wanted = Callable[[str, str], bool]  # account, Message-ID -> are its octets to be read?


async def observe(server: Server, wanted: Wanted) -> Observation:
    accounts = list(server.accounts)
    seen = await asyncio.gather(*(_account(server, account, wanted) for account in accounts))
    return dict(zip(accounts, seen, strict=True))


async def _account(server: Server, account: str, wanted: Wanted) -> dict[str, Seen]:
    connection = await imap.connect(server.host, server.port("imaps"), imap.trust(server.certificate))
    await connection.login(account, server.accounts[account])
    listed = await connection.ok(b'LIST "" *')
    matches = [match for line in listed.untagged if (match := LIST.match(line))]
    mailboxes = [match[2].decode() for match in matches if b"\\Noselect" not in match[1]]
    seen = {mailbox: await _mailbox(connection, account, mailbox, wanted) for mailbox in mailboxes}
    await connection.ok(b"LOGOUT")
    connection.close()
    return seen


async def _mailbox(connection: imap.ImapConnection, account: str, mailbox: str, wanted: Wanted) -> Seen:
    answer = await connection.ok(f'EXAMINE "{mailbox}"'.encode())
    found = [match for line in answer.untagged if (match := STATUS.search(line))]
    status = {(match[1] or match[4]): int(match[2] or match[3]) for match in found}
    messages: list[Fetched] = []
    if status[b"EXISTS"]:
        messages = fetched((await connection.ok(b"FETCH 1:* " + HEADERS)).untagged)
    assert len(messages) == status[b"EXISTS"], f"{mailbox}: {len(messages)} of {status[b'EXISTS']}"
    octets = await _octets(connection, [each.uid for each in messages if wanted(account, each.message_id)])
    entries = {each.uid: Entry(each.message_id, each.flags, octets.get(each.uid, b"")) for each in messages}
    return Seen(status[b"UIDVALIDITY"], status[b"UIDNEXT"], entries)


async def _octets(connection: imap.ImapConnection, uids: list[int]) -> dict[int, bytes]:
    if not uids:
        return {}
    answer = await connection.ok(b"UID FETCH %s %s" % (",".join(map(str, uids)).encode(), OCTETS))
    messages = fetched(answer.untagged)
    for each in messages:
        assert int(each.items[b"RFC822.SIZE"]) == len(each.items[b"BODY[]"]), f"UID {each.uid}: RFC822.SIZE"
    return {each.uid: each.items[b"BODY[]"] for each in messages}
