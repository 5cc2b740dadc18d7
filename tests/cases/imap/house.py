"""What IMAP cases begin with: scenes of one account, and mails by name.

    greeted            the greeting was read
    authenticated      logged in; the account has an empty INBOX and no other mailbox
    filled MAILS       logged in; a mailbox `box` holds these mails, from UID 1 on
    selected MAILS     the same, and `box` is selected; none of its mails is \\Recent
    examined MAILS     the same by EXAMINE
    small              logged in to an account with an empty INBOX and `box`, of 3 messages and 2000 octets
    joined             logged in, and `box`, filled by an earlier connection, is selected

MAILS are names of files in `mails/`; none given: one two three four. The n-th has the internal date
`n-Jan-2026 12:00:00 +0000` and no flags.
"""

from __future__ import annotations

import ssl
from pathlib import Path

from tests.cases.wire import Wire
from tests.wire.node import Node

ADDRESS, PASSWORD = "imap@example.test", "secret"
SMALL = "small@example.test"
MAILS = Path(__file__).with_name("mails")
PLAIN = ("one", "two", "three", "four")
PROBE = "C: probe NOOP\nS* * ...\nS: probe OK ..."


class ImapHouse:
    probe = PROBE

    def __init__(self, node: Node) -> None:
        self._node = node
        self.tls = ssl.create_default_context(cafile=str(node.certificate))
        self.tls.check_hostname = False

    def reset(self) -> None:
        """INBOX alone is left, without mails, and no subscription."""
        self._empty(self._authenticated())

    def _empty(self, wire: Wire) -> None:
        names = _listed(wire, b"LIST")
        subscribed = _listed(wire, b"LSUB")
        commands = [b"UNSUBSCRIBE " + name for name in subscribed]
        commands += [b"DELETE " + name for name in sorted(names, reverse=True) if name != b"INBOX"]
        commands += [b"SELECT INBOX", b"UID STORE 1:* +FLAGS.SILENT (\\Deleted)", b"CLOSE"]
        _all_well(wire, commands)
        wire.close()

    def open(self, scene: str) -> Wire:
        name, *mails = scene.split()
        if name == "greeted":
            return self._greeted()
        if name == "small":
            return self._small()
        wire = self._authenticated()
        if name in ("filled", "selected", "examined"):
            self._fill(mails or PLAIN)
        elif name not in ("authenticated", "joined"):
            raise ValueError(f"no such scene: {scene}")
        if name in ("selected", "joined"):
            _all_well(wire, [b"SELECT box"])
        elif name == "examined":
            _all_well(wire, [b"EXAMINE box"])
        return wire

    def settled(self, wire: Wire, line: str) -> None:
        tag = line.split(" ", 1)[0].encode("latin-1")
        while not (said := wire.line()).startswith(tag + b" "):
            assert not said.startswith(b"* BYE"), said
        assert said.startswith(tag + b" OK"), f"{line!r}: {said!r}"

    def _greeted(self) -> Wire:
        wire = Wire(self._node.port("imap"))
        greeting = wire.line()
        assert greeting.startswith(b"* OK "), greeting
        return wire

    def _authenticated(self, address: str = ADDRESS) -> Wire:
        wire = self._greeted()
        _all_well(wire, [f"LOGIN {address} {PASSWORD}".encode()])
        return wire

    def _small(self) -> Wire:
        self._empty(self._authenticated(SMALL))
        wire = self._authenticated(SMALL)
        _all_well(wire, [b"CREATE box"])
        return wire

    def _fill(self, mails: tuple[str, ...] | list[str]) -> None:
        """By a connection of its own, which claims what is \\Recent."""
        wire = self._authenticated()
        commands = [b"CREATE box"]
        for number, name in enumerate(mails, 1):
            octets = mail(name)
            commands.append(
                b'APPEND box "%2d-Jan-2026 12:00:00 +0000" {%d+}\r\n%b' % (number, len(octets), octets)
            )
        _all_well(wire, [*commands, b"SELECT box"])
        wire.close()


def mail(name: str) -> bytes:
    """A mail of `mails/`, with CRLF."""
    return (MAILS / f"{name}.eml").read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def _all_well(wire: Wire, commands: list[bytes]) -> list[bytes]:
    """Send them in one piece; the untagged lines. All must be OK."""
    wire.send(b"".join(b"s%d %b\r\n" % (number, command) for number, command in enumerate(commands)))
    untagged = []
    for number, command in enumerate(commands):
        while (line := wire.line()).startswith(b"* "):
            untagged.append(line)
        assert line.startswith(b"s%d OK" % number), f"{command[:80]!r}: {line!r}"
    return untagged


def _listed(wire: Wire, verb: bytes) -> list[bytes]:
    """The names as they were said, quotes included; no case makes a name that is said as a literal."""
    lines = _all_well(wire, [verb + b' "" *'])
    return [line.partition(b' "/" ')[2] for line in lines if line.startswith(b"* " + verb)]
