"""What our users submit for another domain reaches the Exim that serves it."""

import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from interop import samples
from interop.exim.instance import RECEIVING, Exim, exim_user
from interop.notification import notification
from interop.outgoing import BOB, CAROL, THERE, UNKNOWN, Sender, made, sender
from interop.witness import WAIT_SECONDS_MAX, trace_fields
from tests.wire.server import HOST

TRACE = ["Return-path", "Received", "Received"]  # the last is ours


class Mailboxes:
    """Takes our node's connections one by one, and reads what an Exim delivered to files."""

    def __init__(self, exim: Exim, listener: socket.socket, directory: Path) -> None:
        self._exim = exim
        self._listener = listener
        self._directory = directory

    def delivered(self, mailbox: str) -> bytes:
        """What one connection brought, CRLF."""
        connection, _ = self._listener.accept()
        connection.setblocking(True)
        with connection:
            lines = self._exim.serve(connection)
        assert [line.kind for line in lines if line.kind != "**"] == ["<=", "=>"], lines
        file = self._directory / mailbox
        octets = file.read_bytes().replace(b"\n", b"\r\n")
        file.unlink()
        return octets


World = tuple[Sender, Mailboxes]


@pytest.fixture(scope="module")
def world(open_folder: Path) -> Iterator[World]:
    directory, user = open_folder / "to-exim", exim_user()
    for folder in (directory, directory / "mail"):
        folder.mkdir()
        os.chown(folder, user.pw_uid, user.pw_gid)
    node = made(directory / "node")
    for name in ("cert.pem", "key.pem"):
        shutil.copyfile(node.certificate.with_name(name), directory / name)
        os.chown(directory / name, user.pw_uid, user.pw_gid)
    settings = RECEIVING.format(
        certificate=directory / "cert.pem",
        key=directory / "key.pem",
        domain=THERE,
        local_parts=" : ".join(address.partition("@")[0] for address in (BOB, CAROL)),
        mail=directory / "mail",
    )
    exim = Exim("receiving", directory / "exim", settings)
    with socket.create_server((HOST, 0)) as listener:
        listener.settimeout(WAIT_SECONDS_MAX)
        with sender(node, listener.getsockname()[1]) as alice:
            yield alice, Mailboxes(exim, listener, directory / "mail")


@pytest.mark.parametrize("message", [samples.plain(), samples.large(3_000_000)], ids=["8bit", "3 MB"])
def test_a_message_arrives_octet_for_octet(world: World, message: bytes) -> None:
    alice, mailboxes = world
    alice.submit(message, BOB)
    delivered = mailboxes.delivered("bob")
    assert trace_fields(delivered, message) == TRACE
    assert delivered.startswith(b"Return-path: <%s>\r\n" % alice.account.address.encode())
    assert b" with esmtps " in delivered  # Exim offers STARTTLS, and we use it


def test_addresses_and_headers_in_utf8_go_through(world: World) -> None:
    alice, mailboxes = world
    message = samples.plain("Protokoll für 你好", to=CAROL)
    alice.submit(message, CAROL, utf8=True)
    delivered = mailboxes.delivered(CAROL.partition("@")[0])
    assert trace_fields(delivered, message) == TRACE
    assert b" with utf8esmtps " in delivered


def test_who_is_unknown_there_comes_back_to_our_user_and_the_others_are_served(world: World) -> None:
    alice, mailboxes = world
    message = samples.plain()
    alice.submit(message, UNKNOWN, BOB)
    assert trace_fields(mailboxes.delivered("bob"), message) == TRACE
    (report,) = alice.account.octets(least=1)
    (fields,) = notification(report).recipients
    assert fields["final-recipient"] == f"rfc822; {UNKNOWN}"
    assert "550" in fields["diagnostic-code"]
