"""Every case of the files beside this one."""

from pathlib import Path

import pytest

from tests.cases.playing import play
from tests.cases.reading import Case, cases_in
from tests.cases.smtp.house import SmtpHouse
from tests.wire.node import Node

CASES = cases_in(Path(__file__).parent)


@pytest.fixture(scope="module")
def house(running: Node) -> SmtpHouse:
    return SmtpHouse(running)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case(case: Case, house: SmtpHouse) -> None:
    play(case, house)
