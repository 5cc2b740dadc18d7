from mailnode.pb import row_pb2 as _row_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class UidRange(_message.Message):
    __slots__ = ("first", "last")
    FIRST_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    first: int
    last: int
    def __init__(self, first: _Optional[int] = ..., last: _Optional[int] = ...) -> None: ...

class Intent(_message.Message):
    __slots__ = ("id", "retry", "copies", "create", "add", "upload", "store", "copy", "expunge", "create_mailbox", "delete_mailbox", "rename_mailbox", "subscribe", "put_row", "submit", "queue", "trim", "set_quota", "undelete", "collect", "remove_account", "undelete_account", "purge_account", "adopt", "rename_account", "dcs")
    ID_FIELD_NUMBER: _ClassVar[int]
    RETRY_FIELD_NUMBER: _ClassVar[int]
    COPIES_FIELD_NUMBER: _ClassVar[int]
    CREATE_FIELD_NUMBER: _ClassVar[int]
    ADD_FIELD_NUMBER: _ClassVar[int]
    UPLOAD_FIELD_NUMBER: _ClassVar[int]
    STORE_FIELD_NUMBER: _ClassVar[int]
    COPY_FIELD_NUMBER: _ClassVar[int]
    EXPUNGE_FIELD_NUMBER: _ClassVar[int]
    CREATE_MAILBOX_FIELD_NUMBER: _ClassVar[int]
    DELETE_MAILBOX_FIELD_NUMBER: _ClassVar[int]
    RENAME_MAILBOX_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIBE_FIELD_NUMBER: _ClassVar[int]
    PUT_ROW_FIELD_NUMBER: _ClassVar[int]
    SUBMIT_FIELD_NUMBER: _ClassVar[int]
    QUEUE_FIELD_NUMBER: _ClassVar[int]
    TRIM_FIELD_NUMBER: _ClassVar[int]
    SET_QUOTA_FIELD_NUMBER: _ClassVar[int]
    UNDELETE_FIELD_NUMBER: _ClassVar[int]
    COLLECT_FIELD_NUMBER: _ClassVar[int]
    REMOVE_ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    UNDELETE_ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    PURGE_ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    ADOPT_FIELD_NUMBER: _ClassVar[int]
    RENAME_ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    DCS_FIELD_NUMBER: _ClassVar[int]
    id: bytes
    retry: bool
    copies: int
    create: Create
    add: Add
    upload: Upload
    store: Store
    copy: Copy
    expunge: Expunge
    create_mailbox: CreateMailbox
    delete_mailbox: DeleteMailbox
    rename_mailbox: RenameMailbox
    subscribe: Subscribe
    put_row: PutRow
    submit: Submit
    queue: Queue
    trim: Trim
    set_quota: SetQuota
    undelete: Undelete
    collect: Collect
    remove_account: RemoveAccount
    undelete_account: UndeleteAccount
    purge_account: PurgeAccount
    adopt: Adopt
    rename_account: RenameAccount
    dcs: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, id: _Optional[bytes] = ..., retry: _Optional[bool] = ..., copies: _Optional[int] = ..., create: _Optional[_Union[Create, _Mapping]] = ..., add: _Optional[_Union[Add, _Mapping]] = ..., upload: _Optional[_Union[Upload, _Mapping]] = ..., store: _Optional[_Union[Store, _Mapping]] = ..., copy: _Optional[_Union[Copy, _Mapping]] = ..., expunge: _Optional[_Union[Expunge, _Mapping]] = ..., create_mailbox: _Optional[_Union[CreateMailbox, _Mapping]] = ..., delete_mailbox: _Optional[_Union[DeleteMailbox, _Mapping]] = ..., rename_mailbox: _Optional[_Union[RenameMailbox, _Mapping]] = ..., subscribe: _Optional[_Union[Subscribe, _Mapping]] = ..., put_row: _Optional[_Union[PutRow, _Mapping]] = ..., submit: _Optional[_Union[Submit, _Mapping]] = ..., queue: _Optional[_Union[Queue, _Mapping]] = ..., trim: _Optional[_Union[Trim, _Mapping]] = ..., set_quota: _Optional[_Union[SetQuota, _Mapping]] = ..., undelete: _Optional[_Union[Undelete, _Mapping]] = ..., collect: _Optional[_Union[Collect, _Mapping]] = ..., remove_account: _Optional[_Union[RemoveAccount, _Mapping]] = ..., undelete_account: _Optional[_Union[UndeleteAccount, _Mapping]] = ..., purge_account: _Optional[_Union[PurgeAccount, _Mapping]] = ..., adopt: _Optional[_Union[Adopt, _Mapping]] = ..., rename_account: _Optional[_Union[RenameAccount, _Mapping]] = ..., dcs: _Optional[_Iterable[str]] = ...) -> None: ...

class Create(_message.Message):
    __slots__ = ("address", "mailboxes")
    class Mailbox(_message.Message):
        __slots__ = ("name", "special_use")
        NAME_FIELD_NUMBER: _ClassVar[int]
        SPECIAL_USE_FIELD_NUMBER: _ClassVar[int]
        name: str
        special_use: str
        def __init__(self, name: _Optional[str] = ..., special_use: _Optional[str] = ...) -> None: ...
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    MAILBOXES_FIELD_NUMBER: _ClassVar[int]
    address: str
    mailboxes: _containers.RepeatedCompositeFieldContainer[Create.Mailbox]
    def __init__(self, address: _Optional[str] = ..., mailboxes: _Optional[_Iterable[_Union[Create.Mailbox, _Mapping]]] = ...) -> None: ...

class Add(_message.Message):
    __slots__ = ("messages",)
    class Message(_message.Message):
        __slots__ = ("mailbox", "name", "flags", "keywords", "internal_date", "mail", "octets", "head", "references", "inbox_stands_in", "forms", "uid", "unique_id", "origin")
        MAILBOX_FIELD_NUMBER: _ClassVar[int]
        NAME_FIELD_NUMBER: _ClassVar[int]
        FLAGS_FIELD_NUMBER: _ClassVar[int]
        KEYWORDS_FIELD_NUMBER: _ClassVar[int]
        INTERNAL_DATE_FIELD_NUMBER: _ClassVar[int]
        MAIL_FIELD_NUMBER: _ClassVar[int]
        OCTETS_FIELD_NUMBER: _ClassVar[int]
        HEAD_FIELD_NUMBER: _ClassVar[int]
        REFERENCES_FIELD_NUMBER: _ClassVar[int]
        INBOX_STANDS_IN_FIELD_NUMBER: _ClassVar[int]
        FORMS_FIELD_NUMBER: _ClassVar[int]
        UID_FIELD_NUMBER: _ClassVar[int]
        UNIQUE_ID_FIELD_NUMBER: _ClassVar[int]
        ORIGIN_FIELD_NUMBER: _ClassVar[int]
        mailbox: int
        name: str
        flags: int
        keywords: _containers.RepeatedScalarFieldContainer[str]
        internal_date: int
        mail: _row_pb2.MailRow
        octets: bytes
        head: bytes
        references: _containers.RepeatedScalarFieldContainer[bytes]
        inbox_stands_in: bool
        forms: bytes
        uid: int
        unique_id: str
        origin: bytes
        def __init__(self, mailbox: _Optional[int] = ..., name: _Optional[str] = ..., flags: _Optional[int] = ..., keywords: _Optional[_Iterable[str]] = ..., internal_date: _Optional[int] = ..., mail: _Optional[_Union[_row_pb2.MailRow, _Mapping]] = ..., octets: _Optional[bytes] = ..., head: _Optional[bytes] = ..., references: _Optional[_Iterable[bytes]] = ..., inbox_stands_in: _Optional[bool] = ..., forms: _Optional[bytes] = ..., uid: _Optional[int] = ..., unique_id: _Optional[str] = ..., origin: _Optional[bytes] = ...) -> None: ...
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    messages: _containers.RepeatedCompositeFieldContainer[Add.Message]
    def __init__(self, messages: _Optional[_Iterable[_Union[Add.Message, _Mapping]]] = ...) -> None: ...

class Upload(_message.Message):
    __slots__ = ("upload", "chunk", "octets")
    UPLOAD_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    OCTETS_FIELD_NUMBER: _ClassVar[int]
    upload: int
    chunk: int
    octets: bytes
    def __init__(self, upload: _Optional[int] = ..., chunk: _Optional[int] = ..., octets: _Optional[bytes] = ...) -> None: ...

class Store(_message.Message):
    __slots__ = ("mailbox", "uids", "mode", "flags", "keywords", "unchanged_since")
    class Mode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        REPLACE: _ClassVar[Store.Mode]
        ADD: _ClassVar[Store.Mode]
        REMOVE: _ClassVar[Store.Mode]
    REPLACE: Store.Mode
    ADD: Store.Mode
    REMOVE: Store.Mode
    MAILBOX_FIELD_NUMBER: _ClassVar[int]
    UIDS_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    FLAGS_FIELD_NUMBER: _ClassVar[int]
    KEYWORDS_FIELD_NUMBER: _ClassVar[int]
    UNCHANGED_SINCE_FIELD_NUMBER: _ClassVar[int]
    mailbox: int
    uids: _containers.RepeatedCompositeFieldContainer[UidRange]
    mode: Store.Mode
    flags: int
    keywords: _containers.RepeatedScalarFieldContainer[str]
    unchanged_since: int
    def __init__(self, mailbox: _Optional[int] = ..., uids: _Optional[_Iterable[_Union[UidRange, _Mapping]]] = ..., mode: _Optional[_Union[Store.Mode, str]] = ..., flags: _Optional[int] = ..., keywords: _Optional[_Iterable[str]] = ..., unchanged_since: _Optional[int] = ...) -> None: ...

class Copy(_message.Message):
    __slots__ = ("mailbox", "uids", "target", "move", "messages")
    MAILBOX_FIELD_NUMBER: _ClassVar[int]
    UIDS_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    MOVE_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    mailbox: int
    uids: _containers.RepeatedCompositeFieldContainer[UidRange]
    target: int
    move: bool
    messages: int
    def __init__(self, mailbox: _Optional[int] = ..., uids: _Optional[_Iterable[_Union[UidRange, _Mapping]]] = ..., target: _Optional[int] = ..., move: _Optional[bool] = ..., messages: _Optional[int] = ...) -> None: ...

class Expunge(_message.Message):
    __slots__ = ("mailbox", "uids", "whatever_flags")
    MAILBOX_FIELD_NUMBER: _ClassVar[int]
    UIDS_FIELD_NUMBER: _ClassVar[int]
    WHATEVER_FLAGS_FIELD_NUMBER: _ClassVar[int]
    mailbox: int
    uids: _containers.RepeatedCompositeFieldContainer[UidRange]
    whatever_flags: bool
    def __init__(self, mailbox: _Optional[int] = ..., uids: _Optional[_Iterable[_Union[UidRange, _Mapping]]] = ..., whatever_flags: _Optional[bool] = ...) -> None: ...

class CreateMailbox(_message.Message):
    __slots__ = ("name", "special_use")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SPECIAL_USE_FIELD_NUMBER: _ClassVar[int]
    name: str
    special_use: str
    def __init__(self, name: _Optional[str] = ..., special_use: _Optional[str] = ...) -> None: ...

class Adopt(_message.Message):
    __slots__ = ("mailbox", "uid_validity", "uid_next", "special_use")
    MAILBOX_FIELD_NUMBER: _ClassVar[int]
    UID_VALIDITY_FIELD_NUMBER: _ClassVar[int]
    UID_NEXT_FIELD_NUMBER: _ClassVar[int]
    SPECIAL_USE_FIELD_NUMBER: _ClassVar[int]
    mailbox: int
    uid_validity: int
    uid_next: int
    special_use: str
    def __init__(self, mailbox: _Optional[int] = ..., uid_validity: _Optional[int] = ..., uid_next: _Optional[int] = ..., special_use: _Optional[str] = ...) -> None: ...

class DeleteMailbox(_message.Message):
    __slots__ = ("mailbox",)
    MAILBOX_FIELD_NUMBER: _ClassVar[int]
    mailbox: int
    def __init__(self, mailbox: _Optional[int] = ...) -> None: ...

class RenameMailbox(_message.Message):
    __slots__ = ("mailbox", "name")
    MAILBOX_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    mailbox: int
    name: str
    def __init__(self, mailbox: _Optional[int] = ..., name: _Optional[str] = ...) -> None: ...

class Subscribe(_message.Message):
    __slots__ = ("name", "subscribed")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIBED_FIELD_NUMBER: _ClassVar[int]
    name: str
    subscribed: bool
    def __init__(self, name: _Optional[str] = ..., subscribed: _Optional[bool] = ...) -> None: ...

class PutRow(_message.Message):
    __slots__ = ("kind", "key", "value", "if_absent", "dues", "was", "revokes")
    KIND_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    IF_ABSENT_FIELD_NUMBER: _ClassVar[int]
    DUES_FIELD_NUMBER: _ClassVar[int]
    WAS_FIELD_NUMBER: _ClassVar[int]
    REVOKES_FIELD_NUMBER: _ClassVar[int]
    kind: int
    key: bytes
    value: bytes
    if_absent: bool
    dues: _containers.RepeatedCompositeFieldContainer[Due]
    was: bytes
    revokes: bool
    def __init__(self, kind: _Optional[int] = ..., key: _Optional[bytes] = ..., value: _Optional[bytes] = ..., if_absent: _Optional[bool] = ..., dues: _Optional[_Iterable[_Union[Due, _Mapping]]] = ..., was: _Optional[bytes] = ..., revokes: _Optional[bool] = ...) -> None: ...

class Submit(_message.Message):
    __slots__ = ("mail", "octets", "head", "item", "forms")
    MAIL_FIELD_NUMBER: _ClassVar[int]
    OCTETS_FIELD_NUMBER: _ClassVar[int]
    HEAD_FIELD_NUMBER: _ClassVar[int]
    ITEM_FIELD_NUMBER: _ClassVar[int]
    FORMS_FIELD_NUMBER: _ClassVar[int]
    mail: _row_pb2.MailRow
    octets: bytes
    head: bytes
    item: _row_pb2.QueueRow
    forms: bytes
    def __init__(self, mail: _Optional[_Union[_row_pb2.MailRow, _Mapping]] = ..., octets: _Optional[bytes] = ..., head: _Optional[bytes] = ..., item: _Optional[_Union[_row_pb2.QueueRow, _Mapping]] = ..., forms: _Optional[bytes] = ...) -> None: ...

class Queue(_message.Message):
    __slots__ = ("mail", "item")
    MAIL_FIELD_NUMBER: _ClassVar[int]
    ITEM_FIELD_NUMBER: _ClassVar[int]
    mail: int
    item: _row_pb2.QueueRow
    def __init__(self, mail: _Optional[int] = ..., item: _Optional[_Union[_row_pb2.QueueRow, _Mapping]] = ...) -> None: ...

class SetQuota(_message.Message):
    __slots__ = ("octets", "messages")
    class Limit(_message.Message):
        __slots__ = ("own",)
        OWN_FIELD_NUMBER: _ClassVar[int]
        own: int
        def __init__(self, own: _Optional[int] = ...) -> None: ...
    OCTETS_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    octets: SetQuota.Limit
    messages: SetQuota.Limit
    def __init__(self, octets: _Optional[_Union[SetQuota.Limit, _Mapping]] = ..., messages: _Optional[_Union[SetQuota.Limit, _Mapping]] = ...) -> None: ...

class RenameAccount(_message.Message):
    __slots__ = ("address", "was")
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    WAS_FIELD_NUMBER: _ClassVar[int]
    address: str
    was: str
    def __init__(self, address: _Optional[str] = ..., was: _Optional[str] = ...) -> None: ...

class Undelete(_message.Message):
    __slots__ = ("expunged",)
    EXPUNGED_FIELD_NUMBER: _ClassVar[int]
    expunged: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, expunged: _Optional[_Iterable[bytes]] = ...) -> None: ...

class Collect(_message.Message):
    __slots__ = ("expunged",)
    EXPUNGED_FIELD_NUMBER: _ClassVar[int]
    expunged: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, expunged: _Optional[_Iterable[bytes]] = ...) -> None: ...

class RemoveAccount(_message.Message):
    __slots__ = ("address",)
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    address: str
    def __init__(self, address: _Optional[str] = ...) -> None: ...

class UndeleteAccount(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class PurgeAccount(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Result(_message.Message):
    __slots__ = ("refused", "position", "added", "copied", "mailbox", "modified", "expunged", "first_position", "slices", "undeleted", "copies", "dcs")
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    ADDED_FIELD_NUMBER: _ClassVar[int]
    COPIED_FIELD_NUMBER: _ClassVar[int]
    MAILBOX_FIELD_NUMBER: _ClassVar[int]
    MODIFIED_FIELD_NUMBER: _ClassVar[int]
    EXPUNGED_FIELD_NUMBER: _ClassVar[int]
    FIRST_POSITION_FIELD_NUMBER: _ClassVar[int]
    SLICES_FIELD_NUMBER: _ClassVar[int]
    UNDELETED_FIELD_NUMBER: _ClassVar[int]
    COPIES_FIELD_NUMBER: _ClassVar[int]
    DCS_FIELD_NUMBER: _ClassVar[int]
    refused: str
    position: int
    added: _containers.RepeatedCompositeFieldContainer[Added]
    copied: Copied
    mailbox: int
    modified: _containers.RepeatedCompositeFieldContainer[UidRange]
    expunged: _containers.RepeatedCompositeFieldContainer[UidRange]
    first_position: int
    slices: _containers.RepeatedScalarFieldContainer[int]
    undeleted: int
    copies: int
    dcs: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, refused: _Optional[str] = ..., position: _Optional[int] = ..., added: _Optional[_Iterable[_Union[Added, _Mapping]]] = ..., copied: _Optional[_Union[Copied, _Mapping]] = ..., mailbox: _Optional[int] = ..., modified: _Optional[_Iterable[_Union[UidRange, _Mapping]]] = ..., expunged: _Optional[_Iterable[_Union[UidRange, _Mapping]]] = ..., first_position: _Optional[int] = ..., slices: _Optional[_Iterable[int]] = ..., undeleted: _Optional[int] = ..., copies: _Optional[int] = ..., dcs: _Optional[_Iterable[str]] = ...) -> None: ...

class Added(_message.Message):
    __slots__ = ("mailbox", "uid_validity", "uid", "mail")
    MAILBOX_FIELD_NUMBER: _ClassVar[int]
    UID_VALIDITY_FIELD_NUMBER: _ClassVar[int]
    UID_FIELD_NUMBER: _ClassVar[int]
    MAIL_FIELD_NUMBER: _ClassVar[int]
    mailbox: int
    uid_validity: int
    uid: int
    mail: int
    def __init__(self, mailbox: _Optional[int] = ..., uid_validity: _Optional[int] = ..., uid: _Optional[int] = ..., mail: _Optional[int] = ...) -> None: ...

class Copied(_message.Message):
    __slots__ = ("uid_validity", "source", "target")
    UID_VALIDITY_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    uid_validity: int
    source: _containers.RepeatedCompositeFieldContainer[UidRange]
    target: _containers.RepeatedCompositeFieldContainer[UidRange]
    def __init__(self, uid_validity: _Optional[int] = ..., source: _Optional[_Iterable[_Union[UidRange, _Mapping]]] = ..., target: _Optional[_Iterable[_Union[UidRange, _Mapping]]] = ...) -> None: ...

class Trim(_message.Message):
    __slots__ = ("touched", "results")
    TOUCHED_FIELD_NUMBER: _ClassVar[int]
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    touched: int
    results: int
    def __init__(self, touched: _Optional[int] = ..., results: _Optional[int] = ...) -> None: ...

class Change(_message.Message):
    __slots__ = ("format", "account", "position", "intent", "result", "row", "mailboxes", "mailboxes_dropped", "entries", "entries_dropped", "mails", "touched", "rows", "subscriptions", "upload", "dues", "contents_dropped", "trimmed", "places_dropped", "purged", "revokes")
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    INTENT_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    ROW_FIELD_NUMBER: _ClassVar[int]
    MAILBOXES_FIELD_NUMBER: _ClassVar[int]
    MAILBOXES_DROPPED_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_DROPPED_FIELD_NUMBER: _ClassVar[int]
    MAILS_FIELD_NUMBER: _ClassVar[int]
    TOUCHED_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIPTIONS_FIELD_NUMBER: _ClassVar[int]
    UPLOAD_FIELD_NUMBER: _ClassVar[int]
    DUES_FIELD_NUMBER: _ClassVar[int]
    CONTENTS_DROPPED_FIELD_NUMBER: _ClassVar[int]
    TRIMMED_FIELD_NUMBER: _ClassVar[int]
    PLACES_DROPPED_FIELD_NUMBER: _ClassVar[int]
    PURGED_FIELD_NUMBER: _ClassVar[int]
    REVOKES_FIELD_NUMBER: _ClassVar[int]
    format: int
    account: int
    position: int
    intent: bytes
    result: Result
    row: _row_pb2.AccountRow
    mailboxes: _containers.RepeatedCompositeFieldContainer[_row_pb2.MailboxRow]
    mailboxes_dropped: _containers.RepeatedScalarFieldContainer[int]
    entries: _containers.RepeatedCompositeFieldContainer[Entries]
    entries_dropped: _containers.RepeatedCompositeFieldContainer[Dropped]
    mails: _containers.RepeatedCompositeFieldContainer[Mail]
    touched: Touched
    rows: _containers.RepeatedCompositeFieldContainer[Row]
    subscriptions: _containers.RepeatedCompositeFieldContainer[Subscribe]
    upload: Upload
    dues: _containers.RepeatedCompositeFieldContainer[Due]
    contents_dropped: _containers.RepeatedCompositeFieldContainer[ContentDropped]
    trimmed: Trim
    places_dropped: _containers.RepeatedCompositeFieldContainer[Dropped]
    purged: bool
    revokes: bool
    def __init__(self, format: _Optional[int] = ..., account: _Optional[int] = ..., position: _Optional[int] = ..., intent: _Optional[bytes] = ..., result: _Optional[_Union[Result, _Mapping]] = ..., row: _Optional[_Union[_row_pb2.AccountRow, _Mapping]] = ..., mailboxes: _Optional[_Iterable[_Union[_row_pb2.MailboxRow, _Mapping]]] = ..., mailboxes_dropped: _Optional[_Iterable[int]] = ..., entries: _Optional[_Iterable[_Union[Entries, _Mapping]]] = ..., entries_dropped: _Optional[_Iterable[_Union[Dropped, _Mapping]]] = ..., mails: _Optional[_Iterable[_Union[Mail, _Mapping]]] = ..., touched: _Optional[_Union[Touched, _Mapping]] = ..., rows: _Optional[_Iterable[_Union[Row, _Mapping]]] = ..., subscriptions: _Optional[_Iterable[_Union[Subscribe, _Mapping]]] = ..., upload: _Optional[_Union[Upload, _Mapping]] = ..., dues: _Optional[_Iterable[_Union[Due, _Mapping]]] = ..., contents_dropped: _Optional[_Iterable[_Union[ContentDropped, _Mapping]]] = ..., trimmed: _Optional[_Union[Trim, _Mapping]] = ..., places_dropped: _Optional[_Iterable[_Union[Dropped, _Mapping]]] = ..., purged: _Optional[bool] = ..., revokes: _Optional[bool] = ...) -> None: ...

class Due(_message.Message):
    __slots__ = ("kind", "time", "key", "done")
    KIND_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    kind: int
    time: int
    key: bytes
    done: bool
    def __init__(self, kind: _Optional[int] = ..., time: _Optional[int] = ..., key: _Optional[bytes] = ..., done: _Optional[bool] = ...) -> None: ...

class ContentDropped(_message.Message):
    __slots__ = ("mail", "upload", "size")
    MAIL_FIELD_NUMBER: _ClassVar[int]
    UPLOAD_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    mail: int
    upload: int
    size: int
    def __init__(self, mail: _Optional[int] = ..., upload: _Optional[int] = ..., size: _Optional[int] = ...) -> None: ...

class Entries(_message.Message):
    __slots__ = ("mailbox", "entries", "placed", "overflow")
    class OverflowEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: int
        value: _row_pb2.Keywords
        def __init__(self, key: _Optional[int] = ..., value: _Optional[_Union[_row_pb2.Keywords, _Mapping]] = ...) -> None: ...
    MAILBOX_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    PLACED_FIELD_NUMBER: _ClassVar[int]
    OVERFLOW_FIELD_NUMBER: _ClassVar[int]
    mailbox: int
    entries: bytes
    placed: bool
    overflow: _containers.MessageMap[int, _row_pb2.Keywords]
    def __init__(self, mailbox: _Optional[int] = ..., entries: _Optional[bytes] = ..., placed: _Optional[bool] = ..., overflow: _Optional[_Mapping[int, _row_pb2.Keywords]] = ...) -> None: ...

class Dropped(_message.Message):
    __slots__ = ("mailbox", "entries", "expunged", "kept", "unique_ids")
    MAILBOX_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    EXPUNGED_FIELD_NUMBER: _ClassVar[int]
    KEPT_FIELD_NUMBER: _ClassVar[int]
    UNIQUE_IDS_FIELD_NUMBER: _ClassVar[int]
    mailbox: int
    entries: bytes
    expunged: int
    kept: _row_pb2.ExpungedRow
    unique_ids: bool
    def __init__(self, mailbox: _Optional[int] = ..., entries: _Optional[bytes] = ..., expunged: _Optional[int] = ..., kept: _Optional[_Union[_row_pb2.ExpungedRow, _Mapping]] = ..., unique_ids: _Optional[bool] = ...) -> None: ...

class Mail(_message.Message):
    __slots__ = ("row", "octets", "head", "forms")
    ROW_FIELD_NUMBER: _ClassVar[int]
    OCTETS_FIELD_NUMBER: _ClassVar[int]
    HEAD_FIELD_NUMBER: _ClassVar[int]
    FORMS_FIELD_NUMBER: _ClassVar[int]
    row: _row_pb2.MailRow
    octets: bytes
    head: bytes
    forms: bytes
    def __init__(self, row: _Optional[_Union[_row_pb2.MailRow, _Mapping]] = ..., octets: _Optional[bytes] = ..., head: _Optional[bytes] = ..., forms: _Optional[bytes] = ...) -> None: ...

class Row(_message.Message):
    __slots__ = ("kind", "key", "value")
    KIND_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    kind: int
    key: bytes
    value: bytes
    def __init__(self, kind: _Optional[int] = ..., key: _Optional[bytes] = ..., value: _Optional[bytes] = ...) -> None: ...

class Touched(_message.Message):
    __slots__ = ("position", "mailboxes", "list", "time")
    POSITION_FIELD_NUMBER: _ClassVar[int]
    MAILBOXES_FIELD_NUMBER: _ClassVar[int]
    LIST_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    position: int
    mailboxes: _containers.RepeatedCompositeFieldContainer[TouchedMailbox]
    list: bool
    time: int
    def __init__(self, position: _Optional[int] = ..., mailboxes: _Optional[_Iterable[_Union[TouchedMailbox, _Mapping]]] = ..., list: _Optional[bool] = ..., time: _Optional[int] = ...) -> None: ...

class TouchedMailbox(_message.Message):
    __slots__ = ("mailbox", "created", "modified", "destroyed")
    MAILBOX_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    MODIFIED_FIELD_NUMBER: _ClassVar[int]
    DESTROYED_FIELD_NUMBER: _ClassVar[int]
    mailbox: int
    created: _containers.RepeatedCompositeFieldContainer[UidRange]
    modified: _containers.RepeatedCompositeFieldContainer[UidRange]
    destroyed: _containers.RepeatedCompositeFieldContainer[UidRange]
    def __init__(self, mailbox: _Optional[int] = ..., created: _Optional[_Iterable[_Union[UidRange, _Mapping]]] = ..., modified: _Optional[_Iterable[_Union[UidRange, _Mapping]]] = ..., destroyed: _Optional[_Iterable[_Union[UidRange, _Mapping]]] = ...) -> None: ...
