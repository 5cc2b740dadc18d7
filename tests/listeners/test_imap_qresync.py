"""QRESYNC (RFC 7162 §3.2) over the whole way."""

import re
from pathlib import Path

from mailnode.limits import Limits
from mailnode.pb.change_pb2 import Expunge, Intent, UidRange
from tests.listeners.imap_dialogue import Wire, house, logged_in, play
from tests.listeners.loop import run

FIVE = "".join(f"        A= {number} APPEND INBOX <two>\n" for number in range(1, 6))
VALIDITY = 1700000000  # the clock of the house


def test_expunges_are_told_as_vanished_and_with_the_mod_sequence_of_ones_own(tmp_path: Path) -> None:
    play(
        tmp_path,
        FIVE
        + r"""
        A= a ENABLE QRESYNC
        A= b SELECT INBOX
        B= a SELECT INBOX
        B= b STORE 2,4 +FLAGS.SILENT (\Deleted)
        B= c EXPUNGE
        A: c FETCH 5 UID
        A> * 5 FETCH (UID 5)
        A> c OK ...
        A: d UID SEARCH 1:*
        A> * SEARCH 1 3 5
        A> d OK ...
        A: e NOOP
        A> * VANISHED 2,4
        A> e OK ...
        A: f UID STORE 1 +FLAGS.SILENT (\Deleted)
        A> * 1 FETCH (UID 1 MODSEQ (9))
        A> f OK ...
        A: g UID EXPUNGE 1:2
        A> * VANISHED 1
        A> g OK [HIGHESTMODSEQ 10] ...
        A: h EXPUNGE
        A> h OK Expunged
        A= i CREATE Other
        A: j UID MOVE 3 Other
        A> * OK [COPYUID ... 3 1] ...
        A> * VANISHED 3
        A> j OK [HIGHESTMODSEQ 12] ...
        B: d NOOP
        B> * 1 EXPUNGE
        B> * 1 EXPUNGE
        B> d OK ...
        """,
    )


def test_a_client_that_comes_back_is_told_what_it_missed(tmp_path: Path) -> None:
    selected = "\n".join(["* FLAGS ...", "* OK [PERMANENTFLAGS ...", "* 3 EXISTS", "* 0 RECENT"])
    selected += "\n* OK [UNSEEN ...\n* OK [UIDVALIDITY ...\n* OK [UIDNEXT ...\n* OK [HIGHESTMODSEQ ..."
    opening = "".join(f"        B> {line}\n" for line in [*selected.split("\n"), "* OK [MAILBOXID ..."])
    play(
        tmp_path,
        FIVE
        + rf"""
        A= a SELECT INBOX
        A= b STORE 2,4 +FLAGS.SILENT (\Deleted)
        A= c EXPUNGE
        A= d STORE 3 +FLAGS.SILENT (\Flagged)
        B= a ENABLE QRESYNC
        B: b SELECT INBOX (QRESYNC ({VALIDITY} 6))
{opening}
        B> * VANISHED (EARLIER) 2,4
        B> * 3 FETCH (UID 5 FLAGS (\Flagged) MODSEQ (9))
        B> b OK [READ-WRITE] ...
        B= c UNSELECT
        B: d EXAMINE INBOX (QRESYNC ({VALIDITY} 6 3:4))
{opening.replace("PERMANENTFLAGS", "PERMANENTFLAGS")}
        B> * VANISHED (EARLIER) 4
        B> d OK [READ-ONLY] ...
        B= e UNSELECT
        B: f SELECT INBOX (QRESYNC ({VALIDITY} 6 1:5 (1,2 1,3)))
{opening}
        B> * VANISHED (EARLIER) 4
        B> * 3 FETCH (UID 5 FLAGS (\Flagged) MODSEQ (9))
        B> f OK [READ-WRITE] ...
        B= g UNSELECT
        B: h SELECT INBOX (QRESYNC ({VALIDITY} 9))
{opening}
        B> h OK [READ-WRITE] ...
        B= i UNSELECT
        B: j SELECT INBOX (QRESYNC (1 6))
{opening}
        B> j OK [READ-WRITE] ...
        B: k UID FETCH 1:6 (FLAGS) (CHANGEDSINCE 7 VANISHED)
        B> * VANISHED (EARLIER) 2,4
        B> * 3 FETCH (UID 5 FLAGS (\Flagged) MODSEQ (9))
        B> k OK ...
        B: l UID FETCH 1:* UID (CHANGEDSINCE 8 VANISHED)
        B> * 3 FETCH (UID 5 MODSEQ (9))
        B> l OK ...
        """,
    )


async def told_at_select(wire: Wire, modseq: int) -> list[str]:
    wire.send(f"s SELECT INBOX (QRESYNC ({VALIDITY} {modseq}))", {})
    lines = [await wire.line()]
    while not lines[-1].startswith("s "):
        lines.append(await wire.line())
    assert lines[-1].startswith("s OK "), lines
    return [line for line in lines if "VANISHED" in line or re.match(r"\* \d+ FETCH", line)]


def test_where_expunges_are_forgotten_all_that_is_not_there_has_vanished(tmp_path: Path) -> None:
    """More has happened than a reader may lag behind: the difference is not to be had (RFC 7162 §3.2.5.1)."""

    async def body() -> None:
        limits = Limits(watch_pending_max=4)
        async with house(tmp_path, limits) as served:
            wire = await logged_in(served.port)
            for number in range(6):
                wire.send(f"a{number} APPEND INBOX <m+>", {"m": b"Subject: x\r\n\r\ny\r\n"})
                await wire.succeed(f"a{number}")
            expunge = Expunge(mailbox=1, uids=[UidRange(first=2, last=3)], whatever_flags=True)
            await served.account.apply(Intent(id=b"x" * 16, expunge=expunge))
            wire.send("b ENABLE QRESYNC", {})
            await wire.succeed("b")
            assert await told_at_select(wire, 7) == ["* VANISHED (EARLIER) 2:3"]
            forgotten = await told_at_select(wire, 1)
            assert forgotten[0] == "* VANISHED (EARLIER) 2:3"
            assert [line.split(" (")[0] for line in forgotten[1:]] == [f"* {n} FETCH" for n in range(1, 5)]
            wire.close()

    run(body())
