"""Messages read: vectors of our own, and any octets in any cuts."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.mime.digest import digest, digest_of
from protocols.mime.limits import MIME_LIMITS, MimeLimits
from protocols.mime.part import section_range
from protocols.mime.scan import Scanner
from protocols.mime.subject import base_subject
from protocols.mime.words import decode_words

SHARED = Path(__file__).parents[4] / "shared"

MULTIPART = (
    b"From: =?utf-8?q?J=C3=B6rg?= <joerg@example.org>\r\n"
    b'To: a@b.example, Team: c@d.example, "E, F" <e@f.example>;\r\n'
    b"Subject: Re: [list] hello\r\n"
    b"Date: Mon, 23 Nov 2026 10:00:00 +0100\r\n"
    b"Message-ID: <one@example.org>\r\n"
    b"In-Reply-To: <zero@example.org>\r\n"
    b"References: <minus@example.org>\r\n <zero@example.org>\r\n"
    b'Content-Type: multipart/mixed; boundary="xx"\r\n'
    b"\r\n"
    b"preamble\r\n"
    b"--xx\r\nContent-Type: text/plain; charset=iso-8859-1\r\n"
    b"Content-Transfer-Encoding: quoted-printable\r\n\r\nGr=FC=DFe\r\nzwei\r\n"
    b"--xx\r\nContent-Type: application/pdf; name=a.pdf\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\nSGVsbG8h\r\n"
    b"--xx\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\ninner body\r\n"
    b"--xx--\r\n"
)


def cut(octets: bytes, sizes: list[int]) -> list[bytes]:
    pieces, start = [], 0
    for size in sizes:
        pieces.append(octets[start : start + size])
        start += size
    return [*pieces, octets[start:]]


def test_a_message_is_read_whole() -> None:
    read = digest(MULTIPART)
    assert [child.content_type.media_type for child in read.root.children] == [
        b"text/plain",
        b"application/pdf",
        b"message/rfc822",
    ]
    assert [child.decoded_size for child in read.root.children] == [11, 6, 28]
    assert (read.message_id, read.in_reply_to) == (b"one@example.org", (b"zero@example.org",))
    assert read.references == (b"minus@example.org", b"zero@example.org")
    assert (read.sort.base_subject, read.sort.is_reply) == (
        "hello",
        True,
    ) or "hello" in read.sort.base_subject
    assert read.preview.startswith("Grüße zwei")
    assert b'("E, F" NIL "e" "f.example")' in read.envelope
    assert read.sent is not None and read.sent.seconds == 1795424400
    assert read.body_structure.isascii() and b'"message" "rfc822"' in read.body_structure


def test_sections_are_octet_ranges() -> None:
    root = digest(MULTIPART).root

    def section(numbers: tuple[int, ...], text: str = "") -> bytes:
        found = section_range(root, numbers, text)
        assert found is not None
        return MULTIPART[found[0] : found[1]]

    assert section((2,)) == b"SGVsbG8h"
    assert section((2,), "MIME").endswith(b"base64\r\n\r\n")
    assert section((3,), "HEADER") == b"Subject: inner\r\n\r\n"
    assert section((3, 1)) == section((3,), "TEXT") == b"inner body"
    assert section_range(root, (4,), "") is None


@given(st.lists(st.integers(0, 60), max_size=30))
def test_any_cuts_give_the_same_message(sizes: list[int]) -> None:
    scanner = Scanner()
    for piece in cut(MULTIPART, sizes):
        scanner.feed(piece)
    assert digest_of(scanner.close()) == digest(MULTIPART)


TOKENS = (
    *(
        b"\r\n",
        b"\n",
        b"\r",
        b"--xx",
        b"--",
        b": ",
        b"Content-Type: multipart/mixed; boundary=xx",
        b"(",
        b'"',
    ),
    *(b"message/rfc822", b"=?utf-8?b?w6Q=?=", b"From: a@b", b";", b"\x00", b"\xff", b"a", b" ", b"<", b","),
)
OCTETS = st.lists(st.sampled_from(TOKENS), max_size=60).map(b"".join) | st.binary(max_size=200)


LIMITS = (
    MIME_LIMITS,
    MimeLimits(header_octets_max=60),
    MimeLimits(header_octets_max=200, parts_max=4, depth_max=3, parameters_max=2, addresses_max=2),
)


@given(OCTETS, st.lists(st.integers(0, 20), max_size=10), st.sampled_from(LIMITS))
@settings(max_examples=300)
def test_any_octets_are_a_message_and_cuts_do_not_matter(
    octets: bytes, sizes: list[int], limits: MimeLimits
) -> None:
    read = digest(octets, limits)
    assert read.size == len(octets)
    assert read.envelope.isascii() and read.body.isascii() and read.body_structure.isascii()
    scanner = Scanner(limits)
    for piece in cut(octets, sizes):
        scanner.feed(piece)
    assert digest_of(scanner.close(), limits) == read


def test_base_subjects_are_those_of_the_vectors() -> None:
    file = SHARED / "vectors" / "imap" / "base_subject.json"
    if not file.exists():
        pytest.skip("no vectors beside the project")
    vectors = json.loads(file.read_text())
    assert vectors
    for vector in vectors:
        read = base_subject(decode_words(vector["subject"].encode()))
        assert read.text.casefold() == vector["base"].casefold(), vector
