"""Application passwords: generated, one for each program, each for some services and until some day.

They have 128 random bits. Whoever holds their digests cannot try that many, however fast the hash is, so
SHA-256 without a salt is enough, and a login by one costs no argon2id.
"""

from __future__ import annotations

from base64 import b32encode
from collections.abc import Sequence
from hashlib import sha256

from mailnode.clock import Clock
from mailnode.directory.attempt import Reason, Scope
from mailnode.directory.password import Cost
from mailnode.pb.row_pb2 import ApplicationPassword, CredentialRow
from protocols.sasl import scram

OCTETS = 16
ID_OCTETS = 8


def generated(clock: Clock) -> str:
    """26 letters and digits that are not taken for one another (RFC 4648 §6), in lower case."""
    return b32encode(clock.random(OCTETS)).decode().rstrip("=").lower()


def made(
    clock: Clock, name: str, scopes: Sequence[Scope], expires: int, password: str
) -> ApplicationPassword:
    """`expires` in microseconds; 0: never."""
    return ApplicationPassword(
        id=int.from_bytes(clock.random(ID_OCTETS), "big") | 1,
        name=name,
        digest=sha256(password.encode()).digest(),
        scopes=scopes,
        created=clock.now_microseconds(),
        expires=expires,
    )


def give_scram_keys(made: ApplicationPassword, password: str, salt: bytes, cost: Cost) -> None:
    """Slow by intent: call it where it may block."""
    keys = scram.keys(password.encode(), salt, cost.scram_iterations)
    made.scram_iterations = keys.iterations
    made.scram_stored_key = keys.stored_key
    made.scram_server_key = keys.server_key


def matching(row: CredentialRow, prepared: bytes) -> ApplicationPassword | None:
    """By the digest, which nobody can choose: the time tells nothing of the passwords."""
    digests = {each.digest: each for each in row.application_passwords}
    return digests.get(sha256(prepared).digest())


def objection(password: ApplicationPassword, scope: Scope, now_microseconds: int) -> Reason | None:
    """Why it opens nothing here, though it is right."""
    if password.expires and password.expires <= now_microseconds:
        return Reason.EXPIRED
    return None if scope in password.scopes else Reason.SCOPE
