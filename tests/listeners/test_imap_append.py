"""APPEND over the whole way: RFC 3501 §6.3.11, RFC 4315, RFC 7888."""

from dataclasses import replace
from pathlib import Path

from mailnode.limits import Limits
from tests.listeners.imap_dialogue import house, logged_in, play
from tests.listeners.loop import run


def test_what_refuses_a_message_is_said_before_it_comes(tmp_path: Path) -> None:
    play(
        tmp_path,
        """
        A: a APPEND Nowhere {10}
        A> a NO [TRYCREATE] ...
        A: b APPEND Nowhere <one+>
        A> b NO [TRYCREATE] ...
        A: c APPEND INBOX {1000}
        A> c NO [TOOBIG] ...
        A: d NOOP
        A> d OK ...
        """,
        limits=replace(Limits(), imap_message_octets_max=500),
    )


def test_bare_line_feeds_become_crlf_and_nul_needs_a_literal8(tmp_path: Path) -> None:
    play(
        tmp_path,
        r"""
        A= a APPEND INBOX <unix+>
        A: b APPEND INBOX <nul+>
        A> b NO ...
        A= c SELECT INBOX
        A: d FETCH 1:* (RFC822.SIZE BODY.PEEK[])
        A> * 1 FETCH (RFC822.SIZE 20 BODY[] {20}
        A> Subject: x
        A>
        A> a
        A> b
        A> )
        A> d OK ...
        """,
        {"unix": b"Subject: x\n\na\r\nb\n", "nul": b"Subject: x\r\n\r\n\0\r\n"},
    )


def test_the_selected_mailbox_may_go_while_the_message_comes(tmp_path: Path) -> None:
    play(
        tmp_path,
        """
        A= a CREATE Work
        A: b APPEND Work {4}
        A> + OK
        B= b DELETE Work
        A: abcd
        A> b NO [TRYCREATE] ...
        """,
    )


def test_appends_may_be_open_together_and_are_answered_in_order(tmp_path: Path) -> None:
    async def body() -> None:
        async with house(tmp_path, Limits()) as served:
            wire = await logged_in(served.port)
            for number in range(50):
                wire.send(f"a{number} APPEND INBOX <m+>", {"m": b"Subject: %d\r\n\r\n" % number})
            wire.send("n STATUS INBOX (MESSAGES)", {})
            for number in range(50):
                assert (await wire.line()).startswith(f"a{number} OK [APPENDUID ")
            assert await wire.line() == "* STATUS INBOX (MESSAGES 50)"
            await wire.succeed("n")
            wire.send("s SELECT INBOX", {})
            await wire.succeed("s")
            wire.send("f FETCH 1:* BODY.PEEK[HEADER.FIELDS (SUBJECT)]", {})
            for number in range(50):
                assert (await wire.line()).startswith(f"* {number + 1} FETCH")
                assert await wire.line() == f"Subject: {number}"
                assert [await wire.line(), await wire.line()] == ["", ")"]
            await wire.succeed("f")
            wire.close()

    run(body())


def test_a_client_that_leaves_in_the_middle_leaves_nothing(tmp_path: Path) -> None:
    async def body() -> None:
        async with house(tmp_path, Limits()) as served:
            wire = await logged_in(served.port)
            wire.send("a APPEND INBOX {600000+}", {})
            wire.send("x" * 500_000, {})
            wire.close()
            other = await logged_in(served.port)
            other.send("a STATUS INBOX (MESSAGES)", {})
            assert await other.line() == "* STATUS INBOX (MESSAGES 0)"
            await other.succeed("a")
            other.close()

    run(body())


def test_one_append_brings_several_messages_at_once(tmp_path: Path) -> None:
    """RFC 3502: together they enter, with their own flags and dates; a refused one takes the others along."""
    long = b"Subject: long\r\n\r\n" + b"x" * 300_000
    first = b"Subject: 1\r\n\r\none\r\n"

    async def body() -> None:
        limits = replace(Limits(), imap_multiappend_messages_max=3)
        async with house(tmp_path, limits) as served:
            wire = await logged_in(served.port)
            announced = b"b APPEND INBOX (\\Seen) {%d+}\r\n%b ($Work) {%d+}\r\n%b\r\n"
            wire.write(announced % (len(first), first, len(long), long))
            assert (await wire.line()).startswith("b OK [APPENDUID ")
            four = b"c APPEND INBOX" + b" {%d+}\r\n%b" % (len(first), first) * 4 + b"\r\n"
            wire.write(four)
            assert (await wire.line()).startswith("c NO [LIMIT]")
            wire.send("s SELECT INBOX", {})
            await wire.succeed("s")
            wire.send("f FETCH 1:* (UID FLAGS RFC822.SIZE)", {})
            assert await wire.line() == f"* 1 FETCH (UID 1 FLAGS (\\Recent \\Seen) RFC822.SIZE {len(first)})"
            assert await wire.line() == f"* 2 FETCH (UID 2 FLAGS (\\Recent $Work) RFC822.SIZE {len(long)})"
            assert (await wire.line()).startswith("f OK")
            wire.close()

    run(body())


def test_the_headers_of_long_messages_count_for_what_one_append_may_hold(tmp_path: Path) -> None:
    """Their octets are on the disk, but a header may have a megabyte."""
    long = b"Subject: x\r\nX-Long: " + b"y" * 100_000 + b"\r\n\r\n" + b"z" * 300_000

    async def body() -> None:
        async with house(tmp_path, replace(Limits(), imap_multiappend_octets_max=150_000)) as served:
            wire = await logged_in(served.port)
            one = b" {%d+}\r\n%b" % (len(long), long)
            wire.write(b"a APPEND INBOX" + one * 2 + b"\r\n")
            assert (await wire.line()).startswith("a OK [APPENDUID ")
            wire.write(b"b APPEND INBOX" + one * 3 + b"\r\n")
            assert (await wire.line()).startswith("b NO [LIMIT]")
            wire.close()

    run(body())
