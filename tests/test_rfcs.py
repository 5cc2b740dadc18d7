"""docs/rfcs.md against the citations in the code."""

import re
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CITATION = re.compile(r"\bRFC ([0-9]+)\b")


@dataclass(frozen=True, slots=True)
class Row:
    rfc: int
    title: str
    spoken: str
    where: tuple[str, ...]
    tests: tuple[str, ...]
    note: str


def _read(line: str) -> Row:
    rfc, title, spoken, where, tests, note = (cell.strip() for cell in line.strip().strip("|").split("|"))
    return Row(int(rfc), title, spoken, tuple(where.split()), tuple(tests.split()), note)


def _tables() -> list[list[Row]]:
    text = (ROOT / "docs" / "rfcs.md").read_text()
    sections = text.split("\n## ")[1:]
    return [
        [_read(line) for line in section.splitlines() if re.match(r"\| \d", line)] for section in sections
    ]


TABLES = _tables()
ROWS = [row for table in TABLES for row in table]
SPOKEN = [row for row in ROWS if row.spoken != "no"]


@cache
def _cited(path: Path) -> frozenset[int]:
    """The RFCs that a file, or any below a folder, cites."""
    files = sorted(path.rglob("*.py")) if path.is_dir() else [path]
    return frozenset(int(number) for file in files for number in CITATION.findall(file.read_text()))


def _named(rows: list[Row]) -> list[str]:
    return [str(row.rfc) for row in rows]


def test_every_rfc_that_the_code_cites_has_a_row() -> None:
    cited = _cited(ROOT / "mailnode") | _cited(ROOT / "protocols")
    assert cited - {row.rfc for row in ROWS} == set()


def test_each_rfc_stands_once_and_each_table_is_in_order() -> None:
    assert len({row.rfc for row in ROWS}) == len(ROWS)
    assert all(one.rfc < next_.rfc for table in TABLES for one, next_ in pairwise(table))


def test_each_row_says_yes_part_or_no_and_what_a_part_is() -> None:
    assert {row.spoken for row in ROWS} == {"yes", "part", "no"}
    assert [row.rfc for row in ROWS if row.spoken == "part" and not row.note] == []


@pytest.mark.parametrize("row", ROWS, ids=_named(ROWS))
def test_the_code_that_a_row_names_cites_the_rfc(row: Row) -> None:
    assert [where for where in row.where if row.rfc not in _cited(ROOT / where)] == []


@pytest.mark.parametrize("row", SPOKEN, ids=_named(SPOKEN))
def test_what_is_spoken_names_its_code_and_its_test(row: Row) -> None:
    assert row.where
    assert row.tests
    assert [test for test in row.tests if not (ROOT / test).exists()] == []
