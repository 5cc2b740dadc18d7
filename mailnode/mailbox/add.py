"""Deciding what enters an account: delivery, APPEND, import."""

from __future__ import annotations

from hashlib import blake2b

from mailnode.mailbox.decided import Decided, Loaded, Moment, has_uids
from mailnode.mailbox.keywords import take_bits
from mailnode.mailbox.names import INBOX
from mailnode.mailbox.rows import ENTRY, OVERFLOW, SYSTEM_FLAGS
from mailnode.pb.change_pb2 import Add, Change, Result, Submit
from mailnode.pb.row_pb2 import MailboxRow, MailRow
from mailnode.store.keys import Kind


def hashed(message_id: bytes) -> bytes:
    """The key of a Message-ID's `msgid` row."""
    return blake2b(message_id, digest_size=16).digest()


def related(message: Add.Message) -> list[bytes]:
    """The hashes of what a message answers, the nearest first, then of its own Message-ID; each once."""
    hashes = dict.fromkeys([hashed(message_id) for message_id in reversed(message.references)])
    message_id = message.mail.message_id
    if message_id:
        hashes[hashed(message_id)] = None
    return list(hashes)


def decide_add(state: Decided, intent_id: bytes, ask: Add, loaded: Loaded, moment: Moment) -> Change | Result:
    """All messages or none; UIDs in the order of the messages."""
    messages = ask.messages
    targets = []
    for message in messages:
        target = _target(state, message)
        if target is None:
            return Result(refused="TRYCREATE")
        if not has_uids(target, len(messages)):
            return Result(refused="LIMIT")
        targets.append(target)
    if not _fits(state, ask, moment):
        return Result(refused="OVERQUOTA")
    change = state.change(intent_id)
    touched = change.touched
    touched.position = change.position
    first_uids = {row.mailbox: (row, row.uid_next) for row in targets}
    for message, row in zip(messages, targets, strict=True):
        _add(state, change, message, row, loaded, moment)
    for mailbox, (row, first) in first_uids.items():
        row.highest_modseq = change.position
        change.mailboxes.add().CopyFrom(row)
        touched.mailboxes.add(mailbox=mailbox).created.add(first=first, last=row.uid_next - 1)
    return change


def _target(state: Decided, message: Add.Message) -> MailboxRow | None:
    mailbox = message.mailbox
    row = state.mailboxes.get(mailbox) if mailbox else state.find(message.name)
    if row is not None and not row.noselect:
        return row
    return state.find(INBOX) if message.inbox_stands_in else None


def _fits(state: Decided, ask: Add, moment: Moment) -> bool:
    """A delivery may fill the account a little beyond its quota: it was asked before its content came."""
    octets = sum(message.mail.size for message in ask.messages)
    delivered = all(message.inbox_stands_in for message in ask.messages)
    grace = moment.limits.quota_grace_share if delivered else 0.0
    return moment.quota.holds(state.row, len(ask.messages), octets, grace)


def _add(
    state: Decided, change: Change, message: Add.Message, row: MailboxRow, loaded: Loaded, moment: Moment
) -> None:
    mail = stored(state, change, message, moment)
    _join_thread(state, change, mail, message, loaded)
    bits, left = take_bits(row, message.keywords)
    flags = message.flags & SYSTEM_FLAGS | bits | (OVERFLOW if left else 0)
    now, position, mailbox, uid, size = (
        moment.now_seconds,
        change.position,
        row.mailbox,
        row.uid_next,
        mail.size,
    )
    date = message.internal_date or now
    entry = ENTRY.pack(mail.mail, position, position, flags, now, size, date, uid)
    entries = change.entries.add(mailbox=mailbox, entries=entry, placed=True)
    if left:
        entries.overflow[uid].names.extend(left)
    row.uid_next = uid + 1
    state.count_one(row, flags, size)
    change.result.added.add(mailbox=mailbox, uid_validity=row.uid_validity, uid=uid, mail=mail.mail)


def stored(state: Decided, change: Change, message: Add.Message | Submit, moment: Moment) -> MailRow:
    """The mail of the change that a message becomes."""
    octets = message.octets
    head = message.head or octets[: message.mail.header]
    mail = change.mails.add(octets=octets, head=head, forms=message.forms)
    row = mail.row
    row.CopyFrom(message.mail)
    row.mail = state.mail_id(moment.now_microseconds)
    row.received = moment.now_microseconds
    row.sent = row.sent or moment.now_seconds
    return row


def _join_thread(state: Decided, change: Change, mail: MailRow, message: Add.Message, loaded: Loaded) -> None:
    """The thread of the nearest known relative, else one of its own; fixed from here on."""
    known = b""
    unknown = []
    for h in related(message):
        thread = state.small_row(Kind.MSGID, h, loaded)
        if not thread:
            unknown.append(h)
        elif not known:
            known = thread
    if not known:
        known = mail.mail.to_bytes(8, "big")
    mail.thread = int.from_bytes(known, "big")
    for h in unknown:
        state.put_row(change, Kind.MSGID, h, known)
