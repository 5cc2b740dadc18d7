import pytest

from mailnode.directory.password import (
    COST,
    Cost,
    derive,
    is_outdated,
    matches,
    prepare,
)
from mailnode.domain import Domain
from mailnode.limits import SCRAM_ITERATIONS_MAX
from mailnode.pb.row_pb2 import CredentialRow
from protocols.sasl import scram
from protocols.sasl.scram import ITERATIONS_MIN
from tests.directory.conftest import CHEAP

SALTS = (b"a" * 16, b"s" * 16)
WITH_SCRAM = Domain("example.test", "+", scram=True, dkim="")
WITHOUT_SCRAM = Domain("example.test", "+", scram=False, dkim="")


@pytest.mark.parametrize(
    ("password", "prepared"),
    [
        ("correct horse battery", "correct horse battery"),
        ("Correct", "Correct"),
        ("\u00a0spaced\u3000out", " spaced out"),
        ("passwo\u0308rd", "passw\u00f6rd"),
        ("ｐ", "ｐ"),
    ],
)
def test_a_password_is_prepared_as_an_opaque_string(password: str, prepared: str) -> None:
    assert prepare(password, 100) == prepared.encode()


@pytest.mark.parametrize("password", ["", "a\0b", "a\nb", "\ud800", "\u200b", "x" * 101, "ü" * 51])
def test_what_is_no_password_is_none(password: str) -> None:
    assert prepare(password, 100) is None


def test_a_row_matches_its_password_only() -> None:
    row = derive(b"secret", SALTS, CHEAP, WITH_SCRAM)
    assert matches(row, b"secret", CHEAP)
    assert not matches(row, b"Secret", CHEAP)
    assert not matches(row, None, CHEAP)
    assert not matches(CredentialRow(), b"", CHEAP)
    assert not matches(CredentialRow(argon2id="$argon2id$nonsense"), b"secret", CHEAP)
    assert not matches(CredentialRow(argon2id="nonsense"), b"secret", CHEAP)


def test_a_row_keeps_the_scram_keys_of_the_password() -> None:
    row = derive(b"secret", SALTS, CHEAP, WITH_SCRAM)
    keys = scram.keys(b"secret", SALTS[1], CHEAP.scram_iterations)
    kept = (row.scram_salt, row.scram_iterations, row.scram_stored_key, row.scram_server_key)
    assert kept == (keys.salt, keys.iterations, keys.stored_key, keys.server_key)


def test_a_domain_may_do_without_scram_keys() -> None:
    row = derive(b"secret", SALTS, CHEAP, WITHOUT_SCRAM)
    assert row == CredentialRow(argon2id=row.argon2id)
    assert row.argon2id.startswith("$argon2id$v=19$m=8,t=1,p=1$")


@pytest.mark.parametrize(
    ("cost", "domain", "outdated"),
    [
        (CHEAP, WITH_SCRAM, False),
        (CHEAP, WITHOUT_SCRAM, True),
        (Cost(2, 8, 4096), WITH_SCRAM, True),
        (Cost(1, 16, 4096), WITH_SCRAM, True),
        (Cost(1, 8, 5000), WITH_SCRAM, True),
    ],
)
def test_a_row_is_outdated_when_it_would_be_made_otherwise_today(
    cost: Cost, domain: Domain, outdated: bool
) -> None:
    assert is_outdated(derive(b"secret", SALTS, CHEAP, WITH_SCRAM), cost, domain) is outdated


def test_what_a_guess_costs_is_never_below_the_floor_nor_more_than_clients_take() -> None:
    assert 8 * ITERATIONS_MIN <= COST.scram_iterations <= SCRAM_ITERATIONS_MAX
    assert COST.passes >= 2 and COST.memory_kibioctets >= 19 * 1024
