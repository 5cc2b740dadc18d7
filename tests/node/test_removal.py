"""An account is removed and brought back under its users and their correspondents."""

import imaplib
import poplib
import smtplib
import time

import pytest

from mailnode.config import load
from mailnode.limits import Limits
from mailnode.mailbox.reads import accounts_from
from mailnode.store.keys import END, Family, is_system
from mailnode.store.shard import open_shard
from tests.node.test_node import ALICE, HOST, PASSWORD, deliver, inbox, mailnode, node
from tests.node.test_reload import edit
from tests.wire.node import Node

__all__ = ["node"]
SECONDS_MAX = 30.0


def operator(node: Node, *words: str) -> str:
    done = mailnode(*words, "--dir", str(node.directory))
    assert done.returncode == 0, done.stderr
    return done.stdout


def rcpt(node: Node) -> int:
    with smtplib.SMTP(HOST, node.port("smtp")) as client:
        client.ehlo()
        client.mail("a@client.example")
        return client.rcpt(ALICE)[0]


def test_a_removed_account_is_free_of_mail_and_sessions_at_once_and_comes_back_whole(node: Node) -> None:
    deliver(node, b"kept")
    reader = imaplib.IMAP4(HOST, node.port("imap"))
    reader.login(ALICE, PASSWORD)
    reader.select()
    reader.send(b"x IDLE\r\n")
    assert reader.readline().startswith(b"+")
    sender = smtplib.SMTP(HOST, node.port("submission"))
    sender.login(ALICE, PASSWORD)
    fetcher = poplib.POP3(HOST, node.port("pop3"))
    fetcher.user(ALICE)
    fetcher.pass_(PASSWORD)
    said = operator(node, "account", "remove", ALICE)
    assert said.startswith(f"{ALICE} was removed; `account undelete` brings it back until ")
    assert f"postmaster@{ALICE.partition('@')[2]} names it" in said
    assert reader.readline() == b"* BYE This login is no longer good\r\n"
    assert sender.getreply()[0] == 421
    assert fetcher._getline()[0].startswith(b"-ERR [AUTH] ")  # type: ignore[attr-defined]
    for protocol in (reader, sender, fetcher):
        assert protocol.file.read() == b""
    assert rcpt(node) == 550
    with pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"):
        inbox(node)
    assert " removed " in operator(node, "account", "list")
    assert " removed " in operator(node, "account", "show", ALICE)
    node.kill()
    node.start()
    assert rcpt(node) == 550
    assert operator(node, "account", "undelete", ALICE) == f"{ALICE} is back\n"
    assert rcpt(node) == 250
    assert len(inbox(node)) == 1


def test_what_is_expunged_or_removed_leaves_the_shard_when_its_time_is_over(node: Node) -> None:
    for subject in (b"one", b"two"):
        deliver(node, subject)
    with imaplib.IMAP4(HOST, node.port("imap")) as client:
        client.login(ALICE, PASSWORD)
        client.select()
        client.store("1", "+FLAGS", "\\Deleted")
        client.expunge()
    node.stop()
    assert mails(node) == 2
    for name in ("expunged_kept_seconds", "removed_kept_seconds"):
        edit(node, f"# {name} = {getattr(Limits(), name)}", f"{name} = 0")
    node.start()
    hear(node, b"expunged messages dropped")
    assert len(inbox(node)) == 1
    operator(node, "account", "remove", ALICE)
    node.stop()
    assert mails(node) == 1
    node.start()
    hear(node, b"account purged")
    node.stop()
    assert mails(node) == 0 and accounts(node) == []
    node.start()


def hear(node: Node, said: bytes) -> None:
    """Returns when the log says so."""
    until = time.monotonic() + SECONDS_MAX
    while said not in node.log.read_bytes():
        assert time.monotonic() < until, node.log.read_bytes().decode()


def mails(node: Node) -> int:
    """In the shard of a node that does not run."""
    config = load(node.directory)
    shard = open_shard(config.shard, config.memory_octets, bytes(16))
    count = sum(1 for _ in shard.scan(Family.MAIL, b"", END))
    shard.close()
    return count


def accounts(node: Node) -> list[int]:
    config = load(node.directory)
    shard = open_shard(config.shard, config.memory_octets, bytes(16))
    found = [account for account in accounts_from(shard, 0) if not is_system(account)]
    shard.close()
    return found
