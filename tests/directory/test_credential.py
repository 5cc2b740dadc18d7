import asyncio

import pytest

from mailnode.directory.address import Address
from mailnode.directory.credential import Busy
from mailnode.directory.lookup import Owner
from mailnode.directory.password import Cost
from mailnode.pb.row_pb2 import CredentialRow
from mailnode.store.keys import Kind
from protocols.sasl import scram
from tests.directory.conftest import CHEAP, DOMAINS, LIMITS, Directory, directory

ALICE = "alice@example.test"


def _row(house: Directory, account: int) -> CredentialRow:
    return CredentialRow.FromString(house.accounts.rows[account, Kind.CREDENTIAL, b""])


async def _verify(house: Directory, password: str) -> int | None:
    return await house.credentials.verify(ALICE, password, "192.0.2.1")


async def _alice(house: Directory, password: str) -> int:
    await house.creation.create(ALICE, password)
    row = await house.rows.get(Address("alice", "example.test"))
    assert row is not None
    return row.account


def test_a_password_is_right_for_its_address_alone(house: Directory) -> None:
    async def scenario() -> None:
        account = await _alice(house, "päss wörd")
        verify = house.credentials.verify
        assert await verify("ALICE@Example.test", "pa\u0308ss wo\u0308rd", "peer") == account
        for login in ("bob@example.test", "alice@elsewhere.test", "alice", "postmaster@example.test", ""):
            assert await verify(login, "päss wörd", "peer") is None
        for password in ("päss wörd ", "", "a\0", "x" * 5000):
            assert await verify(ALICE, password, "peer") is None

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("login", "password"),
    [(ALICE, "wrong"), (ALICE, "no\0password"), ("bob@example.test", "wrong"), ("no address", "")],
)
def test_an_unknown_address_costs_the_one_hash_that_a_wrong_password_costs(
    house: Directory, login: str, password: str
) -> None:
    async def scenario() -> None:
        await _alice(house, "secret")
        before = house.pool.jobs
        assert await house.credentials.verify(login, password, "peer") is None
        assert house.pool.jobs == before + 1

    asyncio.run(scenario())


def test_a_verified_password_is_remembered_for_an_hour(house: Directory) -> None:
    async def scenario() -> None:
        account = await _alice(house, "secret")
        jobs = []
        for seconds in (0, LIMITS.authentication_remembered_seconds - 1, 1):
            house.clock.seconds += seconds
            assert await _verify(house, "secret") == account
            assert await _verify(house, "wrong") is None
            jobs.append(house.pool.jobs)
        assert [jobs[1] - jobs[0], jobs[2] - jobs[1]] == [1, 2]

    asyncio.run(scenario())


def test_a_new_password_forgets_the_old_one_at_once(house: Directory) -> None:
    async def scenario() -> None:
        account = await _alice(house, "old")
        assert await _verify(house, "old") == account
        await house.credentials.write(Owner(account, DOMAINS["example.test"]), b"new")
        assert await _verify(house, "old") is None
        assert await _verify(house, "new") == account

    asyncio.run(scenario())


def test_only_so_many_passwords_are_remembered(house: Directory) -> None:
    async def scenario() -> None:
        logins = [f"user{number}@example.test" for number in range(LIMITS.passwords_remembered_max + 1)]
        for login in logins:
            await house.creation.create(login, "secret")
            await house.credentials.verify(login, "secret", "peer")
        before = house.pool.jobs
        await house.credentials.verify(logins[-1], "secret", "peer")
        assert house.pool.jobs == before
        await house.credentials.verify(logins[0], "secret", "peer")
        assert house.pool.jobs == before + 1

    asyncio.run(scenario())


def test_a_suspended_account_is_refused_its_right_and_remembered_password(house: Directory) -> None:
    async def scenario() -> None:
        account = await _alice(house, "secret")
        assert await _verify(house, "secret") == account
        row = _row(house, account)
        row.suspended = True
        house.accounts.rows[account, Kind.CREDENTIAL, b""] = row.SerializeToString()
        assert await _verify(house, "secret") is None
        assert (await house.credentials.scram_keys(ALICE))[0] is None

    asyncio.run(scenario())


def test_a_login_hashes_the_password_anew_when_the_cost_has_changed(house: Directory) -> None:
    async def scenario() -> None:
        account = await _alice(house, "secret")
        old = _row(house, account)
        dearer = directory(house.accounts, Cost(passes=2, memory_kibioctets=16, scram_iterations=5000))
        assert await _verify(dearer, "wrong") is None
        assert _row(house, account) == old
        assert await _verify(dearer, "secret") == account
        new = _row(house, account)
        assert "m=16,t=2" in new.argon2id
        assert new.scram_iterations == 5000
        assert await _verify(dearer, "secret") == account
        assert _row(house, account) == new

    asyncio.run(scenario())


def test_a_login_succeeds_where_the_new_hash_cannot_be_written(house: Directory) -> None:
    async def scenario() -> None:
        account = await _alice(house, "secret")
        house.accounts.fail_at = house.accounts.applied + 1
        dearer = directory(house.accounts, Cost(passes=2, memory_kibioctets=16, scram_iterations=5000))
        assert await _verify(dearer, "secret") == account

    asyncio.run(scenario())


def test_a_login_beyond_the_queue_is_told_to_try_again(house: Directory) -> None:
    async def scenario() -> None:
        account = await _alice(house, "secret")
        house.pool.held = True
        waiting = [
            asyncio.ensure_future(_verify(house, "secret")) for _ in range(LIMITS.authentication_queue_max)
        ]
        await asyncio.sleep(0)
        with pytest.raises(Busy):
            await _verify(house, "secret")
        house.pool.work()
        assert await asyncio.gather(*waiting) == [account] * len(waiting)

    asyncio.run(scenario())


def test_scram_keys_are_the_accounts_own(house: Directory) -> None:
    async def scenario() -> None:
        account = await _alice(house, "secret")
        found, keys = await house.credentials.scram_keys("Alice@example.test")
        assert found == account
        assert keys == scram.keys(b"secret", keys.salt, CHEAP.scram_iterations)

    asyncio.run(scenario())


def test_keys_of_another_number_of_iterations_are_none_until_the_password_comes(house: Directory) -> None:
    async def scenario() -> None:
        account = await _alice(house, "secret")
        later = directory(house.accounts, Cost(passes=1, memory_kibioctets=8, scram_iterations=4097))
        assert (await later.credentials.scram_keys(ALICE))[0] is None
        assert (await later.credentials.scram_keys(ALICE))[1].iterations == 4097
        assert await _verify(later, "secret") == account
        assert (await later.credentials.scram_keys(ALICE))[0] == account

    asyncio.run(scenario())


def test_what_is_made_up_is_the_same_after_a_restart(house: Directory) -> None:
    async def scenario() -> None:
        made_up = await house.credentials.scram_keys("bob@example.test")
        after = directory(house.accounts, CHEAP)
        after.clock.random(1)  # its randomness is another
        assert await after.credentials.scram_keys("bob@example.test") == made_up

    asyncio.run(scenario())


def test_an_address_without_scram_keys_is_answered_alike_each_time(house: Directory) -> None:
    async def scenario() -> None:
        await house.creation.create("dora@dash.test", "secret")
        answers = {}
        for login in ("dora@dash.test", "bob@example.test", "BOB@example.test", "no address"):
            found, keys = await house.credentials.scram_keys(login)
            assert found is None
            assert (len(keys.salt), len(keys.stored_key), len(keys.server_key)) == (16, 32, 32)
            assert keys.iterations == CHEAP.scram_iterations
            assert (None, keys) == await house.credentials.scram_keys(login)
            answers[login] = keys
        assert answers["bob@example.test"] == answers["BOB@example.test"]
        assert len({keys.salt for keys in answers.values()}) == 3

    asyncio.run(scenario())
