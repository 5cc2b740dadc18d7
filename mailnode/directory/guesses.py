"""How long the next attempt to log in must wait, after those that failed.

Failures are counted under keys: the address, its network, the account. Where the account's user has logged
in before, only that place is counted, for this account alone: whoever guesses elsewhere, or at passwords of
others, cannot keep the user out. Addresses of this machine are not counted: all users of a webmail on it
come from there.

A count falls by one in some time. Beyond what is free, the next attempt under the key waits, then twice
as long each time. Attempts that came too early are refused without a look at the password, and count
nothing. The same wrong password for the same account again counts once: it is no guess.

Of several nodes one counts for an account, in each data centre: that which leads the slot of its name. For an
address or a network each counts by itself.

Invariants: names that do not exist are counted as those that do. Memory is bounded; the oldest counts go.
"""

from __future__ import annotations

import enum
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b

from mailnode.clock import Clock
from mailnode.directory.address import Malformed, canonical
from mailnode.directory.source import Source
from mailnode.limits import Limits

KEY_OCTETS = 16
DOUBLINGS_MAX = 30  # of a second they make 34 years


class Standing(enum.Enum):
    """Of a source with an account."""

    STRANGER = "nobody knows it"
    NEIGHBOUR = "its network is one from which the account's user came"
    KNOWN = "the account's user came from this very address"


@dataclass(frozen=True, slots=True)
class Allowance:
    free: int
    forgiven_seconds: int
    delay_seconds_min: int
    delay_seconds_max: int


class Counts:
    """Failures under the keys of one kind: how many they were at the last one, and when that was."""

    __slots__ = ("_failures", "_kept_max", "allowance")

    def __init__(self, allowance: Allowance, kept_max: int) -> None:
        self.allowance = allowance
        self._kept_max = kept_max
        self._failures: OrderedDict[bytes, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._failures)

    def delay_seconds(self, key: bytes, now: float) -> float:
        count, last = self._failures.get(key, (0.0, 0.0))
        over = count - self.allowance.free
        if over <= 0:
            return 0.0
        doubled: float = self.allowance.delay_seconds_min * 2.0 ** min(over - 1, DOUBLINGS_MAX)
        delay = min(doubled, self.allowance.delay_seconds_max)
        return max(0.0, last + delay - now)

    def failed(self, key: bytes, now: float) -> None:
        count, last = self._failures.get(key, (0.0, now))
        left = max(0.0, count - (now - last) / self.allowance.forgiven_seconds)
        self._failures[key] = left + 1, now
        self._failures.move_to_end(key)
        if len(self._failures) > self._kept_max:
            self._failures.popitem(last=False)


Key = tuple[Counts, bytes]


class OfSources:
    """One for a node: under the address and the network of who fails here. Seconds are the clock's monotonic
    ones."""

    def __init__(self, clock: Clock, limits: Limits) -> None:
        self._clock = clock
        self._addresses, self._networks = (
            Counts(allowance, limits.guesses_kept_max) for allowance in _of_sources(limits)
        )

    def __len__(self) -> int:
        """What is kept."""
        return len(self._addresses) + len(self._networks)

    def change(self, limits: Limits) -> None:
        """For the attempts from now on; what was counted stays."""
        self._addresses.allowance, self._networks.allowance = _of_sources(limits)

    def delay_seconds(self, source: Source, standing: Standing) -> float:
        """0: the attempt may be made now."""
        return _delay_seconds(self._keys(source, standing), self._clock.monotonic_seconds())

    def failed(self, source: Source, standing: Standing) -> None:
        _count(self._keys(source, standing), self._clock.monotonic_seconds())

    def _keys(self, source: Source, standing: Standing) -> Iterator[Key]:
        if source.is_local or standing is Standing.KNOWN:
            return
        yield self._addresses, source.address
        if standing is Standing.STRANGER:
            yield self._networks, source.network


class OfNames:
    """One for a node: under the names whose slots it leads, as `name_of` has them."""

    def __init__(self, clock: Clock, limits: Limits) -> None:
        self._clock = clock
        self._secret = clock.random(32)
        self._kept_max = limits.guesses_kept_max
        self._repeated_seconds = limits.authentication_remembered_seconds
        self._wrong: OrderedDict[bytes, float] = OrderedDict()
        self._accounts, self._known = (
            Counts(allowance, limits.guesses_kept_max) for allowance in _of_names(limits)
        )

    def __len__(self) -> int:
        """What is kept."""
        return len(self._wrong) + len(self._accounts) + len(self._known)

    def change(self, limits: Limits) -> None:
        """For the attempts from now on; what was counted stays."""
        self._accounts.allowance, self._known.allowance = _of_names(limits)

    def delay_seconds(self, name: bytes, source: Source, standing: Standing) -> float:
        """0: the attempt may be made now."""
        return _delay_seconds(self._keys(name, source, standing), self._clock.monotonic_seconds())

    def failed(self, name: bytes, source: Source, standing: Standing, tried: bytes) -> bool:
        """Count it; False, and nothing is counted, when it is a repetition.

        `tried`: a digest of the password, empty: not known.
        """
        now = self._clock.monotonic_seconds()
        if tried and self._is_repeated(name, tried, now):
            return False
        _count(self._keys(name, source, standing), now)
        return True

    def _keys(self, name: bytes, source: Source, standing: Standing) -> Iterator[Key]:
        account = self._digest(name)
        if standing is Standing.KNOWN:
            yield self._known, account + source.address
        elif standing is Standing.NEIGHBOUR:
            yield self._known, account + source.network
        else:
            yield self._accounts, account

    def _is_repeated(self, name: bytes, tried: bytes, now: float) -> bool:
        wrong = self._digest(name + b"\0" + tried)
        before = self._wrong.get(wrong)
        if before is not None and now - before < self._repeated_seconds:
            return True
        self._wrong[wrong] = now
        self._wrong.move_to_end(wrong)
        if len(self._wrong) > self._kept_max:
            self._wrong.popitem(last=False)
        return False

    def _digest(self, octets: bytes) -> bytes:
        return blake2b(octets, key=self._secret, digest_size=KEY_OCTETS).digest()


def name_of(login: str) -> bytes:
    """One for all ways to write an address; of what is none, itself."""
    address = canonical(login)
    text = login if isinstance(address, Malformed) else str(address)
    return text.encode("utf-8", "surrogatepass")


def _delay_seconds(keys: Iterable[Key], now: float) -> float:
    return max((counts.delay_seconds(key, now) for counts, key in keys), default=0.0)


def _count(keys: Iterable[Key], now: float) -> None:
    for counts, key in keys:
        counts.failed(key, now)


def _of_sources(limits: Limits) -> Iterator[Allowance]:
    """Of addresses, and of networks."""
    yield Allowance(
        limits.guesses_address_free,
        limits.guesses_address_forgiven_seconds,
        limits.guesses_delay_seconds_min,
        limits.guesses_address_delay_seconds_max,
    )
    yield Allowance(
        limits.guesses_network_free,
        limits.guesses_network_forgiven_seconds,
        limits.guesses_delay_seconds_min,
        limits.guesses_network_delay_seconds_max,
    )


def _of_names(limits: Limits) -> Iterator[Allowance]:
    """Of accounts, and of places that an account's user came from."""
    yield Allowance(
        limits.guesses_account_free,
        limits.guesses_account_forgiven_seconds,
        limits.guesses_delay_seconds_min,
        limits.guesses_account_delay_seconds_max,
    )
    yield Allowance(
        limits.guesses_known_free,
        limits.guesses_known_forgiven_seconds,
        limits.guesses_delay_seconds_min,
        limits.guesses_known_delay_seconds_max,
    )
