"""A search key finds what RFC 9051 §6.4.4 says, reading as little as it can."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from mailnode.mailbox.needle import Needle, pieces, sent_day
from mailnode.mailbox.rows import DELETED, ENTRY, FLAGGED, KEYWORD_BIT_FIRST, OVERFLOW, SEEN
from mailnode.mailbox.search import needs, stages
from mailnode.mailbox.verbs import Messages, Want
from mailnode.pb.account_pb2 import SearchKey
from mailnode.pb.change_pb2 import UidRange
from mailnode.pb.row_pb2 import Keywords, MailboxRow, MailRow, Part

DAY = 86_400
ROW = MailboxRow(mailbox=1, keywords=["$Junk", "", *(f"k{n}" for n in range(2, 58))])
EVERYTHING = Want.ENTRIES | Want.MAILS | Want.HEADS | Want.OCTETS


@dataclass(frozen=True)
class Message:
    uid: int
    flags: int = 0
    size: int = 0
    received: int = 0
    modified: int = 0
    head: bytes = b"\r\n"
    body: bytes = b""
    encoding: str = "7bit"
    charset: str = ""
    overflow: tuple[str, ...] = ()

    def entry(self) -> bytes:
        return ENTRY.pack(
            self.uid + 1000, 1, self.modified, self.flags, 0, self.size, self.received, self.uid
        )

    def part(self) -> Part:
        start, end = len(self.head), len(self.head) + len(self.body)
        return Part(
            header=0, body=start, end=end, type="text/plain", encoding=self.encoding, charset=self.charset
        )


def run_of(messages: Sequence[Message], want: Want = EVERYTHING) -> Messages:
    """A run as the account gives it; UIDs of later messages stand in the shared array behind it."""
    return Messages(
        position=9,
        uids=array("I", [*(m.uid for m in messages), 4_000_000, 4_000_001]),
        count=len(messages),
        entries=b"".join(m.entry() for m in messages) if want & Want.ENTRIES else b"",
        mails=[MailRow(part=m.part()) for m in messages] if want & Want.MAILS else [],
        heads=[m.head for m in messages] if want & Want.HEADS else [],
        octets=[m.head + m.body for m in messages] if want & Want.OCTETS else [],
        overflow={m.uid: Keywords(names=m.overflow) for m in messages if m.overflow}
        | {uid: Keywords(names=["later"]) for uid in (2, 4_000_000)},
    )


def found(key: SearchKey, messages: Sequence[Message]) -> list[int]:
    """The UIDs that all stages of the key leave, each given no more than it wants."""
    left = list(messages)
    for stage in stages(key, ROW):
        left = [left[index] for index in stage.matches(run_of(left, stage.want), {})]
    return [message.uid for message in left]


def key(op: SearchKey.Op, *keys: SearchKey, number: int = 0, text: str = "", field: str = "") -> SearchKey:
    return SearchKey(op=op, keys=keys, number=number, text=text, field=field)


def flags(number: int) -> SearchKey:
    return key(SearchKey.FLAGS, number=number)


def uids(*ranges: tuple[int, int]) -> SearchKey:
    return SearchKey(op=SearchKey.UIDS, uids=[UidRange(first=a, last=b) for a, b in ranges])


MAILBOX = (
    Message(1, SEEN, 100, 3 * DAY, 5),
    Message(3, SEEN | FLAGGED, 200, 4 * DAY - 1, 6),
    Message(4, 1 << KEYWORD_BIT_FIRST, 300, 4 * DAY, 7),
    Message(9, FLAGGED | DELETED | 1 << 62 | OVERFLOW, 400, 4 * DAY + 1, 8, overflow=("Späth", "Later")),
)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (key(SearchKey.ALL), [1, 3, 4, 9]),
        (flags(SEEN), [1, 3]),
        (flags(SEEN | FLAGGED), [3]),
        (key(SearchKey.NOT, flags(SEEN)), [4, 9]),
        (key(SearchKey.AND, flags(FLAGGED), key(SearchKey.NOT, flags(DELETED))), [3]),
        (key(SearchKey.OR, flags(DELETED), flags(SEEN)), [1, 3, 9]),
        (key(SearchKey.AND), [1, 3, 4, 9]),
        (key(SearchKey.OR), []),
        (key(SearchKey.KEYWORD, text="$junk"), [4]),
        (key(SearchKey.KEYWORD, text="k57"), [9]),
        (key(SearchKey.KEYWORD, text="LATER"), [9]),
        (key(SearchKey.KEYWORD, text="unheard-of"), []),
        (key(SearchKey.SIZE_LARGER, number=200), [4, 9]),
        (key(SearchKey.SIZE_SMALLER, number=200), [1]),
        (key(SearchKey.RECEIVED_BEFORE, number=4), [1, 3]),
        (key(SearchKey.RECEIVED_ON, number=3), [1, 3]),
        (key(SearchKey.RECEIVED_SINCE, number=4), [4, 9]),
        (key(SearchKey.RECEIVED_UNTIL, number=4 * 86_400 - 1), [1, 3]),
        (key(SearchKey.RECEIVED_FROM, number=4 * 86_400), [4, 9]),
        (key(SearchKey.MODSEQ, number=7), [4, 9]),
        (key(SearchKey.RECENT, number=4), [4, 9]),
        (uids((2, 3), (5, 20)), [3, 9]),
        (uids((1, 1), (2, 2), (9, 4_000_000)), [1, 9]),
        (uids(), []),
    ],
)
def test_a_key_over_entries_finds(asked: SearchKey, expected: list[int]) -> None:
    assert found(asked, MAILBOX) == expected
    assert found(key(SearchKey.NOT, asked), MAILBOX) == [m.uid for m in MAILBOX if m.uid not in expected]


def test_nothing_is_found_in_an_empty_run() -> None:
    for asked in (key(SearchKey.ALL), uids((1, 5)), flags(SEEN), key(SearchKey.SIZE_LARGER)):
        assert found(asked, ()) == []


HEADS = (
    Message(
        1,
        head=b"Date: Wed, 31 Dec 2025 23:59:00 -0800\r\n"
        b"From: a\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= aus K\r\n\r\n",
    ),
    Message(2, head=b"subject : hello\r\n\tbig World\r\nX-Other: From Mars\r\n\r\n", received=20_455 * DAY),
    Message(3, head=b"Date: 1 Jan 26 00:01 +0000\r\nSubject:\r\nFrom: Zo\xc3\xab <z@example>\r\n\r\n"),
    Message(4, head=b"Date: never\r\nX-Subject: hello\r\n\r\n", received=20_453 * DAY),
)


@pytest.mark.parametrize(
    ("field", "text", "expected"),
    [
        ("Subject", "GRÜSSE AUS", [1]),
        ("SUBJECT", "hello big", [2]),
        ("Subject", "", [1, 2, 3]),
        ("Subject", "mars", []),
        ("From", "zoë", [3]),
        ("From", "zoe\u0308", [3]),
        ("X-Absent", "", []),
    ],
)
def test_header_finds_a_substring_of_the_decoded_field(field: str, text: str, expected: list[int]) -> None:
    assert found(key(SearchKey.HEADER, field=field, text=text), HEADS) == expected


@pytest.mark.parametrize(
    ("op", "day", "expected"),
    [
        (SearchKey.SENT_ON, 20_453, [1, 4]),
        (SearchKey.SENT_ON, 20_454, [3]),
        (SearchKey.SENT_BEFORE, 20_454, [1, 4]),
        (SearchKey.SENT_SINCE, 20_454, [2, 3]),
    ],
)
def test_sent_disregards_the_time_zone_of_date(op: SearchKey.Op, day: int, expected: list[int]) -> None:
    assert found(key(op, number=day), HEADS) == expected


@pytest.mark.parametrize("date", [b"31 Foo 2020", b"99 Jan 2020", b"0 Jan 0000", b"", b"\xff\x00" * 50])
def test_a_date_that_is_none_has_no_day(date: bytes) -> None:
    assert sent_day(b"Date: " + date + b"\r\n\r\n") is None


HEAD = b"Subject: outside\r\n\r\n"
BODIES = (
    Message(1, head=HEAD, body=b"The quick brown fox\r\n"),
    Message(2, SEEN, head=HEAD, body=b"VGhlIFF1aWNrIGRvZw0K\r\n", encoding="base64"),
    Message(
        3, head=HEAD, body=b"Die sch=F6ne f=\r\nox\r\n", encoding="quoted-printable", charset="iso-8859-1"
    ),
    Message(4, head=HEAD, body="ΣΊΣΥΦΟΣ quick".encode(), encoding="8bit", charset="utf-8"),
    Message(5, head=HEAD, body=b"+AOQ-rger", charset="utf-7"),
)


@pytest.mark.parametrize(
    ("op", "text", "expected"),
    [
        (SearchKey.BODY, "QUICK", [1, 2, 4]),
        (SearchKey.BODY, "Schöne FOX", [3]),
        (SearchKey.BODY, "σίσυφος", [4]),
        (SearchKey.BODY, "Ärger", [5]),
        (SearchKey.BODY, "aoq", []),
        (SearchKey.BODY, "outside", []),
        (SearchKey.TEXT, "outside", [1, 2, 3, 4, 5]),
        (SearchKey.TEXT, "Subject: out", [1, 2, 3, 4, 5]),
        (SearchKey.TEXT, "dog", [2]),
        (SearchKey.BODY, "", [1, 2, 3, 4, 5]),
    ],
)
def test_text_is_found_as_a_reader_sees_it(op: SearchKey.Op, text: str, expected: list[int]) -> None:
    assert found(key(op, text=text), BODIES) == expected


def test_a_dear_key_reads_only_what_cheap_keys_leave() -> None:
    header = key(SearchKey.HEADER, field="subject", text="outside")
    asked = key(SearchKey.AND, key(SearchKey.BODY, text="quick"), header, key(SearchKey.NOT, flags(SEEN)))
    first, second, last = stages(asked, ROW)
    assert (first.want, second.want) == (Want.ENTRIES, Want.ENTRIES | Want.HEADS)
    assert last.want == needs(asked) == EVERYTHING
    assert first.matches(run_of(BODIES, Want.ENTRIES), {}) == [0, 2, 3, 4]
    assert found(asked, BODIES) == [1, 4]


@pytest.mark.parametrize("text", ["quick", "dog", "nowhere"])
def test_no_stage_loses_what_a_negated_or_alternative_dear_key_matches(text: str) -> None:
    body = key(SearchKey.BODY, text=text)
    in_bodies = found(body, BODIES)
    assert found(key(SearchKey.NOT, body), BODIES) == [m.uid for m in BODIES if m.uid not in in_bodies]
    either = key(SearchKey.OR, body, flags(SEEN))
    assert found(either, BODIES) == sorted({*in_bodies, 2})
    neither = key(SearchKey.NOT, either)
    assert found(neither, BODIES) == [m.uid for m in BODIES if m.uid not in {*in_bodies, 2}]


def test_a_long_mail_is_searched_by_its_pieces() -> None:
    run = run_of(BODIES[:2])
    run.octets[1] = b""
    (*_, last) = stages(key(SearchKey.TEXT, text="quick"), ROW)
    head, body = pieces(run.mails[1].part)
    octets = BODIES[1].head + BODIES[1].body
    long = {1: [octets[head.start : head.end], octets[body.start : body.end]]}
    assert last.matches(run, long) == [0, 1]


def test_pieces_are_all_headers_and_the_text_of_parts_but_no_attachment() -> None:
    inner = Part(header=60, body=80, end=90, type="text/html")
    message = Part(
        header=0,
        body=20,
        end=200,
        type="multipart/mixed",
        parts=[
            Part(header=30, body=40, end=50, type="text/plain"),
            Part(header=52, body=60, end=90, type="message/rfc822", parts=[inner]),
            Part(header=100, body=120, end=190, type="image/png"),
        ],
    )
    cut = [(piece.start, piece.end, piece.of_body) for piece in pieces(message)]
    assert cut == [
        (0, 20, False),
        (30, 40, False),
        (40, 50, True),
        (52, 60, False),
        (60, 80, True),
        (80, 90, True),
        (100, 120, False),
    ]


@pytest.mark.parametrize(
    "octets", [b"", b"=?utf-8?b?====?=", b"\xff=?x?q?=?=\r\n \x00", b"a: " + b"=?" * 5000]
)
def test_any_octets_can_be_searched(octets: bytes) -> None:
    needle = Needle("ä")
    assert not needle.is_in_header(octets)
    assert not needle.is_in_field(octets, b"a")
