"""poplib: a maildrop is listed, read and emptied."""

import poplib
from collections.abc import Iterator

import pytest

from interop import samples
from interop.witness import WAIT_SECONDS_MAX, Account
from tests.wire.imap import trust
from tests.wire.server import HOST, Server


@pytest.fixture
def drop(server: Server, account: Account) -> Iterator[poplib.POP3]:
    """A session over TLS that has not logged in."""
    yield from session(server)


def session(server: Server) -> Iterator[poplib.POP3]:
    opened = poplib.POP3_SSL(
        HOST, server.port("pop3s"), timeout=WAIT_SECONDS_MAX, context=trust(server.certificate)
    )
    yield opened
    opened.close()


def login(drop: poplib.POP3, account: Account) -> None:
    drop.user(account.address)
    assert drop.pass_(account.password).startswith(b"+OK")


def retrieved(drop: poplib.POP3, number: int) -> bytes:
    """poplib gives lines without their ends."""
    _, lines, _ = drop.retr(number)
    return b"".join(line + b"\r\n" for line in lines)


def test_login_without_tls_and_after_stls(server: Server, account: Account) -> None:
    plain = poplib.POP3(HOST, server.port("pop3"), WAIT_SECONDS_MAX)
    login(plain, account)
    assert plain.stat() == (0, 0)
    plain.quit()
    upgraded = poplib.POP3(HOST, server.port("pop3"), WAIT_SECONDS_MAX)
    assert "STLS" in upgraded.capa()
    assert upgraded.stls(trust(server.certificate)).startswith(b"+OK")
    assert "STLS" not in upgraded.capa()
    login(upgraded, account)
    upgraded.quit()


def test_capabilities_are_told(drop: poplib.POP3) -> None:
    assert {"USER", "UIDL", "TOP", "SASL"} <= set(drop.capa())


def test_a_wrong_password_is_refused(drop: poplib.POP3, account: Account) -> None:
    drop.user(account.address)
    with pytest.raises(poplib.error_proto, match="-ERR"):
        drop.pass_("wrong")


def test_what_is_not_offered_is_refused_and_the_session_goes_on(drop: poplib.POP3, account: Account) -> None:
    offered = drop.capa()
    asks = [lambda: drop.apop(account.address, account.password), lambda: drop.rpop(account.address)]
    if "UTF8" not in offered:
        asks.append(drop.utf8)
    for ask in asks:
        with pytest.raises(poplib.error_proto):
            ask()
    login(drop, account)
    assert drop.stat() == (0, 0)


def test_stat_list_uidl_and_retr_agree(drop: poplib.POP3, account: Account) -> None:
    messages = [samples.plain("one"), samples.large(100_000), samples.plain("three")]
    for message in messages:
        account.append(message)
    login(drop, account)
    sizes = [len(message) for message in messages]
    assert drop.stat() == (3, sum(sizes))
    assert [int(line.split()[1]) for line in drop.list()[1]] == sizes
    assert drop.list(2) == b"+OK 2 %d" % sizes[1]  # type: ignore[comparison-overlap]
    names = [line.split()[1] for line in drop.uidl()[1]]
    assert len(set(names)) == 3
    assert drop.uidl(3).split()[2] == names[2]
    assert [retrieved(drop, number) for number in (1, 2, 3)] == messages
    drop.quit()


def test_top_gives_the_header_and_as_many_lines_as_asked(drop: poplib.POP3, account: Account) -> None:
    message = samples.plain()
    account.append(message)
    login(drop, account)
    header, _, text = message.partition(b"\r\n\r\n")
    for count in (0, 1, 3, 1000):
        _, lines, _ = drop.top(1, count)
        expected = header + b"\r\n\r\n" + b"".join(text.splitlines(keepends=True)[:count])
        assert b"".join(line + b"\r\n" for line in lines) == expected


def test_deletions_are_done_by_quit_alone(server: Server, drop: poplib.POP3, account: Account) -> None:
    messages = [samples.plain(subject) for subject in ("one", "two", "three")]
    for message in messages:
        account.append(message)
    login(drop, account)
    drop.dele(1)
    drop.dele(2)
    with pytest.raises(poplib.error_proto):
        drop.retr(1)
    assert drop.stat() == (1, len(messages[2]))
    drop.rset()
    assert drop.stat()[0] == 3
    drop.dele(2)
    drop.close()  # no QUIT
    assert account.octets() == messages
    for again in session(server):
        login(again, account)
        again.dele(2)
        again.quit()
    assert account.octets() == [messages[0], messages[2]]


def test_uidl_names_outlive_a_session_and_a_deletion(server: Server, account: Account) -> None:
    for subject in ("one", "two", "three"):
        account.append(samples.plain(subject))
    names = []
    for drop in (each for _ in range(2) for each in session(server)):
        login(drop, account)
        names.append([line.split()[1] for line in drop.uidl()[1]])
        drop.dele(1)
        drop.quit()
    assert names[1] == names[0][1:]


def test_mail_of_a_sender_arrives_as_it_was(drop: poplib.POP3, account: Account) -> None:
    message = samples.plain()
    account.deliver(message)
    account.octets(least=1)
    login(drop, account)
    assert retrieved(drop, 1).endswith(message)


def test_numbers_that_are_not_there_are_refused(drop: poplib.POP3, account: Account) -> None:
    account.append(samples.plain())
    login(drop, account)
    for ask in (drop.retr, drop.dele, drop.list, drop.uidl):
        for number in (0, 2, 4_294_967_296):
            with pytest.raises(poplib.error_proto, match="-ERR"):
                ask(number)
    assert drop.noop().startswith(b"+OK")
