"""SELECT, EXAMINE, CLOSE, UNSELECT: RFC 3501 §6.3.1-2, RFC 9051 §6.3.2-3, §6.4.1-2."""

from pathlib import Path

from tests.listeners.imap_dialogue import play


def test_a_message_goes_in_and_comes_out(tmp_path: Path) -> None:
    play(
        tmp_path,
        r"""
        A: a APPEND INBOX (\Seen $Work) "05-Jan-2026 11:22:33 +0100" <one>
        A> + OK
        A> a OK [APPENDUID ... 1] ...
        A: b SELECT inbox
        A> * FLAGS (\Answered \Flagged \Deleted \Seen \Draft $Work)
        A> * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft $Work \*)] ...
        A> * 1 EXISTS
        A> * 1 RECENT
        A> * OK [UIDVALIDITY ...] ...
        A> * OK [UIDNEXT 2] ...
        A> b OK [READ-WRITE] ...
        A: c FETCH 1 (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[TEXT])
        A> * 1 FETCH (UID 1 FLAGS (\Recent \Seen $Work) INTERNALDATE " 5-Jan-2026 10:22:33 +0000" ...
        A> Hello world
        A> )
        A> c OK ...
        """,
    )


def test_select_names_the_first_unseen_message(tmp_path: Path) -> None:
    play(
        tmp_path,
        r"""
        A= a APPEND INBOX (\Seen) <one>
        A= b APPEND INBOX <two>
        A= c APPEND INBOX <two>
        A: d SELECT INBOX
        A> * FLAGS ...
        A> * OK [PERMANENTFLAGS ...
        A> * 3 EXISTS
        A> * 3 RECENT
        A> * OK [UNSEEN 2] ...
        A> * OK [UIDVALIDITY ...
        A> * OK [UIDNEXT 4] ...
        A> d OK [READ-WRITE] ...
        """,
    )


def test_examine_takes_nothing_away_and_changes_nothing(tmp_path: Path) -> None:
    play(
        tmp_path,
        r"""
        A= a APPEND INBOX (\Deleted) <one>
        A: b EXAMINE INBOX
        A> * FLAGS ...
        A> * OK [PERMANENTFLAGS ()] ...
        A> * 1 EXISTS
        A> * 1 RECENT
        A> * OK [UNSEEN 1] ...
        A> * OK [UIDVALIDITY ...
        A> * OK [UIDNEXT 2] ...
        A> b OK [READ-ONLY] ...
        A: c STORE 1 +FLAGS (\Seen)
        A> c NO [READ-ONLY] ...
        A: d EXPUNGE
        A> d NO [READ-ONLY] ...
        A: e MOVE 1 INBOX
        A> e NO [READ-ONLY] ...
        A: f FETCH 1 BODY[TEXT]
        A> * 1 FETCH (BODY[TEXT] {13}
        A> Hello world
        A> )
        A> f OK ...
        A= g CLOSE
        A: h STATUS INBOX (MESSAGES RECENT UNSEEN)
        A> * STATUS INBOX (MESSAGES 1 RECENT 1 UNSEEN 1)
        A> h OK ...
        """,
    )


def test_only_the_first_session_that_is_told_sees_recent(tmp_path: Path) -> None:
    play(
        tmp_path,
        r"""
        A= a APPEND INBOX <one>
        A= b SELECT INBOX
        B: a SELECT INBOX
        B> * FLAGS ...
        B> * OK [PERMANENTFLAGS ...
        B> * 1 EXISTS
        B> * 0 RECENT
        B> * OK [UNSEEN 1] ...
        B> * OK [UIDVALIDITY ...
        B> * OK [UIDNEXT 2] ...
        B> a OK [READ-WRITE] ...
        C= a APPEND INBOX <two>
        A: c NOOP
        A> * 2 EXISTS
        A> * 2 RECENT
        A> c OK ...
        A: d SEARCH RECENT
        A> * SEARCH 1 2
        A> d OK ...
        C: b STATUS INBOX (RECENT)
        C> * STATUS INBOX (RECENT 0)
        C> b OK ...
        """,
    )


def test_another_select_closes_what_was_selected(tmp_path: Path) -> None:
    play(
        tmp_path,
        r"""
        A= a CREATE Work
        A= b SELECT INBOX
        A: c SELECT Work
        A> * OK [CLOSED] ...
        A> * FLAGS ...
        A> * OK [PERMANENTFLAGS ...
        A> * 0 EXISTS
        A> * 0 RECENT
        A> * OK [UIDVALIDITY ...
        A> * OK [UIDNEXT 1] ...
        A> c OK [READ-WRITE] ...
        B= a APPEND INBOX <one>
        A: d NOOP
        A> d OK ...
        """,
    )


def test_a_select_that_fails_leaves_nothing_selected(tmp_path: Path) -> None:
    play(
        tmp_path,
        r"""
        A= a SELECT INBOX
        A: b SELECT Nowhere
        A> * OK [CLOSED] ...
        A> b NO [NONEXISTENT] ...
        A: c FETCH 1 FLAGS
        A> c BAD ...
        """,
    )


def test_close_expunges_in_silence_and_unselect_does_not(tmp_path: Path) -> None:
    play(
        tmp_path,
        r"""
        A= a APPEND INBOX (\Deleted) <one>
        A= b APPEND INBOX <two>
        A= c SELECT INBOX
        A: d UNSELECT
        A> d OK ...
        A: e STATUS INBOX (MESSAGES)
        A> * STATUS INBOX (MESSAGES 2)
        A> e OK ...
        A= f SELECT INBOX
        A: g CLOSE
        A> g OK ...
        A: h STATUS INBOX (MESSAGES UIDNEXT UNSEEN DELETED SIZE)
        A> * STATUS INBOX (MESSAGES 1 UIDNEXT 3 UNSEEN 1 DELETED 0 SIZE 58)
        A> h OK ...
        """,
    )
