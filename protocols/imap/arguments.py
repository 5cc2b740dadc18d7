"""The arguments of each command (RFC 9051 §9), read into its event.

The cursor stands behind the command's name: each function is a production less that name.
"""

from __future__ import annotations

from protocols.fault import Fault
from protocols.imap import attributes, event, keys, parameters
from protocols.imap.capability import COMPRESS, REV2
from protocols.imap.event import LiteralKind, StoreMode
from protocols.imap.fetch import Attribute
from protocols.imap.grammar import Grammar
from protocols.imap.search import Return

SELECTION_OPTIONS = frozenset({"SUBSCRIBED", "REMOTE", "RECURSIVEMATCH", "SPECIAL-USE"})
RETURN_OPTIONS = frozenset({"SUBSCRIBED", "CHILDREN", "SPECIAL-USE"})
STATUS_ITEMS = frozenset(
    {"MESSAGES", "RECENT", "UIDNEXT", "UIDVALIDITY", "UNSEEN", "DELETED", "SIZE"}
    | {"APPENDLIMIT", "DELETED-STORAGE", "HIGHESTMODSEQ", "MAILBOXID"}
)
SPECIAL_USES = {
    u.lower(): u for u in ("\\All", "\\Archive", "\\Drafts", "\\Flagged", "\\Junk", "\\Sent", "\\Trash")
}


# ---- any state -----------------------------------------------------------------------------------------


def capability(g: Grammar) -> event.Capability:
    return event.Capability()


def enable(g: Grammar) -> event.Enable:
    """enable = 1*(SP capability), RFC 5161 §4"""
    g.sp()
    names = [g.atom()]
    while g.skip_sp():
        names.append(g.atom())
    return event.Enable(tuple(dict.fromkeys(n.decode().upper() for n in names)))


def noop(g: Grammar) -> event.Noop:
    return event.Noop()


def logout(g: Grammar) -> event.Logout:
    return event.Logout()


def identify(g: Grammar) -> event.Id:
    """id = SP "(" [string SP nstring *(SP string SP nstring)] ")" / SP nil, RFC 2971 §4"""
    g.sp()
    if g.peek() != b"(":
        if g.nstring() is not None:
            raise g.fault("a list")
        return event.Id(())
    words = g.listed(g.nstring)
    if len(words) % 2:
        raise g.fault("a value for each field")
    said = [g.text(word or b"") for word in words]
    return event.Id(tuple(zip(said[::2], said[1::2], strict=True)))


# ---- not authenticated ---------------------------------------------------------------------------------


def start_tls(g: Grammar) -> event.StartTls:
    return event.StartTls()


def login(g: Grammar) -> event.Login:
    """login = SP userid SP password"""
    g.sp()
    user = g.text(g.astring())
    g.sp()
    return event.Login(user, g.text(g.astring()))


def authenticate(g: Grammar) -> event.Authenticate:
    """authenticate = SP auth-type [SP (base64 / "=")], RFC 4959 §7"""
    g.sp()
    mechanism = g.atom().decode().upper()
    if not g.skip_sp():
        return event.Authenticate(mechanism, None)
    return event.Authenticate(mechanism, b"" if g.skip(b"=") else g.base64())


# ---- authenticated -------------------------------------------------------------------------------------


def compress(g: Grammar) -> event.Compress:
    """compress = SP algorithm, RFC 4978 §5"""
    g.sp()
    if g.atom().upper() != b"DEFLATE":
        raise Fault("BAD", "DEFLATE is the one mechanism")
    if COMPRESS in g.enabled:
        raise Fault("BAD [COMPRESSIONACTIVE]", "DEFLATE is active already")
    return event.Compress()


def _mailbox(g: Grammar) -> str:
    """SP mailbox"""
    g.sp()
    return g.mailbox()


def select(g: Grammar) -> event.Select:
    return event.Select(_mailbox(g), False, *parameters.parameters(g), spelled=g.spelled)


def examine(g: Grammar) -> event.Select:
    return event.Select(_mailbox(g), True, *parameters.parameters(g), spelled=g.spelled)


def create(g: Grammar) -> event.Create:
    """create = SP mailbox [SP "(" "USE" SP "(" [use-attr *(SP use-attr)] ")" ")"], RFC 6154 §6"""
    name = _mailbox(g).removesuffix("/")
    if not name:
        raise Fault("NO [CANNOT]", "A mailbox must have a name")
    if not g.skip_sp():
        return event.Create(name, spelled=g.spelled)
    g.open()
    if g.word("USE") != "USE":
        raise g.fault("USE")
    g.sp()
    uses = g.listed(lambda: _special_use(g))
    g.close()
    return event.Create(name, tuple(dict.fromkeys(uses)), g.spelled)


def _special_use(g: Grammar) -> str:
    if not g.skip(b"\\"):
        raise g.fault("a special use")
    use = SPECIAL_USES.get("\\" + g.atom().decode().lower())
    if use is None:
        raise Fault("NO [USEATTR]", "No such special use")
    return use


def delete(g: Grammar) -> event.Delete:
    return event.Delete(_mailbox(g), g.spelled)


def rename(g: Grammar) -> event.Rename:
    """rename = SP mailbox SP mailbox"""
    name = _mailbox(g)
    spelled = g.spelled
    new_name = _mailbox(g).removesuffix("/")
    if not new_name:
        raise Fault("NO [CANNOT]", "A mailbox must have a name")
    return event.Rename(name, new_name, spelled)


def subscribe(g: Grammar) -> event.Subscribe:
    return event.Subscribe(_mailbox(g))


def unsubscribe(g: Grammar) -> event.Unsubscribe:
    return event.Unsubscribe(_mailbox(g))


def list_(g: Grammar) -> event.List:
    """list = [SP list-select-opts] SP mailbox SP mbox-or-pat [SP list-return-opts], RFC 5258 §6"""
    g.sp()
    has_options = g.peek() == b"("
    select: frozenset[str] = frozenset()
    if has_options:
        select = _selection_options(g)
        g.sp()
    reference = g.mailbox()
    g.sp()
    several = g.peek() == b"("
    patterns = tuple(g.listed(g.list_mailbox)) if several else (g.list_mailbox(),)
    if not 0 < len(patterns) <= g.limits.list_patterns_max:
        raise Fault("BAD", "No patterns, or too many")
    if g.skip_sp():
        return event.List(reference, patterns, select, *_list_returns(g), extended=True)
    return event.List(reference, patterns, select, extended=has_options or several)


def _selection_options(g: Grammar) -> frozenset[str]:
    """list-select-opts; RECURSIVEMATCH needs one beside it that is not REMOTE (RFC 5258 §3)."""
    options = frozenset(g.listed(lambda: g.word("a selection option")))
    if not options <= SELECTION_OPTIONS:
        raise g.fault("a selection option that is known")
    if "RECURSIVEMATCH" in options and options <= {"RECURSIVEMATCH", "REMOTE"}:
        raise Fault("BAD", "RECURSIVEMATCH needs another selection option")
    return options


def _list_returns(g: Grammar) -> tuple[frozenset[str], tuple[str, ...]]:
    """list-return-opts = "RETURN" SP "(" [return-option *(SP return-option)] ")" """
    if g.word("RETURN") != "RETURN":
        raise g.fault("RETURN")
    g.sp()
    status: list[str] = []

    def option() -> str:
        word = g.word("a return option")
        if word == "STATUS":
            g.sp()
            status.extend(_status_items(g))
        elif word not in RETURN_OPTIONS:
            raise g.fault("a return option")
        return word

    options = frozenset(g.listed(option))
    return options - {"STATUS"}, tuple(dict.fromkeys(status))


def _status_items(g: Grammar) -> tuple[str, ...]:
    """ "(" status-att *(SP status-att) ")" """
    items = tuple(dict.fromkeys(g.listed(lambda: g.word("a status item"))))
    if not items or not STATUS_ITEMS.issuperset(items):
        raise g.fault("status items")
    return items


def lsub(g: Grammar) -> event.Lsub:
    """lsub = SP mailbox SP list-mailbox, RFC 3501 §9"""
    reference = _mailbox(g)
    g.sp()
    return event.Lsub(reference, g.list_mailbox())


def namespace(g: Grammar) -> event.Namespace:
    return event.Namespace()


def status(g: Grammar) -> event.Status:
    """status = SP mailbox SP "(" status-att *(SP status-att) ")" """
    name = _mailbox(g)
    g.sp()
    return event.Status(name, _status_items(g))


def get_quota(g: Grammar) -> event.GetQuota:
    """getquota = SP quota-root-name, RFC 9208 §7"""
    g.sp()
    return event.GetQuota(g.text(g.astring()))


def get_quota_root(g: Grammar) -> event.GetQuotaRoot:
    """getquotaroot = SP mailbox, RFC 9208 §7"""
    return event.GetQuotaRoot(_mailbox(g))


def append_without_message(g: Grammar) -> event.Append:
    """APPEND is read when its literal is announced: as a whole command it has none."""
    raise g.fault("a message as a literal")


def append(g: Grammar, size: int, kind: LiteralKind) -> event.Append:
    """append = SP mailbox append-message, RFC 9051 §9; the octets end before the literal."""
    name = _mailbox(g)
    flags, date, utf8 = _message(g, kind)
    return event.Append(name, flags, date, size, kind, utf8, g.enabled)


def next_message(g: Grammar, first: event.Append, size: int, kind: LiteralKind) -> event.NextMessage:
    """append-message, one more (RFC 3502 §7)."""
    flags, date, utf8 = _message(g, kind)
    return event.NextMessage(first, flags, date, size, kind, utf8)


def _message(g: Grammar, kind: LiteralKind) -> tuple[tuple[str, ...], int | None, bool]:
    """append-message = [SP flag-list] [SP date-time] SP (literal / "UTF8" SP "(" literal8 ")")"""
    g.sp()
    flags: tuple[str, ...] = ()
    date = None
    if g.peek() == b"(":
        flags = g.flag_list()
        g.sp()
    if g.peek() == b'"':
        date = g.date_time()
        g.sp()
    utf8 = not g.ended
    if utf8:
        _utf8_data(g, kind)
    return flags, date, utf8


def _utf8_data(g: Grammar, kind: LiteralKind) -> None:
    """ "UTF8" SP "(", RFC 6855 §4"""
    if g.word("flags, a date or a literal") != "UTF8":
        raise g.fault("flags, a date or a literal")
    g.sp()
    g.open()
    if not g.ended or kind is not LiteralKind.LITERAL8:
        raise g.fault("a literal8")
    if "UTF8=ACCEPT" not in g.enabled:
        raise Fault("NO [CANNOT]", "ENABLE UTF8=ACCEPT comes first")


def idle(g: Grammar) -> event.Idle:
    return event.Idle()


# ---- selected ------------------------------------------------------------------------------------------


def close(g: Grammar) -> event.Close:
    return event.Close()


def unselect(g: Grammar) -> event.Unselect:
    return event.Unselect()


def expunge(g: Grammar) -> event.Expunge:
    """expunge = "" / UID: SP sequence-set"""
    if not g.by_uid:
        return event.Expunge(None)
    g.sp()
    return event.Expunge(g.sequence_set())


def search(g: Grammar) -> event.Search:
    """search = [search-return-opts] SP search-program; IMAP4rev2 has ESEARCH alone (RFC 9051 §6.4.4)"""
    returns = keys.returns(g) or (Return.ALL if REV2 in g.enabled else None)
    return event.Search(g.tag, keys.program(g), g.by_uid, returns)


def fetch(g: Grammar) -> event.Fetch:
    """fetch = SP sequence-set SP fetch-atts [SP "(" "CHANGEDSINCE" SP number [SP "VANISHED"] ")"]

    RFC 7162 §7 has no CHANGEDSINCE 0, but a client may know of no mod-sequence yet: all have changed since.
    """
    g.sp()
    numbers = g.sequence_set()
    g.sp()
    plan = attributes.plan(g)
    if g.by_uid:
        plan = plan.with_uid()
    if not g.skip_sp():
        return event.Fetch(numbers, plan, g.by_uid)
    g.open()
    since = _modifier(g, "CHANGEDSINCE")
    vanished = g.skip_sp()
    if vanished and (g.word("VANISHED") != "VANISHED" or not g.by_uid):
        raise g.fault("VANISHED, in UID FETCH")
    g.close()
    return event.Fetch(numbers, plan.adding(Attribute.MODSEQ), g.by_uid, since, vanished)


def _modifier(g: Grammar, name: str) -> int:
    """name SP mod-sequence-valzer"""
    if g.word(name) != name:
        raise g.fault(name)
    g.sp()
    return g.number()


def store(g: Grammar) -> event.Store:
    """store = SP sequence-set SP [store-modifiers SP] store-att-flags, RFC 4466 §2.5, RFC 9051 §9"""
    g.sp()
    numbers = g.sequence_set()
    g.sp()
    unchanged_since = -1
    if g.skip(b"("):
        unchanged_since = _modifier(g, "UNCHANGEDSINCE")
        g.close()
        g.sp()
    mode, silent = _store_mode(g)
    g.sp()
    return event.Store(numbers, g.by_uid, mode, g.store_flags(), silent, unchanged_since)


def _store_mode(g: Grammar) -> tuple[StoreMode, bool]:
    """["+" / "-"] "FLAGS" [".SILENT"]"""
    sign = "+" if g.skip(b"+") else "-" if g.skip(b"-") else ""
    word = g.word("FLAGS")
    if word not in ("FLAGS", "FLAGS.SILENT"):
        raise g.fault("FLAGS or FLAGS.SILENT")
    return StoreMode(f"{sign}FLAGS"), word == "FLAGS.SILENT"


def copy(g: Grammar) -> event.Copy:
    """copy = SP sequence-set SP mailbox"""
    g.sp()
    numbers = g.sequence_set()
    return event.Copy(numbers, g.by_uid, _mailbox(g))


def move(g: Grammar) -> event.Move:
    """move = SP sequence-set SP mailbox"""
    g.sp()
    numbers = g.sequence_set()
    return event.Move(numbers, g.by_uid, _mailbox(g))
