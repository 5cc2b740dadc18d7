"""The named cases of replication as texts; run as a module, this writes anew what they say."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cluster.stage import Stage

SCENARIOS = sorted((Path(__file__).parent / "scenarios").glob("*.txt"))


def played(text: str) -> str:
    """The scenario with what its commands say."""
    stage = Stage()
    parts = []
    for part in text.strip().split("\n\n"):
        commands = part.split("\n----")[0]
        said: list[str] = []
        for line in commands.splitlines():
            if not line.startswith("#"):
                said += stage.do(line)
        parts.append("\n".join([commands, "----", *said]))
    return "\n\n".join(parts) + "\n"


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_the_scenario_says_what_is_written(path: Path) -> None:
    assert played(path.read_text()) == path.read_text()


if __name__ == "__main__":
    for scenario in SCENARIOS:
        scenario.write_text(played(scenario.read_text()))
