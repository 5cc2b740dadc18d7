"""curl reads and changes a mailbox; each call is a session of its own."""

from pathlib import Path

import pytest

from interop import samples
from interop.curl.conftest import Curl, login
from interop.programs import succeeded
from interop.witness import Account

LOGIN_DENIED = 67  # curl(1), EXIT CODES
QUOTE_ERROR = 21  # a custom request was answered NO or BAD
REMOTE_FILE_NOT_FOUND = 78

WAYS = pytest.mark.parametrize(
    ("service", "options"),
    [("imap", []), ("imap", ["--ssl-reqd"]), ("imaps", [])],
    ids=["plain", "starttls", "tls"],
)


@WAYS
@pytest.mark.parametrize("mechanism", ["", "PLAIN", "LOGIN"], ids=["default", "auth-plain", "auth-login"])
def test_what_is_appended_is_fetched_octet_for_octet(
    curl: Curl, account: Account, home: Path, service: str, options: list[str], mechanism: str
) -> None:
    message = samples.plain()
    file = home / "message"
    file.write_bytes(message)
    options = [*options, *login(account, mechanism)]
    succeeded(curl(service, "INBOX", *options, "--upload-file", str(file)))
    assert account.octets() == [message]
    assert succeeded(curl(service, "INBOX;UID=1", *options)) == message
    assert succeeded(curl(service, "INBOX;MAILINDEX=1", *options)) == message


def test_sections_are_parts_of_the_message(curl: Curl, account: Account) -> None:
    message = samples.plain()
    account.append(message)
    header, _, text = message.partition(b"\r\n\r\n")
    for section, octets in (
        ("HEADER", header + b"\r\n\r\n"),
        ("TEXT", text),
        ("1", text),
        ("HEADER.FIELDS%20(SUBJECT)", b"Subject: Minutes\r\n\r\n"),
    ):
        assert succeeded(curl("imaps", f"INBOX;UID=1;SECTION={section}", *login(account))) == octets
    assert succeeded(curl("imaps", "INBOX;UID=1;PARTIAL=6.6", *login(account))) == message[6:12]


def test_uidvalidity_in_the_url_is_compared(curl: Curl, account: Account) -> None:
    account.append(samples.plain())
    done = curl("imaps", "INBOX;UIDVALIDITY=7;UID=1", *login(account))
    assert done.returncode == REMOTE_FILE_NOT_FOUND


def test_mailboxes_are_listed(curl: Curl, account: Account) -> None:
    listed = succeeded(curl("imaps", "", *login(account)))
    for name in (b"INBOX", b"Drafts", b"Sent", b"Junk", b"Trash", b"Archive"):
        assert any(line.endswith((name, b'"' + name + b'"')) for line in listed.splitlines()), name


def test_search_gives_numbers(curl: Curl, account: Account) -> None:
    for subject in ("apples", "pears", "more apples"):
        account.append(samples.plain(subject))
    assert succeeded(curl("imaps", "INBOX?SUBJECT%20apples", *login(account))).split() == [
        b"*", b"SEARCH", b"1", b"3"
    ]  # fmt: skip


def test_custom_requests_change_the_mailbox(curl: Curl, account: Account) -> None:
    account.append(samples.plain("goes"))
    account.append(samples.plain("stays"))

    def request(text: str, path: str = "INBOX") -> bytes:
        return succeeded(curl("imaps", path, *login(account), "--request", text))

    request('CREATE "Deep/Er"', "")
    request("STORE 2 +FLAGS (\\Flagged Work)")
    request('UID COPY 2 "Deep/Er"')
    request("STORE 1 +FLAGS (\\Deleted)")
    request("EXPUNGE")
    assert b"(MESSAGES 1)" in request("STATUS INBOX (MESSAGES)")
    assert b"\\Flagged" in request("FETCH 1:* (FLAGS)")
    (copy,) = account.messages("Deep/Er")
    assert copy.flags == {"\\Flagged", "Work"}
    done = curl("imaps", "INBOX", *login(account), "--request", "COPY 1 Nowhere")
    assert done.returncode == QUOTE_ERROR, done.stdout


def test_a_wrong_password_is_refused(curl: Curl, account: Account) -> None:
    done = curl("imaps", "INBOX", "--user", f"{account.address}:wrong")
    assert done.returncode == LOGIN_DENIED, done.stderr
