"""curl reads and empties a maildrop."""

from pathlib import Path

import pytest

from interop import samples
from interop.curl.conftest import Curl, login
from interop.programs import succeeded
from interop.witness import Account

LOGIN_DENIED = 67  # curl(1), EXIT CODES

WAYS = pytest.mark.parametrize(
    ("service", "options"),
    [("pop3", []), ("pop3", ["--ssl-reqd"]), ("pop3s", [])],
    ids=["plain", "stls", "tls"],
)


@WAYS
@pytest.mark.parametrize("mechanism", ["", "PLAIN", "LOGIN"], ids=["default", "auth-plain", "auth-login"])
def test_messages_are_retrieved_octet_for_octet(
    curl: Curl, account: Account, service: str, options: list[str], mechanism: str
) -> None:
    messages = [samples.plain("one"), samples.plain("two")]
    for message in messages:
        account.append(message)
    options = [*options, *login(account, mechanism)]
    for number, message in enumerate(messages, 1):
        assert succeeded(curl(service, str(number), *options)) == message


def test_the_listing_gives_sizes(curl: Curl, account: Account) -> None:
    messages = [samples.plain("one"), samples.large(400_000)]
    for message in messages:
        account.append(message)
    listed = succeeded(curl("pop3s", "", *login(account))).split()
    assert list(map(int, listed)) == [1, len(messages[0]), 2, len(messages[1])]


def test_uidl_names_are_unique_and_last(curl: Curl, account: Account) -> None:
    for subject in ("one", "two"):
        account.append(samples.plain(subject))
    first, second = (
        succeeded(curl("pop3s", "", *login(account), "--request", "UIDL")).split() for _ in range(2)
    )
    assert first == second
    assert first[1] != first[3]


def test_top_gives_the_header_and_some_lines(curl: Curl, account: Account) -> None:
    message = samples.plain()
    account.append(message)
    header, _, text = message.partition(b"\r\n\r\n")
    top = succeeded(curl("pop3s", "", *login(account), "--request", "TOP 1 2"))
    assert top == header + b"\r\n\r\n" + b"".join(text.splitlines(keepends=True)[:2])


def test_a_deleted_message_is_gone_after_quit(curl: Curl, account: Account) -> None:
    account.append(samples.plain("goes"))
    account.append(samples.plain("stays"))
    succeeded(curl("pop3s", "1", *login(account), "--request", "DELE", "--list-only"))
    (left,) = account.octets()
    assert b"Subject: stays\r\n" in left


def test_a_wrong_password_is_refused(curl: Curl, account: Account) -> None:
    done = curl("pop3s", "", "--user", f"{account.address}:wrong")
    assert done.returncode == LOGIN_DENIED, done.stderr


def test_a_maildrop_is_read_over_one_connection(curl: Curl, account: Account, home: Path) -> None:
    messages = [samples.plain(f"number {number}") for number in range(1, 8)]
    for message in messages:
        account.append(message)
    options = ["--verbose", "--output", str(home / "#1.eml"), *login(account)]
    done = curl("pop3s", "[1-7]", *options)
    assert (done.returncode, done.stderr.count(b"+OK mail.")) == (0, 1), done.stderr
    assert [(home / f"{number}.eml").read_bytes() for number in range(1, 8)] == messages
