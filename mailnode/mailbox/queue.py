"""Deciding what waits in the queue of an account: messages of its user for other servers."""

from __future__ import annotations

from google.protobuf.message import DecodeError

from mailnode.mailbox.add import stored
from mailnode.mailbox.decided import Decided, Loaded, Moment
from mailnode.pb.change_pb2 import Change, Queue, Result, Submit
from mailnode.pb.row_pb2 import QueueRow
from mailnode.store.keys import Due, Kind

NEVER = 2**63 - 1
"""When an item on hold is due: it has a row, so that the queue can be listed; that time never comes."""


def item_key(mail: int) -> bytes:
    """Of a queue row, and of its `due` row."""
    return mail.to_bytes(8, "big")


def decide_submit(
    state: Decided, intent_id: bytes, ask: Submit, loaded: Loaded, moment: Moment
) -> Change | Result:
    """The content lies in no mailbox; the first attempt is due at once."""
    change = state.change(intent_id)
    mail = stored(state, change, ask, moment)
    item = QueueRow()
    item.CopyFrom(ask.item)
    item.size, item.upload = mail.size, mail.upload
    item.queued = item.due = moment.now_microseconds
    _put(state, change, mail.mail, item)
    return change


def decide_queue(
    state: Decided, intent_id: bytes, ask: Queue, loaded: Loaded, moment: Moment
) -> Change | Result:
    key = item_key(ask.mail)
    before = _before(ask, state.small_row(Kind.QUEUE, key, loaded))
    if before is None:
        return Result(refused="NONEXISTENT")
    change = state.change(intent_id)
    change.dues.add(kind=Due.QUEUE, time=_due(before), key=key, done=True)
    if ask.item.recipients:
        _put(state, change, ask.mail, ask.item)
    else:
        state.put_row(change, Kind.QUEUE, key, b"")
        change.contents_dropped.add(mail=ask.mail, upload=before.upload, size=before.size)
    return change


def _before(ask: Queue, stored: bytes) -> QueueRow | None:
    """None: it is gone. Of an item whose row cannot be read it is known when it was due, and it may go."""
    try:
        row = QueueRow.FromString(stored)
    except DecodeError:
        return QueueRow(due=ask.item.due) if not ask.item.recipients else None
    return row if row.recipients else None


def _put(state: Decided, change: Change, mail: int, item: QueueRow) -> None:
    key = item_key(mail)
    state.put_row(change, Kind.QUEUE, key, item.SerializeToString())
    change.dues.add(kind=Due.QUEUE, time=_due(item), key=key)


def _due(item: QueueRow) -> int:
    return NEVER if item.held else item.due
