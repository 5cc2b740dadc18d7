"""One attempt: a message to one host, for some recipients."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

from mailnode.limits import Limits
from mailnode.relay.route import Host
from protocols.smtp import client
from protocols.smtp.client import Answered, Command, Data, EndOfText, Hello, Mail, Quit, Rcpt, StartTls, Text
from protocols.smtp.envelope import MailParameters, Path
from protocols.smtp.profile import Channel, Flavour
from protocols.smtp.reply import Reply

READ_OCTETS = 16 * 1024
NO_SMTPUTF8 = Reply(553, "5.6.7", "The server does not take addresses or header fields in UTF-8")


IN_TLS, NOT_OFFERED = ("", ""), ("starttls-not-supported", "")
FAILED = "validation-failure"


class Failed(Exception):
    """The host took nothing and refused nobody: another host, or this one later, may take it."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.text)
        self.reply = reply


class TlsFailed(Failed):
    """As Failed, in the handshake: without TLS it may work."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """`octets` gives the content from its begin each time, with CRLF line ends."""

    reverse_path: Path
    parameters: MailParameters
    octets: Callable[[], AsyncIterator[bytes]]


@dataclass(frozen=True, slots=True)
class Met:
    """How a session came to TLS: `result` is a word of RFC 8460 §4.3, empty where it did. `domain` is as it
    stands in the recipient's address, `own` our address."""

    domain: str
    host: Host
    own: str
    result: str
    reason: str = ""


class Attempts:
    """`hello` is our name; `port` 25 but in tests. Opportunistic TLS, RFC 7435: any certificate will do."""

    def __init__(
        self, hello: str, port: int, limits: Limits, met: Callable[[Met], None] = lambda met: None
    ) -> None:
        """`met` is told of each session but those of notifications, which would make a report of a report."""
        self._met = met
        self._hello = hello
        self._port = port
        self._limits = limits
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._tls.check_hostname = False
        self._tls.verify_mode = ssl.CERT_NONE

    async def make(self, host: Host, outgoing: Outgoing, recipients: Sequence[Path]) -> tuple[Reply, ...]:
        """What the host said for each recipient; raises Failed."""
        try:
            return await self._make(host, outgoing, recipients, self._tls)
        except TlsFailed:
            return await self._make(host, outgoing, recipients, None)

    async def _make(
        self, host: Host, outgoing: Outgoing, recipients: Sequence[Path], tls: ssl.SSLContext | None
    ) -> tuple[Reply, ...]:
        connection = await self._connected(host)
        try:
            try:
                await connection.greet(self._hello, tls)
            finally:
                if tls is not None and not outgoing.reverse_path.null:
                    self._tell(connection, host, recipients)
            return await connection.transact(outgoing, recipients)
        except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
            raise Failed(_lost(host, error)) from error
        finally:
            connection.close()

    def _tell(self, connection: _Connection, host: Host, recipients: Sequence[Path]) -> None:
        if connection.security is not None:
            domain = recipients[0].mailbox.decode("utf-8", "replace").rpartition("@")[2]
            self._met(Met(domain, host, connection.own, *connection.security))

    async def _connected(self, host: Host) -> _Connection:
        try:
            async with asyncio.timeout(self._limits.relay_connect_seconds_max):
                streams = await asyncio.open_connection(host.address, self._port)
        except (OSError, TimeoutError) as error:
            raise Failed(_lost(host, error)) from error
        return _Connection(host, *streams, self._limits)


def _lost(host: Host, error: Exception) -> Reply:
    why = str(error) or type(error).__name__
    return Reply(451, "4.4.1", f"{host.name} [{host.address}]: {why}")


class _Connection:
    def __init__(
        self, host: Host, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, limits: Limits
    ) -> None:
        self._host = host
        self._reader = reader
        self._writer = writer
        self._limits = limits
        self._session = client.Session(Flavour.MX, Channel.PLAIN)
        self.security: tuple[str, str] | None = None
        """As in Met, once it is known."""

    @property
    def own(self) -> str:
        return str(self._writer.get_extra_info("sockname", ("",))[0])

    def close(self) -> None:
        """Nobody waits for the answer to QUIT. A transport that the host closed takes no more octets."""
        if not self._writer.transport.is_closing():
            self._writer.write(self._session.send(Quit()))
        self._writer.close()

    async def greet(self, name: str, tls: ssl.SSLContext | None) -> None:
        """To the extensions: greeting, EHLO, STARTTLS and EHLO again, or HELO."""
        greeting = await self._reply()
        if greeting.code != 220:
            raise self._failed(greeting)
        if not (await self._ask(Hello(name))).positive:
            await self._well(Hello(name, extended=False))
            self.security = NOT_OFFERED
        elif "STARTTLS" not in self._session.extensions:
            self.security = NOT_OFFERED
        elif tls is not None:
            await self._start_tls(tls)
            await self._well(Hello(name))

    async def _start_tls(self, tls: ssl.SSLContext) -> None:
        if (reply := await self._ask(StartTls())).code != 220:
            self.security = FAILED, f"STARTTLS: {reply.code}"
            return
        try:
            async with asyncio.timeout(self._limits.relay_connect_seconds_max):
                await self._writer.start_tls(tls, server_hostname=self._host.name.strip("[]"))
        except (OSError, TimeoutError) as error:  # SSLError is an OSError
            self.security = FAILED, getattr(error, "reason", None) or str(error) or type(error).__name__
            raise TlsFailed(_lost(self._host, error)) from error
        self.security = IN_TLS
        self._session = client.Session(Flavour.MX, Channel.TLS)

    async def transact(self, outgoing: Outgoing, recipients: Sequence[Path]) -> tuple[Reply, ...]:
        if outgoing.parameters.smtputf8 and "SMTPUTF8" not in self._session.extensions:
            return (NO_SMTPUTF8,) * len(recipients)
        mail = Mail(outgoing.reverse_path, outgoing.parameters)
        envelope = self._at_once if self._session.may_pipeline else self._one_by_one
        answers, go_on = await envelope(mail, [Rcpt(path) for path in recipients])
        if go_on is None:
            return tuple(answers)
        accepted = [answer.positive for answer in answers]
        end = await self._content(outgoing, any(accepted)) if go_on.code == 354 else go_on
        return tuple(end if well else answer for well, answer in zip(accepted, answers, strict=True))

    async def _at_once(self, mail: Mail, rcpts: list[Rcpt]) -> tuple[list[Reply], Reply | None]:
        """RFC 2920 §3.1; all is answered, whatever comes of it."""
        commands: list[Command] = [mail, *rcpts, Data()]
        for command in commands:
            self._writer.write(self._session.send(command))
        first = await self._reply()
        answers = [await self._reply() for _ in rcpts]
        go_on = await self._reply()
        if not first.positive:
            answers = [first] * len(rcpts)
        return answers, go_on

    async def _one_by_one(self, mail: Mail, rcpts: list[Rcpt]) -> tuple[list[Reply], Reply | None]:
        first = await self._ask(mail)
        if not first.positive:
            return [first] * len(rcpts), None
        answers = [await self._ask(rcpt) for rcpt in rcpts]
        wanted = any(answer.positive for answer in answers)
        return answers, await self._ask(Data()) if wanted else None

    async def _content(self, outgoing: Outgoing, wanted: bool) -> Reply:
        """Nothing but its end when no recipient was accepted, RFC 2920 §3.1."""
        if wanted:
            async for octets in outgoing.octets():
                self._writer.write(self._session.send(Text(octets)))
                async with asyncio.timeout(self._limits.relay_content_seconds_max):
                    await self._writer.drain()
        return await self._ask(EndOfText(), self._limits.relay_end_seconds_max)

    # -- one reply at a time

    async def _well(self, command: Command) -> None:
        reply = await self._ask(command)
        if not reply.positive:
            raise self._failed(reply)

    async def _ask(self, command: Command, seconds_max: int | None = None) -> Reply:
        self._writer.write(self._session.send(command))
        return await self._reply(seconds_max)

    async def _reply(self, seconds_max: int | None = None) -> Reply:
        """Raises Failed when the server says that it closes, or speaks no SMTP."""
        async with asyncio.timeout(seconds_max or self._limits.relay_reply_seconds_max):
            while (event := self._session.next()) is None:
                octets = await self._reader.read(READ_OCTETS)
                if not octets:
                    raise ConnectionResetError("the server closed the connection")
                self._session.feed(octets)
        if not isinstance(event, Answered):
            raise Failed(Reply(451, "4.5.0", f"{self._host.name}: {event.fault.text}"))
        if event.command is None or event.reply.code == 421:
            raise self._failed(event.reply)
        return event.reply

    def _failed(self, reply: Reply) -> Failed:
        return Failed(Reply(451, "4.3.0", f"{self._host.name} said: {reply.code} {reply.text}"))
