"""An account beyond what was given out after the copy was made that it comes from (design §5.10).

Between a backup and its restoration, or where a data centre is lost and another one has not got all that it
acknowledged, clients were told positions and UIDs that no row knows any more. So the position rises by 2^32,
which all entries and mailboxes take as their mod-sequence, and UIDNEXT by 100,000: no UID comes to mean
another message, and a client that knows more than we do is told of everything anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby, islice

from google.protobuf.message import DecodeError

from mailnode.mailbox.decided import UID_NEXT_MAX
from mailnode.mailbox.mending import POSITION_GAP, UID_GAP
from mailnode.mailbox.queue import NEVER
from mailnode.mailbox.reads import Head, Reads, accounts_from
from mailnode.mailbox.rows import ENTRY_OCTETS, MODIFIED, longs
from mailnode.pb.change_pb2 import Change, Entries, Trim
from mailnode.pb.row_pb2 import AccountRow, QueueRow
from mailnode.store import keys
from mailnode.store.damage import readable, told
from mailnode.store.keys import Due, Family, Kind
from mailnode.store.shard import DropTo, Put, Shard

_PUTS = 5000
"""Of one batch."""
_MAILBOX_GAP = 1000

STATE = Family.STATE


def raise_all(shard: Shard, now_microseconds: int) -> int:
    """Every account of the shard; how many. Blocking; nobody else uses it.

    Each is done whole or is done again: its own row, which says how far it came, is written last.
    """
    count = 0
    for account in accounts_from(shard, 0):
        if keys.is_system(account):
            continue
        puts = raised(shard, account, now_microseconds)
        while part := list(islice(puts, _PUTS)):
            shard.write(part, sync=False)
        count += 1
    shard.write([], sync=True)
    return count


def raised(shard: Shard, account: int, now_microseconds: int) -> Iterator[Put]:
    """The rows of an account, raised; the account's own comes last."""
    yield from _held(shard, account)
    head = Reads(shard, account).head()
    row = head.row
    if not row.position:
        return
    _raise(head, now_microseconds)
    yield STATE, keys.touched(account, 0), DropTo(keys.touched(account, row.position + 1))
    yield from _entries(shard, account, row.position)
    for mailbox in head.mailboxes.values():
        yield STATE, keys.mailbox(account, mailbox.mailbox), mailbox.SerializeToString()
    yield STATE, keys.state(account, Kind.ACCOUNT), row.SerializeToString()


def changes(
    shard: Shard, account: int, generation: int, now_microseconds: int, entries_max: int
) -> Iterator[Change]:
    """The same as changes for the log of a partition, of an account that another data centre led before.

    The last one has the account's own row; until it is there, they are made anew. What waits for other
    servers goes on: nobody can tell whether it was sent, and to lose it would be worse. Blocking.
    """
    head = Reads(shard, account).head()
    before, row = AccountRow(), head.row
    before.CopyFrom(row)
    _raise(head, now_microseconds)
    row.generation = generation
    entries = _entries(shard, account, row.position)
    for mailbox, found in groupby(entries, lambda each: keys.mailbox_of(each[1])):
        while packed := b"".join([value for _, _, value in islice(found, entries_max)]):
            part = Entries(mailbox=mailbox, entries=packed)
            yield Change(format=1, account=account, position=before.position, row=before, entries=[part])
    yield Change(
        format=1,
        account=account,
        position=row.position,
        row=row,
        mailboxes=head.mailboxes.values(),
        trimmed=Trim(touched=row.position),
    )


def _raise(head: Head, now_microseconds: int) -> None:
    """Of a head that was just read."""
    row = head.row
    row.position += POSITION_GAP
    row.touched_floor = row.position
    row.mail_last = max(row.mail_last, now_microseconds)
    row.mailbox_last += _MAILBOX_GAP
    for mailbox in head.mailboxes.values():
        mailbox.highest_modseq = row.position
        mailbox.uid_next = min(mailbox.uid_next + UID_GAP, UID_NEXT_MAX)


def _entries(shard: Shard, account: int, position: int) -> Iterator[tuple[str, bytes, bytes]]:
    start = keys.state(account, Kind.ENTRY)
    for key, value in readable(shard, STATE, start, keys.after(start)):
        if len(value) == ENTRY_OCTETS:
            entry = bytearray(value)
            longs(entry, MODIFIED)[0] = position
            yield STATE, key, bytes(entry)


def _held(shard: Shard, account: int) -> Iterator[Put]:
    """What waited for other servers may have reached them since: an operator says what goes on."""
    start = keys.state(account, Kind.QUEUE)
    for key, value in readable(shard, STATE, start, keys.after(start)):
        try:
            item = QueueRow.FromString(value)
        except DecodeError as error:
            told.tell(STATE, key, str(error))
            continue
        yield Family.DUE, keys.due(account, Due.QUEUE, NEVER if item.held else item.due, key[9:]), None
        item.held = True
        yield STATE, key, item.SerializeToString()
        yield Family.DUE, keys.due(account, Due.QUEUE, NEVER, key[9:]), b""
