"""Exim with our node as its next hop."""

import shutil
from pathlib import Path

import pytest

from interop.exim.instance import SENDING, Exim
from tests.wire.server import HOST, Server


@pytest.fixture(scope="session", params=["smtp", "lmtp"])
def exim(request: pytest.FixtureRequest, server: Server, open_folder: Path) -> Exim:
    """One spool a way in."""
    directory = open_folder / f"exim-{request.param}"
    directory.mkdir()
    certificate = directory / "cert.pem"
    shutil.copyfile(server.certificate, certificate)
    ports = {"smtp": server.port("smtp"), "lmtp": server.port("lmtp")}
    settings = SENDING.format(transport=request.param, host=HOST, certificate=certificate, **ports)
    return Exim(request.param, directory, settings)
