from mailnode.pb import change_pb2 as _change_pb2
from mailnode.pb import row_pb2 as _row_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SearchKey(_message.Message):
    __slots__ = ("op", "keys", "uids", "number", "text", "field")
    class Op(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        ALL: _ClassVar[SearchKey.Op]
        AND: _ClassVar[SearchKey.Op]
        OR: _ClassVar[SearchKey.Op]
        NOT: _ClassVar[SearchKey.Op]
        UIDS: _ClassVar[SearchKey.Op]
        FLAGS: _ClassVar[SearchKey.Op]
        KEYWORD: _ClassVar[SearchKey.Op]
        SIZE_LARGER: _ClassVar[SearchKey.Op]
        SIZE_SMALLER: _ClassVar[SearchKey.Op]
        RECEIVED_BEFORE: _ClassVar[SearchKey.Op]
        RECEIVED_ON: _ClassVar[SearchKey.Op]
        RECEIVED_SINCE: _ClassVar[SearchKey.Op]
        SENT_BEFORE: _ClassVar[SearchKey.Op]
        SENT_ON: _ClassVar[SearchKey.Op]
        SENT_SINCE: _ClassVar[SearchKey.Op]
        HEADER: _ClassVar[SearchKey.Op]
        BODY: _ClassVar[SearchKey.Op]
        TEXT: _ClassVar[SearchKey.Op]
        MODSEQ: _ClassVar[SearchKey.Op]
        RECENT: _ClassVar[SearchKey.Op]
        EMAIL: _ClassVar[SearchKey.Op]
        THREAD: _ClassVar[SearchKey.Op]
        SAVED_BEFORE: _ClassVar[SearchKey.Op]
        SAVED_ON: _ClassVar[SearchKey.Op]
        SAVED_SINCE: _ClassVar[SearchKey.Op]
        RECEIVED_UNTIL: _ClassVar[SearchKey.Op]
        RECEIVED_FROM: _ClassVar[SearchKey.Op]
    ALL: SearchKey.Op
    AND: SearchKey.Op
    OR: SearchKey.Op
    NOT: SearchKey.Op
    UIDS: SearchKey.Op
    FLAGS: SearchKey.Op
    KEYWORD: SearchKey.Op
    SIZE_LARGER: SearchKey.Op
    SIZE_SMALLER: SearchKey.Op
    RECEIVED_BEFORE: SearchKey.Op
    RECEIVED_ON: SearchKey.Op
    RECEIVED_SINCE: SearchKey.Op
    SENT_BEFORE: SearchKey.Op
    SENT_ON: SearchKey.Op
    SENT_SINCE: SearchKey.Op
    HEADER: SearchKey.Op
    BODY: SearchKey.Op
    TEXT: SearchKey.Op
    MODSEQ: SearchKey.Op
    RECENT: SearchKey.Op
    EMAIL: SearchKey.Op
    THREAD: SearchKey.Op
    SAVED_BEFORE: SearchKey.Op
    SAVED_ON: SearchKey.Op
    SAVED_SINCE: SearchKey.Op
    RECEIVED_UNTIL: SearchKey.Op
    RECEIVED_FROM: SearchKey.Op
    OP_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    UIDS_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    op: SearchKey.Op
    keys: _containers.RepeatedCompositeFieldContainer[SearchKey]
    uids: _containers.RepeatedCompositeFieldContainer[_change_pb2.UidRange]
    number: int
    text: str
    field: str
    def __init__(self, op: _Optional[_Union[SearchKey.Op, str]] = ..., keys: _Optional[_Iterable[_Union[SearchKey, _Mapping]]] = ..., uids: _Optional[_Iterable[_Union[_change_pb2.UidRange, _Mapping]]] = ..., number: _Optional[int] = ..., text: _Optional[str] = ..., field: _Optional[str] = ...) -> None: ...

class Asks(_message.Message):
    __slots__ = ("asks",)
    ASKS_FIELD_NUMBER: _ClassVar[int]
    asks: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, asks: _Optional[_Iterable[bytes]] = ...) -> None: ...

class Ask(_message.Message):
    __slots__ = ("call", "account", "mailboxes", "messages", "departed", "octets", "search", "apply", "expunged", "usage", "claim_recent", "recent", "watch", "row", "unique_ids", "known", "directory_rows", "function", "rows", "taken", "told", "cancel", "piece")
    CALL_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    MAILBOXES_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    DEPARTED_FIELD_NUMBER: _ClassVar[int]
    OCTETS_FIELD_NUMBER: _ClassVar[int]
    SEARCH_FIELD_NUMBER: _ClassVar[int]
    APPLY_FIELD_NUMBER: _ClassVar[int]
    EXPUNGED_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    CLAIM_RECENT_FIELD_NUMBER: _ClassVar[int]
    RECENT_FIELD_NUMBER: _ClassVar[int]
    WATCH_FIELD_NUMBER: _ClassVar[int]
    ROW_FIELD_NUMBER: _ClassVar[int]
    UNIQUE_IDS_FIELD_NUMBER: _ClassVar[int]
    KNOWN_FIELD_NUMBER: _ClassVar[int]
    DIRECTORY_ROWS_FIELD_NUMBER: _ClassVar[int]
    FUNCTION_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    TAKEN_FIELD_NUMBER: _ClassVar[int]
    TOLD_FIELD_NUMBER: _ClassVar[int]
    CANCEL_FIELD_NUMBER: _ClassVar[int]
    PIECE_FIELD_NUMBER: _ClassVar[int]
    call: int
    account: int
    mailboxes: MailboxesAsk
    messages: RunsAsk
    departed: RunsAsk
    octets: OctetsAsk
    search: SearchAsk
    apply: _change_pb2.Intent
    expunged: Nothing
    usage: Nothing
    claim_recent: int
    recent: int
    watch: WatchAsk
    row: RowAsk
    unique_ids: int
    known: Origins
    directory_rows: int
    function: FunctionAsk
    rows: RowsAsk
    taken: int
    told: int
    cancel: Nothing
    piece: Piece
    def __init__(self, call: _Optional[int] = ..., account: _Optional[int] = ..., mailboxes: _Optional[_Union[MailboxesAsk, _Mapping]] = ..., messages: _Optional[_Union[RunsAsk, _Mapping]] = ..., departed: _Optional[_Union[RunsAsk, _Mapping]] = ..., octets: _Optional[_Union[OctetsAsk, _Mapping]] = ..., search: _Optional[_Union[SearchAsk, _Mapping]] = ..., apply: _Optional[_Union[_change_pb2.Intent, _Mapping]] = ..., expunged: _Optional[_Union[Nothing, _Mapping]] = ..., usage: _Optional[_Union[Nothing, _Mapping]] = ..., claim_recent: _Optional[int] = ..., recent: _Optional[int] = ..., watch: _Optional[_Union[WatchAsk, _Mapping]] = ..., row: _Optional[_Union[RowAsk, _Mapping]] = ..., unique_ids: _Optional[int] = ..., known: _Optional[_Union[Origins, _Mapping]] = ..., directory_rows: _Optional[int] = ..., function: _Optional[_Union[FunctionAsk, _Mapping]] = ..., rows: _Optional[_Union[RowsAsk, _Mapping]] = ..., taken: _Optional[int] = ..., told: _Optional[int] = ..., cancel: _Optional[_Union[Nothing, _Mapping]] = ..., piece: _Optional[_Union[Piece, _Mapping]] = ...) -> None: ...

class Nothing(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class MailboxesAsk(_message.Message):
    __slots__ = ("known",)
    KNOWN_FIELD_NUMBER: _ClassVar[int]
    known: int
    def __init__(self, known: _Optional[int] = ...) -> None: ...

class RunsAsk(_message.Message):
    __slots__ = ("mailbox", "uids", "want")
    MAILBOX_FIELD_NUMBER: _ClassVar[int]
    UIDS_FIELD_NUMBER: _ClassVar[int]
    WANT_FIELD_NUMBER: _ClassVar[int]
    mailbox: int
    uids: bytes
    want: int
    def __init__(self, mailbox: _Optional[int] = ..., uids: _Optional[bytes] = ..., want: _Optional[int] = ...) -> None: ...

class OctetsAsk(_message.Message):
    __slots__ = ("mail", "start", "end")
    MAIL_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    mail: int
    start: int
    end: int
    def __init__(self, mail: _Optional[int] = ..., start: _Optional[int] = ..., end: _Optional[int] = ...) -> None: ...

class SearchAsk(_message.Message):
    __slots__ = ("mailbox", "key")
    MAILBOX_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    mailbox: int
    key: SearchKey
    def __init__(self, mailbox: _Optional[int] = ..., key: _Optional[_Union[SearchKey, _Mapping]] = ...) -> None: ...

class WatchAsk(_message.Message):
    __slots__ = ("position", "mailbox")
    POSITION_FIELD_NUMBER: _ClassVar[int]
    MAILBOX_FIELD_NUMBER: _ClassVar[int]
    position: int
    mailbox: int
    def __init__(self, position: _Optional[int] = ..., mailbox: _Optional[int] = ...) -> None: ...

class RowAsk(_message.Message):
    __slots__ = ("kind", "key")
    KIND_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    kind: int
    key: bytes
    def __init__(self, kind: _Optional[int] = ..., key: _Optional[bytes] = ...) -> None: ...

class RowsAsk(_message.Message):
    __slots__ = ("kind", "prefix", "after", "count_max")
    KIND_FIELD_NUMBER: _ClassVar[int]
    PREFIX_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    COUNT_MAX_FIELD_NUMBER: _ClassVar[int]
    kind: int
    prefix: bytes
    after: bytes
    count_max: int
    def __init__(self, kind: _Optional[int] = ..., prefix: _Optional[bytes] = ..., after: _Optional[bytes] = ..., count_max: _Optional[int] = ...) -> None: ...

class Origins(_message.Message):
    __slots__ = ("origins",)
    ORIGINS_FIELD_NUMBER: _ClassVar[int]
    origins: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, origins: _Optional[_Iterable[bytes]] = ...) -> None: ...

class FunctionAsk(_message.Message):
    __slots__ = ("name", "octets")
    NAME_FIELD_NUMBER: _ClassVar[int]
    OCTETS_FIELD_NUMBER: _ClassVar[int]
    name: str
    octets: bytes
    def __init__(self, name: _Optional[str] = ..., octets: _Optional[bytes] = ...) -> None: ...

class DomainSums(_message.Message):
    __slots__ = ("octets",)
    class OctetsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    OCTETS_FIELD_NUMBER: _ClassVar[int]
    octets: _containers.ScalarMap[str, int]
    def __init__(self, octets: _Optional[_Mapping[str, int]] = ...) -> None: ...

class Guess(_message.Message):
    __slots__ = ("name", "address", "network", "standing", "tried")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    STANDING_FIELD_NUMBER: _ClassVar[int]
    TRIED_FIELD_NUMBER: _ClassVar[int]
    name: bytes
    address: bytes
    network: bytes
    standing: int
    tried: bytes
    def __init__(self, name: _Optional[bytes] = ..., address: _Optional[bytes] = ..., network: _Optional[bytes] = ..., standing: _Optional[int] = ..., tried: _Optional[bytes] = ...) -> None: ...

class MaildropAsk(_message.Message):
    __slots__ = ("account", "token", "delay_seconds", "again")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    DELAY_SECONDS_FIELD_NUMBER: _ClassVar[int]
    AGAIN_FIELD_NUMBER: _ClassVar[int]
    account: int
    token: bytes
    delay_seconds: int
    again: bool
    def __init__(self, account: _Optional[int] = ..., token: _Optional[bytes] = ..., delay_seconds: _Optional[int] = ..., again: _Optional[bool] = ...) -> None: ...

class ConnectionsAsk(_message.Message):
    __slots__ = ("account", "address", "count", "most")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    MOST_FIELD_NUMBER: _ClassVar[int]
    account: int
    address: str
    count: int
    most: int
    def __init__(self, account: _Optional[int] = ..., address: _Optional[str] = ..., count: _Optional[int] = ..., most: _Optional[int] = ...) -> None: ...

class Revoked(_message.Message):
    __slots__ = ("all", "accounts")
    ALL_FIELD_NUMBER: _ClassVar[int]
    ACCOUNTS_FIELD_NUMBER: _ClassVar[int]
    all: bool
    accounts: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, all: _Optional[bool] = ..., accounts: _Optional[_Iterable[int]] = ...) -> None: ...

class Piece(_message.Message):
    __slots__ = ("octets", "last")
    OCTETS_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    octets: bytes
    last: bool
    def __init__(self, octets: _Optional[bytes] = ..., last: _Optional[bool] = ...) -> None: ...

class Answers(_message.Message):
    __slots__ = ("answers",)
    ANSWERS_FIELD_NUMBER: _ClassVar[int]
    answers: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, answers: _Optional[_Iterable[bytes]] = ...) -> None: ...

class Answer(_message.Message):
    __slots__ = ("call", "mailboxes", "run", "chunk", "found", "result", "expunged", "usage", "claimed", "recent", "touched", "row", "unique_ids", "known", "rows", "function", "end", "failed", "piece", "changed", "kept")
    CALL_FIELD_NUMBER: _ClassVar[int]
    MAILBOXES_FIELD_NUMBER: _ClassVar[int]
    RUN_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    FOUND_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    EXPUNGED_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    CLAIMED_FIELD_NUMBER: _ClassVar[int]
    RECENT_FIELD_NUMBER: _ClassVar[int]
    TOUCHED_FIELD_NUMBER: _ClassVar[int]
    ROW_FIELD_NUMBER: _ClassVar[int]
    UNIQUE_IDS_FIELD_NUMBER: _ClassVar[int]
    KNOWN_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    FUNCTION_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    PIECE_FIELD_NUMBER: _ClassVar[int]
    CHANGED_FIELD_NUMBER: _ClassVar[int]
    KEPT_FIELD_NUMBER: _ClassVar[int]
    call: int
    mailboxes: Listed
    run: Run
    chunk: bytes
    found: bytes
    result: _change_pb2.Result
    expunged: GoneList
    usage: Held
    claimed: Claimed
    recent: int
    touched: TouchedList
    row: bytes
    unique_ids: UniqueIds
    known: bytes
    rows: StoredRows
    function: bytes
    end: Nothing
    failed: Failed
    piece: Piece
    changed: KeptRow
    kept: bool
    def __init__(self, call: _Optional[int] = ..., mailboxes: _Optional[_Union[Listed, _Mapping]] = ..., run: _Optional[_Union[Run, _Mapping]] = ..., chunk: _Optional[bytes] = ..., found: _Optional[bytes] = ..., result: _Optional[_Union[_change_pb2.Result, _Mapping]] = ..., expunged: _Optional[_Union[GoneList, _Mapping]] = ..., usage: _Optional[_Union[Held, _Mapping]] = ..., claimed: _Optional[_Union[Claimed, _Mapping]] = ..., recent: _Optional[int] = ..., touched: _Optional[_Union[TouchedList, _Mapping]] = ..., row: _Optional[bytes] = ..., unique_ids: _Optional[_Union[UniqueIds, _Mapping]] = ..., known: _Optional[bytes] = ..., rows: _Optional[_Union[StoredRows, _Mapping]] = ..., function: _Optional[bytes] = ..., end: _Optional[_Union[Nothing, _Mapping]] = ..., failed: _Optional[_Union[Failed, _Mapping]] = ..., piece: _Optional[_Union[Piece, _Mapping]] = ..., changed: _Optional[_Union[KeptRow, _Mapping]] = ..., kept: _Optional[bool] = ...) -> None: ...

class KeptRow(_message.Message):
    __slots__ = ("account", "kind", "key")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    account: int
    kind: int
    key: bytes
    def __init__(self, account: _Optional[int] = ..., kind: _Optional[int] = ..., key: _Optional[bytes] = ...) -> None: ...

class Listed(_message.Message):
    __slots__ = ("position", "mailboxes", "rows", "names", "named", "subscribed", "version", "unchanged")
    POSITION_FIELD_NUMBER: _ClassVar[int]
    MAILBOXES_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    NAMES_FIELD_NUMBER: _ClassVar[int]
    NAMED_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIBED_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    UNCHANGED_FIELD_NUMBER: _ClassVar[int]
    position: int
    mailboxes: _containers.RepeatedScalarFieldContainer[int]
    rows: _containers.RepeatedScalarFieldContainer[bytes]
    names: _containers.RepeatedScalarFieldContainer[str]
    named: _containers.RepeatedScalarFieldContainer[int]
    subscribed: _containers.RepeatedScalarFieldContainer[str]
    version: int
    unchanged: bool
    def __init__(self, position: _Optional[int] = ..., mailboxes: _Optional[_Iterable[int]] = ..., rows: _Optional[_Iterable[bytes]] = ..., names: _Optional[_Iterable[str]] = ..., named: _Optional[_Iterable[int]] = ..., subscribed: _Optional[_Iterable[str]] = ..., version: _Optional[int] = ..., unchanged: _Optional[bool] = ...) -> None: ...

class Run(_message.Message):
    __slots__ = ("position", "uids", "entries", "mails", "heads", "envelopes", "bodies", "structures", "hiding", "octets", "overflow", "first_unseen")
    class OverflowEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: int
        value: _row_pb2.Keywords
        def __init__(self, key: _Optional[int] = ..., value: _Optional[_Union[_row_pb2.Keywords, _Mapping]] = ...) -> None: ...
    POSITION_FIELD_NUMBER: _ClassVar[int]
    UIDS_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    MAILS_FIELD_NUMBER: _ClassVar[int]
    HEADS_FIELD_NUMBER: _ClassVar[int]
    ENVELOPES_FIELD_NUMBER: _ClassVar[int]
    BODIES_FIELD_NUMBER: _ClassVar[int]
    STRUCTURES_FIELD_NUMBER: _ClassVar[int]
    HIDING_FIELD_NUMBER: _ClassVar[int]
    OCTETS_FIELD_NUMBER: _ClassVar[int]
    OVERFLOW_FIELD_NUMBER: _ClassVar[int]
    FIRST_UNSEEN_FIELD_NUMBER: _ClassVar[int]
    position: int
    uids: bytes
    entries: bytes
    mails: _containers.RepeatedCompositeFieldContainer[_row_pb2.MailRow]
    heads: _containers.RepeatedScalarFieldContainer[bytes]
    envelopes: _containers.RepeatedScalarFieldContainer[bytes]
    bodies: _containers.RepeatedScalarFieldContainer[bytes]
    structures: _containers.RepeatedScalarFieldContainer[bytes]
    hiding: _containers.RepeatedScalarFieldContainer[bytes]
    octets: _containers.RepeatedScalarFieldContainer[bytes]
    overflow: _containers.MessageMap[int, _row_pb2.Keywords]
    first_unseen: int
    def __init__(self, position: _Optional[int] = ..., uids: _Optional[bytes] = ..., entries: _Optional[bytes] = ..., mails: _Optional[_Iterable[_Union[_row_pb2.MailRow, _Mapping]]] = ..., heads: _Optional[_Iterable[bytes]] = ..., envelopes: _Optional[_Iterable[bytes]] = ..., bodies: _Optional[_Iterable[bytes]] = ..., structures: _Optional[_Iterable[bytes]] = ..., hiding: _Optional[_Iterable[bytes]] = ..., octets: _Optional[_Iterable[bytes]] = ..., overflow: _Optional[_Mapping[int, _row_pb2.Keywords]] = ..., first_unseen: _Optional[int] = ...) -> None: ...

class GoneList(_message.Message):
    __slots__ = ("gone",)
    class Gone(_message.Message):
        __slots__ = ("key", "time", "mailbox", "name", "messages", "octets")
        KEY_FIELD_NUMBER: _ClassVar[int]
        TIME_FIELD_NUMBER: _ClassVar[int]
        MAILBOX_FIELD_NUMBER: _ClassVar[int]
        NAME_FIELD_NUMBER: _ClassVar[int]
        MESSAGES_FIELD_NUMBER: _ClassVar[int]
        OCTETS_FIELD_NUMBER: _ClassVar[int]
        key: bytes
        time: int
        mailbox: int
        name: str
        messages: int
        octets: int
        def __init__(self, key: _Optional[bytes] = ..., time: _Optional[int] = ..., mailbox: _Optional[int] = ..., name: _Optional[str] = ..., messages: _Optional[int] = ..., octets: _Optional[int] = ...) -> None: ...
    GONE_FIELD_NUMBER: _ClassVar[int]
    gone: _containers.RepeatedCompositeFieldContainer[GoneList.Gone]
    def __init__(self, gone: _Optional[_Iterable[_Union[GoneList.Gone, _Mapping]]] = ...) -> None: ...

class Held(_message.Message):
    __slots__ = ("row", "octets_max", "messages_max", "domain_full", "mailboxes")
    ROW_FIELD_NUMBER: _ClassVar[int]
    OCTETS_MAX_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_MAX_FIELD_NUMBER: _ClassVar[int]
    DOMAIN_FULL_FIELD_NUMBER: _ClassVar[int]
    MAILBOXES_FIELD_NUMBER: _ClassVar[int]
    row: _row_pb2.AccountRow
    octets_max: int
    messages_max: int
    domain_full: bool
    mailboxes: int
    def __init__(self, row: _Optional[_Union[_row_pb2.AccountRow, _Mapping]] = ..., octets_max: _Optional[int] = ..., messages_max: _Optional[int] = ..., domain_full: _Optional[bool] = ..., mailboxes: _Optional[int] = ...) -> None: ...

class Claimed(_message.Message):
    __slots__ = ("first", "next")
    FIRST_FIELD_NUMBER: _ClassVar[int]
    NEXT_FIELD_NUMBER: _ClassVar[int]
    first: int
    next: int
    def __init__(self, first: _Optional[int] = ..., next: _Optional[int] = ...) -> None: ...

class TouchedList(_message.Message):
    __slots__ = ("position", "resync", "touched")
    POSITION_FIELD_NUMBER: _ClassVar[int]
    RESYNC_FIELD_NUMBER: _ClassVar[int]
    TOUCHED_FIELD_NUMBER: _ClassVar[int]
    position: int
    resync: bool
    touched: _containers.RepeatedCompositeFieldContainer[_change_pb2.Touched]
    def __init__(self, position: _Optional[int] = ..., resync: _Optional[bool] = ..., touched: _Optional[_Iterable[_Union[_change_pb2.Touched, _Mapping]]] = ...) -> None: ...

class UniqueIds(_message.Message):
    __slots__ = ("ids",)
    class IdsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: int
        value: str
        def __init__(self, key: _Optional[int] = ..., value: _Optional[str] = ...) -> None: ...
    IDS_FIELD_NUMBER: _ClassVar[int]
    ids: _containers.ScalarMap[int, str]
    def __init__(self, ids: _Optional[_Mapping[int, str]] = ...) -> None: ...

class StoredRows(_message.Message):
    __slots__ = ("keys", "values")
    KEYS_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    keys: _containers.RepeatedScalarFieldContainer[bytes]
    values: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, keys: _Optional[_Iterable[bytes]] = ..., values: _Optional[_Iterable[bytes]] = ...) -> None: ...

class Failed(_message.Message):
    __slots__ = ("why", "number", "text", "family", "key")
    class Why(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        MISTAKE: _ClassVar[Failed.Why]
        NO_MAILBOX: _ClassVar[Failed.Why]
        EXPUNGED: _ClassVar[Failed.Why]
        UNREADABLE: _ClassVar[Failed.Why]
        NOT_KNOWN: _ClassVar[Failed.Why]
        NOT_PRIMARY: _ClassVar[Failed.Why]
        UNAVAILABLE: _ClassVar[Failed.Why]
    MISTAKE: Failed.Why
    NO_MAILBOX: Failed.Why
    EXPUNGED: Failed.Why
    UNREADABLE: Failed.Why
    NOT_KNOWN: Failed.Why
    NOT_PRIMARY: Failed.Why
    UNAVAILABLE: Failed.Why
    WHY_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    FAMILY_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    why: Failed.Why
    number: int
    text: str
    family: str
    key: bytes
    def __init__(self, why: _Optional[_Union[Failed.Why, str]] = ..., number: _Optional[int] = ..., text: _Optional[str] = ..., family: _Optional[str] = ..., key: _Optional[bytes] = ...) -> None: ...
