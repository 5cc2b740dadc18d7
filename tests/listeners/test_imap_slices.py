"""What a client is told of its own long STORE, and of what others do between its slices."""

from mailnode.listeners.imap.selected import Selected
from mailnode.mailbox.rows import FLAGGED, SEEN
from mailnode.mailbox.verbs import ALL_UIDS, Want
from mailnode.pb.change_pb2 import Store
from protocols.imap.view import View
from tests.mailbox.asks import ALL, store
from tests.mailbox.process import House, first_of, opened


def selected(house: House) -> Selected:
    run = house.hand.until(first_of(house.account.messages(1, ALL_UIDS, Want.UIDS)))
    watch = house.hand.until(house.account.watch(run.position, 1))
    row = house.now(house.account.mailboxes()).rows[1]
    view = View(run.uids, run.count)
    view.claim(1, 1 << 32)
    return Selected(house.account, row, view, watch, read_only=False, enabled=frozenset)


async def news(selected: Selected) -> bytes:
    return b"".join([piece async for piece in selected.news_keeping_numbers()])


def test_what_another_client_changes_between_the_slices_of_a_store_is_told_and_nothing_else() -> None:
    house = opened(messages=6)
    mine = selected(house)
    long = house.start(store(1, ALL, Store.ADD, SEEN))
    house.load()
    other = house.start(store(1, [(1, 1)], Store.REPLACE, FLAGGED))
    house.hand.work()
    assert long.result().first_position < other.result().position < long.result().position
    mine.answered(long.result(), ALL_UIDS)
    told = house.hand.until(news(mine))
    assert told == b"* 1 FETCH (UID 1 FLAGS (\\Recent \\Flagged))\r\n"
    house.end()
