"""SIGHUP: what the configuration says anew counts for new connections, and no session is dropped."""

from __future__ import annotations

import imaplib
import os
import signal
import smtplib
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from mailnode import certificate
from mailnode.clock import SystemClock
from mailnode.config import FILE
from mailnode.limits import Limits
from tests.node.test_node import ALICE, HOST, PASSWORD, deliver, node
from tests.wire.node import Node

__all__ = ["node"]
SECONDS_MAX = 20.0


def logged_in(node: Node) -> imaplib.IMAP4:
    client = imaplib.IMAP4(HOST, node.port("imap"))
    client.login(ALICE, PASSWORD)
    return client


@pytest.fixture
def session(node: Node) -> Iterator[imaplib.IMAP4]:
    client = logged_in(node)
    client.select()
    yield client
    client.logout()


def edit(node: Node, old: str, new: str) -> None:
    file = node.directory / FILE
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


def hang_up(node: Node, said: str) -> None:
    """Returns when the log says so."""
    before = node.log.stat().st_size
    os.kill(node.process_id, signal.SIGHUP)
    deadline = time.monotonic() + SECONDS_MAX
    while said.encode() not in node.log.read_bytes()[before:]:
        assert time.monotonic() < deadline, node.log.read_bytes()[before:].decode()


def test_domains_limits_and_certificate_change_while_a_session_goes_on(
    node: Node, session: imaplib.IMAP4, tmp_path: Path
) -> None:
    edit(node, "[[domain]]", '[[domain]]\nname = "second.test"\n\n[[domain]]')
    edit(node, "# smtp_message_octets_max = 52428800", "smtp_message_octets_max = 65536")
    for path in (node.directory / "tls").iterdir():
        path.unlink()
    chain = node.directory / "tls" / "cert.pem"
    certificate.write_self_signed(chain, chain.with_name("key.pem"), ["new.test"], SystemClock())
    with smtplib.SMTP(HOST, node.port("smtp")) as before:
        before.ehlo()
        hang_up(node, "the configuration was taken")
        before.mail("a@client.example")
        assert before.rcpt("x@second.test") == (550, b"5.1.1 No such user here")
        assert before.esmtp_features["size"] == "52428800"
    with smtplib.SMTP(HOST, node.port("smtp")) as after:
        after.ehlo()
        assert after.esmtp_features["size"] == "65536"
        after.starttls(context=ssl.create_default_context(cafile=str(chain)))
    deliver(node, b"after")
    assert session.noop()[0] == "OK"
    assert session.search(None, "ALL") == ("OK", [b"1"])


def test_an_encrypted_key_is_opened_by_a_password_that_stands_elsewhere(node: Node) -> None:
    path = node.directory / "tls" / "key.pem"
    private = load_pem_private_key(path.read_bytes(), None)
    hidden = BestAvailableEncryption(b"sesame")
    path.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, hidden))
    hang_up(node, "the configuration was not taken")
    edit(node, "# key_password = ", "key_password = ")
    (node.directory / "tls" / "key.password").write_text("sesame\n")
    hang_up(node, "the configuration was taken")
    node.kill()
    node.start()
    trusting = ssl.create_default_context(cafile=str(node.directory / "tls" / "cert.pem"))
    with imaplib.IMAP4_SSL(HOST, node.port("imaps"), ssl_context=trusting) as client:
        assert client.welcome.startswith(b"* OK")
    assert b"sesame" not in node.log.read_bytes()


def test_a_wrong_file_changes_nothing(node: Node, session: imaplib.IMAP4) -> None:
    edit(node, "log_level", "loglevel")
    hang_up(node, "the configuration was not taken")
    deliver(node, b"still")
    assert session.noop()[0] == "OK"


def test_what_cannot_change_live_is_named(node: Node) -> None:
    edit(node, "hostname = ", 'hostname = "other.example.test"  # ')
    hang_up(node, "some of it needs a restart")
    assert b"keys=hostname" in node.log.read_bytes()


def test_the_level_of_the_log_changes_while_the_node_serves(node: Node, session: imaplib.IMAP4) -> None:
    edit(node, 'log_level = "info"', 'log_level = "error"')
    os.kill(node.process_id, signal.SIGHUP)
    deadline = time.monotonic() + SECONDS_MAX
    while _says(node, b"until it is quiet"):
        assert time.monotonic() < deadline
    edit(node, 'log_level = "error"', 'log_level = "info"')
    hang_up(node, "the configuration was taken")
    assert _says(node, b"again")
    assert session.noop()[0] == "OK"


def _says(node: Node, subject: bytes) -> bool:
    """Whether the log has a line for a message that comes in."""
    before = node.log.stat().st_size
    deliver(node, subject)
    return b"message taken" in node.log.read_bytes()[before:]


def test_limits_of_sessions_change_live_and_those_of_the_store_are_named(node: Node) -> None:
    before = logged_in(node)
    edit(node, "# imap_connections_per_login_max = 100", "imap_connections_per_login_max = 1")
    edit(node, f"# mailboxes_max = {Limits().mailboxes_max}", "mailboxes_max = 10")
    hang_up(node, "some of it needs a restart")
    assert b"keys=limits.mailboxes_max\n" in node.log.read_bytes()
    with pytest.raises(imaplib.IMAP4.error, match="LIMIT"):  # `before` is counted still
        logged_in(node)
    assert [before.create(f"box{number}")[0] for number in range(10)] == ["OK"] * 10
    before.logout()
    node.stop()
    node.start()
    after = logged_in(node)
    assert after.create("another") == ("NO", [b"[LIMIT] More than can be kept"])
    assert after.select()[0] == "OK"
    after.logout()
