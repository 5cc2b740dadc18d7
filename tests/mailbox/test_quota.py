"""Quotas are decided on the decided edge: what is on its way counts; what frees room is never refused."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from mailnode.domain import Domain
from mailnode.limits import Limits
from mailnode.mailbox.appended import rows
from mailnode.mailbox.quota import Quota, Quotas
from mailnode.mailbox.rows import DELETED, SEEN
from mailnode.mailbox.service import Function
from mailnode.mailbox.sums import Sums
from mailnode.mailbox.verbs import Unavailable
from mailnode.pb.account_pb2 import DomainSums
from mailnode.pb.change_pb2 import Change, SetQuota, Store
from mailnode.pb.row_pb2 import AccountRow
from tests.mailbox import asks
from tests.mailbox.asks import ALL, add, copy, expunge, message, move, store
from tests.mailbox.decider import Decider, account
from tests.store.faulty_shard import FaultyShard

SIZE = message().mail.size


def limited(octets: int = 0, messages: int = 0, *, domain_full: bool = False) -> Decider:
    """INBOX with one message, and mailbox 2."""
    it = account("Other")
    it.ask(add(message()))
    it.quota = Quota(octets, messages, domain_full)
    return it


def delivered() -> asks.Add:
    return add(message(inbox_stands_in=True))


def test_what_is_on_its_way_counts() -> None:
    it = limited(messages=3)
    changes = [it.leave_open(delivered()) for _ in range(2)]
    assert it.refused(delivered()) == "OVERQUOTA"
    for change in changes:
        it.commit(change)
    assert it.found().row.messages == 3


def test_append_and_copy_stay_within_the_octets_to_the_last() -> None:
    it = limited(octets=2 * SIZE)
    it.ask(copy(1, ALL, 2))
    assert it.refused(add(message(body=b""))) == "OVERQUOTA"
    assert it.refused(copy(1, ALL, 2)) == "OVERQUOTA"


def test_a_delivery_may_fill_the_account_a_tenth_beyond_its_quota_and_then_none_comes() -> None:
    it = limited(octets=10 * SIZE - 1)
    for _ in range(8):
        it.ask(delivered())
    assert it.refused(add(message())) == "OVERQUOTA"
    it.ask(delivered())
    assert it.found().row.octets == 10 * SIZE
    assert it.refused(delivered()) == "OVERQUOTA"


def test_a_delivery_of_more_than_the_grace_is_refused() -> None:
    it = limited(octets=2 * SIZE)
    assert it.refused(add(message(body=b"x" * 2 * SIZE, inbox_stands_in=True))) == "OVERQUOTA"


def test_what_frees_room_or_takes_none_is_never_refused() -> None:
    it = limited(octets=1, messages=1, domain_full=True)
    it.ask(store(1, ALL, Store.ADD, SEEN, ["work"]))
    it.ask(move(1, ALL, 2))
    it.ask(asks.RenameMailbox(mailbox=1, name="Old"))
    it.ask(store(2, ALL, Store.ADD, DELETED))
    it.ask(expunge(2, ALL))
    assert it.found().row.messages == 0


def test_a_full_domain_takes_nothing() -> None:
    it = limited(domain_full=True)
    assert it.refused(delivered()) == it.refused(add(message())) == it.refused(copy(1, ALL, 2)) == "OVERQUOTA"


def test_an_account_has_its_own_limits_else_those_of_its_domain() -> None:
    quotas = Quotas({"example.test": Domain("example.test", "+", True, "", 1000, 10)})
    it = limited()
    assert quotas.of(it.state.row) == Quota(1000, 10, False)
    it.ask(SetQuota(octets=SetQuota.Limit(own=0)))
    it.ask(SetQuota(messages=SetQuota.Limit(own=5)))
    assert quotas.of(it.found().row) == Quota(0, 5, False)
    it.ask(SetQuota(octets=SetQuota.Limit()))
    assert quotas.of(it.found().row) == Quota(1000, 5, False)
    assert quotas.of(AccountRow(address="a@elsewhere.test")) == Quota(0, 0, False)


class Others:
    """Other nodes, which may be away."""

    def __init__(self, held: dict[str, int]) -> None:
        self.functions: dict[str, Function] = {}
        self.held = held
        self.are_away = False
        self.lead = True

    def others(self) -> list[str]:
        return list(self.held)

    def leaders(self) -> list[str]:
        return self.others() if self.lead else []

    async def call(self, node: str, function: str, octets: bytes) -> bytes:
        assert function in self.functions, "each is asked what it answers itself"
        if self.are_away:
            raise Unavailable
        return DomainSums(octets={"a.test": self.held[node]}).SerializeToString()


@pytest.mark.parametrize(("most", "full"), [(631, False), (630, True), (0, False)])
def test_a_domain_is_full_when_its_accounts_together_hold_as_much_as_it_may(most: int, full: bool) -> None:
    shard = FaultyShard()
    for number, domain in ((1, "a.test"), (1 << 60, "a.test"), (3, "b.test"), (2, "a.test")):
        row = AccountRow(address=f"x{number}@{domain}", octets=200)
        shard.write(rows(Change(account=number, position=1, row=row), 1), sync=True)
    quotas = Quotas({"a.test": Domain("a.test", "+", True, "", domain_quota_octets=most)})
    with ThreadPoolExecutor(1) as loads:
        others = Others({"one": 10, "other": 20})
        sums = Sums(shard, quotas, loads, Limits(summed_accounts=2), lambda account: True, others)
        for others.are_away in (False, True):  # and then they hold what they held
            asyncio.run(sums.refresh())
            assert quotas.of(AccountRow(address="y@a.test")).domain_full == full
        said = DomainSums.FromString(asyncio.run(others.functions["domain.sums"](b"", {})))
    assert dict(said.octets) == ({"a.test": 600, "b.test": 200} if most else {})


def test_what_a_node_that_is_away_led_is_counted_once_where_others_lead_it() -> None:
    quotas = Quotas({"a.test": Domain("a.test", "+", True, "", domain_quota_octets=100)})
    with ThreadPoolExecutor(1) as loads:
        others = Others({"one": 90, "other": 20})
        sums = Sums(FaultyShard(), quotas, loads, Limits(), lambda account: True, others)
        full = []
        for others.are_away, others.lead in ((False, True), (True, True), (True, False)):
            asyncio.run(sums.refresh())
            full.append(quotas.of(AccountRow(address="y@a.test")).domain_full)
    assert full == [True, True, False]
