"""swaks says each step of a transaction and what was answered."""

from collections.abc import Callable
from pathlib import Path

import pytest

from interop import samples
from interop.programs import Done, program, run, succeeded
from interop.witness import SENDER, Account, trace_fields
from tests.wire.node import Node
from tests.wire.server import HOST, Server

# swaks(1), EXIT CODES
MAIL_REFUSED = 23
RECIPIENTS_REFUSED = 24
AUTH_FAILED = 28
TLS_FAILED = 29

Swaks = Callable[..., Done]


@pytest.fixture
def swaks(server: Server, home: Path) -> Swaks:
    """swaks(service, *options) -> the whole dialogue."""
    path = program("swaks")

    def call(service: str, *options: str) -> Done:
        target = ["--server", HOST, "--port", str(server.port(service)), "--helo", "client.test"]
        trust = ["--tls-verify", "--tls-ca-path", str(server.certificate)]
        return run([path, *target, *options, *(trust if "--tls" in "".join(options) else [])], home)

    return call


def submission(account: Account, mechanism: str, *recipients: str) -> list[str]:
    credentials = ["--auth", mechanism, "--auth-user", account.address, "--auth-password", account.password]
    return [*credentials, "--from", account.address, "--to", ",".join(recipients)]


def data(home: Path, message: bytes) -> list[str]:
    """swaks ends the last line by itself."""
    file = home / "message"
    file.write_bytes(message.removesuffix(b"\r\n"))
    return ["--data", f"@{file}"]


def first_refusal(done: Done) -> bytes:
    """swaks marks an answer that it did not want: `<** 550 ...` (`<~*` within TLS)."""
    marked = [line for line in done.stdout.splitlines() if line.startswith((b"<**", b"<~*"))]
    assert marked, done.stdout.decode(errors="replace")
    return marked[0][3:].strip()


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
@pytest.mark.parametrize(("service", "tls"), [("submission", "--tls"), ("submissions", "--tls-on-connect")])
def test_a_user_submits(
    swaks: Swaks, account: Account, home: Path, service: str, tls: str, mechanism: str
) -> None:
    message = samples.ascii_only()
    options = [tls, *submission(account, mechanism, account.address), *data(home, message)]
    dialogue = succeeded(swaks(service, *options))
    assert b"AUTH" in dialogue
    (stored,) = account.octets(least=1)
    assert stored.endswith(message)


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_a_wrong_password_is_refused_with_535(swaks: Swaks, account: Account, mechanism: str) -> None:
    options = ["--auth", mechanism, "--auth-user", account.address, "--auth-password", "wrong"]
    done = swaks("submissions", "--tls-on-connect", *options, "--to", account.address, "--from", SENDER)
    assert done.returncode == AUTH_FAILED
    assert first_refusal(done).startswith(b"535 5.7.8")


def test_submission_without_auth_takes_no_mail_before_tls_either(swaks: Swaks, account: Account) -> None:
    done = swaks("submission", "--from", account.address, "--to", account.address)
    assert done.returncode == MAIL_REFUSED
    assert first_refusal(done).startswith(b"530 5.7.0")


def test_submission_without_auth_takes_no_mail(swaks: Swaks, account: Account) -> None:
    done = swaks("submissions", "--tls-on-connect", "--from", account.address, "--to", account.address)
    assert done.returncode in (MAIL_REFUSED, RECIPIENTS_REFUSED)
    assert account.octets() == []


@pytest.mark.parametrize("tls", [[], ["--tls"]], ids=["plain", "starttls"])
def test_the_mx_takes_local_mail(
    swaks: Swaks, account: Account, friend: Account, home: Path, tls: list[str]
) -> None:
    message = samples.ascii_only()
    recipients = f"{account.address},{friend.address}"
    succeeded(swaks("smtp", *tls, "--from", SENDER, "--to", recipients, *data(home, message)))
    for recipient in (account, friend):
        (stored,) = recipient.octets(least=1)
        assert stored.endswith(message)


def test_the_mx_offers_no_auth(swaks: Swaks, account: Account) -> None:
    done = swaks("smtp", "--tls", *submission(account, "PLAIN", account.address))
    assert done.returncode == AUTH_FAILED
    assert b"AUTH" not in done.stdout


def test_the_mx_refuses_to_relay(swaks: Swaks) -> None:
    done = swaks("smtp", "--from", SENDER, "--to", "someone@elsewhere.example")
    assert done.returncode == RECIPIENTS_REFUSED
    refusal = first_refusal(done)
    assert refusal[:1] == b"5" and b" 5.7.1 " in refusal


def test_an_unknown_user_is_refused_and_the_others_are_served(
    swaks: Swaks, account: Account, home: Path
) -> None:
    unknown = "nobody-of-that-name@example.test"
    done = swaks("smtp", "--from", SENDER, "--to", unknown)
    assert done.returncode == RECIPIENTS_REFUSED
    assert first_refusal(done).startswith(b"550 5.1.1")
    recipients = f"{unknown},{account.address}"
    succeeded(swaks("smtp", "--from", SENDER, "--to", recipients, *data(home, samples.ascii_only())))
    assert len(account.octets(least=1)) == 1


def test_a_null_reverse_path_is_taken(swaks: Swaks, account: Account, home: Path) -> None:
    succeeded(swaks("smtp", "--from", "<>", "--to", account.address, *data(home, samples.ascii_only())))
    (stored,) = account.octets(least=1)
    assert stored.startswith(b"Return-Path: <>\r\n")


def test_a_pipelined_transaction_is_answered_step_by_step(swaks: Swaks, account: Account, home: Path) -> None:
    message = samples.ascii_only()
    recipients = f"nobody-of-that-name@example.test,{account.address}"
    options = ["--pipeline", "--from", SENDER, "--to", recipients, *data(home, message)]
    succeeded(swaks("smtp", *options))
    (stored,) = account.octets(least=1)
    assert stored.endswith(message)


def test_lmtp_answers_each_recipient(swaks: Swaks, account: Account, friend: Account, home: Path) -> None:
    message = samples.ascii_only()
    recipients = f"{account.address},{friend.address}"
    options = ["--protocol", "LMTP", "--from", SENDER, "--to", recipients, *data(home, message)]
    dialogue = succeeded(swaks("lmtp", *options))
    after_content = dialogue.partition(b" -> .\n")[2]
    assert after_content.count(b"<-  250 ") == 2
    for recipient in (account, friend):
        (stored,) = recipient.octets(least=1)
        assert stored.endswith(message)


def test_a_size_that_is_too_much_is_refused_before_the_content(swaks: Swaks, server: Server) -> None:
    dialogue = swaks("smtp", "--quit-after", "EHLO").stdout
    (limit,) = [int(line.split()[-1]) for line in dialogue.splitlines() if b"-SIZE " in line]
    sender = f"{SENDER}> SIZE={limit + 1} X=<"  # swaks has no option for MAIL parameters
    done = swaks("smtp", "--from", sender, "--to", "user0@example.test", "--quit-after", "MAIL")
    assert done.returncode == MAIL_REFUSED


@pytest.mark.parametrize(("version", "said"), [("tlsv1_2", b"TLSv1.2"), ("tlsv1_3", b"TLSv1.3")])
@pytest.mark.parametrize(("service", "tls"), [("smtp", "--tls"), ("submissions", "--tls-on-connect")])
def test_both_versions_of_tls_are_spoken(
    swaks: Swaks, service: str, tls: str, version: str, said: bytes
) -> None:
    dialogue = succeeded(swaks(service, tls, "--tls-protocol", version, "--quit-after", "TLS"))
    assert b"=== TLS started with cipher " + said in dialogue


def test_tls_before_its_version_1_2_is_not_spoken(swaks: Swaks) -> None:
    done = swaks("submissions", "--tls-on-connect", "--tls-protocol", "tlsv1_1", "--quit-after", "EHLO")
    assert done.returncode == TLS_FAILED


def test_lmtp_at_the_unix_socket_answers_each_recipient(
    server: Server, account: Account, friend: Account, home: Path
) -> None:
    assert isinstance(server, Node)
    target = ["--socket", str(server.directory / "lmtp.sock"), "--protocol", "LMTP"]
    message = samples.ascii_only()
    unknown = "nobody-of-that-name@example.test"
    recipients = ",".join([account.address, unknown, friend.address])
    options = ["--from", SENDER, "--to", recipients, *data(home, message)]
    dialogue = succeeded(run([program("swaks"), *target, *options], home))
    assert dialogue.partition(b" -> .\n")[2].count(b"<-  250 ") == 2
    for recipient in (account, friend):
        (stored,) = recipient.octets(least=1)
        assert trace_fields(stored, message) == ["Return-Path", "Received"]
