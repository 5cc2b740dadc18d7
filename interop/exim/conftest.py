"""Exim with our node as its next hop."""

import shutil
from pathlib import Path

import pytest

from interop.exim.instance import Exim
from tests.wire.server import Server


@pytest.fixture(scope="session", params=["smtp", "lmtp"])
def exim(request: pytest.FixtureRequest, server: Server, open_folder: Path) -> Exim:
    """One spool a way in."""
    directory = open_folder / f"exim-{request.param}"
    directory.mkdir()
    certificate = directory / "cert.pem"
    shutil.copyfile(server.certificate, certificate)
    return Exim(directory, request.param, server.port("smtp"), server.port("lmtp"), certificate)
