"""Bounds that are large by intent, made small: what is beyond is refused, the session and others go on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mailnode.limits import Limits
from tests.listeners.imap_dialogue import play

BEFORE = """
    A= a APPEND INBOX <one>
    A= b APPEND INBOX <two>
    A= c CREATE Other
    A= d SELECT INBOX
"""
AFTER = """
    B: z STATUS INBOX (MESSAGES)
    B> * STATUS INBOX (MESSAGES 2)
    B> z OK Said
"""
CASES = {
    "change_octets_max": (
        48,  # an entry has as many
        """
        A: e COPY 1:2 Other
        A> e NO [LIMIT] ...
        A: f MOVE 1:2 Other
        A> f NO [LIMIT] ...
        A: g COPY 2 Other
        A> g OK [COPYUID ...
        """,
    ),
    "mailboxes_max": (
        3,
        """
        A: e CREATE three
        A> e OK ...
        A: f CREATE four
        A> f NO [LIMIT] ...
        A: g RENAME three four/three
        A> g NO [LIMIT] ...
        A: h DELETE three
        A> h OK ...
        """,
    ),
    "mailbox_name_octets_max": (
        8,
        """
        A: e CREATE 123456789
        A> e NO ...
        A: f CREATE 12345678
        A> f OK ...
        """,
    ),
    "mailbox_depth_max": (
        2,
        """
        A: e CREATE a/b/c
        A> e NO ...
        A: f CREATE a/b
        A> f OK ...
        """,
    ),
    "imap_list_patterns_max": (
        2,
        """
        A: e LIST "" (x y z)
        A> e BAD ...
        A: f LIST "" (x y)
        A> f OK ...
        """,
    ),
    "keyword_octets_max": (
        5,
        """
        A: e STORE 1 +FLAGS.SILENT (abcdef)
        A> e NO ...
        A: f STORE 1 +FLAGS.SILENT (abcde)
        A> f OK ...
        """,
    ),
    "imap_depth_max": (
        2,
        """
        A: e SEARCH (((ALL)))
        A> e BAD ...
        A: f SEARCH (ALL)
        A> * SEARCH 1 2
        A> f OK ...
        """,
    ),
    "imap_sequence_ranges_max": (
        2,
        """
        A: e FETCH 1,3,5 UID
        A> e BAD ...
        A: f FETCH 1,2 UID
        A> * 1 FETCH (UID 1)
        A> * 2 FETCH (UID 2)
        A> f OK ...
        """,
    ),
    "imap_search_keys_max": (
        2,
        """
        A: e SEARCH UNSEEN UNDELETED ALL
        A> e NO [LIMIT] ...
        A: f SEARCH UNSEEN UNDELETED
        A> * SEARCH 1 2
        A> f OK ...
        """,
    ),
}


@pytest.mark.parametrize("limit", CASES)
def test_what_is_beyond_the_bound_is_refused_and_what_is_within_is_done(tmp_path: Path, limit: str) -> None:
    value, dialogue = CASES[limit]
    play(tmp_path, BEFORE + dialogue + AFTER, limits=replace(Limits(), **{limit: value}))
