"""A token: what one more node needs to come into a cluster, as one word that an operator carries over. Pure.

It says where the cluster's etcd is, and holds a secret of its own. Of that come, by HKDF (RFC 5869), the name
under which etcd keeps what the token opens, and the key that opens it: who reads etcd alone learns neither.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from hashlib import sha256

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from google.protobuf.message import DecodeError

from mailnode.cluster.secret import OCTETS, Secret
from mailnode.pb import cluster_pb2 as pb

SECRET_OCTETS = 16  # as many as cannot be tried
_BEGIN = "mailnode-"
_VERSION = b"\1"
_CHECK_OCTETS = 4  # what was copied by hand may lack its end


class BadToken(ValueError):
    """The text is none; what this says is for an operator."""


@dataclass(frozen=True, slots=True)
class Token:
    endpoints: tuple[str, ...]
    """Of etcd's members, as the node that made it has them."""
    prefix: str
    secret: bytes = field(repr=False)
    ends: int
    """Microseconds since 1970."""

    @property
    def name(self) -> str:
        """Under which etcd keeps it."""
        return _derived(self.secret, b"mailnode token name").hex()

    @property
    def opens(self) -> Secret:
        """What etcd keeps there."""
        return Secret(_derived(self.secret, b"mailnode token key"))


def text_of(token: Token) -> str:
    made = pb.Token(endpoints=token.endpoints, prefix=token.prefix, secret=token.secret, ends=token.ends)
    octets = _VERSION + made.SerializeToString()
    return _BEGIN + base64.urlsafe_b64encode(octets + _check(octets)).decode().rstrip("=")


def token_of(text: str) -> Token:
    """Raises BadToken."""
    word = "".join(text.split())  # a terminal, or a mail, may have broken it
    if not word.startswith(_BEGIN):
        raise BadToken(f"it begins with {_BEGIN}")
    encoded = word.removeprefix(_BEGIN)
    try:
        octets = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise BadToken("it has letters that none has") from None
    whole, check = octets[:-_CHECK_OCTETS], octets[-_CHECK_OCTETS:]
    if _check(whole) != check:
        raise BadToken("a part of it is missing, or is another one's")
    return _read(whole)


def _read(octets: bytes) -> Token:
    if octets[:1] != _VERSION:
        raise BadToken("it was made by a later version")
    try:
        found = pb.Token.FromString(octets[1:])
    except DecodeError:
        raise BadToken("it was not made by `mailnode cluster token`") from None
    if len(found.secret) != SECRET_OCTETS or not found.endpoints:
        raise BadToken("it was not made by `mailnode cluster token`")
    return Token(tuple(found.endpoints), found.prefix, found.secret, found.ends)


def _check(octets: bytes) -> bytes:
    return sha256(octets).digest()[:_CHECK_OCTETS]


def _derived(secret: bytes, what: bytes) -> bytes:
    return HKDF(hashes.SHA256(), OCTETS, None, what).derive(secret)
