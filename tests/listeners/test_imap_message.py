"""STORE, COPY, MOVE, EXPUNGE: RFC 3501 §6.4.3-7, RFC 4315, RFC 6851."""

from pathlib import Path

from tests.listeners.imap_dialogue import play

THREE = r"""
        A= 1 APPEND INBOX <one>
        A= 2 APPEND INBOX (\Seen) <two>
        A= 3 APPEND INBOX <one>
        A= 4 CREATE Kept
        A= 5 SELECT INBOX
"""


def test_store_says_the_flags_of_every_message_of_the_set(tmp_path: Path) -> None:
    play(
        tmp_path,
        THREE
        + r"""
        A: a STORE 1:2 +FLAGS (\Seen)
        A> * 1 FETCH (UID 1 FLAGS (\Recent \Seen))
        A> * 2 FETCH (UID 2 FLAGS (\Recent \Seen))
        A> a OK ...
        A: b UID STORE 2:3,77 FLAGS.SILENT (\Draft $Forwarded)
        A> b OK ...
        A: c FETCH 2:3 FLAGS
        A> * FLAGS (... $Forwarded)
        A> * OK [PERMANENTFLAGS (... $Forwarded \*)] ...
        A> * 2 FETCH (FLAGS (\Recent \Draft $Forwarded))
        A> * 3 FETCH (FLAGS (\Recent \Draft $Forwarded))
        A> c OK ...
        A: d STORE 3 -FLAGS ($forwarded \Seen)
        A> * 3 FETCH (UID 3 FLAGS (\Recent \Draft))
        A> d OK ...
        A: e STORE 4 +FLAGS (\Seen)
        A> e BAD ...
        A: f UID STORE 99 +FLAGS (\Seen)
        A> f OK ...
        """,
    )


def test_keywords_have_their_bound(tmp_path: Path) -> None:
    keywords = " ".join(f"K{number}" for number in range(58))
    play(
        tmp_path,
        THREE
        + rf"""
        A: a STORE 1 FLAGS ({keywords})
        A> * FLAGS (... K57)
        A> * OK [PERMANENTFLAGS (... K57)] ...
        A> * 1 FETCH (UID 1 FLAGS (\Recent K0 ... K57))
        A> a OK ...
        A: b STORE 1 +FLAGS (K58)
        A> b NO [LIMIT] ...
        A= c STORE 1 -FLAGS (K7)
        A: d STORE 1 +FLAGS (K58)
        A> * FLAGS (... K6 K58 K8 ...)
        A> * OK [PERMANENTFLAGS (... K6 K58 K8 ...)] ...
        A> * 1 FETCH (UID 1 FLAGS (... K6 K58 K8 ...))
        A> d OK ...
        """,
    )


def test_copy_says_copyuid_and_carries_flags_and_keywords(tmp_path: Path) -> None:
    play(
        tmp_path,
        THREE
        + r"""
        A= a STORE 3 +FLAGS (\Flagged Work)
        A: b COPY 2:3 Kept
        A> b OK [COPYUID ... 2:3 1:2] ...
        A: c COPY 1 Nowhere
        A> c NO [TRYCREATE] ...
        A: d UID COPY 99 Kept
        A> d OK ...
        A= e SELECT Kept
        A: f FETCH 1:* FLAGS
        A> * 1 FETCH (FLAGS (\Recent \Seen))
        A> * 2 FETCH (FLAGS (\Recent \Flagged Work))
        A> f OK ...
        """,
    )


def test_a_copy_into_the_same_mailbox_is_told(tmp_path: Path) -> None:
    play(
        tmp_path,
        THREE
        + r"""
        A: a COPY 1 INBOX
        A> * 4 EXISTS
        A> * 4 RECENT
        A> a OK [COPYUID ... 1 4] ...
        """,
    )


def test_move_says_copyuid_before_the_expunges(tmp_path: Path) -> None:
    play(
        tmp_path,
        THREE
        + r"""
        A: a MOVE 1,3 Kept
        A> * OK [COPYUID ... 1,3 1:2] ...
        A> * 1 EXPUNGE
        A> * 2 EXPUNGE
        A> a OK ...
        A: b UID MOVE 2 Nowhere
        A> b NO [TRYCREATE] ...
        A: c UID MOVE 99 Kept
        A> c OK ...
        A: d STATUS Kept (MESSAGES UNSEEN)
        A> * STATUS Kept (MESSAGES 2 UNSEEN 2)
        A> d OK ...
        """,
    )


def test_expunge_takes_what_is_deleted_and_uid_expunge_only_of_its_set(tmp_path: Path) -> None:
    play(
        tmp_path,
        THREE
        + r"""
        A= a STORE 1:3 +FLAGS.SILENT (\Deleted)
        A: b UID EXPUNGE 2
        A> * 2 EXPUNGE
        A> b OK ...
        A: c EXPUNGE
        A> * 1 EXPUNGE
        A> * 1 EXPUNGE
        A> c OK ...
        A: d EXPUNGE
        A> d OK ...
        """,
    )
