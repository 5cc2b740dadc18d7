"""Messages with signatures, for other programs that sign and verify: what each says of the same ones."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from functools import cache
from pathlib import Path

import dkim
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from mailnode.clock import SystemClock
from mailnode.mailauth.key import record
from mailnode.mailauth.signer import Key, Signer
from protocols.results import DkimResult
from tests.mailauth.verifying import verified

DOMAIN = "here.test"
RSA = rsa.generate_private_key(65537, 2048)
ED25519 = Ed25519PrivateKey.generate()
SELECTORS: Mapping[str, rsa.RSAPrivateKey | Ed25519PrivateKey] = {"s1": RSA, "e1": ED25519}
RECORDS = {f"{selector}._domainkey.{DOMAIN}": record(key) for selector, key in SELECTORS.items()}

HEAD = (
    b"From: Alice\r\n <alice@here.test>\r\nTo: bob@there.test\r\nSubject: a  b\r\n"
    b"Date: Mon, 5 Jan 2026 10:00:00 +0000\r\nMessage-ID: <1@here.test>\r\n"
)
BODIES = {
    "plain": b"hello\r\n",
    "blanks": b" hello \t world  \r\n\t\r\n\r\nend \r\n\r\n\r\n",
    "empty": b"",
    "8bit": "grüße\r\n".encode(),
    "long": b"a line of text like many others\r\n" * 3000,
}
MESSAGES = {name: HEAD + b"\r\n" + body for name, body in BODIES.items()}


def ours(message: bytes) -> bytes:
    """With a signature of each of our keys."""

    async def octets() -> AsyncIterator[bytes]:
        yield message

    signer = Signer({DOMAIN: [Key(name, key) for name, key in SELECTORS.items()]}, SystemClock())
    return asyncio.run(signer.field(octets)) + message


def results(message: bytes) -> tuple[DkimResult, ...]:
    seconds = SystemClock().now_microseconds() // 1_000_000
    return verified(message, {name: [text] for name, text in RECORDS.items()}, seconds=seconds).signatures


def pem(selector: str) -> bytes:
    return SELECTORS[selector].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def key_file(selector: str, directory: Path) -> Path:
    path = directory / f"{selector}.pem"
    path.write_bytes(pem(selector))
    path.chmod(0o600)
    return path


@cache
def altered() -> Mapping[str, bytes]:
    """Messages that are not as they were signed, or are signed as nobody should."""
    whole = ours(MESSAGES["blanks"])
    traditional = RSA.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    message = MESSAGES["plain"]

    def signed(**options: object) -> bytes:
        field: bytes = dkim.sign(message, b"s1", DOMAIN.encode(), traditional, **options)
        return field + message

    return {
        "body": whole.replace(b"hello", b"Hello"),
        "subject": whole.replace(b"a  b", b"c"),
        "refolded": whole.replace(b"Alice\r\n <", b"Alice <").replace(b"a  b", b"a b"),
        "second From": b"From: eve@there.test\r\n" + whole,
        "second type": whole.replace(b"To: bob", b"Content-Type: text/html\r\nTo: bob"),
        "l=": signed(length=True) + b"more\r\n",
        "rsa-sha1": signed(signature_algorithm=b"rsa-sha1"),
        "no key": whole.replace(b"s=s1;", b"s=s9;").replace(b"s=e1;", b"s=e9;"),
        "i= outside": whole.replace(b"d=here.test;", b"d=here.test; i=@there.test;"),
    }
