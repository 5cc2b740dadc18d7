"""What CI must not skip, fails there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TESTS = """
import pytest

@pytest.mark.skipif(True, reason="marked")
def test_marked(): pass

@pytest.fixture
def absent(): pytest.skip("absent")

def test_fixture(absent): pass
def test_body(): pytest.skip("body")
def test_there(): pass
"""


@pytest.mark.parametrize(
    ("must", "summary"), [("0", "1 passed, 3 skipped"), ("1", "1 failed, 1 passed, 2 errors")]
)
def test_a_skip_is_a_failure_where_nothing_may_be_skipped(tmp_path: Path, must: str, summary: str) -> None:
    (tmp_path / "conftest.py").write_text("from tests.required import pytest_runtest_makereport\n")
    (tmp_path / "test_some.py").write_text(TESTS)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--rootdir", str(tmp_path), str(tmp_path)],
        env={**os.environ, "CI_MUST_NOT_SKIP": must, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert summary in done.stdout, done.stdout
