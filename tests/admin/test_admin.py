import asyncio
import os
import socket
from pathlib import Path

import pytest

from mailnode.admin.client import Failed, NotRunning, account_add, alias_add
from mailnode.admin.service import Service, serve
from mailnode.directory.creation import Created, Creation, Refused
from tests.directory.conftest import CHEAP, DOMAINS, LIMITS, Directory, directory
from tests.directory.memory import MemoryAccounts


@pytest.fixture
def house() -> Directory:
    return directory(MemoryAccounts(), CHEAP)


def _ask(at: Path, creation: Creation, *asked: tuple[str, str]) -> list[Created | Refused]:
    async def scenario() -> list[Created | Refused]:
        server = await serve(at, Service(creation))
        try:
            return [await asyncio.to_thread(account_add, at, *pair) for pair in asked]
        finally:
            await server.stop(None)

    return asyncio.run(scenario())


@pytest.mark.parametrize("name", ["admin.sock", "a b%41ü.sock"])
def test_an_account_is_added_or_it_is_said_why_not(tmp_path: Path, house: Directory, name: str) -> None:
    answers = _ask(
        tmp_path / name,
        house.creation,
        ("Alice@Example.test", "päss"),
        ("alice@example.test", "other"),
        ("alice@elsewhere.test", "päss"),
        ("carol@example.test", ""),
    )
    assert answers[:2] == [Created("alice@example.test"), Refused("alice@example.test exists")]
    assert [type(answer) for answer in answers[2:]] == [Refused, Refused]
    assert asyncio.run(house.credentials.verify("alice@example.test", "päss", "peer")) is not None


def test_an_alias_is_added_or_it_is_said_why_not(tmp_path: Path, house: Directory) -> None:
    async def scenario() -> list[Created | Refused]:
        at = tmp_path / "admin.sock"
        server = await serve(at, Service(house.creation))
        try:
            return [
                await asyncio.to_thread(alias_add, at, address, ["bob@example.test", "carol@example.test"])
                for address in ("Sales@example.test", "sales@example.test", "@EXAMPLE.test")
            ]
        finally:
            await server.stop(None)

    added = asyncio.run(scenario())
    assert added == [
        Created("sales@example.test"),
        Refused("sales@example.test exists"),
        Created("@example.test"),
    ]


def test_a_socket_left_by_a_killed_node_is_replaced(tmp_path: Path, house: Directory) -> None:
    left = tmp_path / "admin.sock"
    with socket.socket(socket.AF_UNIX) as killed:
        killed.bind(str(left))
    with pytest.raises(NotRunning):
        account_add(left, "alice@example.test", "secret")
    (answer,) = _ask(left, house.creation, ("alice@example.test", "secret"))
    assert answer == Created("alice@example.test")


def test_without_a_socket_no_node_runs(tmp_path: Path) -> None:
    with pytest.raises(NotRunning):
        account_add(tmp_path / "admin.sock", "alice@example.test", "secret")


def test_our_own_mistake_is_an_answer_too(tmp_path: Path, house: Directory) -> None:
    class Mistaken(Creation):
        async def create(self, address: str, password: str) -> Created | Refused:
            raise ZeroDivisionError

    mistaken = Mistaken(house.accounts, house.rows, house.credentials, DOMAINS, house.clock, LIMITS)
    with pytest.raises(Failed, match="the node did not answer: unknown"):
        _ask(tmp_path / "admin.sock", mistaken, ("alice@example.test", "secret"))


def test_nobody_else_reaches_the_socket(tmp_path: Path, house: Directory) -> None:
    async def scenario() -> int:
        server = await serve(tmp_path / "admin.sock", Service(house.creation))
        mode = os.stat(tmp_path / "admin.sock").st_mode
        await server.stop(None)
        return mode & 0o777

    assert asyncio.run(scenario()) == 0o600


def test_a_path_too_long_for_a_socket_is_named(tmp_path: Path, house: Directory) -> None:
    with pytest.raises(OSError, match="is longer than the 107 octets"):
        _ask(tmp_path / ("x" * 100) / "admin.sock", house.creation)
