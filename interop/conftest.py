"""One server for the session, started the way a user starts it, and a fresh account for each test.

`pytest interop --server postfix-dovecot` runs the same tests against the peer: what fails there too is the
test's fault or the program's.
"""

import random
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from interop.peers import postfix_dovecot
from interop.peers.postfix_dovecot import PostfixDovecot
from interop.witness import Account
from tests.required import pytest_runtest_makereport
from tests.wire.node import Node
from tests.wire.server import DOMAIN, Server, free_base_port

__all__ = ["pytest_runtest_makereport"]

SERVERS: Mapping[str, Callable[[Path, int, Mapping[str, str]], Server]] = {
    "mailnode": Node,
    "postfix-dovecot": PostfixDovecot,
}
ACCOUNT_FIXTURES = ("account", "friend")
PASSWORD = "wonder land"  # a space must be quoted by whoever sends it


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--server", choices=SERVERS, default="mailnode", help="what the programs talk to")


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest, open_folder: Path) -> Iterator[Server]:
    kind = request.config.getoption("--server")
    if kind == "postfix-dovecot" and (reason := postfix_dovecot.absent()):
        pytest.skip(reason)
    running: Server = SERVERS[kind](open_folder / "node", free_base_port(random.Random()), _accounts(request))
    if isinstance(running, Node):
        running.init()
        running.take_any_author()
    running.start()
    yield running
    running.stop()


def _accounts(request: pytest.FixtureRequest) -> Mapping[str, str]:
    """As many as the tests of this session will ask for."""
    items: Sequence[pytest.Item] = request.session.items
    names = [name for item in items for name in getattr(item, "fixturenames", ())]
    count = sum(names.count(fixture) for fixture in ACCOUNT_FIXTURES)
    return {f"user{number}@{DOMAIN}": PASSWORD for number in range(count)}


@pytest.fixture(scope="session")
def unused_accounts(server: Server) -> Iterator[Account]:
    return (Account(server, address, password) for address, password in server.accounts.items())


@pytest.fixture
def account(unused_accounts: Iterator[Account]) -> Account:
    """An account that no other test uses."""
    return next(unused_accounts)


@pytest.fixture
def friend(unused_accounts: Iterator[Account]) -> Account:
    """A second one."""
    return next(unused_accounts)


@pytest.fixture(scope="session")
def open_folder() -> Iterator[Path]:
    """For programs that give up root: unlike pytest's folders, everybody may pass through it."""
    with tempfile.TemporaryDirectory(prefix="mailnode-interop-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """HOME of a foreign program: no configuration of the person who runs the tests."""
    return tmp_path
