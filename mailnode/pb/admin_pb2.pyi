from mailnode.pb import change_pb2 as _change_pb2
from mailnode.pb import row_pb2 as _row_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AddressAnswer(_message.Message):
    __slots__ = ("address",)
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    address: str
    def __init__(self, address: _Optional[str] = ...) -> None: ...

class AccountAddRequest(_message.Message):
    __slots__ = ("address", "password", "dc")
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    PASSWORD_FIELD_NUMBER: _ClassVar[int]
    DC_FIELD_NUMBER: _ClassVar[int]
    address: str
    password: str
    dc: str
    def __init__(self, address: _Optional[str] = ..., password: _Optional[str] = ..., dc: _Optional[str] = ...) -> None: ...

class AccountListRequest(_message.Message):
    __slots__ = ("address", "removed")
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    REMOVED_FIELD_NUMBER: _ClassVar[int]
    address: str
    removed: bool
    def __init__(self, address: _Optional[str] = ..., removed: _Optional[bool] = ...) -> None: ...

class AccountListAnswer(_message.Message):
    __slots__ = ("accounts",)
    class Account(_message.Message):
        __slots__ = ("address", "account", "suspended", "mailboxes", "messages", "octets", "quota_octets", "quota_messages", "quota_own", "removed", "until")
        ADDRESS_FIELD_NUMBER: _ClassVar[int]
        ACCOUNT_FIELD_NUMBER: _ClassVar[int]
        SUSPENDED_FIELD_NUMBER: _ClassVar[int]
        MAILBOXES_FIELD_NUMBER: _ClassVar[int]
        MESSAGES_FIELD_NUMBER: _ClassVar[int]
        OCTETS_FIELD_NUMBER: _ClassVar[int]
        QUOTA_OCTETS_FIELD_NUMBER: _ClassVar[int]
        QUOTA_MESSAGES_FIELD_NUMBER: _ClassVar[int]
        QUOTA_OWN_FIELD_NUMBER: _ClassVar[int]
        REMOVED_FIELD_NUMBER: _ClassVar[int]
        UNTIL_FIELD_NUMBER: _ClassVar[int]
        address: str
        account: int
        suspended: bool
        mailboxes: int
        messages: int
        octets: int
        quota_octets: int
        quota_messages: int
        quota_own: bool
        removed: int
        until: int
        def __init__(self, address: _Optional[str] = ..., account: _Optional[int] = ..., suspended: _Optional[bool] = ..., mailboxes: _Optional[int] = ..., messages: _Optional[int] = ..., octets: _Optional[int] = ..., quota_octets: _Optional[int] = ..., quota_messages: _Optional[int] = ..., quota_own: _Optional[bool] = ..., removed: _Optional[int] = ..., until: _Optional[int] = ...) -> None: ...
    ACCOUNTS_FIELD_NUMBER: _ClassVar[int]
    accounts: _containers.RepeatedCompositeFieldContainer[AccountListAnswer.Account]
    def __init__(self, accounts: _Optional[_Iterable[_Union[AccountListAnswer.Account, _Mapping]]] = ...) -> None: ...

class AccountRemoveRequest(_message.Message):
    __slots__ = ("address",)
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    address: str
    def __init__(self, address: _Optional[str] = ...) -> None: ...

class AccountRemoveAnswer(_message.Message):
    __slots__ = ("address", "until", "aliases")
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    ALIASES_FIELD_NUMBER: _ClassVar[int]
    address: str
    until: int
    aliases: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, address: _Optional[str] = ..., until: _Optional[int] = ..., aliases: _Optional[_Iterable[str]] = ...) -> None: ...

class AccountUndeleteRequest(_message.Message):
    __slots__ = ("address",)
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    address: str
    def __init__(self, address: _Optional[str] = ...) -> None: ...

class AccountQuotaRequest(_message.Message):
    __slots__ = ("address", "quota")
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    QUOTA_FIELD_NUMBER: _ClassVar[int]
    address: str
    quota: _change_pb2.SetQuota
    def __init__(self, address: _Optional[str] = ..., quota: _Optional[_Union[_change_pb2.SetQuota, _Mapping]] = ...) -> None: ...

class AccountPasswordRequest(_message.Message):
    __slots__ = ("address", "password")
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    PASSWORD_FIELD_NUMBER: _ClassVar[int]
    address: str
    password: str
    def __init__(self, address: _Optional[str] = ..., password: _Optional[str] = ...) -> None: ...

class AccountSuspendRequest(_message.Message):
    __slots__ = ("address", "suspended")
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    SUSPENDED_FIELD_NUMBER: _ClassVar[int]
    address: str
    suspended: bool
    def __init__(self, address: _Optional[str] = ..., suspended: _Optional[bool] = ...) -> None: ...

class AppPasswordAddRequest(_message.Message):
    __slots__ = ("address", "name", "scopes", "expires")
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    SCOPES_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_FIELD_NUMBER: _ClassVar[int]
    address: str
    name: str
    scopes: _containers.RepeatedScalarFieldContainer[str]
    expires: int
    def __init__(self, address: _Optional[str] = ..., name: _Optional[str] = ..., scopes: _Optional[_Iterable[str]] = ..., expires: _Optional[int] = ...) -> None: ...

class AppPasswordAddAnswer(_message.Message):
    __slots__ = ("password",)
    PASSWORD_FIELD_NUMBER: _ClassVar[int]
    password: str
    def __init__(self, password: _Optional[str] = ...) -> None: ...

class AppPasswordListRequest(_message.Message):
    __slots__ = ("address",)
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    address: str
    def __init__(self, address: _Optional[str] = ...) -> None: ...

class AppPasswordListAnswer(_message.Message):
    __slots__ = ("app_passwords",)
    class AppPassword(_message.Message):
        __slots__ = ("name", "scopes", "created", "expires", "used")
        NAME_FIELD_NUMBER: _ClassVar[int]
        SCOPES_FIELD_NUMBER: _ClassVar[int]
        CREATED_FIELD_NUMBER: _ClassVar[int]
        EXPIRES_FIELD_NUMBER: _ClassVar[int]
        USED_FIELD_NUMBER: _ClassVar[int]
        name: str
        scopes: _containers.RepeatedScalarFieldContainer[str]
        created: int
        expires: int
        used: int
        def __init__(self, name: _Optional[str] = ..., scopes: _Optional[_Iterable[str]] = ..., created: _Optional[int] = ..., expires: _Optional[int] = ..., used: _Optional[int] = ...) -> None: ...
    APP_PASSWORDS_FIELD_NUMBER: _ClassVar[int]
    app_passwords: _containers.RepeatedCompositeFieldContainer[AppPasswordListAnswer.AppPassword]
    def __init__(self, app_passwords: _Optional[_Iterable[_Union[AppPasswordListAnswer.AppPassword, _Mapping]]] = ...) -> None: ...

class AppPasswordRevokeRequest(_message.Message):
    __slots__ = ("address", "name")
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    address: str
    name: str
    def __init__(self, address: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class AliasAddRequest(_message.Message):
    __slots__ = ("address", "targets")
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    TARGETS_FIELD_NUMBER: _ClassVar[int]
    address: str
    targets: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, address: _Optional[str] = ..., targets: _Optional[_Iterable[str]] = ...) -> None: ...

class AliasListRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class AliasListAnswer(_message.Message):
    __slots__ = ("aliases",)
    class Alias(_message.Message):
        __slots__ = ("address", "targets")
        ADDRESS_FIELD_NUMBER: _ClassVar[int]
        TARGETS_FIELD_NUMBER: _ClassVar[int]
        address: str
        targets: _containers.RepeatedScalarFieldContainer[str]
        def __init__(self, address: _Optional[str] = ..., targets: _Optional[_Iterable[str]] = ...) -> None: ...
    ALIASES_FIELD_NUMBER: _ClassVar[int]
    aliases: _containers.RepeatedCompositeFieldContainer[AliasListAnswer.Alias]
    def __init__(self, aliases: _Optional[_Iterable[_Union[AliasListAnswer.Alias, _Mapping]]] = ...) -> None: ...

class AliasRemoveRequest(_message.Message):
    __slots__ = ("address",)
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    address: str
    def __init__(self, address: _Optional[str] = ...) -> None: ...

class MailboxListRequest(_message.Message):
    __slots__ = ("address",)
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    address: str
    def __init__(self, address: _Optional[str] = ...) -> None: ...

class MailboxListAnswer(_message.Message):
    __slots__ = ("mailboxes",)
    class Mailbox(_message.Message):
        __slots__ = ("name", "special_use", "subscribed", "messages", "unseen", "octets")
        NAME_FIELD_NUMBER: _ClassVar[int]
        SPECIAL_USE_FIELD_NUMBER: _ClassVar[int]
        SUBSCRIBED_FIELD_NUMBER: _ClassVar[int]
        MESSAGES_FIELD_NUMBER: _ClassVar[int]
        UNSEEN_FIELD_NUMBER: _ClassVar[int]
        OCTETS_FIELD_NUMBER: _ClassVar[int]
        name: str
        special_use: str
        subscribed: bool
        messages: int
        unseen: int
        octets: int
        def __init__(self, name: _Optional[str] = ..., special_use: _Optional[str] = ..., subscribed: _Optional[bool] = ..., messages: _Optional[int] = ..., unseen: _Optional[int] = ..., octets: _Optional[int] = ...) -> None: ...
    MAILBOXES_FIELD_NUMBER: _ClassVar[int]
    mailboxes: _containers.RepeatedCompositeFieldContainer[MailboxListAnswer.Mailbox]
    def __init__(self, mailboxes: _Optional[_Iterable[_Union[MailboxListAnswer.Mailbox, _Mapping]]] = ...) -> None: ...

class MailboxExpungedRequest(_message.Message):
    __slots__ = ("address",)
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    address: str
    def __init__(self, address: _Optional[str] = ...) -> None: ...

class MailboxExpungedAnswer(_message.Message):
    __slots__ = ("expunged",)
    class Expunged(_message.Message):
        __slots__ = ("mailbox", "time", "until", "messages", "octets")
        MAILBOX_FIELD_NUMBER: _ClassVar[int]
        TIME_FIELD_NUMBER: _ClassVar[int]
        UNTIL_FIELD_NUMBER: _ClassVar[int]
        MESSAGES_FIELD_NUMBER: _ClassVar[int]
        OCTETS_FIELD_NUMBER: _ClassVar[int]
        mailbox: str
        time: int
        until: int
        messages: int
        octets: int
        def __init__(self, mailbox: _Optional[str] = ..., time: _Optional[int] = ..., until: _Optional[int] = ..., messages: _Optional[int] = ..., octets: _Optional[int] = ...) -> None: ...
    EXPUNGED_FIELD_NUMBER: _ClassVar[int]
    expunged: _containers.RepeatedCompositeFieldContainer[MailboxExpungedAnswer.Expunged]
    def __init__(self, expunged: _Optional[_Iterable[_Union[MailboxExpungedAnswer.Expunged, _Mapping]]] = ...) -> None: ...

class MailboxUndeleteRequest(_message.Message):
    __slots__ = ("address", "mailbox", "since")
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    MAILBOX_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    address: str
    mailbox: str
    since: int
    def __init__(self, address: _Optional[str] = ..., mailbox: _Optional[str] = ..., since: _Optional[int] = ...) -> None: ...

class MailboxUndeleteAnswer(_message.Message):
    __slots__ = ("messages",)
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    messages: int
    def __init__(self, messages: _Optional[int] = ...) -> None: ...

class CheckpointRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class CheckpointAnswer(_message.Message):
    __slots__ = ("path", "incarnation", "made", "folder", "others")
    PATH_FIELD_NUMBER: _ClassVar[int]
    INCARNATION_FIELD_NUMBER: _ClassVar[int]
    MADE_FIELD_NUMBER: _ClassVar[int]
    FOLDER_FIELD_NUMBER: _ClassVar[int]
    OTHERS_FIELD_NUMBER: _ClassVar[int]
    path: str
    incarnation: bytes
    made: int
    folder: str
    others: _containers.RepeatedCompositeFieldContainer[CheckpointAnswer]
    def __init__(self, path: _Optional[str] = ..., incarnation: _Optional[bytes] = ..., made: _Optional[int] = ..., folder: _Optional[str] = ..., others: _Optional[_Iterable[_Union[CheckpointAnswer, _Mapping]]] = ...) -> None: ...

class CheckpointDropRequest(_message.Message):
    __slots__ = ("path",)
    PATH_FIELD_NUMBER: _ClassVar[int]
    path: str
    def __init__(self, path: _Optional[str] = ...) -> None: ...

class CheckpointDropAnswer(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class AccountRestoreRequest(_message.Message):
    __slots__ = ("backups", "backup", "address", "into")
    BACKUPS_FIELD_NUMBER: _ClassVar[int]
    BACKUP_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    INTO_FIELD_NUMBER: _ClassVar[int]
    backups: str
    backup: str
    address: str
    into: str
    def __init__(self, backups: _Optional[str] = ..., backup: _Optional[str] = ..., address: _Optional[str] = ..., into: _Optional[str] = ...) -> None: ...

class AccountRestoreAnswer(_message.Message):
    __slots__ = ("address", "backup", "whole", "messages", "present")
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    BACKUP_FIELD_NUMBER: _ClassVar[int]
    WHOLE_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    PRESENT_FIELD_NUMBER: _ClassVar[int]
    address: str
    backup: str
    whole: bool
    messages: int
    present: int
    def __init__(self, address: _Optional[str] = ..., backup: _Optional[str] = ..., whole: _Optional[bool] = ..., messages: _Optional[int] = ..., present: _Optional[int] = ...) -> None: ...

class ScrubRequest(_message.Message):
    __slots__ = ("begin",)
    BEGIN_FIELD_NUMBER: _ClassVar[int]
    begin: bool
    def __init__(self, begin: _Optional[bool] = ...) -> None: ...

class ScrubAnswer(_message.Message):
    __slots__ = ("running", "started", "finished", "accounts", "mails", "octets", "fault_count", "faults", "last_finished")
    class Fault(_message.Message):
        __slots__ = ("account", "family", "key", "what")
        ACCOUNT_FIELD_NUMBER: _ClassVar[int]
        FAMILY_FIELD_NUMBER: _ClassVar[int]
        KEY_FIELD_NUMBER: _ClassVar[int]
        WHAT_FIELD_NUMBER: _ClassVar[int]
        account: str
        family: str
        key: str
        what: str
        def __init__(self, account: _Optional[str] = ..., family: _Optional[str] = ..., key: _Optional[str] = ..., what: _Optional[str] = ...) -> None: ...
    RUNNING_FIELD_NUMBER: _ClassVar[int]
    STARTED_FIELD_NUMBER: _ClassVar[int]
    FINISHED_FIELD_NUMBER: _ClassVar[int]
    ACCOUNTS_FIELD_NUMBER: _ClassVar[int]
    MAILS_FIELD_NUMBER: _ClassVar[int]
    OCTETS_FIELD_NUMBER: _ClassVar[int]
    FAULT_COUNT_FIELD_NUMBER: _ClassVar[int]
    FAULTS_FIELD_NUMBER: _ClassVar[int]
    LAST_FINISHED_FIELD_NUMBER: _ClassVar[int]
    running: bool
    started: int
    finished: int
    accounts: int
    mails: int
    octets: int
    fault_count: int
    faults: _containers.RepeatedCompositeFieldContainer[ScrubAnswer.Fault]
    last_finished: int
    def __init__(self, running: _Optional[bool] = ..., started: _Optional[int] = ..., finished: _Optional[int] = ..., accounts: _Optional[int] = ..., mails: _Optional[int] = ..., octets: _Optional[int] = ..., fault_count: _Optional[int] = ..., faults: _Optional[_Iterable[_Union[ScrubAnswer.Fault, _Mapping]]] = ..., last_finished: _Optional[int] = ...) -> None: ...

class ImportRequest(_message.Message):
    __slots__ = ("address", "known", "intent")
    class Known(_message.Message):
        __slots__ = ("origins",)
        ORIGINS_FIELD_NUMBER: _ClassVar[int]
        origins: _containers.RepeatedScalarFieldContainer[bytes]
        def __init__(self, origins: _Optional[_Iterable[bytes]] = ...) -> None: ...
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    KNOWN_FIELD_NUMBER: _ClassVar[int]
    INTENT_FIELD_NUMBER: _ClassVar[int]
    address: str
    known: ImportRequest.Known
    intent: _change_pb2.Intent
    def __init__(self, address: _Optional[str] = ..., known: _Optional[_Union[ImportRequest.Known, _Mapping]] = ..., intent: _Optional[_Union[_change_pb2.Intent, _Mapping]] = ...) -> None: ...

class ImportAnswer(_message.Message):
    __slots__ = ("account", "known", "result", "upload")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    KNOWN_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    UPLOAD_FIELD_NUMBER: _ClassVar[int]
    account: ImportAccount
    known: bytes
    result: _change_pb2.Result
    upload: int
    def __init__(self, account: _Optional[_Union[ImportAccount, _Mapping]] = ..., known: _Optional[bytes] = ..., result: _Optional[_Union[_change_pb2.Result, _Mapping]] = ..., upload: _Optional[int] = ...) -> None: ...

class ImportAccount(_message.Message):
    __slots__ = ("mailboxes", "message_octets_max")
    class Mailbox(_message.Message):
        __slots__ = ("name", "row")
        NAME_FIELD_NUMBER: _ClassVar[int]
        ROW_FIELD_NUMBER: _ClassVar[int]
        name: str
        row: _row_pb2.MailboxRow
        def __init__(self, name: _Optional[str] = ..., row: _Optional[_Union[_row_pb2.MailboxRow, _Mapping]] = ...) -> None: ...
    MAILBOXES_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_OCTETS_MAX_FIELD_NUMBER: _ClassVar[int]
    mailboxes: _containers.RepeatedCompositeFieldContainer[ImportAccount.Mailbox]
    message_octets_max: int
    def __init__(self, mailboxes: _Optional[_Iterable[_Union[ImportAccount.Mailbox, _Mapping]]] = ..., message_octets_max: _Optional[int] = ...) -> None: ...

class ExportRequest(_message.Message):
    __slots__ = ("address", "mailbox", "present")
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    MAILBOX_FIELD_NUMBER: _ClassVar[int]
    PRESENT_FIELD_NUMBER: _ClassVar[int]
    address: str
    mailbox: str
    present: _containers.RepeatedCompositeFieldContainer[_change_pb2.UidRange]
    def __init__(self, address: _Optional[str] = ..., mailbox: _Optional[str] = ..., present: _Optional[_Iterable[_Union[_change_pb2.UidRange, _Mapping]]] = ...) -> None: ...

class ExportAnswer(_message.Message):
    __slots__ = ("mailboxes", "subscribed", "messages", "octets")
    class Mailbox(_message.Message):
        __slots__ = ("name", "row", "subscribed")
        NAME_FIELD_NUMBER: _ClassVar[int]
        ROW_FIELD_NUMBER: _ClassVar[int]
        SUBSCRIBED_FIELD_NUMBER: _ClassVar[int]
        name: str
        row: _row_pb2.MailboxRow
        subscribed: bool
        def __init__(self, name: _Optional[str] = ..., row: _Optional[_Union[_row_pb2.MailboxRow, _Mapping]] = ..., subscribed: _Optional[bool] = ...) -> None: ...
    class Message(_message.Message):
        __slots__ = ("uid", "flags", "keywords", "internal_date", "size", "checksum", "unique_id", "octets", "unreadable")
        UID_FIELD_NUMBER: _ClassVar[int]
        FLAGS_FIELD_NUMBER: _ClassVar[int]
        KEYWORDS_FIELD_NUMBER: _ClassVar[int]
        INTERNAL_DATE_FIELD_NUMBER: _ClassVar[int]
        SIZE_FIELD_NUMBER: _ClassVar[int]
        CHECKSUM_FIELD_NUMBER: _ClassVar[int]
        UNIQUE_ID_FIELD_NUMBER: _ClassVar[int]
        OCTETS_FIELD_NUMBER: _ClassVar[int]
        UNREADABLE_FIELD_NUMBER: _ClassVar[int]
        uid: int
        flags: int
        keywords: _containers.RepeatedScalarFieldContainer[str]
        internal_date: int
        size: int
        checksum: bytes
        unique_id: str
        octets: bytes
        unreadable: bool
        def __init__(self, uid: _Optional[int] = ..., flags: _Optional[int] = ..., keywords: _Optional[_Iterable[str]] = ..., internal_date: _Optional[int] = ..., size: _Optional[int] = ..., checksum: _Optional[bytes] = ..., unique_id: _Optional[str] = ..., octets: _Optional[bytes] = ..., unreadable: _Optional[bool] = ...) -> None: ...
    MAILBOXES_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIBED_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    OCTETS_FIELD_NUMBER: _ClassVar[int]
    mailboxes: _containers.RepeatedCompositeFieldContainer[ExportAnswer.Mailbox]
    subscribed: _containers.RepeatedScalarFieldContainer[str]
    messages: _containers.RepeatedCompositeFieldContainer[ExportAnswer.Message]
    octets: bytes
    def __init__(self, mailboxes: _Optional[_Iterable[_Union[ExportAnswer.Mailbox, _Mapping]]] = ..., subscribed: _Optional[_Iterable[str]] = ..., messages: _Optional[_Iterable[_Union[ExportAnswer.Message, _Mapping]]] = ..., octets: _Optional[bytes] = ...) -> None: ...

class QueueListRequest(_message.Message):
    __slots__ = ("item",)
    ITEM_FIELD_NUMBER: _ClassVar[int]
    item: str
    def __init__(self, item: _Optional[str] = ...) -> None: ...

class QueueListAnswer(_message.Message):
    __slots__ = ("items",)
    class Recipient(_message.Message):
        __slots__ = ("address", "reply")
        ADDRESS_FIELD_NUMBER: _ClassVar[int]
        REPLY_FIELD_NUMBER: _ClassVar[int]
        address: str
        reply: str
        def __init__(self, address: _Optional[str] = ..., reply: _Optional[str] = ...) -> None: ...
    class Item(_message.Message):
        __slots__ = ("item", "sender", "octets", "queued", "due", "attempts", "held", "recipients")
        ITEM_FIELD_NUMBER: _ClassVar[int]
        SENDER_FIELD_NUMBER: _ClassVar[int]
        OCTETS_FIELD_NUMBER: _ClassVar[int]
        QUEUED_FIELD_NUMBER: _ClassVar[int]
        DUE_FIELD_NUMBER: _ClassVar[int]
        ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
        HELD_FIELD_NUMBER: _ClassVar[int]
        RECIPIENTS_FIELD_NUMBER: _ClassVar[int]
        item: str
        sender: str
        octets: int
        queued: int
        due: int
        attempts: int
        held: bool
        recipients: _containers.RepeatedCompositeFieldContainer[QueueListAnswer.Recipient]
        def __init__(self, item: _Optional[str] = ..., sender: _Optional[str] = ..., octets: _Optional[int] = ..., queued: _Optional[int] = ..., due: _Optional[int] = ..., attempts: _Optional[int] = ..., held: _Optional[bool] = ..., recipients: _Optional[_Iterable[_Union[QueueListAnswer.Recipient, _Mapping]]] = ...) -> None: ...
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[QueueListAnswer.Item]
    def __init__(self, items: _Optional[_Iterable[_Union[QueueListAnswer.Item, _Mapping]]] = ...) -> None: ...

class QueueChangeRequest(_message.Message):
    __slots__ = ("item", "what")
    class What(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        RETRY: _ClassVar[QueueChangeRequest.What]
        HOLD: _ClassVar[QueueChangeRequest.What]
        RELEASE: _ClassVar[QueueChangeRequest.What]
        REMOVE: _ClassVar[QueueChangeRequest.What]
    RETRY: QueueChangeRequest.What
    HOLD: QueueChangeRequest.What
    RELEASE: QueueChangeRequest.What
    REMOVE: QueueChangeRequest.What
    ITEM_FIELD_NUMBER: _ClassVar[int]
    WHAT_FIELD_NUMBER: _ClassVar[int]
    item: str
    what: QueueChangeRequest.What
    def __init__(self, item: _Optional[str] = ..., what: _Optional[_Union[QueueChangeRequest.What, str]] = ...) -> None: ...

class DomainAddRequest(_message.Message):
    __slots__ = ("domain",)
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    domain: str
    def __init__(self, domain: _Optional[str] = ...) -> None: ...

class DomainListRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DomainRemoveRequest(_message.Message):
    __slots__ = ("domain", "keep_accounts")
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    KEEP_ACCOUNTS_FIELD_NUMBER: _ClassVar[int]
    domain: str
    keep_accounts: bool
    def __init__(self, domain: _Optional[str] = ..., keep_accounts: _Optional[bool] = ...) -> None: ...

class DomainChangeRequest(_message.Message):
    __slots__ = ("domain", "settings")
    class SettingsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    SETTINGS_FIELD_NUMBER: _ClassVar[int]
    domain: str
    settings: _containers.ScalarMap[str, str]
    def __init__(self, domain: _Optional[str] = ..., settings: _Optional[_Mapping[str, str]] = ...) -> None: ...

class DomainsTakeRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DomainsTakeAnswer(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DomainListAnswer(_message.Message):
    __slots__ = ("domains",)
    class Domain(_message.Message):
        __slots__ = ("domain", "file", "dkim", "accounts", "aliases", "text")
        DOMAIN_FIELD_NUMBER: _ClassVar[int]
        FILE_FIELD_NUMBER: _ClassVar[int]
        DKIM_FIELD_NUMBER: _ClassVar[int]
        ACCOUNTS_FIELD_NUMBER: _ClassVar[int]
        ALIASES_FIELD_NUMBER: _ClassVar[int]
        TEXT_FIELD_NUMBER: _ClassVar[int]
        domain: str
        file: str
        dkim: str
        accounts: int
        aliases: int
        text: str
        def __init__(self, domain: _Optional[str] = ..., file: _Optional[str] = ..., dkim: _Optional[str] = ..., accounts: _Optional[int] = ..., aliases: _Optional[int] = ..., text: _Optional[str] = ...) -> None: ...
    DOMAINS_FIELD_NUMBER: _ClassVar[int]
    domains: _containers.RepeatedCompositeFieldContainer[DomainListAnswer.Domain]
    def __init__(self, domains: _Optional[_Iterable[_Union[DomainListAnswer.Domain, _Mapping]]] = ...) -> None: ...

class AccountRenameRequest(_message.Message):
    __slots__ = ("address", "to", "alias")
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    ALIAS_FIELD_NUMBER: _ClassVar[int]
    address: str
    to: str
    alias: bool
    def __init__(self, address: _Optional[str] = ..., to: _Optional[str] = ..., alias: _Optional[bool] = ...) -> None: ...

class StatusRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class StatusAnswer(_message.Message):
    __slots__ = ("hostname", "version", "running", "started", "sessions", "messages_in", "messages_in_rate", "messages_out", "queue_items", "queue_oldest", "shard_octets", "disk_free_octets", "last_scrub", "node", "nodes")
    class Sessions(_message.Message):
        __slots__ = ("service", "open")
        SERVICE_FIELD_NUMBER: _ClassVar[int]
        OPEN_FIELD_NUMBER: _ClassVar[int]
        service: str
        open: int
        def __init__(self, service: _Optional[str] = ..., open: _Optional[int] = ...) -> None: ...
    HOSTNAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    RUNNING_FIELD_NUMBER: _ClassVar[int]
    STARTED_FIELD_NUMBER: _ClassVar[int]
    SESSIONS_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_IN_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_IN_RATE_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_OUT_FIELD_NUMBER: _ClassVar[int]
    QUEUE_ITEMS_FIELD_NUMBER: _ClassVar[int]
    QUEUE_OLDEST_FIELD_NUMBER: _ClassVar[int]
    SHARD_OCTETS_FIELD_NUMBER: _ClassVar[int]
    DISK_FREE_OCTETS_FIELD_NUMBER: _ClassVar[int]
    LAST_SCRUB_FIELD_NUMBER: _ClassVar[int]
    NODE_FIELD_NUMBER: _ClassVar[int]
    NODES_FIELD_NUMBER: _ClassVar[int]
    hostname: str
    version: str
    running: bool
    started: int
    sessions: _containers.RepeatedCompositeFieldContainer[StatusAnswer.Sessions]
    messages_in: int
    messages_in_rate: float
    messages_out: int
    queue_items: int
    queue_oldest: int
    shard_octets: int
    disk_free_octets: int
    last_scrub: int
    node: str
    nodes: _containers.RepeatedCompositeFieldContainer[StatusAnswer]
    def __init__(self, hostname: _Optional[str] = ..., version: _Optional[str] = ..., running: _Optional[bool] = ..., started: _Optional[int] = ..., sessions: _Optional[_Iterable[_Union[StatusAnswer.Sessions, _Mapping]]] = ..., messages_in: _Optional[int] = ..., messages_in_rate: _Optional[float] = ..., messages_out: _Optional[int] = ..., queue_items: _Optional[int] = ..., queue_oldest: _Optional[int] = ..., shard_octets: _Optional[int] = ..., disk_free_octets: _Optional[int] = ..., last_scrub: _Optional[int] = ..., node: _Optional[str] = ..., nodes: _Optional[_Iterable[_Union[StatusAnswer, _Mapping]]] = ...) -> None: ...

class ReportListRequest(_message.Message):
    __slots__ = ("domain", "since")
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    domain: str
    since: int
    def __init__(self, domain: _Optional[str] = ..., since: _Optional[int] = ...) -> None: ...

class ReportListAnswer(_message.Message):
    __slots__ = ("reports",)
    class Report(_message.Message):
        __slots__ = ("report", "kind", "domain", "organization", "begin", "end", "messages", "failed")
        REPORT_FIELD_NUMBER: _ClassVar[int]
        KIND_FIELD_NUMBER: _ClassVar[int]
        DOMAIN_FIELD_NUMBER: _ClassVar[int]
        ORGANIZATION_FIELD_NUMBER: _ClassVar[int]
        BEGIN_FIELD_NUMBER: _ClassVar[int]
        END_FIELD_NUMBER: _ClassVar[int]
        MESSAGES_FIELD_NUMBER: _ClassVar[int]
        FAILED_FIELD_NUMBER: _ClassVar[int]
        report: str
        kind: str
        domain: str
        organization: str
        begin: int
        end: int
        messages: int
        failed: int
        def __init__(self, report: _Optional[str] = ..., kind: _Optional[str] = ..., domain: _Optional[str] = ..., organization: _Optional[str] = ..., begin: _Optional[int] = ..., end: _Optional[int] = ..., messages: _Optional[int] = ..., failed: _Optional[int] = ...) -> None: ...
    REPORTS_FIELD_NUMBER: _ClassVar[int]
    reports: _containers.RepeatedCompositeFieldContainer[ReportListAnswer.Report]
    def __init__(self, reports: _Optional[_Iterable[_Union[ReportListAnswer.Report, _Mapping]]] = ...) -> None: ...

class ReportShowRequest(_message.Message):
    __slots__ = ("report",)
    REPORT_FIELD_NUMBER: _ClassVar[int]
    report: str
    def __init__(self, report: _Optional[str] = ...) -> None: ...

class ReportShowAnswer(_message.Message):
    __slots__ = ("about", "row")
    ABOUT_FIELD_NUMBER: _ClassVar[int]
    ROW_FIELD_NUMBER: _ClassVar[int]
    about: ReportListAnswer.Report
    row: _row_pb2.ReportRow
    def __init__(self, about: _Optional[_Union[ReportListAnswer.Report, _Mapping]] = ..., row: _Optional[_Union[_row_pb2.ReportRow, _Mapping]] = ...) -> None: ...

class ReportSourcesRequest(_message.Message):
    __slots__ = ("domain", "since", "all")
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    ALL_FIELD_NUMBER: _ClassVar[int]
    domain: str
    since: int
    all: bool
    def __init__(self, domain: _Optional[str] = ..., since: _Optional[int] = ..., all: _Optional[bool] = ...) -> None: ...

class ReportSourcesAnswer(_message.Message):
    __slots__ = ("sources",)
    class Source(_message.Message):
        __slots__ = ("domain", "address", "messages", "failed", "last", "reporters", "passed")
        DOMAIN_FIELD_NUMBER: _ClassVar[int]
        ADDRESS_FIELD_NUMBER: _ClassVar[int]
        MESSAGES_FIELD_NUMBER: _ClassVar[int]
        FAILED_FIELD_NUMBER: _ClassVar[int]
        LAST_FIELD_NUMBER: _ClassVar[int]
        REPORTERS_FIELD_NUMBER: _ClassVar[int]
        PASSED_FIELD_NUMBER: _ClassVar[int]
        domain: str
        address: str
        messages: int
        failed: int
        last: int
        reporters: int
        passed: _containers.RepeatedScalarFieldContainer[str]
        def __init__(self, domain: _Optional[str] = ..., address: _Optional[str] = ..., messages: _Optional[int] = ..., failed: _Optional[int] = ..., last: _Optional[int] = ..., reporters: _Optional[int] = ..., passed: _Optional[_Iterable[str]] = ...) -> None: ...
    SOURCES_FIELD_NUMBER: _ClassVar[int]
    sources: _containers.RepeatedCompositeFieldContainer[ReportSourcesAnswer.Source]
    def __init__(self, sources: _Optional[_Iterable[_Union[ReportSourcesAnswer.Source, _Mapping]]] = ...) -> None: ...

class ClusterStatusRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ClusterStatusAnswer(_message.Message):
    __slots__ = ("cluster", "format", "etcd", "revision", "nodes", "states", "balancer", "dcs")
    class Node(_message.Message):
        __slots__ = ("name", "address", "host", "rack", "dc", "weight", "leased", "leaving", "format", "led", "copied", "learning", "lag_entries", "lag_seconds", "seen")
        NAME_FIELD_NUMBER: _ClassVar[int]
        ADDRESS_FIELD_NUMBER: _ClassVar[int]
        HOST_FIELD_NUMBER: _ClassVar[int]
        RACK_FIELD_NUMBER: _ClassVar[int]
        DC_FIELD_NUMBER: _ClassVar[int]
        WEIGHT_FIELD_NUMBER: _ClassVar[int]
        LEASED_FIELD_NUMBER: _ClassVar[int]
        LEAVING_FIELD_NUMBER: _ClassVar[int]
        FORMAT_FIELD_NUMBER: _ClassVar[int]
        LED_FIELD_NUMBER: _ClassVar[int]
        COPIED_FIELD_NUMBER: _ClassVar[int]
        LEARNING_FIELD_NUMBER: _ClassVar[int]
        LAG_ENTRIES_FIELD_NUMBER: _ClassVar[int]
        LAG_SECONDS_FIELD_NUMBER: _ClassVar[int]
        SEEN_FIELD_NUMBER: _ClassVar[int]
        name: str
        address: str
        host: str
        rack: str
        dc: str
        weight: float
        leased: bool
        leaving: bool
        format: int
        led: int
        copied: int
        learning: int
        lag_entries: int
        lag_seconds: float
        seen: ClusterSeenAnswer
        def __init__(self, name: _Optional[str] = ..., address: _Optional[str] = ..., host: _Optional[str] = ..., rack: _Optional[str] = ..., dc: _Optional[str] = ..., weight: _Optional[float] = ..., leased: _Optional[bool] = ..., leaving: _Optional[bool] = ..., format: _Optional[int] = ..., led: _Optional[int] = ..., copied: _Optional[int] = ..., learning: _Optional[int] = ..., lag_entries: _Optional[int] = ..., lag_seconds: _Optional[float] = ..., seen: _Optional[_Union[ClusterSeenAnswer, _Mapping]] = ...) -> None: ...
    class State(_message.Message):
        __slots__ = ("state", "partitions")
        STATE_FIELD_NUMBER: _ClassVar[int]
        PARTITIONS_FIELD_NUMBER: _ClassVar[int]
        state: str
        partitions: int
        def __init__(self, state: _Optional[str] = ..., partitions: _Optional[int] = ...) -> None: ...
    class DataCentre(_message.Message):
        __slots__ = ("name", "homes", "lag")
        NAME_FIELD_NUMBER: _ClassVar[int]
        HOMES_FIELD_NUMBER: _ClassVar[int]
        LAG_FIELD_NUMBER: _ClassVar[int]
        name: str
        homes: _containers.RepeatedScalarFieldContainer[int]
        lag: FarLag
        def __init__(self, name: _Optional[str] = ..., homes: _Optional[_Iterable[int]] = ..., lag: _Optional[_Union[FarLag, _Mapping]] = ...) -> None: ...
    CLUSTER_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    ETCD_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    NODES_FIELD_NUMBER: _ClassVar[int]
    STATES_FIELD_NUMBER: _ClassVar[int]
    BALANCER_FIELD_NUMBER: _ClassVar[int]
    DCS_FIELD_NUMBER: _ClassVar[int]
    cluster: str
    format: int
    etcd: _containers.RepeatedScalarFieldContainer[str]
    revision: int
    nodes: _containers.RepeatedCompositeFieldContainer[ClusterStatusAnswer.Node]
    states: _containers.RepeatedCompositeFieldContainer[ClusterStatusAnswer.State]
    balancer: str
    dcs: _containers.RepeatedCompositeFieldContainer[ClusterStatusAnswer.DataCentre]
    def __init__(self, cluster: _Optional[str] = ..., format: _Optional[int] = ..., etcd: _Optional[_Iterable[str]] = ..., revision: _Optional[int] = ..., nodes: _Optional[_Iterable[_Union[ClusterStatusAnswer.Node, _Mapping]]] = ..., states: _Optional[_Iterable[_Union[ClusterStatusAnswer.State, _Mapping]]] = ..., balancer: _Optional[str] = ..., dcs: _Optional[_Iterable[_Union[ClusterStatusAnswer.DataCentre, _Mapping]]] = ...) -> None: ...

class FarLag(_message.Message):
    __slots__ = ("dc", "entries", "seconds", "partition")
    DC_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    PARTITION_FIELD_NUMBER: _ClassVar[int]
    dc: str
    entries: int
    seconds: float
    partition: int
    def __init__(self, dc: _Optional[str] = ..., entries: _Optional[int] = ..., seconds: _Optional[float] = ..., partition: _Optional[int] = ...) -> None: ...

class ClusterSeenRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ClusterSeenAnswer(_message.Message):
    __slots__ = ("version", "disk_free_octets", "etcd", "lags", "moves", "moved", "left", "under_way", "rate", "far", "aside")
    class Lag(_message.Message):
        __slots__ = ("node", "entries", "seconds")
        NODE_FIELD_NUMBER: _ClassVar[int]
        ENTRIES_FIELD_NUMBER: _ClassVar[int]
        SECONDS_FIELD_NUMBER: _ClassVar[int]
        node: str
        entries: int
        seconds: float
        def __init__(self, node: _Optional[str] = ..., entries: _Optional[int] = ..., seconds: _Optional[float] = ...) -> None: ...
    class Move(_message.Message):
        __slots__ = ("partition", "to", "entries", "of")
        PARTITION_FIELD_NUMBER: _ClassVar[int]
        FROM_FIELD_NUMBER: _ClassVar[int]
        TO_FIELD_NUMBER: _ClassVar[int]
        ENTRIES_FIELD_NUMBER: _ClassVar[int]
        OF_FIELD_NUMBER: _ClassVar[int]
        partition: int
        to: str
        entries: int
        of: int
        def __init__(self, partition: _Optional[int] = ..., to: _Optional[str] = ..., entries: _Optional[int] = ..., of: _Optional[int] = ..., **kwargs) -> None: ...
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DISK_FREE_OCTETS_FIELD_NUMBER: _ClassVar[int]
    ETCD_FIELD_NUMBER: _ClassVar[int]
    LAGS_FIELD_NUMBER: _ClassVar[int]
    MOVES_FIELD_NUMBER: _ClassVar[int]
    MOVED_FIELD_NUMBER: _ClassVar[int]
    LEFT_FIELD_NUMBER: _ClassVar[int]
    UNDER_WAY_FIELD_NUMBER: _ClassVar[int]
    RATE_FIELD_NUMBER: _ClassVar[int]
    FAR_FIELD_NUMBER: _ClassVar[int]
    ASIDE_FIELD_NUMBER: _ClassVar[int]
    version: str
    disk_free_octets: int
    etcd: str
    lags: _containers.RepeatedCompositeFieldContainer[ClusterSeenAnswer.Lag]
    moves: _containers.RepeatedCompositeFieldContainer[ClusterSeenAnswer.Move]
    moved: int
    left: int
    under_way: int
    rate: float
    far: _containers.RepeatedCompositeFieldContainer[FarLag]
    aside: int
    def __init__(self, version: _Optional[str] = ..., disk_free_octets: _Optional[int] = ..., etcd: _Optional[str] = ..., lags: _Optional[_Iterable[_Union[ClusterSeenAnswer.Lag, _Mapping]]] = ..., moves: _Optional[_Iterable[_Union[ClusterSeenAnswer.Move, _Mapping]]] = ..., moved: _Optional[int] = ..., left: _Optional[int] = ..., under_way: _Optional[int] = ..., rate: _Optional[float] = ..., far: _Optional[_Iterable[_Union[FarLag, _Mapping]]] = ..., aside: _Optional[int] = ...) -> None: ...

class ClusterMapRequest(_message.Message):
    __slots__ = ("address", "all", "partition")
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    ALL_FIELD_NUMBER: _ClassVar[int]
    PARTITION_FIELD_NUMBER: _ClassVar[int]
    address: str
    all: bool
    partition: int
    def __init__(self, address: _Optional[str] = ..., all: _Optional[bool] = ..., partition: _Optional[int] = ...) -> None: ...

class ClusterMapAnswer(_message.Message):
    __slots__ = ("rows",)
    class Row(_message.Message):
        __slots__ = ("partition", "primary", "in_sync", "replicas", "epoch", "min_insync", "state", "far")
        PARTITION_FIELD_NUMBER: _ClassVar[int]
        PRIMARY_FIELD_NUMBER: _ClassVar[int]
        IN_SYNC_FIELD_NUMBER: _ClassVar[int]
        REPLICAS_FIELD_NUMBER: _ClassVar[int]
        EPOCH_FIELD_NUMBER: _ClassVar[int]
        MIN_INSYNC_FIELD_NUMBER: _ClassVar[int]
        STATE_FIELD_NUMBER: _ClassVar[int]
        FAR_FIELD_NUMBER: _ClassVar[int]
        partition: int
        primary: str
        in_sync: _containers.RepeatedScalarFieldContainer[str]
        replicas: _containers.RepeatedScalarFieldContainer[str]
        epoch: int
        min_insync: int
        state: str
        far: _containers.RepeatedScalarFieldContainer[str]
        def __init__(self, partition: _Optional[int] = ..., primary: _Optional[str] = ..., in_sync: _Optional[_Iterable[str]] = ..., replicas: _Optional[_Iterable[str]] = ..., epoch: _Optional[int] = ..., min_insync: _Optional[int] = ..., state: _Optional[str] = ..., far: _Optional[_Iterable[str]] = ...) -> None: ...
    ROWS_FIELD_NUMBER: _ClassVar[int]
    rows: _containers.RepeatedCompositeFieldContainer[ClusterMapAnswer.Row]
    def __init__(self, rows: _Optional[_Iterable[_Union[ClusterMapAnswer.Row, _Mapping]]] = ...) -> None: ...

class ClusterMoveRequest(_message.Message):
    __slots__ = ("partition", "node")
    PARTITION_FIELD_NUMBER: _ClassVar[int]
    NODE_FIELD_NUMBER: _ClassVar[int]
    partition: int
    node: str
    def __init__(self, partition: _Optional[int] = ..., node: _Optional[str] = ...) -> None: ...

class ClusterDrainRequest(_message.Message):
    __slots__ = ("node", "back")
    NODE_FIELD_NUMBER: _ClassVar[int]
    BACK_FIELD_NUMBER: _ClassVar[int]
    node: str
    back: bool
    def __init__(self, node: _Optional[str] = ..., back: _Optional[bool] = ...) -> None: ...

class ClusterDrainAnswer(_message.Message):
    __slots__ = ("node", "keeps_copies")
    NODE_FIELD_NUMBER: _ClassVar[int]
    KEEPS_COPIES_FIELD_NUMBER: _ClassVar[int]
    node: str
    keeps_copies: bool
    def __init__(self, node: _Optional[str] = ..., keeps_copies: _Optional[bool] = ...) -> None: ...

class ClusterRemoveRequest(_message.Message):
    __slots__ = ("node",)
    NODE_FIELD_NUMBER: _ClassVar[int]
    node: str
    def __init__(self, node: _Optional[str] = ...) -> None: ...

class ClusterRemoveAnswer(_message.Message):
    __slots__ = ("node", "partitions")
    NODE_FIELD_NUMBER: _ClassVar[int]
    PARTITIONS_FIELD_NUMBER: _ClassVar[int]
    node: str
    partitions: int
    def __init__(self, node: _Optional[str] = ..., partitions: _Optional[int] = ...) -> None: ...

class ClusterCopiesRequest(_message.Message):
    __slots__ = ("home",)
    HOME_FIELD_NUMBER: _ClassVar[int]
    home: int
    def __init__(self, home: _Optional[int] = ...) -> None: ...

class ClusterCopiesAnswer(_message.Message):
    __slots__ = ("copies",)
    class Copy(_message.Message):
        __slots__ = ("partition", "epoch", "seq", "told", "age", "epochs")
        PARTITION_FIELD_NUMBER: _ClassVar[int]
        EPOCH_FIELD_NUMBER: _ClassVar[int]
        SEQ_FIELD_NUMBER: _ClassVar[int]
        TOLD_FIELD_NUMBER: _ClassVar[int]
        AGE_FIELD_NUMBER: _ClassVar[int]
        EPOCHS_FIELD_NUMBER: _ClassVar[int]
        partition: int
        epoch: int
        seq: int
        told: int
        age: float
        epochs: _containers.RepeatedScalarFieldContainer[int]
        def __init__(self, partition: _Optional[int] = ..., epoch: _Optional[int] = ..., seq: _Optional[int] = ..., told: _Optional[int] = ..., age: _Optional[float] = ..., epochs: _Optional[_Iterable[int]] = ...) -> None: ...
    COPIES_FIELD_NUMBER: _ClassVar[int]
    copies: _containers.RepeatedCompositeFieldContainer[ClusterCopiesAnswer.Copy]
    def __init__(self, copies: _Optional[_Iterable[_Union[ClusterCopiesAnswer.Copy, _Mapping]]] = ...) -> None: ...

class ClusterPromoteRequest(_message.Message):
    __slots__ = ("dc", "lost", "although_alive", "homes", "empty")
    DC_FIELD_NUMBER: _ClassVar[int]
    LOST_FIELD_NUMBER: _ClassVar[int]
    ALTHOUGH_ALIVE_FIELD_NUMBER: _ClassVar[int]
    HOMES_FIELD_NUMBER: _ClassVar[int]
    EMPTY_FIELD_NUMBER: _ClassVar[int]
    dc: str
    lost: str
    although_alive: bool
    homes: _containers.RepeatedScalarFieldContainer[int]
    empty: bool
    def __init__(self, dc: _Optional[str] = ..., lost: _Optional[str] = ..., although_alive: _Optional[bool] = ..., homes: _Optional[_Iterable[int]] = ..., empty: _Optional[bool] = ...) -> None: ...

class ClusterPromoteAnswer(_message.Message):
    __slots__ = ("dc", "homes", "partitions", "alive", "away", "file")
    class Home(_message.Message):
        __slots__ = ("home", "was", "generation", "written")
        HOME_FIELD_NUMBER: _ClassVar[int]
        WAS_FIELD_NUMBER: _ClassVar[int]
        GENERATION_FIELD_NUMBER: _ClassVar[int]
        WRITTEN_FIELD_NUMBER: _ClassVar[int]
        home: int
        was: str
        generation: int
        written: int
        def __init__(self, home: _Optional[int] = ..., was: _Optional[str] = ..., generation: _Optional[int] = ..., written: _Optional[int] = ...) -> None: ...
    class Partition(_message.Message):
        __slots__ = ("partition", "node", "epoch", "seq", "told", "age", "empty")
        PARTITION_FIELD_NUMBER: _ClassVar[int]
        NODE_FIELD_NUMBER: _ClassVar[int]
        EPOCH_FIELD_NUMBER: _ClassVar[int]
        SEQ_FIELD_NUMBER: _ClassVar[int]
        TOLD_FIELD_NUMBER: _ClassVar[int]
        AGE_FIELD_NUMBER: _ClassVar[int]
        EMPTY_FIELD_NUMBER: _ClassVar[int]
        partition: int
        node: str
        epoch: int
        seq: int
        told: int
        age: float
        empty: bool
        def __init__(self, partition: _Optional[int] = ..., node: _Optional[str] = ..., epoch: _Optional[int] = ..., seq: _Optional[int] = ..., told: _Optional[int] = ..., age: _Optional[float] = ..., empty: _Optional[bool] = ...) -> None: ...
    DC_FIELD_NUMBER: _ClassVar[int]
    HOMES_FIELD_NUMBER: _ClassVar[int]
    PARTITIONS_FIELD_NUMBER: _ClassVar[int]
    ALIVE_FIELD_NUMBER: _ClassVar[int]
    AWAY_FIELD_NUMBER: _ClassVar[int]
    FILE_FIELD_NUMBER: _ClassVar[int]
    dc: str
    homes: _containers.RepeatedCompositeFieldContainer[ClusterPromoteAnswer.Home]
    partitions: _containers.RepeatedCompositeFieldContainer[ClusterPromoteAnswer.Partition]
    alive: _containers.RepeatedScalarFieldContainer[str]
    away: _containers.RepeatedScalarFieldContainer[str]
    file: str
    def __init__(self, dc: _Optional[str] = ..., homes: _Optional[_Iterable[_Union[ClusterPromoteAnswer.Home, _Mapping]]] = ..., partitions: _Optional[_Iterable[_Union[ClusterPromoteAnswer.Partition, _Mapping]]] = ..., alive: _Optional[_Iterable[str]] = ..., away: _Optional[_Iterable[str]] = ..., file: _Optional[str] = ...) -> None: ...

class VerifyRequest(_message.Message):
    __slots__ = ("begin", "address", "partitions", "repair")
    BEGIN_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    PARTITIONS_FIELD_NUMBER: _ClassVar[int]
    REPAIR_FIELD_NUMBER: _ClassVar[int]
    begin: bool
    address: str
    partitions: _containers.RepeatedScalarFieldContainer[int]
    repair: bool
    def __init__(self, begin: _Optional[bool] = ..., address: _Optional[str] = ..., partitions: _Optional[_Iterable[int]] = ..., repair: _Optional[bool] = ...) -> None: ...

class VerifyAnswer(_message.Message):
    __slots__ = ("running", "partitions", "rows", "octets", "differences", "mended", "not_compared", "told", "failures")
    class Difference(_message.Message):
        __slots__ = ("partition", "family", "key", "what", "why", "is_mended")
        PARTITION_FIELD_NUMBER: _ClassVar[int]
        FAMILY_FIELD_NUMBER: _ClassVar[int]
        KEY_FIELD_NUMBER: _ClassVar[int]
        WHAT_FIELD_NUMBER: _ClassVar[int]
        WHY_FIELD_NUMBER: _ClassVar[int]
        IS_MENDED_FIELD_NUMBER: _ClassVar[int]
        partition: int
        family: str
        key: str
        what: str
        why: str
        is_mended: bool
        def __init__(self, partition: _Optional[int] = ..., family: _Optional[str] = ..., key: _Optional[str] = ..., what: _Optional[str] = ..., why: _Optional[str] = ..., is_mended: _Optional[bool] = ...) -> None: ...
    RUNNING_FIELD_NUMBER: _ClassVar[int]
    PARTITIONS_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    OCTETS_FIELD_NUMBER: _ClassVar[int]
    DIFFERENCES_FIELD_NUMBER: _ClassVar[int]
    MENDED_FIELD_NUMBER: _ClassVar[int]
    NOT_COMPARED_FIELD_NUMBER: _ClassVar[int]
    TOLD_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    running: bool
    partitions: int
    rows: int
    octets: int
    differences: int
    mended: int
    not_compared: int
    told: _containers.RepeatedCompositeFieldContainer[VerifyAnswer.Difference]
    failures: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, running: _Optional[bool] = ..., partitions: _Optional[int] = ..., rows: _Optional[int] = ..., octets: _Optional[int] = ..., differences: _Optional[int] = ..., mended: _Optional[int] = ..., not_compared: _Optional[int] = ..., told: _Optional[_Iterable[_Union[VerifyAnswer.Difference, _Mapping]]] = ..., failures: _Optional[_Iterable[str]] = ...) -> None: ...
