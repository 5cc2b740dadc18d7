from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Hello(_message.Message):
    __slots__ = ("cluster", "member", "format", "to", "run", "passing")
    CLUSTER_FIELD_NUMBER: _ClassVar[int]
    MEMBER_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    RUN_FIELD_NUMBER: _ClassVar[int]
    PASSING_FIELD_NUMBER: _ClassVar[int]
    cluster: str
    member: Member
    format: int
    to: Member
    run: bytes
    passing: bool
    def __init__(self, cluster: _Optional[str] = ..., member: _Optional[_Union[Member, _Mapping]] = ..., format: _Optional[int] = ..., to: _Optional[_Union[Member, _Mapping]] = ..., run: _Optional[bytes] = ..., passing: _Optional[bool] = ...) -> None: ...

class Greeting(_message.Message):
    __slots__ = ("said", "refused")
    class SaidEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: bytes
        def __init__(self, key: _Optional[str] = ..., value: _Optional[bytes] = ...) -> None: ...
    SAID_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    said: _containers.ScalarMap[str, bytes]
    refused: str
    def __init__(self, said: _Optional[_Mapping[str, bytes]] = ..., refused: _Optional[str] = ...) -> None: ...

class Piece(_message.Message):
    __slots__ = ("head", "data", "more", "end", "passing")
    HEAD_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    PASSING_FIELD_NUMBER: _ClassVar[int]
    head: bytes
    data: bytes
    more: bool
    end: End
    passing: bool
    def __init__(self, head: _Optional[bytes] = ..., data: _Optional[bytes] = ..., more: _Optional[bool] = ..., end: _Optional[_Union[End, _Mapping]] = ..., passing: _Optional[bool] = ...) -> None: ...

class End(_message.Message):
    __slots__ = ("octets", "checksum")
    OCTETS_FIELD_NUMBER: _ClassVar[int]
    CHECKSUM_FIELD_NUMBER: _ClassVar[int]
    octets: int
    checksum: int
    def __init__(self, octets: _Optional[int] = ..., checksum: _Optional[int] = ...) -> None: ...

class Taken(_message.Message):
    __slots__ = ("octets",)
    OCTETS_FIELD_NUMBER: _ClassVar[int]
    octets: int
    def __init__(self, octets: _Optional[int] = ...) -> None: ...

class Frame(_message.Message):
    __slots__ = ("sender", "run", "to", "messages")
    SENDER_FIELD_NUMBER: _ClassVar[int]
    RUN_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    sender: Member
    run: bytes
    to: Member
    messages: _containers.RepeatedCompositeFieldContainer[Message]
    def __init__(self, sender: _Optional[_Union[Member, _Mapping]] = ..., run: _Optional[bytes] = ..., to: _Optional[_Union[Member, _Mapping]] = ..., messages: _Optional[_Iterable[_Union[Message, _Mapping]]] = ...) -> None: ...

class Member(_message.Message):
    __slots__ = ("node", "incarnation")
    NODE_FIELD_NUMBER: _ClassVar[int]
    INCARNATION_FIELD_NUMBER: _ClassVar[int]
    node: str
    incarnation: bytes
    def __init__(self, node: _Optional[str] = ..., incarnation: _Optional[bytes] = ...) -> None: ...

class Position(_message.Message):
    __slots__ = ("epoch", "seq")
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    epoch: int
    seq: int
    def __init__(self, epoch: _Optional[int] = ..., seq: _Optional[int] = ...) -> None: ...

class Message(_message.Message):
    __slots__ = ("append", "ack", "mismatch", "refused", "join", "snapshot", "heartbeat", "promise")
    APPEND_FIELD_NUMBER: _ClassVar[int]
    ACK_FIELD_NUMBER: _ClassVar[int]
    MISMATCH_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    JOIN_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    PROMISE_FIELD_NUMBER: _ClassVar[int]
    append: Append
    ack: Ack
    mismatch: Mismatch
    refused: Refused
    join: Join
    snapshot: Snapshot
    heartbeat: Heartbeat
    promise: Promise
    def __init__(self, append: _Optional[_Union[Append, _Mapping]] = ..., ack: _Optional[_Union[Ack, _Mapping]] = ..., mismatch: _Optional[_Union[Mismatch, _Mapping]] = ..., refused: _Optional[_Union[Refused, _Mapping]] = ..., join: _Optional[_Union[Join, _Mapping]] = ..., snapshot: _Optional[_Union[Snapshot, _Mapping]] = ..., heartbeat: _Optional[_Union[Heartbeat, _Mapping]] = ..., promise: _Optional[_Union[Promise, _Mapping]] = ...) -> None: ...

class Append(_message.Message):
    __slots__ = ("partition", "epoch", "before", "entries", "commit")
    PARTITION_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    COMMIT_FIELD_NUMBER: _ClassVar[int]
    partition: int
    epoch: int
    before: Position
    entries: _containers.RepeatedCompositeFieldContainer[Run]
    commit: int
    def __init__(self, partition: _Optional[int] = ..., epoch: _Optional[int] = ..., before: _Optional[_Union[Position, _Mapping]] = ..., entries: _Optional[_Iterable[_Union[Run, _Mapping]]] = ..., commit: _Optional[int] = ...) -> None: ...

class Run(_message.Message):
    __slots__ = ("epoch", "format", "octets")
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    OCTETS_FIELD_NUMBER: _ClassVar[int]
    epoch: int
    format: int
    octets: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, epoch: _Optional[int] = ..., format: _Optional[int] = ..., octets: _Optional[_Iterable[int]] = ...) -> None: ...

class Ack(_message.Message):
    __slots__ = ("partition", "epoch", "matched")
    PARTITION_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    MATCHED_FIELD_NUMBER: _ClassVar[int]
    partition: int
    epoch: int
    matched: int
    def __init__(self, partition: _Optional[int] = ..., epoch: _Optional[int] = ..., matched: _Optional[int] = ...) -> None: ...

class Mismatch(_message.Message):
    __slots__ = ("partition", "epoch", "nearest")
    PARTITION_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    NEAREST_FIELD_NUMBER: _ClassVar[int]
    partition: int
    epoch: int
    nearest: Position
    def __init__(self, partition: _Optional[int] = ..., epoch: _Optional[int] = ..., nearest: _Optional[_Union[Position, _Mapping]] = ...) -> None: ...

class Refused(_message.Message):
    __slots__ = ("partition", "epoch")
    PARTITION_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    partition: int
    epoch: int
    def __init__(self, partition: _Optional[int] = ..., epoch: _Optional[int] = ...) -> None: ...

class Join(_message.Message):
    __slots__ = ("partition", "last")
    PARTITION_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    partition: int
    last: Position
    def __init__(self, partition: _Optional[int] = ..., last: _Optional[_Union[Position, _Mapping]] = ...) -> None: ...

class Snapshot(_message.Message):
    __slots__ = ("partition", "epoch", "at", "epochs")
    PARTITION_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    EPOCHS_FIELD_NUMBER: _ClassVar[int]
    partition: int
    epoch: int
    at: Position
    epochs: _containers.RepeatedCompositeFieldContainer[Position]
    def __init__(self, partition: _Optional[int] = ..., epoch: _Optional[int] = ..., at: _Optional[_Union[Position, _Mapping]] = ..., epochs: _Optional[_Iterable[_Union[Position, _Mapping]]] = ...) -> None: ...

class Heartbeat(_message.Message):
    __slots__ = ("sent", "base", "version", "claims", "commits")
    SENT_FIELD_NUMBER: _ClassVar[int]
    BASE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    CLAIMS_FIELD_NUMBER: _ClassVar[int]
    COMMITS_FIELD_NUMBER: _ClassVar[int]
    sent: float
    base: int
    version: int
    claims: _containers.RepeatedScalarFieldContainer[int]
    commits: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, sent: _Optional[float] = ..., base: _Optional[int] = ..., version: _Optional[int] = ..., claims: _Optional[_Iterable[int]] = ..., commits: _Optional[_Iterable[int]] = ...) -> None: ...

class Promise(_message.Message):
    __slots__ = ("run", "sent", "version", "refused", "is_short", "is_leaving")
    RUN_FIELD_NUMBER: _ClassVar[int]
    SENT_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    IS_SHORT_FIELD_NUMBER: _ClassVar[int]
    IS_LEAVING_FIELD_NUMBER: _ClassVar[int]
    run: bytes
    sent: float
    version: int
    refused: _containers.RepeatedScalarFieldContainer[int]
    is_short: bool
    is_leaving: bool
    def __init__(self, run: _Optional[bytes] = ..., sent: _Optional[float] = ..., version: _Optional[int] = ..., refused: _Optional[_Iterable[int]] = ..., is_short: _Optional[bool] = ..., is_leaving: _Optional[bool] = ...) -> None: ...
