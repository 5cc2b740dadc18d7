"""The secret of a cluster: what seals values that etcd keeps, and that are not for who can read etcd alone.

Sealed octets: a version, the nonce, then AES-256-GCM's text and tag. What they are about is authenticated
beside them, so that a value of one key cannot be put under another.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

OCTETS = 32
_VERSION = b"\1"
_NONCE_OCTETS = 12  # NIST SP 800-38D: at random for 2^32 values of a key
_TAG_OCTETS = 16


class Unsealable(ValueError):
    """Sealed by another secret, about something else, or not as it was."""


@dataclass(frozen=True, slots=True)
class Secret:
    """Of OCTETS random octets."""

    octets: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.octets) != OCTETS:
            raise ValueError(f"a secret of {len(self.octets)} octets, expected {OCTETS}")

    def seal(self, octets: bytes, about: bytes) -> bytes:
        nonce = os.urandom(_NONCE_OCTETS)
        return _VERSION + nonce + AESGCM(self.octets).encrypt(nonce, octets, _VERSION + about)

    def open(self, octets: bytes, about: bytes) -> bytes:
        """Raises Unsealable."""
        version, nonce, sealed = octets[:1], octets[1 : 1 + _NONCE_OCTETS], octets[1 + _NONCE_OCTETS :]
        if version != _VERSION:
            raise Unsealable(f"sealed in version {version.hex() or 'none'}, this program knows 01")
        if len(sealed) < _TAG_OCTETS:
            raise Unsealable("too short to be sealed")
        try:
            return AESGCM(self.octets).decrypt(nonce, sealed, _VERSION + about)
        except InvalidTag:
            raise Unsealable("sealed by another secret, or about something else") from None
