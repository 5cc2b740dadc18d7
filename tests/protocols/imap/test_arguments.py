"""What a command means: octets and the value that is made of them, or the answer that they get."""

import pytest

from protocols.fault import Fault
from protocols.imap import arguments, command, event
from protocols.imap.command import COMMANDS
from protocols.imap.event import Asked, LiteralKind, StoreMode
from protocols.imap.fetch import Attribute, Binary, BinarySize, Item, Of, Plan, Section
from protocols.imap.grammar import Grammar
from protocols.imap.head import head
from protocols.imap.search import Key, Op, Return
from protocols.imap.sequence import STAR, SequenceSet
from tests.protocols.imap.peer import LIMITS


def asked(octets: bytes) -> Asked:
    found = head(b"t " + octets)
    grammar = Grammar(b"t " + octets, found.at, LIMITS, found.tag, found.by_uid)
    value = COMMANDS[found.name].arguments(grammar)
    grammar.end()
    return value


def numbers(*ranges: tuple[int, int]) -> SequenceSet:
    return SequenceSet(ranges)


def section(label: bytes, **values: object) -> Section:
    default = {"path": (), "of": Of.ALL, "fields": frozenset(), "start": 0, "count": 0, "peek": False}
    return Section(**{**default, **values}, label=label)  # type: ignore[arg-type]


ONE = numbers((1, 1))
OBJECTS = (Attribute.MODSEQ, Attribute.EMAILID, Attribute.THREADID, Attribute.SAVEDATE)
NEW_STATUS = ("HIGHESTMODSEQ", "DELETED-STORAGE", "MAILBOXID", "APPENDLIMIT", "SIZE")
STATUS = ("MESSAGES", "RECENT", "UIDNEXT", "UIDVALIDITY", "UNSEEN", "DELETED", "SIZE")
FLAGS, DATE, SIZE = Attribute.FLAGS, Attribute.INTERNALDATE, Attribute.SIZE

_SPECIAL = frozenset({"SPECIAL-USE", "REMOTE"})

COMMANDS_AND_VALUES = [
    (b"CAPABILITY", event.Capability()),
    (b"noop  ", event.Noop()),
    (b"ENABLE condstore X-b CONDSTORE", event.Enable(("CONDSTORE", "X-B"))),
    (b"ID NIL", event.Id(())),
    (b"ID ()", event.Id(())),
    (b'ID ("name" "a\\"b" "version" nil)', event.Id((("name", 'a"b'), ("version", "")))),
    (b"LOGIN joe pa]ss", event.Login("joe", "pa]ss")),
    (b'LOGIN "joe" ""', event.Login("joe", "")),
    (b'LOGIN joe "\xc3\xa9"', event.Login("joe", "é")),
    (b'LOGIN joe "\xe9"', event.Login("joe", "é")),
    (b"LOGIN  joe   {5}\r\na b\r\n", event.Login("joe", "a b\r\n")),
    (b"AUTHENTICATE plain", event.Authenticate("PLAIN", None)),
    (b"AUTHENTICATE PLAIN =", event.Authenticate("PLAIN", b"")),
    (b"AUTHENTICATE PLAIN AGEAYg==", event.Authenticate("PLAIN", b"\0a\0b")),
    (b"COMPRESS deflate", event.Compress()),
    (b"SELECT inbox", event.Select("INBOX", False, spelled="inbox")),
    (b'EXAMINE "InBox/a b"', event.Select("INBOX/a b", True, spelled="InBox/a b")),
    (b"SELECT inboxes", event.Select("inboxes", False)),
    (b"SELECT &AOk-t&AOk-", event.Select("été", False)),
    (b"SELECT a&-b", event.Select("a&b", False)),
    (b'SELECT "\xc3\xa9t\xc3\xa9"', event.Select("été", False)),
    (b"SELECT {3+}\r\na]b", event.Select("a]b", False)),
    (b"CREATE a/b/", event.Create("a/b")),
    (b"CREATE a (USE (\\sent \\Archive))", event.Create("a", ("\\Sent", "\\Archive"))),
    (b"CREATE a (USE ())", event.Create("a")),
    (b"DELETE nil", event.Delete("nil")),
    (b"RENAME inbox b/", event.Rename("INBOX", "b", "inbox")),
    (b"SUBSCRIBE a", event.Subscribe("a")),
    (b"UNSUBSCRIBE a", event.Unsubscribe("a")),
    (b'LIST "" %', event.List("", ("%",))),
    (b"LIST a &'*", event.List("a", ("\0",))),
    (b"LIST a/ b*c", event.List("a/", ("b*c",))),
    (b'LIST "" ("INBOX" a% &AOk-*)', event.List("", ("INBOX", "a%", "é*"), extended=True)),
    (b'LIST "" (&AOk-* "e\xcc\x81")', event.List("", ("é*", "é"), extended=True)),
    (
        b'LIST (SUBSCRIBED RECURSIVEMATCH) "" * RETURN (children STATUS (MESSAGES unseen) SUBSCRIBED)',
        event.List(
            "",
            ("*",),
            frozenset({"SUBSCRIBED", "RECURSIVEMATCH"}),
            frozenset({"CHILDREN", "SUBSCRIBED"}),
            ("MESSAGES", "UNSEEN"),
            extended=True,
        ),
    ),
    (b'LIST (special-use remote) "" *', event.List("", ("*",), _SPECIAL, extended=True)),
    (b'LIST () "" * RETURN ()', event.List("", ("*",), extended=True)),
    (b'LSUB "" "*"', event.Lsub("", "*")),
    (b"NAMESPACE", event.Namespace()),
    (b'GETQUOTA ""', event.GetQuota("")),
    (b'GETQUOTA "User quota"', event.GetQuota("User quota")),
    (b"GETQUOTAROOT inbox", event.GetQuotaRoot("INBOX")),
    (b"STATUS a (%b)" % " ".join(STATUS).lower().encode(), event.Status("a", STATUS)),
    (b"STATUS a ( MESSAGES MESSAGES )", event.Status("a", ("MESSAGES",))),
    (b"IDLE", event.Idle()),
    (b"CHECK", event.Noop()),
    (b"CLOSE", event.Close()),
    (b"UNSELECT", event.Unselect()),
    (b"EXPUNGE", event.Expunge(None)),
    (b"uid EXPUNGE 4:*", event.Expunge(numbers((4, STAR)))),
    (b"COPY 1,3:2,* a", event.Copy(numbers((1, 1), (3, 2), (STAR, STAR)), False, "a")),
    (b"UID MOVE 1 a", event.Move(ONE, True, "a")),
    (
        b"STORE 1 FLAGS (\\seen a \\SEEN A)",
        event.Store(ONE, False, StoreMode.REPLACE, ("\\Seen", "a"), False),
    ),
    (b"STORE 1 +FLAGS.SILENT \\Deleted b", event.Store(ONE, False, StoreMode.ADD, ("\\Deleted", "b"), True)),
    (b"UID STORE 1 -flags ()", event.Store(ONE, True, StoreMode.REMOVE, (), False)),
    (b"STORE 1 +FLAGS (\\Recent \\Draft)", event.Store(ONE, False, StoreMode.ADD, ("\\Draft",), False)),
]

ATTRIBUTES: list[tuple[bytes, tuple[Item, ...]]] = [
    (b"FAST", (FLAGS, DATE, SIZE)),
    (b"all", (FLAGS, DATE, SIZE, Attribute.ENVELOPE)),
    (b"FULL", (FLAGS, DATE, SIZE, Attribute.ENVELOPE, Attribute.BODY)),
    (b"flags", (FLAGS,)),
    (b"(FLAGS UID flags)", (FLAGS, Attribute.UID)),
    (b"( RFC822.SIZE  BODYSTRUCTURE )", (SIZE, Attribute.BODYSTRUCTURE)),
    (b"BODY", (Attribute.BODY,)),
    (b"RFC822", (section(b"RFC822"),)),
    (b"RFC822.HEADER", (section(b"RFC822.HEADER", of=Of.HEADER, peek=True),)),
    (b"RFC822.TEXT", (section(b"RFC822.TEXT", of=Of.TEXT),)),
    (b"BODY[]", (section(b"BODY[]"),)),
    (b"body.peek[]<10.20>", (section(b"BODY[]<10>", start=10, count=20, peek=True),)),
    (b"BODY[]<0.99999999999>", (section(b"BODY[]<0>", count=0xFFFFFFFF),)),
    (b"BODY[header]", (section(b"BODY[HEADER]", of=Of.HEADER),)),
    (b"BODY[1]", (section(b"BODY[1]", path=(1,)),)),
    (b"BODY[1.2.mime]", (section(b"BODY[1.2.MIME]", path=(1, 2), of=Of.MIME),)),
    (b"BODY[3.TEXT]", (section(b"BODY[3.TEXT]", path=(3,), of=Of.TEXT),)),
    (
        b'BODY.PEEK[HEADER.FIELDS (From "X Y" {2}\r\nTo)]',
        (
            section(
                b'BODY[HEADER.FIELDS (From "X Y" To)]',
                of=Of.FIELDS,
                fields=frozenset({b"from", b"x y", b"to"}),
                peek=True,
            ),
        ),
    ),
    (
        b"BODY[2.HEADER.FIELDS.NOT (DKIM-Signature)]",
        (
            section(
                b"BODY[2.HEADER.FIELDS.NOT (DKIM-Signature)]",
                path=(2,),
                of=Of.FIELDS_NOT,
                fields=frozenset({b"dkim-signature"}),
            ),
        ),
    ),
]


def flag(name: str) -> Key:
    return Key(Op.FLAG, text=name)


def no(key: Key) -> Key:
    return Key(Op.NOT, (key,))


SEEN, RECENT = flag("\\Seen"), Key(Op.RECENT)
NOTHING = Key(Op.NOT, (Key(Op.ALL),))
MODSEQS = Key(Op.OR, (Key(Op.MODSEQ, number=620162338), Key(Op.MODSEQ, number=0)))
KEYS = [
    (b"ALL", Key(Op.ALL)),
    (b"answered", flag("\\Answered")),
    (b"UNDRAFT", no(flag("\\Draft"))),
    (b"NEW", Key(Op.AND, (RECENT, no(SEEN)))),
    (b"OLD", no(RECENT)),
    (b"SEEN UNFLAGGED", Key(Op.AND, (SEEN, no(flag("\\Flagged"))))),
    (b"1:3,*", Key(Op.NUMBERS, numbers=numbers((1, 3), (STAR, STAR)))),
    (b"UID 5", Key(Op.UIDS, numbers=numbers((5, 5)))),
    (b"KEYWORD $Junk", Key(Op.KEYWORD, text="$Junk")),
    (b"UNKEYWORD x", no(Key(Op.KEYWORD, text="x"))),
    (b"FROM joe", Key(Op.HEADER, text="joe", field="from")),
    (b'SUBJECT ""', Key(Op.HEADER, text="", field="subject")),
    (b'HEADER Message-ID "<a@b>"', Key(Op.HEADER, text="<a@b>", field="message-id")),
    (b"BODY {3+}\r\na b", Key(Op.BODY, text="a b")),
    (b'TEXT "\xc3\xa9"', Key(Op.TEXT, text="é")),
    (b'CHARSET ISO-8859-1 TEXT "\xe9"', Key(Op.TEXT, text="é")),
    (b'CHARSET "utf-8" TO "\xc3\xa9"', Key(Op.HEADER, text="é", field="to")),
    (b'CHARSET ISO-2022-JP BODY {8}\r\n\x1b$B$"\x1b(B', Key(Op.BODY, text="あ")),
    (b"LARGER 9999999999", Key(Op.LARGER, number=9999999999)),
    (b"SMALLER 0", Key(Op.SMALLER, number=0)),
    (b"SINCE 1-Jan-1970", Key(Op.SINCE, number=0)),
    (b'BEFORE "31-dec-1969"', Key(Op.BEFORE, number=-1)),
    (b"ON 02-Feb-2000", Key(Op.ON, number=10989)),
    (b"SENTSINCE 1-Mar-2000", Key(Op.SENTSINCE, number=11017)),
    (b"NOT NOT SEEN", no(no(SEEN))),
    (b"OR SEEN (RECENT ALL)", Key(Op.OR, (SEEN, Key(Op.AND, (RECENT, Key(Op.ALL)))))),
    (b"(SEEN)", SEEN),
    (b"MODSEQ 9", Key(Op.MODSEQ, number=9)),
    (b'OR MODSEQ "/flags/\\\\draft" all 620162338 MODSEQ 0', MODSEQS),
    (b"EMAILID E000000000000002a", Key(Op.EMAIL, number=42)),
    (b"THREADID T000000000000002a", Key(Op.THREAD, number=42)),
    (b"THREADID E000000000000002a", NOTHING),
    (b"EMAILID other", NOTHING),
    (b"SAVEDBEFORE 2-Jan-1970", Key(Op.SAVEDBEFORE, number=1)),
    (b"SAVEDON 2-Jan-1970", Key(Op.SAVEDON, number=1)),
    (b'SAVEDSINCE "2-Jan-1970"', Key(Op.SAVEDSINCE, number=1)),
    (b"SAVEDATESUPPORTED", Key(Op.ALL)),
    (b"OLDER 60", Key(Op.OLDER, number=60)),
    (b"YOUNGER 0 OLDER 0", Key(Op.AND, (no(Key(Op.ALL)), Key(Op.ALL)))),
    (b"NOT YOUNGER 4294967295", no(Key(Op.YOUNGER, number=4294967295))),
]

FETCHES = [(b"FETCH 1 " + octets, event.Fetch(ONE, Plan(items), False)) for octets, items in ATTRIBUTES]
SEARCHES = [(b"SEARCH " + octets, event.Search(b"t", key, False, None)) for octets, key in KEYS]
WHOLE = Binary((), 0, 0, False, b"BINARY[]")
PEEKED = Binary((1, 2), 3, 4, True, b"BINARY[1.2]<3>")
SIZED = BinarySize((7,), b"BINARY.SIZE[7]")
PREVIEW = Plan((Attribute.PREVIEW, Attribute.MODSEQ))
SINCE = Plan((Attribute.UID, FLAGS, Attribute.MODSEQ))
OTHERS = [
    (b"SELECT a (CONDSTORE)", event.Select("a", False, True)),
    (b"EXAMINE a (condstore CONDSTORE)", event.Select("a", True, True)),
    (b"UID FETCH 1 FLAGS (CHANGEDSINCE 7)", event.Fetch(ONE, SINCE, True, 7)),
    (b"FETCH 1 (MODSEQ EMAILID THREADID SAVEDATE)", event.Fetch(ONE, Plan(OBJECTS), False)),
    (b"STORE 1 (UNCHANGEDSINCE 0) FLAGS a", event.Store(ONE, False, StoreMode.REPLACE, ("a",), False, 0)),
    (
        b"STORE 1 (unchangedsince 9223372036854775807) +FLAGS.SILENT ()",
        event.Store(ONE, False, StoreMode.ADD, (), True, 9223372036854775807),
    ),
    (b"FETCH 1 (PREVIEW (lazy) FLAGS)", event.Fetch(ONE, Plan((Attribute.PREVIEW, FLAGS)), False)),
    (b"FETCH 1 binary[]", event.Fetch(ONE, Plan((WHOLE,)), False)),
    (b"FETCH 1 (Binary.Peek[1.2]<3.4> BINARY.size[7])", event.Fetch(ONE, Plan((PEEKED, SIZED)), False)),
    (b"FETCH 1 PREVIEW (LAZY)", event.Fetch(ONE, Plan((Attribute.PREVIEW,)), False)),
    (b"FETCH 1 PREVIEW (LAZY) (CHANGEDSINCE 1)", event.Fetch(ONE, PREVIEW, False, 1)),
    (b"STATUS a (HIGHESTMODSEQ DELETED-STORAGE MAILBOXID APPENDLIMIT SIZE)", event.Status("a", NEW_STATUS)),
    (b"UID FETCH 1 FLAGS", event.Fetch(ONE, Plan((Attribute.UID, FLAGS)), True)),
    (b"UID FETCH 1 (FLAGS UID)", event.Fetch(ONE, Plan((FLAGS, Attribute.UID)), True)),
    (b"SEARCH RETURN (MIN max) SEEN", event.Search(b"t", SEEN, False, Return.MIN | Return.MAX)),
    (b"UID SEARCH RETURN () CHARSET utf-8 SEEN", event.Search(b"t", SEEN, True, Return.ALL)),
]


@pytest.mark.parametrize(("octets", "value"), COMMANDS_AND_VALUES + FETCHES + SEARCHES + OTHERS)
def test_a_command_means_a_value(octets: bytes, value: Asked) -> None:
    assert asked(octets) == value


def test_every_command_of_the_table_is_among_the_cases() -> None:
    cases = COMMANDS_AND_VALUES + FETCHES + SEARCHES
    names = {head(b"t " + octets).name for octets, _ in cases}
    assert names == set(COMMANDS) - {"APPEND", "STARTTLS", "LOGOUT"}


FAULTS = [
    (b"SELECT &AOk", "NO [CANNOT]"),
    (b'SELECT "\xff"', "NO [CANNOT]"),
    (b"SELECT {3}\r\na\r\n", "NO [CANNOT]"),
    (b'SELECT "a\x01"', "NO [CANNOT]"),
    (b"SELECT {3}\r\na\0b", "BAD"),
    (b"SELECT {9}\r\nab", "BAD"),
    (b'SELECT "a\\b"', "BAD"),
    (b"CREATE /", "NO [CANNOT]"),
    (b"RENAME a /", "NO [CANNOT]"),
    (b"CREATE a (USE (\\Secret))", "NO [USEATTR]"),
    (b"CREATE a (USE (Sent))", "BAD"),
    (b"SEARCH CHARSET zlib ALL", "NO [BADCHARSET (US-ASCII UTF-8)]"),
    (b"SEARCH CHARSET punycode ALL", "NO [BADCHARSET (US-ASCII UTF-8)]"),
    (b'SEARCH CHARSET "" ALL', "NO [BADCHARSET (US-ASCII UTF-8)]"),
    (b"SEARCH CHARSET utf-8 TEXT {1}\r\n\xff", "BAD"),
    (b"SEARCH CHARSET utf-7 TEXT +2AA-", "BAD"),
    (b"SEARCH " + b"ALL " * 20 + b"ALL", "NO [LIMIT]"),
    (b"SEARCH ()", "BAD"),
    (b"SEARCH RETURN (EVERY) ALL", "BAD"),
    (b"SEARCH (SEEN)(SEEN)", "BAD"),
    (b"SEARCH (SEENALL)", "BAD"),
    (b"FETCH 1 (FLAGS(UID))", "BAD"),
    (b"FETCH 1 (ALL)", "BAD"),
    (b"FETCH 1 BODY[1.]", "BAD"),
    (b"FETCH 1 BODY[1HEADER]", "BAD"),
    (b"FETCH 1 BODY[HEADER.FIELDS ()]", "BAD"),
    (b'FETCH 1 BODY[HEADER.FIELDS ("")]', "BAD"),
    (b"FETCH 1 BODY[" + b"1." * 11 + b"1]", "BAD"),
    (b"FETCH 1 BODY[]<0.0>", "BAD"),
    (b"FETCH 1, FLAGS", "BAD"),
    (b"STORE 1 +FLAGS (\\Nonsense)", "BAD"),
    (b"STORE 1 +FLAGS " + b"k" * 31, "NO [LIMIT]"),
    (b"SELECT a (QRESYNC)", "BAD"),
    (b"SELECT a ()", "BAD"),
    (b"FETCH 1 FLAGS (SINCE 1)", "BAD"),
    (b"FETCH 1 (PREVIEW (EAGER))", "BAD"),
    (b"FETCH 1 BINARY.SIZE", "BAD"),
    (b"FETCH 1 BINARY[TEXT]", "BAD"),
    (b"COMPRESS LZW", "BAD"),
    (b"FETCH 1 FLAGS (CHANGEDSINCE 9223372036854775808)", "BAD"),
    (b"STORE 1 (UNCHANGEDSINCE) FLAGS a", "BAD"),
    (b"STORE 1 (UNCHANGEDSINCE -1) FLAGS a", "BAD"),
    (b'SEARCH MODSEQ "/flags/x" some 1', "BAD"),
    (b"SEARCH MODSEQ", "BAD"),
    (b"SEARCH OLDER 4294967296", "BAD"),
    (b"STORE 1 +FLAGS.LOUD (a)", "BAD"),
    (b"STORE 1 +FLAGS (a b", "BAD"),
    (b"STORE 1 +FLAGS", "BAD"),
    (b"ID (a b)", "BAD"),
    (b'ID ("a")', "BAD"),
    (b'ID "a"', "BAD"),
    (b"AUTHENTICATE PLAIN a===", "BAD"),
    (b"STATUS a (NOTHING)", "BAD"),
    (b'LIST "" ()', "BAD"),
    (b'LIST "" (a a a a a a)', "BAD"),
    (b'LIST (EVERYTHING) "" *', "BAD"),
    (b'LIST "" * RETURN (STATUS)', "BAD"),
    (b"APPEND a", "BAD"),
    (b"ENABLE", "BAD"),
]


@pytest.mark.parametrize(("octets", "code"), FAULTS)
def test_what_is_wrong_has_its_answer(octets: bytes, code: str) -> None:
    with pytest.raises(Fault) as caught:
        asked(octets)
    assert caught.value.code == code
    assert caught.value.text.isascii() and caught.value.text.isprintable()


APPENDS = [
    (b"APPEND inbox ", ("INBOX", (), None)),
    (b"APPEND a (\\seen) ", ("a", ("\\Seen",), None)),
    (b'APPEND a (b) "01-Jan-1970 01:00:00 +0100" ', ("a", ("b",), 0)),
    (b'APPEND a " 1-Jan-1970 00:00:10 -0000" ', ("a", (), 10)),
    (b'APPEND {1}\r\na "31-Dec-1969 23:59:59 +0000" ', ("a", (), 0)),
]


@pytest.mark.parametrize(("octets", "value"), APPENDS)
def test_an_append_is_read_up_to_its_message(
    octets: bytes, value: tuple[str, tuple[str, ...], int | None]
) -> None:
    grammar = Grammar(octets, len(b"APPEND"), LIMITS, b"t", by_uid=False)
    append = arguments.append(grammar, 7, LiteralKind.LITERAL8)
    assert (append.mailbox, append.flags, append.internal_date) == value
    assert (append.size, append.kind) == (7, LiteralKind.LITERAL8)


def test_expunge_is_withheld_from_what_uses_sequence_numbers() -> None:
    withheld = [b"FETCH 1 UID", b"STORE 1 FLAGS ()", b"SEARCH ALL"]
    told = [b"UID FETCH 1 UID", b"UID STORE 1 FLAGS ()", b"UID SEARCH ALL", b"COPY 1 a", b"MOVE 1 a", b"NOOP"]
    assert [command.withholds_expunge(asked(o)) for o in withheld] == [True] * 3  # type: ignore[arg-type]
    assert [command.withholds_expunge(asked(o)) for o in told] == [False] * 6  # type: ignore[arg-type]
