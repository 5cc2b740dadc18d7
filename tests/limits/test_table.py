"""Every number that bounds something has a test, and the table of them has no row too many."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path

import pytest

from mailnode.limits import Limits
from protocols.imap.limits import ImapLimits
from protocols.mime.limits import MimeLimits
from protocols.pop3.command import Policy
from protocols.smtp.profile import Bounds
from tests.cases.reading import cases_of
from tests.limits.table import CONSTANTS, LIMITS, MIME_LIMITS, SESSIONS

TESTS = Path(__file__).parents[1]
ROOT = TESTS.parent
ROWS = {**LIMITS, **{f"mime {name}": row for name, row in MIME_LIMITS.items()}, **CONSTANTS}


@pytest.mark.parametrize(("of", "table"), [(Limits, LIMITS), (MimeLimits, MIME_LIMITS)])
def test_each_field_has_its_row_and_no_row_is_of_a_field_that_is_gone(
    of: type[Limits | MimeLimits], table: Mapping[str, str]
) -> None:
    assert {each.name for each in fields(of)} == table.keys()


def test_what_bounds_a_session_is_a_limit() -> None:
    given = (f"{of.__name__} {each.name}" for of in (ImapLimits, Bounds, Policy) for each in fields(of))
    assert {name for name in given if name.endswith("_max")} == SESSIONS.keys()
    assert LIMITS.keys() >= set(SESSIONS.values())


def test_each_constant_of_the_protocols_that_bounds_something_has_its_row() -> None:
    protocols, node = set(_constants("protocols")), set(_constants("mailnode"))
    assert protocols <= CONSTANTS.keys() <= protocols | node


def _constants(package: str) -> Iterator[str]:
    for path in sorted((ROOT / package).rglob("*.py")):
        for statement in ast.parse(path.read_text()).body:
            if isinstance(statement, ast.Assign | ast.AnnAssign):
                target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
                if isinstance(target, ast.Name) and target.id.endswith("_MAX"):
                    yield f"{path.relative_to(ROOT).as_posix()} {target.id}"


@pytest.mark.parametrize("name", ROWS)
def test_the_test_that_a_row_names_is_there(name: str) -> None:
    path, mark, test = ROWS[name].partition("::") if "::" in ROWS[name] else ROWS[name].partition(": ")
    assert test in (_functions(TESTS / path) if mark == "::" else _sentences(TESTS / path))


def _functions(path: Path) -> set[str]:
    body = ast.parse(path.read_text()).body
    return {each.name for each in body if isinstance(each, ast.FunctionDef) and each.name.startswith("test_")}


def _sentences(path: Path) -> set[str]:
    return {case.sentence for case in cases_of(path)}
