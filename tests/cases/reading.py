"""Files of cases, read into values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

HEADING = re.compile(r"== (\S.*) \((RFC \d+ §\S+(?:[,;] .+)?)\)")
STEP = re.compile(r"([CSTEX])(\d?)([:\\*=&])(?: (.*))?")
MARKS = frozenset({"C:", "C\\", "C*", "C=", "S:", "S\\", "S*", "S&", "T:", "E:", "X:"})
SCENE = re.compile(r"@(\d?) (\S.*)")


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a case. `mark`: "C:" and so on, without the connection's number."""

    line: int
    mark: str
    connection: int
    text: str


@dataclass(frozen=True, slots=True)
class Case:
    """`scenes`: connection -> what it begins with."""

    path: Path
    line: int
    sentence: str
    sections: str
    scenes: Mapping[int, str]
    steps: tuple[Step, ...]

    def __str__(self) -> str:
        """What pytest shows."""
        return f"{self.path.stem}: {self.sentence}"


def cases_in(folder: Path) -> list[Case]:
    """Every case of every `*.cases` file there."""
    return [case for path in sorted(folder.glob("*.cases")) for case in cases_of(path)]


def cases_of(path: Path) -> Iterator[Case]:
    """Raises ValueError with file and line for what is no case."""
    blocks = list(_blocks(path))
    default = _scenes(blocks[0][1])
    for heading, lines in blocks[1:]:
        words = heading[1].encode("latin-1").decode()
        found = HEADING.fullmatch(words)
        if found is None:
            raise ValueError(f"{path}:{heading[0]}: not `== sentence (RFC n §n)`: {words!r}")
        steps = tuple(read_step(*line) for line in lines if not line[1].startswith("@"))
        yield Case(path, heading[0], found[1], found[2], default | _scenes(lines), steps)


Lines = list[tuple[int, str]]


def _blocks(path: Path) -> Iterator[tuple[tuple[int, str], Lines]]:
    """Heading and lines of each case; first what stands before them, with an empty heading.

    As Latin-1, so that each octet of the file is one on the wire.
    """
    heading, lines = (0, ""), Lines()
    for number, line in enumerate(path.read_text("latin-1").split("\n"), 1):
        if line.startswith("=="):
            yield heading, lines
            heading, lines = (number, line), []
        elif line and not line.startswith("#"):
            lines.append((number, line))
    yield heading, lines


def _scenes(lines: Lines) -> dict[int, str]:
    found = (SCENE.fullmatch(line) for _, line in lines)
    return {int(match[1] or 1): match[2] for match in found if match}


def read_step(number: int, line: str) -> Step:
    match = STEP.fullmatch(line)
    if match is None or match[1] + match[3] not in MARKS:
        raise ValueError(f"line {number}: no line of a case: {line!r}")
    return Step(number, match[1] + match[3], int(match[2] or 1), match[4] or "")
