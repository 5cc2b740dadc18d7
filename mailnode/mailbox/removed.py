"""Deciding that an account goes, comes back, or is dropped with all that it has."""

from __future__ import annotations

from mailnode.mailbox.decided import Decided, Loaded, Moment
from mailnode.pb.change_pb2 import Change, PurgeAccount, RemoveAccount, Result, UndeleteAccount
from mailnode.pb.row_pb2 import AccountRow
from mailnode.store.keys import Due

_STILL_TAKEN = frozenset(("remove_account", "undelete_account", "purge_account", "queue", "collect", "trim"))
"""By a removed account, until it is purged: what its user has sent goes on."""


def takes(row: AccountRow, ask: str) -> bool:
    """Whether the account takes an intent of that name; one that was purged has no address any more."""
    return not row.removed or (ask in _STILL_TAKEN and bool(row.address))


def decide_remove_account(
    state: Decided, intent_id: bytes, ask: RemoveAccount, loaded: Loaded, moment: Moment
) -> Change | Result:
    if not state.row.address:
        return Result(refused="NONEXISTENT")
    if state.row.removed:
        return Result(position=state.row.position)
    if state.row.address != ask.address:
        return Result(refused="CHANGED")
    change = state.change(intent_id)
    state.row.removed, state.row.removed_address = moment.now_microseconds, ask.address
    change.dues.add(kind=Due.REMOVED, time=state.row.removed, key=ask.address.encode())
    change.revokes = True
    return change


def decide_undelete_account(
    state: Decided, intent_id: bytes, ask: UndeleteAccount, loaded: Loaded, moment: Moment
) -> Change | Result:
    if not state.row.address:
        return Result(refused="NONEXISTENT")
    if not state.row.removed:
        return Result(position=state.row.position)
    change = state.change(intent_id)
    _forget_due(state, change)
    state.row.removed, state.row.removed_address = 0, ""
    return change


def decide_purge_account(
    state: Decided, intent_id: bytes, ask: PurgeAccount, loaded: Loaded, moment: Moment
) -> Change | Result:
    """Only what was removed, and only when its time is over, whoever asks. In memory it stays removed and has
    no address any more: nothing is written into it again."""
    kept = moment.limits.removed_kept_seconds * 1_000_000
    if not state.row.removed or state.row.removed + kept > moment.now_microseconds:
        return Result(refused="CANNOT")
    change = state.change(b"")
    change.purged = True
    _forget_due(state, change)
    state.row.address = ""
    return change


def _forget_due(state: Decided, change: Change) -> None:
    key = state.row.removed_address.encode()
    change.dues.add(kind=Due.REMOVED, time=state.row.removed, key=key, done=True)
