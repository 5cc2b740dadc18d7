"""curl, told whom to trust."""

from collections.abc import Callable
from pathlib import Path

import pytest

from interop.programs import Done, program, run
from interop.witness import Account
from tests.wire.server import HOST, Server

Curl = Callable[..., Done]


@pytest.fixture
def curl(server: Server, home: Path) -> Curl:
    """curl(service, path, *options) -> what it did with that URL."""
    path_of_curl = program("curl")

    def call(service: str, path: str, *options: str, standard_input: bytes = b"") -> Done:
        # The submission services are SMTP to curl: with TLS from the start, or STARTTLS if asked for.
        scheme = {"submission": "smtp", "submissions": "smtps"}.get(service, service)
        url = f"{scheme}://{HOST}:{server.port(service)}/{path}"
        trust = ["--cacert", str(server.certificate)]
        return run([path_of_curl, "--silent", "--show-error", *trust, *options, url], home, standard_input)

    return call


def login(account: Account, mechanism: str = "") -> list[str]:
    options = ["--user", f"{account.address}:{account.password}"]
    return [*options, "--login-options", f"AUTH={mechanism}"] if mechanism else options
