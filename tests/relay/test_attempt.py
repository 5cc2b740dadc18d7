"""One attempt at one host: what is told of each recipient."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path as FilePath

import pytest
import uvloop

from mailnode import certificate
from mailnode.clock import SystemClock
from mailnode.limits import Limits
from mailnode.relay.attempt import NO_SMTPUTF8, Attempts, Failed, Outgoing
from mailnode.relay.route import Host
from protocols.smtp.envelope import NO_PARAMETERS, Body, MailParameters, Path
from protocols.smtp.reply import Reply
from tests.relay.host import CLOSE, HOST, Scripted, listening

ALICE, BOB, UNKNOWN = (Path(b"%b@x.test" % name) for name in (b"alice", b"bob", b"unknown"))
TAKEN = Reply(250, "2.0.0", "taken")
NO = Reply(550, "5.1.1", "no")
CONTENT = (b"Subject: x\r\n", b"\r\n.dot\r\n", b"..two\r\n")
REFUSES = {"RCPT TO:<unknown@x.test>": "550 5.1.1 no"}
NO_PIPELINING = {"EHLO": "250-mx.test\r\n250 HELP"}


async def content() -> AsyncIterator[bytes]:
    for octets in CONTENT:
        yield octets


def outgoing(parameters: MailParameters = NO_PARAMETERS) -> Outgoing:
    return Outgoing(ALICE, parameters, content)


def attempt(
    host: Scripted,
    recipients: Sequence[Path] = (BOB,),
    what: Outgoing | None = None,
    limits: Limits | None = None,
) -> tuple[Reply, ...]:
    async def work() -> tuple[Reply, ...]:
        async with listening(host) as port:
            attempts = Attempts("mail.here.test", port, limits or Limits())
            return await attempts.make(Host("mx.test", HOST), what or outgoing(), recipients)

    return uvloop.run(work())


@pytest.fixture
def tls(tmp_path: FilePath) -> ssl.SSLContext:
    chain, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    certificate.write_self_signed(chain, key, ["other.test"], SystemClock())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    return context


@pytest.mark.parametrize("says", [{}, NO_PIPELINING, {"EHLO": "502 5.5.1 what?"}])
def test_a_message_arrives_with_its_dots_whatever_the_server_can(says: dict[str, str]) -> None:
    host = Scripted(REFUSES | says)
    assert attempt(host, (BOB, UNKNOWN, ALICE)) == (TAKEN, NO, TAKEN)
    assert host.contents == [b"Subject: x\r\n\r\n..dot\r\n...two\r\n"]
    assert host.secure == [False]


def test_parameters_are_said_where_they_are_offered() -> None:
    wanted = outgoing(MailParameters(30, Body.EIGHT_BIT_MIME, smtputf8=True))
    host = Scripted()
    assert attempt(host, what=wanted) == (TAKEN,)
    assert "MAIL FROM:<alice@x.test> SIZE=30 BODY=8BITMIME SMTPUTF8" in host.lines
    assert attempt(Scripted(NO_PIPELINING), (BOB, ALICE), wanted) == (NO_SMTPUTF8,) * 2


@pytest.mark.parametrize("says", [{}, NO_PIPELINING])
def test_what_refuses_the_sender_refuses_every_recipient(says: dict[str, str]) -> None:
    host = Scripted(says | {"MAIL": "550 5.7.1 not you", "RCPT": "503 order", "DATA": "503 order"})
    assert attempt(host, (BOB, ALICE)) == (Reply(550, "5.7.1", "not you"),) * 2
    assert host.contents == []


@pytest.mark.parametrize("says", [{}, NO_PIPELINING])
def test_refused_content_refuses_who_was_accepted(says: dict[str, str]) -> None:
    host = Scripted(REFUSES | says | {".": "452 4.3.1 full"})
    assert attempt(host, (BOB, UNKNOWN)) == (Reply(452, "4.3.1", "full"), NO)


def test_a_server_that_waits_for_content_without_recipients_gets_none() -> None:
    host = Scripted(REFUSES | {".": "554 5.5.1 nobody"})
    assert attempt(host, (UNKNOWN,)) == (NO,)
    assert host.contents == [b""]


def test_data_refused_is_told_to_who_was_accepted() -> None:
    host = Scripted(REFUSES | {"DATA": "451 4.3.0 later"})
    assert attempt(host, (BOB, UNKNOWN)) == (Reply(451, "4.3.0", "later"), NO)


def test_tls_is_used_when_it_is_offered_whoever_signed_the_certificate(tls: ssl.SSLContext) -> None:
    host = Scripted({"EHLO": "250-mx.test\r\n250 STARTTLS"}, tls)
    assert attempt(host) == (TAKEN,)
    assert host.secure == [True]
    assert [line[:4] for line in host.lines[:3]] == ["EHLO", "STAR", "EHLO"]


def test_a_broken_handshake_is_tried_again_without_tls() -> None:
    none = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)  # without a certificate every handshake fails
    host = Scripted({"EHLO": "250-mx.test\r\n250 STARTTLS"}, none)
    assert attempt(host) == (TAKEN,)
    assert (host.secure, host.connections) == ([False], 2)


def test_a_host_that_hangs_up_in_the_handshake_is_tried_again_without_tls() -> None:
    host = Scripted({"EHLO": "250-mx.test\r\n250 STARTTLS"}, hangs_up_after="STARTTLS")
    assert attempt(host) == (TAKEN,)
    assert (host.secure, host.connections) == ([False], 2)


def test_starttls_that_is_offered_and_refused_is_done_without() -> None:
    host = Scripted({"EHLO": "250-mx.test\r\n250 STARTTLS", "STARTTLS": "454 4.7.0 not now"})
    assert attempt(host) == (TAKEN,)
    assert host.connections == 1


@pytest.mark.parametrize(
    ("says", "reason"),
    [
        ({"": "554 5.3.2 no mail here"}, "554 no mail here"),
        ({"": "421 4.3.2 later"}, "421 later"),
        ({"": CLOSE}, "closed the connection"),
        ({"": "SSH-2.0-x"}, "malformed"),
        ({"EHLO": "550 no", "HELO": "550 no"}, "550 no"),
        ({"MAIL": "421 4.3.2 closing"}, "421 closing"),
        ({"RCPT": CLOSE}, "closed the connection"),
        ({".": CLOSE}, "closed the connection"),
        ({"DATA": "250 2.0.0 taken"}, "none to what was asked"),  # without any content: nothing was taken
        (NO_PIPELINING | {"DATA": "250 2.0.0 taken"}, "none to what was asked"),
        ({"RCPT": "354 go"}, "none to what was asked"),
        ({".": "354 go on"}, "none to what was asked"),
    ],
)
def test_a_host_that_takes_nothing_is_told_apart_from_one_that_refuses(
    says: dict[str, str], reason: str
) -> None:
    with pytest.raises(Failed, match=reason) as raised:
        attempt(Scripted(says))
    assert 400 <= raised.value.reply.code < 500


def test_a_port_where_nobody_listens_and_a_silent_server_fail() -> None:
    async def nobody() -> None:
        async with listening(Scripted()) as port:
            pass
        await Attempts("mail.here.test", port, Limits()).make(Host("mx.test", HOST), outgoing(), (BOB,))

    async def silent() -> None:
        held = asyncio.Event()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await held.wait()
            writer.close()

        async with await asyncio.start_server(serve, HOST, 0) as server:
            port = server.sockets[0].getsockname()[1]
            limits = replace(Limits(), relay_reply_seconds_max=0.1)
            try:
                await Attempts("mail.here.test", port, limits).make(Host("mx", HOST), outgoing(), (BOB,))
            finally:
                held.set()

    for work in (nobody, silent):
        with pytest.raises(Failed):
            uvloop.run(work())
