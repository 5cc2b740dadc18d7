from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class FormatRow(_message.Message):
    __slots__ = ("format", "incarnation", "cluster")
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    INCARNATION_FIELD_NUMBER: _ClassVar[int]
    CLUSTER_FIELD_NUMBER: _ClassVar[int]
    format: int
    incarnation: bytes
    cluster: bytes
    def __init__(self, format: _Optional[int] = ..., incarnation: _Optional[bytes] = ..., cluster: _Optional[bytes] = ...) -> None: ...

class AppliedRow(_message.Message):
    __slots__ = ("epoch", "seq")
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    epoch: int
    seq: int
    def __init__(self, epoch: _Optional[int] = ..., seq: _Optional[int] = ...) -> None: ...

class LogRow(_message.Message):
    __slots__ = ("epoch", "entry", "format", "apart")
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    APART_FIELD_NUMBER: _ClassVar[int]
    epoch: int
    entry: bytes
    format: int
    apart: bool
    def __init__(self, epoch: _Optional[int] = ..., entry: _Optional[bytes] = ..., format: _Optional[int] = ..., apart: _Optional[bool] = ...) -> None: ...

class ReplicaRow(_message.Message):
    __slots__ = ("epoch", "epochs", "trimmed", "installing")
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    EPOCHS_FIELD_NUMBER: _ClassVar[int]
    TRIMMED_FIELD_NUMBER: _ClassVar[int]
    INSTALLING_FIELD_NUMBER: _ClassVar[int]
    epoch: int
    epochs: _containers.RepeatedScalarFieldContainer[int]
    trimmed: int
    installing: bool
    def __init__(self, epoch: _Optional[int] = ..., epochs: _Optional[_Iterable[int]] = ..., trimmed: _Optional[int] = ..., installing: _Optional[bool] = ...) -> None: ...

class AccountRow(_message.Message):
    __slots__ = ("address", "position", "mail_last", "mailbox_last", "uid_validity_last", "touched_floor", "messages", "octets", "quota_octets", "quota_messages", "expunged_since", "removed", "removed_address", "generation")
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    MAIL_LAST_FIELD_NUMBER: _ClassVar[int]
    MAILBOX_LAST_FIELD_NUMBER: _ClassVar[int]
    UID_VALIDITY_LAST_FIELD_NUMBER: _ClassVar[int]
    TOUCHED_FLOOR_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    OCTETS_FIELD_NUMBER: _ClassVar[int]
    QUOTA_OCTETS_FIELD_NUMBER: _ClassVar[int]
    QUOTA_MESSAGES_FIELD_NUMBER: _ClassVar[int]
    EXPUNGED_SINCE_FIELD_NUMBER: _ClassVar[int]
    REMOVED_FIELD_NUMBER: _ClassVar[int]
    REMOVED_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    address: str
    position: int
    mail_last: int
    mailbox_last: int
    uid_validity_last: int
    touched_floor: int
    messages: int
    octets: int
    quota_octets: int
    quota_messages: int
    expunged_since: int
    removed: int
    removed_address: str
    generation: int
    def __init__(self, address: _Optional[str] = ..., position: _Optional[int] = ..., mail_last: _Optional[int] = ..., mailbox_last: _Optional[int] = ..., uid_validity_last: _Optional[int] = ..., touched_floor: _Optional[int] = ..., messages: _Optional[int] = ..., octets: _Optional[int] = ..., quota_octets: _Optional[int] = ..., quota_messages: _Optional[int] = ..., expunged_since: _Optional[int] = ..., removed: _Optional[int] = ..., removed_address: _Optional[str] = ..., generation: _Optional[int] = ...) -> None: ...

class MailboxRow(_message.Message):
    __slots__ = ("mailbox", "parent", "name", "mailbox_id", "special_use", "noselect", "uid_validity", "uid_next", "highest_modseq", "messages", "unseen", "deleted", "size", "recent_uid", "keywords", "unique_ids")
    MAILBOX_FIELD_NUMBER: _ClassVar[int]
    PARENT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    MAILBOX_ID_FIELD_NUMBER: _ClassVar[int]
    SPECIAL_USE_FIELD_NUMBER: _ClassVar[int]
    NOSELECT_FIELD_NUMBER: _ClassVar[int]
    UID_VALIDITY_FIELD_NUMBER: _ClassVar[int]
    UID_NEXT_FIELD_NUMBER: _ClassVar[int]
    HIGHEST_MODSEQ_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    UNSEEN_FIELD_NUMBER: _ClassVar[int]
    DELETED_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    RECENT_UID_FIELD_NUMBER: _ClassVar[int]
    KEYWORDS_FIELD_NUMBER: _ClassVar[int]
    UNIQUE_IDS_FIELD_NUMBER: _ClassVar[int]
    mailbox: int
    parent: int
    name: str
    mailbox_id: str
    special_use: str
    noselect: bool
    uid_validity: int
    uid_next: int
    highest_modseq: int
    messages: int
    unseen: int
    deleted: int
    size: int
    recent_uid: int
    keywords: _containers.RepeatedScalarFieldContainer[str]
    unique_ids: bool
    def __init__(self, mailbox: _Optional[int] = ..., parent: _Optional[int] = ..., name: _Optional[str] = ..., mailbox_id: _Optional[str] = ..., special_use: _Optional[str] = ..., noselect: _Optional[bool] = ..., uid_validity: _Optional[int] = ..., uid_next: _Optional[int] = ..., highest_modseq: _Optional[int] = ..., messages: _Optional[int] = ..., unseen: _Optional[int] = ..., deleted: _Optional[int] = ..., size: _Optional[int] = ..., recent_uid: _Optional[int] = ..., keywords: _Optional[_Iterable[str]] = ..., unique_ids: _Optional[bool] = ...) -> None: ...

class Part(_message.Message):
    __slots__ = ("header", "body", "end", "type", "encoding", "charset", "decoded", "lines", "parts")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    ENCODING_FIELD_NUMBER: _ClassVar[int]
    CHARSET_FIELD_NUMBER: _ClassVar[int]
    DECODED_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    PARTS_FIELD_NUMBER: _ClassVar[int]
    header: int
    body: int
    end: int
    type: str
    encoding: str
    charset: str
    decoded: int
    lines: int
    parts: _containers.RepeatedCompositeFieldContainer[Part]
    def __init__(self, header: _Optional[int] = ..., body: _Optional[int] = ..., end: _Optional[int] = ..., type: _Optional[str] = ..., encoding: _Optional[str] = ..., charset: _Optional[str] = ..., decoded: _Optional[int] = ..., lines: _Optional[int] = ..., parts: _Optional[_Iterable[_Union[Part, _Mapping]]] = ...) -> None: ...

class MailRow(_message.Message):
    __slots__ = ("mail", "size", "received", "upload", "checksum", "thread", "header", "part", "preview", "base_subject", "sort_from", "sort_to", "sort_cc", "sent", "message_id")
    MAIL_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_FIELD_NUMBER: _ClassVar[int]
    UPLOAD_FIELD_NUMBER: _ClassVar[int]
    CHECKSUM_FIELD_NUMBER: _ClassVar[int]
    THREAD_FIELD_NUMBER: _ClassVar[int]
    HEADER_FIELD_NUMBER: _ClassVar[int]
    PART_FIELD_NUMBER: _ClassVar[int]
    PREVIEW_FIELD_NUMBER: _ClassVar[int]
    BASE_SUBJECT_FIELD_NUMBER: _ClassVar[int]
    SORT_FROM_FIELD_NUMBER: _ClassVar[int]
    SORT_TO_FIELD_NUMBER: _ClassVar[int]
    SORT_CC_FIELD_NUMBER: _ClassVar[int]
    SENT_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    mail: int
    size: int
    received: int
    upload: int
    checksum: bytes
    thread: int
    header: int
    part: Part
    preview: str
    base_subject: str
    sort_from: str
    sort_to: str
    sort_cc: str
    sent: int
    message_id: bytes
    def __init__(self, mail: _Optional[int] = ..., size: _Optional[int] = ..., received: _Optional[int] = ..., upload: _Optional[int] = ..., checksum: _Optional[bytes] = ..., thread: _Optional[int] = ..., header: _Optional[int] = ..., part: _Optional[_Union[Part, _Mapping]] = ..., preview: _Optional[str] = ..., base_subject: _Optional[str] = ..., sort_from: _Optional[str] = ..., sort_to: _Optional[str] = ..., sort_cc: _Optional[str] = ..., sent: _Optional[int] = ..., message_id: _Optional[bytes] = ...) -> None: ...

class MailRows(_message.Message):
    __slots__ = ("rows",)
    ROWS_FIELD_NUMBER: _ClassVar[int]
    rows: _containers.RepeatedCompositeFieldContainer[MailRow]
    def __init__(self, rows: _Optional[_Iterable[_Union[MailRow, _Mapping]]] = ...) -> None: ...

class Keywords(_message.Message):
    __slots__ = ("names",)
    NAMES_FIELD_NUMBER: _ClassVar[int]
    names: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, names: _Optional[_Iterable[str]] = ...) -> None: ...

class ExpungedRow(_message.Message):
    __slots__ = ("mailbox", "name", "keywords", "entries", "overflow")
    class OverflowEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: int
        value: Keywords
        def __init__(self, key: _Optional[int] = ..., value: _Optional[_Union[Keywords, _Mapping]] = ...) -> None: ...
    MAILBOX_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    KEYWORDS_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    OVERFLOW_FIELD_NUMBER: _ClassVar[int]
    mailbox: int
    name: str
    keywords: _containers.RepeatedScalarFieldContainer[str]
    entries: bytes
    overflow: _containers.MessageMap[int, Keywords]
    def __init__(self, mailbox: _Optional[int] = ..., name: _Optional[str] = ..., keywords: _Optional[_Iterable[str]] = ..., entries: _Optional[bytes] = ..., overflow: _Optional[_Mapping[int, Keywords]] = ...) -> None: ...

class MailboxRows(_message.Message):
    __slots__ = ("rows",)
    ROWS_FIELD_NUMBER: _ClassVar[int]
    rows: _containers.RepeatedCompositeFieldContainer[MailboxRow]
    def __init__(self, rows: _Optional[_Iterable[_Union[MailboxRow, _Mapping]]] = ...) -> None: ...

class DirectoryRow(_message.Message):
    __slots__ = ("kind", "state", "account", "targets", "credential", "renames", "keeps_alias")
    class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        ACCOUNT: _ClassVar[DirectoryRow.Kind]
        ALIAS: _ClassVar[DirectoryRow.Kind]
    ACCOUNT: DirectoryRow.Kind
    ALIAS: DirectoryRow.Kind
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        CREATING: _ClassVar[DirectoryRow.State]
        ACTIVE: _ClassVar[DirectoryRow.State]
        MOVED: _ClassVar[DirectoryRow.State]
    CREATING: DirectoryRow.State
    ACTIVE: DirectoryRow.State
    MOVED: DirectoryRow.State
    KIND_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    TARGETS_FIELD_NUMBER: _ClassVar[int]
    CREDENTIAL_FIELD_NUMBER: _ClassVar[int]
    RENAMES_FIELD_NUMBER: _ClassVar[int]
    KEEPS_ALIAS_FIELD_NUMBER: _ClassVar[int]
    kind: DirectoryRow.Kind
    state: DirectoryRow.State
    account: int
    targets: _containers.RepeatedScalarFieldContainer[str]
    credential: CredentialRow
    renames: str
    keeps_alias: bool
    def __init__(self, kind: _Optional[_Union[DirectoryRow.Kind, str]] = ..., state: _Optional[_Union[DirectoryRow.State, str]] = ..., account: _Optional[int] = ..., targets: _Optional[_Iterable[str]] = ..., credential: _Optional[_Union[CredentialRow, _Mapping]] = ..., renames: _Optional[str] = ..., keeps_alias: _Optional[bool] = ...) -> None: ...

class QueueRow(_message.Message):
    __slots__ = ("reverse_path", "smtputf8", "eight_bit_mime", "start", "size", "upload", "queued", "due", "attempts", "held", "delay_told", "recipients", "transaction")
    class Recipient(_message.Message):
        __slots__ = ("forward_path", "reply")
        FORWARD_PATH_FIELD_NUMBER: _ClassVar[int]
        REPLY_FIELD_NUMBER: _ClassVar[int]
        forward_path: bytes
        reply: str
        def __init__(self, forward_path: _Optional[bytes] = ..., reply: _Optional[str] = ...) -> None: ...
    REVERSE_PATH_FIELD_NUMBER: _ClassVar[int]
    SMTPUTF8_FIELD_NUMBER: _ClassVar[int]
    EIGHT_BIT_MIME_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    UPLOAD_FIELD_NUMBER: _ClassVar[int]
    QUEUED_FIELD_NUMBER: _ClassVar[int]
    DUE_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    HELD_FIELD_NUMBER: _ClassVar[int]
    DELAY_TOLD_FIELD_NUMBER: _ClassVar[int]
    RECIPIENTS_FIELD_NUMBER: _ClassVar[int]
    TRANSACTION_FIELD_NUMBER: _ClassVar[int]
    reverse_path: bytes
    smtputf8: bool
    eight_bit_mime: bool
    start: int
    size: int
    upload: int
    queued: int
    due: int
    attempts: int
    held: bool
    delay_told: bool
    recipients: _containers.RepeatedCompositeFieldContainer[QueueRow.Recipient]
    transaction: bytes
    def __init__(self, reverse_path: _Optional[bytes] = ..., smtputf8: _Optional[bool] = ..., eight_bit_mime: _Optional[bool] = ..., start: _Optional[int] = ..., size: _Optional[int] = ..., upload: _Optional[int] = ..., queued: _Optional[int] = ..., due: _Optional[int] = ..., attempts: _Optional[int] = ..., held: _Optional[bool] = ..., delay_told: _Optional[bool] = ..., recipients: _Optional[_Iterable[_Union[QueueRow.Recipient, _Mapping]]] = ..., transaction: _Optional[bytes] = ...) -> None: ...

class CredentialRow(_message.Message):
    __slots__ = ("argon2id", "scram_salt", "scram_iterations", "scram_stored_key", "scram_server_key", "suspended", "application_passwords", "password", "suspensions")
    ARGON2ID_FIELD_NUMBER: _ClassVar[int]
    SCRAM_SALT_FIELD_NUMBER: _ClassVar[int]
    SCRAM_ITERATIONS_FIELD_NUMBER: _ClassVar[int]
    SCRAM_STORED_KEY_FIELD_NUMBER: _ClassVar[int]
    SCRAM_SERVER_KEY_FIELD_NUMBER: _ClassVar[int]
    SUSPENDED_FIELD_NUMBER: _ClassVar[int]
    APPLICATION_PASSWORDS_FIELD_NUMBER: _ClassVar[int]
    PASSWORD_FIELD_NUMBER: _ClassVar[int]
    SUSPENSIONS_FIELD_NUMBER: _ClassVar[int]
    argon2id: str
    scram_salt: bytes
    scram_iterations: int
    scram_stored_key: bytes
    scram_server_key: bytes
    suspended: bool
    application_passwords: _containers.RepeatedCompositeFieldContainer[ApplicationPassword]
    password: int
    suspensions: int
    def __init__(self, argon2id: _Optional[str] = ..., scram_salt: _Optional[bytes] = ..., scram_iterations: _Optional[int] = ..., scram_stored_key: _Optional[bytes] = ..., scram_server_key: _Optional[bytes] = ..., suspended: _Optional[bool] = ..., application_passwords: _Optional[_Iterable[_Union[ApplicationPassword, _Mapping]]] = ..., password: _Optional[int] = ..., suspensions: _Optional[int] = ...) -> None: ...

class ApplicationPassword(_message.Message):
    __slots__ = ("id", "name", "digest", "scopes", "created", "expires", "scram_iterations", "scram_stored_key", "scram_server_key")
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    SCOPES_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_FIELD_NUMBER: _ClassVar[int]
    SCRAM_ITERATIONS_FIELD_NUMBER: _ClassVar[int]
    SCRAM_STORED_KEY_FIELD_NUMBER: _ClassVar[int]
    SCRAM_SERVER_KEY_FIELD_NUMBER: _ClassVar[int]
    id: int
    name: str
    digest: bytes
    scopes: _containers.RepeatedScalarFieldContainer[str]
    created: int
    expires: int
    scram_iterations: int
    scram_stored_key: bytes
    scram_server_key: bytes
    def __init__(self, id: _Optional[int] = ..., name: _Optional[str] = ..., digest: _Optional[bytes] = ..., scopes: _Optional[_Iterable[str]] = ..., created: _Optional[int] = ..., expires: _Optional[int] = ..., scram_iterations: _Optional[int] = ..., scram_stored_key: _Optional[bytes] = ..., scram_server_key: _Optional[bytes] = ...) -> None: ...

class UsedRow(_message.Message):
    __slots__ = ("time",)
    TIME_FIELD_NUMBER: _ClassVar[int]
    time: int
    def __init__(self, time: _Optional[int] = ...) -> None: ...

class KnownRow(_message.Message):
    __slots__ = ("sources",)
    class Source(_message.Message):
        __slots__ = ("address", "network", "time")
        ADDRESS_FIELD_NUMBER: _ClassVar[int]
        NETWORK_FIELD_NUMBER: _ClassVar[int]
        TIME_FIELD_NUMBER: _ClassVar[int]
        address: bytes
        network: bytes
        time: int
        def __init__(self, address: _Optional[bytes] = ..., network: _Optional[bytes] = ..., time: _Optional[int] = ...) -> None: ...
    SOURCES_FIELD_NUMBER: _ClassVar[int]
    sources: _containers.RepeatedCompositeFieldContainer[KnownRow.Source]
    def __init__(self, sources: _Optional[_Iterable[_Union[KnownRow.Source, _Mapping]]] = ...) -> None: ...

class DmarcRow(_message.Message):
    __slots__ = ("count", "source", "disposition", "dkim", "spf", "header_from", "envelope_from", "reasons", "dkim_auth", "spf_auth", "policy")
    class Reason(_message.Message):
        __slots__ = ("kind", "comment")
        KIND_FIELD_NUMBER: _ClassVar[int]
        COMMENT_FIELD_NUMBER: _ClassVar[int]
        kind: str
        comment: str
        def __init__(self, kind: _Optional[str] = ..., comment: _Optional[str] = ...) -> None: ...
    class Auth(_message.Message):
        __slots__ = ("domain", "name", "result")
        DOMAIN_FIELD_NUMBER: _ClassVar[int]
        NAME_FIELD_NUMBER: _ClassVar[int]
        RESULT_FIELD_NUMBER: _ClassVar[int]
        domain: str
        name: str
        result: str
        def __init__(self, domain: _Optional[str] = ..., name: _Optional[str] = ..., result: _Optional[str] = ...) -> None: ...
    class Policy(_message.Message):
        __slots__ = ("domain", "adkim", "aspf", "p", "sp", "fo")
        DOMAIN_FIELD_NUMBER: _ClassVar[int]
        ADKIM_FIELD_NUMBER: _ClassVar[int]
        ASPF_FIELD_NUMBER: _ClassVar[int]
        P_FIELD_NUMBER: _ClassVar[int]
        SP_FIELD_NUMBER: _ClassVar[int]
        FO_FIELD_NUMBER: _ClassVar[int]
        domain: str
        adkim: str
        aspf: str
        p: str
        sp: str
        fo: str
        def __init__(self, domain: _Optional[str] = ..., adkim: _Optional[str] = ..., aspf: _Optional[str] = ..., p: _Optional[str] = ..., sp: _Optional[str] = ..., fo: _Optional[str] = ...) -> None: ...
    COUNT_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    DISPOSITION_FIELD_NUMBER: _ClassVar[int]
    DKIM_FIELD_NUMBER: _ClassVar[int]
    SPF_FIELD_NUMBER: _ClassVar[int]
    HEADER_FROM_FIELD_NUMBER: _ClassVar[int]
    ENVELOPE_FROM_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    DKIM_AUTH_FIELD_NUMBER: _ClassVar[int]
    SPF_AUTH_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    count: int
    source: str
    disposition: str
    dkim: bool
    spf: bool
    header_from: str
    envelope_from: str
    reasons: _containers.RepeatedCompositeFieldContainer[DmarcRow.Reason]
    dkim_auth: _containers.RepeatedCompositeFieldContainer[DmarcRow.Auth]
    spf_auth: _containers.RepeatedCompositeFieldContainer[DmarcRow.Auth]
    policy: DmarcRow.Policy
    def __init__(self, count: _Optional[int] = ..., source: _Optional[str] = ..., disposition: _Optional[str] = ..., dkim: _Optional[bool] = ..., spf: _Optional[bool] = ..., header_from: _Optional[str] = ..., envelope_from: _Optional[str] = ..., reasons: _Optional[_Iterable[_Union[DmarcRow.Reason, _Mapping]]] = ..., dkim_auth: _Optional[_Iterable[_Union[DmarcRow.Auth, _Mapping]]] = ..., spf_auth: _Optional[_Iterable[_Union[DmarcRow.Auth, _Mapping]]] = ..., policy: _Optional[_Union[DmarcRow.Policy, _Mapping]] = ...) -> None: ...

class TlsRow(_message.Message):
    __slots__ = ("count", "result", "receiving_host", "receiving_ip", "sending_ip", "reason")
    COUNT_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    RECEIVING_HOST_FIELD_NUMBER: _ClassVar[int]
    RECEIVING_IP_FIELD_NUMBER: _ClassVar[int]
    SENDING_IP_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    count: int
    result: str
    receiving_host: str
    receiving_ip: str
    sending_ip: str
    reason: str
    def __init__(self, count: _Optional[int] = ..., result: _Optional[str] = ..., receiving_host: _Optional[str] = ..., receiving_ip: _Optional[str] = ..., sending_ip: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class ReportRow(_message.Message):
    __slots__ = ("kind", "domain", "organization", "contact", "report_id", "begin", "end", "received", "messages", "failed", "left_out", "policy", "records", "tls")
    class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        AGGREGATE: _ClassVar[ReportRow.Kind]
        FAILURE: _ClassVar[ReportRow.Kind]
        TLS: _ClassVar[ReportRow.Kind]
    AGGREGATE: ReportRow.Kind
    FAILURE: ReportRow.Kind
    TLS: ReportRow.Kind
    class Tls(_message.Message):
        __slots__ = ("kind", "domain", "successful", "failed", "details")
        KIND_FIELD_NUMBER: _ClassVar[int]
        DOMAIN_FIELD_NUMBER: _ClassVar[int]
        SUCCESSFUL_FIELD_NUMBER: _ClassVar[int]
        FAILED_FIELD_NUMBER: _ClassVar[int]
        DETAILS_FIELD_NUMBER: _ClassVar[int]
        kind: str
        domain: str
        successful: int
        failed: int
        details: _containers.RepeatedCompositeFieldContainer[TlsRow]
        def __init__(self, kind: _Optional[str] = ..., domain: _Optional[str] = ..., successful: _Optional[int] = ..., failed: _Optional[int] = ..., details: _Optional[_Iterable[_Union[TlsRow, _Mapping]]] = ...) -> None: ...
    KIND_FIELD_NUMBER: _ClassVar[int]
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    ORGANIZATION_FIELD_NUMBER: _ClassVar[int]
    CONTACT_FIELD_NUMBER: _ClassVar[int]
    REPORT_ID_FIELD_NUMBER: _ClassVar[int]
    BEGIN_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    LEFT_OUT_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    TLS_FIELD_NUMBER: _ClassVar[int]
    kind: ReportRow.Kind
    domain: str
    organization: str
    contact: str
    report_id: str
    begin: int
    end: int
    received: int
    messages: int
    failed: int
    left_out: int
    policy: DmarcRow.Policy
    records: _containers.RepeatedCompositeFieldContainer[DmarcRow]
    tls: _containers.RepeatedCompositeFieldContainer[ReportRow.Tls]
    def __init__(self, kind: _Optional[_Union[ReportRow.Kind, str]] = ..., domain: _Optional[str] = ..., organization: _Optional[str] = ..., contact: _Optional[str] = ..., report_id: _Optional[str] = ..., begin: _Optional[int] = ..., end: _Optional[int] = ..., received: _Optional[int] = ..., messages: _Optional[int] = ..., failed: _Optional[int] = ..., left_out: _Optional[int] = ..., policy: _Optional[_Union[DmarcRow.Policy, _Mapping]] = ..., records: _Optional[_Iterable[_Union[DmarcRow, _Mapping]]] = ..., tls: _Optional[_Iterable[_Union[ReportRow.Tls, _Mapping]]] = ...) -> None: ...
