"""Answers leave in the order of the commands, and what waits, waits."""

from hypothesis import given
from hypothesis import strategies as st

from protocols.imap.answer import Bye, GoOn, No, Ok
from protocols.imap.command import State
from protocols.imap.event import Append, Chunk, LastChunk, Login, Noop, Reply, StartTls
from protocols.imap.server import Session
from tests.protocols.imap.peer import CLEAR, LIMITS


def logged_in() -> Session:
    session = Session(LIMITS, CLEAR)
    session.feed(b"a LOGIN u p\r\n")
    session.send(session.next(), Ok("Welcome"))
    return session


def append(tag: bytes, message: bytes = b"hello") -> bytes:
    return b"%b APPEND INBOX {%d+}\r\n%b\r\n" % (tag, len(message), message)


def arrived(session: Session) -> LastChunk:
    """The next message, whole."""
    asked = session.next()
    assert isinstance(asked, Append)
    assert session.send(asked, GoOn()) == b""
    last = session.next()
    assert isinstance(last, LastChunk) and last.append is asked
    return last


def test_messages_that_are_stored_out_of_order_are_answered_in_order() -> None:
    session = logged_in()
    session.feed(append(b"1") + append(b"2") + append(b"3") + b"4 NOOP\r\n")
    first, second, third = arrived(session), arrived(session), arrived(session)
    assert session.next() is None
    assert session.send(third, Ok("3rd")) == b""
    assert session.next() is None
    assert session.send(first, Ok("1st")) == b"1 OK 1st\r\n"
    assert session.next() is None
    assert session.send(second, No("full", "OVERQUOTA")) == b"2 NO [OVERQUOTA] full\r\n3 OK 3rd\r\n"
    noop = session.next()
    assert isinstance(noop, Noop)
    assert session.send(noop, Ok("done")) == b"4 OK done\r\n"


def test_only_so_many_messages_wait_together() -> None:
    session = logged_in()
    session.feed(b"".join(append(b"%d" % n) for n in range(LIMITS.events_open_max + 1)))
    waiting = [arrived(session) for _ in range(LIMITS.events_open_max)]
    assert session.next() is None
    assert session.send(waiting[0], Ok("stored")) == b"0 OK stored\r\n"
    assert isinstance(session.next(), Append)


def test_a_mistake_is_answered_after_the_messages_before_it() -> None:
    session = logged_in()
    session.feed(append(b"1") + b"2 WHAT\r\n")
    last = arrived(session)
    mistake = session.next()
    assert isinstance(mistake, Reply)
    assert session.send(mistake, mistake.answer) == b""
    assert session.send(last, Ok("stored")) == b"1 OK stored\r\n2 BAD Unknown command\r\n"


def test_a_message_may_be_refused_while_it_comes() -> None:
    session = logged_in()
    session.feed(append(b"1", b"x" * 200)[:100])
    asked = session.next()
    session.send(asked, GoOn())
    chunk = session.next()
    assert isinstance(chunk, Chunk) and len(chunk.octets) == LIMITS.chunk_octets_max
    assert session.send(chunk.append, No("full", "OVERQUOTA")) == b"1 NO [OVERQUOTA] full\r\n"
    assert session.next() is None
    session.feed(append(b"1", b"x" * 200)[100:] + b"2 NOOP\r\n")
    assert isinstance(session.next(), Noop)


def test_a_refused_message_that_waits_for_leave_does_not_come() -> None:
    session = logged_in()
    session.feed(b"1 APPEND INBOX {5}\r\n2 NOOP\r\n")
    assert session.send(session.next(), No("no", "TRYCREATE")) == b"1 NO [TRYCREATE] no\r\n"
    assert isinstance(session.next(), Noop)


def test_one_command_at_a_time_is_asked() -> None:
    session = Session(LIMITS, CLEAR)
    session.feed(b"a LOGIN u p\r\nb SELECT x\r\n")
    login = session.next()
    assert isinstance(login, Login) and session.next() is None
    session.send(login, No("wrong"))
    refused = session.next()
    assert isinstance(refused, Reply)
    assert session.send(refused, refused.answer).startswith(b"b BAD [CLIENTBUG] SELECT is not for the state")


def test_what_is_unasked_stands_between_answers() -> None:
    session = logged_in()
    assert session.send(None, b"* 1 EXISTS\r\n") == b"* 1 EXISTS\r\n"
    session.feed(b"a NOOP\r\n")
    noop = session.next()
    assert session.send(None, b"* 2 EXISTS\r\n") == b""
    assert session.send(noop, b"* 3 EXISTS\r\n") == b"* 3 EXISTS\r\n"
    assert session.send(noop, Ok("done")) == b"a OK done\r\n* 2 EXISTS\r\n"


def test_goodbye_is_said_at_once_and_nothing_after_it_is_read() -> None:
    session = logged_in()
    session.feed(append(b"1") + b"2 NOOP\r\n")
    arrived(session)
    assert session.send(None, Bye("later", "UNAVAILABLE")) == b"* BYE [UNAVAILABLE] later\r\n"
    session.feed(b"3 NOOP\r\n")
    assert session.next() is None and session.state is State.LOGOUT


def test_what_came_with_starttls_is_never_understood() -> None:
    session = Session(LIMITS, CLEAR)
    session.feed(b"a STARTTLS\r\nb LOGIN u p\r\n")
    asked = session.next()
    assert isinstance(asked, StartTls)
    assert session.send(asked, Ok("now")) == b"a OK now\r\n"
    assert session.next() is None


@given(st.binary(max_size=300) | st.lists(st.binary(max_size=20)).map(b"\r\n".join), st.booleans())
def test_any_octets_are_answered_and_never_raise(octets: bytes, login: bool) -> None:
    session = logged_in() if login else Session(LIMITS, CLEAR)
    session.feed(octets + b"\r\n")
    said = b""
    while (event := session.next()) is not None:
        if isinstance(event, Chunk):
            continue
        said += session.send(event, getattr(event, "answer", No("no")))
    assert not said or said.endswith(b"\r\n")
