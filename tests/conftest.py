import pytest

from tests.required import pytest_runtest_makereport

__all__ = ["pytest_runtest_makereport"]

CLUSTERS = ("test_cluster.py", "test_cluster_", "test_datacentres.py")
"""Files whose tests start one. Leases are of seconds: two clusters beside each other disturb each other."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where several processes test: what one file starts is started once, and one cluster at a time."""
    for item in items:
        is_cluster = item.path.name.startswith(CLUSTERS)
        item.add_marker(pytest.mark.xdist_group("clusters" if is_cluster else str(item.path)))
