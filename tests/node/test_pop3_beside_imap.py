"""An INBOX read by POP3 and IMAP at the same time: each is told what the other does, and keeps its lock."""

import imaplib
import poplib
import random
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.wire.node import Node
from tests.wire.server import HOST, free_base_port

ALICE, PASSWORD = "alice@example.test", "secret"


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    running = Node(tmp_path / "node", free_base_port(random.Random()), {ALICE: PASSWORD})
    running.start()
    yield running
    running.stop()


def by_imap(node: Node) -> imaplib.IMAP4:
    client = imaplib.IMAP4(HOST, node.port("imap"))
    client.login(ALICE, PASSWORD)
    return client


def by_pop3(node: Node) -> poplib.POP3:
    client = poplib.POP3(HOST, node.port("pop3"))
    client.user(ALICE)
    client.pass_(PASSWORD)
    return client


def told(client: imaplib.IMAP4, name: str) -> list[bytes]:
    """What it was told since it was asked last."""
    client.noop()
    return [value for value in client.response(name)[1] if value is not None]


def test_an_imap_session_is_told_of_what_pop3_reads_and_deletes(node: Node) -> None:
    imap = by_imap(node)
    for number in range(3):
        imap.append("INBOX", "", "", b"Subject: %d\r\n\r\nx\r\n" % number)
    imap.select("INBOX")
    pop3 = by_pop3(node)
    pop3.retr(1)
    pop3.dele(2)
    assert not told(imap, "EXPUNGE")
    pop3.quit()
    assert told(imap, "EXPUNGE") == [b"2"]
    assert told(imap, "FETCH") == [rb"1 (UID 1 FLAGS (\Recent \Seen))"]
    assert imap.search(None, "SEEN") == ("OK", [b"1"])
    assert imap.uid("FETCH", "1:*", "(UID)")[1] == [b"1 (UID 1)", b"2 (UID 3)"]


def test_pop3_refuses_what_imap_removed_and_a_lock_dies_with_its_connection(node: Node) -> None:
    imap = by_imap(node)
    imap.append("INBOX", "", "", b"Subject: x\r\n\r\ny\r\n")
    imap.select("INBOX")
    pop3 = by_pop3(node)
    with pytest.raises(poplib.error_proto, match="IN-USE"):
        by_pop3(node)
    imap.store("1", "+FLAGS", "\\Deleted")
    imap.expunge()
    pop3.dele(1)
    pop3.sock.shutdown(socket.SHUT_RDWR)
    for _ in range(100):  # each login is answered once the node has heard of the end, or before
        try:
            again = by_pop3(node)
        except poplib.error_proto as refused:
            assert "IN-USE" in str(refused)
        else:
            break
    assert again.stat() == (0, 0)
    again.quit()
