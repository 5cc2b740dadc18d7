"""Failures to log in, each counted at the node where it belongs."""

from __future__ import annotations

import struct
from collections.abc import Awaitable, Callable
from hashlib import sha256

from mailnode.clock import Clock
from mailnode.directory.address import directory_account_of
from mailnode.directory.guesses import OfNames, OfSources, Standing, name_of
from mailnode.directory.source import Source
from mailnode.limits import Limits
from mailnode.mailbox.service import Function, Leases
from mailnode.mailbox.verbs import Unavailable
from mailnode.pb.account_pb2 import Guess

_DELAY, _FAILED = "guesses.delay", "guesses.failed"
_SECONDS = struct.Struct("<d")
_STANDINGS = tuple(Standing)

AtOwner = Callable[[int, str, bytes], Awaitable[bytes]]
"""What a function says of the node that leads an account; raises Unavailable."""


class NameGuesses:
    """What other nodes ask of the names whose slots this one leads."""

    def __init__(self, clock: Clock, limits: Limits) -> None:
        self.of_names = OfNames(clock, limits)
        self.functions: dict[str, Function] = {_DELAY: self._delay, _FAILED: self._failed}

    async def _delay(self, octets: bytes, leases: Leases) -> bytes:
        return _SECONDS.pack(self.of_names.delay_seconds(*_of(Guess.FromString(octets))))

    async def _failed(self, octets: bytes, leases: Leases) -> bytes:
        guess = Guess.FromString(octets)
        return bytes((self.of_names.failed(*_of(guess), guess.tried),))


class Guessing:
    """Of a node."""

    def __init__(
        self,
        at_owner: AtOwner,
        names: NameGuesses,
        clock: Clock,
        limits: Limits,
        home: Callable[[], int] = lambda: 0,
    ) -> None:
        """`home`: one that is led in this data centre, which counts by itself."""
        self._at_owner = at_owner
        self._home = home
        self._names = names
        self._sources = OfSources(clock, limits)

    @classmethod
    def alone(cls, clock: Clock, limits: Limits) -> Guessing:
        """There are no other nodes."""
        names = NameGuesses(clock, limits)

        async def here(account: int, function: str, octets: bytes) -> bytes:
            return await names.functions[function](octets, {})

        return cls(here, names, clock, limits)

    def change(self, limits: Limits) -> None:
        """For the attempts from now on."""
        self._names.of_names.change(limits)
        self._sources.change(limits)

    async def delay_seconds(self, login: str, source: Source, standing: Standing) -> float:
        """0: the attempt may be made now. Raises Unavailable."""
        guess = _guess(login, source, standing)
        (seconds,) = _SECONDS.unpack(await self._asked(_DELAY, guess))
        return max(float(seconds), self._sources.delay_seconds(source, standing))

    async def failed(self, login: str, source: Source, standing: Standing, password: bytes) -> bool:
        """Count it; False, and nothing is counted, when it is a repetition. `password` empty: not known."""
        guess = _guess(login, source, standing)
        guess.tried = sha256(password).digest() if password else b""
        try:
            if not (await self._asked(_FAILED, guess))[0]:
                return False
        except Unavailable:
            pass  # its node is away: that nobody can log in there is delay enough
        self._sources.failed(source, standing)
        return True

    async def _asked(self, function: str, guess: Guess) -> bytes:
        """Of a name that is no address too, at a node of its own."""
        account = directory_account_of(guess.name, self._home())
        return await self._at_owner(account, function, guess.SerializeToString())


def _guess(login: str, source: Source, standing: Standing) -> Guess:
    number = _STANDINGS.index(standing)
    return Guess(name=name_of(login), address=source.address, network=source.network, standing=number)


def _of(guess: Guess) -> tuple[bytes, Source, Standing]:
    source = Source("", guess.address, guess.network, is_local=False)
    return guess.name, source, _STANDINGS[guess.standing]
