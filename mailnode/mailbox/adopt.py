"""Deciding that a mailbox is what it was on another server."""

from __future__ import annotations

from struct import Struct

from mailnode.mailbox.decided import UID_NEXT_MAX, Decided, Loaded, Moment
from mailnode.pb.change_pb2 import Adopt, Change, Result, TouchedMailbox
from mailnode.pb.row_pb2 import MailboxRow
from mailnode.store.keys import Kind

_MAILBOX = Struct(">I")
_UID_VALIDITY_LEFT = 1 << 24
"""Each mailbox that is made later takes a higher one."""


def decide_adopt(
    state: Decided, intent_id: bytes, ask: Adopt, loaded: Loaded, moment: Moment
) -> Change | Result:
    """UIDVALIDITY changes only while no UID was given: RFC 9051 §2.3.1.1 forbids that a message has two.

    One UIDVALIDITY is that of one mailbox for good: were it adopted again after that one is gone or renamed,
    a UID that was given there would come to mean another message.
    """
    row = state.mailboxes.get(ask.mailbox)
    if row is None or row.noselect:
        return Result(refused="NONEXISTENT")
    renewed = ask.uid_validity not in (0, row.uid_validity)
    namesake = next((each for each in state.mailboxes.values() if each.uid_validity == ask.uid_validity), row)
    if renewed and (row.uid_next > 1 or namesake.uid_next > 1 or _was_adopted(state, ask, loaded)):
        return Result(refused="UIDTAKEN")
    if ask.uid_next > UID_NEXT_MAX or ask.uid_validity > UID_NEXT_MAX - _UID_VALIDITY_LEFT:
        return Result(refused="LIMIT")
    holder = _holder(state, row, ask.special_use)
    if holder is not None and holder.uid_next > 1:
        return Result(refused="USEATTR")
    if not renewed and ask.uid_next <= row.uid_next and ask.special_use in ("", row.special_use):
        return Result(position=state.row.position)
    change = state.change(intent_id)
    if renewed:
        row.mailbox_id = f"M{state.uid_validity(moment.now_microseconds)}"  # RFC 8474 §4.1, as at creation
        row.uid_validity = ask.uid_validity
        state.put_row(change, Kind.ADOPTED, adopted_key(ask.uid_validity), _MAILBOX.pack(row.mailbox))
        state.row.uid_validity_last = max(state.row.uid_validity_last, ask.uid_validity)
        if namesake is not row:  # it never gave a UID, and is as well off with another
            namesake.uid_validity = state.uid_validity(moment.now_microseconds)
    row.uid_next = max(row.uid_next, ask.uid_next)
    row.special_use = ask.special_use or row.special_use
    if holder is not None:
        holder.special_use = ""
    for each in {r.mailbox: r for r in (namesake, holder, row) if r is not None}.values():
        _changed(change, each)
    change.touched.position = change.position
    change.touched.list = True
    return change


def adopted_key(uid_validity: int) -> bytes:
    return _MAILBOX.pack(uid_validity)


def _was_adopted(state: Decided, ask: Adopt, loaded: Loaded) -> bool:
    return bool(state.small_row(Kind.ADOPTED, adopted_key(ask.uid_validity), loaded))


def _holder(state: Decided, row: MailboxRow, special_use: str) -> MailboxRow | None:
    """The other mailbox that has the use: RFC 6154 §3 lets one have it here."""
    others = (each for each in state.mailboxes.values() if each.mailbox != row.mailbox)
    return next((each for each in others if special_use and each.special_use == special_use), None)


def _changed(change: Change, row: MailboxRow) -> None:
    row.highest_modseq = change.position
    change.mailboxes.add().CopyFrom(row)
    change.touched.mailboxes.append(TouchedMailbox(mailbox=row.mailbox))
