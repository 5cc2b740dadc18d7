"""What an operator changes of an account's passwords."""

import asyncio

import pytest

from mailnode.directory.attempt import Identity, Reason, Scope
from mailnode.directory.credential import Unfit
from mailnode.directory.lookup import Owner
from mailnode.directory.verification import Exchange
from mailnode.domain import Domain
from mailnode.pb.row_pb2 import CredentialRow
from mailnode.store.keys import Kind
from protocols.sasl import scram
from tests.directory.asking import HOST, caller, verified
from tests.directory.conftest import CHEAP, LIMITS, Directory, directory

ALICE, DORA = "alice@example.test", "dora@dash.test"
DAY = 86_400 * 1_000_000


async def made(house: Directory, address: str = ALICE) -> Owner:
    await house.creation.create(address, "secret")
    owner = await house.lookup.owner(address)
    assert owner is not None
    return owner


async def add(house: Directory, owner: Owner, name: str, *scopes: Scope, expires: int = 0) -> str:
    return await house.credentials.add_application_password(owner, name, scopes or tuple(Scope), expires)


async def outcome(house: Directory, password: str, scope: Scope = Scope.IMAP) -> Identity | Reason:
    return await house.verification.verify(ALICE, password, caller(scope=scope))


def row(house: Directory, owner: Owner) -> CredentialRow:
    return CredentialRow.FromString(house.accounts.rows[owner.account, Kind.CREDENTIAL, b""])


def test_an_application_password_opens_what_it_is_for_and_costs_no_hash(house: Directory) -> None:
    async def scenario() -> None:
        owner = await made(house)
        password = await add(house, owner, "phone", Scope.IMAP, Scope.SMTP)
        (kept,) = row(house, owner).application_passwords
        jobs = house.pool.jobs
        for scope in (Scope.IMAP, Scope.SMTP):
            assert await outcome(house, password, scope) == Identity(owner.account, kept.id)
        assert await outcome(house, password, Scope.POP3) is Reason.SCOPE
        assert house.pool.jobs == jobs
        assert await outcome(house, "secret", Scope.POP3) == Identity(owner.account, 0)

    asyncio.run(scenario())


def test_an_application_password_is_long_random_and_not_stored(house: Directory) -> None:
    async def scenario() -> None:
        owner = await made(house)
        passwords = {await add(house, owner, name) for name in ("one", "two", "three")}
        assert len(passwords) == 3
        stored = row(house, owner).SerializeToString()
        for password in passwords:
            assert len(password) == 26 and password.isalnum() and password == password.lower()
            assert password.encode() not in stored

    asyncio.run(scenario())


def test_an_application_password_expires(house: Directory) -> None:
    async def scenario() -> None:
        owner = await made(house)
        password = await add(house, owner, "phone", expires=house.clock.now_microseconds() + DAY)
        house.clock.seconds += 86_399
        assert isinstance(await outcome(house, password), Identity)
        house.clock.seconds += 1
        assert await outcome(house, password) is Reason.EXPIRED

    asyncio.run(scenario())


def test_a_right_application_password_for_something_else_is_no_guess(house: Directory) -> None:
    async def scenario() -> None:
        owner = await made(house)
        password = await add(house, owner, "phone", Scope.SMTP)
        for _ in range(LIMITS.guesses_address_free + 2):
            assert await outcome(house, password) is Reason.SCOPE

    asyncio.run(scenario())


def test_names_are_given_once_and_there_are_only_so_many(house: Directory) -> None:
    async def scenario() -> None:
        owner = await made(house)
        await add(house, owner, "phone")
        with pytest.raises(Unfit, match="revoke it first"):
            await add(house, owner, "phone")
        for number in range(LIMITS.application_passwords_max - 1):
            await add(house, owner, f"program {number}")
        with pytest.raises(Unfit, match="at most 3"):
            await add(house, owner, "one more")
        with pytest.raises(Unfit, match="there is no application password 'none'"):
            await house.credentials.revoke(owner, "none")

    asyncio.run(scenario())


def test_the_last_use_is_shown_to_the_hour_and_goes_with_the_password(house: Directory) -> None:
    async def scenario() -> None:
        owner = await made(house)
        password = await add(house, owner, "phone")
        assert [used for _, used in await house.credentials.application_passwords(owner)] == [0]
        first = house.clock.now_microseconds()
        await outcome(house, password)
        applied = house.accounts.applied
        house.clock.seconds += LIMITS.application_password_used_seconds - 1
        await outcome(house, password)
        assert [used for _, used in await house.credentials.application_passwords(owner)] == [first]
        assert house.accounts.applied == applied
        house.clock.seconds += 1
        await outcome(house, password)
        ((kept, used),) = await house.credentials.application_passwords(owner)
        assert used == house.clock.now_microseconds()
        await house.credentials.revoke(owner, "phone")
        assert await house.credentials.application_passwords(owner) == []
        key = owner.account, Kind.CREDENTIAL, b"used" + kept.id.to_bytes(8, "big")
        assert key not in house.accounts.rows

    asyncio.run(scenario())


def test_sessions_end_with_the_password_that_they_came_in_by(house: Directory) -> None:
    async def scenario() -> None:
        owner = await made(house)
        ended: list[str] = []

        async def came_in(name: str, password: str) -> None:
            identity = await outcome(house, password)
            assert isinstance(identity, Identity)
            house.verification.sessions.begin(identity, lambda: ended.append(name))

        phone, laptop = await add(house, owner, "phone"), await add(house, owner, "laptop")
        for name, password in (("own", "secret"), ("phone", phone), ("laptop", laptop)):
            await came_in(name, password)
        await house.credentials.revoke(owner, "phone")
        assert ended == ["phone"]
        assert await outcome(house, phone) is Reason.WRONG
        assert isinstance(await outcome(house, laptop), Identity)
        await house.credentials.write(owner, b"new")
        assert ended == ["phone", "own"]
        assert isinstance(await outcome(house, laptop), Identity)
        ended.clear()
        await house.credentials.suspend(owner, True)
        assert ended == ["laptop"], "each is told once"
        assert await outcome(house, laptop) is Reason.SUSPENDED
        await house.credentials.suspend(owner, False)
        assert isinstance(await outcome(house, laptop), Identity)

    asyncio.run(scenario())


@pytest.mark.parametrize("change", ["passwd", "suspend"])
def test_a_login_that_a_change_overtakes_opens_nothing(house: Directory, change: str) -> None:
    """The old password is being hashed, and is right, while it stops to be."""

    async def scenario() -> None:
        owner = await made(house)
        house.pool.held = True
        login = asyncio.ensure_future(outcome(house, "secret"))
        for _ in range(20):
            await asyncio.sleep(0)
        assert house.pool.waiting == 1
        if change == "suspend":
            await house.credentials.suspend(owner, True)
        else:
            changing = asyncio.ensure_future(house.credentials.write(owner, b"new"))
            for _ in range(20):
                await asyncio.sleep(0)
            house.pool.work_last()
            await changing
        house.pool.held = False
        house.pool.work()
        assert await login is Reason.BUSY

    asyncio.run(scenario())


async def scram_login(house: Directory, password: str, scope: Scope = Scope.IMAP) -> Identity | Reason:
    """By the keys that the password has: what a client would prove."""
    exchange = await house.verification.scram(ALICE, caller(scope=scope))
    assert isinstance(exchange, Exchange)
    own = scram.keys(password.encode(), exchange.keys[0].salt, exchange.keys[0].iterations)
    if own not in exchange.keys:
        return Reason.WRONG
    return await house.verification.proven(exchange, exchange.keys.index(own))


def test_application_passwords_open_scram_too_and_outlive_a_new_password(house: Directory) -> None:
    async def scenario() -> None:
        owner = await made(house)
        password = await add(house, owner, "phone", Scope.IMAP)
        (kept,) = row(house, owner).application_passwords
        for own in ("secret", "new"):
            assert await scram_login(house, password) == Identity(owner.account, kept.id)
            assert await scram_login(house, own) == Identity(owner.account, 0)
            assert await scram_login(house, password, Scope.SMTP) is Reason.SCOPE
            await house.credentials.write(owner, b"new")
        assert await scram_login(house, "secret") is Reason.WRONG
        await house.credentials.revoke(owner, "phone")
        assert await scram_login(house, password) is Reason.WRONG

    asyncio.run(scenario())


def test_an_application_password_of_a_domain_without_scram_has_no_keys(house: Directory) -> None:
    async def scenario() -> None:
        owner = await made(house, DORA)
        password = await add(house, owner, "phone")
        assert not row(house, owner).scram_salt
        assert await verified(house.verification, DORA, password) == owner.account
        exchange = await house.verification.scram(DORA, caller())
        assert isinstance(exchange, Exchange) and exchange.passwords == ()

    asyncio.run(scenario())


def test_a_domain_that_begins_to_keep_scram_keys_has_one_salt_for_all_of_an_account(house: Directory) -> None:
    async def scenario() -> None:
        before = Domain("example.test", "+", scram=False, dkim="")
        owner = await made(house)
        await house.credentials.write(Owner(owner.account, before), b"secret")
        assert not row(house, owner).scram_salt
        password = await add(house, owner, "phone")
        assert isinstance(await scram_login(house, password), Identity)
        assert isinstance(await outcome(house, "secret"), Identity)
        assert await scram_login(house, "secret") == Identity(owner.account, 0)
        assert isinstance(await scram_login(house, password), Identity)

    asyncio.run(scenario())


def test_where_the_user_came_from_is_known_after_a_restart_for_a_while(house: Directory) -> None:
    """Strangers guess until the account makes them wait; the user's own places do not wait, others do."""

    async def scenario() -> None:
        await made(house)
        await verified(house.verification, ALICE, "secret")
        after = directory(house.accounts, CHEAP)
        after.clock.seconds = house.clock.seconds

        async def guess(host: str, password: str) -> Identity | Reason:
            return await after.verification.verify(ALICE, password, caller(host))

        for number in range(LIMITS.guesses_account_free + 1):
            assert await guess(f"198.51.{number}.1", f"guess {number}") is Reason.WRONG
        assert await guess("203.0.113.1", "secret") is Reason.DELAYED
        neighbour = HOST.rpartition(".")[0] + ".99"
        for host in (HOST, neighbour):
            assert isinstance(await guess(host, "secret"), Identity)
        after.clock.seconds += LIMITS.known_source_seconds + 1
        for number in range(LIMITS.guesses_account_free + 1):
            await guess(f"198.51.{number}.1", f"another {number}")
        assert await guess(HOST, "secret") is Reason.DELAYED

    asyncio.run(scenario())


def test_where_a_user_came_from_is_written_once_a_day(house: Directory) -> None:
    async def scenario() -> None:
        await made(house)
        await verified(house.verification, ALICE, "secret")
        before = house.accounts.applied
        await verified(house.verification, ALICE, "secret")
        assert house.accounts.applied == before
        house.clock.seconds += LIMITS.known_source_refreshed_seconds
        await verified(house.verification, ALICE, "secret")
        assert house.accounts.applied == before + 1

    asyncio.run(scenario())


def test_only_the_latest_places_of_a_user_are_kept(house: Directory) -> None:
    async def scenario() -> None:
        owner = await made(house)
        hosts = [f"192.0.{number}.1" for number in range(LIMITS.known_sources_max + 1)]
        for host in hosts:
            assert isinstance(await house.verification.verify(ALICE, "secret", caller(host)), Identity)
        applied = house.accounts.applied
        await house.verification.verify(ALICE, "secret", caller(hosts[-1]))
        assert house.accounts.applied == applied
        stored = house.accounts.rows[owner.account, Kind.CREDENTIAL, b"known"]
        assert caller(hosts[0]).source.address not in stored
        assert all(caller(host).source.address in stored for host in hosts[1:])

    asyncio.run(scenario())


def test_a_login_succeeds_where_its_place_cannot_be_written(house: Directory) -> None:
    async def scenario() -> None:
        owner = await made(house)
        house.accounts.fail_at = house.accounts.applied + 1
        assert await verified(house.verification, ALICE, "secret") == owner.account

    asyncio.run(scenario())


def test_names_that_do_not_exist_wait_as_those_that_do(house: Directory) -> None:
    async def scenario() -> None:
        await made(house)
        told: dict[str, list[Identity | Reason]] = {ALICE: [], "nobody@example.test": []}
        for login, outcomes in told.items():
            for number in range(LIMITS.guesses_account_free + 3):
                host = caller(f"10.{len(login)}.{number}.1")
                outcomes.append(await house.verification.verify(login, f"guess {number}", host))
        mine, nobodys = told.values()
        assert mine == nobodys and mine[-1] is Reason.DELAYED

    asyncio.run(scenario())


def test_of_several_nodes_that_change_an_account_none_undoes_what_another_did(house: Directory) -> None:
    async def scenario() -> None:
        owner = await made(house)
        others = [directory(house.accounts, CHEAP) for _ in range(3)]
        applied = house.accounts.applied
        await asyncio.gather(
            add(house, owner, "phone"),
            add(others[0], owner, "laptop"),
            others[1].credentials.write(owner, b"new"),
            others[2].credentials.suspend(owner, True),
        )
        assert house.accounts.applied > applied + 4, "some were asked again"
        row = await house.credentials.row(owner.account)
        assert sorted(each.name for each in row.application_passwords) == ["laptop", "phone"]
        assert row.suspended and row.password
        await house.credentials.suspend(owner, False)
        assert await verified(house.verification, ALICE, "new") == owner.account

    asyncio.run(scenario())
