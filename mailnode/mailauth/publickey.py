"""The keys that others sign with, from the DNS: RFC 6376 §6.1.2, RFC 8301, RFC 8463.

By cryptography: dkimpy's own arithmetic takes many times as long for a signature.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key
from dns.rdtypes.txtbase import TXTBase

from mailnode.limits import Limits
from mailnode.mailauth.domain import a_labels
from mailnode.mailauth.resolver import Answers
from protocols.dkim.record import Record, read_record
from protocols.dkim.tags import Malformed

RSA_BITS_MIN = 1024  # RFC 8301 §3.2
RSA_BITS_MAX = 8192  # four times what is usual: one signature costs half a millisecond then
RSA_EXPONENT_BITS_MAX = 33  # 65537 is what everybody has; a long one is work for us alone
RECORDS_MAX = 4  # of one name that are looked at: while keys roll there are two


class NoKey(Exception):
    """There is none that may be used; `result` is a word of RFC 8601 §2.7.1."""

    def __init__(self, reason: str, result: str = "permerror") -> None:
        super().__init__(reason)
        self.result = result


@dataclass(frozen=True, slots=True)
class PublicKey:
    """`strict` and `testing` as in its record."""

    material: RSAPublicKey | Ed25519PublicKey
    strict: bool
    testing: bool

    def verifies(self, signature: bytes, octets: bytes) -> bool:
        """RFC 8463 §3: Ed25519 is made over the hash."""
        try:
            if isinstance(self.material, RSAPublicKey):
                self.material.verify(signature, octets, PKCS1v15(), hashes.SHA256())
            else:
                digest = hashes.Hash(hashes.SHA256())
                digest.update(octets)
                self.material.verify(signature, digest.finalize())
        except InvalidSignature:
            return False
        return True


class PublicKeys:
    def __init__(self, resolver: Answers, limits: Limits) -> None:
        self._resolver = resolver
        self._limits = limits

    async def find(self, selector: str, domain: str, kind: str) -> list[PublicKey]:
        """Never empty; `kind` is "rsa" or "ed25519". Raises NoKey, or Unavailable."""
        name = f"{a_labels(selector)}._domainkey.{a_labels(domain)}"
        if not a_labels(name) or name.startswith(".") or name.endswith("."):
            raise NoKey("no name for a key")
        answer = await self._resolver.records(name, "TXT")
        texts = [b"".join(each.strings) for each in answer.records if isinstance(each, TXTBase)]
        if not texts:
            raise NoKey("there is no key")
        keys, why = [], NoKey("there is no key of this kind")
        for text in texts[:RECORDS_MAX]:
            try:
                keys.append(self._read(text, kind))
            except NoKey as error:
                why = error
        if not keys:
            raise why
        return keys

    def _read(self, text: bytes, kind: str) -> PublicKey:
        if len(text) > self._limits.dkim_record_octets_max:
            raise NoKey("the record of the key is too long")
        try:
            record = read_record(text)
        except Malformed as error:
            raise NoKey(str(error)) from None
        if not record.octets:
            raise NoKey("the key is revoked")
        if record.kind != kind:
            raise NoKey("there is no key of this kind")
        return PublicKey(_material(record), record.strict, record.testing)


def _material(record: Record) -> RSAPublicKey | Ed25519PublicKey:
    """Raises NoKey."""
    try:
        return _loaded(record.kind, record.octets)
    except (ValueError, UnsupportedAlgorithm):
        raise NoKey("the key cannot be read") from None


@lru_cache(maxsize=1024)
def _loaded(kind: str, octets: bytes) -> RSAPublicKey | Ed25519PublicKey:
    """Kept, for reading a key takes longer than verifying with it."""
    if kind == "ed25519":
        return Ed25519PublicKey.from_public_bytes(octets)
    key = load_der_public_key(octets)  # SubjectPublicKeyInfo, or RSAPublicKey as RFC 6376 §3.6.1 says
    if not isinstance(key, RSAPublicKey):
        raise NoKey("the key is not of the kind that it says")
    if key.key_size < RSA_BITS_MIN:
        raise NoKey(f"a key of {key.key_size} bits is too short", "policy")
    if key.key_size > RSA_BITS_MAX or key.public_numbers().e.bit_length() > RSA_EXPONENT_BITS_MAX:
        raise NoKey("the key is too long", "policy")
    return key
