"""Rows of mailboxes in memory as they are stored: some 100 octets each, where a parsed one takes 450."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, MutableMapping

from mailnode.pb.row_pb2 import MailboxRow


class PackedRows(MutableMapping[int, MailboxRow]):
    """By mailbox id; a row that is taken out is the caller's own."""

    __slots__ = ("_packed",)

    def __init__(self, rows: Mapping[int, MailboxRow]) -> None:
        self._packed = {mailbox: row.SerializeToString() for mailbox, row in rows.items()}

    def copy(self) -> PackedRows:
        """As they are now."""
        rows = PackedRows({})
        rows._packed = dict(self._packed)
        return rows

    @classmethod
    def of(cls, mailboxes: Iterable[int], packed: Iterable[bytes]) -> PackedRows:
        """Of mailboxes and their rows as they are stored."""
        rows = cls({})
        rows._packed = dict(zip(mailboxes, packed, strict=True))
        return rows

    def packed(self) -> Mapping[int, bytes]:
        """The rows as they are stored; not to be kept."""
        return self._packed

    def __getitem__(self, mailbox: int) -> MailboxRow:
        return MailboxRow.FromString(self._packed[mailbox])

    def __setitem__(self, mailbox: int, row: MailboxRow) -> None:
        self._packed[mailbox] = row.SerializeToString()

    def __delitem__(self, mailbox: int) -> None:
        del self._packed[mailbox]

    def __contains__(self, mailbox: object) -> bool:
        return mailbox in self._packed

    def __iter__(self) -> Iterator[int]:
        return iter(self._packed)

    def __len__(self) -> int:
        return len(self._packed)
