"""What of the session no dialogue shows: events, their order, contents that wait, octets without sense."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from protocols.smtp import reply
from protocols.smtp.command import COMMANDS
from protocols.smtp.envelope import Durable, MailParameters, Path
from protocols.smtp.event import (
    Answered,
    Chunk,
    ContentRefused,
    Data,
    Event,
    Goodbye,
    LastChunk,
    Mail,
    Rcpt,
    Reset,
)
from protocols.smtp.profile import Channel, Profile
from protocols.smtp.reply import Reply
from protocols.smtp.server import Session
from tests.dialogues.runner import drain
from tests.protocols.smtp.peer import BOUNDS, LMTP, MX, PROFILES, Peer, opened

BDAT = b"MAIL FROM:<a@b.example>\r\nRCPT TO:<bob@here.example>\r\nBDAT 3 LAST\r\n%d\r\n"


def ready(profile: Profile = MX) -> Session:
    session = opened(profile)
    session.feed(b"LHLO c\r\n" if profile is LMTP else b"HELO c\r\n")
    drain(session, Peer())
    return session


def until_content_ends(session: Session, peer: Peer) -> LastChunk:
    """Answer what comes before the end of the next content, and nothing after it."""
    while (event := session.next()) is not None:
        if isinstance(event, LastChunk):
            return event
        for answer in peer(event):
            session.send(event, answer)
    raise AssertionError("no content ended")


def test_the_events_of_a_transaction_carry_its_number() -> None:
    session, peer = ready(), Peer()
    for mark in (1, 2):
        session.feed(BDAT % mark)
    drain(session, peer)
    assert peer.events[:4] == [
        Mail(1, Path(b"a@b.example"), MailParameters()),
        Rcpt(1, Path(b"bob@here.example")),
        Data(1),
        LastChunk(1, b"1\r\n"),
    ]
    assert peer.events[4:] == [
        Mail(2, Path(b"a@b.example"), MailParameters()),
        Rcpt(2, Path(b"bob@here.example")),
        Data(2),
        LastChunk(2, b"2\r\n"),
    ]


def test_contents_are_open_together_and_their_answers_leave_in_order() -> None:
    session, peer = ready(), Peer()
    session.feed(b"".join(BDAT % mark for mark in range(3)))
    first, second, third = (until_content_ends(session, peer) for _ in range(3))
    assert session.send(third, Reply(250, "2.0.0", "third")) == b""
    assert session.send(first, Reply(250, "2.0.0", "first")) == (
        b"250 2.0.0 first\r\n250 2.1.0 Sender OK\r\n250 2.1.5 Recipient OK\r\n"
    )
    assert session.send(second, Reply(451, "4.3.0", "second")) == (
        b"451 4.3.0 second\r\n250 2.1.0 Sender OK\r\n250 2.1.5 Recipient OK\r\n250 2.0.0 third\r\n"
    )


def test_no_more_contents_are_open_than_allowed() -> None:
    session, peer = ready(), Peer()
    session.feed(b"".join(BDAT % mark for mark in range(6)))
    ends = [until_content_ends(session, peer) for _ in range(BOUNDS.events_open_max)]
    assert session.next() is None
    session.send(ends[0], reply.OK)
    assert isinstance(session.next(), Mail)


@pytest.mark.parametrize("line", [b"NOOP", b"QUIT", b"RSET", b"HELO d", b"HELP", b"bogus", b"x" * 600])
def test_other_commands_wait_for_contents(line: bytes) -> None:
    session, peer = ready(), Peer()
    session.feed(BDAT % 1 + line + b"\r\n")
    end = until_content_ends(session, peer)
    assert session.next() is None
    assert session.next() is None
    assert session.send(end, reply.OK) == b"250 2.0.0 OK\r\n"
    assert session.next() is not None


def test_a_goodbye_waits_for_contents_even_where_its_command_does_not() -> None:
    bounds = dataclasses.replace(BOUNDS, errors_max=0)
    session, peer = ready(dataclasses.replace(MX, bounds=bounds)), Peer()
    session.feed(BDAT % 1 + b"MAIL FROM:nobody\r\n")
    end = until_content_ends(session, peer)
    assert session.next() is None
    session.send(end, reply.OK)
    assert session.next() == Goodbye(reply.TOO_MANY_ERRORS)


def test_replies_held_back_are_bounded() -> None:
    session, peer = ready(LMTP), Peer()
    session.feed(BDAT % 1 + b"MAIL FROM:<>\r\n" + b"RCPT TO:<unknown@here.example>\r\n" * 3000)
    end = until_content_ends(session, peer)
    drain(session, peer)
    assert len(peer.events) < 3000
    session.send(end, reply.OK)
    drain(session, peer)
    assert len(peer.events) > 3000


def test_an_answer_is_asked_for_once() -> None:
    session = ready()
    session.feed(b"NOOP\r\nNOOP\r\n")
    event = session.next()
    assert isinstance(event, Answered)
    assert session.next() is None
    session.send(event, event.reply)
    with pytest.raises(ValueError, match="had it"):
        session.send(event, event.reply)


def test_a_long_content_comes_in_slices_and_its_refusal_after_them() -> None:
    session, peer = ready(), Peer()
    line = b"x" * 998 + b"\r\n"
    session.feed(b"MAIL FROM:<>\r\nRCPT TO:<bob@here.example>\r\nDATA\r\n")
    drain(session, peer)
    session.feed(line * 300 + b"a\0b\r\n.\r\nRSET\r\n")
    drain(session, peer)
    kinds = [type(event) for event in peer.events[3:]]
    assert kinds == [Chunk, Chunk, ContentRefused, Reset]
    assert all(len(event.octets) <= 256 * 1024 for event in peer.events if isinstance(event, Chunk))


def test_lmtp_answers_each_accepted_recipient_with_its_own_reply() -> None:
    session, peer = ready(LMTP), Peer()
    session.feed(b"MAIL FROM:<>\r\nRCPT TO:<a@here.example>\r\nRCPT TO:<b@here.example>\r\nBDAT 0 LAST\r\n")
    end = until_content_ends(session, peer)
    replies = (Reply(250, "2.0.0", "a"), Reply(452, "4.2.2", "b"))
    assert session.send(end, replies) == b"250 2.0.0 a\r\n452 4.2.2 b\r\n"


def test_our_site_and_users_may_ask_for_copies_where_there_are_several() -> None:
    on_three, mail = replace(LMTP, copies_max=3), b"MAIL FROM:<> XDURABLE=%s\r\nRSET\r\n"
    session, peer = opened(on_three), Peer()
    session.feed(b"LHLO c\r\n")
    assert b"\r\n250 XDURABLE 3\r\n" in drain(session, peer)
    session.feed(mail % b"2")
    assert drain(session, peer).startswith(b"250 2.1.0 ")
    asked = peer.events[-2]
    assert isinstance(asked, Mail) and asked.parameters.durable == Durable(2)
    session.feed(mail % b"1+dc2+dc-3+dc2")
    assert drain(session, peer).startswith(b"250 2.1.0 ")
    asked = peer.events[-2]
    assert isinstance(asked, Mail) and asked.parameters.durable == Durable(1, ("dc-3", "dc2"))
    for wrong in (b"0", b"4", b"all", b"", b"2+", b"+dc2", b"2+dc2+", b"2+d/c"):
        session.feed(mail % wrong)
        assert drain(session, peer).startswith(b"501 5.5.4 ")
    for profile in (LMTP, replace(MX, copies_max=3)):
        session = opened(profile)
        session.feed(b"LHLO c\r\n" if profile is LMTP else b"EHLO c\r\n")
        assert b"XDURABLE" not in drain(session, peer)
        session.feed(mail % b"2")
        assert drain(session, peer).startswith(b"555 5.5.4 ")


def test_a_listener_may_refuse_what_is_settled() -> None:
    session = opened(MX)
    session.feed(b"HELO c\r\nMAIL FROM:<>\r\n")
    hello = session.next()
    assert session.send(hello, Reply(550, "5.7.1", "Not you")) == b"550 5.7.1 Not you\r\n"
    event = session.next()
    assert isinstance(event, Answered) and event.reply.code == 503


def test_a_refused_starttls_leaves_the_session_alive() -> None:
    session = ready()
    session.feed(b"STARTTLS\r\nNOOP\r\n")
    event = session.next()
    session.send(event, Reply(454, "4.7.0", "TLS not available"))
    assert session.next() == Answered(reply.OK)


def test_what_is_said_unasked_leaves_at_once() -> None:
    session, peer = ready(), Peer()
    session.feed(BDAT % 1)
    until_content_ends(session, peer)
    assert session.send(None, Reply(421, "4.3.2", "Shutting down")) == b"421 4.3.2 Shutting down\r\n"


def test_a_session_behind_starttls_offers_it_no_more() -> None:
    session, peer = Session(MX, Channel.TLS), Peer()
    session.feed(b"EHLO c\r\n")
    assert b"STARTTLS" not in drain(session, peer)


def test_every_command_has_its_syntax_and_a_state() -> None:
    for verb, row in COMMANDS.items():
        assert row.verb == verb and row.syntax.startswith(verb.decode()) and row.states


WORDS = st.sampled_from(
    [
        *(verb + b" " for verb in COMMANDS),
        b"FROM:<a@b.example>",
        b"TO:<c@here.example>",
        b"<>",
        b"3 LAST",
        b"PLAIN",
        b"AGEAc2VjcmV0",
        b"*",
        b"\r\n",
        b"\r\n.\r\n",
        b"\r\n",
        b"MAIL FROM:<>\r\nRCPT TO:<d@here.example>\r\n",
        b"DATA\r\n",
        b"EHLO c\r\n",
        b"LHLO c\r\n",
    ]
)
OCTETS = st.lists(WORDS | st.binary(max_size=6), max_size=40).map(b"".join)


@given(
    name=st.sampled_from(sorted(PROFILES)),
    octets=OCTETS,
    cuts=st.lists(st.integers(0, 400), max_size=8),
    channel=st.sampled_from(Channel),
)
@example(name="submission", octets=b"EHLO c\r\nAUTH LOGIN\r\nAUTH\r\n" * 30, cuts=[9], channel=Channel.TLS)
def test_any_octets_give_the_same_events_and_replies_in_any_cut(
    name: str, octets: bytes, cuts: list[int], channel: Channel
) -> None:
    marks = sorted({min(cut, len(octets)) for cut in cuts} | {0, len(octets)})
    pieces = [octets[start:end] for start, end in pairwise(marks)]
    assert played(PROFILES[name], channel, [octets]) == played(PROFILES[name], channel, pieces)


def played(profile: Profile, channel: Channel, pieces: list[bytes]) -> tuple[list[Event], bytes]:
    session, peer, said = opened(profile, channel), Peer(), b""
    for piece in pieces:
        session.feed(piece)
        said += drain(session, peer)
    return peer.events, said


def test_replies_of_several_lines_repeat_their_codes() -> None:
    assert Reply(550, "5.7.1", "one", ("two", "three")).octets() == (
        b"550-5.7.1 one\r\n550-5.7.1 two\r\n550 5.7.1 three\r\n"
    )
    assert Reply(250, "", "one", ("two",)).octets() == b"250-one\r\n250 two\r\n"


def test_a_chunk_too_large_is_refused_once_it_is_over_and_nothing_of_it_given() -> None:
    session, peer = ready(replace_bounds(message_octets_max=1000)), Peer()
    session.feed(b"MAIL FROM:<>\r\nRCPT TO:<bob@here.example>\r\nBDAT 600\r\n" + b"x" * 600 + b"BDAT 401\r\n")
    assert drain(session, peer).endswith(b"250 2.0.0 600 octets received\r\n")
    session.feed(b"x" * 400)
    assert drain(session, peer) == b""
    session.feed(b"xBDAT 0 LAST\r\nNOOP\r\n")
    refused = reply.MESSAGE_TOO_BIG.octets()
    assert drain(session, peer) == refused + refused + reply.OK.octets()
    assert not peer.contents


@pytest.mark.parametrize(
    ("send", "again"), [(b"DATA\r\n", b"x" * 2000), (b"", b"BDAT 2000\r\n" + b"x" * 2000)]
)
def test_content_without_end_ends_the_session(send: bytes, again: bytes) -> None:
    session, peer = ready(replace_bounds(message_octets_max=1000)), Peer()
    session.feed(b"MAIL FROM:<>\r\nRCPT TO:<bob@here.example>\r\n" + send)
    drain(session, peer)
    fed, said = 0, b""
    while not said.endswith(reply.ENDLESS.octets()) and fed < 10_000_000:
        session.feed(again)
        fed += len(again)
        said = drain(session, peer)
    assert said.endswith(reply.ENDLESS.octets())
    session.feed(b"NOOP\r\n.\r\nNOOP\r\n")
    assert drain(session, peer) == b""


def test_a_chunk_that_would_end_the_session_is_not_waited_for() -> None:
    session, peer = ready(replace_bounds(message_octets_max=1000)), Peer()
    session.feed(b"MAIL FROM:<>\r\nRCPT TO:<bob@here.example>\r\nBDAT 2001\r\n")
    assert drain(session, peer).endswith(reply.ENDLESS.octets())
    session.feed(b"x" * 2001 + b"NOOP\r\n")
    assert drain(session, peer) == b""


def replace_bounds(**changes: int) -> Profile:
    return dataclasses.replace(MX, bounds=dataclasses.replace(BOUNDS, **changes))
