"""IMAPClient, which parses what it is told into Python's values."""

import datetime
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import imapclient
import pytest
from imapclient import IMAPClient
from imapclient.exceptions import LoginError
from imapclient.imapclient import SENT, TRASH

from interop import samples
from interop.witness import WAIT_SECONDS_MAX, Account
from tests.wire.imap import trust
from tests.wire.server import HOST

STANDARD = {"INBOX", "Drafts", "Sent", "Junk", "Trash", "Archive"}
WHEN = datetime.datetime(2020, 2, 1, 3, 4, 5, tzinfo=datetime.UTC)

Connect = Callable[[Account], IMAPClient]


def _plain(account: Account) -> IMAPClient:
    return IMAPClient(HOST, account.server.port("imap"), ssl=False, timeout=WAIT_SECONDS_MAX)


def _starttls(account: Account) -> IMAPClient:
    client = _plain(account)
    client.starttls(trust(account.server.certificate))
    return client


def _tls(account: Account) -> IMAPClient:
    context: ssl.SSLContext = trust(account.server.certificate)
    return IMAPClient(HOST, account.server.port("imaps"), ssl_context=context, timeout=WAIT_SECONDS_MAX)


WAYS = pytest.mark.parametrize("connect", [_plain, _starttls, _tls], ids=["plain", "starttls", "tls"])


@contextmanager
def logged_in(account: Account) -> Iterator[IMAPClient]:
    with _tls(account) as client:
        client.login(account.address, account.password)
        yield client


@pytest.fixture
def client(account: Account) -> Iterator[IMAPClient]:
    with logged_in(account) as client:
        yield client


@WAYS
def test_a_user_gets_in_by_login_and_by_plain(account: Account, connect: Connect) -> None:
    for log_in in (IMAPClient.login, IMAPClient.plain_login):
        with connect(account) as client:
            log_in(client, account.address, account.password)
            assert client.select_folder("INBOX")[b"EXISTS"] == 0


@WAYS
def test_a_wrong_password_is_refused(account: Account, connect: Connect) -> None:
    with connect(account) as client:
        for log_in in (client.login, client.plain_login):
            with pytest.raises(LoginError, match="AUTHENTICATIONFAILED"):
                log_in(account.address, "wrong")
        client.login(account.address, account.password)


def test_it_knows_what_the_server_can(client: IMAPClient) -> None:
    for name in (
        "IMAP4REV1",
        "IDLE",
        "UIDPLUS",
        "MOVE",
        "NAMESPACE",
        "SPECIAL-USE",
        "ESEARCH",
        "ENABLE",
        "ID",
    ):
        assert client.has_capability(name), name
    assert client.namespace().personal == (("", "/"),)
    assert b"name" in client.id_({"name": "IMAPClient"})[0]
    assert client.enable("UTF8=ACCEPT", "X-NONE") in ([], [b"UTF8=ACCEPT"])


def test_mailboxes_are_found_by_their_use_and_their_names(client: IMAPClient) -> None:
    assert {name for _, _, name in client.list_folders()} == STANDARD
    assert client.find_special_folder(SENT) == "Sent"
    assert client.find_special_folder(TRASH) == "Trash"
    client.create_folder("Entwürfe & mehr/你好")
    assert client.folder_exists("Entwürfe & mehr/你好")
    client.rename_folder("Entwürfe & mehr", "Neu")
    client.subscribe_folder("Neu/你好")
    assert [name for _, _, name in client.list_sub_folders("Neu", "*")] == ["Neu/你好"]
    client.unsubscribe_folder("Neu/你好")
    assert client.list_sub_folders("Neu", "*") == []
    client.delete_folder("Neu/你好")
    assert not client.folder_exists("Neu/你好")


def test_status_counts(client: IMAPClient, account: Account) -> None:
    for flags in ("(\\Seen)", ""):
        account.append(samples.plain(), "Archive", flags)
    status = client.folder_status("Archive", ["MESSAGES", "UNSEEN", "UIDNEXT", "UIDVALIDITY"])
    assert (status[b"MESSAGES"], status[b"UNSEEN"], status[b"UIDNEXT"]) == (2, 1, 3)
    selected = client.select_folder("Archive", readonly=True)
    assert selected[b"READ-ONLY"] == [b""]
    assert selected[b"UIDVALIDITY"] == status[b"UIDVALIDITY"]


def test_a_message_is_parsed_as_it_is(client: IMAPClient) -> None:
    message = samples.large(1000)
    said = client.append("INBOX", message, [imapclient.SEEN, b"$Work"], WHEN)
    assert said.startswith(b"[APPENDUID ")
    client.select_folder("INBOX")
    names = ["ENVELOPE", "BODYSTRUCTURE", "INTERNALDATE", "RFC822.SIZE", "FLAGS", "BODY.PEEK[]"]
    ((uid, found),) = client.fetch([1], names).items()
    assert (uid, found[b"RFC822.SIZE"], found[b"BODY[]"]) == (1, len(message), message)
    assert set(found[b"FLAGS"]) - {b"\\Recent"} == {imapclient.SEEN, b"$Work"}
    assert found[b"INTERNALDATE"] == WHEN.astimezone().replace(tzinfo=None)
    envelope, structure = found[b"ENVELOPE"], found[b"BODYSTRUCTURE"]
    assert envelope.subject == b"Large"
    assert str(envelope.from_[0]) == "Sender Name <sender@client.example.net>"
    assert envelope.date == datetime.datetime(2026, 11, 24, 9, tzinfo=datetime.UTC).astimezone().replace(
        tzinfo=None
    )
    assert structure.is_multipart
    text, blob = structure[0]
    assert text[:2] == (b"text", b"plain") and blob[:2] == (b"application", b"octet-stream")


def test_several_messages_are_appended_at_once(client: IMAPClient, account: Account) -> None:
    if not client.has_capability("MULTIAPPEND"):
        pytest.skip("the server has no MULTIAPPEND")
    messages = [samples.plain(str(number)) for number in range(3)]
    first = {"msg": messages[0], "flags": [imapclient.FLAGGED], "date": WHEN}
    client.multiappend("INBOX", [first, *messages[1:]])
    assert account.octets() == messages
    assert account.messages()[0].flags == {"\\Flagged"}


def test_real_mail_is_parsed(client: IMAPClient, account: Account) -> None:
    messages = samples.real(200)
    if not messages:
        pytest.skip("the corpus is not beside the project")
    for message in messages:
        client.append("INBOX", message)
    client.select_folder("INBOX")
    found = client.fetch(
        client.search(), ["ENVELOPE", "BODYSTRUCTURE", "BODY", "RFC822.SIZE", "RFC822.HEADER"]
    )
    assert [found[uid][b"RFC822.SIZE"] for uid in sorted(found)] == [len(message) for message in messages]
    assert all(
        isinstance(each[b"BODYSTRUCTURE"], imapclient.response_types.BodyData) for each in found.values()
    )


def test_flags_are_set_added_and_removed(client: IMAPClient, account: Account) -> None:
    for _ in range(2):
        account.append(samples.plain())
    client.select_folder("INBOX")
    assert client.set_flags([1, 2], [imapclient.FLAGGED, "Work"]).keys() == {1, 2}
    assert imapclient.SEEN in client.add_flags(1, imapclient.SEEN)[1]
    assert client.remove_flags(2, "Work", silent=True) is None
    assert [message.flags for message in account.messages()] == [
        {"\\Flagged", "\\Seen", "Work"},
        {"\\Flagged"},
    ]
    assert set(client.get_flags([2])[2]) - {b"\\Recent"} == {imapclient.FLAGGED}


def test_messages_are_copied_moved_and_expunged(client: IMAPClient, account: Account) -> None:
    messages = [samples.plain(str(number)) for number in range(5)]
    for message in messages:
        account.append(message)
    client.select_folder("INBOX")
    client.copy([1, 2], "Archive")
    client.move([2, 4], "Trash")
    client.delete_messages([1, 3])
    client.uid_expunge([3])
    assert account.octets() == [messages[0], messages[4]]
    client.expunge()
    assert account.octets() == [messages[4]]
    assert account.octets("Trash") == [messages[1], messages[3]]
    assert account.octets("Archive") == messages[:2]
    client.delete_messages(5)
    client.close_folder()
    assert account.octets() == []


@pytest.mark.parametrize(
    ("criteria", "charset", "found"),
    [
        ("ALL", None, [1, 2, 3]),
        (["UNSEEN", "FLAGGED"], None, [2]),
        (["SUBJECT", "grüße"], "UTF-8", [1]),
        (["BODY", "你好"], "UTF-8", [1, 2, 3]),
        (["NOT", ["OR", "SEEN", "KEYWORD", "Work"]], None, [3]),
        (["SINCE", datetime.date(2000, 1, 1), "LARGER", 100], None, [1, 2, 3]),
        (["TEXT", 'no "such" \\ words'], None, []),
        (["UID", "2:*"], None, [2, 3]),
    ],
)
def test_search(
    client: IMAPClient, account: Account, criteria: object, charset: str | None, found: list[int]
) -> None:
    account.append(samples.plain("=?utf-8?q?Gr=C3=BC=C3=9Fe?="), flags="(\\Seen)")
    account.append(samples.plain("pears"), flags="(\\Flagged Work)")
    account.append(samples.plain("plums"))
    client.select_folder("INBOX")
    assert client.search(criteria, charset) == found


def test_idle_tells_what_another_session_does(client: IMAPClient, account: Account) -> None:
    client.select_folder("INBOX")
    client.idle()
    account.append(samples.plain())
    assert (1, b"EXISTS") in _told(client, b"EXISTS")
    with logged_in(account) as other:
        other.select_folder("INBOX")
        other.add_flags(1, [imapclient.DELETED], silent=True)
        (fetch,) = [each for each in _told(client, b"FETCH") if each[1] == b"FETCH"]
        assert imapclient.DELETED in fetch[2][fetch[2].index(b"FLAGS") + 1]
        other.expunge()
        assert (1, b"EXPUNGE") in _told(client, b"EXPUNGE")
    client.idle_done()
    assert client.search() == []


def _told(client: IMAPClient, word: bytes) -> list[tuple[object, ...]]:
    """All that IDLE tells until there is something of that kind."""
    told: list[tuple[object, ...]] = []
    while not any(each[1] == word for each in told):
        responses = client.idle_check(timeout=WAIT_SECONDS_MAX)
        assert responses, f"never told {word!r}: {told}"
        told += responses
    return told
