from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class OpenRequest(_message.Message):
    __slots__ = ("partition", "seq", "hold", "octets_a_second")
    PARTITION_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    HOLD_FIELD_NUMBER: _ClassVar[int]
    OCTETS_A_SECOND_FIELD_NUMBER: _ClassVar[int]
    partition: int
    seq: int
    hold: bool
    octets_a_second: int
    def __init__(self, partition: _Optional[int] = ..., seq: _Optional[int] = ..., hold: _Optional[bool] = ..., octets_a_second: _Optional[int] = ...) -> None: ...

class OpenAnswer(_message.Message):
    __slots__ = ("view", "epoch", "seq", "beyond")
    VIEW_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    BEYOND_FIELD_NUMBER: _ClassVar[int]
    view: bytes
    epoch: int
    seq: int
    beyond: int
    def __init__(self, view: _Optional[bytes] = ..., epoch: _Optional[int] = ..., seq: _Optional[int] = ..., beyond: _Optional[int] = ...) -> None: ...

class Range(_message.Message):
    __slots__ = ("start", "end")
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    start: bytes
    end: bytes
    def __init__(self, start: _Optional[bytes] = ..., end: _Optional[bytes] = ...) -> None: ...

class HashesRequest(_message.Message):
    __slots__ = ("view", "ranges")
    VIEW_FIELD_NUMBER: _ClassVar[int]
    RANGES_FIELD_NUMBER: _ClassVar[int]
    view: bytes
    ranges: _containers.RepeatedCompositeFieldContainer[Range]
    def __init__(self, view: _Optional[bytes] = ..., ranges: _Optional[_Iterable[_Union[Range, _Mapping]]] = ...) -> None: ...

class HashesAnswer(_message.Message):
    __slots__ = ("hashes",)
    HASHES_FIELD_NUMBER: _ClassVar[int]
    hashes: bytes
    def __init__(self, hashes: _Optional[bytes] = ...) -> None: ...

class RowsRequest(_message.Message):
    __slots__ = ("view", "range")
    VIEW_FIELD_NUMBER: _ClassVar[int]
    RANGE_FIELD_NUMBER: _ClassVar[int]
    view: bytes
    range: Range
    def __init__(self, view: _Optional[bytes] = ..., range: _Optional[_Union[Range, _Mapping]] = ...) -> None: ...

class RowsAnswer(_message.Message):
    __slots__ = ("rows", "unread", "end")
    ROWS_FIELD_NUMBER: _ClassVar[int]
    UNREAD_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    rows: _containers.RepeatedCompositeFieldContainer[Row]
    unread: _containers.RepeatedCompositeFieldContainer[Range]
    end: bytes
    def __init__(self, rows: _Optional[_Iterable[_Union[Row, _Mapping]]] = ..., unread: _Optional[_Iterable[_Union[Range, _Mapping]]] = ..., end: _Optional[bytes] = ...) -> None: ...

class Row(_message.Message):
    __slots__ = ("place", "hash", "own")
    PLACE_FIELD_NUMBER: _ClassVar[int]
    HASH_FIELD_NUMBER: _ClassVar[int]
    OWN_FIELD_NUMBER: _ClassVar[int]
    place: bytes
    hash: bytes
    own: bool
    def __init__(self, place: _Optional[bytes] = ..., hash: _Optional[bytes] = ..., own: _Optional[bool] = ...) -> None: ...

class PlacesRequest(_message.Message):
    __slots__ = ("view", "places")
    VIEW_FIELD_NUMBER: _ClassVar[int]
    PLACES_FIELD_NUMBER: _ClassVar[int]
    view: bytes
    places: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, view: _Optional[bytes] = ..., places: _Optional[_Iterable[bytes]] = ...) -> None: ...

class WrongAnswer(_message.Message):
    __slots__ = ("wrong",)
    WRONG_FIELD_NUMBER: _ClassVar[int]
    wrong: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, wrong: _Optional[_Iterable[str]] = ...) -> None: ...

class ValuesAnswer(_message.Message):
    __slots__ = ("values",)
    VALUES_FIELD_NUMBER: _ClassVar[int]
    values: _containers.RepeatedCompositeFieldContainer[Value]
    def __init__(self, values: _Optional[_Iterable[_Union[Value, _Mapping]]] = ...) -> None: ...

class Value(_message.Message):
    __slots__ = ("value",)
    VALUE_FIELD_NUMBER: _ClassVar[int]
    value: bytes
    def __init__(self, value: _Optional[bytes] = ...) -> None: ...

class MendRequest(_message.Message):
    __slots__ = ("view", "unread", "rows")
    VIEW_FIELD_NUMBER: _ClassVar[int]
    UNREAD_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    view: bytes
    unread: _containers.RepeatedCompositeFieldContainer[Range]
    rows: _containers.RepeatedCompositeFieldContainer[Written]
    def __init__(self, view: _Optional[bytes] = ..., unread: _Optional[_Iterable[_Union[Range, _Mapping]]] = ..., rows: _Optional[_Iterable[_Union[Written, _Mapping]]] = ...) -> None: ...

class Written(_message.Message):
    __slots__ = ("place", "value", "aside")
    PLACE_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    ASIDE_FIELD_NUMBER: _ClassVar[int]
    place: bytes
    value: bytes
    aside: str
    def __init__(self, place: _Optional[bytes] = ..., value: _Optional[bytes] = ..., aside: _Optional[str] = ...) -> None: ...

class CloseRequest(_message.Message):
    __slots__ = ("view",)
    VIEW_FIELD_NUMBER: _ClassVar[int]
    view: bytes
    def __init__(self, view: _Optional[bytes] = ...) -> None: ...

class SuspectRequest(_message.Message):
    __slots__ = ("partition",)
    PARTITION_FIELD_NUMBER: _ClassVar[int]
    partition: int
    def __init__(self, partition: _Optional[int] = ...) -> None: ...

class Done(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
