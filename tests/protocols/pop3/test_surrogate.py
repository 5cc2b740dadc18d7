"""Surrogate headers: RFC 6856 §2.1 and RFC 6858."""

import email
import email.policy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.mime.words import decode_words
from protocols.pop3.surrogate import NO_ADDRESS, Surrogate, surrogate

INVALID = NO_ADDRESS.decode()


def header(*lines: str) -> bytes:
    return "".join(line + "\r\n" for line in (*lines, "")).encode()


def read(octets: bytes) -> email.message.Message:
    assert octets.isascii()
    return email.message_from_bytes(octets, policy=email.policy.default)


def test_a_header_in_ascii_stays_as_it_is() -> None:
    octets = header("Subject:  odd\tspaces ", "X: =?utf-8?q?=C3=B6?=", " folded", "no field")
    assert surrogate(octets) == octets


def test_text_says_the_same_in_encoded_words() -> None:
    words = "Grüße aus Köln, immer wieder gerne; " * 10
    octets = surrogate(header(f"Subject: {words}", "X-Note: ☃ and =?utf-8?q?=C3=B6?= too", "To: a@b.example"))
    message = read(octets)
    assert message["Subject"] == words.strip()
    assert decode_words(message["X-Note"].encode()) == "☃ and ö too"
    assert octets.endswith(b"\r\nTo: a@b.example\r\n\r\n")
    assert max(map(len, octets.split(b"\r\n"))) <= 76


@pytest.mark.parametrize(
    ("field", "addresses"),
    [
        ("From: Jörg <j@b.example>", [("Jörg", "j@b.example")]),
        ('From: "Jörg, K." <j@b.example>, a@b.example', [("Jörg, K.", "j@b.example"), ("", "a@b.example")]),
        ("To: jörg@b.example", [("jörg@b.example", INVALID)]),
        ("Cc: Jörg <j@bücher.example>", [("Jörg j@bücher.example", INVALID)]),
        ('To: Ann <a@b.example>, "q\\"x" <"a b"@c.example>, ö <o@b.example>',
         [("Ann", "a@b.example"), ('q"x', '"a b"@c.example'), ("ö", "o@b.example")]),
        ("To: Gäste: ann@b.example, Jörg <j@b.example>;, c@b.example",
         [("", "ann@b.example"), ("Jörg", "j@b.example"), ("", "c@b.example")]),
    ],
)  # fmt: skip
def test_addresses_keep_what_ascii_can_say(field: str, addresses: list[tuple[str, str]]) -> None:
    name = field.partition(":")[0]
    message = read(surrogate(header(field)))
    assert [(one.display_name, one.addr_spec) for one in message[name].addresses] == addresses


def test_parameters_become_extended_values() -> None:
    octets = surrogate(
        header('Content-Disposition: attachment; size=7; filename="Überschrift 1.pdf"',
               'Content-Type: application/pdf; name="Überschrift 1.pdf"')
    )  # fmt: skip
    message = read(octets)
    assert message.get_filename() == "Überschrift 1.pdf"
    assert message.get_content_type() == "application/pdf"
    assert message["Content-Type"].params["name"] == "Überschrift 1.pdf"


def test_fields_that_hold_no_text_are_left_out() -> None:
    octets = surrogate(header("Message-ID: <ö@b.example>", "Subject: x", "Ö: x", "Received: from ö"))
    assert octets == header("Subject: x")


def test_what_is_no_utf_8_stays() -> None:
    octets = b"Subject: Gr\xfc\xdfe\r\n\r\n"
    assert surrogate(octets) == octets


MESSAGES = [
    header("Subject: Grüße", "From: Jörg <j@b.example>") + "Körper\r\n".encode(),
    header("Subject: x") + "Körper\r\n".encode(),
    "\r\nKörper\r\n".encode(),
    "Subject: nur Köpfe\r\n".encode(),
    b"",
]


@pytest.mark.parametrize("message", MESSAGES)
@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_cuts_change_nothing_and_the_body_passes(message: bytes, size: int) -> None:
    whole, cut = Surrogate(), Surrogate()
    expected = whole.take(message) + whole.end()
    pieces = [cut.take(message[at : at + size]) for at in range(0, len(message), size)]
    assert b"".join(pieces) + cut.end() == expected
    _, empty, body = message.partition(b"\r\n\r\n")
    assert expected.endswith(empty + body)
    assert message.startswith(b"\r\n") or expected.partition(b"\r\n\r\n")[0].isascii()


NAMES = ["Subject", "From", "To", "Content-Type", "Content-Disposition", "Message-ID", "X-Any"]
VALUES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0"), max_size=300)


@given(VALUES, st.sampled_from(NAMES))
def test_whatever_a_field_says_it_is_ascii_then_and_the_next_one_is_whole(value: str, name: str) -> None:
    octets = surrogate(header(f"{name}: {value}", "X-Next: 1"))
    assert octets.isascii()
    first, _, rest = octets.rpartition(b"X-Next: 1")
    assert rest == b"\r\n\r\n"
    assert not first or first.endswith(b"\r\n")
    assert all(line.startswith((name.encode() + b":", b" ", b"\t")) for line in first.split(b"\r\n")[:-1])
