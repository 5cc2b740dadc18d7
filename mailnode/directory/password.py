"""What is kept of a password: an argon2id hash (RFC 9106) and SCRAM-SHA-256 keys (RFC 5802, RFC 7677).

Pure but for the salts, which `derive` takes as arguments; slow by intent: call it where it may block.
"""

from dataclasses import dataclass

import argon2
from precis_i18n import get_profile

from mailnode.domain import Domain
from mailnode.limits import SCRAM_ITERATIONS_MAX
from mailnode.pb.row_pb2 import CredentialRow
from protocols.sasl import scram

SALT_OCTETS = 16  # RFC 9106 §4


@dataclass(frozen=True, slots=True)
class Cost:
    """What one guess costs whoever holds the rows, and one login us."""

    passes: int
    memory_kibioctets: int
    scram_iterations: int


COST = Cost(passes=2, memory_kibioctets=32 * 1024, scram_iterations=SCRAM_ITERATIONS_MAX)
"""Some 50 ms of one core for a login, above the usual floor of 2 passes over 19 MiB. The second choice of
RFC 9106 §4 (3 passes, 4 lanes, 64 MiB) took 3 times that here."""


def prepare(password: str, octets_max: int) -> bytes | None:
    """By the OpaqueString profile (RFC 8265 §4.2) in UTF-8; None: this is no password."""
    if len(password) > octets_max:
        return None
    if not (password.isascii() and password.isprintable() and password):
        try:
            password = get_profile("OpaqueString").enforce(password)
        except UnicodeError:
            return None
    prepared = password.encode()
    return prepared if len(prepared) <= octets_max else None


def derive(password: bytes, salts: tuple[bytes, bytes], cost: Cost, domain: Domain) -> CredentialRow:
    """The row of a prepared password; `salts` are for argon2id and for SCRAM."""
    row = CredentialRow(argon2id=_hasher(cost).hash(password, salt=salts[0]))
    if domain.scram:
        keys = scram.keys(password, salts[1], cost.scram_iterations)
        row.scram_salt = keys.salt
        row.scram_iterations = keys.iterations
        row.scram_stored_key = keys.stored_key
        row.scram_server_key = keys.server_key
    return row


def matches(row: CredentialRow, password: bytes | None, cost: Cost) -> bool:
    """Costs the same whether there is such a row and such a password (RFC 8265 §4.2) or not."""
    if not row.argon2id or password is None:
        _hasher(cost).hash(b"", salt=bytes(SALT_OCTETS))
        return False
    try:
        return _hasher(cost).verify(row.argon2id, password)
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
        return False


def is_outdated(row: CredentialRow, cost: Cost, domain: Domain) -> bool:
    """True when `derive` would make it otherwise today."""
    iterations = cost.scram_iterations if domain.scram else 0
    return row.scram_iterations != iterations or _hasher(cost).check_needs_rehash(row.argon2id)


def _hasher(cost: Cost) -> argon2.PasswordHasher:
    return argon2.PasswordHasher(cost.passes, cost.memory_kibioctets, parallelism=1, salt_len=SALT_OCTETS)
