"""The private keys that a domain signs with: made, read, and what the DNS shall say of them."""

from __future__ import annotations

import os
from base64 import b64encode
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from mailnode.config import ConfigError

BITS = 2048  # RFC 8301 §3.2
_OTHERS = 0o077


KINDS = ("rsa", "ed25519")
"""As k= of a record says: RFC 6376 §3.6.1, RFC 8463 §3."""


def write_new(path: Path, kind: str = "rsa") -> None:
    """Make a key, for its owner only; raises OSError when there is a file."""
    private = Ed25519PrivateKey.generate() if kind == "ed25519" else rsa.generate_private_key(65537, BITS)
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())


def read(path: Path) -> RSAPrivateKey | Ed25519PrivateKey:
    """Raises ConfigError when it is no key that may be used, or others may read it."""
    try:
        pem = path.read_bytes()
        mode = path.stat().st_mode
    except OSError as error:
        raise ConfigError(f"{path}: the key of a domain that signs: {error.strerror}") from None
    if mode & _OTHERS:
        raise ConfigError(f"{path}: others may read this key, expected mode 600")
    try:
        private = load_pem_private_key(pem, None)
    except (ValueError, TypeError) as error:
        raise ConfigError(f"{path}: is no private key in PEM: {error}") from None
    if isinstance(private, Ed25519PrivateKey):
        return private
    if not isinstance(private, RSAPrivateKey) or private.key_size < BITS:
        raise ConfigError(f"{path}: expected an RSA key of {BITS} bits or more, or an Ed25519 key")
    return private


def record(private: RSAPrivateKey | Ed25519PrivateKey) -> str:
    """The text of the key's TXT record, RFC 6376 §3.6.1."""
    if isinstance(private, Ed25519PrivateKey):
        return f"v=DKIM1; k=ed25519; p={b64encode(private.public_key().public_bytes_raw()).decode()}"
    public = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return f"v=DKIM1; k=rsa; p={b64encode(public).decode()}"
