"""The ValiMail test suite of ARC, all of it, against RFC 8617."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import pytest
import yaml

from tests.mailauth.vectors import VECTORS
from tests.mailauth.verifying import crlf, verified

SUITE = VECTORS / "arc" / "arc-draft-validation-tests.yml"


class Case(NamedTuple):
    name: str
    message: bytes
    texts: Mapping[str, list[str]]
    validation: str


def _cases() -> Iterator[Case]:
    if not SUITE.exists():
        return
    for scenario in yaml.safe_load_all(SUITE.read_text()):
        texts = {name: [text] for name, text in (scenario["txt-records"] or {}).items()}
        for name, test in scenario["tests"].items():
            yield Case(name, crlf(test["message"].encode()), texts, _word(test))


def _word(test: Mapping[str, Any]) -> str:
    """The suite has no word for a chain that says itself that it failed: RFC 8617 §5.2 (2) has fail."""
    return str(test["cv"]).lower() or "fail"


CASES = list(_cases())


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_chain_has_the_status_that_the_suite_says(case: Case) -> None:
    """ams_fields_c_na is of a draft in which c= had another default than RFC 8617 §4.1.2: it is read so."""
    found = verified(case.message, case.texts).arc
    assert found.result == case.validation, found.reason


@pytest.mark.skipif(not SUITE.exists(), reason="the vectors are not here")
def test_the_suite_is_whole() -> None:
    assert len(CASES) > 150
