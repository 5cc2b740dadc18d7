"""What an account answers, and its errors, in the words of protos/account.proto and back."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Sequence

from mailnode.cluster.append import NotPrimary, Unavailable
from mailnode.mailbox.forms import Forms
from mailnode.mailbox.packed import PackedRows
from mailnode.mailbox.quota import Quota, Usage
from mailnode.mailbox.rows import uids_of
from mailnode.mailbox.verbs import Expunged, Gone, Mailboxes, Messages, NotKnown, UidRanges
from mailnode.pb.account_pb2 import Failed, GoneList, Held, Listed, Run, StoredRows
from mailnode.store.damage import Unreadable


def u32s(numbers: array[int], count: int) -> bytes:
    """The first `count`, little-endian."""
    cut = numbers[:count]
    if sys.byteorder == "big":
        cut.byteswap()
    return cut.tobytes()


def numbers_of(octets: bytes) -> array[int]:
    """Of `u32s`."""
    numbers = array("I")
    numbers.frombytes(octets)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def ranges_said(ranges: UidRanges) -> bytes:
    flat = array("I", [each for bounds in ranges for each in bounds])
    return u32s(flat, len(flat))


def ranges_meant(octets: bytes) -> UidRanges:
    flat = numbers_of(octets)
    return tuple(zip(flat[::2], flat[1::2], strict=True))


# -- values


def run_said(run: Messages) -> Run:
    forms = run.forms
    said = Run(
        position=run.position,
        uids=b"" if run.entries else u32s(run.uids, run.count),
        entries=run.entries,
        mails=run.mails,
        heads=run.heads,
        envelopes=forms.envelopes,
        bodies=forms.bodies,
        structures=forms.structures,
        hiding=forms.hiding,
        octets=run.octets,
        first_unseen=run.first_unseen,
    )
    for uid, keywords in run.overflow.items():
        said.overflow[uid].CopyFrom(keywords)
    return said


def run_meant(said: Run) -> Messages:
    uids = uids_of(said.entries) if said.entries else numbers_of(said.uids)
    return Messages(
        said.position,
        uids,
        len(uids),
        said.entries,
        list(said.mails),
        list(said.heads),
        Forms(list(said.envelopes), list(said.bodies), list(said.structures), list(said.hiding)),
        list(said.octets),
        dict(said.overflow),
        said.first_unseen,
    )


def listed_said(listed: Mailboxes) -> Listed:
    rows = listed.rows
    packed = rows.packed() if isinstance(rows, PackedRows) else PackedRows(rows).packed()
    return Listed(
        position=listed.position,
        mailboxes=packed.keys(),
        rows=packed.values(),
        names=listed.names.keys(),
        named=listed.names.values(),
        subscribed=listed.subscribed,
        version=listed.version,
    )


def listed_meant(said: Listed) -> Mailboxes:
    rows = PackedRows.of(said.mailboxes, said.rows)
    names = dict(zip(said.names, said.named, strict=True))
    return Mailboxes(said.position, rows, names, frozenset(said.subscribed), said.version)


def usage_said(usage: Usage) -> Held:
    quota = usage.quota
    return Held(
        row=usage.row,
        octets_max=quota.octets,
        messages_max=quota.messages,
        domain_full=quota.domain_full,
        mailboxes=usage.mailboxes,
    )


def usage_meant(said: Held) -> Usage:
    return Usage(said.row, Quota(said.octets_max, said.messages_max, said.domain_full), said.mailboxes)


def gone_said(gone: Sequence[Gone]) -> GoneList:
    said = GoneList()
    for each in gone:
        said.gone.add(
            key=each.key,
            time=each.time_microseconds,
            mailbox=each.mailbox,
            name=each.name,
            messages=each.messages,
            octets=each.octets,
        )
    return said


def gone_meant(said: GoneList) -> list[Gone]:
    return [Gone(e.key, e.time, e.mailbox, e.name, e.messages, e.octets) for e in said.gone]


def stored_said(rows: Sequence[tuple[bytes, bytes]]) -> StoredRows:
    return StoredRows(keys=[key for key, _ in rows], values=[value for _, value in rows])


def stored_meant(said: StoredRows) -> list[tuple[bytes, bytes]]:
    return list(zip(said.keys, said.values, strict=True))


# -- errors


class Mistake(RuntimeError):
    """The node that was asked made one of its own: its log says which."""


def failed_said(error: BaseException) -> Failed | None:
    """None: it is no answer of an account, but our own mistake."""
    match error:
        case KeyError(args=(int(mailbox),)):
            return Failed(why=Failed.NO_MAILBOX, number=mailbox)
        case Expunged(args=args):
            return Failed(why=Failed.EXPUNGED, number=args[0] if args else 0)
        case Unreadable():
            return Failed(why=Failed.UNREADABLE, family=error.family, key=error.key, text=error.reason)
        case NotKnown():
            return Failed(why=Failed.NOT_KNOWN)
        case NotPrimary():
            return Failed(why=Failed.NOT_PRIMARY, text=error.owner, number=error.partition)
        case Unavailable():
            return Failed(why=Failed.UNAVAILABLE, text=str(error))
    return None


def failed_meant(said: Failed) -> Exception:
    match said.why:
        case Failed.NO_MAILBOX:
            return KeyError(said.number)
        case Failed.EXPUNGED:
            return Expunged(said.number)
        case Failed.UNREADABLE:
            return Unreadable(said.family, said.key, said.text)
        case Failed.NOT_KNOWN:
            return NotKnown()
        case Failed.NOT_PRIMARY:
            return NotPrimary(said.number, said.text)
        case Failed.UNAVAILABLE:
            return Unavailable(said.text)
    return Mistake(said.text)
