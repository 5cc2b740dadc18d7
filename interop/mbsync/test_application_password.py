"""mbsync has a password of its own: it proves it by SCRAM, until it is revoked."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from interop.programs import program, run, succeeded
from mailnode.admin.client import ask
from mailnode.pb import admin_pb2 as pb
from tests.wire.node import Node
from tests.wire.server import DOMAIN, free_base_port

USER = f"user@{DOMAIN}"
CONFIG = """\
IMAPAccount server
Host localhost
Port {port}
User {user}
Pass "{password}"
AuthMechs {mechanism}
SSLType IMAPS
CertificateFile {certificate}

IMAPStore far
Account server

MaildirStore near
Path {home}/mail/
Inbox {home}/mail/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns *
Create Near
SyncState *
"""


@pytest.fixture(scope="module")
def node(open_folder: Path) -> Iterator[Node]:
    running = Node(open_folder / "programs", free_base_port(random.Random()), {USER: "of the user alone"})
    running.start()
    yield running
    running.stop()


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "PLAIN"])
def test_a_program_comes_in_by_its_own_password_until_it_is_revoked(
    node: Node, home: Path, mechanism: str
) -> None:
    admin = node.directory / "admin.sock"
    made = ask(admin, pb.AppPasswordAddRequest(address=USER, name="mbsync", scopes=["imap"]))
    (home / "mail").mkdir()
    config = home / "mbsyncrc"
    text = CONFIG.format(
        port=node.port("imaps"),
        user=USER,
        password=made.password,
        mechanism=mechanism,
        certificate=node.certificate,
        home=home,
    )
    config.write_text(text)
    command = [program("mbsync"), "--config", str(config), "--all", "--debug-net"]
    said = succeeded(run(command, home))
    assert b"AUTHENTICATE " + mechanism.encode() in said
    assert (home / "mail" / "Archive" / "cur").is_dir()
    ask(admin, pb.AppPasswordRevokeRequest(address=USER, name="mbsync"))
    refused = run(command, home)
    assert refused.returncode != 0 and b"AUTHENTICATIONFAILED" in refused.stdout
