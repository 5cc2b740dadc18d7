"""The client's side of SMTP: against replies written down, and against our own server."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.smtp import client
from protocols.smtp.client import (
    Answered,
    Broken,
    Command,
    Data,
    EndOfText,
    Hello,
    Mail,
    Quit,
    Rcpt,
    Reset,
    Text,
)
from protocols.smtp.envelope import Body, MailParameters, Path
from protocols.smtp.profile import Channel, Flavour, Profile
from protocols.smtp.reply import Reply
from tests.protocols.smtp.peer import LMTP, MX, Peer, opened

ALICE, BOB, CAROL = (Path(b"%b@here.example" % name) for name in (b"alice", b"bob", b"carol"))
UNKNOWN = Path(b"unknown@here.example")
GREETING = b"220 mx.example ESMTP\r\n"


def greeted(greeting: bytes = GREETING, flavour: Flavour = Flavour.MX) -> client.Session:
    session = client.Session(flavour, Channel.PLAIN)
    session.feed(greeting)
    return session


def all_of(session: client.Session) -> list[client.Event]:
    return list(iter(session.next, None))


def offered(*lines: bytes) -> client.Session:
    """A session that was told these extensions."""
    session = greeted()
    session.send(Hello("client.example"))
    session.feed(
        b"250-mx.example hello\r\n" + b"".join(b"250-%b\r\n" % line for line in lines) + b"250 HELP\r\n"
    )
    assert len(all_of(session)) == 2
    return session


def test_the_greeting_is_answered_before_anything_is_sent() -> None:
    session = greeted(b"220-mx.example\r\n220 ESMTP\r\n")
    assert all_of(session) == [Answered(client.Opening(), Reply(220, "", "mx.example", ("ESMTP",)))]


def test_in_tls_there_is_no_second_greeting() -> None:
    session = client.Session(Flavour.MX, Channel.TLS)
    assert session.send(Hello("client.example")) == b"EHLO client.example\r\n"
    session.feed(b"250 mx.example\r\n")
    assert all_of(session) == [Answered(Hello("client.example"), Reply(250, "", "mx.example"))]


@pytest.mark.parametrize(
    ("octets", "reply"),
    [
        (b"250 2.1.5 fine\r\n", Reply(250, "2.1.5", "fine")),
        (b"550 5.1.1\r\n", Reply(550, "5.1.1", "")),
        (b"550-5.1.1 no\r\n550 5.1.1 body\r\n", Reply(550, "5.1.1", "no", ("body",))),
        (b"250 5.1.1 of another class\r\n", Reply(250, "", "5.1.1 of another class")),
        (b"250\r\n", Reply(250, "", "")),  # RFC 5321 §4.2: a client must take it
        (b"250 bare LF\n", Reply(250, "", "bare LF")),
        (b"451 gr\xc3\xbc\xc3\x9fe\r\n", Reply(451, "", "gr\ufffd\ufffd\ufffd\ufffde")),
    ],
)
def test_a_reply_is_read(octets: bytes, reply: Reply) -> None:
    session = greeted()
    session.send(Reset())
    session.feed(octets)
    assert all_of(session)[1:] == [Answered(Reset(), reply)]


@pytest.mark.parametrize(
    "octets",
    [
        b"hello\r\n",
        b"25 short\r\n",
        b"650 no such class\r\n",
        b"250+plus\r\n",
        b"250-one\r\n550 other\r\n",
        b"250-" + b"x" * 5000 + b"\r\n",
        b"250-more\r\n" * 300,
        b"250 OK\r\n250 not asked\r\n",
    ],
)
def test_what_is_no_reply_breaks_the_session(octets: bytes) -> None:
    session = greeted()
    session.send(Reset())
    session.feed(octets + b"250 OK\r\n")
    assert isinstance(all_of(session)[-1], Broken)
    assert session.next() is None


def test_a_server_may_say_that_it_closes() -> None:
    session = greeted(GREETING + b"421 4.3.2 Shutting down\r\n250 late\r\n")
    assert all_of(session)[1:] == [Answered(None, Reply(421, "4.3.2", "Shutting down"))]


def test_nothing_that_came_in_the_clear_counts_after_starttls() -> None:
    session = offered(b"STARTTLS")
    session.send(client.StartTls())
    session.feed(b"220 go\r\n250 slipped in\r\n")
    assert [event.reply.code for event in all_of(session) if isinstance(event, Answered)] == [220]


def test_only_what_is_offered_is_asked_for() -> None:
    wanted = MailParameters(1234, Body.EIGHT_BIT_MIME, smtputf8=True)
    assert offered().send(Mail(ALICE, wanted)) == b"MAIL FROM:<alice@here.example>\r\n"
    session = offered(b"SIZE 1000000", b"8bitmime", b"SMTPUTF8")
    assert session.send(Mail(Path(b""), wanted)) == b"MAIL FROM:<> SIZE=1234 BODY=8BITMIME SMTPUTF8\r\n"
    assert session.extensions["SIZE"] == "1000000"
    assert not session.may_pipeline


def test_of_a_long_extension_its_begin_is_kept() -> None:
    assert len(offered(b"X-LONG " + b"y" * 3000).extensions["X-LONG"]) == 1000 - len("X-LONG ")


def test_helo_forgets_what_ehlo_offered() -> None:
    session = offered(b"PIPELINING")
    assert session.may_pipeline
    session.send(Hello("client.example", extended=False))
    session.feed(b"250 mx.example\r\n")
    assert len(all_of(session)) == 1
    assert not session.may_pipeline


def talk(session: client.Session, profile: Profile, commands: list[Command]) -> tuple[list[Reply], Peer]:
    """What our own server answers; content follows a 354."""
    server, peer = opened(profile), Peer()
    session.feed(GREETING)
    assert len(all_of(session)) == 1
    replies: list[Reply] = []
    for command in commands:
        server.feed(session.send(command))
        for event in iter(server.next, None):
            for answer in peer(event):
                session.feed(server.send(event, answer))
        replies += [event.reply for event in all_of(session) if isinstance(event, Answered)]
    return replies, peer


PIECES = st.lists(
    st.sampled_from([b".", b"\r\n", b"..", b"a", b"\r\n.", b"\r\n.\r\n", b"line\r\n"]), max_size=12
)


@given(PIECES, st.booleans())
def test_content_arrives_as_it_was_wherever_it_was_cut(pieces: list[bytes], ends: bool) -> None:
    if ends:
        pieces = [*pieces, b"\r\n"]
    commands = [Hello("c.example"), Mail(ALICE), Rcpt(BOB), Data(), *map(Text, pieces), EndOfText(), Quit()]
    replies, peer = talk(client.Session(Flavour.MX, Channel.PLAIN), MX, commands)
    assert [reply.code for reply in replies] == [250, 250, 250, 354, 250, 221]
    content = b"".join(pieces)
    assert peer.contents == [content if content.endswith(b"\r\n") or not content else content + b"\r\n"]


def transactions() -> Iterator[Command]:
    for recipients in ((ALICE, UNKNOWN, BOB), (UNKNOWN, CAROL)):
        yield Mail(ALICE)
        yield from map(Rcpt, recipients)
        yield Data()
        yield Text(b"Subject: x\r\n\r\nhello\r\n")
        yield EndOfText()


def test_lmtp_answers_for_each_accepted_recipient() -> None:
    session = client.Session(Flavour.LMTP, Channel.PLAIN)
    replies, peer = talk(session, LMTP, [Hello("c.example"), *transactions(), Quit()])
    assert [reply.code for reply in replies] == [
        *(250, 250, 250, 550, 250, 354, 250, 250),
        *(250, 550, 250, 354, 250, 221),
    ]
    assert len(peer.contents) == 2


def test_replies_are_paired_with_commands_that_were_sent_together() -> None:
    session = offered(b"PIPELINING")
    sent: list[Command] = [Mail(ALICE), Rcpt(BOB), Rcpt(UNKNOWN), Data()]
    assert b"".join(map(session.send, sent)).count(b"\r\n") == 4
    session.feed(b"250 2.1.0 OK\r\n250 2.1.5 OK\r\n550 5.1.1 no\r\n354 go\r\n")
    answered = [event for event in all_of(session) if isinstance(event, Answered)]
    assert [event.command for event in answered] == sent
    assert [event.reply.code for event in answered] == [250, 250, 550, 354]
