"""The last SEARCH result as "$": RFC 5182."""

from pathlib import Path

from tests.listeners.imap_dialogue import play

SIX = (
    "".join(f"        A= {number} APPEND INBOX <two>\n" for number in range(1, 7))
    + "        A= s SELECT INBOX\n"
)


def test_what_was_saved_stands_for_numbers_and_for_uids(tmp_path: Path) -> None:
    play(
        tmp_path,
        SIX
        + r"""
        A= a STORE 1,3,5:6 FLAGS.SILENT (\Flagged)
        A: b SEARCH RETURN (SAVE) FLAGGED
        A> b OK ...
        A: c FETCH $ UID
        A> * 1 FETCH (UID 1)
        A> * 3 FETCH (UID 3)
        A> * 5 FETCH (UID 5)
        A> * 6 FETCH (UID 6)
        A> c OK ...
        A: d UID SEARCH NOT $ ALL
        A> * SEARCH 2 4
        A> d OK ...
        A: e SEARCH OR UID $ 2
        A> * SEARCH 1 2 3 5 6
        A> e OK ...
        A= f STORE 1 +FLAGS.SILENT (\Deleted)
        A= g EXPUNGE
        A: h FETCH $ UID
        A> * 2 FETCH (UID 3)
        A> * 4 FETCH (UID 5)
        A> * 5 FETCH (UID 6)
        A> h OK ...
        A= i CREATE Other
        A: j UID COPY $ Other
        A> j OK [COPYUID ... 3,5:6 1:3] ...
        A: k SEARCH RETURN (SAVE COUNT) UID $ UNFLAGGED
        A> * ESEARCH (TAG "k") COUNT 0
        A> k OK ...
        A: l FETCH $ UID
        A> l OK ...
        A: m STORE $ FLAGS (\Seen)
        A> m OK ...
        """,
    )


def test_what_is_saved_depends_on_what_is_asked_and_ends_with_the_selection(tmp_path: Path) -> None:
    """RFC 5182 §2.4: with MIN or MAX alone these are saved."""
    play(
        tmp_path,
        SIX
        + r"""
        A: a UID SEARCH RETURN (SAVE MIN) 2:5
        A> * ESEARCH (TAG "a") UID MIN 2
        A> a OK ...
        A: b SEARCH $
        A> * SEARCH 2
        A> b OK ...
        A: c SEARCH RETURN (MIN MAX SAVE) 2:5
        A> * ESEARCH (TAG "c") MIN 2 MAX 5
        A> c OK ...
        A: d SEARCH $
        A> * SEARCH 2 5
        A> d OK ...
        A: e SEARCH RETURN (MIN ALL SAVE) 2:5
        A> * ESEARCH (TAG "e") MIN 2 ALL 2:5
        A> e OK ...
        A: f SEARCH RETURN (ALL) BOGUS
        A> f BAD ...
        A: g SEARCH RETURN (COUNT) 1
        A> * ESEARCH (TAG "g") COUNT 1
        A> g OK ...
        A: h SEARCH $
        A> * SEARCH 2 3 4 5
        A> h OK ...
        A: i FETCH 1,$ UID
        A> i BAD ...
        A= j SELECT INBOX
        A: k SEARCH $
        A> * SEARCH
        A> k OK ...
        """,
    )
