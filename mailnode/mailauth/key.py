"""The private keys that a domain signs with: made, read, and what the DNS shall say of them."""

from __future__ import annotations

import os
from base64 import b64encode
from functools import lru_cache
from pathlib import Path
from typing import Any

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

Private = RSAPrivateKey | Ed25519PrivateKey

BITS = 2048  # RFC 8301 §3.2
_OTHERS = 0o077


KINDS = ("rsa", "ed25519")
"""As k= of a record says: RFC 6376 §3.6.1, RFC 8463 §3."""


def new(kind: str = "rsa") -> bytes:
    """In PEM."""
    private = Ed25519PrivateKey.generate() if kind == "ed25519" else rsa.generate_private_key(65537, BITS)
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def write(path: Path, pem: bytes) -> None:
    """For its owner only; raises OSError when there is a file."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())


def read(path: Path) -> Private:
    """Raises ConfigError when it is no key that may be used, or others may read it."""
    return _checked(path)[1]


def read_pem(path: Path) -> bytes:
    """As `read`."""
    return _checked(path)[0]


def of_pem(pem: bytes) -> Private:
    """That was read by `read_pem` or made by `new`, and nobody could change since. Raises ValueError."""
    # To prove a key of RSA takes 25 ms.
    return _of_kind(load_pem_private_key(pem, None, unsafe_skip_rsa_key_validation=True))


def _checked(path: Path) -> tuple[bytes, Private]:
    try:
        pem = path.read_bytes()
        mode = path.stat().st_mode
    except OSError as error:
        raise ConfigError(f"{path}: the key of a domain that signs: {error.strerror}") from None
    if mode & _OTHERS:
        raise ConfigError(f"{path}: others may read this key, expected mode 600")
    try:
        return pem, _of_kind(_proven(pem))
    except (ValueError, TypeError) as error:
        raise ConfigError(f"{path}: is no key to sign with: {error}") from None


@lru_cache(maxsize=10_000)
def _proven(pem: bytes) -> Any:
    """Once: they are read whenever a domain comes or goes."""
    return load_pem_private_key(pem, None)


def _of_kind(private: Any) -> Private:
    if isinstance(private, Ed25519PrivateKey):
        return private
    if not isinstance(private, RSAPrivateKey) or private.key_size < BITS:
        raise ValueError(f"expected an RSA key of {BITS} bits or more, or an Ed25519 key")
    return private


def record(private: Private) -> str:
    """The text of the key's TXT record, RFC 6376 §3.6.1."""
    if isinstance(private, Ed25519PrivateKey):
        return f"v=DKIM1; k=ed25519; p={b64encode(private.public_key().public_bytes_raw()).decode()}"
    public = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return f"v=DKIM1; k=rsa; p={b64encode(public).decode()}"
