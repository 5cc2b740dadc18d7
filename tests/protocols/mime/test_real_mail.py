"""Real mail, read by us and by Python's `email`: they agree, or there is a reason.

By default every eighth message of the corpus (a second); all of them (eight) with WHOLE_CORPUS=1.
"""

from __future__ import annotations

import os
from collections import Counter
from itertools import islice

import pytest

from protocols.mime.digest import digest
from tests.protocols.mime.compared import Compared, compared
from tests.protocols.mime.real_mail import CORPUS, RealMessage, real_messages
from tests.protocols.mime.reasons import REASONS

WHOLE = bool(os.environ.get("WHOLE_CORPUS"))


@pytest.fixture(scope="module")
def messages() -> list[RealMessage]:
    if not CORPUS.is_dir():
        pytest.skip("no corpus beside the project")
    return list(islice(real_messages(), 0, None, 1 if WHOLE else 8))


def reason_of(one: Compared) -> str | None:
    return next((reason.name for reason in REASONS[one.aspect] if reason.explains(one)), None)


def test_every_difference_from_another_parser_has_its_reason(messages: list[RealMessage]) -> None:
    asked: Counter[str] = Counter()
    found: Counter[tuple[str, str]] = Counter()
    unexplained: list[tuple[str, Compared]] = []
    for message in messages:
        for one in compared(message.octets):
            asked[one.aspect] += 1
            if one.ours == one.theirs:
                continue
            reason = reason_of(one)
            if reason is None:
                unexplained.append((message.name, one))
            else:
                found[one.aspect, reason] += 1
    assert set(asked) == set(REASONS)
    assert not unexplained
    allowed = {
        (aspect, reason.name): reason.whole if WHOLE else reason.sample
        for aspect, reasons in REASONS.items()
        for reason in reasons
    }
    assert {reason: count for reason, count in found.items() if count > allowed[reason]} == {}
    if WHOLE:
        assert set(found) == set(allowed), "a reason that nothing needs any more"


def test_rows_of_real_mail_are_ascii_and_complete(messages: list[RealMessage]) -> None:
    for message in messages:
        read = digest(message.octets)
        assert read.size == len(message.octets), message.name
        rows = read.envelope + read.body + read.body_structure
        assert rows.isascii() and not set(rows) & {0, 10, 13}, message.name
