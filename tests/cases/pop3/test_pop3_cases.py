"""Every case of the files beside this one."""

from pathlib import Path

import pytest

from tests.cases.playing import play
from tests.cases.pop3.house import Pop3House
from tests.cases.reading import Case, cases_in
from tests.wire.node import Node

CASES = cases_in(Path(__file__).parent)


@pytest.fixture(scope="module")
def house(running: Node) -> Pop3House:
    return Pop3House(running)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case(case: Case, house: Pop3House) -> None:
    play(case, house)
