"""From the decided state and an intent to a change: pure, never waits.

Each decision is a `Change`, which the caller must append, or a `Result` when there is nothing to write: the
intent is refused, or asks for what is so already.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mailnode.mailbox.add import decide_add
from mailnode.mailbox.adopt import decide_adopt
from mailnode.mailbox.decided import Decided, Loaded, Moment
from mailnode.mailbox.expunged import decide_collect, decide_undelete
from mailnode.mailbox.flags import decide_store
from mailnode.mailbox.queue import decide_queue, decide_submit
from mailnode.mailbox.quota import set_quota
from mailnode.mailbox.removed import (
    decide_purge_account,
    decide_remove_account,
    decide_undelete_account,
    takes,
)
from mailnode.mailbox.transfer import decide_copy, decide_expunge
from mailnode.mailbox.tree import (
    decide_create,
    decide_create_mailbox,
    decide_delete_mailbox,
    decide_rename_mailbox,
    decide_subscribe,
)
from mailnode.pb.change_pb2 import Change, Intent, PutRow, RenameAccount, Result, SetQuota, Trim, Upload


def decide(state: Decided, intent: Intent, loaded: Loaded, moment: Moment) -> Change | Result:
    """What the intent does to the account as decided so far. The state is changed along with it."""
    ask = intent.WhichOneof("ask")
    assert ask is not None
    if not takes(state.row, ask):
        return Result(refused="NONEXISTENT")
    decision = _DECISIONS[ask](state, intent.id, getattr(intent, ask), loaded, moment)
    if isinstance(decision, Change) and not decision.HasField("upload"):
        if decision.HasField("touched"):
            decision.touched.time = moment.now_seconds
        _complete(state, decision)
    return decision


def _complete(state: Decided, change: Change) -> None:
    change.result.first_position = change.result.position = change.position
    change.row.CopyFrom(state.row)
    state.enter(change)


def add_slice(done: Result, result: Result) -> None:
    """Into `done`, what one more slice of an intent did."""
    if result.first_position:
        done.slices.append(result.first_position)
    done.modified.extend(result.modified)


def ended(state: Decided, intent_id: bytes, done: Result, last: Change | Result) -> Change | Result:
    """The last slice with the result of all; kept by itself where only earlier ones did something."""
    result = last if isinstance(last, Result) else last.result
    if result.refused:
        return last
    add_slice(done, result)
    if isinstance(last, Result) and done.slices and intent_id:
        last = state.change(intent_id)
        _complete(state, last)
        result = last.result
    del result.modified[:]
    result.modified.extend(done.modified)
    if done.slices:
        result.first_position = done.slices[0]
    if done.slices != [result.position]:
        result.slices.extend(done.slices)
    return last


def decide_upload(
    state: Decided, intent_id: bytes, ask: Upload, loaded: Loaded, moment: Moment
) -> Change | Result:
    """Octets that nothing names yet: no position, and nobody is told."""
    return Change(account=state.account, upload=ask)


def decide_put_row(
    state: Decided, intent_id: bytes, ask: PutRow, loaded: Loaded, moment: Moment
) -> Change | Result:
    if ask.if_absent and state.small_row(ask.kind, ask.key, loaded):
        return Result(refused="ALREADYEXISTS")
    if ask.HasField("was") and state.small_row(ask.kind, ask.key, loaded) != ask.was:
        return Result(refused="CHANGED")
    change = state.change(intent_id)
    state.put_row(change, ask.kind, ask.key, ask.value)
    change.dues.extend(ask.dues)
    change.revokes = ask.revokes
    return change


def decide_trim(
    state: Decided, intent_id: bytes, ask: Trim, loaded: Loaded, moment: Moment
) -> Change | Result:
    """The account keeps the floor: who asks for the difference from below it must resynchronise."""
    if not state.row.position:
        # Purged since its rows were looked at, or half restored: its own row is still to come.
        return Result(refused="NONEXISTENT")
    change = state.change(intent_id)
    change.trimmed.results = ask.results
    change.trimmed.touched = min(ask.touched, change.position)
    state.row.touched_floor = max(state.row.touched_floor, change.trimmed.touched)
    return change


def decide_set_quota(
    state: Decided, intent_id: bytes, ask: SetQuota, loaded: Loaded, moment: Moment
) -> Change | Result:
    if not state.row.address:
        return Result(refused="NONEXISTENT")
    change = state.change(intent_id)
    set_quota(state.row, ask)
    return change


def decide_rename_account(
    state: Decided, intent_id: bytes, ask: RenameAccount, loaded: Loaded, moment: Moment
) -> Change | Result:
    """Its id, its mail and its sessions stay as they are."""
    if not state.row.address:
        return Result(refused="NONEXISTENT")
    if state.row.address not in (ask.was, ask.address):
        return Result(refused="CHANGED")
    change = state.change(intent_id)
    state.row.address = ask.address
    return change


# Any: each function takes the ask that its key names.
_DECISIONS: dict[str, Callable[[Decided, bytes, Any, Loaded, Moment], Change | Result]] = {
    "create": decide_create,
    "add": decide_add,
    "upload": decide_upload,
    "store": decide_store,
    "copy": decide_copy,
    "expunge": decide_expunge,
    "create_mailbox": decide_create_mailbox,
    "delete_mailbox": decide_delete_mailbox,
    "rename_mailbox": decide_rename_mailbox,
    "subscribe": decide_subscribe,
    "put_row": decide_put_row,
    "trim": decide_trim,
    "submit": decide_submit,
    "queue": decide_queue,
    "set_quota": decide_set_quota,
    "rename_account": decide_rename_account,
    "remove_account": decide_remove_account,
    "undelete_account": decide_undelete_account,
    "purge_account": decide_purge_account,
    "undelete": decide_undelete,
    "collect": decide_collect,
    "adopt": decide_adopt,
}
