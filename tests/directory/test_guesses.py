"""How long whoever fails must wait: a clock that is moved by hand, and no passwords."""

import asyncio
from dataclasses import replace

import pytest

from mailnode.directory.guesses import Standing
from mailnode.directory.guessing import Guessing, NameGuesses
from mailnode.directory.source import Source, source_of
from mailnode.limits import Limits
from mailnode.mailbox.verbs import Unavailable
from tests.directory.memory import StillClock

LIMITS = replace(
    Limits(),
    guesses_address_free=2,
    guesses_address_forgiven_seconds=100,
    guesses_address_delay_seconds_max=8,
    guesses_network_free=6,
    guesses_network_forgiven_seconds=100,
    guesses_network_delay_seconds_max=8,
    guesses_account_free=8,
    guesses_account_forgiven_seconds=100,
    guesses_account_delay_seconds_max=8,
    guesses_known_free=2,
    guesses_known_forgiven_seconds=100,
    guesses_known_delay_seconds_max=4,
    guesses_kept_max=50,
)
ANN, BOB = "ann@example.test", "bob@example.test"
STRANGER, NEIGHBOUR, KNOWN = Standing.STRANGER, Standing.NEIGHBOUR, Standing.KNOWN


class Door:
    """Where attempts come to; each wrong password is another one."""

    def __init__(self) -> None:
        self.clock = StillClock()
        self.names = NameGuesses(self.clock, LIMITS)
        self.guessing = self.another()
        self._tried = 0

    def another(self) -> Guessing:
        """Of one more node."""

        async def at_owner(account: int, function: str, octets: bytes) -> bytes:
            return await self.names.functions[function](octets, {})

        return Guessing(at_owner, self.names, self.clock, LIMITS)

    def wait(self, login: str, host: str, standing: Standing = STRANGER) -> float:
        return asyncio.run(self.guessing.delay_seconds(login, source_of(host), standing))

    def fail(self, login: str, host: str, standing: Standing = STRANGER) -> None:
        self._tried += 1
        assert self.failed(login, source_of(host), standing, b"%d" % self._tried)

    def failed(self, login: str, source: Source, standing: Standing, password: bytes) -> bool:
        return asyncio.run(self.guessing.failed(login, source, standing, password))


def test_beyond_what_is_free_each_failure_doubles_the_wait_up_to_the_longest() -> None:
    door, waits = Door(), []
    for name in range(7):
        door.fail(f"user{name}@example.test", "192.0.2.1")
        waits.append(door.wait(ANN, "192.0.2.1"))
        door.clock.seconds += waits[-1]
        assert door.wait(ANN, "192.0.2.1") == 0
    assert waits[:2] == [0, 0]
    assert waits[2:] == pytest.approx([1, 2, 4, 8, 8], rel=0.2)


def test_a_failure_is_forgiven_after_a_while() -> None:
    door = Door()
    for _ in range(3):
        door.fail(ANN, "192.0.2.1")
    assert door.wait(ANN, "192.0.2.1") > 0
    door.clock.seconds += 3 * LIMITS.guesses_address_forgiven_seconds
    door.fail(ANN, "192.0.2.1")
    assert door.wait(ANN, "192.0.2.1") == 0


def test_many_addresses_of_one_network_wait_together() -> None:
    door = Door()
    for host in range(7):
        door.fail(f"user{host}@example.test", f"192.0.2.{host}")
    assert door.wait(ANN, "192.0.2.200") > 0
    assert door.wait(ANN, "198.51.100.1") == 0
    for subnet in range(7):
        door.fail(f"user{subnet}@example.test", f"2001:db8:1:{subnet}::1")
    assert door.wait(ANN, "2001:db8:1:99::1") > 0
    assert door.wait(ANN, "2001:db8:2::1") == 0


def test_a_guesser_all_over_the_net_slows_the_account_for_strangers_only() -> None:
    door = Door()
    for network in range(9):
        door.fail(ANN, f"198.51.{network}.1")
    assert door.wait(ANN.upper(), "203.0.113.1") > 0
    assert door.wait(ANN, "203.0.113.1", NEIGHBOUR) == 0
    assert door.wait(ANN, "203.0.113.1", KNOWN) == 0
    assert door.wait(BOB, "203.0.113.1") == 0


def test_who_guesses_from_the_users_own_address_at_others_keeps_the_user_not_out() -> None:
    door = Door()
    for _ in range(9):
        door.fail(BOB, "192.0.2.1")
    assert door.wait(BOB, "192.0.2.1") > 0
    assert door.wait(ANN, "192.0.2.1", KNOWN) == 0


def test_who_guesses_beside_the_user_makes_a_wait_of_the_shorter_kind() -> None:
    door = Door()
    for _ in range(9):
        door.fail(ANN, "192.0.2.1", KNOWN)
    assert 0 < door.wait(ANN, "192.0.2.1", KNOWN) <= LIMITS.guesses_known_delay_seconds_max
    assert door.wait(BOB, "192.0.2.1") == 0
    for _ in range(9):
        door.fail(ANN, "192.0.2.2", NEIGHBOUR)
    assert door.wait(ANN, "192.0.2.3", NEIGHBOUR) > 0
    assert door.wait(BOB, "192.0.2.3") == 0


def test_addresses_of_this_machine_do_not_wait_for_one_another() -> None:
    door = Door()
    for name in range(50):
        door.fail(f"user{name}@example.test", "127.0.0.1")
    assert door.wait(ANN, "127.0.0.1") == 0
    for _ in range(9):
        door.fail(ANN, "::1")
    assert door.wait(ANN, "127.0.0.1") > 0
    assert door.wait(BOB, "127.0.0.1") == 0


def test_the_same_wrong_password_again_is_no_guess() -> None:
    door = Door()
    home = source_of("192.0.2.1")
    assert door.failed(ANN, home, STRANGER, b"old one")
    for _ in range(20):
        assert not door.failed(ANN.upper(), home, STRANGER, b"old one")
    assert door.wait(ANN, "192.0.2.1") == 0
    assert door.failed(BOB, home, STRANGER, b"old one")
    door.clock.seconds += LIMITS.authentication_remembered_seconds
    assert door.failed(ANN, home, STRANGER, b"old one")


def test_an_unknown_password_counts_each_time() -> None:
    door = Door()
    for _ in range(3):
        assert door.failed(ANN, source_of("192.0.2.1"), STRANGER, b"")
    assert door.wait(ANN, "192.0.2.1") > 0


def test_names_without_end_take_bounded_memory_and_push_out_the_oldest() -> None:
    door = Door()
    for _ in range(9):
        door.fail(ANN, "127.0.0.1")
    for name in range(LIMITS.guesses_kept_max):
        assert door.wait(ANN, "127.0.0.1") > 0
        door.fail(f"user{name}@example.test", "127.0.0.1")
    assert door.wait(ANN, "127.0.0.1") == 0
    kept = len(door.names.of_names) + len(door.guessing._sources)
    assert kept <= 5 * LIMITS.guesses_kept_max


def test_other_limits_hold_at_once_and_forget_nothing() -> None:
    door = Door()
    for _ in range(3):
        door.fail(ANN, "192.0.2.1")
    door.guessing.change(replace(LIMITS, guesses_address_free=3))
    assert door.wait(ANN, "192.0.2.1") == 0
    door.guessing.change(replace(LIMITS, guesses_address_free=1))
    assert door.wait(ANN, "192.0.2.1") == 2


def test_what_fails_at_several_nodes_counts_once_for_the_account_and_by_itself_for_the_network() -> None:
    door = Door()
    nodes = [door.another() for _ in range(3)]
    for number in range(9):
        door.guessing = nodes[number % 3]
        door.fail(ANN, f"198.51.{number}.1")
    for door.guessing in nodes:
        assert door.wait(ANN, "203.0.113.1") > 0
        assert not door.failed(ANN, source_of("203.0.113.1"), STRANGER, b"9"), "it was tried elsewhere"
    door.guessing = nodes[0]
    for _ in range(3):
        door.fail(BOB, "192.0.2.1")
    assert door.wait("carol@example.test", "192.0.2.1") > 0
    door.guessing = nodes[1]
    assert door.wait("carol@example.test", "192.0.2.1") == 0


def test_while_the_node_of_an_account_is_away_failures_count_for_the_network_and_nobody_is_let_try() -> None:
    async def away(account: int, function: str, octets: bytes) -> bytes:
        raise Unavailable

    door = Door()
    door.guessing = Guessing(away, door.names, door.clock, LIMITS)
    for _ in range(3):
        door.fail(ANN, "192.0.2.1")
    with pytest.raises(Unavailable):
        door.wait(ANN, "192.0.2.1")
    assert door.guessing._sources.delay_seconds(source_of("192.0.2.1"), STRANGER) > 0


def test_names_are_counted_in_the_own_data_centre() -> None:
    door, asked = Door(), []

    async def at_owner(account: int, function: str, octets: bytes) -> bytes:
        asked.append(account >> 60)
        return await door.names.functions[function](octets, {})

    door.guessing = Guessing(at_owner, door.names, door.clock, LIMITS, lambda: 3)
    door.fail(ANN, "192.0.2.1")
    assert door.wait(ANN, "192.0.2.1") == 0
    assert asked == [3, 3]
