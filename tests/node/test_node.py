"""A node as its operator and its users meet it: real processes, real sockets."""

import imaplib
import poplib
import random
import smtplib
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.wire.node import Node
from tests.wire.server import free_base_port

HOST = "127.0.0.1"
ALICE, PASSWORD = "alice@example.test", "open sesame"
MESSAGE = b"From: a@client.example\r\nTo: alice@example.test\r\nSubject: %b\r\n\r\n.one\r\nbody\r\n"


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    running = Node(tmp_path / "node", free_base_port(random.Random()), {ALICE: PASSWORD})
    running.start()
    yield running
    running.stop()


def mailnode(*words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mailnode", *words]
    return subprocess.run(command, input=typed, capture_output=True, text=True, timeout=60)


def deliver(node: Node, subject: bytes, recipient: str = ALICE) -> None:
    with smtplib.SMTP(HOST, node.port("smtp")) as client:
        client.sendmail("a@client.example", [recipient], MESSAGE % subject)


def inbox(node: Node, login: str = ALICE, password: str = PASSWORD) -> list[bytes]:
    client = imaplib.IMAP4(HOST, node.port("imap"))
    client.login(login, password)
    client.select(readonly=True)
    _, data = client.fetch("1:*", "(BODY.PEEK[])")
    client.logout()
    return [item[1] for item in data if isinstance(item, tuple)]


def test_what_comes_in_by_smtp_goes_out_by_imap_and_pop3_after_kill_9(node: Node) -> None:
    deliver(node, b"first")
    node.kill()
    node.start()
    deliver(node, b"second")
    stored = inbox(node)
    assert [m.endswith(MESSAGE % s) for m, s in zip(stored, (b"first", b"second"), strict=True)] == [True] * 2
    client = poplib.POP3(HOST, node.port("pop3"))
    client.user(ALICE)
    client.pass_(PASSWORD)
    assert b"\r\n".join(client.retr(1)[1]) + b"\r\n" == stored[0]
    client.dele(1)
    client.quit()
    assert inbox(node) == stored[1:]


def test_an_account_is_added_while_the_node_runs(node: Node) -> None:
    done = mailnode("account", "add", "Carol@EXAMPLE.test", "--dir", str(node.directory), typed="secret\n")
    assert (done.returncode, done.stdout) == (0, "carol@example.test was added\n"), done.stderr
    deliver(node, b"to carol", "carol+anything@example.test")
    assert len(inbox(node, "carol@example.test", "secret")) == 1
    again = mailnode("account", "add", "carol@example.test", "--dir", str(node.directory), typed="secret\n")
    assert (again.returncode, again.stderr) == (1, "mailnode: carol@example.test exists\n")


def test_unknown_users_and_other_domains_are_refused_at_rcpt(node: Node) -> None:
    with smtplib.SMTP(HOST, node.port("smtp")) as client:
        client.ehlo()
        client.mail("a@client.example")
        assert client.rcpt("nobody@example.test")[0] == 550
        assert client.rcpt("a@elsewhere.example")[0] == 550
        assert client.rcpt("postmaster@example.test")[0] == 250
        assert client.rcpt("Postmaster")[0] == 250


def test_a_directory_in_use_and_one_that_is_there_are_refused_in_one_line(node: Node) -> None:
    up = mailnode("up", str(node.directory))
    assert up.returncode == 1
    assert up.stderr.splitlines()[-1].endswith("is in use by another node: stop that one first")
    init = mailnode("init", str(node.directory), "--domain", "example.test")
    assert (init.returncode, len(init.stderr.splitlines())) == (1, 1)


def test_a_port_in_use_is_named(node: Node, tmp_path: Path) -> None:
    other = tmp_path / "other"
    words = ("--domain", "example.test", "--base-port", str(node.base_port))
    assert mailnode("init", str(other), *words).returncode == 0
    up = mailnode("up", str(other))
    assert up.returncode == 1
    assert f"port {node.port('lmtp')}: Address already in use" in up.stderr


def test_a_failed_init_leaves_nothing_behind(tmp_path: Path) -> None:
    words = ("--domain", "example.test", "--account", "a@elsewhere.example:secret")
    done = mailnode("init", str(tmp_path / "node"), *words)
    assert done.returncode == 1
    assert list(tmp_path.iterdir()) == []


def test_sigterm_ends_a_node_cleanly_with_a_goodbye(node: Node) -> None:
    client = imaplib.IMAP4(HOST, node.port("imap"))
    client.login(ALICE, PASSWORD)
    node.stop()
    assert b"BYE" in client.readline()
    node.start()


def test_without_tls_no_password_is_taken_unless_the_configuration_says_so(node: Node) -> None:
    config = node.directory / "mailnode.toml"
    node.stop()
    config.write_text(
        config.read_text().replace("allow_plaintext_auth = true", "allow_plaintext_auth = false")
    )
    node.start()
    with smtplib.SMTP(HOST, node.port("submission")) as client:
        client.ehlo()
        assert client.has_extn("starttls") and not client.has_extn("auth")
        assert client.docmd("AUTH", "PLAIN AGEAYg==")[0] >= 500
    imap = imaplib.IMAP4(HOST, node.port("imap"))
    assert "LOGINDISABLED" in imap.capabilities
    with pytest.raises(imaplib.IMAP4.error, match="PRIVACYREQUIRED"):
        imap.login(ALICE, PASSWORD)
    imap.logout()
    pop3 = poplib.POP3(HOST, node.port("pop3"))
    with pytest.raises(poplib.error_proto):
        pop3.user(ALICE)
    pop3.quit()


def test_lmtp_over_a_unix_socket_answers_for_each_recipient_also_after_kill_9(node: Node) -> None:
    node.kill()
    node.start()
    with smtplib.LMTP(str(node.directory / "lmtp.sock"), local_hostname="mta.example") as client:
        client.ehlo()
        client.mail("a@client.example")
        for recipient in (ALICE, "nobody@example.test", "postmaster"):
            client.rcpt(recipient)
        assert client.docmd("DATA")[0] == 354
        client.send((MESSAGE % b"by socket").replace(b"\r\n.", b"\r\n..") + b".\r\n")
        assert [client.getreply()[0] for _ in range(2)] == [250, 250]
        assert client.docmd("NOOP")[0] == 250
    (stored,) = inbox(node)
    assert b"Received: from mta.example\r\n by mail.example.test with LMTP id " in stored
    assert stored.endswith(MESSAGE % b"by socket")


def test_the_configuration_says_what_becomes_of_bare_newlines(node: Node) -> None:
    config = node.directory / "mailnode.toml"
    node.stop()
    said = config.read_text().replace('smtp = "reject"', 'smtp = "normalize"')
    config.write_text(said.replace('lmtp = "normalize"', 'lmtp = "reject"'))
    node.start()
    for service, code in (("smtp", 250), ("lmtp", 550)):
        client = (smtplib.LMTP if service == "lmtp" else smtplib.SMTP)(HOST, node.port(service))
        client.ehlo()
        client.mail("a@client.example")
        client.rcpt(ALICE)
        assert client.docmd("DATA")[0] == 354
        client.send(b"one\ntwo\r\n.\r\n")
        assert client.getreply()[0] == code
        client.quit()


def test_systemd_is_told_when_the_node_is_ready(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notified:
        notified.bind(str(tmp_path / "notify"))
        notified.settimeout(60)
        prefix = ["env", f"NOTIFY_SOCKET={tmp_path / 'notify'}"]
        told = Node(tmp_path / "node", free_base_port(random.Random()), {ALICE: PASSWORD}, prefix)
        told.start()
        assert notified.recv(100) == b"READY=1"
        told.stop()
