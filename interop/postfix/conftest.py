"""Postfix with our node as its next hop."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from interop.postfix.instance import Postfix, absent
from interop.programs import must_not_skip
from tests.wire.server import HOST, Server

WAYS: Mapping[str, Callable[[Server], str]] = {
    "smtp": lambda server: f"smtp:[{HOST}]:{server.port('smtp')}",
    "lmtp": lambda server: f"lmtp:inet:[{HOST}]:{server.port('lmtp')}",
}


@pytest.fixture(scope="session", params=WAYS)
def postfix(request: pytest.FixtureRequest, server: Server, open_folder: Path) -> Iterator[Postfix]:
    """One instance a way in."""
    if reason := absent():
        must_not_skip(reason)
    name, transport = request.param, WAYS[request.param](server)
    running = Postfix(name, open_folder / f"postfix-{name}", transport, server.certificate)
    running.start()
    yield running
    running.stop()
