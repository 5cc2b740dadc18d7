"""What broke a parser once breaks it no more; the octets that a search begins from break none."""

import pytest

from tests.fuzz.targets import TARGETS, found_of, seeds_of


@pytest.mark.parametrize("name", TARGETS)
def test_what_broke_it_once_and_its_seeds_break_it_not(name: str) -> None:
    inputs = [*seeds_of(name), *(path.read_bytes() for path in found_of(name))]
    assert inputs
    for octets in inputs:
        TARGETS[name].run(octets)


def test_a_finding_belongs_to_a_target() -> None:
    names = {path.parent.name for name in TARGETS for path in found_of(name)}
    assert names <= set(TARGETS)
