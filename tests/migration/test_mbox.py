"""What an mbox says of its messages, by the programs that write them."""

from pathlib import Path

import pytest

from mailnode.mailbox.rows import ANSWERED, DELETED, DRAFT, FLAGGED, SEEN
from mailnode.migration.mbox import MboxSource, Quoting
from mailnode.migration.source import Item, SourceError

FROM = b"From a@b Thu Jan  2 03:04:05 2020\n"


def read(folder: Path, octets: bytes, quoting: Quoting = Quoting.MBOXRD) -> list[tuple[Item, bytes]]:
    (folder / "box.mbox").write_bytes(octets)
    source = MboxSource(folder / "box.mbox", "", "", quoting)
    (box,) = source.boxes()
    items = list(source.items(box))
    return [(item, b"".join(pieces)) for item, pieces in source.contents(box, items)]


def contents(folder: Path, octets: bytes, quoting: Quoting = Quoting.MBOXRD) -> list[bytes]:
    return [content for _, content in read(folder, octets, quoting)]


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_the_empty_line_before_the_next_message_belongs_to_none(tmp_path: Path, end: bytes) -> None:
    box = (FROM + b"A: 1\n\nx\n\n" + FROM + b"A: 2\n\ny\n\n\n" + FROM + b"\nz\n").replace(b"\n", end)
    expected = [b"A: 1\n\nx\n", b"A: 2\n\ny\n\n", b"\nz\n"]
    assert contents(tmp_path, box) == [each.replace(b"\n", end) for each in expected]


@pytest.mark.parametrize(
    ("quoting", "expected"),
    [
        (Quoting.MBOXRD, b"From a\n>From b\n"),
        (Quoting.MBOXO, b"From a\n>>From b\n"),
        (Quoting.MBOXCL2, b">From a\n>>From b\n"),
    ],
)
def test_each_kind_quotes_lines_in_its_own_way(tmp_path: Path, quoting: Quoting, expected: bytes) -> None:
    assert contents(tmp_path, FROM + b"\n>From a\n>>From b\n", quoting) == [b"\n" + expected]


def test_a_paragraph_that_begins_with_from_is_no_message(tmp_path: Path) -> None:
    whole = b"A: 1\n\nx\n\nFrom here on\n\nFrom Monday at 10:30 on\nFrom 2020 on\n"
    assert contents(tmp_path, FROM + whole) == [whole]


@pytest.mark.parametrize(
    "line", [b"From -\n", b"From 1844347792267117879@xxx\r\n", b"From a Jan 1 2020 1:02\n"]
)
def test_messages_begin_with_lines_that_say_less_too(tmp_path: Path, line: bytes) -> None:
    assert contents(tmp_path, line + b"A: 1\n\nx\n\n" + line + b"B: 2\n\ny\n") == [
        b"A: 1\n\nx\n",
        b"B: 2\n\ny\n",
    ]


def test_a_content_length_that_leads_to_the_next_message_is_believed(tmp_path: Path) -> None:
    body = FROM + b"\nno message\n"
    box = FROM + b"Content-Length: %d\n\n%b\n" % (len(body), body) + FROM + b"Content-Length: 99\n\nx\n"
    assert contents(tmp_path, box) == [b"\n" + body, b"\nx\n"]


def test_flags_keywords_and_uids_are_the_mailboxs(tmp_path: Path) -> None:
    fields = b"Status: RO\nX-Status: AFDT\nX-Keywords: $Label1 \n work\nX-UID: 7\n"
    box = (
        FROM
        + b"X-IMAPbase: 77 0000000009 $Label1\nA: 1\n"
        + fields
        + b"B: 2\n\nx\n\n"
        + FROM
        + b"A: 1\n\nx\n"
    )
    (one, octets), (two, _) = read(tmp_path, box)
    assert octets == b"A: 1\nB: 2\n\nx\n"
    assert (one.flags, one.keywords) == (SEEN | ANSWERED | FLAGGED | DELETED | DRAFT, ("$Label1", "work"))
    assert (one.uid, one.internal_date, two.uid, two.flags) == (7, 1577934245, 0, 0)
    (box_,) = MboxSource(tmp_path / "box.mbox", "", "", Quoting.MBOXRD).boxes()
    assert (box_.uid_validity, box_.uid_next) == (77, 10)


def test_the_message_that_uw_imap_keeps_for_itself_is_none(tmp_path: Path) -> None:
    box = (
        FROM + b"Subject: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA\nX-IMAP: 5 9\nStatus: RO\n\nx\n\n"
    )
    assert contents(tmp_path, box + FROM + b"A: 1\n\ny\n") == [b"A: 1\n\ny\n"]


def test_messages_that_are_alike_are_told_apart_and_flags_make_no_other(tmp_path: Path) -> None:
    origins = [item.origin for item, _ in read(tmp_path, 2 * (FROM + b"A: 1\n\nx\n\n"))]
    later = [item.origin for item, _ in read(tmp_path, 2 * (FROM + b"Status: RO\nA: 1\n\nx\n\n"))]
    assert len(set(origins)) == 2 and origins == later


def test_a_tree_is_read_as_thunderbird_and_others_keep_it(tmp_path: Path) -> None:
    for name in ("Inbox", "Work.mbox", "Work.sbd/Old", "Work.sbd/Old.msf", ".hidden", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x" if name == "notes.txt" else FROM + b"\n")
    source = MboxSource(tmp_path, "", "", Quoting.MBOXRD)
    assert [box.name for box in source.boxes()] == ["INBOX", "Work", "Work/Old"]
    with pytest.raises(SourceError, match="is no mbox"):
        MboxSource(tmp_path / "notes.txt", "", "", Quoting.MBOXRD).boxes()


def test_a_header_without_an_end_is_looked_for_no_further_than_the_next_message(tmp_path: Path) -> None:
    line = b"From a 1:00 2020\n"
    last = b"A: 1\nContent-Length: 2\n\nx\n"
    assert contents(tmp_path, 30_000 * line + last) == [*29_999 * [b""], b"A: 1\n\nx\n"]


def test_no_symbolic_link_in_a_tree_leads_to_what_others_have(tmp_path: Path) -> None:
    (tmp_path / "theirs").write_bytes(FROM + b"\nx\n")
    root = tmp_path / "root"
    root.mkdir()
    (root / "own").write_bytes(FROM + b"\nx\n")
    (root / "link").symlink_to(tmp_path / "theirs")
    assert [box.name for box in MboxSource(root, "", "", Quoting.MBOXRD).boxes()] == ["own"]
