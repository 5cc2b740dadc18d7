"""curl sends mail."""

import email
import email.policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from interop import samples
from interop.curl.conftest import Curl, login
from interop.programs import succeeded
from interop.witness import SENDER, Account, trace_fields

LOGIN_DENIED = 67  # curl(1), EXIT CODES
SEND_ERROR = 55
TLS_NOT_OFFERED = 64


def envelope(sender: str, *recipients: str) -> list[str]:
    options = ["--mail-from", sender]
    for recipient in recipients:
        options += ["--mail-rcpt", recipient]
    return options


def upload(home: Path, message: bytes) -> list[str]:
    """curl doubles dots by itself and closes with CRLF.CRLF."""
    file = home / "message"
    file.write_bytes(message)
    return ["--upload-file", str(file)]


@pytest.mark.parametrize("tls", [[], ["--ssl-reqd"]], ids=["plain", "starttls"])
def test_a_message_to_the_mx_is_stored_as_it_was_sent(
    curl: Curl, account: Account, home: Path, tls: list[str]
) -> None:
    message = samples.plain()
    succeeded(curl("smtp", "client.test", *tls, *envelope(SENDER, account.address), *upload(home, message)))
    (stored,) = account.octets(least=1)
    trace = stored.removesuffix(message)
    assert trace + message == stored
    assert trace.startswith(b"Return-Path: <sender@client.example.net>\r\n")
    assert b"\r\nReceived: from client.test " in trace


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
@pytest.mark.parametrize(("service", "tls"), [("submission", ["--ssl-reqd"]), ("submissions", [])])
def test_a_user_submits_to_two_others(
    curl: Curl, account: Account, friend: Account, home: Path, service: str, tls: list[str], mechanism: str
) -> None:
    message = samples.plain()
    options = [*tls, *login(account, mechanism), *upload(home, message)]
    succeeded(
        curl(service, "client.test", *options, *envelope(account.address, account.address, friend.address))
    )
    for recipient in (account, friend):
        (stored,) = recipient.octets(least=1)
        assert stored.endswith(message)


def test_a_wrong_password_is_refused(curl: Curl, account: Account, home: Path) -> None:
    options = ["--user", f"{account.address}:wrong", *upload(home, samples.plain())]
    done = curl("submissions", "client.test", *options, *envelope(account.address, account.address))
    assert done.returncode == LOGIN_DENIED, done.stderr
    assert account.octets() == []


def test_an_unknown_recipient_and_another_domain_are_refused(
    curl: Curl, account: Account, home: Path
) -> None:
    for recipient in ("nobody-of-that-name@example.test", "someone@elsewhere.example"):
        done = curl("smtp", "client.test", *envelope(SENDER, recipient), *upload(home, samples.plain()))
        assert done.returncode == SEND_ERROR, done.stderr


def test_a_large_message_comes_through(curl: Curl, account: Account, home: Path) -> None:
    message = samples.large(3_000_000)
    succeeded(curl("smtp", "client.test", *envelope(SENDER, account.address), *upload(home, message)))
    (stored,) = account.octets(least=1)
    assert stored.endswith(message)


def test_addresses_in_utf8_go_through(curl: Curl, account: Account, home: Path) -> None:
    recipient = account.address.replace("@", "+grüße@")
    message = samples.plain("Protokoll für 你好", to=recipient)
    addresses = envelope("absender-ü@client.example.net", recipient)
    succeeded(curl("smtp", "client.test", *addresses, *upload(home, message)))
    (stored,) = account.octets(least=1)
    assert trace_fields(stored, message) == ["Return-Path", "Received"]
    assert stored.startswith("Return-Path: <absender-ü@client.example.net>\r\n".encode())


def test_a_message_of_unknown_size_from_a_pipe_comes_through(curl: Curl, account: Account) -> None:
    message = samples.large(300_000)
    addresses = envelope(SENDER, account.address)
    succeeded(curl("smtp", "client.test", *addresses, "--upload-file", "-", standard_input=message))
    (stored,) = account.octets(least=1)
    assert trace_fields(stored, message) == ["Return-Path", "Received"]


def test_who_is_refused_does_not_stop_the_others_if_curl_is_told_so(
    curl: Curl, account: Account, home: Path
) -> None:
    addresses = envelope(SENDER, "nobody-of-that-name@example.test", account.address)
    options = ["--mail-rcpt-allowfails", *addresses, *upload(home, samples.plain())]
    succeeded(curl("smtp", "client.test", *options))
    assert len(account.octets(least=1)) == 1


def test_what_curl_composes_is_read_back(curl: Curl, account: Account, home: Path) -> None:
    content = bytes(range(256)) * 500
    file = home / "blob.bin"
    file.write_bytes(content)
    form = ["-F", "=.one dot;type=text/plain", "-F", f"file=@{file};encoder=base64"]
    fields = ["-H", f"From: <{SENDER}>", "-H", f"To: <{account.address}>", "-H", "Subject: Composed"]
    succeeded(curl("smtp", "client.test", *envelope(SENDER, account.address), *fields, *form))
    (stored,) = account.octets(least=1)
    read = email.message_from_bytes(stored, policy=email.policy.default)
    assert isinstance(read, EmailMessage)
    text, attached = read.iter_parts()
    assert text.get_content().rstrip() == ".one dot"
    assert (attached.get_filename(), attached.get_content()) == ("blob.bin", content)


@pytest.mark.parametrize("verb", ["NOOP", "HELP", "RSET"])
def test_other_commands_are_answered(curl: Curl, verb: str) -> None:
    succeeded(curl("smtp", "client.test", "--request", verb))
