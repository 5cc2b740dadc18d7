"""What other sessions do is told as RFC 9051 §7.5.1 and §5.2 allow, at once in IDLE (§6.3.13)."""

from dataclasses import replace
from pathlib import Path

from mailnode.limits import Limits
from tests.listeners.imap_dialogue import play

THREE = r"""
        A= 1 APPEND INBOX <one>
        A= 2 APPEND INBOX <two>
        A= 3 APPEND INBOX <one>
        A= 4 SELECT INBOX
        B= 4 SELECT INBOX
"""


def test_a_message_that_comes_is_told_before_the_next_answer(tmp_path: Path) -> None:
    play(
        tmp_path,
        r"""
        A= a SELECT INBOX
        B= a APPEND INBOX <one>
        A: b NOOP
        A> * 1 EXISTS
        A> * 1 RECENT
        A> b OK ...
        A: c NOOP
        A> c OK ...
        """,
    )


def test_the_session_that_appends_to_its_mailbox_is_told_before_the_ok(tmp_path: Path) -> None:
    play(
        tmp_path,
        r"""
        A= a SELECT INBOX
        A: b APPEND INBOX <one+>
        A> * 1 EXISTS
        A> * 1 RECENT
        A> b OK [APPENDUID ... 1] ...
        """,
    )


def test_expunge_is_withheld_during_fetch_store_and_search_by_number(tmp_path: Path) -> None:
    play(
        tmp_path,
        THREE
        + r"""
        B= a STORE 1 +FLAGS.SILENT (\Deleted)
        B= b EXPUNGE
        A: c FETCH 2 UID
        A> * 2 FETCH (UID 2)
        A> c OK ...
        A: d STORE 3 +FLAGS (\Seen)
        A> * 3 FETCH (UID 3 FLAGS (\Recent \Seen))
        A> d OK ...
        A: e SEARCH ALL
        A> * SEARCH 2 3
        A> e OK ...
        A: f UID SEARCH ALL
        A> * SEARCH 2 3
        A> * 1 EXPUNGE
        A> f OK ...
        A: g FETCH 1:2 UID
        A> * 1 FETCH (UID 2)
        A> * 2 FETCH (UID 3)
        A> g OK ...
        """,
    )


EXPUNGED = (
    THREE
    + r"""
        A= 5 NOOP
        B= 5 STORE 2 +FLAGS.SILENT (\Deleted $Odd)
        B= 6 EXPUNGE
    """
)


def test_a_fetch_of_what_another_session_expunged_gives_it_as_it_was(tmp_path: Path) -> None:
    """RFC 2180 §4.1.3: until the client is told, what it fetches is there."""
    play(
        tmp_path,
        EXPUNGED
        + r"""
        C= a APPEND INBOX <two>
        A: c FETCH 1:* (UID FLAGS)
        A> * FLAGS (\Answered \Flagged \Deleted \Seen \Draft $Odd)
        A> * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft $Odd \*)] ...
        A> * 1 FETCH (UID 1 FLAGS (\Recent))
        A> * 3 FETCH (UID 3 FLAGS (\Recent))
        A> * 2 FETCH (UID 2 FLAGS (\Recent \Deleted $Odd))
        A> * 4 EXISTS
        A> * 4 RECENT
        A> c OK ...
        A: d FETCH 2:3 (BODY.PEEK[TEXT] RFC822.SIZE ENVELOPE)
        A> * 3 FETCH (BODY[TEXT] {13}
        A> Hello world
        A>  RFC822.SIZE ...
        A> * 2 FETCH (BODY[TEXT] {9}
        A> Goodbye
        A>  RFC822.SIZE ...
        A> d OK ...
        A: e UID FETCH 2 BODY[]
        A> * 2 FETCH (UID 2 BODY[] {58}
        A> From: Bob <bob@example.test>
        A> Subject: Second
        A>
        A> Goodbye
        A> )
        A> * 2 EXPUNGE
        A> e OK ...
        A: f UID FETCH 2 BODY[]
        A> f OK ...
        """,
    )


def test_a_fetch_of_what_is_no_longer_kept_answers_the_rest(tmp_path: Path) -> None:
    play(
        tmp_path,
        EXPUNGED
        + r"""
        A: c FETCH 1:* UID
        A> * FLAGS ...
        A> * OK [PERMANENTFLAGS ...
        A> * 1 FETCH (UID 1)
        A> * 3 FETCH (UID 3)
        A> c NO [EXPUNGEISSUED] ...
        A: d UID FETCH 1:* UID
        A> * 1 FETCH (UID 1)
        A> * 3 FETCH (UID 3)
        A> * 2 EXPUNGE
        A> d OK ...
        """,
        limits=replace(Limits(), departed_entries_max=0),
    )


def test_store_and_copy_of_what_another_session_expunged_say_so(tmp_path: Path) -> None:
    """RFC 2180 §4.2: STORE does what it can; COPY and MOVE do all or nothing (RFC 3501 §6.4.7)."""
    play(
        tmp_path,
        EXPUNGED
        + r"""
        B= 9 CREATE Other
        A: a STORE 1:2 +FLAGS (\Seen)
        A> * FLAGS ...
        A> * OK [PERMANENTFLAGS ...
        A> * 1 FETCH (UID 1 FLAGS (\Recent \Seen))
        A> a NO [EXPUNGEISSUED] ...
        A: b STORE 2:3 +FLAGS.SILENT (\Flagged)
        A> b NO [EXPUNGEISSUED] ...
        A: c COPY 1:2 Other
        A> * 2 EXPUNGE
        A> c NO [EXPUNGEISSUED] ...
        A: d STATUS Other (MESSAGES)
        A> * STATUS Other (MESSAGES 0)
        A> d OK ...
        B= 7 STORE 2 +FLAGS (\Deleted)
        B= 8 EXPUNGE
        A: e MOVE 1:2 Other
        A> * 2 EXPUNGE
        A> e NO [EXPUNGEISSUED] ...
        A: f UID STORE 1:3 FLAGS (\Seen)
        A> * 1 FETCH (UID 1 FLAGS (\Recent \Seen))
        A> f OK ...
        A: g UID COPY 1:3 Other
        A> g OK [COPYUID ... 1 1] ...
        """,
    )


def test_flags_that_another_session_changes_are_told_even_to_a_silent_store(tmp_path: Path) -> None:
    play(
        tmp_path,
        THREE
        + r"""
        B: a STORE 1:2 FLAGS (\Flagged New)
        B> * FLAGS (\Answered \Flagged \Deleted \Seen \Draft New)
        B> * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft New \*)] ...
        B> * 1 FETCH (UID 1 FLAGS (\Flagged New))
        B> * 2 FETCH (UID 2 FLAGS (\Flagged New))
        B> a OK ...
        A: b STORE 2:3 +FLAGS.SILENT (\Seen)
        A> * FLAGS (\Answered \Flagged \Deleted \Seen \Draft New)
        A> * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft New \*)] ...
        A> * 1 FETCH (UID 1 FLAGS (\Recent \Flagged New))
        A> * 2 FETCH (UID 2 FLAGS (\Recent \Flagged \Seen New))
        A> b OK ...
        B: c NOOP
        B> * 2 FETCH (UID 2 FLAGS (\Flagged \Seen New))
        B> * 3 FETCH (UID 3 FLAGS (\Seen))
        B> c OK ...
        """,
    )


def test_idle_tells_at_once_and_ends_with_done(tmp_path: Path) -> None:
    play(
        tmp_path,
        THREE
        + r"""
        A: a IDLE
        A> + idling
        B= b STORE 3 +FLAGS.SILENT (\Answered)
        A> * 3 FETCH (UID 3 FLAGS (\Recent \Answered))
        B= c APPEND INBOX <one>
        A> * 4 EXISTS
        A> * 4 RECENT
        B= d STORE 1:2 +FLAGS.SILENT (\Deleted)
        A> * 1 FETCH (UID 1 FLAGS (\Recent \Deleted))
        A> * 2 FETCH (UID 2 FLAGS (\Recent \Deleted))
        B= e EXPUNGE
        A> * 1 EXPUNGE
        A> * 1 EXPUNGE
        A: DONE
        A> a OK ...
        A: f NOOP
        A> f OK ...
        """,
    )


def test_idle_without_a_selected_mailbox_waits_for_done(tmp_path: Path) -> None:
    play(
        tmp_path,
        """
        A: a IDLE
        A> + idling
        A: done
        A> a OK ...
        """,
    )


def test_who_is_too_far_behind_is_told_the_difference(tmp_path: Path) -> None:
    play(
        tmp_path,
        THREE
        + r"""
        B= a STORE 1 +FLAGS (\Flagged)
        B= b STORE 2 +FLAGS (\Deleted)
        B= c EXPUNGE
        B= d APPEND INBOX <one>
        A: e NOOP
        A> * 2 EXPUNGE
        A> * 3 EXISTS
        A> * 2 RECENT
        A> * 1 FETCH (UID 1 FLAGS (\Recent \Flagged))
        A> * 2 FETCH (UID 3 FLAGS (\Recent))
        A> e OK ...
        """,
        limits=replace(Limits(), watch_pending_max=2),
    )


def test_a_mailbox_that_is_deleted_while_selected_is_empty(tmp_path: Path) -> None:
    play(
        tmp_path,
        r"""
        A= a CREATE Work
        A= b APPEND Work <one>
        A= c SELECT Work
        B= a DELETE Work
        A: d FETCH 1 FLAGS
        A> d NO [NONEXISTENT] ...
        A: e NOOP
        A> * 1 EXPUNGE
        A> e OK ...
        A: f SEARCH ALL
        A> f NO [NONEXISTENT] ...
        A: g CLOSE
        A> g OK ...
        """,
    )
