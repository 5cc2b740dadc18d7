"""A node that asks a DNS server who mail from other servers is from, over real sockets."""

from __future__ import annotations

import imaplib
import random
import re
import smtplib
import socket
from collections.abc import Iterator
from pathlib import Path

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from mailnode.config import FILE
from mailnode.mailauth.key import BITS, record
from tests.node.test_node import ALICE, HOST, PASSWORD
from tests.wire.nameserver import Nameserver
from tests.wire.node import Node
from tests.wire.server import free_base_port

NAMES = {
    "1.0.0.127.in-addr.arpa": {"PTR": ["mx.there.example."]},
    "mx.there.example": {"A": ["127.0.0.1"]},
    "there.example": {"TXT": ['"v=spf1 a:mx.there.example -all"']},
    "_dmarc.there.example": {"TXT": ['"v=DMARC1\\; p=reject"']},
    "_dmarc.bank.example": {"TXT": ['"v=DMARC1\\; p=reject"']},
    "bank.example": {"TXT": ['"v=spf1 -all"']},
}
PRIVATE = rsa.generate_private_key(65537, BITS)
KEY = record(PRIVATE).replace(";", "\\;")
NAMES["m1._domainkey.bank.example"] = {"TXT": [f'"{KEY[:200]}" "{KEY[200:]}"']}
FORGED = "Authentication-Results: mail.example.test; dmarc=pass\r\n"


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    with Nameserver(NAMES) as nameserver:
        made = Node(tmp_path / "node", free_base_port(random.Random()), {ALICE: PASSWORD})
        made.init()
        file = made.directory / FILE
        text = file.read_text()
        assert "\nservers = [] " in text and "\n# [mailauth]" in text
        text = text.replace("\nservers = [] ", f'\nservers = ["{HOST}:{nameserver.port}"] ')
        file.write_text(
            text.replace("\n# [mailauth]", "\n[mailauth]").replace("\n# exempt = ", "\nexempt = [] # ")
        )
        made.start()
        yield made
        if made.is_running:
            made.stop()


def deliver(node: Node, author: str) -> None:
    with smtplib.SMTP(HOST, node.port("smtp"), "mx.there.example") as client:
        client.sendmail("zoe@there.example", [ALICE], f"From: a@{author}\r\n{FORGED}\r\nbody\r\n")


def mails(node: Node, mailbox: str) -> list[bytes]:
    client = imaplib.IMAP4(HOST, node.port("imap"))
    client.login(ALICE, PASSWORD)
    client.select(mailbox, readonly=True)
    _, data = client.fetch("1:*", "(BODY.PEEK[])")
    client.logout()
    return [item[1] for item in data if isinstance(item, tuple)]


def test_mail_of_its_author_is_told_and_that_of_another_is_junk(node: Node) -> None:
    deliver(node, "there.example")
    deliver(node, "bank.example")
    (good,), (bad,) = mails(node, "INBOX"), mails(node, "Junk")
    assert good.count(b"Authentication-Results:") == bad.count(b"Authentication-Results:") == 1
    assert b"\tspf=pass smtp.mailfrom=zoe@there.example;" in good
    assert b"\tdmarc=pass header.from=there.example" in good
    assert b"\tiprev=pass policy.iprev=127.0.0.1" in good
    assert b"\tdmarc=fail " in bad and b"policy.dmarc=quarantine" in bad
    assert "dmarc=fail iprev=pass disposition=quarantine forged_results=1" in node.log.read_text()


def test_a_signature_of_the_author_is_enough_until_somebody_changes_the_mail(node: Node) -> None:
    pem = PRIVATE.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    message = b"From: a@bank.example\r\nSubject: x\r\n\r\nbody\r\n"
    signed = dkim.sign(message, b"m1", b"bank.example", pem) + message
    with smtplib.SMTP(HOST, node.port("smtp"), "mx.there.example") as client:
        client.sendmail("zoe@there.example", [ALICE], signed)
        client.sendmail("zoe@there.example", [ALICE], signed.replace(b"body", b"Body"))
    (good,), (bad,) = mails(node, "INBOX"), mails(node, "Junk")
    assert b"\tdkim=pass header.d=bank.example " in good and b"\tdmarc=pass header.from=bank.example" in good
    assert b"\tdkim=fail reason=" in bad and b"\tdmarc=fail " in bad


def test_a_domain_may_have_it_rejected(node: Node) -> None:
    node.stop()
    file = node.directory / FILE
    file.write_text(file.read_text().replace("\nreject_dmarc = false ", "\nreject_dmarc = true "))
    node.start()
    with pytest.raises(smtplib.SMTPDataError, match=r"DMARC: bank\.example") as refused:
        deliver(node, "bank.example")
    assert refused.value.smtp_code == 550
    assert mails(node, "Junk") == []


def test_a_dns_that_is_silent_holds_no_mail_up_for_long(node: Node) -> None:
    node.stop()
    file = node.directory / FILE
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind((HOST, 0))
        text = re.sub(
            r"\nservers = \[.*?\]", f'\nservers = ["{HOST}:{silent.getsockname()[1]}"]', file.read_text()
        )
        file.write_text(re.sub(r"\n(# )?verdict_seconds_max = \d+", "\nverdict_seconds_max = 1", text))
        node.start()
        deliver(node, "bank.example")
    (taken,) = mails(node, "INBOX")
    assert b"\tdmarc=temperror " in taken
    assert b"\tspf=temperror " in taken


def test_forged_results_stay_on_no_listener(node: Node) -> None:
    message = f"Subject: x\r\n{FORGED}\r\nbody\r\n"
    with smtplib.SMTP(HOST, node.port("submission")) as client:
        client.login(ALICE, PASSWORD)
        client.sendmail(ALICE, [ALICE], message)
    with smtplib.LMTP(HOST, node.port("lmtp")) as client:
        client.sendmail("a@there.example", [ALICE], message)
    found = mails(node, "INBOX")
    assert len(found) == 2
    assert not any(b"Authentication-Results" in each for each in found)
