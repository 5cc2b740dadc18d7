"""Deciding what enters an account: delivery, APPEND, import."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from struct import Struct

from mailnode.mailbox.decided import UID_NEXT_MAX, Decided, Loaded, Moment
from mailnode.mailbox.keywords import take_bits
from mailnode.mailbox.names import INBOX
from mailnode.mailbox.ranges import packed
from mailnode.mailbox.rows import ENTRY, OVERFLOW, SYSTEM_FLAGS
from mailnode.pb.change_pb2 import Add, Change, Result, Submit
from mailnode.pb.row_pb2 import MailboxRow, MailRow
from mailnode.store.keys import Kind

_PLACE = Struct(">II")
"""Mailbox and UID, as in keys of the shard."""


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
    """All messages or none, but for those that came before; UIDs in the order of the messages."""
    messages = _new(state, ask.messages, loaded)
    if ask.messages and not messages:
        return Result(position=state.row.position)
    targets = []
    nexts: dict[int, int] = {}
    for message in messages:
        target = _target(state, message)
        if target is None:
            return Result(refused="TRYCREATE")
        uid_next = nexts.get(target.mailbox, target.uid_next)
        if message.uid and message.uid < uid_next:
            return Result(refused="UIDTAKEN")
        nexts[target.mailbox] = uid_next = (message.uid or uid_next) + 1
        if uid_next > UID_NEXT_MAX:
            return Result(refused="LIMIT")
        targets.append(target)
    if not _fits(state, messages, moment):
        return Result(refused="OVERQUOTA")
    change = state.change(intent_id)
    touched = change.touched
    touched.position = change.position
    uids: dict[int, list[int]] = {}
    for message, row in zip(messages, targets, strict=True):
        uids.setdefault(row.mailbox, []).append(message.uid or row.uid_next)
        _add(state, change, message, row, loaded, moment)
    for mailbox, created in uids.items():
        row = state.mailboxes[mailbox]
        row.highest_modseq = change.position
        change.mailboxes.add().CopyFrom(row)
        touched.mailboxes.add(mailbox=mailbox).created.extend(packed(created))
    return change


def _new(state: Decided, messages: Sequence[Add.Message], loaded: Loaded) -> Sequence[Add.Message]:
    """Those that did not come before, each once."""
    if not any(message.origin for message in messages):
        return messages
    new: dict[bytes, Add.Message] = {}
    for at, message in enumerate(messages):
        origin = message.origin
        if not origin:
            new[at.to_bytes(4, "big")] = message  # shorter than any origin
        elif not state.small_row(Kind.ORIGIN, origin, loaded):
            new.setdefault(origin, message)
    return list(new.values())


def _target(state: Decided, message: Add.Message) -> MailboxRow | None:
    mailbox = message.mailbox
    row = state.mailboxes.get(mailbox) if mailbox else state.find(message.name)
    if row is not None and not row.noselect:
        return row
    return state.find(INBOX) if message.inbox_stands_in else None


def _fits(state: Decided, messages: Sequence[Add.Message], moment: Moment) -> bool:
    """A delivery may fill the account a little beyond its quota: it was asked before its content came."""
    octets = sum(message.mail.size for message in messages)
    delivered = all(message.inbox_stands_in for message in messages)
    grace = moment.limits.quota_grace_share if delivered else 0.0
    return moment.quota.holds(state.row, len(messages), octets, grace)


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
        message.uid or row.uid_next,
        mail.size,
    )
    date = message.internal_date or now
    entry = ENTRY.pack(mail.mail, position, position, flags, now, size, date, uid)
    entries = change.entries.add(mailbox=mailbox, entries=entry, placed=True)
    if left:
        entries.overflow[uid].names.extend(left)
    if message.unique_id:
        row.unique_ids = True
        state.put_row(change, Kind.UNIQUE_ID, _PLACE.pack(mailbox, uid), message.unique_id.encode())
    if message.origin:
        state.put_row(change, Kind.ORIGIN, message.origin, _PLACE.pack(mailbox, uid))
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
