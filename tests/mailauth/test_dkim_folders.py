"""Every file of the folders of DKIM vectors that are no suite with results of their own."""

from __future__ import annotations

import asyncio
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from functools import cache
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from mailnode.mailauth.signer import Key, Signer
from protocols.dkim.canonical import BodyHash, Form, relaxed_field
from protocols.dkim.head import Head
from protocols.dkim.read import tags_of
from tests.mailauth.test_resolver import Still
from tests.mailauth.vectors import VECTORS
from tests.mailauth.verifying import crlf, verified

DKIM = VECTORS / "dkim"
CANONICAL, DKIMPY, MIMEKIT = DKIM / "canonicalization", DKIM / "dkimpy", DKIM / "mimekit"
pytestmark = pytest.mark.skipif(not DKIM.exists(), reason="the vectors are not here")

# -- canonicalization: nofws is of DomainKeys (RFC 4870), which nobody has signed by for long

NUMBERS = sorted(each.suffix for each in CANONICAL.glob("email.*"))


RFC_BODIES = {(".24", Form.RELAXED): b""}
"""Its last line is blanks without a line's end. The file keeps one of them, and so all empty lines before; by
RFC 6376 §3.4.4 blanks at the end of a line go, and then there is nothing but empty lines."""


def test_all_messages_to_be_brought_into_forms_are_there() -> None:
    assert len(NUMBERS) == 21
    named = {f"{kind}{number}" for number in NUMBERS for kind in ("email", "purpose")}
    named |= {f"{form}.expected{number}" for number in NUMBERS for form in ("simple", "relaxed", "nofws")}
    assert {each.name for each in CANONICAL.iterdir()} == named | {"README"}


@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize("number", NUMBERS)
def test_a_message_has_its_form(number: str, form: Form) -> None:
    """Without a body the simple form has one empty line, RFC 6376 §3.4.3."""
    message = crlf((CANONICAL / f"email{number}").read_bytes())
    expected = (CANONICAL / f"{form.value}.expected{number}").read_bytes()
    head, _, body = message.partition(b"\r\n\r\n")
    fields = _fields(head) if head.strip() else []
    made = b"".join(relaxed_field(each) if form is Form.RELAXED else each for each in fields)
    assert expected.startswith(made + b"\r\n")
    hashed = BodyHash(form)
    hashed.feed(body)
    hashed.end()
    body_of = RFC_BODIES.get((number, form), expected.removeprefix(made + b"\r\n"))
    assert hashed.digest() == sha256(body_of).digest()


def _fields(head: bytes) -> list[bytes]:
    found: list[bytes] = []
    for line in head.removesuffix(b"\r\n").split(b"\r\n"):
        if line[:1] in (b" ", b"\t"):
            found[-1] += line + b"\r\n"
        else:
            found.append(line + b"\r\n")
    return found


# -- messages and keys of dkimpy and MimeKit


def text(path: Path) -> str:
    return path.read_text().strip()


def lines(path: Path) -> str:
    """The base64 of a PEM file."""
    return "".join(path.read_text().splitlines()[1:-1])


def seed(name: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(b64decode(text(DKIMPY / name)))


def rsa(path: Path) -> RSAPrivateKey:
    key = load_pem_private_key(path.read_bytes(), None)
    assert isinstance(key, RSAPrivateKey)
    return key


@cache
def football() -> dict[str, list[str]]:
    """The keys of RFC 8463 §A.2."""
    public = b64encode(seed("rfc8032_7_1.key").public_key().public_bytes_raw()).decode()
    return {
        "brisbane._domainkey.football.example.com": [f"v=DKIM1; k=ed25519; p={public}"],
        "test._domainkey.football.example.com": [text(DKIMPY / "test.txt")],
    }


def test_messages_with_signatures_have_good_ones() -> None:
    gmail = {"20120113._domainkey.gmail.com": [f"k=rsa; p={lines(MIMEKIT / 'gmail.pub')}"]}
    exim = {"sed._domainkey.test.ex": [text(DKIMPY / "eximtest.dns")]}
    table = {
        DKIMPY / "rfc6376.signed.msg": (football(), 2),
        DKIMPY / "ed25519test2.msg": (exim, 1),
        DKIMPY / "test2.message": (gmail, 1),
        MIMEKIT / "rfc8463-example.msg": (football(), 2),
        MIMEKIT / "gmail.msg": (gmail, 1),
        MIMEKIT / "multipart-no-end-boundary.msg": (gmail, 1),
    }
    for path, (texts, count) in table.items():
        found = verified(crlf(path.read_bytes()), texts).signatures
        assert [each.result for each in found] == ["pass"] * count, (path, found)


def test_the_body_of_a_message_whose_key_is_gone_is_as_it_was_signed() -> None:
    message = crlf((DKIMPY / "message.mbox").read_bytes())
    head, _, body = message.partition(b"\r\n\r\n")
    (field,) = Head(head + b"\r\n").all(b"dkim-signature")
    hashed = BodyHash(Form.SIMPLE)
    hashed.feed(body)
    hashed.end()
    assert b64encode(hashed.digest()).decode() == tags_of(field)["bh"]
    (found,) = verified(message, {}).signatures
    assert (found.result, found.reason) == ("permerror", "there is no key")


def signed(message: bytes, key: Key) -> bytes:
    """For example.com, the domain of all authors there."""

    async def octets() -> AsyncIterator[bytes]:
        yield message

    keys = {domain: [key] for domain in ("example.com", "football.example.com")}
    return asyncio.run(Signer(keys, Still()).field(octets)) + message


@pytest.mark.parametrize(
    "name", ["test.message", "test_extra.message", "ed25519test.msg", "rfc6376.msg", "test2.message"]
)
def test_messages_signed_by_the_keys_beside_them_have_good_signatures(name: str) -> None:
    """Of test2.message the author is another's, so nobody signs it."""
    message = crlf((DKIMPY / name).read_bytes())
    pairs = [
        (rsa(DKIMPY / "test.private"), text(DKIMPY / "test.txt")),
        (rsa(DKIMPY / "test2.private"), text(DKIMPY / "test2.txt")),
        (seed("ed25519test.key"), text(DKIMPY / "ed25519test.dns")),
        (rsa(MIMEKIT / "example.pem"), f"v=DKIM1; t=s; p={lines(MIMEKIT / 'example.pub')}"),
    ]
    for private, record in pairs:
        whole = signed(message, Key("k", private))
        if name == "test2.message":
            assert whole == message
            continue
        texts = {f"k._domainkey.{domain}": [record] for domain in ("example.com", "football.example.com")}
        assert verified(whole, texts).signatures[0].result == "pass"


def test_a_message_without_an_author_is_not_signed() -> None:
    message = crlf((DKIMPY / "test_nofrom.message").read_bytes())
    assert signed(message, Key("k", rsa(DKIMPY / "test.private"))) == message


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("badk.txt", "there is no key of this kind"),
        ("badversion.txt", "the record of the key is of another version"),
        ("test_bad.txt", "the key cannot be read"),
        ("test_tlsrpt.txt", "the key is not for mail"),
    ],
)
def test_a_record_that_is_wrong_is_no_key(name: str, reason: str) -> None:
    """`s=tlsrpt` of RFC 8460 §3 is a key for reports alone."""
    message = crlf((DKIMPY / "test.message").read_bytes())
    whole = signed(message, Key("k", rsa(DKIMPY / "test.private")))
    (found,) = verified(whole, {"k._domainkey.example.com": [text(DKIMPY / name)]}).signatures
    assert found.result == "permerror" and found.reason == reason


def test_a_record_is_the_same_in_the_files_of_two_name_servers() -> None:
    public = lines(MIMEKIT / "example.pub")
    bind = "".join((MIMEKIT / "example.bind9").read_text().split('"')[1::2])
    tiny = (MIMEKIT / "example.tinydns").read_text()
    assert bind == f"v=DKIM1;t=s;p={public}"
    assert f":v=DKIM1;p={public}" in tiny


def test_no_file_of_the_folders_is_left_out() -> None:
    used = Path(__file__).read_text()
    files = [each.name for folder in (DKIMPY, MIMEKIT) for each in folder.iterdir()]
    assert len(files) == 29
    assert [name for name in files if f'"{name}"' not in used and f"'{name}'" not in used] == []
