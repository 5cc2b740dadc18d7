"""Intents in few words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from mailnode.pb.change_pb2 import (
    Add,
    Collect,
    Copy,
    Create,
    CreateMailbox,
    DeleteMailbox,
    Expunge,
    Intent,
    PutRow,
    RemoveAccount,
    RenameMailbox,
    Store,
    Subscribe,
    UidRange,
    Undelete,
    UndeleteAccount,
    Upload,
)
from mailnode.pb.row_pb2 import MailRow

ACCOUNT = 3 << 48 | 0xABCDEF

Ranges = Iterable[tuple[int, int]]
ALL: Ranges = ((1, 0xFFFFFFFF),)


def intent(ask: Any, intent_id: bytes = b"", retry: bool = False) -> Intent:
    """The intent that asks for `ask`."""
    made = Intent(id=intent_id, retry=retry)
    for field in made.DESCRIPTOR.oneofs_by_name["ask"].fields:
        if field.message_type is ask.DESCRIPTOR:
            getattr(made, field.name).CopyFrom(ask)
            return made
    raise TypeError(type(ask))


def ranges(uids: Ranges) -> list[UidRange]:
    return [UidRange(first=first, last=last) for first, last in uids]


def create(*names: str) -> Create:
    return Create(address="alice@example.test", mailboxes=[Create.Mailbox(name=name) for name in names])


def message(
    mailbox: int | str = 1,
    *,
    flags: int = 0,
    keywords: Sequence[str] = (),
    message_id: bytes = b"",
    references: Sequence[bytes] = (),
    body: bytes = b"body",
    inbox_stands_in: bool = False,
) -> Add.Message:
    head = b"Message-ID: " + message_id + b"\r\n\r\n"
    mail = MailRow(size=len(head + body), header=len(head), message_id=message_id)
    return Add.Message(
        mailbox=mailbox if isinstance(mailbox, int) else 0,
        name=mailbox if isinstance(mailbox, str) else "",
        flags=flags,
        keywords=keywords,
        mail=mail,
        octets=head + body,
        references=references,
        inbox_stands_in=inbox_stands_in,
    )


def uploaded(message: Add.Message, upload: int) -> Add.Message:
    """The same message with its octets in chunks that were written before."""
    message.mail.upload = upload
    message.head = message.octets[: message.mail.header]
    message.octets = b""
    return message


def upload(number: int, chunk: int, octets: bytes) -> Upload:
    return Upload(upload=number, chunk=chunk, octets=octets)


def add(*messages: Add.Message) -> Add:
    return Add(messages=messages)


def store(
    mailbox: int,
    uids: Ranges,
    mode: Store.Mode,
    flags: int = 0,
    keywords: Sequence[str] = (),
    unchanged_since: int | None = None,
) -> Store:
    ask = Store(mailbox=mailbox, uids=ranges(uids), mode=mode, flags=flags, keywords=keywords)
    if unchanged_since is not None:
        ask.unchanged_since = unchanged_since
    return ask


def copy(mailbox: int, uids: Ranges, target: int) -> Copy:
    return Copy(mailbox=mailbox, uids=ranges(uids), target=target)


def move(mailbox: int, uids: Ranges, target: int) -> Copy:
    return Copy(mailbox=mailbox, uids=ranges(uids), target=target, move=True)


def expunge(mailbox: int, uids: Ranges = ALL, whatever_flags: bool = False) -> Expunge:
    return Expunge(mailbox=mailbox, uids=ranges(uids), whatever_flags=whatever_flags)


def create_mailbox(name: str, special_use: str = "") -> CreateMailbox:
    return CreateMailbox(name=name, special_use=special_use)


def delete_mailbox(mailbox: int) -> DeleteMailbox:
    return DeleteMailbox(mailbox=mailbox)


def rename_mailbox(mailbox: int, name: str) -> RenameMailbox:
    return RenameMailbox(mailbox=mailbox, name=name)


def subscribe(name: str, subscribed: bool = True) -> Subscribe:
    return Subscribe(name=name, subscribed=subscribed)


def put_row(kind: int, key: bytes, value: bytes, if_absent: bool = False) -> PutRow:
    return PutRow(kind=kind, key=key, value=value, if_absent=if_absent)


def undelete(expunged: Iterable[bytes]) -> Undelete:
    return Undelete(expunged=expunged)


def collect(expunged: Iterable[bytes]) -> Collect:
    return Collect(expunged=expunged)


def remove_account() -> RemoveAccount:
    return RemoveAccount(address="alice@example.test")


def undelete_account() -> UndeleteAccount:
    return UndeleteAccount()
