"""CONDSTORE (RFC 7162), ESEARCH with it (RFC 4731 §3.2), STATUS=SIZE, OBJECTID, SAVEDATE, APPENDLIMIT."""

import re
from pathlib import Path

from mailnode.limits import Limits
from tests.listeners.imap_dialogue import Wire, house, logged_in, play
from tests.listeners.loop import run

FOUR = r"""
        A= 1 APPEND INBOX <one>
        A= 2 APPEND INBOX <two>
        A= 3 APPEND INBOX <one>
        A= 4 APPEND INBOX <two>
"""


def test_mod_sequences_are_told_once_the_client_knows_of_them(tmp_path: Path) -> None:
    """Each command here that changes the account takes its next position: the four messages have 2 to 5."""
    play(
        tmp_path,
        FOUR
        + r"""
        A= a SELECT INBOX
        B= a SELECT INBOX
        A: b STORE 1 +FLAGS.SILENT (\Seen)
        A> b OK ...
        B: b NOOP
        B> * 1 FETCH (UID 1 FLAGS (\Seen))
        B> b OK ...
        A: c FETCH 1:2 (MODSEQ)
        A> * OK [HIGHESTMODSEQ 5] ...
        A> * 1 FETCH (MODSEQ (6))
        A> * 2 FETCH (MODSEQ (3))
        A> c OK ...
        A: d STORE 2 +FLAGS.SILENT (\Seen)
        A> * 2 FETCH (UID 2 MODSEQ (7))
        A> d OK ...
        A: e STORE 2 +FLAGS (\Seen)
        A> * 2 FETCH (UID 2 FLAGS (\Recent \Seen) MODSEQ (7))
        A> e OK ...
        B: c FETCH 3 RFC822.TEXT
        B> * 3 FETCH (RFC822.TEXT {13}
        B> Hello world
        B>  FLAGS (\Seen))
        B> * 2 FETCH (UID 2 FLAGS (\Seen))
        B> c OK ...
        A: f NOOP
        A> * 3 FETCH (UID 3 FLAGS (\Recent \Seen) MODSEQ (8))
        A> f OK ...
        A: g FETCH 4 RFC822.TEXT
        A> * 4 FETCH (RFC822.TEXT {9}
        A> Goodbye
        A>  FLAGS (\Recent \Seen) MODSEQ (9))
        A> g OK ...
        A: h STATUS INBOX (HIGHESTMODSEQ)
        A> * STATUS INBOX (HIGHESTMODSEQ 9)
        A> h OK ...
        """,
    )


def test_every_enabling_command_enables_and_tells_the_highest_mod_sequence(tmp_path: Path) -> None:
    enabling = [
        "FETCH 1 MODSEQ",
        "FETCH 1 UID (CHANGEDSINCE 1)",
        "STORE 1 (UNCHANGEDSINCE 1) FLAGS ()",
        "SEARCH MODSEQ 1",
        "STATUS INBOX (HIGHESTMODSEQ)",
        'LIST "" INBOX RETURN (STATUS (HIGHESTMODSEQ))',
    ]

    async def body() -> None:
        async with house(tmp_path, Limits()) as served:
            for command in enabling:
                wire = await logged_in(served.port)
                wire.send("a APPEND INBOX <one+>", {"one": b"Subject: x\r\n\r\ny\r\n"})
                await wire.succeed("a")
                wire.send("b SELECT INBOX", {})
                await wire.succeed("b")
                wire.send(f"c {command}", {})
                assert (await wire.line()).startswith("* OK [HIGHESTMODSEQ "), command
                await wire.succeed("c")
                wire.send("d FETCH 1 MODSEQ", {})
                assert (await wire.line()).startswith("* 1 FETCH (MODSEQ ("), command
                wire.close()

    run(body())


def test_what_changed_since_is_neither_stored_nor_left_out(tmp_path: Path) -> None:
    play(
        tmp_path,
        FOUR
        + r"""
        A= a SELECT INBOX (CONDSTORE)
        A: b FETCH 1:* UID (CHANGEDSINCE 3)
        A> * 3 FETCH (UID 3 MODSEQ (4))
        A> * 4 FETCH (UID 4 MODSEQ (5))
        A> b OK ...
        A: c STORE 1:4 (UNCHANGEDSINCE 4) +FLAGS.SILENT (\Flagged)
        A> * 1 FETCH (UID 1 MODSEQ (6))
        A> * 2 FETCH (UID 2 MODSEQ (6))
        A> * 3 FETCH (UID 3 MODSEQ (6))
        A> c OK [MODIFIED 4] ...
        A: d UID STORE 4 (UNCHANGEDSINCE 0) FLAGS (\Seen)
        A> d OK [MODIFIED 4] ...
        B= a SELECT INBOX
        B= b STORE 2 FLAGS (\Deleted)
        A: e UID STORE 1:3 (UNCHANGEDSINCE 6) FLAGS (\Seen)
        A> * 1 FETCH (UID 1 FLAGS (\Recent \Seen) MODSEQ (8))
        A> * 3 FETCH (UID 3 FLAGS (\Recent \Seen) MODSEQ (8))
        A> * 2 FETCH (UID 2 FLAGS (\Recent \Deleted) MODSEQ (7))
        A> e OK [MODIFIED 2] ...
        B= c EXPUNGE
        A: f STORE 1:4 (UNCHANGEDSINCE 7) FLAGS (\Draft)
        A> * 4 FETCH (UID 4 FLAGS (\Recent \Draft) MODSEQ (10))
        A> f NO [MODIFIED 1,3] ...
        A: g UID FETCH 1:* FLAGS (CHANGEDSINCE 8)
        A> * 4 FETCH (UID 4 FLAGS (\Recent \Draft) MODSEQ (10))
        A> * 2 EXPUNGE
        A> g OK ...
        A: h UID FETCH 1:* FLAGS (CHANGEDSINCE 10)
        A> h OK ...
        """,
    )


def test_search_by_mod_sequence_tells_the_highest_found(tmp_path: Path) -> None:
    play(
        tmp_path,
        FOUR
        + r"""
        A= a SELECT INBOX (CONDSTORE)
        A= b STORE 2 FLAGS (\Seen)
        A: c SEARCH MODSEQ 4
        A> * SEARCH 2 3 4 (MODSEQ 6)
        A> c OK ...
        A: d UID SEARCH MODSEQ "/flags/\\seen" all 4 UNSEEN
        A> * SEARCH 3 4 (MODSEQ 5)
        A> d OK ...
        A: e SEARCH MODSEQ 7
        A> * SEARCH
        A> e OK ...
        A: f SEARCH RETURN (MIN) MODSEQ 2
        A> * ESEARCH (TAG "f") MIN 1 MODSEQ 2
        A> f OK ...
        A: g SEARCH RETURN (MIN MAX) MODSEQ 2
        A> * ESEARCH (TAG "g") MIN 1 MAX 4 MODSEQ 5
        A> g OK ...
        A: h SEARCH RETURN (MIN COUNT) MODSEQ 2
        A> * ESEARCH (TAG "h") MIN 1 COUNT 4 MODSEQ 6
        A> h OK ...
        A: i SEARCH RETURN (ALL COUNT) MODSEQ 9
        A> * ESEARCH (TAG "i") COUNT 0
        A> i OK ...
        """,
    )


async def told(wire: Wire, command: str, pattern: str) -> tuple[str, ...]:
    """The groups of a pattern in the only untagged response."""
    wire.send(f"x {command}", {})
    match = re.fullmatch(pattern, await wire.line())
    assert match is not None, command
    await wire.succeed("x")
    return match.groups()


def test_an_email_keeps_its_id_wherever_it_is_copied_and_a_mailbox_whatever_its_name(tmp_path: Path) -> None:
    """RFC 8474; a mailbox that is made anew under an old name has a new id."""
    ids = r"\* 1 FETCH \(EMAILID \((\w+)\) THREADID \((\w+)\)\)"

    async def body() -> None:
        async with house(tmp_path, Limits()) as served:
            wire = await logged_in(served.port)
            one = {"m": b"Message-ID: <1@x>\r\n\r\none\r\n"}
            answer = {"m": b"Message-ID: <2@x>\r\nIn-Reply-To: <1@x>\r\n\r\ntwo\r\n"}
            wire.send("a APPEND INBOX <m+>", one)
            await wire.succeed("a")
            wire.send("b CREATE Work", {})
            created = re.fullmatch(r"b OK \[MAILBOXID \((\w+)\)\] .*", await wire.line())
            assert created is not None
            wire.send("c APPEND Work <m+>", answer)
            await wire.succeed("c")
            wire.send("d SELECT INBOX", {})
            await wire.succeed("d")
            email, thread = await told(wire, "FETCH 1 (EMAILID THREADID)", ids)
            wire.send("e MOVE 1 Work", {})
            await wire.succeed("e")
            wire.send("f RENAME Work Play", {})
            await wire.succeed("f")
            assert await told(wire, "STATUS Play (MAILBOXID)", r"\* STATUS Play \(MAILBOXID \((\w+)\)\)") == (
                created[1],
            )
            wire.send("g SELECT Play", {})
            await wire.succeed("g")
            other, same = await told(wire, "FETCH 1 (EMAILID THREADID)", ids)
            assert (other != email, same) == (True, thread)
            assert await told(wire, f"SEARCH EMAILID {email}", r"\* SEARCH (.*)") == ("2",)
            assert await told(wire, f"SEARCH THREADID {thread}", r"\* SEARCH (.*)") == ("1 2",)
            assert await told(wire, "SEARCH OR EMAILID x THREADID y", r"\* SEARCH(.*)") == ("",)
            wire.send("h CREATE Play/Below", {})
            await wire.succeed("h")
            wire.send("i DELETE Play", {})
            await wire.succeed("i")
            wire.send("j CREATE Play", {})
            again = re.fullmatch(r"j OK \[MAILBOXID \((\w+)\)\] .*", await wire.line())
            assert again is not None and again[1] != created[1]
            wire.close()

    run(body())


def test_status_tells_sizes_and_limits_and_search_the_date_of_saving(tmp_path: Path) -> None:
    """RFC 8438, RFC 7889, RFC 8514: the clock of this house stands in 2023."""
    play(
        tmp_path,
        r"""
        A= a APPEND INBOX "05-Jan-2020 11:22:33 +0100" <two>
        A: b STATUS INBOX (SIZE APPENDLIMIT MESSAGES)
        A> * STATUS INBOX (SIZE 58 APPENDLIMIT 52428800 MESSAGES 1)
        A> b OK ...
        A: c LIST "" % RETURN (STATUS (SIZE))
        A> * LIST (\HasNoChildren) "/" INBOX
        A> * STATUS INBOX (SIZE 58)
        A> c OK ...
        A= d SELECT INBOX
        A: e FETCH 1 (SAVEDATE INTERNALDATE)
        A> * 1 FETCH (SAVEDATE "14-Nov-2023 22:13:20 +0000" INTERNALDATE " 5-Jan-2020 10:22:33 +0000")
        A> e OK ...
        A: f SEARCH SAVEDON 14-Nov-2023 SAVEDSINCE 14-Nov-2023 SAVEDBEFORE 15-Nov-2023 SAVEDATESUPPORTED
        A> * SEARCH 1
        A> f OK ...
        A: g SEARCH OR SAVEDBEFORE 14-Nov-2023 SAVEDSINCE 15-Nov-2023
        A> * SEARCH
        A> g OK ...
        A: h CAPABILITY
        A> * CAPABILITY ... STATUS=SIZE OBJECTID SAVEDATE ... APPENDLIMIT=52428800
        A> h OK ...
        """,
    )
