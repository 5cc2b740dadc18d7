"""The list of mailboxes: RFC 3501 §6.3.3-10, RFC 5258, RFC 5819, RFC 6154."""

from pathlib import Path

from tests.listeners.imap_dialogue import play


def test_create_makes_missing_parents_and_delete_leaves_the_name_of_a_parent(tmp_path: Path) -> None:
    play(
        tmp_path,
        r"""
        A= a CREATE Work/2026/
        A: b CREATE work/../x
        A> b OK ...
        A: c LIST "" Work*
        A> * LIST (\HasChildren) "/" Work
        A> * LIST (\HasNoChildren) "/" Work/2026
        A> c OK ...
        A: d DELETE Work
        A> d OK ...
        A: e LIST "" Work%
        A> * LIST (\Noselect \HasChildren) "/" Work
        A> e OK ...
        A: f SELECT Work
        A> f NO [NONEXISTENT] ...
        A: g DELETE Work
        A> g NO [HASCHILDREN] ...
        A: h CREATE Work
        A> h OK ...
        A: i CREATE Work
        A> i NO [ALREADYEXISTS] ...
        A: j DELETE Nowhere
        A> j NO [NONEXISTENT] ...
        A: k DELETE inbox
        A> k NO [CANNOT] ...
        A: l CREATE a//b
        A> l NO [CANNOT] ...
        """,
    )


def test_rename_moves_the_tree_and_rename_of_inbox_its_messages(tmp_path: Path) -> None:
    play(
        tmp_path,
        r"""
        A= a CREATE Old/Deep
        A= b APPEND Old/Deep <one>
        A= c APPEND INBOX <two>
        A: d RENAME Old New/Place
        A> d OK ...
        A: e STATUS New/Place/Deep (MESSAGES)
        A> * STATUS New/Place/Deep (MESSAGES 1)
        A> e OK ...
        A: f RENAME Old Other
        A> f NO [NONEXISTENT] ...
        A: g RENAME New/Place New/Place/Deep/Below
        A> g NO [CANNOT] ...
        A: h RENAME New INBOX
        A> h NO [ALREADYEXISTS] ...
        A= i SELECT INBOX
        A: j RENAME INBOX Archive
        A> * 1 EXPUNGE
        A> j OK ...
        A: k STATUS INBOX (MESSAGES UIDNEXT)
        A> * STATUS INBOX (MESSAGES 0 UIDNEXT 2)
        A> k OK ...
        A: l STATUS Archive (MESSAGES)
        A> * STATUS Archive (MESSAGES 1)
        A> l OK ...
        """,
    )


def test_subscriptions_outlive_their_mailboxes(tmp_path: Path) -> None:
    play(
        tmp_path,
        r"""
        A= a CREATE Lists/net
        A= b SUBSCRIBE Lists/net
        A= c DELETE Lists/net
        A: d LSUB "" *
        A> * LSUB () "/" INBOX
        A> * LSUB () "/" Lists/net
        A> d OK ...
        A: e LIST (SUBSCRIBED) "" *
        A> * LIST (\HasNoChildren \Subscribed) "/" INBOX
        A> * LIST (\NonExistent \HasNoChildren \Subscribed) "/" Lists/net
        A> e OK ...
        A: f LSUB "" %
        A> * LSUB () "/" INBOX
        A> * LSUB (\Noselect) "/" Lists
        A> f OK ...
        A= g UNSUBSCRIBE Lists/net
        A: h LSUB "" Lists*
        A> h OK ...
        """,
    )


def test_list_returns_status_special_use_and_children(tmp_path: Path) -> None:
    play(
        tmp_path,
        r"""
        A= a CREATE Sent (USE (\Sent))
        A: b CREATE Gone (USE (\Sent))
        A> b NO [USEATTR] ...
        A= c APPEND Sent (\Seen) <one>
        A= d CREATE Sent/2025
        A: e LIST "" (INBOX Sent) RETURN (STATUS (MESSAGES UNSEEN) SPECIAL-USE)
        A> * LIST (\HasNoChildren) "/" INBOX
        A> * STATUS INBOX (MESSAGES 0 UNSEEN 0)
        A> * LIST (\Sent \HasChildren) "/" Sent
        A> * STATUS Sent (MESSAGES 1 UNSEEN 0)
        A> e OK ...
        A: f LIST (SPECIAL-USE) "" *
        A> * LIST (\Sent \HasChildren) "/" Sent
        A> f OK ...
        A: g LIST "" ""
        A> * LIST (\Noselect) "/" ""
        A> g OK ...
        A: h NAMESPACE
        A> * NAMESPACE (("" "/")) NIL NIL
        A> h OK ...
        """,
    )


def test_names_are_modified_utf_7_on_the_wire(tmp_path: Path) -> None:
    play(
        tmp_path,
        r"""
        A= a CREATE "Entw&APw-rfe"
        A: b LIST "" "E*"
        A> * LIST (\HasNoChildren) "/" Entw&APw-rfe
        A> b OK ...
        A: c STATUS "Entw&APw-rfe" (UIDNEXT)
        A> * STATUS Entw&APw-rfe (UIDNEXT 1)
        A> c OK ...
        A: d CREATE "bad&x"
        A> d NO [CANNOT] ...
        """,
    )


def test_status_of_what_cannot_be_selected_is_refused(tmp_path: Path) -> None:
    play(
        tmp_path,
        """
        A: a STATUS Nowhere (MESSAGES)
        A> a NO [NONEXISTENT] ...
        """,
    )
