"""FETCH over the whole way: RFC 3501 §6.4.5."""

from dataclasses import replace
from pathlib import Path

from mailnode.limits import KiB, Limits
from mailnode.store.keys import END, Family
from mailnode.store.shard import DropTo
from tests.listeners.imap_dialogue import house, logged_in, play, talk
from tests.listeners.loop import run

ALTERNATIVE = (
    b"From: a@example.test\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nX-Many: 1\r\n"
    b'Content-Type: multipart/alternative; boundary="b"\r\n\r\n'
    b"--b\r\nContent-Type: text/plain\r\n\r\nplain\r\n"
    b"--b\r\nContent-Type: text/html\r\n\r\n<p>html</p>\r\n--b--\r\n"
)
MESSAGES = {"one": b"Subject: First\r\nX-Odd: 1\r\n\r\nHello world\r\n", "two": ALTERNATIVE}
BOTH = r"""
        A= 1 APPEND INBOX <one>
        A= 2 APPEND INBOX <two>
        A= 3 SELECT INBOX
"""


def test_a_body_section_sets_seen_before_it_is_said_and_peek_does_not(tmp_path: Path) -> None:
    play(
        tmp_path,
        BOTH
        + r"""
        A: a FETCH 1 BODY.PEEK[]<0.14>
        A> * 1 FETCH (BODY[]<0> {14}
        A> Subject: First)
        A> a OK ...
        A: b FETCH 1 BODY[TEXT]<6.5>
        A> * 1 FETCH (BODY[TEXT]<6> {5}
        A> world FLAGS (\Recent \Seen))
        A> b OK ...
        A: c FETCH 1:2 RFC822.HEADER
        A> * 1 FETCH (RFC822.HEADER {28}
        A> Subject: First
        A> X-Odd: 1
        A>
        A> )
        A> * 2 FETCH (RFC822.HEADER {...
        A> From: a@example.test
        A> Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=
        A> X-Many: 1
        A> Content-Type: multipart/alternative; boundary="b"
        A>
        A> )
        A> c OK ...
        A: d UID FETCH 2 BODY[2]
        A> * 2 FETCH (UID 2 BODY[2] {11}
        A> <p>html</p> FLAGS (\Recent \Seen))
        A> d OK ...
        B= a SELECT INBOX
        B: b FETCH 1:2 FLAGS
        B> * 1 FETCH (FLAGS (\Seen))
        B> * 2 FETCH (FLAGS (\Seen))
        B> b OK ...
        """,
        MESSAGES,
    )


def test_sections_that_are_not_there_are_nil_and_fields_keep_their_octets(tmp_path: Path) -> None:
    play(
        tmp_path,
        BOTH
        + r"""
        A: a FETCH 1:2 (BODY.PEEK[HEADER.FIELDS (X-ODD subject)] BODY.PEEK[3.MIME])
        A> * 1 FETCH (BODY[HEADER.FIELDS (X-ODD subject)] {28}
        A> Subject: First
        A> X-Odd: 1
        A>
        A>  BODY[3.MIME] NIL)
        A> * 2 FETCH (BODY[HEADER.FIELDS (X-ODD subject)] {...}
        A> Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=
        A>
        A>  BODY[3.MIME] NIL)
        A> a OK ...
        A: b FETCH 2 (BODYSTRUCTURE ENVELOPE)
        A> * 2 FETCH (BODYSTRUCTURE (("text" "plain" ...)("text" "html" ...) "alternative" ...) ENVELOPE...
        A> b OK ...
        """,
        MESSAGES,
    )


def test_the_set_is_answered_whatever_runs_it_comes_in(tmp_path: Path) -> None:
    """Runs of two messages, and long messages among short ones."""
    limits = replace(Limits(), messages_run_max=2, entries_run_max=3)

    async def body() -> None:
        async with house(tmp_path, limits) as served:
            wire = await logged_in(served.port)
            sizes = [10, 700 * KiB, 20, 256 * KiB + 1, 30, 40, 256 * KiB - 20, 50]
            for number, size in enumerate(sizes):
                wire.send(f"a{number} APPEND INBOX <m+>", {"m": message(number, size)})
                assert (await wire.line()).startswith(f"a{number} OK")
            wire.send("s SELECT INBOX", {})
            await wire.succeed("s")
            wire.send("f FETCH 1:* (UID RFC822.SIZE BODY.PEEK[])", {})
            for number, size in enumerate(sizes):
                octets = message(number, size)
                uid = number + 1
                said = f"* {uid} FETCH (UID {uid} RFC822.SIZE {len(octets)} BODY[] {{{len(octets)}}}"
                assert await wire.line() == said
                assert await wire.octets(len(octets)) == octets
                assert await wire.line() == ")"
            assert (await wire.line()).startswith("f OK")
            wire.send("g FETCH 2,4 (BODY.PEEK[TEXT]<262140.10> BODY.PEEK[HEADER.FIELDS (Subject)])", {})
            for number in (1, 3):
                text = message(number, sizes[number]).partition(b"\r\n\r\n")[2][262140:262150]
                assert await wire.line() == f"* {number + 1} FETCH (BODY[TEXT]<262140> {{{len(text)}}}"
                assert await wire.octets(len(text)) == text
                subject = b"Subject: %d\r\n\r\n" % number
                assert await wire.line() == f" BODY[HEADER.FIELDS (Subject)] {{{len(subject)}}}"
                assert await wire.octets(len(subject)) == subject
                assert await wire.line() == ")"
            assert (await wire.line()).startswith("g OK")
            wire.close()

    run(body())


def test_all_but_the_body_is_told_without_its_octets(tmp_path: Path) -> None:
    """Every blob is lost: what the rows know is answered as before, and only the body is missed."""

    async def body() -> None:
        async with house(tmp_path, Limits()) as served:
            await talk(served.port, BOTH, MESSAGES)
            served.shard.write([(Family.BLOB, b"", DropTo(END))], sync=True)
            await talk(served.port, WITHOUT_BLOBS, MESSAGES)

    run(body())


WITHOUT_BLOBS = r"""
    A= a SELECT INBOX
    A: b FETCH 1 (FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE)
    A> * 1 FETCH (FLAGS () INTERNALDATE "..." RFC822.SIZE 41 ENVELOPE (NIL "First"... BODYSTRUCTURE ("TEXT...
    A> b OK ...
    A: c FETCH 2 (BODY.PEEK[HEADER.FIELDS (X-Many)] BODY.PEEK[HEADER])
    A> * 2 FETCH (BODY[HEADER.FIELDS (X-Many)] {13}
    A> X-Many: 1
    A>
    A>  BODY[HEADER] {...
    A> From: a@example.test
    A> Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=
    A> X-Many: 1
    A> Content-Type: multipart/alternative; boundary="b"
    A>
    A> )
    A> c OK ...
    A: d UID SEARCH SINCE 1-Jan-2000 SMALLER 60 HEADER X-Odd 1
    A> * SEARCH 1
    A> d OK ...
    A: e FETCH 1 BODY.PEEK[]
    A> ...
    """


def message(number: int, size: int) -> bytes:
    return (
        b"Subject: %d\r\n\r\n" % number
        + (b"%d line of text\r\n" % number) * (size // 16)
        + b"x" * (size % 16)
    )


def test_a_preview_is_text_in_utf8_and_empty_where_there_is_none(tmp_path: Path) -> None:
    """RFC 8970 §3."""
    play(
        tmp_path,
        r"""
        A= a APPEND INBOX <one>
        A= b APPEND INBOX <two>
        A= c APPEND INBOX <three>
        A= d SELECT INBOX
        A: e FETCH 1:3 (UID PREVIEW)
        A> * 1 FETCH (UID 1 PREVIEW "Hello world")
        A> * 2 FETCH (UID 2 PREVIEW {7}
        A> Grüße)
        A> * 3 FETCH (UID 3 PREVIEW "")
        A> e OK ...
        A: f FETCH 1 (PREVIEW (LAZY) FLAGS)
        A> * 1 FETCH (PREVIEW "Hello world" FLAGS (\Recent))
        A> f OK ...
        """,
        {
            "one": MESSAGES["one"],
            "two": "Content-Type: text/html; charset=utf-8\r\n\r\n<b>Grüße</b>\r\n".encode(),
            "three": b"Content-Type: image/png\r\n\r\nx\r\n",
        },
    )
