"""SEARCH over the whole way: RFC 3501 §6.4.4, RFC 4731."""

from pathlib import Path

from tests.listeners.imap_dialogue import play

THREE = r"""
        A= 1 APPEND INBOX "01-Jan-2026 00:00:00 +0000" <one>
        A= 2 APPEND INBOX (\Seen Work) "02-Feb-2026 00:00:00 +0000" <two>
        A= 3 APPEND INBOX (\Deleted) "03-Mar-2026 00:00:00 +0000" <one>
        A= 4 SELECT INBOX
        A= 5 STORE 1 +FLAGS.SILENT (\Deleted)
        A= 6 UID EXPUNGE 1
"""


def test_search_finds_by_flag_number_date_size_and_text(tmp_path: Path) -> None:
    play(
        tmp_path,
        THREE
        + r"""
        A: a SEARCH UNSEEN
        A> * SEARCH 2
        A> a OK ...
        A: b UID SEARCH 1 KEYWORD work
        A> * SEARCH 2
        A> b OK ...
        A: c UID SEARCH UID 3 SINCE 3-Mar-2026
        A> * SEARCH 3
        A> c OK ...
        A: d SEARCH OR SMALLER 100 BODY "hello WORLD"
        A> * SEARCH 1 2
        A> d OK ...
        A: e SEARCH FROM ann@ SUBJECT first NOT TEXT goodbye SENTBEFORE 6-Jan-2026
        A> * SEARCH 2
        A> e OK ...
        A: f SEARCH CHARSET UTF-8 BODY {6+}
        A: Grüß DELETED
        A> * SEARCH
        A> f OK ...
        A: g SEARCH 3
        A> * SEARCH
        A> g OK ...
        A: h SEARCH NOT ALL
        A> * SEARCH
        A> h OK ...
        A: i SEARCH CHARSET EBCDIC ALL
        A> i NO [BADCHARSET...
        """,
    )


def test_esearch_returns_what_was_asked(tmp_path: Path) -> None:
    play(
        tmp_path,
        THREE
        + r"""
        A: a UID SEARCH RETURN (MIN MAX COUNT ALL) ALL
        A> * ESEARCH (TAG "a") UID MIN 2 MAX 3 ALL 2:3 COUNT 2
        A> a OK ...
        A: b SEARCH RETURN () SEEN
        A> * ESEARCH (TAG "b") ALL 1
        A> b OK ...
        A: c SEARCH RETURN (COUNT MIN) DRAFT
        A> * ESEARCH (TAG "c") COUNT 0
        A> c OK ...
        """,
    )


def test_search_by_how_long_ago_a_message_came(tmp_path: Path) -> None:
    """RFC 5032: the clock of this house stands at 22:13:20."""
    play(
        tmp_path,
        r"""
        A= a APPEND INBOX "14-Nov-2023 22:00:00 +0000" <one>
        A= b APPEND INBOX "14-Nov-2023 22:12:20 +0000" <two>
        A= c APPEND INBOX "15-Nov-2023 22:00:00 +0000" <two>
        A= d SELECT INBOX
        A: e SEARCH OLDER 60
        A> * SEARCH 1 2
        A> e OK ...
        A: f SEARCH OLDER 61
        A> * SEARCH 1
        A> f OK ...
        A: g SEARCH YOUNGER 60
        A> * SEARCH 2 3
        A> g OK ...
        A: h SEARCH OR YOUNGER 4294967295 SEEN NOT YOUNGER 700
        A> * SEARCH 1
        A> h OK ...
        """,
    )
