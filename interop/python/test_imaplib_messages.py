"""imaplib: messages in, changed, found, copied, moved, out."""

import imaplib
import time

import pytest

from interop import samples
from interop.witness import Account, fetch

Session = imaplib.IMAP4_SSL


def numbers(answer: tuple[str, list[object]]) -> list[int]:
    status, (line,) = answer
    assert status == "OK"
    return [int(word) for word in line.split()] if isinstance(line, bytes) else []


def test_what_is_appended_comes_back_with_flags_and_date(session: Session) -> None:
    message = samples.plain()
    date = '"17-Jul-1996 02:44:25 -0700"'
    status, (said,) = session.append("INBOX", "(\\Seen $Work)", date, message)
    assert status == "OK" and b"[APPENDUID " in said
    session.select()
    (one,) = fetch(session, "1", "(UID FLAGS INTERNALDATE RFC822.SIZE BODY[])")
    assert one.items[b"BODY[]"] == message
    assert int(one.items[b"RFC822.SIZE"]) == len(message)
    assert one.flags == {"\\Seen", "$Work"}
    moment = imaplib.Internaldate2tuple(b'INTERNALDATE "' + one.items[b"INTERNALDATE"] + b'"')
    assert moment is not None and time.mktime(moment) == 837596665


def test_append_to_a_missing_mailbox_says_trycreate(session: Session) -> None:
    status, (said,) = session.append("Nowhere", "", "", samples.plain())
    assert status == "NO" and said.startswith(b"[TRYCREATE]")


def test_real_mail_comes_back_octet_for_octet(session: Session) -> None:
    messages = samples.real(60)
    if not messages:
        pytest.skip("the corpus is not beside the project")
    for message in messages:
        status, said = session.append("INBOX", "", "", message)
        assert status == "OK", (said, message[:200])
    session.select()
    stored = fetch(session, "1:*", "(RFC822.SIZE ENVELOPE BODYSTRUCTURE BODY.PEEK[])")
    assert [each.items[b"BODY[]"] for each in stored] == messages
    assert [int(each.items[b"RFC822.SIZE"]) for each in stored] == [len(each) for each in messages]


def test_every_part_of_a_message_can_be_fetched(session: Session, account: Account) -> None:
    message = samples.large(1000)
    account.append(message)
    header, _, text = message.partition(b"\r\n\r\n")
    session.select()
    names = "RFC822 RFC822.HEADER RFC822.TEXT BODY.PEEK[1] BODY.PEEK[2.MIME] BODY.PEEK[]<10.20>"
    fields = "BODY.PEEK[HEADER.FIELDS (SUBJECT DATE)] BODY.PEEK[HEADER.FIELDS.NOT (SUBJECT)]"
    (one,) = fetch(session, "1", f"({names} {fields} ENVELOPE BODY)")
    assert one.items[b"RFC822"] == message
    assert one.items[b"RFC822.HEADER"] == header + b"\r\n\r\n"
    assert one.items[b"RFC822.TEXT"] == text
    assert one.items[b"BODY[1]"] == b"See the attachment."
    assert one.items[b"BODY[2.MIME]"].startswith(b"Content-Type: application/octet-stream")
    assert one.items[b"BODY[]<10>"] == message[10:30]
    assert one.items[b"BODY[HEADER.FIELDS (SUBJECT DATE)]"].count(b"\r\n") == 3
    assert b"Subject" not in one.items[b"BODY[HEADER.FIELDS.NOT (SUBJECT)]"]
    assert b'"Sender Name" NIL "sender" "client.example.net"' in one.items[b"ENVELOPE"]
    assert b'"mixed")' in one.items[b"BODY"]


def test_reading_sets_seen_and_peeking_does_not(session: Session, account: Account) -> None:
    for _ in range(2):
        account.append(samples.plain())
    session.select()
    session.fetch("1", "(BODY[])")
    session.fetch("2", "(BODY.PEEK[])")
    assert ["\\Seen" in message.flags for message in account.messages()] == [True, False]


def test_the_macros_are_what_they_stand_for(session: Session, account: Account) -> None:
    account.append(samples.plain())
    session.select()
    fast = {b"FLAGS", b"INTERNALDATE", b"RFC822.SIZE"}
    for macro, names in (
        ("FAST", fast),
        ("ALL", fast | {b"ENVELOPE"}),
        ("FULL", fast | {b"ENVELOPE", b"BODY"}),
    ):
        (one,) = fetch(session, "1", macro)
        assert set(one.items) == names


def test_store_sets_adds_and_removes(session: Session, account: Account) -> None:
    account.append(samples.plain())
    session.select()
    for command, flags, after in (
        ("FLAGS", "(\\Seen Work)", {"\\Seen", "Work"}),
        ("+FLAGS", "(\\Flagged)", {"\\Seen", "Work", "\\Flagged"}),
        ("-FLAGS", "(\\Seen work)", {"\\Flagged"}),
        ("+FLAGS.SILENT", "(\\Answered \\Draft)", {"\\Flagged", "\\Answered", "\\Draft"}),
        ("FLAGS", "()", set()),
    ):
        status, told = session.store("1", command, flags)
        assert status == "OK"
        assert (told == [None]) == command.endswith("SILENT")
        assert account.messages()[0].flags == after


def test_uid_store_answers_with_the_uid(session: Session, account: Account) -> None:
    for _ in range(2):
        account.append(samples.plain())
    session.select()
    _, (told,) = session.uid("STORE", "2", "+FLAGS", "(\\Flagged)")
    assert isinstance(told, bytes) and b"UID 2" in told


def test_expunge_renumbers_and_uids_stay(session: Session, account: Account) -> None:
    for number in range(5):
        account.append(samples.plain(str(number)))
    session.select()
    session.store("2,4", "+FLAGS", "(\\Deleted)")
    _, told = session.expunge()
    left = [1, 2, 3, 4, 5]
    for number in told:
        assert isinstance(number, bytes)
        del left[int(number) - 1]
    assert left == [1, 3, 5]
    assert [(each.number, each.uid) for each in fetch(session, "1:*", "(UID)")] == [(1, 1), (2, 3), (3, 5)]


def test_uid_expunge_takes_only_those_named(session: Session, account: Account) -> None:
    for _ in range(3):
        account.append(samples.plain(), flags="(\\Deleted)")
    session.select()
    assert session._simple_command("UID", "EXPUNGE", "2")[0] == "OK"
    assert [message.uid for message in account.messages()] == [1, 3]


def test_copy_keeps_octets_flags_and_date(session: Session, account: Account) -> None:
    message = samples.plain()
    session.append("INBOX", "(\\Flagged Mine)", '"01-Feb-2020 03:04:05 +0000"', message)
    session.select()
    status, (said,) = session.copy("1", "Archive")
    assert status == "OK" and b"[COPYUID " in said
    session.select("Archive")
    (copy,) = fetch(session, "1", "(UID FLAGS INTERNALDATE BODY.PEEK[])")
    assert copy.items[b"BODY[]"] == message
    assert copy.flags == {"\\Flagged", "Mine"}
    assert copy.items[b"INTERNALDATE"].lstrip().startswith((b"01-Feb-2020 03:04:05", b"1-Feb-2020"))
    assert len(account.messages()) == 1


def test_copy_to_a_missing_mailbox_copies_nothing(session: Session, account: Account) -> None:
    account.append(samples.plain())
    session.select()
    status, (said,) = session.copy("1", "Nowhere")
    assert status == "NO" and said.startswith(b"[TRYCREATE]")


def test_move_leaves_nothing_behind(session: Session, account: Account) -> None:
    messages = [samples.plain(str(number)) for number in range(3)]
    for message in messages:
        account.append(message, flags="(\\Seen)")
    session.select()
    assert session.uid("MOVE", "1,3", "Trash")[0] == "OK"
    assert account.octets() == [messages[1]]
    assert account.octets("Trash") == [messages[0], messages[2]]
    assert all(message.flags == {"\\Seen"} for message in account.messages("Trash"))


@pytest.mark.parametrize(
    ("criteria", "found"),
    [
        ("ALL", [1, 2, 3, 4]),
        ("SEEN", [1]),
        ("UNSEEN", [2, 3, 4]),
        ("KEYWORD work", [2]),
        ("UNKEYWORD Work", [1, 3, 4]),
        ("FLAGGED UNSEEN", [2]),
        ("OR SEEN FLAGGED", [1, 2]),
        ("NOT (OR SEEN FLAGGED)", [3, 4]),
        ('SUBJECT "pears"', [2]),
        ("FROM sender TO somebody", [1, 2, 3, 4]),
        ('TEXT "client.example.net"', [1, 2, 3, 4]),
        ('BODY "two dots"', [1, 2, 3, 4]),
        ('BODY "attachment"', []),
        ('HEADER "Message-ID" ""', [1, 2, 3, 4]),
        ('HEADER "X-None" ""', []),
        ("2:3", [2, 3]),
        ("UID 3:*", [3, 4]),
        ("*", [4]),
        ("LARGER 100 SMALLER 100000", [1, 2, 3, 4]),
        ("SENTON 24-Nov-2026", [1, 2, 3, 4]),
        ("SENTBEFORE 24-Nov-2026", []),
        ("SENTSINCE 23-Nov-2026 3:4", [3, 4]),
        ("BEFORE 2-Jan-2000", [4]),
        ("SINCE 2-Jan-2000", [1, 2, 3]),
        ("ON 1-Jan-2000", [4]),
        ("DELETED", []),
        ("ANSWERED", []),
        ("DRAFT", []),
    ],
)
def test_search(session: Session, criteria: str, found: list[int]) -> None:
    for subject, flags, date in (
        ("apples", "(\\Seen)", ""),
        ("pears", "(\\Flagged Work)", ""),
        ("plums", "", ""),
        ("grapes", "", '"01-Jan-2000 12:00:00 +0000"'),
    ):
        session.append("INBOX", flags, date, samples.plain(subject))
    session.select()
    assert numbers(session.search(None, criteria)) == found
    assert numbers(session.uid("SEARCH", criteria)) == found


def test_search_in_another_charset(session: Session, account: Account) -> None:
    account.append(samples.plain("=?utf-8?q?Gr=C3=BC=C3=9Fe?="))
    account.append(samples.plain("other").replace("grüße".encode(), b"none"))
    session.select()
    session.literal = "GRÜ".encode()  # type: ignore[assignment]
    assert numbers(session.search("UTF-8", "SUBJECT")) == [1]
    session.literal = "grüße".encode()  # type: ignore[assignment]
    assert numbers(session.search("UTF-8", "BODY")) == [1]
    status, (said,) = session.search("X-NONE", "ALL")
    assert status == "NO" and said.startswith(b"[BADCHARSET")


def test_partial_fetches_of_a_large_message_add_up(session: Session, account: Account) -> None:
    message = samples.large(1_500_000)
    account.append(message)
    session.select()
    step, octets = 300_000, b""
    for at in range(0, len(message) + step, step):
        (piece,) = fetch(session, "1", f"(BODY.PEEK[]<{at}.{step}>)")
        octets += piece.items[b"BODY[]<%d>" % at]
    assert octets == message
