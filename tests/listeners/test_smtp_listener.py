"""SMTP listeners from the wire to the accounts, over the real pump and a transport in memory."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

import pytest
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from mailnode.delivery.accept import Accept
from mailnode.delivery.replies import LOCAL_ONLY
from mailnode.delivery.submit import Submit
from mailnode.directory.attempt import Reason
from mailnode.listeners import smtp
from mailnode.listeners.conversation import Conversation
from mailnode.listeners.listener import Listener, Peer
from mailnode.listeners.smtp import ROWS, Client
from mailnode.listeners.surroundings import Surroundings
from mailnode.listeners.wheel import Wheel
from mailnode.pb.change_pb2 import Result
from protocols.smtp import event
from tests.delivery.memory import ANN, House
from tests.listeners.users import Users

HOST = "mx.here.example"
TO_ANN = [b"MAIL FROM:<>", b"RCPT TO:<ann@here.example>", b"DATA"]


class Negotiated:
    """What OpenSSL says after a handshake."""

    def get_protocol_version_name(self) -> str:
        return "TLSv1.3"

    def get_cipher_name(self) -> str:
        return "TLS_AES_256_GCM_SHA384"

    def export_keying_material(self, label: bytes, octets: int, context: bytes) -> bytes:
        return bytes(octets)

    def get_certificate(self) -> None:
        return None


class Transport(StringTransport):
    """TLS is up as soon as it is begun."""

    conversation: Conversation[Client]

    def setTcpNoDelay(self, enabled: bool) -> None:
        """There is no TCP here."""

    def startTLS(self, certificate: object) -> None:
        asyncio.get_running_loop().call_soon(self.conversation.handshakeCompleted)

    def getHandle(self) -> Negotiated:
        return Negotiated()


@dataclass(slots=True)
class Wire:
    """The peer's end of a conversation."""

    transport: Any
    conversation: Conversation[Client]
    time: Any

    async def say(self, *lines: bytes) -> list[bytes]:
        """One segment of lines; what is answered once nothing runs any more."""
        self.conversation.dataReceived(b"".join(line + b"\r\n" for line in lines))
        return await self.hear()

    async def hear(self) -> list[bytes]:
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(others)
        await asyncio.sleep(0)  # what was gathered leaves at the end of a turn
        said: bytes = self.transport.value()
        self.transport.clear()
        return said.split(b"\r\n")[:-1]

    @property
    def closed(self) -> bool:
        return bool(self.transport.disconnecting)


async def connected(listener: Listener[Client], house: House, host: str = "192.0.2.1") -> Wire:
    make: Any = Transport  # Twisted is not typed here
    transport = make()
    time: Any = Clock()
    certificate: Any = object()
    around = Surroundings(house.limits, house.clock, Wheel(time), certificate, False, lambda ended: None)
    conversation = Conversation(listener, around, Peer(host, 50_000))
    transport.conversation = conversation
    conversation.makeConnection(transport)
    return Wire(transport, conversation, time)


def mx(house: House) -> Listener[Client]:
    return smtp.mx(Accept(house.delivery), HOST, house.limits)


def lmtp(house: House) -> Listener[Client]:
    return smtp.lmtp(Accept(house.delivery), HOST, house.limits)


def submission(house: House, auth_needs_tls: bool = True, users: Users | None = None) -> Listener[Client]:
    return smtp.submission(
        Submit(house.delivery, HOST, LOCAL_ONLY),
        users or Users(ANN, {"ann@here.example": "secret"}),
        house.clock,
        HOST,
        house.limits,
        mechanisms=("PLAIN", "LOGIN"),
        auth_needs_tls=auth_needs_tls,
    )


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


def plain(user: str, password: str) -> bytes:
    return b"AUTH PLAIN " + b64encode(f"\0{user}\0{password}".encode())


def test_every_event_has_a_row() -> None:
    assert set(ROWS) == set(event.Event.__args__)


def test_a_message_from_the_open_net_reaches_its_account() -> None:
    async def go() -> None:
        house = House()
        wire = await connected(mx(house), house)
        assert await wire.hear() == [b"220 mx.here.example ESMTP ready"]
        await wire.say(b"EHLO client.example")
        answers = await wire.say(
            b"MAIL FROM:<zoe@there.example>",
            b"RCPT TO:<nobody@here.example>",
            b"RCPT TO:<ann@elsewhere.example>",
            b"RCPT TO:<ann@here.example>",
            b"DATA",
        )
        assert [line[:9] for line in answers] == [
            b"250 2.1.0",
            b"550 5.1.1",
            b"550 5.7.1",
            b"250 2.1.5",
            b"354 End d",
        ]
        (answer,) = await wire.say(b"Subject: x", b"", b"..", b".")
        assert answer.startswith(b"250 2.0.0 ") and answer.endswith(b" accepted")
        (copy,) = house.accounts.ann.copies
        assert copy.octets.endswith(b"Subject: x\r\n\r\n.\r\n")
        assert (
            b"Received: from client.example ([192.0.2.1])\r\n by mx.here.example with ESMTP id " in copy.head
        )
        assert await wire.say(b"QUIT") == [b"221 2.0.0 Goodbye"]
        assert wire.closed

    run(go())


def test_transactions_in_one_segment_are_all_kept_and_answered_in_order() -> None:
    async def go() -> None:
        house = House()
        house.accounts.ann.outcomes.extend([Result(), Result(refused="OVERQUOTA")])
        wire = await connected(mx(house), house)
        await wire.hear()
        await wire.say(b"HELO client.example")
        one = [b"MAIL FROM:<>", b"RCPT TO:<ann@here.example>", b"BDAT 3 LAST", b"x"]
        answers = await wire.say(*one, *one, *one, b"NOOP")
        assert [line[:3] for line in answers] == [b"250"] * 5 + [b"452"] + [b"250"] * 4
        assert len(house.accounts.ann.copies) == 3

    run(go())


@pytest.mark.parametrize("give_up", [b"RSET", b"EHLO again.example"])
def test_a_transaction_given_up_leaves_nothing_behind(give_up: bytes) -> None:
    async def go() -> None:
        house = House()
        wire = await connected(mx(house), house)
        await wire.hear()
        await wire.say(b"EHLO client.example", b"MAIL FROM:<>", b"RCPT TO:<bob@here.example>", give_up)
        answers = await wire.say(b"MAIL FROM:<>", b"RCPT TO:<ann@here.example>", b"DATA", b"x", b".")
        assert answers[-1].startswith(b"250 2.0.0")
        assert len(house.accounts.ann.copies) == 1 and not house.accounts.bob.asked
        assert not wire.conversation.state.transactions

    run(go())


def test_content_that_mail_must_not_hold_reaches_nobody() -> None:
    async def go() -> None:
        house = House()
        wire = await connected(mx(house), house)
        await wire.hear()
        await wire.say(b"EHLO client.example", b"MAIL FROM:<>", b"RCPT TO:<ann@here.example>", b"DATA")
        assert (await wire.say(b"a\n.", b"b", b"."))[0].startswith(b"550 5.6.11")
        assert not house.accounts.ann.asked and not wire.conversation.state.transactions

    run(go())


def test_a_long_content_is_uploaded_while_it_comes() -> None:
    async def go() -> None:
        house = House()
        wire = await connected(mx(house), house)
        await wire.hear()
        await wire.say(b"EHLO client.example", b"MAIL FROM:<>", b"RCPT TO:<all@here.example>", b"DATA")
        for _ in range(30):
            await wire.say(*[b"x" * 98] * 200)
        assert house.accounts.ann.asked and not house.accounts.ann.copies
        assert (await wire.say(b"."))[0].startswith(b"250 2.0.0")
        assert house.accounts.ann.uploaded == house.accounts.bob.uploaded
        assert house.accounts.ann.uploaded.count(b"x" * 98 + b"\r\n") == 6000

    run(go())


@pytest.mark.parametrize("so_far", [b"a\r\n", b"a\r\n.", b"a\r\n.\r", b"x" * 600_000 + b"\r\n"])
def test_a_content_whose_end_never_comes_reaches_nobody(so_far: bytes) -> None:
    async def go() -> None:
        house = House()
        wire = await connected(mx(house), house)
        await wire.hear()
        await wire.say(b"EHLO client.example", b"MAIL FROM:<>", b"RCPT TO:<ann@here.example>", b"DATA")
        wire.conversation.dataReceived(so_far)
        await wire.hear()
        wire.conversation.connectionLost(None)
        await wire.hear()
        assert not house.accounts.ann.copies
        assert not wire.conversation.state.transactions

    run(go())


def test_lmtp_answers_for_each_recipient() -> None:
    async def go() -> None:
        house = House()
        house.accounts.bob.outcomes.append(Result(refused="OVERQUOTA"))
        wire = await connected(lmtp(house), house)
        assert await wire.hear() == [b"220 mx.here.example LMTP ready"]
        await wire.say(b"LHLO mta.example", b"MAIL FROM:<>")
        await wire.say(b"RCPT TO:<ann@here.example>", b"RCPT TO:<bob@here.example>", b"DATA")
        answers = await wire.say(b"a\n", b".")
        assert [line[:9] for line in answers] == [b"250 2.0.0", b"452 4.2.2"]
        assert b" with LMTP id " in house.accounts.ann.copies[0].head

    run(go())


def test_a_user_submits_after_starttls_and_auth() -> None:
    async def go() -> None:
        house = House()
        users = Users(ANN, {"ann@here.example": "secret"})
        wire = await connected(submission(house, users=users), house)
        await wire.hear()
        await wire.say(b"EHLO laptop.example")
        assert (await wire.say(plain("ann@here.example", "secret")))[0].startswith(b"538 5.7.11")
        assert await wire.say(b"STARTTLS", b"NOOP") == [b"220 2.0.0 Ready to start TLS"]
        assert b"250-AUTH PLAIN LOGIN" in await wire.say(b"EHLO laptop.example")
        assert (await wire.say(plain("ann@here.example", "wrong")))[0].startswith(b"535 5.7.8")
        for users.trouble in (Reason.BUSY, Reason.UNAVAILABLE, Reason.DELAYED):
            assert (await wire.say(plain("ann@here.example", "secret")))[0].startswith(b"454 4.7.0")
        users.trouble = None
        assert await wire.say(b"AUTH LOGIN") == [b"334 " + b64encode(b"Username:")]
        assert await wire.say(b64encode(b"ann@here.example")) == [b"334 " + b64encode(b"Password:")]
        assert (await wire.say(b64encode(b"secret")))[0].startswith(b"235 2.7.0")
        assert (await wire.say(b"MAIL FROM:<bob@here.example>"))[0].startswith(b"550 5.7.1")
        await wire.say(b"MAIL FROM:<ann@here.example>", b"RCPT TO:<bob@here.example>", b"DATA")
        assert (await wire.say(b"From: ann@here.example", b"", b"hi\n.\nho", b"."))[0].startswith(b"250")
        (copy,) = house.accounts.bob.copies
        assert b" with ESMTPSA id " in copy.head and b"\r\nDate: " in copy.head
        assert copy.octets.endswith(b"\r\n\r\nhi\r\n.\r\nho\r\n")

    run(go())


@pytest.mark.parametrize(
    ("auth_needs_tls", "host", "offered"),
    [
        (True, "127.0.0.1", False),
        (False, "127.0.0.1", True),
        (False, "::1", True),
        (False, "192.0.2.1", False),
    ],
)
def test_outside_tls_a_password_is_taken_from_this_machine_only_if_at_all(
    auth_needs_tls: bool, host: str, offered: bool
) -> None:
    async def go() -> None:
        house = House()
        wire = await connected(submission(house, auth_needs_tls), house, host)
        await wire.hear()
        assert (b"250-AUTH PLAIN LOGIN" in await wire.say(b"EHLO laptop.example")) is offered
        (answer,) = await wire.say(plain("ann@here.example", "secret"))
        assert answer.startswith(b"235 2.7.0" if offered else b"538 5.7.11")

    run(go())


def test_a_peer_that_guesses_passwords_is_sent_away() -> None:
    async def go() -> None:
        house = House()
        wire = await connected(submission(house), house)
        await wire.hear()
        await wire.say(b"EHLO laptop.example")
        await wire.say(b"STARTTLS")
        await wire.say(b"EHLO laptop.example")
        answers = [(await wire.say(plain("ann@here.example", "guess")))[0][:3] for _ in range(5)]
        assert answers == [b"535"] * 4 + [b"421"]
        assert wire.closed

    run(go())


def test_our_own_mistake_ends_the_session_with_421() -> None:
    async def go() -> None:
        house = House()
        wire = await connected(mx(house), house)
        await wire.hear()
        await wire.say(b"EHLO client.example", b"MAIL FROM:<>")
        wire.conversation.state.transactions.clear()
        assert (await wire.say(b"RCPT TO:<ann@here.example>"))[-1].startswith(b"421 4.3.0 ")
        assert wire.closed

    run(go())


@pytest.mark.parametrize("so_far", [[], [b"HELO c"], [b"HELO c", *TO_ANN], [b"HELO c", *TO_ANN, b"x"]])
def test_a_peer_silent_for_five_minutes_hears_421_wherever_it_stopped(so_far: list[bytes]) -> None:
    """RFC 5321 §4.5.3.2.7; once content has begun that is longer than §4.5.3.2.5 asks for."""

    async def go() -> None:
        house = House()
        wire = await connected(mx(house), house)
        await wire.hear()
        if so_far:
            await wire.say(*so_far)
        wire.time.pump([1] * 299)
        assert await wire.hear() == [] and not wire.closed
        wire.time.pump([1] * 3)
        assert await wire.hear() == [b"421 4.4.2 Timeout, closing"]
        assert wire.closed and not house.accounts.ann.copies

    run(go())
