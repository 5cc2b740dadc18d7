"""What is asked of an account is answered alike wherever it is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.mailbox.elsewhere import ELSEWHERE


@pytest.fixture(params=[False, True], ids=["here", "elsewhere"])
def everywhere(request: pytest.FixtureRequest) -> Iterator[None]:
    """Each test runs twice: on an account of this node, and on another node's."""
    token = ELSEWHERE.set(request.param)
    yield
    ELSEWHERE.reset(token)
