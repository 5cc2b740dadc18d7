"""Every case of the files beside this one."""

from pathlib import Path

import pytest

from tests.cases.imap.house import ImapHouse
from tests.cases.playing import play
from tests.cases.reading import Case, cases_in
from tests.wire.node import Node

CASES = cases_in(Path(__file__).parent)


@pytest.fixture(scope="module")
def house(running: Node) -> ImapHouse:
    return ImapHouse(running)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case(case: Case, house: ImapHouse) -> None:
    play(case, house)


def test_there_is_a_case_for_whatever_a_client_may_send() -> None:
    """No file is left out by a slip of its name or of its headings."""
    assert len(CASES) >= 470
    assert {case.path.stem for case in CASES} == {path.stem for path in Path(__file__).parent.glob("*.cases")}
