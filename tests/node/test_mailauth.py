"""A node that asks a DNS server who mail from other servers is from, over real sockets."""

from __future__ import annotations

import imaplib
import random
import re
import smtplib
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import IO

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from mailnode.config import FILE
from mailnode.limits import Limits
from mailnode.mailauth.key import BITS, record
from tests.node.test_node import ALICE, HOST, PASSWORD
from tests.node.test_reload import hang_up
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
def nameserver() -> Iterator[Nameserver]:
    with Nameserver(NAMES, silent="silent.example") as running:
        yield running


@pytest.fixture
def node(tmp_path: Path, nameserver: Nameserver) -> Iterator[Node]:
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


GREEDY, GREEDY_ADDRESS = 45, "127.1.0.1"
"""Messages of ten signatures each, from another network: more questions than all mail has together."""


def test_whose_domains_are_silent_holds_up_nobody_elses_mail(node: Node, nameserver: Nameserver) -> None:
    """None of those messages has ended: keys are asked for as soon as a header is there."""
    signature = "DKIM-Signature: v=1; a=rsa-sha256; d=d%d.silent.example; s=s; h=from; b=AAAA; bh=" + "A" * 43
    with ExitStack() as clients:
        for number in range(GREEDY):
            client = clients.enter_context(closing(socket.socket()))
            client.bind((GREEDY_ADDRESS, 0))
            client.connect((HOST, node.port("smtp")))
            stream = client.makefile("rwb")
            fields = [signature % (10 * number + each) + "=" for each in range(10)]
            head = "\r\n".join(("From: a@there.example", *fields, "", "begin"))
            for line, code in (("EHLO x", 250), (f"MAIL FROM:<a@s{number}.silent.example>", 250)):
                assert answered(stream, line) == code
            assert answered(stream, f"RCPT TO:<{ALICE}>") == 250 and answered(stream, "DATA") == 354
            stream.write(head.encode() + b"\r\n" + (b"x" * 70 + b"\r\n") * 2000)
            stream.flush()
        deliver(node, "there.example")
        asked = {name for name in nameserver.asked if name.endswith(".silent.example")}
    (good,) = mails(node, "INBOX")
    assert b"\tspf=pass " in good and b"\tdmarc=pass " in good and b"\tiprev=pass " in good
    most = Limits().mailauth_dns_queries_open_per_network_max
    assert len(asked) == most
    assert any(name.startswith("s._domainkey.") for name in asked)


def answered(stream: IO[bytes], line: str) -> int:
    """The code of the reply, behind a greeting where there is one."""
    if line.startswith("EHLO"):
        stream.readline()
    stream.write(line.encode() + b"\r\n")
    stream.flush()
    while (reply := stream.readline())[3:4] == b"-":
        pass
    return int(reply[:3])


def test_what_is_said_of_it_changes_while_the_node_serves(node: Node) -> None:
    deliver(node, "bank.example")
    file = node.directory / FILE
    text = file.read_text().replace('\n# authserv_id = "" ', '\nauthserv_id = "site.example.test" ')
    assert text != file.read_text()
    file.write_text(text)
    hang_up(node, "the configuration was taken")
    deliver(node, "there.example")
    file.write_text(text.replace("\nexempt = [] ", f'\nexempt = ["{HOST}"] '))
    hang_up(node, "the configuration was taken")
    deliver(node, "bank.example")
    (before,) = mails(node, "Junk")
    named, exempt = mails(node, "INBOX")
    assert b"Authentication-Results: mail.example.test;" in before
    assert b"Authentication-Results: site.example.test;" in named
    assert b"\r\nAuthentication-Results:" not in exempt
    assert "needs a restart" not in node.log.read_text()


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
