"""The list of mailboxes: RFC 9051 §6.3.4-11 and RFC 3501 §6.3.9."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress

from mailnode.listeners.imap.client import Client
from mailnode.listeners.imap.refusal import Refused
from mailnode.mailbox.rows import DELETED, SIZE, low_flags, words
from mailnode.mailbox.verbs import ALL_UIDS, Account, Mailboxes, Want
from mailnode.pb import change_pb2
from mailnode.pb.change_pb2 import CreateMailbox, DeleteMailbox, Intent, RenameMailbox
from mailnode.pb.row_pb2 import MailboxRow
from protocols.imap import listing, response
from protocols.imap.answer import Ok
from protocols.imap.event import (
    Create,
    Delete,
    List,
    Lsub,
    Namespace,
    Rename,
    Status,
    Subscribe,
    Unsubscribe,
)

_OF_A_MAILBOX = frozenset(("\\Archive", "\\Drafts", "\\Junk", "\\Sent", "\\Trash"))
"""Special uses of RFC 6154 §2 of one mailbox; \\All and \\Flagged are views of others."""


async def create(client: Client, event: Create) -> None:
    if len(event.special_use) > 1 or not _OF_A_MAILBOX.issuperset(event.special_use):
        raise Refused("USEATTR")
    ask = CreateMailbox(name=event.mailbox, special_use="".join(event.special_use))
    result = await client.apply(Intent(create_mailbox=ask))
    row = (await client.account.mailboxes()).rows.get(result.mailbox)  # None: somebody deleted it since
    await _announce(client, event, event.mailbox, event.spelled)
    await client.end(event, Ok("Created", response.mailbox_id(row.mailbox_id) if row else ""))


async def delete(client: Client, event: Delete) -> None:
    row = await _row(client, event.mailbox)
    await client.apply(Intent(delete_mailbox=DeleteMailbox(mailbox=row.mailbox)))
    await _announce(client, event, event.mailbox, event.spelled)
    await client.end(event, Ok("Deleted"))


async def rename(client: Client, event: Rename) -> None:
    row = await _row(client, event.mailbox)
    ask = RenameMailbox(mailbox=row.mailbox, name=event.new_name)
    await client.apply(Intent(rename_mailbox=ask))
    await _announce(client, event, event.new_name, event.spelled or event.mailbox)
    await client.end(event, Ok("Renamed"))


async def _announce(client: Client, event: Create | Delete | Rename, name: str, old_name: str) -> None:
    """LIST with OLDNAME where a client of IMAP4rev2 knows the mailbox by another name (RFC 9051 §6.3.9.7)."""
    if client.rev2 and old_name:
        client.say(event, listed(client, await client.account.mailboxes(), name, old_name))


def listed(client: Client, mailboxes: Mailboxes, name: str, old_name: str = "") -> bytes:
    """One mailbox as LIST says it, there or not."""
    said, row = client.mailbox_name, mailboxes.named(name)
    attributes = ["\\NonExistent"]
    if row is not None:
        above = any(each.startswith(name + "/") for each in mailboxes.names)
        attributes = [*_attributes_of(row), "\\HasChildren" if above else "\\HasNoChildren"]
    if name in mailboxes.subscribed:
        attributes.append("\\Subscribed")
    return response.listed(attributes, said(name), old_name=said(old_name) if old_name else b"")


async def _row(client: Client, name: str) -> MailboxRow:
    """Of a name that may be a \\Noselect one."""
    row = (await client.account.mailboxes()).named(name)
    if row is None:
        raise Refused("NONEXISTENT")
    return row


async def subscribe(client: Client, event: Subscribe) -> None:
    await client.apply(Intent(subscribe=change_pb2.Subscribe(name=event.mailbox, subscribed=True)))
    await client.end(event, Ok("Subscribed"))


async def unsubscribe(client: Client, event: Unsubscribe) -> None:
    await client.apply(Intent(subscribe=change_pb2.Subscribe(name=event.mailbox, subscribed=False)))
    await client.end(event, Ok("Unsubscribed"))


async def list_(client: Client, event: List) -> None:
    mailboxes = await client.account.mailboxes()
    await client.say_all(event, _listed(client, event, mailboxes))
    await client.end(event, Ok("Listed"))


async def _listed(client: Client, event: List, mailboxes: Mailboxes) -> AsyncIterator[bytes]:
    said = client.mailbox_name
    for row in listing.answer(event, _attributes(mailboxes), mailboxes.subscribed, said):
        yield row.octets
        if event.status and row.selectable:
            values = await _values(client, mailboxes.rows[mailboxes.names[row.name]], event.status)
            yield response.status(said(row.name), values)


async def lsub(client: Client, event: Lsub) -> None:
    mailboxes = await client.account.mailboxes()
    attributes = _attributes(mailboxes)
    client.say(event, listing.subscriptions(event, attributes, mailboxes.subscribed, client.mailbox_name))
    await client.end(event, Ok("Listed"))


def _attributes(mailboxes: Mailboxes) -> dict[str, tuple[str, ...]]:
    return {name: _attributes_of(mailboxes.rows[mailbox]) for name, mailbox in mailboxes.names.items()}


def _attributes_of(row: MailboxRow) -> tuple[str, ...]:
    if row.noselect:
        return ("\\Noselect",)
    return (row.special_use,) if row.special_use else ()


async def namespace(client: Client, event: Namespace) -> None:
    client.say(event, response.namespace())
    await client.end(event, Ok("Said"))


async def status(client: Client, event: Status) -> None:
    row = await client.mailbox(event.mailbox, "NONEXISTENT")
    values = await _values(client, row, event.items)
    client.say(event, response.status(client.mailbox_name(event.mailbox), values))
    await client.end(event, Ok("Said"))


async def _values(client: Client, row: MailboxRow, items: tuple[str, ...]) -> dict[str, int | str]:
    known: dict[str, int | str] = {
        "MESSAGES": row.messages,
        "UIDNEXT": row.uid_next,
        "UIDVALIDITY": row.uid_validity,
        "UNSEEN": row.unseen,
        "DELETED": row.deleted,
        "SIZE": row.size,
        "HIGHESTMODSEQ": row.highest_modseq,
        "MAILBOXID": f"({row.mailbox_id})",
        "APPENDLIMIT": client.limits.imap_message_octets_max,
    }
    if "RECENT" in items:
        known["RECENT"] = await _recent(client.account, row.mailbox)
    if "DELETED-STORAGE" in items:
        known["DELETED-STORAGE"] = await _deleted_octets(client.account, row)
    return {item: known[item] for item in items if item in known}


async def _deleted_octets(account: Account, row: MailboxRow) -> int:
    """What EXPUNGE would free (RFC 9208 §4.1.4); most mailboxes have nothing \\Deleted, so it is not kept."""
    octets = 0
    if row.deleted:
        with suppress(KeyError):  # it was deleted meanwhile
            async for run in account.messages(row.mailbox, ALL_UIDS, Want.ENTRIES):
                sizes, flags = words(run.entries, SIZE), low_flags(run.entries)
                octets += sum(size for size, low in zip(sizes, flags, strict=True) if low & DELETED)
    return octets


async def _recent(account: Account, mailbox: int) -> int:
    with suppress(KeyError):  # it was deleted meanwhile
        return await account.recent(mailbox)
    return 0
