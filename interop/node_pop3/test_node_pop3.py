"""node-pop3, by which programs of Node.js empty a maildrop.

It knows no STLS, gives lines with their stuffed dots and drops the last line end.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from interop import samples
from interop.programs import cached, program, run, succeeded
from interop.witness import Account
from tests.wire.server import HOST

SCRIPT = Path(__file__).with_name("session.js")
WAYS = pytest.mark.parametrize("service", ["pop3", "pop3s"], ids=["plain", "tls"])

Session = Callable[..., list[Any]]


@pytest.fixture
def session(account: Account, home: Path) -> Session:
    """session(service, [method, argument, ...], ...) -> what each step gave; QUIT comes by itself."""
    node, package = program("node"), cached("node_pop3/node_modules/node-pop3")

    def call(service: str, *steps: list[object], password: str = account.password) -> list[Any]:
        trust = {"ca": account.server.certificate.read_text()}
        target = {"host": HOST, "port": account.server.port(service), "tls": service == "pop3s"}
        target |= {"user": account.address, "password": password, "tlsOptions": trust}
        asked = json.dumps({"target": target, "steps": [*steps, ["QUIT"]]})
        results: list[Any] = json.loads(
            succeeded(run([node, str(SCRIPT), str(package)], home, asked.encode()))
        )
        return results

    return call


def as_given(message: bytes) -> str:
    return message.removesuffix(b"\r\n").replace(b"\r\n.", b"\r\n..").decode()


@WAYS
def test_messages_are_listed_and_retrieved(session: Session, account: Account, service: str) -> None:
    messages = [samples.plain("one"), samples.plain("two")]
    for message in messages:
        account.append(message)
    steps = (["UIDL"], ["LIST"], ["RETR", 1], ["TOP", 2, 0], ["RETR", 2])
    uids, sizes, first, top, second, _ = (step["value"] for step in session(service, *steps))
    assert [number for number, _ in uids] == ["1", "2"]
    assert sizes == [[str(number), str(len(message))] for number, message in enumerate(messages, 1)]
    assert [first, second] == list(map(as_given, messages))
    assert top == messages[1].decode().partition("\r\n\r\n")[0] + "\r\n"


@WAYS
def test_deleted_messages_are_gone_after_quit(session: Session, account: Account, service: str) -> None:
    for subject in ("one", "two", "three"):
        account.append(samples.plain(subject))
    assert all("error" not in step for step in session(service, ["UIDL"], ["DELE", 1], ["DELE", 3]))
    (left,) = account.octets(least=1)
    assert b"Subject: two\r\n" in left


def test_a_large_message_comes_whole(session: Session, account: Account) -> None:
    message = samples.large(2_000_000)
    account.append(message)
    assert session("pop3s", ["RETR", 1])[0]["value"] == as_given(message)


def test_a_wrong_password_is_refused(session: Session) -> None:
    refused, _ = session("pop3s", ["UIDL"], password="wrong")
    assert refused["error"].startswith("[AUTH] ")
