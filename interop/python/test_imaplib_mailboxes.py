"""imaplib: mailboxes as a tree."""

import imaplib

import pytest

from interop import samples
from interop.peers.postfix_dovecot import PostfixDovecot
from interop.witness import Account

Session = imaplib.IMAP4_SSL
STANDARD = {"INBOX", "Drafts", "Sent", "Junk", "Trash", "Archive"}


def listed(session: Session, pattern: str, command: str = "LIST") -> dict[str, str]:
    """Name -> attributes."""
    ask = session.list if command == "LIST" else session.lsub
    _, lines = ask('""', pattern)
    found = {}
    for line in lines:
        if isinstance(line, bytes):
            attributes, _, rest = line.decode()[1:].partition(") ")
            found[rest.split(" ", 1)[1].strip('"')] = attributes
    return found


def ok(answer: tuple[str, list[object]]) -> None:
    assert answer[0] == "OK", answer


def refused(answer: tuple[str, list[object]]) -> bytes:
    assert answer[0] == "NO", answer
    assert isinstance(answer[1][0], bytes)
    return answer[1][0]


def test_a_new_account_has_the_standard_mailboxes(session: Session) -> None:
    found = listed(session, "*")
    assert set(found) == STANDARD
    _, lines = session._simple_command("LIST", '""', "%", "RETURN", "(SPECIAL-USE)")
    assert lines


def test_create_rename_delete_of_a_tree(session: Session, account: Account) -> None:
    ok(session.create("Work/2026/Bills"))
    account.append(samples.plain(), "Work/2026/Bills")
    assert {"Work", "Work/2026", "Work/2026/Bills"} <= set(listed(session, "*"))
    assert set(listed(session, "Work/%")) == {"Work/2026"}
    ok(session.rename("Work", "Job"))
    assert set(listed(session, "Job*")) == {"Job", "Job/2026", "Job/2026/Bills"}
    assert listed(session, "Work*") == {}
    assert len(account.messages("Job/2026/Bills")) == 1
    ok(session.delete("Job/2026/Bills"))
    assert "Job/2026/Bills" not in listed(session, "*")


def test_impossible_names_are_refused(session: Session) -> None:
    for name in ("There", "Here"):
        ok(session.create(name))
    assert b"[ALREADYEXISTS]" in refused(session.create("There"))
    assert b"[NONEXISTENT]" in refused(session.delete("Nowhere"))
    assert b"[NONEXISTENT]" in refused(session.rename("Nowhere", "Somewhere"))
    assert b"[ALREADYEXISTS]" in refused(session.rename("There", "Here"))
    refused(session.delete("INBOX"))
    refused(session.create("INBOX"))


def test_rename_of_inbox_moves_its_messages(session: Session, account: Account) -> None:
    if account.server.name == PostfixDovecot.name:
        pytest.skip("Dovecot does not rename INBOX of a Maildir")
    message = samples.plain()
    account.append(message)
    ok(session.rename("INBOX", "Old"))
    assert account.octets("Old") == [message]
    assert account.octets() == []
    assert "INBOX" in listed(session, "*")


def test_inbox_is_one_whatever_its_case(session: Session, account: Account) -> None:
    account.append(samples.plain(), "iNbOx")
    assert session.select("inbox") == ("OK", [b"1"])


def test_names_in_modified_utf7_are_kept(session: Session) -> None:
    name = "Entw&APw-rfe/&ZeVnLIqe-"  # RFC 3501 §5.1.3
    ok(session.create(name))
    assert name in listed(session, "*")
    ok(session.select(f'"{name}"'))  # type: ignore[arg-type]


def test_names_with_spaces_and_quotes_are_kept(session: Session) -> None:
    ok(session.create('"My \\"own\\" box"'))
    assert any("own" in name for name in listed(session, '"My*"'))


def test_subscriptions_are_kept(session: Session) -> None:
    for name in ("News", "News/Far"):
        ok(session.create(name))
    ok(session.subscribe("News/Far"))
    assert "News/Far" in listed(session, '"*"', "LSUB")
    assert "News" not in listed(session, '"News"', "LSUB")
    assert "\\Noselect" in listed(session, '"News%"', "LSUB").get("News", "")
    ok(session.unsubscribe("News/Far"))
    assert listed(session, '"News*"', "LSUB") == {}


def test_status_counts(session: Session, account: Account) -> None:
    for flags in ("(\\Seen)", "", "(\\Flagged)"):
        account.append(samples.plain(), "Archive", flags)
    _, (line,) = session.status("Archive", "(MESSAGES RECENT UIDNEXT UIDVALIDITY UNSEEN)")
    assert isinstance(line, bytes)
    words = line.decode().rpartition("(")[2].rstrip(")").split()
    counts = dict(zip(words[::2], map(int, words[1::2]), strict=True))
    assert (counts["MESSAGES"], counts["UIDNEXT"], counts["UNSEEN"]) == (3, 4, 2)
    refused(session.status("Nowhere", "(MESSAGES)"))


def test_a_mailbox_made_again_is_another_one(session: Session, account: Account) -> None:
    validities = []
    for _ in range(2):
        ok(session.create("Again"))
        account.append(samples.plain(), "Again")
        session.select("Again")
        validities.append(session.response("UIDVALIDITY")[1])
        session.unselect()
        ok(session.delete("Again"))
    assert validities[0] != validities[1]


def test_namespace_is_told(session: Session) -> None:
    status, (line,) = session.namespace()
    assert status == "OK"
    assert line.startswith(b'(("" "/"))')


def test_select_of_what_is_not_there_leaves_nothing_selected(session: Session) -> None:
    session.select()
    assert session.select("Nowhere")[0] == "NO"
    with pytest.raises(imaplib.IMAP4.error):
        session._simple_command("CLOSE")
        session.state = "SELECTED"
        session.fetch("1", "(FLAGS)")
