"""What programs that fetch mail must find, whatever their protocol and their options are called."""

from collections.abc import Callable
from pathlib import Path

from interop import samples
from interop.witness import Account

Fetch = Callable[[bool], list[bytes]]
"""fetch(keep) -> what one run brought that earlier ones had not, CRLF; keep: leave it there."""


def comes_down_as_it_is(account: Account, fetch: Fetch) -> None:
    messages = [samples.plain(), samples.ascii_only(), samples.large(400_000), samples.empty()]
    for message in messages:
        account.append(message)
    assert sorted(fetch(True)) == sorted(messages)
    assert account.octets() == messages


def a_second_run_brings_what_is_new(account: Account, fetch: Fetch) -> None:
    """Numbers move when another session deletes, names do not."""
    for subject in ("goes", "stays"):
        account.append(samples.plain(subject))
    assert len(fetch(True)) == 2
    assert fetch(True) == []
    with account.session() as session:
        session.select("INBOX")
        session.store("1", "+FLAGS", "(\\Deleted)")
        session.expunge()
    message = samples.plain("new")
    account.append(message)
    assert fetch(True) == [message]
    assert len(account.octets()) == 2


def what_is_taken_is_gone(account: Account, fetch: Fetch) -> None:
    messages = [samples.plain(f"number {number}") for number in range(30)]
    for message in messages:
        account.append(message)
    assert sorted(fetch(False)) == sorted(messages)
    assert account.octets() == []
    assert fetch(False) == []
    account.append(messages[0])
    assert fetch(False) == messages[:1]


def what_was_delivered_is_fetched(account: Account, fetch: Fetch) -> None:
    message = samples.plain()
    account.deliver(message)
    stored = account.octets(least=1)
    assert stored[0].endswith(message)
    assert fetch(True) == stored


class Files:
    """The files below a folder, each read once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: set[Path] = set()

    def new(self) -> list[bytes]:
        """What came since the last call; files have LF line ends."""
        found = {path for path in self._folder.rglob("*") if path.is_file()} - self._seen
        self._seen |= found
        return [path.read_bytes().replace(b"\n", b"\r\n") for path in sorted(found)]
