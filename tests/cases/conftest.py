import random
from collections.abc import Iterator

import pytest

from mailnode.cli import main
from tests.wire.node import Node
from tests.wire.server import free_base_port

ACCOUNTS = {f"{name}@example.test": "secret" for name in ("imap", "smtp", "pop3", "other", "small")}


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """The one node of all cases."""
    node = Node(tmp_path_factory.mktemp("cases") / "node", free_base_port(random.Random()), ACCOUNTS)
    node.start()
    words = ["account", "quota", "small@example.test", "--storage", "2k", "--messages", "3"]
    assert main([*words, "--dir", str(node.directory)]) == 0
    yield node
    node.stop()
