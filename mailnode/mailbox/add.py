"""Deciding what enters an account: delivery, APPEND, import."""

from __future__ import annotations

from hashlib import blake2b

from mailnode.mailbox.decided import Decided, Loaded, Moment
from mailnode.mailbox.keywords import take_bits
from mailnode.mailbox.names import INBOX
from mailnode.mailbox.rows import DELETED, ENTRY, OVERFLOW, SEEN, SYSTEM_FLAGS
from mailnode.pb.change_pb2 import Add, Added, Change, Result, TouchedMailbox, UidRange
from mailnode.pb.row_pb2 import Keywords, MailboxRow
from mailnode.store.keys import Kind


def hashed(message_id: bytes) -> bytes:
    """The key of a Message-ID's `msgid` row."""
    return blake2b(message_id, digest_size=16).digest()


def related(message: Add.Message) -> list[bytes]:
    """The hashes of what a message answers, the nearest first, then of its own Message-ID."""
    ids = [*reversed(message.references)]
    if message.mail.message_id:
        ids.append(message.mail.message_id)
    return [hashed(message_id) for message_id in ids]


def decide_add(state: Decided, intent_id: bytes, ask: Add, loaded: Loaded, moment: Moment) -> Change | Result:
    """All messages or none; UIDs in the order of the messages."""
    targets = [_target(state, message) for message in ask.messages]
    if not all(targets):
        return Result(refused="TRYCREATE")
    change = state.change(intent_id)
    for message, row in zip(ask.messages, targets, strict=True):
        assert row is not None
        _add(state, change, message, row, loaded, moment)
    changed = {row.mailbox: row for row in targets if row is not None}
    for row in changed.values():
        row.highest_modseq = change.position
        change.mailboxes.add().CopyFrom(row)
    change.touched.position = change.position
    for mailbox in changed:
        uids = [added.uid for added in change.result.added if added.mailbox == mailbox]
        created = [UidRange(first=uids[0], last=uids[-1])]
        change.touched.mailboxes.append(TouchedMailbox(mailbox=mailbox, created=created))
    return change


def _target(state: Decided, message: Add.Message) -> MailboxRow | None:
    row = state.mailboxes.get(message.mailbox) if message.mailbox else state.find(message.name)
    if row is not None and not row.noselect:
        return row
    return state.find(INBOX) if message.inbox_stands_in else None


def _add(
    state: Decided, change: Change, message: Add.Message, row: MailboxRow, loaded: Loaded, moment: Moment
) -> None:
    mail = change.mails.add()
    mail.row.CopyFrom(message.mail)
    mail.row.mail = state.mail_id(moment.now_microseconds)
    mail.row.received = moment.now_microseconds
    mail.octets = message.octets
    mail.head = message.head or message.octets[: message.mail.header]
    _join_thread(state, change, message, loaded)
    bits, left = take_bits(row, message.keywords)
    flags = message.flags & SYSTEM_FLAGS | bits | (OVERFLOW if left else 0)
    uid, size, position = row.uid_next, message.mail.size, change.position
    date = message.internal_date or moment.now_seconds
    entry = ENTRY.pack(mail.row.mail, position, position, flags, moment.now_seconds, size, date, uid)
    entries = change.entries.add(mailbox=row.mailbox, entries=entry, placed=True)
    if left:
        entries.overflow[uid].CopyFrom(Keywords(names=left))
    row.uid_next += 1
    row.messages += 1
    row.unseen += not flags & SEEN
    row.deleted += flags & DELETED != 0
    row.size += size
    state.row.messages += 1
    state.row.octets += size
    change.result.added.append(
        Added(mailbox=row.mailbox, uid_validity=row.uid_validity, uid=uid, mail=mail.row.mail)
    )


def _join_thread(state: Decided, change: Change, message: Add.Message, loaded: Loaded) -> None:
    """The thread of the nearest known relative, else one of its own; fixed from here on."""
    mail = change.mails[-1]
    hashes = related(message)
    threads = {h: state.small_row(Kind.MSGID, h, loaded) for h in hashes}
    known = next((thread for thread in threads.values() if thread), b"")
    mail.row.thread = int.from_bytes(known, "big") if known else mail.row.mail
    thread = mail.row.thread.to_bytes(8, "big")
    for h, found in threads.items():
        if not found:
            change.rows.add(kind=Kind.MSGID, key=h, value=thread)
