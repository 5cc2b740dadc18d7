"""Postfix with OpenDKIM and OpenDMARC, as many run it: it signs what we verify, and believes what we sign."""

import os
import random
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from interop import samples
from interop.filters import DNS_HOST, DNS_PORT, opendkim, opendmarc
from interop.outgoing import BOB, CAROL, THERE, made, sender
from interop.postfix.instance import RECEIVING, SENDING, Postfix, absent
from interop.postfix.test_receiving import MAIL_USER_ID, Mailboxes
from interop.signatures import DOMAIN, RECORDS, key_file
from interop.witness import Account
from mailnode.config import FILE
from tests.node.test_node import mailnode
from tests.wire.nameserver import Nameserver
from tests.wire.node import Node
from tests.wire.server import DOMAIN as OURS
from tests.wire.server import HOST, free_base_port

AUTHSERV_ID = "mx.there.test"
SUFFIXES = "test\n"
SIGNING = "Mode s\nDomain {domain}\nSelector s1\nKeyFile {key}\nCanonicalization relaxed/simple\n"
VERIFYING = "Mode v\nTestPublicKeys {directory}/keys\n"  # its resolver knows of no name below test.
INTERNAL = "InternalHosts {directory}/internal\nOversignHeaders From\n"


@pytest.fixture(autouse=True)
def needed() -> None:
    if reason := absent():
        pytest.skip(reason)


def zone(records: dict[str, str]) -> dict[str, dict[str, list[str]]]:
    """Keys as TXT records, and the domains' policies."""
    names = {name: {"TXT": [" ".join(_quoted(text))]} for name, text in records.items()}
    names |= {f"_dmarc.{name}": {"TXT": ['"v=DMARC1; p=reject"']} for name in (DOMAIN, OURS)}
    return names | {DOMAIN: {"A": [HOST]}, OURS: {"A": [HOST]}}


def _quoted(text: str) -> Iterator[str]:
    yield from (f'"{text[at : at + 250]}"' for at in range(0, len(text), 250))


def authenticating(directory: Path, port: int) -> Node:
    node = Node(directory, free_base_port(random.Random()), {f"alice@{OURS}": "wonder land"})
    node.init()
    file = node.directory / FILE
    text = file.read_text().replace("\nservers = [] ", f'\nservers = ["{HOST}:{port}"] ')
    text = text.replace("\n# [mailauth]", "\n[mailauth]").replace("\n# exempt = ", "\nexempt = [] # ")
    file.write_text(text)
    return node


def test_what_postfix_and_opendkim_sign_is_their_authors_to_us(open_folder: Path) -> None:
    directory = open_folder / "signing"
    directory.mkdir()
    (directory / "internal").write_text("0.0.0.0/0\n")
    more = SIGNING.format(domain=DOMAIN, key=key_file("s1", directory)) + INTERNAL.format(directory=directory)
    with (
        Nameserver(zone(dict(RECORDS))) as names,
        opendkim(directory, "postfix.client.test", more) as port,
    ):
        node = authenticating(directory / "node", names.port)
        node.start()
        transport = f"smtp:[{HOST}]:{node.port('smtp')}"
        settings = SENDING.format(transport=transport, certificate=node.certificate)
        postfix = Postfix(
            "signing", directory / "postfix", f"{settings}non_smtpd_milters = inet:{HOST}:{port}\n"
        )
        postfix.start()
        try:
            account = Account(node, f"alice@{OURS}", "wonder land")
            message = samples.plain(to=account.address)
            message = re.sub(rb"(?m)^From:.*$", f"From: Sender <zoe@{DOMAIN}>\r".encode(), message, count=1)
            (outcome,) = postfix.outcomes(message, f"zoe@{DOMAIN}", account.address)
            assert outcome.status == "sent"
            (stored,) = account.octets(least=1)
        finally:
            postfix.stop()
            node.stop()
    assert b"\tdkim=pass header.d=here.test " in stored and b"header.s=s1 " in stored
    assert b"\tdmarc=pass header.from=here.test policy.published=reject" in stored


def test_what_we_sign_is_its_authors_to_postfix_with_opendkim_and_opendmarc(open_folder: Path) -> None:
    directory = open_folder / "believing"
    (directory / "mail").mkdir(parents=True)
    os.chown(directory / "mail", MAIL_USER_ID, MAIL_USER_ID)
    node = made(directory / "node")
    port = _free_port()
    settings = RECEIVING.format(
        host=HOST,
        certificate=node.certificate,
        key=node.certificate.with_name("key.pem"),
        domain=THERE,
        mailboxes=f"{BOB}=bob/ {CAROL}=carol/",
        mail=directory / "mail",
    )
    records = published(node)
    (directory / "keys").write_text("".join(f"{name} {text}\n" for name, text in records.items()))
    with (
        Nameserver(zone(records), host=DNS_HOST, port=DNS_PORT),
        opendkim(directory, AUTHSERV_ID, VERIFYING.format(directory=directory)) as first,
        opendmarc(directory, AUTHSERV_ID, SUFFIXES) as second,
    ):
        settings += f"smtpd_milters = inet:{HOST}:{first}, inet:{HOST}:{second}\n"
        postfix = Postfix("believing", directory / "postfix", settings, f"{port} inet n - n - - smtpd\n")
        postfix.start()
        with sender(node, port) as alice:
            message = samples.plain()
            message = re.sub(rb"(?m)^From:.*$", f"From: Alice <alice@{OURS}>\r".encode(), message, count=1)
            alice.submit(message, BOB)
            delivered = Mailboxes(postfix, directory / "mail").delivered("bob", BOB)
        postfix.stop()
    told = delivered.partition(b"\r\n\r\n")[0]
    assert re.search(
        rb"Authentication-Results: mx\.there\.test;[^:]*dkim=pass[^:]*header\.d=example\.test", told
    )
    assert re.search(rb"Authentication-Results: mx\.there\.test; dmarc=pass \(p=reject dis=none\)", told)


def published(node: Node) -> dict[str, str]:
    """What `mailnode dkim publish` says."""
    told = mailnode("dkim", "publish", OURS, "--dir", str(node.directory)).stdout
    lines = [line.split("\t") for line in told.splitlines()]
    return {name.rstrip("."): "".join(data.split('"')[1::2]) for name, _, _, data in lines}


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as probe:
        port: int = probe.getsockname()[1]
        return port
