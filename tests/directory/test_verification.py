import asyncio

import pytest

from mailnode.directory.address import Address
from mailnode.directory.attempt import Identity, Reason
from mailnode.directory.lookup import Owner
from mailnode.directory.password import Cost
from mailnode.directory.verification import Exchange
from mailnode.pb.row_pb2 import CredentialRow
from mailnode.store.keys import Kind
from protocols.sasl import scram
from tests.directory.asking import caller, verified
from tests.directory.conftest import CHEAP, DOMAINS, LIMITS, Directory, directory

ALICE = "alice@example.test"


def _row(house: Directory, account: int) -> CredentialRow:
    return CredentialRow.FromString(house.accounts.rows[account, Kind.CREDENTIAL, b""])


async def _verify(house: Directory, password: str) -> int | None:
    return await verified(house.verification, ALICE, password)


async def _scram(house: Directory, login: str) -> Exchange:
    exchange = await house.verification.scram(login, caller())
    assert isinstance(exchange, Exchange)
    return exchange


async def _opens_scram(house: Directory, login: str) -> bool:
    """Whether there is anything that an exchange could prove."""
    return bool((await _scram(house, login)).passwords)


async def _alice(house: Directory, password: str) -> int:
    await house.creation.create(ALICE, password)
    row = await house.rows.get(Address("alice", "example.test"))
    assert row is not None
    return row.account


def test_a_password_is_right_for_its_address_alone(house: Directory) -> None:
    async def scenario() -> None:
        account = await _alice(house, "päss wörd")
        right = "pa\u0308ss wo\u0308rd"
        assert await verified(house.verification, "ALICE@Example.test", right) == account
        for login in ("bob@example.test", "alice@elsewhere.test", "alice", "postmaster@example.test", ""):
            assert await verified(house.verification, login, "päss wörd") is None
        for password in ("päss wörd ", "", "a\0", "x" * 5000):
            assert await _verify(house, password) is None

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
        assert await verified(house.verification, login, password) is None
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
            await verified(house.verification, login, "secret")
        before = house.pool.jobs
        await verified(house.verification, logins[-1], "secret")
        assert house.pool.jobs == before
        await verified(house.verification, logins[0], "secret")
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
        exchange = await _scram(house, ALICE)
        assert await house.verification.proven(exchange, 0) is Reason.SUSPENDED

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
        many = LIMITS.authentication_threads_max + LIMITS.authentication_queue_max
        waiting = [asyncio.ensure_future(_verify(house, "secret")) for _ in range(many)]
        for _ in range(20):  # each has some reads before it
            await asyncio.sleep(0)
        assert house.pool.waiting == LIMITS.authentication_threads_max
        assert await house.verification.verify(ALICE, "secret", caller()) is Reason.BUSY
        house.pool.held = False
        house.pool.work()
        assert await asyncio.gather(*waiting) == [account] * len(waiting)

    asyncio.run(scenario())


def test_scram_keys_are_the_accounts_own_among_made_up_ones(house: Directory) -> None:
    async def scenario() -> None:
        account = await _alice(house, "secret")
        exchange = await _scram(house, "Alice@example.test")
        own, *made_up = exchange.keys
        assert own == scram.keys(b"secret", own.salt, CHEAP.scram_iterations)
        assert len(made_up) == LIMITS.application_passwords_max and len(exchange.passwords) == 1
        assert {(keys.salt, keys.iterations) for keys in made_up} == {(own.salt, own.iterations)}
        assert await house.verification.proven(exchange, 0) == Identity(account, 0)

    asyncio.run(scenario())


def test_keys_of_another_number_of_iterations_are_none_until_the_password_comes(house: Directory) -> None:
    async def scenario() -> None:
        account = await _alice(house, "secret")
        later = directory(house.accounts, Cost(passes=1, memory_kibioctets=8, scram_iterations=4097))
        assert not await _opens_scram(later, ALICE)
        assert (await _scram(later, ALICE)).keys[0].iterations == 4097
        assert await _verify(later, "secret") == account
        assert await _opens_scram(later, ALICE)

    asyncio.run(scenario())


@pytest.mark.parametrize("login", [ALICE, "bob@example.test", "no address"])
def test_no_keys_are_told_before_any_row_could_have_been_read(house: Directory, login: str) -> None:
    async def scenario() -> None:
        await _alice(house, "secret")
        loop = asyncio.get_running_loop()
        began = loop.time()
        await _scram(house, login)
        assert loop.time() - began >= LIMITS.scram_answer_seconds_min

    asyncio.run(scenario())


def test_what_is_made_up_is_the_same_after_a_restart(house: Directory) -> None:
    async def scenario() -> None:
        made_up = await _scram(house, "bob@example.test")
        after = directory(house.accounts, CHEAP)
        after.clock.random(1)  # its randomness is another
        assert (await _scram(after, "bob@example.test")).keys == made_up.keys

    asyncio.run(scenario())


def test_an_address_without_scram_keys_is_answered_alike_each_time(house: Directory) -> None:
    async def scenario() -> None:
        await house.creation.create("dora@dash.test", "secret")
        await _alice(house, "secret")
        shape = [(len(each.salt), len(each.stored_key)) for each in (await _scram(house, ALICE)).keys]
        answers = {}
        for login in ("dora@dash.test", "bob@example.test", "BOB@example.test", "no address"):
            exchange = await _scram(house, login)
            assert exchange.passwords == ()
            assert [(len(each.salt), len(each.stored_key)) for each in exchange.keys] == shape
            assert exchange.keys[0].iterations == CHEAP.scram_iterations
            assert (await _scram(house, login)).keys == exchange.keys
            answers[login] = exchange.keys[0].salt
        assert answers["bob@example.test"] == answers["BOB@example.test"]
        assert len(set(answers.values())) == 3

    asyncio.run(scenario())
