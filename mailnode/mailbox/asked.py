"""What an intent is about: which mailbox's messages, how many of them, and which small rows."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

from mailnode.limits import Limits
from mailnode.mailbox.add import related
from mailnode.mailbox.adopt import adopted_key
from mailnode.mailbox.arrays import Arrays
from mailnode.mailbox.queue import item_key
from mailnode.mailbox.ranges import pairs, sliced
from mailnode.pb.change_pb2 import Collect, Intent, UidRange, Undelete
from mailnode.store.keys import Kind

_OF_RANGES = frozenset(("store", "copy", "expunge"))
_ALONE = frozenset(("undelete", "collect"))
_OF_ALL = frozenset(("delete_mailbox", "rename_mailbox"))
_OF_CONTENT = frozenset(("add", "submit", "upload"))
_RANGES_COUNTED_MAX = 100
"""Each costs a search: who names so many ranges asks for many messages."""
_ABOUT_MESSAGES = _OF_RANGES | _OF_ALL


def alone(intent: Intent) -> bool:
    """Whether it is decided in a pool while nothing else of its account is on its way: it is about long rows,
    or by what lies in the shard alone."""
    return intent.WhichOneof("ask") in _ALONE


def mailbox_needed(intent: Intent) -> int:
    """The mailbox whose messages an intent is about, 0 for none."""
    ask = intent.WhichOneof("ask")
    return getattr(intent, ask).mailbox if ask in _ABOUT_MESSAGES else 0


def rows_asked(intent: Intent) -> Sequence[tuple[int, bytes]]:
    """The small rows that it is decided by, by kind and key."""
    if intent.HasField("add"):
        messages = intent.add.messages
        rows = [(Kind.MSGID, h) for message in messages for h in related(message)]
        return rows + [(Kind.ORIGIN, message.origin) for message in messages if message.origin]
    if intent.HasField("put_row") and (intent.put_row.if_absent or intent.put_row.HasField("was")):
        return [(intent.put_row.kind, intent.put_row.key)]
    if alone(intent):
        ask: Undelete | Collect = getattr(intent, intent.WhichOneof("ask") or "")
        return [(Kind.EXPUNGED, key) for key in ask.expunged]
    if intent.HasField("adopt") and intent.adopt.uid_validity:
        return [(Kind.ADOPTED, adopted_key(intent.adopt.uid_validity))]
    if intent.HasField("queue"):
        return [(Kind.QUEUE, item_key(intent.queue.mail))]
    return ()


def grows(intent: Intent) -> bool:
    """Whether it takes more of the disk than a few rows: what a full one has no room for."""
    if intent.HasField("copy"):
        return not intent.copy.move  # most clients delete by it
    return intent.WhichOneof("ask") in _OF_CONTENT


def messages_asked(intent: Intent, arrays: Arrays) -> int:
    """About how many of the mailbox's committed messages it is."""
    ask = intent.WhichOneof("ask")
    if ask in _OF_ALL:
        return len(arrays.uids)
    uids = getattr(intent, ask or "").uids
    if len(uids) == 1 and uids[0].first == uids[0].last:
        return 1
    if len(uids) > _RANGES_COUNTED_MAX:
        return len(arrays.uids)
    return sum([end - start for start, end in arrays.slices(pairs(uids))])


def slices_of(intent: Intent, uids: array[int], uid_next: int, limits: Limits) -> list[Intent]:
    """A STORE in parts of so many of the mailbox's `uids` as are decided at once; the last one has its id.

    What comes into the mailbox meanwhile is not asked for.
    """
    ranges = [
        (first, min(last, uid_next - 1)) for first, last in pairs(intent.store.uids) if first < uid_next
    ]
    parts = sliced(ranges, uids, limits.store_slice_entries, limits.store_slice_ranges)
    whole = Intent(store=intent.store, copies=intent.copies)
    del whole.store.uids[:]
    slices = []
    for part in parts:
        slice_ = Intent(store=whole.store, copies=whole.copies)
        slice_.store.uids.extend([UidRange(first=first, last=last) for first, last in part])
        slices.append(slice_)
    slices[-1].id = intent.id
    return slices
