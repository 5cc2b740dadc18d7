"""No field of another stays that says it is ours, however it is written and cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.unforged import HELD_OCTETS_MAX, Unforged

OURS = b"Authentication-Results: mx.test; spf=pass\r\n"
OTHERS = b"Authentication-Results: other.test; spf=pass\r\n"


def cleaned(*pieces: bytes) -> bytes:
    unforged = Unforged({"mx.test", "mail.test"})
    return b"".join(map(unforged.feed, pieces)) + unforged.end()


@pytest.mark.parametrize(
    "forged",
    [
        OURS,
        b"AUTHENTICATION-RESULTS:MX.TEST;none\r\n",
        b"Authentication-Results : mx.test; spf=pass\r\n",
        b"Authentication-Results:\r\n mx.test;\r\n\tspf=pass\r\n",
        b"Authentication-Results: (other.test) mail.test; none\r\n",
        b'Authentication-Results: "mx\\.test"; none\r\n',
        b"Authentication-Results: (never ends mx.test; none\r\n",
        b"Authentication-Results: mx.test; none\n",
        b"Authentication-Results: " + b"x" * HELD_OCTETS_MAX + b"\r\n mx.test\r\n",
        b"Authentication-Results: " + b"(x)\r\n " * HELD_OCTETS_MAX + b"mx.test; none\r\n",
    ],
)
@pytest.mark.parametrize("before", [b"", b"From: a@b.test\r\n", b"X: y\r\n" * 20_000])
def test_a_field_with_our_name_goes_and_the_rest_stays(forged: bytes, before: bytes) -> None:
    after = OTHERS + b"Subject: x\r\n\r\n" + OURS
    assert cleaned(before + forged + after) == before + after
    assert cleaned(before + forged + forged) == before


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\r\n" + OURS,
        b"Subject: a\r\n\r\n" + OURS,
        OTHERS + b"\r\nbody",
        b"X-Authentication-Results: mx.test\r\n\r\n",
        b"Subject: Authentication-Results: mx.test\r\n Authentication-Results: mx.test\r\n\r\n",
        b"no field at all",
        b"X: " + b"y" * 3 * HELD_OCTETS_MAX + b"\r\n\r\nbody",
    ],
)
def test_anything_else_stays_as_it_came(message: bytes) -> None:
    assert cleaned(message) == message


LINES = st.sampled_from(
    [
        OURS,
        OTHERS,
        b"a: b\r\n",
        b" c\r\n",
        b"\r\n",
        b"\n",
        b"Authentication-Results",
        b":",
        b" mx.test",
        b"\r",
    ]
)


@given(st.lists(LINES, max_size=12), st.data())
def test_where_a_message_is_cut_makes_no_difference(lines: list[bytes], data: st.DataObject) -> None:
    message = b"".join(lines)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(message)), max_size=6)))
    pieces = [message[a:b] for a, b in zip([0, *cuts], [*cuts, len(message)], strict=True)]
    assert cleaned(*pieces) == cleaned(message)
