"""imaplib: what extensions add. Most have no method there, so their commands are written out."""

import base64
import imaplib
from collections.abc import Callable

import pytest

from interop import samples
from interop.witness import WAIT_SECONDS_MAX, Account
from tests.wire.imap import trust
from tests.wire.server import HOST

Session = imaplib.IMAP4_SSL
Ask = Callable[[Session], tuple[str, list[object]]]


def command(session: Session, text: str) -> tuple[bytes, list[bytes]]:
    """Send it; the tagged answer without its tag, and the untagged lines before it. No literals."""
    tag = session._new_tag()
    session.send(tag + b" " + text.encode() + b"\r\n")
    untagged = []
    while not (line := session.readline().rstrip()).startswith(tag):
        assert line, "the server closed the connection"
        untagged.append(line)
    return line[len(tag) + 1 :], untagged


def ok(session: Session, text: str) -> list[bytes]:
    answer, untagged = command(session, text)
    assert answer.startswith(b"OK"), answer
    return untagged


def test_enable_tells_what_it_turned_on(session: Session) -> None:
    assert session.enable("X-NONE")[0] == "OK"
    assert b"X-NONE" not in (session.response("ENABLED")[1][0] or b"")


def test_names_are_in_utf8_once_that_is_enabled(session: Session, account: Account) -> None:
    if b"UTF8=ACCEPT" not in session.capability()[1][-1]:
        pytest.skip("the server has no UTF8=ACCEPT")
    assert session.enable("UTF8=ACCEPT")[0] == "OK"
    assert session.response("ENABLED")[1] == [b"UTF8=ACCEPT"]
    assert session.create('"Grüße/你好"')[0] == "OK"
    assert session.list('"Grüße/"', '"*"')[1] == ['(\\HasNoChildren) "/" "Grüße/你好"'.encode()]
    assert session.select('"Grüße/你好"') == ("OK", [b"0"])
    assert "Gr&APwA3w-e/&T2BZfQ-" in account.mailboxes()


def test_id_is_exchanged(session: Session) -> None:
    for asked in ('ID ("name" "imaplib" "version" NIL)', "ID NIL"):
        assert [line for line in ok(session, asked) if line.startswith(b"* ID (")]


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("RETURN (MIN MAX) UNSEEN", b"MIN 2 MAX 4"),
        ("RETURN (COUNT) ALL", b"COUNT 4"),
        ("RETURN (ALL) UNSEEN", b"ALL 2:4"),
        ("RETURN () UNSEEN", b"ALL 2:4"),
        ("RETURN (MIN COUNT) SUBJECT nowhere", b"COUNT 0"),
    ],
)
def test_esearch_gives_what_was_asked_for(
    session: Session, account: Account, asked: str, told: bytes
) -> None:
    for flags in ("(\\Seen)", "", "", ""):
        account.append(samples.plain(), flags=flags)
    session.select()
    for prefix, uid in (("SEARCH", b""), ("UID SEARCH", b"UID ")):
        (line,) = ok(session, f"{prefix} {asked}")
        assert line.startswith(b"* ESEARCH (TAG ") and line.endswith(b") " + uid + told), line


def test_list_takes_patterns_and_gives_status(session: Session, account: Account) -> None:
    account.append(samples.plain(), "Archive")
    told = ok(session, 'LIST "" (INBOX "Arch*") RETURN (SUBSCRIBED SPECIAL-USE STATUS (MESSAGES UNSEEN))')
    lists = [line for line in told if line.startswith(b"* LIST ")]
    assert len(lists) == 2
    (archive,) = [line for line in lists if line.endswith(b"Archive")]
    assert b"\\Archive" in archive and b"\\Subscribed" in archive
    assert [line for line in told if line.endswith((b"(MESSAGES 1 UNSEEN 1)", b"(UNSEEN 1 MESSAGES 1)"))]
    assert [line for line in told if line.startswith(b"* STATUS INBOX (")]


def test_list_selects_by_use_and_by_subscription(session: Session) -> None:
    ok(session, "CREATE Plain")
    told = ok(session, 'LIST (SPECIAL-USE) "" "*"')
    assert told and not [line for line in told if line.endswith((b"Plain", b"INBOX"))]
    ok(session, "SUBSCRIBE Plain")
    assert [line for line in ok(session, 'LIST (SUBSCRIBED) "" "*"') if line.endswith(b"Plain")]


def test_several_messages_are_appended_or_none(session: Session, account: Account) -> None:
    if b"MULTIAPPEND" not in session.capability()[1][-1]:
        pytest.skip("the server has no MULTIAPPEND")
    messages = [samples.plain(str(number)) for number in range(3)]
    literals = [f"{{{len(message)}+}}\r\n".encode() + message for message in messages]
    for mailbox, status in (("Nowhere", b"NO [TRYCREATE]"), ("INBOX", b"OK [APPENDUID ")):
        tag = session._new_tag()
        session.send(tag + b" APPEND " + mailbox.encode() + b" (\\Seen) " + b" ".join(literals) + b"\r\n")
        assert session.readline().startswith(tag + b" " + status)
    assert account.octets() == messages
    assert [message.flags for message in account.messages()] == [{"\\Seen"}, set(), set()]


def test_a_login_may_come_with_the_command(account: Account) -> None:
    """SASL-IR (RFC 4959): the mechanism's first response beside its name."""
    first = base64.b64encode(f"\0{account.address}\0{account.password}".encode()).decode()
    port, tls = account.server.port("imaps"), trust(account.server.certificate)
    with imaplib.IMAP4_SSL(HOST, port, ssl_context=tls, timeout=WAIT_SECONDS_MAX) as session:
        ok(session, f"AUTHENTICATE PLAIN {first}")
        ok(session, "SELECT INBOX")


@pytest.mark.parametrize(
    ("capability", "ask"),
    [
        ("SORT", lambda session: session.sort("(SUBJECT)", "UTF-8", "ALL")),
        ("THREAD=REFERENCES", lambda session: session.thread("REFERENCES", "UTF-8", "ALL")),
        ("QUOTA", lambda session: session.getquotaroot("INBOX")),
        ("ACL", lambda session: session.myrights("INBOX")),
        ("ACL", lambda session: session.getacl("INBOX")),
        ("METADATA", lambda session: session.xatom("GETMETADATA", "INBOX", "/private/comment")),
        ("ANNOTATEMORE", lambda session: session.getannotation("INBOX", '"/comment"', '"value.shared"')),
        ("X-NONE", lambda session: session.xatom("X-NONE")),
        ("X-PROXY", lambda session: session.proxyauth("another")),
    ],
)
def test_what_is_advertised_is_there_and_what_is_not_is_refused(
    session: Session, capability: str, ask: Ask
) -> None:
    session.select()
    advertised = capability.encode() in session.capability()[1][-1].split()
    try:
        status = ask(session)[0]
    except imaplib.IMAP4.error:  # BAD
        status = "BAD"
    assert (status == "OK") == advertised
    assert session.noop()[0] == "OK"


def test_no_login_is_offered_that_is_not_there(account: Account) -> None:
    port, tls = account.server.port("imaps"), trust(account.server.certificate)
    with imaplib.IMAP4_SSL(HOST, port, ssl_context=tls, timeout=WAIT_SECONDS_MAX) as session:
        assert "AUTH=CRAM-MD5" not in session.capabilities
        with pytest.raises(imaplib.IMAP4.error):
            session.login_cram_md5(account.address, account.password)
        assert session.login(account.address, account.password)[0] == "OK"
