"""Each bound of a message, made small: what is beyond it is left out, and the message is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from protocols.mime.digest import Digest, digest
from protocols.mime.limits import MIME_LIMITS
from protocols.mime.part import Part

MESSAGE = (
    b"From: A <a@x.test>\r\n"
    b"To: b@x.test, c@x.test, d@x.test\r\n"
    b"Cc: Team: e@y.test, f@y.test, g@y.test;\r\n"
    b"References: <1@x> <2@x> <3@x>\r\n"
    b"Content-Type: multipart/mixed; boundary=bb; one=1; two=2\r\n"
    b"\r\n"
    b"--bb\r\n\r\nthe words of the first part\r\n"
    b"--bb\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\nits body\r\n"
    b"--bb\r\n\r\nthird\r\n"
    b"--bb--\r\n"
)


def parts(part: Part) -> int:
    return 1 + sum(map(parts, part.children))


def levels(part: Part) -> int:
    return 1 + max(map(levels, part.children), default=0)


BOUNDED: dict[str, tuple[int, Callable[[Digest], int], int, int]] = {
    # the bound, what it bounds, how much of that there is without it and with it
    "header_octets_max": (60, lambda read: len(read.head), 186, 54),
    "fields_max": (2, lambda read: len(read.fields), 5, 2),
    "parts_max": (2, lambda read: parts(read.root), 5, 2),
    "depth_max": (1, lambda read: levels(read.root), 3, 2),
    "boundary_octets_max": (1, lambda read: len(read.root.children), 3, 1),
    "parameters_max": (2, lambda read: len(read.root.content_type.parameters), 3, 2),
    "addresses_max": (2, lambda read: read.envelope.count(b'"x.test"'), 6, 5),
    "address_tokens_max": (8, lambda read: read.envelope.count(b'"y.test"'), 3, 1),
    "references_max": (2, lambda read: len(read.references), 3, 2),
    "sample_octets_max": (9, lambda read: len(read.preview), 27, 9),
    "preview_characters_max": (9, lambda read: len(read.preview), 27, 9),
}


@pytest.mark.parametrize("limit", BOUNDED)
def test_what_is_beyond_the_bound_is_left_out(limit: str) -> None:
    most, measured, without, within = BOUNDED[limit]
    whole, bounded = digest(MESSAGE), digest(MESSAGE, replace(MIME_LIMITS, **{limit: most}))
    assert (measured(whole), measured(bounded)) == (without, within)
    assert bounded.size == whole.size
