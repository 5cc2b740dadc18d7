"""The productions of RFC 9051 §9 that arguments are made of, over one whole command."""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable
from typing import TypeVar
from unicodedata import normalize

from protocols.cursor import Cursor
from protocols.fault import Fault
from protocols.imap import date, flags, utf7
from protocols.imap.capability import REV2
from protocols.imap.limits import ImapLimits
from protocols.imap.sequence import NUMBER_MAX, SAVED, STAR, SequenceSet

T = TypeVar("T")

SPACES = re.compile(rb" +")
NO_NAME = "\0"
"""A pattern that matches no name of a mailbox."""
_WORD = re.compile(rb"[A-Za-z0-9.\-]+")
_ATOM = re.compile(rb"[^\x00-\x20\x7f-\xff(){%*\"\\\]]+")
_ASTRING = re.compile(rb"[^\x00-\x20\x7f-\xff(){%*\"\\]+")
_LIST = re.compile(rb"[^\x00-\x20\x7f-\xff(){\"\\]+")
_QUOTED = re.compile(rb'"((?:[^"\\\r\n\x00]++|\\["\\])*+)"')
_LITERAL = re.compile(rb"\{(\d{1,20})\+?\}\r\n")
_NUMBER = re.compile(rb"\d{1,20}")
_NIL = re.compile(rb"[Nn][Ii][Ll](?![^ ()])")
_SEQUENCE = re.compile(rb"[\d*:,]+")
_RANGE = re.compile(rb"(\d{1,10}|\*)(?::(\d{1,10}|\*))?")
_FLAG = re.compile(rb"\\?[^\x00-\x20\x7f-\xff(){%*\"\\\]]+")
_BASE64 = re.compile(rb"[A-Za-z0-9+/]+={0,2}")


class Grammar(Cursor):
    """The arguments of one command. A method is a production; all raise Fault where something else stands."""

    __slots__ = ("by_uid", "depth", "enabled", "limits", "spelled", "tag", "utf8")

    def __init__(
        self,
        octets: bytes,
        at: int,
        limits: ImapLimits,
        tag: bytes,
        by_uid: bool,
        enabled: frozenset[str] = frozenset(),
    ) -> None:
        """`enabled`: the extensions that the client has enabled."""
        super().__init__(octets, at)
        self.limits = limits
        self.tag = tag
        self.by_uid = by_uid
        self.enabled = enabled
        self.utf8 = speaks_utf8(enabled)
        self.spelled = ""  # a mailbox as the client wrote it, where that is not its name
        self.depth = 0

    # ---- marks

    def sp(self) -> None:
        """SP. Leniency: several, seen from scripts and old mobile clients."""
        self.need(SPACES, "a space")

    def skip_sp(self) -> bool:
        """SP, if there is one with something behind it. Leniency: spaces at the end of a command."""
        match = self.match(SPACES)
        return match is not None and not self.ended

    def open(self) -> None:
        self._mark(b"(")

    def close(self) -> None:
        self._mark(b")")

    def _mark(self, mark: bytes) -> None:
        if not self.skip(mark):
            raise self.fault(f'"{mark.decode()}"')

    def end(self) -> None:
        """The end of the command."""
        self.skip_sp()
        if not self.ended:
            raise self.fault("the end of the command")

    def enter(self) -> None:
        """A step deeper in parentheses."""
        self.depth += 1
        if self.depth > self.limits.depth_max:
            raise Fault("BAD", "Too many parentheses within parentheses")

    def leave(self) -> None:
        self.depth -= 1

    def listed(self, item: Callable[[], T]) -> list[T]:
        """ "(" [item *(SP item)] ")". Leniency: spaces inside the parentheses, seen from scripts."""
        self.open()
        items: list[T] = []
        self.match(SPACES)
        while not self.skip(b")"):
            if items and self.octets[self.at - 1 : self.at] != b" ":
                raise self.fault("a space")
            items.append(item())
            self.match(SPACES)
        return items

    # ---- words and numbers

    def word(self, what: str) -> str:
        """A keyword of the grammar, in capitals: they are case-insensitive."""
        return self.need(_WORD, what).decode().upper()

    def atom(self) -> bytes:
        """atom = 1*ATOM-CHAR"""
        return self.need(_ATOM, "an atom")

    def number(self) -> int:
        """number64, up to 2^63 - 1 (RFC 9051 §9)."""
        number = int(self.need(_NUMBER, "a number"))
        if number >> 63:
            raise self.fault("a smaller number")
        return number

    def nz_number(self) -> int:
        number = self.number()
        if not 0 < number <= NUMBER_MAX:
            raise self.fault("a number from 1 to 4294967295")
        return number

    def sequence_set(self) -> SequenceSet:
        """sequence-set = (seq-number / seq-range) ["," sequence-set] / "$" """
        if self.skip(b"$"):
            return SAVED
        octets = self.need(_SEQUENCE, "a sequence set")
        pieces = octets.split(b",")
        if len(pieces) > self.limits.sequence_ranges_max:
            raise Fault("BAD", "Too many ranges in a sequence set")
        ranges = []
        for piece in pieces:
            match = _RANGE.fullmatch(piece)
            if match is None:
                raise self.fault("a sequence set")
            first = self._seq_number(match[1])
            ranges.append((first, first if match[2] is None else self._seq_number(match[2])))
        return SequenceSet(tuple(ranges))

    def _seq_number(self, octets: bytes) -> int:
        """seq-number = nz-number / "*" """
        if octets == b"*":
            return STAR
        number = int(octets)
        if not 0 < number <= NUMBER_MAX:
            raise self.fault("a message number from 1 to 4294967295")
        return number

    # ---- strings

    def string(self) -> bytes:
        """string = quoted / literal"""
        quoted = self.match(_QUOTED)
        if not quoted:
            return self.literal()
        text: bytes = quoted[1]
        if self.utf8 and utf8_text(text) is None:
            raise Fault("BAD", "A quoted string is not UTF-8")  # RFC 6855 §3
        return text.replace(b'\\"', b'"').replace(b"\\\\", b"\\") if b"\\" in text else text

    def literal(self) -> bytes:
        """literal = "{" number64 ["+"] "}" CRLF *CHAR8"""
        header = self.match(_LITERAL)
        octets = self.run(int(header[1])) if header else None
        if octets is None:
            raise self.fault("a string")
        if b"\0" in octets:
            raise Fault("BAD", "NUL in a literal")
        return octets

    def astring(self) -> bytes:
        """astring = 1*ASTRING-CHAR / string"""
        match = self.match(_ASTRING)
        return match[0] if match else self.string()

    def nstring(self) -> bytes | None:
        """nstring = string / nil"""
        return None if self.match(_NIL) else self.string()

    def text(self, octets: bytes) -> str:
        """Octets of a string as Unicode. Leniency: what is not UTF-8 is Latin-1, seen in passwords of old
        clients."""
        text = utf8_text(octets)
        return octets.decode("latin-1") if text is None else text

    def base64(self) -> bytes:
        """base64 = *(4base64-char) [base64-terminal]"""
        octets = decoded(self.need(_BASE64, "base64"))
        if octets is None:
            raise self.fault("base64")
        return octets

    # ---- mailboxes

    def mailbox(self) -> str:
        """mailbox = "INBOX" / astring, as Unicode in NFC (RFC 5198 §2)."""
        name = self._name(self.astring())
        spelled, name = name, name if name.isascii() else normalize("NFC", name)
        if any(c < " " or c == "\x7f" for c in name):
            raise Fault("NO [CANNOT]", "Control characters in a mailbox name")
        if name[:5].upper() == "INBOX" and name[5:6] in ("", "/"):
            name = "INBOX" + name[5:]
        if name != spelled:
            self.spelled = spelled
        return name

    def list_mailbox(self) -> str:
        """list-mailbox = 1*list-char / string: a pattern. One that is no name matches none (RFC 5258 §3)."""
        match = self.match(_LIST)
        octets = match[0] if match else self.string()
        try:
            pattern = self._name(octets)
        except Fault:
            return NO_NAME
        return pattern if pattern.isascii() else normalize("NFC", pattern)

    def _name(self, octets: bytes) -> str:
        """A name as it was written, out of modified UTF-7 or, where it was enabled, UTF-8.

        Leniency: UTF-8 as it stands, seen from clients that know no modified UTF-7.
        """
        name = None if self.utf8 else utf7.decode(octets)
        if name is None and (self.utf8 or not octets.isascii()):
            name = utf8_text(octets)
        if name is None:
            raise Fault(
                "NO [CANNOT]", "The mailbox name is not " + ("UTF-8" if self.utf8 else "modified UTF-7")
            )
        return name

    # ---- flags and dates

    def flag(self) -> str:
        """flag = a system flag or a keyword."""
        flag = self.need(_FLAG, "a flag").decode()
        if flag.startswith("\\") and flags.canonical(flag) not in (*flags.SYSTEM, flags.RECENT):
            raise Fault("BAD", "No such system flag")
        if len(flag) > self.limits.keyword_octets_max:
            raise Fault("NO [LIMIT]", f"A keyword may have {self.limits.keyword_octets_max} octets")
        return flag

    def flag_list(self) -> tuple[str, ...]:
        """flag-list. Leniency: \\Recent, which no client can set, is passed over; seen from clients that copy
        flags."""
        return self._settable(self.listed(self.flag))

    def store_flags(self) -> tuple[str, ...]:
        """flag-list / (flag *(SP flag))"""
        if self.peek() == b"(":
            return self.flag_list()
        given = [self.flag()]
        while self.skip_sp():
            given.append(self.flag())
        return self._settable(given)

    def _settable(self, given: list[str]) -> tuple[str, ...]:
        return tuple(f for f in flags.each_once(given) if f != flags.RECENT)

    def date_time(self) -> int:
        """date-time, as seconds since 1970-01-01 UTC, as far as 32 bits hold."""
        quoted = self.match(_QUOTED)
        seconds = date.seconds_of(quoted[1]) if quoted else None
        if seconds is None:
            raise self.fault("a date and time")
        return min(max(seconds, 0), NUMBER_MAX)

    def date(self) -> int:
        """date = date-text / DQUOTE date-text DQUOTE, as days since 1970-01-01."""
        day = date.day_of(self.astring())
        if day is None:
            raise self.fault("a date")
        return day


def speaks_utf8(enabled: frozenset[str]) -> bool:
    """Whether names and quoted strings are in UTF-8: RFC 6855 §3, RFC 9051 §5.1."""
    return not enabled.isdisjoint(("UTF8=ACCEPT", REV2))


def utf8_text(octets: bytes) -> str | None:
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return None


def decoded(octets: bytes) -> bytes | None:
    """The octets behind base64; None when it is none."""
    try:
        return binascii.a2b_base64(octets, strict_mode=True)
    except binascii.Error:
        return None
