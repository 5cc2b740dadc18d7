"""What dialogues do not say: long lists, openness of events, any octets."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.pop3.command import COMMANDS, LISTED_LINES, Command, State
from protocols.pop3.event import Answered, Done, Event, Login, Maildrop, Octets, Opened, Quit, Refused, Retr
from protocols.pop3.server import Session
from tests.dialogues.runner import drain
from tests.protocols.pop3.peer import MAILDROP, MESSAGES, POLICY, STRICT, Peer


def logged_in(maildrop: Maildrop = MAILDROP) -> Session:
    session = Session(POLICY, True)
    session.feed(b"USER ann\r\nPASS x\r\n")
    session.send(asked(session, Answered), Done())
    session.send(asked(session, Login), Opened(maildrop))
    return session


def asked(session: Session, kind: type[Event]) -> Event:
    event = session.next()
    assert isinstance(event, kind)
    return event


def test_a_long_list_comes_in_bounded_pieces() -> None:
    count = 3 * LISTED_LINES + 1
    session = logged_in(Maildrop([10] * count, str))
    session.feed(b"UIDL\r\n")
    pieces = []
    while (event := session.next()) is not None:
        pieces.append(session.send(event, Done()))
    lines = b"".join(pieces).split(b"\r\n")
    assert lines[1] == b"1 0"
    assert lines[count] == f"{count} {count - 1}".encode()
    assert lines[count + 1 :] == [b".", b""]
    assert all(piece.count(b"\r\n") <= LISTED_LINES + 1 for piece in pieces)


def test_nothing_is_given_while_an_event_is_open() -> None:
    session = logged_in()
    session.feed(b"RETR 1\r\nQUIT\r\n")
    event = asked(session, Retr)
    assert session.next() is None
    session.send(event, Octets(MESSAGES[0][:5]))
    assert session.in_content
    assert session.next() is None
    session.send(event, Done())
    assert not session.in_content
    assert asked(session, Quit) == Quit([], (0,))


def test_quit_names_what_was_marked_in_order() -> None:
    session = logged_in()
    session.feed(b"DELE 3\r\nDELE 1\r\nQUIT\r\n")
    for _ in range(2):
        session.send(asked(session, Answered), Done())
    event = asked(session, Quit)
    assert event == Quit([0, 2])
    assert session.send(event, Refused("SYS/TEMP", "Not all could be removed")).startswith(b"-ERR [SYS/TEMP]")
    session.feed(b"NOOP\r\n")
    assert session.next() is None


def test_an_answer_to_what_was_not_asked_is_our_mistake() -> None:
    session = logged_in()
    with pytest.raises(ValueError, match="not open"):
        session.send(Retr(0), Done())


def test_an_empty_message_has_a_first_line_and_an_end() -> None:
    session = logged_in()
    session.feed(b"RETR 1\r\n")
    assert session.send(asked(session, Retr), Done()) == b"+OK Message follows\r\n.\r\n"


def test_top_tells_when_it_wants_no_more() -> None:
    session = logged_in()
    session.feed(b"TOP 1 1\r\n")
    event = asked(session, Retr)
    session.send(event, Octets(MESSAGES[0]))
    assert not session.wants_octets
    session.send(event, Done())
    session.feed(b"RETR 1\r\n")
    session.next()
    assert session.wants_octets


@pytest.mark.parametrize("row", COMMANDS.values(), ids=lambda row: row.verb.decode())
@pytest.mark.parametrize("state", [State.AUTHORIZATION, State.TRANSACTION], ids=lambda state: state.name)
def test_a_command_is_taken_in_its_states_only(row: Command, state: State) -> None:
    session = logged_in() if state is State.TRANSACTION else Session(POLICY, False)
    session.feed(row.verb + b" 1 1\r\n")
    said = drain(session, Peer())
    assert (b"out of place" in said) is (state not in row.states)


def test_a_password_is_not_shown() -> None:
    assert "sesame" not in repr(Login("ann", "open sesame"))


COMMAND_LINES = st.sampled_from(
    [verb + argument + b"\r\n" for verb in COMMANDS for argument in (b"", b" 1", b" 2 3", b" ann", b" PLAIN")]
)
LOGIN = st.just(b"USER ann\r\nPASS open sesame\r\n")


@given(st.lists(COMMAND_LINES | LOGIN | st.binary(max_size=40), max_size=20), st.data())
def test_any_octets_give_the_same_dialogue_however_they_are_cut(
    lines: list[bytes], data: st.DataObject
) -> None:
    octets = b"".join(lines)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(octets)), max_size=5)))
    for policy in (POLICY, STRICT):
        whole, peer = Session(policy, False), Peer()
        whole.feed(octets)
        said = drain(whole, peer)
        cut, cut_peer = Session(policy, False), Peer(piece_octets=3)
        cut_said = b""
        for start, end in zip([0, *cuts], [*cuts, len(octets)], strict=True):
            cut.feed(octets[start:end])
            cut_said += drain(cut, cut_peer)
        assert cut_said == said
        assert cut_peer.events == peer.events


class Counted(list[int]):
    """Counts how often it is read from its begin to its end."""

    reads = 0

    def __iter__(self) -> Iterator[int]:
        self.reads += 1
        return super().__iter__()


def test_stat_does_not_count_a_large_maildrop_anew() -> None:
    sizes = Counted([10] * 100_000)
    session = logged_in(Maildrop(sizes, str))
    reads = sizes.reads
    session.feed(b"STAT\r\n" * 50 + b"DELE 7\r\nDELE 99999\r\nSTAT\r\nRSET\r\nSTAT\r\n")
    said = drain(session, Peer())
    assert said.startswith(b"+OK 100000 1000000\r\n" * 50)
    assert b"+OK 99998 999980\r\n" in said and said.endswith(b"+OK 100000 1000000\r\n")
    assert sizes.reads == reads + 1, "RSET counts once"
