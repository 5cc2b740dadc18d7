"""Deciding what becomes of messages that were expunged: kept for a while, brought back, or dropped for good.

What a change expunges from a mailbox lies in expunged rows, and each of its places stays, marked as leaving.
Whoever takes such a row, to bring its messages back or to drop them, takes it on the decided edge, and nobody
else has it after that. A mail goes when the last of its places does, live or leaving: so one that lies
anywhere, or can be brought back from anywhere, is never dropped.
"""

from __future__ import annotations

import logging
from array import array
from collections.abc import Iterable, Iterator

from mailnode.mailbox.decided import Decided, Loaded, Moment, has_uids
from mailnode.mailbox.keywords import names_of
from mailnode.mailbox.names import INBOX, is_valid
from mailnode.mailbox.rows import (
    DELETED,
    ENTRY_OCTETS,
    FLAGS,
    KEYWORD_MASK,
    MAIL,
    OVERFLOW,
    SIZE,
    UID,
    expunged_row,
    longs,
    words,
)
from mailnode.mailbox.transfer import enter_new
from mailnode.mailbox.tree import make_mailbox, missing_levels
from mailnode.pb.change_pb2 import Change, Collect, Result, Undelete
from mailnode.pb.row_pb2 import ExpungedRow, MailboxRow
from mailnode.store.keys import Due, Kind

log = logging.getLogger(__name__)


# -- brought back ------------------------------------------------------------------------------------------


def decide_undelete(
    state: Decided, intent_id: bytes, ask: Undelete, loaded: Loaded, moment: Moment
) -> Change | Result:
    """Into the mailboxes that they were in, as new messages with their flags, but for \\Deleted; no quota
    counts, for whoever asks is not the user."""
    taken = {key: row for key, row in _taken(state, ask.expunged, loaded) if row.entries}
    if not taken:
        return Result(position=state.row.position)
    change = state.change(intent_id)
    homes: dict[int, MailboxRow] = {}
    for key, row in taken.items():
        home = _home(state, change, row, moment)
        if not has_uids(home, len(row.entries) // ENTRY_OCTETS):
            continue
        homes[home.mailbox] = home
        _enter(state, change, row, home, moment)
        state.put_row(change, Kind.EXPUNGED, key, b"")
        change.places_dropped.add(mailbox=row.mailbox, entries=row.entries)
        change.result.undeleted += len(row.entries) // ENTRY_OCTETS
    for home in homes.values():
        listed = next((each for each in change.mailboxes if each.mailbox == home.mailbox), None)
        (change.mailboxes.add() if listed is None else listed).CopyFrom(home)
    change.touched.position = change.position
    return change


def _home(state: Decided, change: Change, row: ExpungedRow, moment: Moment) -> MailboxRow:
    """Where the messages belong: their mailbox, else one of its name, made anew, else INBOX."""
    home = state.mailboxes.get(row.mailbox) or state.find(row.name)
    if home is not None and not home.noselect:
        return home
    limits = moment.limits
    if is_valid(row.name, limits) and (
        len(state.mailboxes) + missing_levels(state, row.name) <= limits.mailboxes_max
    ):
        change.touched.list = True
        return make_mailbox(state, change, row.name, "", moment)
    inbox = state.find(INBOX)
    assert inbox is not None, "every account has one"
    return inbox


def _enter(state: Decided, change: Change, row: ExpungedRow, home: MailboxRow, moment: Moment) -> None:
    def keywords(uid: int, flags: int) -> list[str]:
        names = names_of(row.keywords, flags & KEYWORD_MASK)
        return [*names, *row.overflow[uid].names] if flags & OVERFLOW else names

    entries = bytearray(row.entries)
    flags = longs(entries, FLAGS)
    flags[:] = array("Q", [each & ~DELETED for each in flags])
    created = enter_new(state, change, bytes(entries), keywords, home, moment)
    touched = next((each for each in change.touched.mailboxes if each.mailbox == home.mailbox), None)
    (touched or change.touched.mailboxes.add(mailbox=home.mailbox)).created.append(created)


# -- dropped for good --------------------------------------------------------------------------------------


def decide_collect(
    state: Decided, intent_id: bytes, ask: Collect, loaded: Loaded, moment: Moment
) -> Change | Result:
    """Drops those mails of the rows that lie nowhere else. What it has read is all that was decided: nothing
    else of the account is on its way."""
    if not state.row.position:
        return Result(refused="NONEXISTENT")  # half restored: its own row is still to come
    taken = dict(_taken(state, ask.expunged, loaded))
    if not taken and loaded.expunged_next == state.row.expunged_since:
        return Result(position=state.row.position)
    change = state.change(intent_id)
    gone: dict[int, set[tuple[int, int]]] = {}
    sizes: dict[int, int] = {}
    for key, row in taken.items():
        state.put_row(change, Kind.EXPUNGED, key, b"")
        change.places_dropped.add(mailbox=row.mailbox, entries=row.entries)
        columns = (longs(row.entries, MAIL), words(row.entries, UID), words(row.entries, SIZE))
        for mail, uid, size in zip(*columns, strict=True):
            gone.setdefault(mail, set()).add((row.mailbox, uid))
            sizes[mail] = size
    for mail, places in gone.items():
        leaving = loaded.leaving[mail]
        if not leaving.queued and leaving.places <= places:
            change.contents_dropped.add(mail=mail, upload=leaving.upload, size=sizes[mail])
    _put_due(state, change, loaded.expunged_next)
    return change


def _put_due(state: Decided, change: Change, following: int) -> None:
    """`following`: the time of the first expunged row that is left, 0 for none."""
    if state.row.expunged_since:
        change.dues.add(kind=Due.EXPUNGED, time=state.row.expunged_since, done=True)
    state.row.expunged_since = following
    if following:
        change.dues.add(kind=Due.EXPUNGED, time=following)


def _taken(state: Decided, expunged: Iterable[bytes], loaded: Loaded) -> Iterator[tuple[bytes, ExpungedRow]]:
    """Of the rows those that nobody has taken; what cannot be read gives nothing back, and drops no mail."""
    for key in expunged:
        value = state.small_row(Kind.EXPUNGED, key, loaded)
        if not value:
            continue
        row = expunged_row(value)
        if row is None:
            log.error("account %016x: an expunged row is not readable", state.account)
        yield key, row or ExpungedRow()
