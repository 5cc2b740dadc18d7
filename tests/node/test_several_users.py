"""Several nodes of one directory: what an operator asks of any is done for every user, wherever he lies."""

from __future__ import annotations

import imaplib
import random
import smtplib
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mailnode.admin.client import ask
from mailnode.admin.refusal import Refusal
from mailnode.pb import admin_pb2 as pb
from mailnode.pb.change_pb2 import SetQuota
from tests.node.several import owner
from tests.wire.node import Node, program
from tests.wire.server import HOST, free_base_port

PASSWORD = "secret"
USERS = [f"user{number}@example.test" for number in range(4)]
"""Their accounts lie on both nodes."""
OPTIONS = ("--allow-plaintext-auth", "--local-only", "--nodes", "2")
SOCKETS = ("admin.sock", "node1/admin.sock")


class Operator:
    """Asks one of the nodes."""

    def __init__(self, node: Node, socket: str) -> None:
        self._socket = node.directory / socket
        self.number = SOCKETS.index(socket)

    def __call__(self, asked: Any) -> Any:
        return ask(self._socket, asked)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    folder = tmp_path_factory.mktemp("several") / "data"
    made = Node(folder, free_base_port(random.Random()), dict.fromkeys(USERS, PASSWORD), options=OPTIONS)
    made.init()
    made.start()
    assert {owner(made, user) for user in USERS} == {0, 1}
    yield made
    made.stop()


@pytest.fixture(params=SOCKETS)
def operator(node: Node, request: pytest.FixtureRequest) -> Operator:
    return Operator(node, request.param)


def deliver(node: Node, subject: str, users: list[str]) -> None:
    with smtplib.SMTP(HOST, node.port("smtp"), timeout=30) as client:
        refused = client.sendmail("a@elsewhere.test", users, f"Subject: {subject}\r\n\r\nbody\r\n")
    assert not refused


def imap(node: Node, user: str) -> imaplib.IMAP4:
    client = imaplib.IMAP4(HOST, node.port("imap"), timeout=30)
    client.login(user, PASSWORD)
    return client


def subjects(node: Node, user: str) -> list[str]:
    with imap(node, user) as client:
        _, (count, *_) = client.select("INBOX", readonly=True)
        if count == b"0":
            return []
        _, found = client.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
    return [each[1].decode().split(":")[1].strip() for each in found if isinstance(each, tuple)]


def test_one_transaction_reaches_users_of_both_and_so_does_a_program_of_this_machine(node: Node) -> None:
    for number in range(4):
        deliver(node, f"both {number}", USERS)
    command = [*program(), "deliver", *USERS, "--dir", str(node.directory)]
    done = subprocess.run(command, input=b"Subject: by lmtp\n\nbody\n", capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    for user in USERS:
        assert subjects(node, user) == [*(f"both {number}" for number in range(4)), "by lmtp"]


def test_all_accounts_and_both_nodes_are_seen(operator: Operator) -> None:
    assert [each.address for each in operator(pb.AccountListRequest()).accounts] == USERS
    status = operator(pb.StatusRequest())
    assert [(each.node, each.running) for each in status.nodes] == [("node0", True), ("node1", True)]
    scrubbed = operator(pb.ScrubRequest())
    assert not scrubbed.faults
    for user in USERS:
        assert [each.address for each in operator(pb.AccountListRequest(address=user)).accounts] == [user]
        names = [each.name for each in operator(pb.MailboxListRequest(address=user)).mailboxes]
        assert "INBOX" in names


def test_an_account_comes_changes_goes_and_is_back_wherever_it_lies(node: Node, operator: Operator) -> None:
    for number in range(4):
        number += 4 * operator.number
        user, renamed = f"new{number}@example.test", f"renamed{number}@example.test"
        operator(pb.AccountAddRequest(address=user, password=PASSWORD))
        operator(pb.AliasAddRequest(address=f"alias{number}@example.test", targets=[user]))
        operator(pb.AccountRenameRequest(address=user, to=renamed))
        deliver(node, "by alias", [f"alias{number}@example.test"])
        operator(pb.AccountQuotaRequest(address=renamed, quota=SetQuota(messages=SetQuota.Limit(own=1))))
        with pytest.raises((smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError)):  # what it held lately
            deliver(node, "too much", [renamed])
        operator(pb.AccountQuotaRequest(address=renamed, quota=SetQuota(messages=SetQuota.Limit())))
        made = operator(pb.AppPasswordAddRequest(address=renamed, name="phone"))
        assert made.password
        kept = operator(pb.AppPasswordListRequest(address=renamed)).app_passwords
        assert [each.name for each in kept] == ["phone"]
        operator(pb.AccountRemoveRequest(address=renamed))
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            deliver(node, "gone", [renamed])
        (removed,) = operator(pb.AccountListRequest(address=renamed)).accounts
        assert removed.removed and removed.until
        operator(pb.AccountUndeleteRequest(address=renamed))
        assert subjects(node, renamed) == ["by alias"]
        with pytest.raises(Refusal, match="no account that can be brought back"):
            operator(pb.AccountUndeleteRequest(address=renamed))
        operator(pb.AccountRemoveRequest(address=renamed))
        operator(pb.AliasRemoveRequest(address=f"alias{number}@example.test"))


def test_what_was_expunged_is_seen_and_brought_back(node: Node, operator: Operator) -> None:
    for user in USERS:
        deliver(node, "expunged", [user])
        before = subjects(node, user)
        with imap(node, user) as client:
            client.select("INBOX")
            client.store("*", "+FLAGS", r"\Deleted")
            client.expunge()
        assert subjects(node, user) == before[:-1]
        (expunged,) = operator(pb.MailboxExpungedRequest(address=user)).expunged
        assert (expunged.mailbox, expunged.messages) == ("INBOX", 1)
        assert operator(pb.MailboxUndeleteRequest(address=user)).messages == 1
        assert subjects(node, user) == before


def test_a_domain_is_served_by_all_nodes_at_once(node: Node, operator: Operator) -> None:
    operator(pb.DomainAddRequest(domain="second.test"))
    operator(pb.AccountAddRequest(address="ann@second.test", password=PASSWORD))
    for number in range(8):
        deliver(node, f"second {number}", ["ann@second.test"])
    assert len(subjects(node, "ann@second.test")) == 8
    operator(pb.AccountRemoveRequest(address="ann@second.test"))
    operator(pb.DomainRemoveRequest(domain="second.test"))
    for _ in range(8):
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            deliver(node, "gone", ["ann@second.test"])


def test_mail_is_moved_out_of_and_into_accounts_of_both(node: Node, tmp_path: Path) -> None:
    for user in {owner(node, user): user for user in USERS}.values():
        folder = tmp_path / user
        for words in (("export", "maildir", user, folder), ("import", "maildir", user, folder)):
            command = [*program(), *map(str, words), "--dir", str(node.directory)]
            done = subprocess.run(command, capture_output=True, text=True, timeout=60)
            assert done.returncode == 0, done.stderr
