"""What stands in for a counter or a mailbox whose row cannot be read, made of the rows that can.

Nothing that a client saw may come to mean something else: what is made up lies far beyond all that is known.
A mended row is written with the next change of its account or mailbox.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from mailnode.mailbox.names import INBOX
from mailnode.mailbox.rows import (
    DELETED,
    ENTRY_OCTETS,
    FLAGS,
    KEYWORD_BIT_FIRST,
    KEYWORD_MASK,
    MODIFIED,
    SEEN,
    SIZE,
    count_with,
    longs,
    low_flags,
    uid_of,
    words,
)
from mailnode.pb.row_pb2 import AccountRow, MailboxRow

POSITION_GAP = 1 << 32
"""No account makes so many changes between a backup and its restoration (or the loss of a tail)."""
UID_GAP = 100_000
"""As much for the UIDs of a mailbox."""
_MAILBOX_GAP = 1000
"""Mailboxes made and deleted of which no row is left."""
_DEPTH_MAX = 1000


def account_row(
    mailboxes: Mapping[int, MailboxRow], unread: Collection[int], position: int, mail_last: int
) -> AccountRow:
    """Who is behind is told to resynchronise: the floor is as high as the position.

    `position` is the last that is known, `unread` are the mailboxes whose rows are not readable either.
    """
    rows = mailboxes.values()
    mended = max(position, max((row.highest_modseq for row in rows), default=0)) + POSITION_GAP
    return AccountRow(
        position=mended,
        touched_floor=mended,
        mail_last=mail_last,
        mailbox_last=max((*mailboxes, *unread), default=0) + _MAILBOX_GAP,
        uid_validity_last=max((row.uid_validity for row in rows), default=0),
        messages=sum(row.messages for row in rows),
        octets=sum(row.size for row in rows),
    )


def mailbox_row(mailbox: int, name: str, entries: bytes, account: AccountRow) -> MailboxRow:
    """Of its entries; with a new UIDVALIDITY, which `account` takes, for what was given out is not known."""
    account.uid_validity_last += 1
    low, count = low_flags(entries), len(entries) // ENTRY_OCTETS
    uid_next = uid_of(entries) + 1 if entries else 1
    return MailboxRow(
        mailbox=mailbox,
        name=name,
        mailbox_id=f"M{account.uid_validity_last}",
        uid_validity=account.uid_validity_last,
        uid_next=uid_next,
        recent_uid=uid_next,
        highest_modseq=max(longs(entries, MODIFIED), default=1),
        messages=count,
        unseen=count - count_with(low, SEEN),
        deleted=count_with(low, DELETED),
        size=sum(words(entries, SIZE)),
        keywords=_keywords(entries),
    )


def _keywords(entries: bytes) -> list[str]:
    """Names for the bits that are in use: a new keyword must not take one of them."""
    used = 0
    for flags in longs(entries, FLAGS):
        used |= flags & KEYWORD_MASK
    bits = used >> KEYWORD_BIT_FIRST
    return [f"Unreadable{bit}" if bits >> bit & 1 else "" for bit in range(bits.bit_length())]


def mended_name(mailbox: int, mailboxes: Mapping[int, MailboxRow]) -> str:
    """INBOX where there is none: every account has one."""
    if all(row.parent or row.name != INBOX for row in mailboxes.values()):
        return INBOX
    return f"Unreadable {mailbox}"


def adopt(mailboxes: Mapping[int, MailboxRow]) -> None:
    """Whose parent is not there, or is below itself, comes to the top."""
    for row in mailboxes.values():
        seen = 0
        above: MailboxRow | None = row
        while above is not None and above.parent and seen < _DEPTH_MAX:
            above = mailboxes.get(above.parent)
            seen += 1
        if above is None or seen == _DEPTH_MAX:
            row.parent, row.name = 0, f"{row.name} {row.mailbox}"
