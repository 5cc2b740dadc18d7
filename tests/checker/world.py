"""What all clients together know of the mailboxes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.checker.register import ANYTHING, Register, Write
from tests.checker.told import Lie

Place = tuple[str, int]
"""Mailbox and UID."""


@dataclass(slots=True)
class Doubt:
    """A read that cannot be true, unless the message is gone: then what was read is of no consequence."""

    place: Place
    said: str


@dataclass(slots=True)
class World:
    """`now` grows with each command sent and each answer read: all clients live in one loop, so that the
    order of these moments is that of events."""

    messages_max: int = 60  # with so many in a mailbox nothing is added
    now: int = 0
    operations: int = 0
    identities: dict[Place, bytes] = field(default_factory=dict)
    given: dict[Place, str] = field(default_factory=dict)
    recent: dict[Place, int] = field(default_factory=dict)
    gone: dict[Place, int] = field(default_factory=dict)
    mortal: set[Place] = field(default_factory=set)  # whom somebody may have expunged or moved
    registers: dict[Place, dict[str, Register]] = field(default_factory=dict)
    doubts: list[Doubt] = field(default_factory=list)
    versions: dict[tuple[Place, int], frozenset[str]] = field(default_factory=dict)
    validity: dict[str, int] = field(default_factory=dict)
    busy: int = 0  # clients that are neither idle nor at rest
    sleeper: bool = False  # one client says nothing for long
    _idle: list[tuple[int, asyncio.Future[None]]] = field(default_factory=list)

    def tick(self) -> int:
        self.now += 1
        return self.now

    # ---- who waits for whom

    def operated(self) -> None:
        """A command has ended: clients that waited for it stop being idle."""
        self.operations += 1
        self._wake(self.operations)

    def rests(self) -> None:
        """One client less: the last one wakes those that wait for somebody to do something."""
        self.busy -= 1
        if not self.busy:
            self._wake(self.operations + 1_000_000)

    async def idle(self, operations: int) -> None:
        """Until the others have done so much, or all wait."""
        future = asyncio.get_running_loop().create_future()
        self._idle.append((self.operations + operations, future))
        self.rests()
        try:
            await future
        finally:
            self.busy += 1

    def _wake(self, operations: int) -> None:
        for until, future in self._idle:
            if until <= operations and not future.done():
                future.set_result(None)
        self._idle = [(until, future) for until, future in self._idle if not future.done()]

    # ---- UIDs

    def give(self, place: Place, by: str) -> None:
        """A UID was given to a new message (RFC 9051 §2.3.1.1: once)."""
        if place in self.given:
            raise Lie(f"{place} was given to {by} and before to {self.given[place]}")
        self.given[place] = by

    def identify(self, place: Place, identity: bytes) -> None:
        known = self.identities.setdefault(place, identity)
        if known != identity:
            raise Lie(f"{place} is {identity!r}, and was {known!r}")

    def seen(self, place: Place, selected_at: int) -> None:
        """A client that selected at that moment was told of this message."""
        if self.gone.get(place, selected_at) < selected_at:
            raise Lie(f"{place} is there for one who selected after it was expunged")

    def claim_recent(self, place: Place, session: int) -> None:
        """RFC 3501 §2.3.2: to one session that can write."""
        first = self.recent.setdefault(place, session)
        if first != session:
            raise Lie(f"{place} is \\Recent to session {session} and to {first}")

    def expunged(self, place: Place) -> None:
        self.gone.setdefault(place, self.tick())
        if place in self.given and place not in self.mortal:
            raise Lie(f"{place} was expunged, and nobody deleted or moved it")

    def meet(self, name: str, uid_validity: int) -> None:
        if self.validity.setdefault(name, uid_validity) != uid_validity:
            raise Lie(f"UIDVALIDITY of {name} changed to {uid_validity}")

    # ---- flags

    def versioned(self, place: Place, mod_sequence: int, flags: frozenset[str]) -> None:
        """RFC 7162 §3.1: flags that changed have another mod-sequence."""
        known = self.versions.setdefault((place, mod_sequence), flags)
        if known != flags:
            raise Lie(f"{place} at {mod_sequence} is {sorted(flags)}, and was {sorted(known)}")

    def create(self, place: Place, sent: int, flags: frozenset[str] | None, by: str) -> None:
        """A new message with these flags; None: those of the one that it is a copy of."""
        self.give(place, by)
        if flags is None or "\\Deleted" in flags:
            self.mortal.add(place)
        of_place = self.registers.setdefault(place, {})
        for flag in flags or ():
            # Others may have seen and changed it before its maker hears of it.
            of_place.setdefault(flag, Register()).writes.insert(0, Write(sent, self.now, True))

    def write(self, places: Iterable[Place], flags: Iterable[str], value: bool) -> list[Write]:
        """A write that was sent now; whoever sent it says later when it was acknowledged."""
        writes = []
        for place in places:
            if value and "\\Deleted" in flags:
                self.mortal.add(place)
            for flag in flags:
                write = Write(self.now, None, value)
                self._register(place, flag).writes.append(write)
                writes.append(write)
        return writes

    def withdraw(self, place: Place, writes: Iterable[Write]) -> None:
        """The server says that it has not done these."""
        for write in writes:
            for register in self.registers[place].values():
                register.writes = [each for each in register.writes if each is not write]

    def read(self, place: Place, flags: Iterable[str], sent: int, what: str) -> None:
        """All the flags of a message, read by a command that was sent at that moment."""
        found = frozenset(flags)
        known = self.registers.get(place, {})
        for flag in known.keys() | found:
            self.read_one(place, flag, flag in found, sent, what)

    def read_one(self, place: Place, flag: str, value: bool, sent: int, what: str) -> None:
        if not self._register(place, flag).may_read(value, sent, self.now):
            self.doubts.append(Doubt(place, f"{what}: {flag} is {value}: {self.registers[place][flag]}"))

    def _register(self, place: Place, flag: str) -> Register:
        """Before the first write that we know of: unset for a message of ours, anything for a copy."""
        of_place = self.registers.setdefault(place, {})
        if flag not in of_place:
            born = self.given.get(place, "").startswith("APPEND")
            of_place[flag] = Register([Write(0, 0, False if born else ANYTHING)])
        return of_place[flag]

    # ---- at rest

    def settle(self, mailbox: str, truth: dict[int, frozenset[str]]) -> None:
        """All clients wait, and a fresh session saw this: UID -> flags."""
        moment = self.tick()
        for doubt in self.doubts:
            if doubt.place[0] == mailbox and doubt.place[1] in truth:
                raise Lie(f"{doubt.place}: {doubt.said}")
        self.doubts = [doubt for doubt in self.doubts if doubt.place[0] != mailbox]
        for place in self.given:
            if place[0] == mailbox and place[1] not in truth and place not in self.mortal:
                raise Lie(f"{place} ({self.given[place]}) is lost")
        for uid, flags in truth.items():
            place = (mailbox, uid)
            for flag in self.registers.get(place, {}).keys() | flags:
                self._settle_flag(place, flag, flag in flags, moment)

    def _settle_flag(self, place: Place, flag: str, value: bool, moment: int) -> None:
        register = self._register(place, flag)
        if not register.may_read(value, moment, moment):
            raise Lie(f"{place}: at rest {flag} is {value}: {register}")
        register.settle(value, moment)
