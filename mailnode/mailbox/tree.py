"""Deciding what happens to the tree of mailboxes and to subscriptions."""

from __future__ import annotations

from mailnode.limits import Limits
from mailnode.mailbox.decided import Decided, Loaded, Moment
from mailnode.mailbox.names import INBOX, SEPARATOR, canonical_name, is_valid
from mailnode.mailbox.rows import UID, uids_of, words
from mailnode.mailbox.transfer import enter_copies, leave
from mailnode.mailbox.verbs import ALL_UIDS
from mailnode.pb.change_pb2 import (
    Change,
    Create,
    CreateMailbox,
    DeleteMailbox,
    RenameMailbox,
    Result,
    Subscribe,
    TouchedMailbox,
    UidRange,
)
from mailnode.pb.row_pb2 import MailboxRow


def decide_create(
    state: Decided, intent_id: bytes, ask: Create, loaded: Loaded, moment: Moment
) -> Change | Result:
    """A new account: INBOX and whatever else is asked, subscribed."""
    if state.row.address:
        return Result(refused="ALREADYEXISTS")
    change = state.change(intent_id)
    state.row.address = ask.address
    for mailbox in (Create.Mailbox(name=INBOX), *ask.mailboxes):
        if state.find(mailbox.name) is None:
            make_mailbox(state, change, mailbox.name, mailbox.special_use, moment)
        _subscribe(state, change, mailbox.name)
    return _listed(change)


def decide_create_mailbox(
    state: Decided, intent_id: bytes, ask: CreateMailbox, loaded: Loaded, moment: Moment
) -> Change | Result:
    """RFC 9051 §6.3.4: missing parents are made too."""
    name = canonical_name(ask.name)
    if not is_valid(name, moment.limits):
        return Result(refused="CANNOT")
    row = state.find(name)
    if row is not None and not row.noselect:
        return Result(refused="ALREADYEXISTS")
    if len(state.mailboxes) + missing_levels(state, name) > moment.limits.mailboxes_max:
        return Result(refused="LIMIT")
    if ask.special_use and any(m.special_use == ask.special_use for m in state.mailboxes.values()):
        return Result(refused="USEATTR")
    change = state.change(intent_id)
    change.result.mailbox = make_mailbox(state, change, name, ask.special_use, moment).mailbox
    return _listed(change)


def decide_delete_mailbox(
    state: Decided, intent_id: bytes, ask: DeleteMailbox, loaded: Loaded, moment: Moment
) -> Change | Result:
    """RFC 9051 §6.3.5: with children the name stays, \\Noselect; its messages go at once."""
    row = state.mailboxes.get(ask.mailbox)
    if row is None:
        return Result(refused="NONEXISTENT")
    children = state.has_children(row.mailbox)
    if (row.name == INBOX and not row.parent) or (row.noselect and children):
        return Result(refused="HASCHILDREN" if row.noselect else "CANNOT")
    assert loaded.arrays is not None
    change = state.change(intent_id)
    entries = state.entries(row.mailbox, loaded.arrays, ALL_UIDS)
    touched = TouchedMailbox(mailbox=row.mailbox)
    if entries:
        leave(state, change, row, entries, loaded.arrays, moment)
        uids = words(entries, UID)
        touched.destroyed.append(UidRange(first=uids[0], last=uids[-1]))
    change.touched.mailboxes.append(touched)
    if children:
        row.noselect = True
        row.special_use = ""
        row.highest_modseq = change.position
        change.mailboxes.add().CopyFrom(row)
    else:
        del state.mailboxes[row.mailbox]
        del state.tree[row.parent, row.name]
        change.mailboxes_dropped.append(row.mailbox)
    return _listed(change)


def decide_rename_mailbox(
    state: Decided, intent_id: bytes, ask: RenameMailbox, loaded: Loaded, moment: Moment
) -> Change | Result:
    """RFC 9051 §6.3.6: the tree moves with its root's row; INBOX keeps its row and gives its messages."""
    row, name = state.mailboxes.get(ask.mailbox), canonical_name(ask.name)
    if row is None:
        return Result(refused="NONEXISTENT")
    if not is_valid(name, moment.limits):
        return Result(refused="CANNOT")
    if state.find(name) is not None:
        return Result(refused="ALREADYEXISTS")
    is_inbox = row.name == INBOX and not row.parent
    if _lies_below(state, name, row.mailbox):
        return Result(refused="CANNOT")
    if not is_inbox and not _fits(state, row.mailbox, name, moment.limits):
        return Result(refused="CANNOT")
    # The name itself is a new mailbox where INBOX gives its messages to it.
    if len(state.mailboxes) + missing_levels(state, name) - (not is_inbox) > moment.limits.mailboxes_max:
        return Result(refused="LIMIT")
    change = state.change(intent_id)
    if is_inbox:
        _move_inbox(state, change, row, name, loaded, moment)
        return _listed(change)
    del state.tree[row.parent, row.name]
    parent, _, row.name = name.rpartition(SEPARATOR)
    row.parent = _make_parents(state, change, parent, moment)
    state.tree[row.parent, row.name] = row.mailbox
    change.mailboxes.add().CopyFrom(row)
    change.touched.mailboxes.append(TouchedMailbox(mailbox=row.mailbox))
    return _listed(change)


def decide_subscribe(
    state: Decided, intent_id: bytes, ask: Subscribe, loaded: Loaded, moment: Moment
) -> Change | Result:
    """RFC 9051 §6.3.7: a name may be subscribed whether there is such a mailbox or not."""
    name = canonical_name(ask.name)
    if not is_valid(name, moment.limits):
        return Result(refused="CANNOT")
    if (name in state.subscribed) == ask.subscribed:
        return Result(position=state.row.position)
    if ask.subscribed and len(state.subscribed) >= 2 * moment.limits.mailboxes_max:
        return Result(refused="LIMIT")
    change = state.change(intent_id)
    if ask.subscribed:
        _subscribe(state, change, name)
    else:
        state.subscribed.discard(name)
        change.subscriptions.add(name=name, subscribed=False)
    return _listed(change)


def _listed(change: Change) -> Change:
    change.touched.position = change.position
    change.touched.list = True
    return change


def _subscribe(state: Decided, change: Change, name: str) -> None:
    state.subscribed.add(name)
    change.subscriptions.add(name=name, subscribed=True)


def _lies_below(state: Decided, name: str, mailbox: int) -> bool:
    """Whether `name` would be a descendant of the mailbox."""
    parent = name
    while SEPARATOR in parent:
        parent = parent.rpartition(SEPARATOR)[0]
        row = state.find(parent)
        if row is not None and row.mailbox == mailbox:
            return True
    return False


def missing_levels(state: Decided, name: str) -> int:
    """How many mailboxes must be made so that the name is one."""
    levels = name.split(SEPARATOR)
    paths = (SEPARATOR.join(levels[:count]) for count in range(1, len(levels) + 1))
    return sum(state.find(path) is None for path in paths)


def _fits(state: Decided, mailbox: int, name: str, limits: Limits) -> bool:
    """Whether all names below the mailbox stay within bounds when it has this one."""
    children: dict[int, list[MailboxRow]] = {}
    for row in state.mailboxes.values():
        children.setdefault(row.parent, []).append(row)
    waiting = [(mailbox, name.count(SEPARATOR) + 1, len(name.encode()))]
    while waiting:
        parent, levels, octets = waiting.pop()
        if levels > limits.mailbox_depth_max or octets > limits.mailbox_name_octets_max:
            return False
        waiting.extend(
            (row.mailbox, levels + 1, octets + 1 + len(row.name.encode())) for row in children.get(parent, ())
        )
    return True


def make_mailbox(state: Decided, change: Change, name: str, special_use: str, moment: Moment) -> MailboxRow:
    """A mailbox that can be selected, with its parents; a \\Noselect one of this name becomes it."""
    row = state.find(name)
    if row is None:
        parent_name, _, leaf = name.rpartition(SEPARATOR)
        parent = _make_parents(state, change, parent_name, moment)
        state.row.mailbox_last += 1
        row = MailboxRow(mailbox=state.row.mailbox_last, parent=parent, name=leaf)
        state.mailboxes[row.mailbox] = row
        state.tree[parent, leaf] = row.mailbox
    row.noselect = False
    row.special_use = special_use
    row.uid_validity = state.uid_validity(moment.now_microseconds)
    row.mailbox_id = f"M{row.uid_validity}"  # RFC 8474 §4.1: new whenever UIDVALIDITY is
    row.uid_next = row.recent_uid = max(row.uid_next, 1)
    row.highest_modseq = change.position
    change.mailboxes.add().CopyFrom(row)
    change.touched.mailboxes.append(TouchedMailbox(mailbox=row.mailbox))
    return row


def _make_parents(state: Decided, change: Change, name: str, moment: Moment) -> int:
    if not name:
        return 0
    row = state.find(name)
    return (row or make_mailbox(state, change, name, "", moment)).mailbox


def _move_inbox(
    state: Decided, change: Change, inbox: MailboxRow, name: str, loaded: Loaded, moment: Moment
) -> None:
    assert loaded.arrays is not None
    entries = state.entries(inbox.mailbox, loaded.arrays, ALL_UIDS)
    target = make_mailbox(state, change, name, "", moment)
    del change.mailboxes[-1]
    del change.touched.mailboxes[-1]
    enter_copies(state, change, entries, inbox, target, loaded.arrays, moment)
    if entries:
        state.discount(inbox, entries)
        change.entries_dropped.add(mailbox=inbox.mailbox, entries=entries, unique_ids=inbox.unique_ids)
        inbox.highest_modseq = change.position
        uids = uids_of(entries)
        gone = TouchedMailbox(mailbox=inbox.mailbox, destroyed=[UidRange(first=uids[0], last=uids[-1])])
        change.touched.mailboxes.append(gone)
        change.mailboxes.add().CopyFrom(inbox)
