import asyncio

import pytest

from mailnode.directory.address import Address, canonical, directory_account
from mailnode.directory.creation import NOT_KNOWN, Created, Refused
from mailnode.directory.lookup import Recipients, Unknown
from mailnode.pb.row_pb2 import DirectoryRow
from mailnode.store.keys import Due, Kind
from tests.directory.asking import verified
from tests.directory.conftest import CHEAP, Directory, directory

ALICE = "alice@example.test"
STEPS = 6  # directory row, account, credentials, postmaster, abuse, directory row


def test_a_new_account_has_its_mailboxes_and_answers_to_its_password(house: Directory) -> None:
    async def scenario() -> None:
        assert await house.creation.create("Alice@Example.Test", "secret") == Created(ALICE)
        assert house.accounts.applied == STEPS
        account = await verified(house.verification, ALICE, "secret")
        assert account is not None
        made = house.accounts.created[account]
        assert made.address == ALICE
        assert {mailbox.name: mailbox.special_use for mailbox in made.mailboxes} == {
            "INBOX": "",
            "Drafts": "\\Drafts",
            "Sent": "\\Sent",
            "Junk": "\\Junk",
            "Trash": "\\Trash",
            "Archive": "\\Archive",
        }

    asyncio.run(scenario())


@pytest.mark.parametrize("refused", ["DISKFULL", "UNAVAILABLE"])
def test_where_nothing_is_taken_now_an_account_is_not_said_to_exist(house: Directory, refused: str) -> None:
    async def scenario() -> None:
        house.accounts.refused = refused
        assert await house.creation.create(ALICE, "secret") == NOT_KNOWN
        house.accounts.refused = ""
        assert await house.creation.create(ALICE, "secret") == Created(ALICE)

    asyncio.run(scenario())


def test_an_account_that_took_nothing_is_not_said_to_be_made(house: Directory) -> None:
    async def scenario() -> None:
        house.accounts.refused_create = "UNAVAILABLE"
        assert await house.creation.create(ALICE, "secret") == NOT_KNOWN
        assert await house.lookup.resolve(ALICE) == Unknown()
        house.accounts.refused_create = ""
        assert await house.creation.create(ALICE, "secret") == Created(ALICE)

    asyncio.run(scenario())


@pytest.mark.parametrize("step", range(1, STEPS + 1))
@pytest.mark.parametrize("done", [False, True])
def test_a_half_done_creation_is_resumed_by_asking_again(house: Directory, step: int, done: bool) -> None:
    async def scenario() -> None:
        house.accounts.fail_at, house.accounts.fail_done = step, done
        assert await house.creation.create(ALICE, "first") == NOT_KNOWN
        over = done and step == STEPS
        assert (await house.lookup.resolve(ALICE) == Unknown()) is not over
        again = await house.creation.create(ALICE, "second")
        assert again == (Refused(f"{ALICE} exists") if over else Created(ALICE))
        password, other = ("first", "second") if over else ("second", "first")
        assert await verified(house.verification, ALICE, password) in house.accounts.created
        assert await verified(house.verification, ALICE, other) is None
        assert len(house.accounts.created) == 1, "the id drawn first is the account's"
        assert isinstance(await house.lookup.resolve("abuse@example.test"), Recipients)

    asyncio.run(scenario())


@pytest.mark.parametrize("step", range(1, STEPS + 1))
@pytest.mark.parametrize("done", [False, True])
def test_a_half_done_creation_is_resumed_by_the_next_start(house: Directory, step: int, done: bool) -> None:
    async def scenario() -> None:
        house.accounts.fail_at, house.accounts.fail_done = step, done
        assert await house.creation.create(ALICE, "secret") == NOT_KNOWN
        later = directory(house.accounts, CHEAP)
        await later.creation.resume(house.accounts.dues)
        begun = done or step > 1
        assert isinstance(await later.lookup.resolve(ALICE), Recipients if begun else Unknown)
        account = await verified(later.verification, ALICE, "secret")
        assert (account in house.accounts.created) is begun
        assert b"argon2" not in house.accounts.rows.get(row_of(ALICE), b""), "a hash is left in the directory"
        assert house.accounts.dues.next_time(Due.CREATION) is None
        applied = house.accounts.applied
        await directory(house.accounts, CHEAP).creation.resume(house.accounts.dues)
        assert house.accounts.applied == applied, "nothing is left to do"

    asyncio.run(scenario())


def test_what_cannot_be_resumed_now_is_resumed_later(house: Directory) -> None:
    async def scenario() -> None:
        house.accounts.fail_at = 2
        assert await house.creation.create(ALICE, "secret") == NOT_KNOWN
        house.accounts.refused = "UNAVAILABLE"
        later = directory(house.accounts, CHEAP)
        await later.creation.resume(house.accounts.dues)
        assert await later.lookup.resolve(ALICE) == Unknown()
        house.accounts.refused = ""
        await later.creation.resume(house.accounts.dues)
        assert isinstance(await later.lookup.resolve(ALICE), Recipients)

    asyncio.run(scenario())


def row_of(address: str) -> tuple[int, int, bytes]:
    parsed = canonical(address)
    assert isinstance(parsed, Address)
    return directory_account(parsed), Kind.DIRECTORY, address.encode()


def test_of_two_that_create_the_same_address_at_once_one_does(house: Directory) -> None:
    async def scenario() -> None:
        first, second = await asyncio.gather(
            house.creation.create(ALICE, "one"), house.creation.create("ALICE@example.test", "two")
        )
        assert first == Created(ALICE)
        assert second == Refused(f"{ALICE} is being created")
        assert await verified(house.verification, ALICE, "one") is not None
        assert await house.creation.create(ALICE, "two") == Refused(f"{ALICE} exists")

    asyncio.run(scenario())


def test_the_first_account_of_a_domain_gets_what_is_for_its_postmaster(house: Directory) -> None:
    async def scenario() -> None:
        for address in ("abuse@example.test", "bob@example.test", "carol@plain.test"):
            assert await house.creation.create(address, "secret") == Created(address)
        for role, owner in (
            ("postmaster@example.test", "abuse@example.test"),
            ("abuse@example.test", "abuse@example.test"),
            ("postmaster@plain.test", "carol@plain.test"),
            ("abuse@plain.test", "carol@plain.test"),
        ):
            found = await house.lookup.resolve(role)
            assert isinstance(found, Recipients)
            assert [recipient.address for recipient in found.accounts] == [owner]

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("address", "password"),
    [
        ("alice", "secret"),
        ("alice@elsewhere.test", "secret"),
        ("al ice@example.test", "secret"),
        ("@example.test", "secret"),
        (ALICE, ""),
        (ALICE, "tab\there"),
        (ALICE, "x" * 2000),
    ],
)
def test_what_cannot_be_an_account_is_refused_and_leaves_nothing(
    house: Directory, address: str, password: str
) -> None:
    assert isinstance(asyncio.run(house.creation.create(address, password)), Refused)
    assert house.accounts.applied == 0


@pytest.mark.parametrize(
    ("address", "targets"),
    [
        (ALICE, ["bob@example.test"]),
        ("sales@example.test", []),
        ("sales@example.test", ["someone@elsewhere.test"]),
        ("sales@example.test", ["bob@example.test"] * 21),
        ("@elsewhere.test", ["bob@example.test"]),
        ("@", ["bob@example.test"]),
    ],
)
def test_an_alias_is_of_a_free_address_for_addresses_of_ours(
    house: Directory, address: str, targets: list[str]
) -> None:
    async def scenario() -> None:
        await house.creation.create(ALICE, "secret")
        rows = len(house.accounts.rows)
        assert isinstance(await house.creation.create_alias(address, targets), Refused)
        assert len(house.accounts.rows) == rows

    asyncio.run(scenario())


def test_the_row_of_an_alias_holds_its_targets_as_canonical(house: Directory) -> None:
    async def scenario() -> None:
        assert await house.creation.create_alias("@Example.test", ["BOB@example.test"]) == Created(
            "@example.test"
        )
        row = await house.rows.get(Address("", "example.test"))
        assert row == DirectoryRow(
            kind=DirectoryRow.ALIAS, state=DirectoryRow.ACTIVE, targets=["bob@example.test"]
        )

    asyncio.run(scenario())
