"""Our users' mail is signed for its author's domain: DKIM, RFC 6376.

With each of the domain's keys: one of RSA, which everybody can verify, and one of Ed25519 (RFC 8463) if it
has one. By cryptography: dkimpy's own arithmetic takes 25 times as long for a signature.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from mailnode.clock import Clock
from mailnode.limits import KiB
from protocols.dkim.canonical import BodyHash
from protocols.dkim.head import Head
from protocols.dkim.signature import unsigned
from protocols.mime.address import read_addresses
from protocols.mime.fields import read_header

HEAD_OCTETS_MAX = 1024 * KiB
"""A header beyond that is not signed: nobody reads so much."""
FIELDS_MAX = 10_000
END_OF_HEAD = b"\r\n\r\n"

Octets = Callable[[], AsyncIterator[bytes]]


@dataclass(frozen=True, slots=True)
class Key:
    selector: str
    private: RSAPrivateKey | Ed25519PrivateKey

    @property
    def algorithm(self) -> str:
        return "rsa-sha256" if isinstance(self.private, RSAPrivateKey) else "ed25519-sha256"

    def sign(self, octets: bytes) -> bytes:
        """RFC 8463 §3: Ed25519 is made over the hash."""
        if isinstance(self.private, RSAPrivateKey):
            return self.private.sign(octets, padding.PKCS1v15(), hashes.SHA256())
        return self.private.sign(sha256(octets).digest())


class Signer:
    """`keys` by domain, as a lower-case A-label."""

    def __init__(self, keys: Mapping[str, Sequence[Key]], clock: Clock) -> None:
        self._keys = keys
        self._clock = clock

    async def field(self, octets: Octets) -> bytes:
        """The fields to put before a content that is read once for it; empty where its author has no key."""
        found = await read(octets)
        if found is None:
            return b""
        head, digest = found
        domain = author_domain(head)
        fields = Head(head)
        return b"".join(self._signed(key, domain, fields, digest) for key in self._keys.get(domain, ()))

    def _signed(self, key: Key, domain: str, head: Head, body_hash: bytes) -> bytes:
        waiting = unsigned(
            algorithm=key.algorithm,
            domain=domain,
            selector=key.selector,
            seconds=self._clock.now_microseconds() // 1_000_000,
            body_hash=body_hash,
            head=head,
        )
        return waiting.signed(key.sign(waiting.header))


async def read(octets: Octets) -> tuple[bytes, bytes] | None:
    """The header, up to its empty line, and the hash of the relaxed body; None: a header is too long."""
    body, head = BodyHash(), b""
    in_head = True
    async for piece in octets():
        if not in_head:
            body.feed(piece)
            continue
        head += piece
        end = (b"\r\n" + head).find(END_OF_HEAD)
        if end >= 0:
            in_head = False
            body.feed(head[end + 2 :])
            head = head[:end]
        elif len(head) > HEAD_OCTETS_MAX:
            return None
    body.end()
    return head, body.digest()


def author_domain(head: bytes) -> str:
    """The domain of From, in lower case; empty when there is not exactly one address."""
    fields = read_header(head, 0, FIELDS_MAX).all(b"from")
    addresses = [address for value in fields for address in read_addresses(value)]
    if len(addresses) != 1:
        return ""
    return (addresses[0].host or b"").decode("ascii", "replace").lower()
