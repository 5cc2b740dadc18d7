"""Every message that is beside the project goes in by every way, and comes out by both as it was."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import pytest

from interop.corpus import changed
from interop.corpus.changed import KEPT, NORMALIZED, normalized
from interop.corpus.messages import Message, messages
from interop.corpus.ways import TAKEN, WAYS_IN, ended, out_by_imap, out_by_pop3
from interop.samples import CORPUS
from interop.witness import FIELD, Account

MESSAGES_MIN = 7007  # what the corpus' own description counts
TRACED = ("data", "bdat", "lmtp")
EACH = {"lmtp": 4, "literal8": 4}  # one in so many and all of the table: DATA and APPEND have the rest
WHOLE_LINES = ("data", "lmtp")  # ways whose client ends the last line where it has no end


@pytest.fixture(scope="module")
def corpus() -> Sequence[Message]:
    if not CORPUS.is_dir():
        pytest.skip("the corpus is not beside the project")
    found = list(messages())
    assert len(found) >= MESSAGES_MIN
    return found


def test_the_table_names_what_may_be_changed_and_nothing_else(corpus: Sequence[Message]) -> None:
    found = {message.name: what for message in corpus if (what := changed.has(message.octets))}
    assert found == {name: row["has"] for name, row in changed.rows().items()}


@pytest.mark.parametrize("way", WAYS_IN)
def test_what_goes_in_comes_out_octet_for_octet(
    corpus: Sequence[Message], account: Account, way: str
) -> None:
    rows = changed.rows()
    going = [message for message in corpus[:: EACH.get(way, 1)] if message.name not in rows]
    going += [message for message in corpus if message.name in rows]
    fates = {message.name: rows.get(message.name, {}).get(way, KEPT) for message in going}
    outcomes = {name: TAKEN if fate in (KEPT, NORMALIZED) else fate for name, fate in fates.items()}
    assert differing(WAYS_IN[way](account, going), outcomes) == {}

    taken = [message for message in going if outcomes[message.name] == TAKEN]
    kept = {message.name: as_kept(message.octets, way, fates[message.name]) for message in taken}
    trace = without_trace if way in TRACED else without_nothing
    fetched, retrieved = out_by_imap(account), out_by_pop3(account)
    assert len(fetched) == len(retrieved) == len(kept)
    assert missing(map(shown, kept.values()), map(trace, fetched)) == []
    assert missing(map(ended, kept.values()), map(trace, retrieved)) == []
    assert [shown(octets) for octets in retrieved] == [ended(octets) for octets in fetched]


def differing(found: Mapping[str, str], expected: Mapping[str, str]) -> dict[str, str]:
    assert found.keys() == expected.keys()
    return {name: outcome for name, outcome in found.items() if outcome != expected[name]}


def missing(expected: Iterable[bytes], came: Iterable[bytes]) -> list[bytes]:
    """What did not come as often as it went in."""
    return list(Counter(expected) - Counter(came))


def as_kept(octets: bytes, way: str, fate: str) -> bytes:
    octets = ended(octets) if way in WHOLE_LINES else octets
    return normalized(octets) if fate == NORMALIZED else octets


def shown(octets: bytes) -> bytes:
    """A NUL cannot be in a literal, so BODY[] has 0x80 for it; RETR has itself."""
    return octets.replace(b"\0", b"\x80")


def without_nothing(octets: bytes) -> bytes:
    return octets


def without_trace(octets: bytes) -> bytes:
    """Without the two fields that we put before each message, RFC 5321 §4.4."""
    for name in (b"Return-Path", b"Received"):
        field = FIELD.match(octets)
        assert field is not None and field[1] == name, octets[:200]
        octets = octets[field.end() :]
    return octets
