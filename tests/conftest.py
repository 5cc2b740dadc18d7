from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

from tests.required import pytest_runtest_makereport

__all__ = ["pytest_runtest_makereport"]

CLUSTERS = ("test_cluster.py", "test_cluster_", "test_datacentres.py")
"""Files whose tests start one. Leases are of seconds: two clusters beside each other disturb each other."""


class OneClusterAtATime(LoadFileScheduling):
    """Where several processes test: what one file starts is started once, and all clusters by one process."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return "clusters" if Path(file).name.startswith(CLUSTERS) else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> OneClusterAtATime:
    return OneClusterAtATime(config, log)
