"""Postfix with our node as its next hop."""

import os
import pwd
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from interop.postfix.instance import SENDING, Postfix, absent
from tests.wire.node import Node
from tests.wire.server import HOST, Server

WAYS: Mapping[str, Callable[[Server], str]] = {
    "smtp": lambda server: f"smtp:[{HOST}]:{server.port('smtp')}",
    "lmtp": lambda server: f"lmtp:inet:[{HOST}]:{server.port('lmtp')}",
    "lmtp-unix": lambda server: f"lmtp:unix:{opened_socket(server)}",
}


def opened_socket(server: Server) -> Path:
    """DIR/lmtp.sock, as an operator opens it to Postfix alone: what is made in DIR gets DIR's group."""
    if not isinstance(server, Node):
        pytest.skip(f"{server.name} has its own LMTP socket")
    socket, group = server.directory / "lmtp.sock", pwd.getpwnam("postfix").pw_gid
    for path in (server.directory, socket):
        os.chown(path, -1, group)
    server.directory.chmod(0o2710)
    return socket


@pytest.fixture(scope="session", params=WAYS)
def postfix(request: pytest.FixtureRequest, server: Server, open_folder: Path) -> Iterator[Postfix]:
    """One instance a way in."""
    if reason := absent():
        pytest.skip(reason)
    name = request.param
    settings = SENDING.format(transport=WAYS[name](server), certificate=server.certificate)
    running = Postfix(name, open_folder / f"postfix-{name}", settings)
    running.start()
    yield running
    running.stop()
