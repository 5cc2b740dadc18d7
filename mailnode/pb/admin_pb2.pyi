from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class AccountAddRequest(_message.Message):
    __slots__ = ("address", "password")
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    PASSWORD_FIELD_NUMBER: _ClassVar[int]
    address: str
    password: str
    def __init__(self, address: _Optional[str] = ..., password: _Optional[str] = ...) -> None: ...

class AccountAddResponse(_message.Message):
    __slots__ = ("error", "address")
    ERROR_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    error: str
    address: str
    def __init__(self, error: _Optional[str] = ..., address: _Optional[str] = ...) -> None: ...

class AliasAddRequest(_message.Message):
    __slots__ = ("address", "targets")
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    TARGETS_FIELD_NUMBER: _ClassVar[int]
    address: str
    targets: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, address: _Optional[str] = ..., targets: _Optional[_Iterable[str]] = ...) -> None: ...

class AliasAddResponse(_message.Message):
    __slots__ = ("error", "address")
    ERROR_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    error: str
    address: str
    def __init__(self, error: _Optional[str] = ..., address: _Optional[str] = ...) -> None: ...
