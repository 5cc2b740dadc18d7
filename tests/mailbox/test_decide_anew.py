"""A decision that fails half-way leaves nothing behind: the next ones rest on what is committed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mailnode.mailbox.rows import SEEN
from mailnode.mailbox.said import Mistake
from mailnode.pb.change_pb2 import Store
from mailnode.pb.row_pb2 import MailboxRow
from mailnode.store import keys
from mailnode.store.keys import Family
from tests.mailbox import asks
from tests.mailbox.asks import ALL, add, expunge, message, store
from tests.mailbox.process import House, opened

pytestmark = pytest.mark.usefixtures("everywhere")


@pytest.fixture
def house(everywhere: None) -> Iterator[House]:
    """Of whose INBOX the row is damaged: it counts one unseen message, and there are four."""
    first = opened(messages=4)
    first.end()
    key = keys.mailbox(asks.ACCOUNT, 1)
    row = MailboxRow.FromString(first.shard.get(Family.STATE, key) or b"")
    row.unseen = 1
    first.shard.write([(Family.STATE, key, row.SerializeToString())], sync=True)
    house = opened(first.shard.reopen())
    yield house
    house.end()


@pytest.mark.parametrize("uids", [[(1, 2)], ALL], ids=["at once", "in the pool"])
def test_what_a_decision_did_before_it_failed_is_not_written_by_the_next(
    house: House, uids: asks.Ranges
) -> None:
    house.flags()
    before = house.now(house.account.mailboxes()).position
    with pytest.raises((ValueError, Mistake)):
        house.ask(expunge(1, uids, whatever_flags=True))
    assert house.ask(add(message())).position == before + 1
    assert house.listed_now() == (5, 2, 6)
    assert list(house.flags()) == [1, 2, 3, 4, 5]
    assert len(house.ask(expunge(1, [(1, 1)], whatever_flags=True)).expunged) == 1


def test_what_was_on_its_way_when_a_decision_failed_stays_decided(house: House) -> None:
    house.flags()
    adding = house.start(add(message()))
    failing = house.start(expunge(1, [(1, 3)], whatever_flags=True))
    storing = house.start(store(1, [(5, 5)], Store.ADD, SEEN))
    house.hand.work()
    assert adding.result().added[0].uid == 5
    assert isinstance(failing.exception(), ValueError | Mistake)
    assert storing.result().position == adding.result().position + 1
    assert house.flags() == {1: 0, 2: 0, 3: 0, 4: 0, 5: SEEN}
    assert house.listed_now() == (5, 1, 6)
