import asyncio
from collections.abc import Awaitable, Callable

import pytest

from mailnode.directory.creation import Created, Creation
from mailnode.directory.lookup import Lookup, NotLocal, Recipients, Unknown
from mailnode.directory.rows import Rows
from mailnode.mailbox.verbs import Unavailable
from mailnode.pb.row_pb2 import DirectoryRow
from mailnode.store.keys import Kind
from tests.directory.conftest import DOMAINS, LIMITS, Directory
from tests.directory.memory import MemoryAccount, MemoryAccounts, StillClock


async def _furnish(creation: Creation) -> None:
    for address in ("alice@example.test", "bob@example.test", "al-ice@dash.test", "a+b@plain.test"):
        assert isinstance(await creation.create(address, "secret"), Created)


async def _alias(house: Directory, address: str, *targets: str) -> None:
    assert isinstance(await house.creation.create_alias(address, list(targets)), Created)


async def _who(house: Directory, address: str) -> list[tuple[str, str]]:
    """Address and tag of each account that receives mail for `address`."""
    found = await house.lookup.resolve(address)
    assert isinstance(found, Recipients)
    return [(recipient.address, recipient.tag) for recipient in found.accounts]


@pytest.mark.parametrize(
    ("asked", "address", "tag"),
    [
        ("alice@example.test", "alice@example.test", ""),
        ('"Alice"@EXAMPLE.TEST', "alice@example.test", ""),
        ("alice+lists+x@example.test", "alice@example.test", "lists+x"),
        ("alice+@example.test", "alice@example.test", ""),
        ("al-ice@dash.test", "al-ice@dash.test", ""),
        ("al-ice-x@dash.test", None, ""),
        ("a+b@plain.test", "a+b@plain.test", ""),
        ("postmaster@example.test", "alice@example.test", ""),
        ("PostMaster", "alice@example.test", ""),
        ("abuse+spam@example.test", "alice@example.test", "spam"),
        ("carol@example.test", None, ""),
        ("a+c@plain.test", None, ""),
        ("al ice@example.test", None, ""),
        ("@example.test", None, ""),
    ],
)
def test_exact_then_without_the_tag_else_unknown(
    house: Directory, asked: str, address: str | None, tag: str
) -> None:
    async def scenario() -> None:
        await _furnish(house.creation)
        if address is None:
            assert await house.lookup.resolve(asked) == Unknown()
        else:
            assert await _who(house, asked) == [(address, tag)]

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "address", ["alice@elsewhere.test", "alice@[127.0.0.1]", "alice@", "", "alice", "a@\ud800", "a@b_c.test"]
)
def test_what_is_not_in_our_domains_is_not_local(house: Directory, address: str) -> None:
    assert asyncio.run(house.lookup.resolve(address)) == NotLocal()


def test_the_catch_all_takes_what_nobody_else_has(house: Directory) -> None:
    async def scenario() -> None:
        await _furnish(house.creation)
        await _alias(house, "@example.test", "bob@example.test")
        assert await _who(house, "nobody@example.test") == [("bob@example.test", "")]
        assert await _who(house, "nobody+tag@example.test") == [("bob@example.test", "")]
        assert await _who(house, "alice+tag@example.test") == [("alice@example.test", "tag")]
        assert await house.lookup.resolve("nobody@plain.test") == Unknown()

    asyncio.run(scenario())


def test_an_alias_is_each_account_behind_it_once(house: Directory) -> None:
    async def scenario() -> None:
        await _furnish(house.creation)
        await _alias(house, "both@example.test", "alice@example.test", "bob+work@example.test")
        await _alias(house, "all@plain.test", "both@example.test", "alice@example.test", "gone@example.test")
        assert await _who(house, "all@plain.test") == [
            ("alice@example.test", ""),
            ("bob@example.test", "work"),
        ]
        assert await _who(house, "both+x@example.test") == [
            ("alice@example.test", "x"),
            ("bob@example.test", "work"),
        ]

    asyncio.run(scenario())


def test_a_loop_of_aliases_ends(house: Directory) -> None:
    async def scenario() -> None:
        await _furnish(house.creation)
        await _alias(house, "one@example.test", "two@example.test")
        await _alias(house, "two@example.test", "one@example.test", "self@example.test")
        await _alias(house, "self@example.test", "self@example.test")
        assert await house.lookup.resolve("one@example.test") == Unknown()

    asyncio.run(scenario())


def test_an_alias_for_too_many_addresses_is_refused_whole(house: Directory) -> None:
    async def scenario() -> None:
        await _furnish(house.creation)
        half = LIMITS.alias_rows_max // 2
        for name in ("left", "right"):
            targets = [f"{name}{number}@example.test" for number in range(half)]
            await _alias(house, f"{name}@example.test", "alice@example.test", *targets)
        await _alias(house, "both@example.test", "left@example.test", "right@example.test")
        assert await _who(house, "left@example.test") == [("alice@example.test", "")]
        assert await house.lookup.resolve("both@example.test") == Unknown()

    asyncio.run(scenario())


def test_only_an_accounts_own_address_logs_in(house: Directory) -> None:
    async def scenario() -> None:
        await _furnish(house.creation)
        await _alias(house, "@example.test", "bob@example.test")
        assert await house.lookup.owner("Alice@example.test") is not None
        for login in ("postmaster@example.test", "alice+x@example.test", "nobody@example.test", "alice", ""):
            assert await house.lookup.owner(login) is None

    asyncio.run(scenario())


def test_an_alias_keeps_its_other_targets_when_the_domain_of_one_is_ours_no_more(house: Directory) -> None:
    async def scenario() -> None:
        await _furnish(house.creation)
        await _alias(house, "both@example.test", "alice@example.test", "al-ice@dash.test")
        await _alias(house, "gone@example.test", "al-ice@dash.test")
        left = {name: domain for name, domain in DOMAINS.items() if name != "dash.test"}
        lookup = Lookup(house.rows, left, LIMITS)
        found = await lookup.resolve("both@example.test")
        assert isinstance(found, Recipients)
        assert [recipient.address for recipient in found.accounts] == ["alice@example.test"]
        assert await lookup.resolve("gone@example.test") == Unknown()
        assert await lookup.owner("al-ice@dash.test") is None

    asyncio.run(scenario())


class CutOff(MemoryAccounts):
    """Home 0's nodes cannot be asked."""

    async def open(self, account: int) -> MemoryAccount:
        raise Unavailable("cut off")


def nearby(rows: MemoryAccounts) -> Callable[[int, int, bytes], Awaitable[bytes]]:
    async def row(account: int, kind: int, key: bytes) -> bytes:
        return rows.rows.get((account, kind, key), b"")

    return row


def test_a_copy_nearby_says_yes_and_never_no(house: Directory) -> None:
    asyncio.run(_furnish(house.creation))
    asyncio.run(_alias(house, "all@example.test", "bob@example.test", "alice@example.test"))
    asyncio.run(_alias(house, "@dash.test", "bob@example.test"))
    lookup = Lookup(Rows(CutOff(), StillClock(), nearby(house.accounts)), DOMAINS, LIMITS)
    found = asyncio.run(lookup.resolve("all@example.test"))
    assert isinstance(found, Recipients)
    assert [one.address for one in found.accounts] == ["bob@example.test", "alice@example.test"]
    assert asyncio.run(lookup.owner("bob@example.test")) == asyncio.run(
        house.lookup.owner("bob@example.test")
    )
    for address in ("carol@example.test", "carol@dash.test"):  # the catch-all is for whom none else is
        with pytest.raises(Unavailable):
            asyncio.run(lookup.resolve(address))


def test_an_address_that_a_copy_nearby_has_not_whole_is_asked_for_at_home(house: Directory) -> None:
    asyncio.run(_furnish(house.creation))
    behind = MemoryAccounts()
    for place, value in house.accounts.rows.items():
        if place[1] == Kind.DIRECTORY:
            row = DirectoryRow.FromString(value)
            row.state = DirectoryRow.CREATING
            behind.rows[place] = row.SerializeToString()
    for near in (behind, MemoryAccounts()):
        lookup = Lookup(Rows(house.accounts, StillClock(), nearby(near)), DOMAINS, LIMITS)
        assert asyncio.run(lookup.owner("bob@example.test")) is not None
        assert asyncio.run(lookup.resolve("carol@example.test")) == Unknown()
