import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from mailnode import node
from mailnode.admin.client import Failed, NotRunning, ask
from mailnode.admin.everywhere import Everywhere
from mailnode.admin.method import methods
from mailnode.admin.operator import Operator
from mailnode.admin.refusal import Refusal
from mailnode.admin.service import serve
from mailnode.cli import main
from mailnode.clock import SystemClock
from mailnode.config import load
from mailnode.pb import admin_pb2 as pb
from tests.directory.asking import verified

ALICE = "alice@example.test"
Work = Callable[[Operator], Awaitable[None]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A node's directory with one account; each test leaves it as it was, or adds what the others do not."""
    directory = tmp_path_factory.mktemp("admin") / "node"
    assert main(["init", str(directory), "--domain", "example.test", "--account", f"{ALICE}:secret"]) == 0
    return directory


def served(made: Path, at: Path, *requests: Any) -> list[Any]:
    """What a node answers over its socket; a refusal stands as its text."""

    def one(request: Any) -> Any:
        try:
            return ask(at, request)
        except Refusal as refusal:
            return str(refusal)

    async def scenario() -> list[Any]:
        async with node.house(load(made), SystemClock()) as parts:
            operator = node.operator(load(made), parts, lambda changed: None)
            server = await serve(at, Everywhere("node0", operator))
            try:
                return [await asyncio.to_thread(one, request) for request in requests]
            finally:
                await server.stop(None)

    return asyncio.run(scenario())


def test_every_row_of_the_service_has_its_method_and_its_own_request() -> None:
    rows = list(methods())
    assert all(callable(getattr(Operator, row.name)) for row in rows)
    assert len({row.request for row in rows}) == len(rows) >= 10
    assert all(row.request.__name__ == f"{row.name}Request" for row in rows)


@pytest.mark.parametrize("name", ["admin.sock", "a b%41ü.sock"])
def test_what_is_refused_is_said_in_one_line(tmp_path: Path, made: Path, name: str) -> None:
    answers = served(
        made,
        tmp_path / name,
        pb.AccountAddRequest(address="Alice@Example.test", password="päss"),
        pb.AccountAddRequest(address="alice@elsewhere.test", password="päss"),
        pb.AccountAddRequest(address="carol@example.test"),
        pb.AccountPasswordRequest(address="nobody@example.test", password="x"),
        pb.AliasRemoveRequest(address=ALICE),
        pb.MailboxListRequest(address="abuse@example.test"),
        pb.QueueChangeRequest(item="1-2"),
    )
    assert answers == [
        f"{ALICE} exists",
        "elsewhere.test is none of this node's domains: example.test",
        "the password is empty, too long or has characters that none may have",
        "'nobody@example.test' is no account of this node",
        f"{ALICE} is no alias",
        "'abuse@example.test' is no account of this node",
        "'1-2' does not wait in the queue, or is being tried now",
    ]


def test_accounts_are_listed_suspended_and_given_passwords(made: Path) -> None:
    async def scenario() -> None:
        async with node.house(load(made), SystemClock()) as parts:
            operator = node.operator(load(made), parts, lambda changed: None)
            (listed,) = (await operator.AccountList(pb.AccountListRequest())).accounts
            assert (listed.address, listed.suspended, listed.mailboxes) == (ALICE, False, 6)
            await operator.AccountSuspend(pb.AccountSuspendRequest(address=ALICE, suspended=True))
            assert await verified(parts.people.verification, ALICE, "secret") is None
            await operator.AccountPassword(pb.AccountPasswordRequest(address=ALICE, password="other"))
            (shown,) = (await operator.AccountList(pb.AccountListRequest(address=ALICE))).accounts
            assert shown.suspended
            await operator.AccountSuspend(pb.AccountSuspendRequest(address=ALICE))
            assert await verified(parts.people.verification, ALICE, "other") == shown.account
            assert await verified(parts.people.verification, ALICE, "secret") is None

    asyncio.run(scenario())


def test_application_passwords_are_refused_in_one_line(tmp_path: Path, made: Path) -> None:
    answers = served(
        made,
        tmp_path / "admin.sock",
        pb.AppPasswordAddRequest(address="nobody@example.test", name="phone"),
        pb.AppPasswordAddRequest(address=ALICE, name=""),
        pb.AppPasswordAddRequest(address=ALICE, name="a\nb"),
        pb.AppPasswordAddRequest(address=ALICE, name="phone", scopes=["imap", "ftp"]),
        pb.AppPasswordRevokeRequest(address=ALICE, name="phone"),
        pb.AppPasswordListRequest(address=ALICE),
    )
    assert answers[:-1] == [
        "'nobody@example.test' is no account of this node",
        "'': a name has 1 to 100 printable characters",
        "'a\\nb': a name has 1 to 100 printable characters",
        "'ftp': the scopes are imap, pop3, smtp",
        "there is no application password 'phone'",
    ]
    assert not answers[-1].app_passwords


def test_aliases_come_and_go(tmp_path: Path, made: Path) -> None:
    sales, catch_all = "Sales@example.test", "@EXAMPLE.test"
    answers = served(
        made,
        tmp_path / "admin.sock",
        pb.AliasAddRequest(address=sales, targets=[ALICE]),
        pb.AliasAddRequest(address=sales, targets=[ALICE]),
        pb.AliasAddRequest(address=catch_all, targets=[ALICE]),
        pb.AliasListRequest(),
        pb.AliasRemoveRequest(address=sales),
        pb.AliasRemoveRequest(address=catch_all),
        pb.AliasListRequest(),
    )
    assert [answer.address for answer in answers[:3:2]] == ["sales@example.test", "@example.test"]
    assert answers[1] == "sales@example.test exists"
    roles = ["abuse@example.test", "postmaster@example.test"]
    assert [alias.address for alias in answers[3].aliases] == [
        "@example.test",
        roles[0],
        roles[1],
        "sales@example.test",
    ]
    assert [alias.address for alias in answers[6].aliases] == roles


def test_mailboxes_are_listed(tmp_path: Path, made: Path) -> None:
    (answer,) = served(made, tmp_path / "admin.sock", pb.MailboxListRequest(address=ALICE))
    uses = {mailbox.name: mailbox.special_use for mailbox in answer.mailboxes}
    assert uses["INBOX"] == "" and uses["Sent"] == "\\Sent" and len(uses) == 6


def test_a_socket_left_by_a_killed_node_is_replaced(tmp_path: Path, made: Path) -> None:
    left = tmp_path / "admin.sock"
    with socket.socket(socket.AF_UNIX) as killed:
        killed.bind(str(left))
    with pytest.raises(NotRunning):
        ask(left, pb.AliasListRequest())
    (answer,) = served(made, left, pb.AliasListRequest())
    assert len(answer.aliases) == 2


def test_without_a_socket_no_node_runs(tmp_path: Path) -> None:
    with pytest.raises(NotRunning):
        ask(tmp_path / "admin.sock", pb.AliasListRequest())


class Mistaken:
    async def AliasList(self, request: pb.AliasListRequest) -> pb.AliasListAnswer:
        raise ZeroDivisionError


def with_a_mistaken(at: Path, work: Callable[[], Any]) -> Any:
    async def scenario() -> Any:
        operator: Any = Mistaken()
        server = await serve(at, Everywhere("node0", operator))
        try:
            return await asyncio.to_thread(work)
        finally:
            await server.stop(None)

    return asyncio.run(scenario())


def test_our_own_mistake_is_an_answer_too(tmp_path: Path) -> None:
    at = tmp_path / "admin.sock"
    with pytest.raises(Failed, match="the node did not answer: unknown"):
        with_a_mistaken(at, lambda: ask(at, pb.AliasListRequest()))


def test_nobody_else_reaches_the_socket(tmp_path: Path) -> None:
    at = tmp_path / "admin.sock"
    assert with_a_mistaken(at, lambda: os.stat(at).st_mode & 0o777) == 0o600


def test_a_path_too_long_for_a_socket_is_named(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="is longer than the 107 octets"):
        with_a_mistaken(tmp_path / ("x" * 100) / "admin.sock", lambda: None)
