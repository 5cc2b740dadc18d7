"""mbsync has a password of its own: it proves it by SCRAM, until it is revoked."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from interop.mbsync.configuration import command
from interop.programs import run, succeeded
from mailnode.admin.client import ask
from mailnode.pb import admin_pb2 as pb
from tests.wire.node import Node
from tests.wire.server import DOMAIN, free_base_port

USER = f"user@{DOMAIN}"


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
    mechs = f"AuthMechs {mechanism}"
    mbsync = command(home, node.port("imaps"), USER, made.password, node.certificate, more=mechs)
    said = succeeded(run(mbsync, home))
    assert b"AUTHENTICATE " + mechanism.encode() in said
    assert (home / "mail" / "Archive" / "cur").is_dir()
    ask(admin, pb.AppPasswordRevokeRequest(address=USER, name="mbsync"))
    refused = run(mbsync, home)
    assert refused.returncode != 0 and b"AUTHENTICATIONFAILED" in refused.stdout
