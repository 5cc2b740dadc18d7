"""What we sign, another implementation verifies."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailnode.mailauth.signer import Key, Signer, author_domain
from tests.mailauth.test_resolver import Still
from tests.mailauth.verifying import verified

PRIVATE = rsa.generate_private_key(65537, 2048)
PUBLIC = PRIVATE.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
ED25519 = Ed25519PrivateKey.generate()
ED_RECORD = b"v=DKIM1; k=ed25519; p=" + b64encode(ED25519.public_key().public_bytes_raw())
RECORD = b"v=DKIM1; k=rsa; p=" + b64encode(PUBLIC)
SIGNER = Signer({"here.test": [Key("s1", PRIVATE), Key("e1", ED25519)]}, Still())
NAME = "s1._domainkey.here.test"
HEAD = (
    b"Received: from x\r\nFrom: Alice\r\n <alice@Here.Test>\r\nTo: bob@there.test\r\nSubject: a  b\r\n"
    b"Date: Mon, 5 Jan 2026 10:00:00 +0000\r\nMessage-ID: <1@here.test>\r\nReferences: <0@x>\r\n\t<9@x>\r\n"
    b"MIME-Version: 1.0\r\nContent-Type: text/plain;\r\n charset=utf-8\r\n"
)
MESSAGE = HEAD + b"\r\n hello \t world  \r\n\r\nend\r\n\r\n\r\n"


def signed(message: bytes, cut: int = 1000) -> bytes:
    async def octets() -> AsyncIterator[bytes]:
        for at in range(0, len(message), cut):
            yield message[at : at + cut]

    return asyncio.run(SIGNER.field(octets)) + message


def verifies(message: bytes) -> bool:
    def txt(name: bytes, timeout: float = 5) -> bytes | None:
        return {b"s1._domainkey.here.test.": RECORD, b"e1._domainkey.here.test.": ED_RECORD}.get(name)

    def holds(at: int) -> bool:
        try:
            good: bool = dkim.DKIM(message).verify(at, dnsfunc=txt)
        except dkim.ValidationError:
            return False
        return good

    good = {holds(at) for at in range(message.count(b"DKIM-Signature:"))}
    ours = {NAME: [RECORD.decode()], "e1._domainkey.here.test": [ED_RECORD.decode()]}
    found = verified(message, ours).signatures
    assert good == {each.result == "pass" for each in found}
    assert len(good) == 1 and len(found) == 2
    return good == {True}


@pytest.mark.parametrize("cut", [1, 7, 300, 10_000])
def test_a_signature_verifies_however_the_content_came(cut: int) -> None:
    message = signed(MESSAGE, cut)
    assert verifies(message)
    assert all(len(line) < 100 for line in message.split(b"\r\n"))


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=30, deadline=None)
@given(st.lists(st.sampled_from([b"\r\n", b" ", b"\ta", b"line\r\n", b".", b"\r\n\r\n"])), st.integers(1, 50))
def test_any_body_verifies(pieces: list[bytes], cut: int) -> None:
    assert verifies(signed(HEAD + b"\r\n" + b"".join(pieces) + b"\r\n", cut))


@pytest.mark.parametrize(
    "change",
    [
        (b" hello", b" Hello"),
        (b"Subject: a", b"Subject: b"),
        (b"To: bob", b"To: eve"),
        (b"MIME-Version", b"From: eve@there.test\r\nMIME-Version"),
        (b"MIME-Version", b"Subject: another\r\nMIME-Version"),
        (b"MIME-Version", b"Content-Type: text/html\r\nMIME-Version"),
        (b"MIME-Version", b"Reply-To: eve@there.test\r\nMIME-Version"),
    ],
)
def test_what_was_changed_or_put_in_later_does_not_verify(change: tuple[bytes, bytes]) -> None:
    message = signed(MESSAGE)
    assert change[0] in message
    assert not verifies(message.replace(*change, 1))


@pytest.mark.parametrize(
    "change",
    [(b"a  b", b"a b"), (b"Received: from x\r\n", b"Received: from y\r\n"), (b"end\r\n", b"end  \r\n")],
)
def test_what_servers_on_the_way_do_leaves_it_whole(change: tuple[bytes, bytes]) -> None:
    assert verifies(signed(MESSAGE).replace(*change, 1))


@pytest.mark.parametrize(
    "head",
    [
        b"From: alice@there.test\r\n",
        b"From: a@here.test, b@here.test\r\n",
        b"From: a@here.test\r\nFrom: a@here.test\r\n",
        b"Subject: nobody\r\n",
        b"",
    ],
)
def test_only_one_author_of_a_domain_with_a_key_is_signed_for(head: bytes) -> None:
    message = head + b"\r\nbody\r\n"
    assert signed(message) == message


def test_a_message_without_body_verifies() -> None:
    assert verifies(signed(HEAD + b"\r\n"))


def test_the_author_is_who_stands_in_from() -> None:
    assert author_domain(b'From: "a@x.test" (b@y.test) <c@Z.test>\r\n') == "z.test"


@pytest.mark.parametrize(
    "head", [b"X-Long: " + b"x" * (2 << 20) + b"\r\n", b"X: y\r\n" * 20_000], ids=["long", "many"]
)
def test_a_header_that_nobody_writes_goes_unsigned(head: bytes) -> None:
    message = head + MESSAGE
    assert signed(message, 128 << 10) == message
