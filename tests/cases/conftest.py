import random
from collections.abc import Iterator

import pytest

from tests.wire.node import Node
from tests.wire.server import free_base_port

ACCOUNTS = {f"{name}@example.test": "secret" for name in ("imap", "smtp", "pop3", "other")}


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """The one node of all cases."""
    node = Node(tmp_path_factory.mktemp("cases") / "node", free_base_port(random.Random()), ACCOUNTS)
    node.start()
    yield node
    node.stop()
