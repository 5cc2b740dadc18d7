from mailnode.pb import change_pb2 as _change_pb2
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
