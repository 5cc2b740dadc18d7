"""From any map to the one that the ring asks for, a few at a time, and never with fewer copies on the way."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from mailnode.cluster.balance import Replicas, Standing, aims, is_same, plan
from mailnode.cluster.etcd_rows import Home
from mailnode.cluster.layer import Node
from mailnode.cluster.replica_messages import Member, Row, Swap

SLOTS = 48
MOVES_MAX = 3
CHANCES = st.integers(0, 1 << 30).map(random.Random)


def standing(
    name: str, host: str = "", rack: str = "", weight: float = 1.0, *, stays: bool = True, alive: bool = True
) -> Standing:
    return Standing(Node(name, host or name, rack, "", weight), Member(name, 1), stays, alive)


def row_of(
    replicas: str | Replicas, primary: str = "", in_sync: str | Replicas = "", min_insync: int = 1
) -> Row:
    names, shards = tuple(replicas), tuple(Member(name, 1) for name in in_sync or replicas)
    return Row(1, 1, Member(primary or names[0], 1), 1, shards, names, min_insync)


@dataclass(repr=False)
class Model:
    """The map of one home, its nodes, and a core that does what rows ask of it, one thing at a time."""

    standings: dict[str, Standing]
    home: Home
    rows: dict[int, Row]
    copied: int = 0
    """Copies that were made."""
    aimed: dict[int, Replicas] = field(default_factory=dict)

    def aim(self) -> None:
        self.aimed = dict(enumerate(aims(self.standings, self.home, self.rows, SLOTS)))

    def asked(self) -> tuple[Swap, ...]:
        """What the planner wants now, done; as a map would, and as it promises."""
        found = plan(self.standings, {0: self.home}, self.rows.items(), self.aimed, MOVES_MAX)
        for swap in found.swaps:
            before = self.rows[swap.partition]
            assert swap.row != before
            assert (swap.row.primary, swap.row.in_sync) == (before.primary, before.in_sync)
            self.rows[swap.partition] = replace(swap.row, revision=before.revision + 1)
            self.check(before, swap.row)
        assert max(self.busy().values(), default=0) <= max(MOVES_MAX, self.busy_before)
        self.busy_before = max(self.busy().values(), default=0)
        return found.swaps

    busy_before: int = 1 << 20

    def check(self, before: Row, then: Row) -> None:
        hosts = [self.host(name) for name in then.replicas]
        if then.replicas != before.replicas:
            assert len(set(hosts)) == len(hosts)
            before_hosts = {self.host(name) for name in before.replicas}
            assert len(hosts) >= min(self.home.copies, len(before_hosts))
        assert then.min_insync <= max(before.min_insync, len(then.in_sync))

    def host(self, name: str) -> str:
        return self.standings[name].node.host if name in self.standings else name

    def busy(self) -> Counter[str]:
        """By node: partitions that copy from it or to it."""
        busy = Counter[str]()
        for row in self.rows.values():
            learning = set(row.replicas) - {member.node for member in row.in_sync}
            learning = {name for name in learning if self.is_alive(name)}
            if learning and self.is_alive(row.primary.node):
                busy.update({row.primary.node, *learning})
        return busy

    def is_alive(self, name: str) -> bool:
        return name in self.standings and self.standings[name].is_alive

    def work(self, partition: int) -> bool:
        """The next thing that the primary would do (`cluster/membership`); whether there is any."""
        row = self.rows[partition]
        if not self.is_alive(row.primary.node):
            return False
        names = [member.node for member in row.in_sync]
        silent = [name for name in names if not self.is_alive(name)]
        learning = [name for name in row.replicas if name not in names and self.is_alive(name)]
        has_all = set(row.replicas) <= set(names)
        leaving = set(names) - set(row.replicas) if has_all else set()
        if silent:
            names.remove(silent[0])
            row = replace(row, in_sync=tuple(Member(name, 1) for name in names))
        elif learning:
            self.copied += 1
            row = replace(row, in_sync=(*row.in_sync, Member(learning[0], 1)))
        elif leaving - {row.primary.node}:
            kept = tuple(each for each in row.in_sync if each.node not in leaving - {row.primary.node})
            row = replace(row, in_sync=kept)
        elif row.replicas[0] != row.primary.node and row.replicas[0] in names:
            kept = tuple(each for each in row.in_sync if each.node not in leaving)
            row = replace(row, primary=Member(row.replicas[0], 1), in_sync=kept)
        else:
            return False
        self.rows[partition] = replace(row, revision=row.revision + 1)
        return True

    def settle(self, chance: random.Random) -> int:
        """Until nothing happens any more; how many rounds the planner had."""
        for rounds in range(40 * SLOTS):
            asked = self.asked()
            some = [at for at in self.rows if chance.random() < 0.5]
            has_worked = [self.work(at) for at in some]
            if not asked and not any(has_worked) and not any(self.work(at) for at in self.rows):
                return rounds
        raise AssertionError("it never ends")


def is_settled(model: Model) -> bool:
    """Everything is where it is aimed at, as far as nobody is waited for who does not come."""
    return all(
        is_same(row.replicas, model.aimed[at])
        and row.primary.node == row.replicas[0]
        and ({member.node for member in row.in_sync} == set(row.replicas) or "gone" in row.replicas)
        for at, row in model.rows.items()
    )


@st.composite
def models(draw: st.DrawFn) -> Model:
    """Any nodes, and any map that they may have got into; some of each row's copies in sync are alive."""
    shape = draw(
        st.lists(st.tuples(st.integers(0, 6), st.sampled_from([0.5, 1, 1, 2])), min_size=2, max_size=9)
    )
    chance = random.Random(draw(st.integers(0, 1 << 30)))
    standings = {}
    for number, (host, weight) in enumerate(shape):
        stays, alive = chance.random() < 0.8, chance.random() < 0.85
        name = f"n{number}"
        standings[name] = standing(name, f"h{host}", f"r{host % 3}", weight, stays=stays, alive=alive)
    standings["n0"] = standing("n0", "h0", "r0")
    copies = draw(st.integers(1, 3))
    home = Home("", 1, copies, draw(st.integers(1, copies)))
    names = [*standings, "gone"]
    rows = {}
    for slot in range(SLOTS):
        replicas = tuple(chance.sample(names, min(len(names), chance.randint(1, 4))))
        in_sync = sorted({chance.choice(replicas) for _ in range(3)} | ({chance.choice(names)} - {"gone"}))
        primary = chance.choice(in_sync)
        rows[slot] = row_of(replicas, primary, tuple(in_sync), chance.randint(1, copies))
    return Model(standings, home, rows)


@settings(max_examples=60, deadline=None)
@given(models(), CHANCES)
def test_from_any_map_it_ends_and_what_can_be_done_is_done(model: Model, chance: random.Random) -> None:
    model.aim()
    model.settle(chance)
    for at, row in model.rows.items():
        waits = not model.is_alive(row.primary.node) or any(
            not model.is_alive(name) for name in {*row.replicas, *model.aimed[at]}
        )
        assert waits or is_same(row.replicas, model.aimed[at])


@settings(max_examples=40, deadline=None)
@given(models(), CHANCES)
def test_once_a_map_is_as_asked_for_another_look_asks_for_nothing_else(
    model: Model, chance: random.Random
) -> None:
    """Racks are parted a little at a time, so some looks may."""
    model.standings = {name: replace(each, is_alive=True) for name, each in model.standings.items()}
    model.rows = {at: row for at, row in model.rows.items() if row.primary.node in model.standings}
    for _ in range(SLOTS):
        model.aim()
        model.settle(chance)
        assert is_settled(model)
        before = model.aimed
        model.aim()
        if all(is_same(before[at], aim) for at, aim in model.aimed.items()):
            return
    raise AssertionError("it asks for something else each time")


def whole(names: str, copies: int, racks: int = 1) -> Model:
    """A map that is as the ring asks for."""
    standings = {name: standing(name, rack=f"r{at % racks}") for at, name in enumerate(names)}
    model = Model(standings, Home("", 1, copies, min(copies, 2)), {})
    model.aim()
    model.rows = {at: row_of(aim, min_insync=min(copies, 2)) for at, aim in model.aimed.items()}
    return model


def held_of(model: Model) -> Counter[str]:
    return Counter(name for row in model.rows.values() for name in row.replicas)


def led_of(model: Model) -> Counter[str]:
    return Counter(row.primary.node for row in model.rows.values())


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 3), st.integers(3, 6), CHANCES)
def test_a_node_that_comes_gets_its_share_and_no_copy_is_made_that_the_ring_did_not_ask_for(
    copies: int, count: int, chance: random.Random
) -> None:
    model = whole("abcdef"[:count], copies)
    model.standings["x"] = standing("x")
    before = {at: set(row.replicas) for at, row in model.rows.items()}
    model.aim()
    wanted = sum(len(set(aim) - before[at]) for at, aim in model.aimed.items())
    model.settle(chance)
    assert is_settled(model)
    assert model.copied == wanted <= 1.2 / count * SLOTS * copies
    assert abs(held_of(model)["x"] - SLOTS * copies / (count + 1)) < 1
    assert abs(led_of(model)["x"] - SLOTS / (count + 1)) < 1


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 2), CHANCES)
def test_a_node_that_leaves_is_emptied_and_gets_its_share_again_when_it_is_told_to_stay(
    copies: int, chance: random.Random
) -> None:
    model = whole("abcd", copies)
    model.standings["b"] = replace(model.standings["b"], stays=False)
    model.aim()
    model.settle(chance)
    assert is_settled(model)
    assert held_of(model)["b"] == led_of(model)["b"] == 0
    model.standings["b"] = replace(model.standings["b"], stays=True)
    model.aim()
    model.settle(chance)
    assert abs(held_of(model)["b"] - SLOTS * copies / 4) < 1


def test_what_a_lost_node_had_is_copied_before_anything_else_moves() -> None:
    model = whole("abcde", 2)
    model.standings["e"] = replace(model.standings["e"], stays=False, is_alive=False)
    model.standings["x"] = standing("x")
    lost = {at for at, row in model.rows.items() if "e" in row.replicas}
    for at in lost:
        left = tuple(name for name in model.rows[at].replicas if name != "e")
        model.rows[at] = replace(model.rows[at], primary=Member(left[0], 1), in_sync=(Member(left[0], 1),))
    model.aim()
    asked = {swap.partition for swap in model.asked()}
    assert asked & lost
    assert len(asked - lost) < len(asked)
    model.settle(random.Random(0))
    assert is_settled(model)
    assert held_of(model)["e"] == 0


def test_where_too_few_hosts_would_be_left_a_leaving_node_leads_nothing_and_keeps_its_copies() -> None:
    model = whole("abc", 3)
    model.standings["c"] = replace(model.standings["c"], stays=False)
    model.aim()
    model.settle(random.Random(0))
    assert is_settled(model)
    assert held_of(model) == {"a": SLOTS, "b": SLOTS, "c": SLOTS}
    assert led_of(model) == {"a": SLOTS / 2, "b": SLOTS / 2}
    model.standings["d"] = standing("d")
    model.aim()
    model.settle(random.Random(0))
    assert held_of(model) == {"a": SLOTS, "b": SLOTS, "d": SLOTS}


def test_a_changed_weight_is_followed() -> None:
    model = whole("abcd", 1)
    model.standings["a"] = standing("a", weight=3)
    model.aim()
    model.settle(random.Random(0))
    assert held_of(model) == {"a": SLOTS / 2, "b": SLOTS / 6, "c": SLOTS / 6, "d": SLOTS / 6}


def test_more_copies_and_a_higher_promise_are_followed_in_this_order_and_fewer_at_once() -> None:
    model = whole("abcd", 1)
    model.home = Home("", 1, 3, 3)
    model.aim()
    model.asked()
    assert {row.min_insync for row in model.rows.values()} == {1}
    model.settle(random.Random(0))
    assert {row.min_insync for row in model.rows.values()} == {3}
    assert {len(row.in_sync) for row in model.rows.values()} == {3}
    model.home = Home("", 1, 2, 1)
    model.aim()
    model.asked()
    assert {row.min_insync for row in model.rows.values()} == {1}
    model.settle(random.Random(0))
    assert {len(row.in_sync) for row in model.rows.values()} == {2}


def test_what_an_operator_moves_stays_there_and_another_goes_back_for_it() -> None:
    for moved in range(SLOTS):
        model = whole("abc", 2)
        row = model.rows[moved]
        (other,) = {*"abc"} - set(row.replicas)
        model.rows[moved] = replace(row, replicas=(other, row.replicas[1]), revision=2)
        model.aim()
        assert is_same(model.aimed[moved], model.rows[moved].replicas)
        model.settle(random.Random(0))
        assert is_settled(model)
        assert max(held_of(model).values()) - min(held_of(model).values()) <= 1


def two(rows: dict[int, Row], *standings: Standing, copies: int = 2) -> Iterator[Swap]:
    by_name = {each.node.name: each for each in standings}
    aimed = dict(enumerate(aims(by_name, Home("", 1, copies, 1), rows, len(rows))))
    yield from plan(by_name, {0: Home("", 1, copies, 1)}, rows.items(), aimed, MOVES_MAX).swaps


def test_a_partition_without_a_primary_is_let_alone_and_so_is_one_on_its_way() -> None:
    a, b, c = standing("a", alive=False, stays=False), standing("b"), standing("c")
    assert not list(two({0: row_of("ab")}, a, b, c))
    taken_over = row_of("ab", primary="b", in_sync="b")
    (swap,) = two({0: taken_over}, a, b, c)
    assert set(swap.row.replicas) == {"b", "c"}
    assert not list(two({0: replace(taken_over, replicas=("b", "c"))}, a, b, c))


def test_of_copies_that_never_end_others_wait_no_more_and_they_are_made_elsewhere() -> None:
    names = {name: standing(name) for name in "abc"}
    stuck = row_of("abc", in_sync="ab")
    rows = dict.fromkeys(range(MOVES_MAX), stuck) | {MOVES_MAX: row_of("ac")}
    names["c"] = replace(names["c"], stays=False)
    homes, aimed = {0: Home("", 1, 2, 1)}, dict.fromkeys(rows, ("a", "b"))
    assert not plan(names, homes, rows.items(), aimed, MOVES_MAX).swaps
    found = plan(names, homes, rows.items(), aimed, MOVES_MAX, slow=range(MOVES_MAX))
    assert found.under_way == set(rows)
    assert all(swap.row.replicas == ("a", "b") for swap in found.swaps)
    assert len(found.swaps) == len(rows)


def test_nothing_is_sent_to_a_node_that_is_away_until_it_is_lost() -> None:
    rows = {0: row_of("ab"), 1: row_of("ba")}
    a, b = standing("a"), standing("b")
    c = standing("c", weight=100, alive=False)
    assert not list(two(rows, a, b, c))
    swaps = list(two(rows, a, b, replace(c, is_alive=True)))
    assert all("c" in swap.row.replicas for swap in swaps) and len(swaps) == 2
