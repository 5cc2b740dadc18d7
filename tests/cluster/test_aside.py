"""What repairs overwrite and may have been right is kept, or they do not overwrite it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from mailnode.limits import Limits
from mailnode.store.keys import Family
from tests.cluster.looking import Looking
from tests.cluster.nodes import Cluster, _key


def test_where_no_more_can_be_kept_nothing_is_overwritten(tmp_path: Path) -> None:
    cluster = Cluster(limits=replace(Limits(), aside_octets_max=400))
    a, b = cluster.nodes["a"], cluster.nodes["b"]
    for number in range(2):
        a.append(b"%d" % number)
    cluster.settle()
    cluster.pass_time(1)
    looking = Looking(cluster, tmp_path)
    b.shard.write([(Family.STATE, _key(b"0"), b"other")], sync=True)
    assert looking.compare().mended == 1
    kept = looking.aside("b").read_text()
    b.shard.write([(Family.STATE, _key(b"1"), b"other")], sync=True)
    found = looking.compare()
    assert found.not_compared == 1 and "look at what it says" in found.failures[0]
    assert looking.aside("b").read_text() == kept and b"other" in b.rows()
    cluster.close()
