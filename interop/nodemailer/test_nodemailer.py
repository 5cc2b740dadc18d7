"""nodemailer, by which programs of Node.js send their mail."""

import base64
import email
import email.policy
import json
from collections.abc import Callable, Mapping
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from interop import samples
from interop.programs import cached, program, run, succeeded
from interop.witness import SENDER, Account, trace_fields
from tests.wire.server import HOST, Server

SCRIPT = Path(__file__).with_name("send.js")
UNKNOWN = "nobody-of-that-name@example.test"
TRACE = ["Return-Path", "Received"]
TLS: Mapping[str, Mapping[str, object]] = {
    "plain": {"ignoreTLS": True},
    "starttls": {"requireTLS": True},
    "tls": {"secure": True},
}
WAYS = pytest.mark.parametrize(
    ("service", "tls"),
    [("submission", "plain"), ("submission", "starttls"), ("submissions", "tls")],
    ids=["plain", "starttls", "tls"],
)
BURST = 50

Message = Mapping[str, object]
Result = Mapping[str, Any]
Send = Callable[..., list[Result]]


@pytest.fixture
def send(server: Server, home: Path) -> Send:
    """send(service, tls, *messages, option=value) -> what became of each."""
    node, package = program("node"), cached("nodemailer/node_modules/nodemailer")

    def call(service: str, tls: str, *messages: Message, **options: object) -> list[Result]:
        trust = {"ca": server.certificate.read_text()}
        target = {"host": HOST, "port": server.port(service), "name": "client.test", "tls": trust}
        asked = {"transport": {**target, **TLS[tls], **options}, "messages": messages}
        done = run([node, str(SCRIPT), str(package)], home, json.dumps(asked).encode())
        results: list[Result] = json.loads(succeeded(done))
        return results

    return call


def raw(message: bytes, sender: str, *recipients: str) -> Message:
    """A message that is sent as it is."""
    envelope = {"from": sender, "to": recipients}
    return {"raw": base64.b64encode(message).decode(), "envelope": envelope}


def login(account: Account, method: str = "") -> dict[str, object]:
    auth = {"user": account.address, "pass": account.password}
    return {"auth": auth} | ({"authMethod": method} if method else {})


@WAYS
@pytest.mark.parametrize("method", ["", "PLAIN", "LOGIN"], ids=["default", "auth-plain", "auth-login"])
def test_a_user_submits(
    send: Send, account: Account, friend: Account, service: str, tls: str, method: str
) -> None:
    message = samples.plain()
    to_both = raw(message, account.address, account.address, friend.address)
    (result,) = send(service, tls, to_both, **login(account, method))
    assert result["accepted"] == [account.address, friend.address]
    for recipient in (account, friend):
        (stored,) = recipient.octets(least=1)
        assert trace_fields(stored, message) == TRACE


@WAYS
def test_a_wrong_password_is_refused(send: Send, account: Account, service: str, tls: str) -> None:
    auth = {"user": account.address, "pass": "wrong"}
    (result,) = send(service, tls, raw(samples.plain(), account.address, account.address), auth=auth)
    assert (result["code"], result["command"]) == ("EAUTH", "AUTH PLAIN")
    assert result["response"].startswith("535 5.7.8 ")


def test_an_unknown_recipient_is_named_and_the_others_are_served(send: Send, account: Account) -> None:
    message = raw(samples.plain(), account.address, UNKNOWN, account.address)
    (result,) = send("submissions", "tls", message, **login(account))
    assert (result["accepted"], result["rejected"]) == ([account.address], [UNKNOWN])
    assert len(account.octets(least=1)) == 1


def test_a_pool_sends_many_by_few_connections(send: Send, account: Account) -> None:
    messages = {samples.plain(f"number {number}") for number in range(BURST)}
    each = [raw(message, account.address, account.address) for message in messages]
    pool = {"pool": True, "maxConnections": 3}
    results = send("submissions", "tls", *each, **pool, **login(account))
    assert all(result["response"].startswith("250 2.0.0 ") for result in results)
    stored = account.octets(least=BURST)
    assert {octets[octets.index(b"From: Sender Name") :] for octets in stored} == messages


@pytest.mark.parametrize(("service", "tls"), [("smtp", "plain"), ("smtp", "starttls"), ("lmtp", "plain")])
def test_without_a_user_mail_for_us_is_taken(send: Send, account: Account, service: str, tls: str) -> None:
    message = samples.large(2_000_000)
    (result,) = send(service, tls, raw(message, SENDER, account.address), lmtp=service == "lmtp")
    assert result["accepted"] == [account.address]
    (stored,) = account.octets(least=1)
    assert trace_fields(stored, message) == TRACE


def test_addresses_in_utf8_go_through(send: Send, account: Account) -> None:
    recipient = account.address.replace("@", "+grüße@")
    message = samples.plain("Protokoll für 你好", to=recipient)
    (result,) = send("smtp", "starttls", raw(message, "absender-ü@client.example.net", recipient))
    assert result["accepted"] == [recipient]
    (stored,) = account.octets(least=1)
    assert trace_fields(stored, message) == TRACE
    assert stored.startswith("Return-Path: <absender-ü@client.example.net>\r\n".encode())


def test_what_it_composes_is_read_back(send: Send, account: Account) -> None:
    content = bytes(range(256)) * 500
    attachment = {"filename": "größe.bin", "content": base64.b64encode(content).decode()}
    message = {
        "from": account.address,
        "to": account.address,
        "subject": "Grüße, 你好",
        "text": ".one dot\n..two\n",
        "html": "<p>Grüße</p>",
        "attachments": [attachment | {"encoding": "base64"}],
    }
    (result,) = send("submissions", "tls", message, **login(account))
    assert result["accepted"] == [account.address]
    (stored,) = account.octets(least=1)
    read = email.message_from_bytes(stored, policy=email.policy.default)
    assert isinstance(read, EmailMessage)
    assert read["Subject"] == "Grüße, 你好"
    text, (attached,) = read.get_body(("plain",)), read.iter_attachments()
    assert text is not None and text.get_content() == ".one dot\r\n..two\r\n"
    assert (attached.get_filename(), attached.get_content()) == ("größe.bin", content)
