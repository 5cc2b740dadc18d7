"""The state of each partition, and what each node has."""

from mailnode.cluster.census import State, census, state
from mailnode.cluster.etcd_rows import Home
from mailnode.cluster.replica_messages import Member, Row

HOME = Home("", 1, 3, 2)


def shards(names: str) -> tuple[Member, ...]:
    return tuple(Member(name, 1) for name in names)


def row(in_sync: str, replicas: str = "abc") -> Row:
    return Row(1, 1, Member(in_sync[0], 1), 1, shards(in_sync), tuple(replicas), HOME.min_insync)


def test_the_state_of_a_partition_is_the_worst_that_is_true_of_it() -> None:
    alive = shards("abc")
    assert state(row("abc"), HOME, alive) is State.WHOLE
    assert state(row("ab"), HOME, alive) is State.UNDER_COPIED
    assert state(row("abx"), HOME, alive) is State.UNDER_COPIED
    assert state(row("a"), HOME, alive) is State.BELOW_MIN_INSYNC
    assert state(row("xa"), HOME, alive) is State.WITHOUT_PRIMARY
    replaced = (Member("a", 2), *shards("bc"))
    assert state(row("abc"), HOME, replaced) is State.WITHOUT_PRIMARY


def test_each_partition_is_in_one_state_and_each_node_has_what_rows_name() -> None:
    rows = {0: row("abc"), 1: row("ba"), 2: row("cab", replicas="abd")}
    found = census(rows.items(), {0: HOME}, shards("abcd"))
    assert found.states == {State.WHOLE: 2, State.UNDER_COPIED: 1}
    assert found.led == {"a": 1, "b": 1, "c": 1}
    assert found.copied == {"a": 3, "b": 3, "c": 2}
    assert found.learning == {"c": 1, "d": 1}
