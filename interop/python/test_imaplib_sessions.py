"""imaplib: how a session begins, what it may ask in each state, how it ends."""

import contextlib
import imaplib

import pytest

from interop import samples
from interop.witness import WAIT_SECONDS_MAX, Account
from tests.wire.imap import trust
from tests.wire.server import HOST, Server

Session = imaplib.IMAP4_SSL


def plain_connection(server: Server) -> imaplib.IMAP4:
    return imaplib.IMAP4(HOST, server.port("imap"), timeout=WAIT_SECONDS_MAX)


def test_login_without_tls_with_starttls_and_with_tls(server: Server, account: Account) -> None:
    with plain_connection(server) as session:
        assert session.login(account.address, account.password)[0] == "OK"
    with plain_connection(server) as session:
        assert "STARTTLS" in session.capabilities
        assert session.starttls(trust(server.certificate))[0] == "OK"
        assert "STARTTLS" not in session.capabilities
        assert session.login(account.address, account.password)[0] == "OK"
    with account.session() as session:
        assert session.state == "AUTH"


def test_authenticate_plain(server: Server, account: Account) -> None:
    answer = f"\0{account.address}\0{account.password}".encode()
    with plain_connection(server) as session:
        session.starttls(trust(server.certificate))
        assert "AUTH=PLAIN" in session.capabilities
        assert session.authenticate("PLAIN", lambda _: answer)[0] == "OK"
        assert session.select()[0] == "OK"


def test_authenticate_can_be_cancelled(server: Server, account: Account) -> None:
    with plain_connection(server) as session:
        session.starttls(trust(server.certificate))
        with pytest.raises(imaplib.IMAP4.error):
            session.authenticate("PLAIN", lambda _: None)
        assert session.login(account.address, account.password)[0] == "OK"


def test_a_wrong_password_and_an_unknown_user_are_told_the_same(server: Server, account: Account) -> None:
    said = []
    for user, password in ((account.address, "wrong"), ("nobody-of-that-name@example.test", "wrong")):
        with plain_connection(server) as session:
            session.starttls(trust(server.certificate))
            with pytest.raises(imaplib.IMAP4.error) as refusal:
                session.login(user, password)
            said.append(str(refusal.value))
    assert said[0] == said[1]
    assert "[AUTHENTICATIONFAILED]" in said[0]


def test_capability_names_what_is_promised(session: Session) -> None:
    _, lines = session.capability()
    assert {b"IMAP4rev1", b"UIDPLUS", b"MOVE", b"IDLE", b"UNSELECT", b"NAMESPACE"} <= set(lines[-1].split())


def test_noop_check_and_logout(session: Session) -> None:
    assert session.noop()[0] == "OK"
    session.select()
    assert session.check()[0] == "OK"
    assert session.logout()[0] == "BYE"


def test_commands_of_another_state_are_refused_and_the_session_goes_on(session: Session) -> None:
    session.state = "SELECTED"  # else imaplib refuses by itself
    with pytest.raises(imaplib.IMAP4.error):
        session.fetch("1", "(FLAGS)")
    assert session.noop()[0] == "OK"


def test_a_command_that_is_not_one_is_bad(session: Session) -> None:
    session.send(b"x1 NONSENSE\r\n")
    assert until(session, b"x1 ").startswith(b"x1 BAD")
    assert session.noop()[0] == "OK"


def test_select_tells_all_it_must(session: Session, account: Account) -> None:
    for flags in ("(\\Seen)", "", ""):
        account.append(samples.plain(), flags=flags)
    assert session.select() == ("OK", [b"3"])
    assert session.response("UIDVALIDITY")[1][0].isdigit()
    assert session.response("UIDNEXT")[1] == [b"4"]
    assert session.response("PERMANENTFLAGS")[1][0].endswith(b"\\*)")
    assert {b"\\Seen", b"\\Deleted"} <= set(session.response("FLAGS")[1][0].strip(b"()").split())
    assert session.response("RECENT")[1] == [b"3"]
    assert session.response("READ-WRITE")[1] == [b""]


def test_examine_takes_no_changes(session: Session, account: Account) -> None:
    account.append(samples.plain())
    assert session.select("INBOX", readonly=True) == ("OK", [b"1"])
    with contextlib.suppress(imaplib.IMAP4.error):  # refused or without effect
        session.store("1", "+FLAGS", "(\\Flagged)")
    session.fetch("1", "(BODY[])")
    session.close()
    assert account.messages()[0].flags == frozenset()


def test_close_expunges_and_unselect_does_not(session: Session, account: Account) -> None:
    for _ in range(2):
        account.append(samples.plain(), flags="(\\Deleted)")
    session.select()
    assert session.unselect()[0] == "OK"
    assert len(account.messages()) == 2
    session.select()
    assert session.close()[0] == "OK"
    assert account.messages() == []


def test_idle_tells_of_new_mail_of_flags_and_of_expunges(session: Session, account: Account) -> None:
    account.append(samples.plain())
    session.select()
    session.send(b"i1 IDLE\r\n")
    assert session.readline().startswith(b"+")
    account.append(samples.plain())
    assert until(session, b"EXISTS") == b"* 2 EXISTS"
    with account.session() as other:
        other.select()
        other.store("1", "+FLAGS", "(\\Deleted)")
        assert b"\\Deleted" in until(session, b"FETCH")
        other.expunge()
        assert until(session, b"EXPUNGE") == b"* 1 EXPUNGE"
    session.send(b"DONE\r\n")
    assert until(session, b"i1 OK").startswith(b"i1 OK")


def until(session: Session, word: bytes) -> bytes:
    """The first line that has this word; the connection's timeout ends a wait in vain."""
    while word not in (line := session.readline()):
        assert line, "the server closed the connection"
    return line.rstrip()


def test_a_session_sees_what_another_does(session: Session, account: Account) -> None:
    session.select()
    account.append(samples.plain())
    session.noop()
    assert session.response("EXISTS")[1][-1] == b"1"
    with account.session() as other:
        other.select()
        other.store("1", "+FLAGS.SILENT", "(\\Flagged \\Deleted)")
        session.noop()
        (told,) = session.response("FETCH")[1]
        assert b"\\Flagged" in told
        other.expunge()
    session.noop()
    assert session.response("EXPUNGE")[1] == [b"1"]
