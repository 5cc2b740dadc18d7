from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ClusterRow(_message.Message):
    __slots__ = ("id", "dc", "format", "made")
    ID_FIELD_NUMBER: _ClassVar[int]
    DC_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    MADE_FIELD_NUMBER: _ClassVar[int]
    id: bytes
    dc: str
    format: int
    made: int
    def __init__(self, id: _Optional[bytes] = ..., dc: _Optional[str] = ..., format: _Optional[int] = ..., made: _Optional[int] = ...) -> None: ...

class NodeRow(_message.Message):
    __slots__ = ("host", "rack", "dc", "weight", "incarnation", "address", "format", "is_leaving", "hostname")
    HOST_FIELD_NUMBER: _ClassVar[int]
    RACK_FIELD_NUMBER: _ClassVar[int]
    DC_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    INCARNATION_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    IS_LEAVING_FIELD_NUMBER: _ClassVar[int]
    HOSTNAME_FIELD_NUMBER: _ClassVar[int]
    host: str
    rack: str
    dc: str
    weight: float
    incarnation: bytes
    address: str
    format: int
    is_leaving: bool
    hostname: str
    def __init__(self, host: _Optional[str] = ..., rack: _Optional[str] = ..., dc: _Optional[str] = ..., weight: _Optional[float] = ..., incarnation: _Optional[bytes] = ..., address: _Optional[str] = ..., format: _Optional[int] = ..., is_leaving: _Optional[bool] = ..., hostname: _Optional[str] = ...) -> None: ...

class LeaseRow(_message.Message):
    __slots__ = ("run",)
    RUN_FIELD_NUMBER: _ClassVar[int]
    run: bytes
    def __init__(self, run: _Optional[bytes] = ...) -> None: ...

class ShardName(_message.Message):
    __slots__ = ("node", "incarnation")
    NODE_FIELD_NUMBER: _ClassVar[int]
    INCARNATION_FIELD_NUMBER: _ClassVar[int]
    node: str
    incarnation: bytes
    def __init__(self, node: _Optional[str] = ..., incarnation: _Optional[bytes] = ...) -> None: ...

class MapRow(_message.Message):
    __slots__ = ("epoch", "primary", "run", "in_sync", "replicas", "min_insync", "far", "sync_dcs", "since")
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    PRIMARY_FIELD_NUMBER: _ClassVar[int]
    RUN_FIELD_NUMBER: _ClassVar[int]
    IN_SYNC_FIELD_NUMBER: _ClassVar[int]
    REPLICAS_FIELD_NUMBER: _ClassVar[int]
    MIN_INSYNC_FIELD_NUMBER: _ClassVar[int]
    FAR_FIELD_NUMBER: _ClassVar[int]
    SYNC_DCS_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    epoch: int
    primary: ShardName
    run: bytes
    in_sync: _containers.RepeatedCompositeFieldContainer[ShardName]
    replicas: _containers.RepeatedScalarFieldContainer[str]
    min_insync: int
    far: _containers.RepeatedCompositeFieldContainer[FarName]
    sync_dcs: _containers.RepeatedScalarFieldContainer[str]
    since: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, epoch: _Optional[int] = ..., primary: _Optional[_Union[ShardName, _Mapping]] = ..., run: _Optional[bytes] = ..., in_sync: _Optional[_Iterable[_Union[ShardName, _Mapping]]] = ..., replicas: _Optional[_Iterable[str]] = ..., min_insync: _Optional[int] = ..., far: _Optional[_Iterable[_Union[FarName, _Mapping]]] = ..., sync_dcs: _Optional[_Iterable[str]] = ..., since: _Optional[_Iterable[int]] = ...) -> None: ...

class FarName(_message.Message):
    __slots__ = ("node", "dc")
    NODE_FIELD_NUMBER: _ClassVar[int]
    DC_FIELD_NUMBER: _ClassVar[int]
    node: str
    dc: str
    def __init__(self, node: _Optional[str] = ..., dc: _Optional[str] = ...) -> None: ...

class HomeRow(_message.Message):
    __slots__ = ("dc", "generation", "copies", "min_insync", "sync_dcs")
    DC_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    COPIES_FIELD_NUMBER: _ClassVar[int]
    MIN_INSYNC_FIELD_NUMBER: _ClassVar[int]
    SYNC_DCS_FIELD_NUMBER: _ClassVar[int]
    dc: str
    generation: int
    copies: int
    min_insync: int
    sync_dcs: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, dc: _Optional[str] = ..., generation: _Optional[int] = ..., copies: _Optional[int] = ..., min_insync: _Optional[int] = ..., sync_dcs: _Optional[_Iterable[str]] = ...) -> None: ...

class Homes(_message.Message):
    __slots__ = ("cluster", "homes")
    class HomesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: int
        value: HomeRow
        def __init__(self, key: _Optional[int] = ..., value: _Optional[_Union[HomeRow, _Mapping]] = ...) -> None: ...
    CLUSTER_FIELD_NUMBER: _ClassVar[int]
    HOMES_FIELD_NUMBER: _ClassVar[int]
    cluster: bytes
    homes: _containers.MessageMap[int, HomeRow]
    def __init__(self, cluster: _Optional[bytes] = ..., homes: _Optional[_Mapping[int, HomeRow]] = ...) -> None: ...

class DataCentreRow(_message.Message):
    __slots__ = ("endpoints",)
    ENDPOINTS_FIELD_NUMBER: _ClassVar[int]
    endpoints: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, endpoints: _Optional[_Iterable[str]] = ...) -> None: ...

class DomainRow(_message.Message):
    __slots__ = ("text", "made")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    MADE_FIELD_NUMBER: _ClassVar[int]
    text: str
    made: int
    def __init__(self, text: _Optional[str] = ..., made: _Optional[int] = ...) -> None: ...

class KeyRow(_message.Message):
    __slots__ = ("number", "kind", "state", "since", "sealed")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    SEALED_FIELD_NUMBER: _ClassVar[int]
    number: int
    kind: str
    state: str
    since: int
    sealed: bytes
    def __init__(self, number: _Optional[int] = ..., kind: _Optional[str] = ..., state: _Optional[str] = ..., since: _Optional[int] = ..., sealed: _Optional[bytes] = ...) -> None: ...

class AuthorityRow(_message.Message):
    __slots__ = ("certificate", "sealed")
    CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    SEALED_FIELD_NUMBER: _ClassVar[int]
    certificate: bytes
    sealed: bytes
    def __init__(self, certificate: _Optional[bytes] = ..., sealed: _Optional[bytes] = ...) -> None: ...

class NameRow(_message.Message):
    __slots__ = ("key", "machine", "base_port", "made")
    KEY_FIELD_NUMBER: _ClassVar[int]
    MACHINE_FIELD_NUMBER: _ClassVar[int]
    BASE_PORT_FIELD_NUMBER: _ClassVar[int]
    MADE_FIELD_NUMBER: _ClassVar[int]
    key: bytes
    machine: str
    base_port: int
    made: int
    def __init__(self, key: _Optional[bytes] = ..., machine: _Optional[str] = ..., base_port: _Optional[int] = ..., made: _Optional[int] = ...) -> None: ...

class TokenRow(_message.Message):
    __slots__ = ("sealed",)
    SEALED_FIELD_NUMBER: _ClassVar[int]
    sealed: bytes
    def __init__(self, sealed: _Optional[bytes] = ...) -> None: ...

class Admission(_message.Message):
    __slots__ = ("secret", "hostname")
    SECRET_FIELD_NUMBER: _ClassVar[int]
    HOSTNAME_FIELD_NUMBER: _ClassVar[int]
    secret: bytes
    hostname: str
    def __init__(self, secret: _Optional[bytes] = ..., hostname: _Optional[str] = ...) -> None: ...

class Token(_message.Message):
    __slots__ = ("endpoints", "prefix", "secret", "ends")
    ENDPOINTS_FIELD_NUMBER: _ClassVar[int]
    PREFIX_FIELD_NUMBER: _ClassVar[int]
    SECRET_FIELD_NUMBER: _ClassVar[int]
    ENDS_FIELD_NUMBER: _ClassVar[int]
    endpoints: _containers.RepeatedScalarFieldContainer[str]
    prefix: str
    secret: bytes
    ends: int
    def __init__(self, endpoints: _Optional[_Iterable[str]] = ..., prefix: _Optional[str] = ..., secret: _Optional[bytes] = ..., ends: _Optional[int] = ...) -> None: ...
