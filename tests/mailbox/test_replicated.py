"""Accounts on two nodes: one leads, the other has the same rows, and takes over."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import pytest

from mailnode.cluster.log_rows import APART_OCTETS_MIN
from mailnode.cluster.partitions import NotKnown, Unavailable
from mailnode.cluster.replica_messages import first_epoch
from mailnode.domain import Domain
from mailnode.limits import Limits
from mailnode.mailbox.accounts import Accounts
from mailnode.mailbox.appended import Changes
from mailnode.mailbox.mending import POSITION_GAP, UID_GAP
from mailnode.mailbox.quota import Quotas
from mailnode.mailbox.reads import Reads
from mailnode.mailbox.rows import MODIFIED, longs
from mailnode.mailbox.verbs import ALL_UIDS, Account, Want
from mailnode.pb.change_pb2 import Add, Due, PutRow, Result, Store, Upload
from mailnode.store import keys
from mailnode.store.keys import OF_ACCOUNTS, Family
from tests.cluster.by_hand import HandClock
from tests.cluster.nodes import PARTITION, Cluster, Node
from tests.mailbox.asks import ACCOUNT, ALL, add, create, expunge, intent, message, store, uploaded
from tests.store.faulty_shard import FaultyShard

BODY = b"x" * APART_OCTETS_MIN


class Mail:
    """A cluster of two, and the accounts of each."""

    def __init__(self) -> None:
        limits = replace(Limits(), store_slice_entries=3, part_rows_max=4)
        self.cluster = Cluster(limits=limits, changes=Changes())
        self.clock = HandClock()
        self.domains: dict[str, Domain] = {}
        self.accounts = {name: self._accounts(node) for name, node in self.cluster.nodes.items()}

    def _accounts(self, node: Node) -> Accounts:
        limits = self.cluster.limits
        made: list[Accounts] = []
        node.do(
            lambda: made.append(
                Accounts(
                    node.shard, node.partitions, node.hand.loads, self.clock, limits, Quotas(self.domains)
                )
            )
        )
        self.cluster.settle()
        return made[0]

    def restart(self, name: str, shard: FaultyShard) -> None:
        self.accounts[name] = self._accounts(self.cluster.start(name, shard))
        self.cluster.pass_time(8)

    def open(self, name: str) -> Account:
        node = self.cluster.nodes[name]
        opening = node.hand.start(self.accounts[name].open(ACCOUNT))
        self.cluster.settle()
        return opening.result()

    def ask(
        self, name: str, asked: object, intent_id: bytes = b"", retry: bool = False, copies: int = 0
    ) -> Result:
        applying = self.asking(name, asked, intent_id, retry, copies)
        self.cluster.settle()
        return applying.result()

    def asking(
        self, name: str, asked: object, intent_id: bytes = b"", retry: bool = False, copies: int = 0
    ) -> asyncio.Task[Result]:
        account, node = self.open(name), self.cluster.nodes[name]
        made = intent(asked, intent_id, retry)
        made.copies = copies
        return node.hand.start(account.apply(made))

    def uids(self, name: str, account: Account | None = None) -> list[int]:
        account = account or self.open(name)

        async def read() -> list[int]:
            return [uid async for run in account.messages(1, ALL_UIDS, Want.ENTRIES) for uid in run.uids]

        reading = self.cluster.nodes[name].hand.start(read())
        self.cluster.settle()
        return reading.result()

    def rows(self, name: str) -> dict[str, list[tuple[bytes, bytes]]]:
        shard = self.cluster.nodes[name].shard
        return {family: list(shard.scan(family, b"", keys.END)) for family in OF_ACCOUNTS}


@pytest.fixture
def mail() -> Iterator[Mail]:
    mail = Mail()
    mail.ask("a", create("Archive"))
    yield mail
    mail.cluster.close()


def test_the_rows_of_both_are_the_same(mail: Mail) -> None:
    mail.ask("a", add(message(), message(body=BODY)))
    mail.ask("a", add(message(body=b"y" * 300_000)))
    mail.ask("a", expunge(1, whatever_flags=True))
    mail.cluster.pass_time(1)
    assert mail.rows("a") == mail.rows("b")
    assert len(mail.rows("b")[Family.BLOB]) == 4


def test_one_that_was_away_gets_contents_that_lie_apart(mail: Mail) -> None:
    shard = mail.cluster.crash("b")
    mail.cluster.pass_time(8)
    mail.ask("a", add(message(body=BODY)))
    replica = mail.cluster.nodes["a"].replication.core.partitions[3]
    replica.release(replica.applied)
    mail.restart("b", shard)
    assert mail.rows("a") == mail.rows("b")


def test_a_content_in_chunks_is_there_with_what_names_it(mail: Mail) -> None:
    chunk = b"z" * (1 << 18)
    upload = mail.clock.microseconds
    named = uploaded(message(body=chunk), upload)
    whole = message(body=chunk).octets
    for number, start in enumerate(range(0, len(whole), 1 << 18)):
        mail.ask("a", Upload(upload=upload, chunk=number, octets=whole[start : start + (1 << 18)]))
    mail.ask("a", Add(messages=[named]))
    mail.cluster.pass_time(1)
    assert mail.rows("a") == mail.rows("b")
    assert b"".join(value for _, value in mail.rows("b")[Family.BLOB]) == whole
    assert mail.rows("b")[Family.DUE] == []


def test_the_next_primary_has_all_that_was_said_to_be_there_and_gives_no_uid_again(mail: Mail) -> None:
    mail.ask("a", add(message(), message()), b"12345678once")
    mail.cluster.crash("a")
    mail.cluster.pass_time(8)
    assert mail.uids("b") == [1, 2]
    again = mail.ask("b", add(message(), message()), b"12345678once", retry=True)
    assert [added.uid for added in again.added] == [1, 2] and mail.uids("b") == [1, 2]
    assert mail.ask("b", add(message())).added[0].uid == 3


def test_a_domain_and_an_intent_may_ask_for_more_copies_never_for_fewer(mail: Mail) -> None:
    assert mail.ask("a", add(message())).copies == 2
    with pytest.raises(Unavailable):
        mail.ask("a", add(message()), copies=3)
    mail.cluster.crash("b")
    mail.cluster.pass_time(8)
    assert mail.ask("a", add(message()), copies=1).copies == 1
    mail.domains["example.test"] = Domain("example.test", "+", scram=True, dkim="", min_insync=2)
    for asked, copies in ((add(message()), 0), (add(message()), 2), (store(1, ALL, Store.Mode.ADD, 1), 1)):
        with pytest.raises(Unavailable):
            mail.ask("a", asked, copies=copies)
    assert mail.uids("a") == [1, 2]
    mail.domains.clear()
    assert mail.ask("a", add(message())).copies == 1


def test_what_has_fewer_copies_than_were_asked_for_is_not_known_until_it_has_them(mail: Mail) -> None:
    shard = mail.cluster.crash("b")
    asked = add(message()), b"12345678once"
    first = mail.asking("a", *asked, copies=2)
    mail.cluster.pass_time(8 + mail.cluster.limits.copies_owed_seconds_max)
    with pytest.raises(NotKnown):
        first.result()
    assert mail.uids("a") == [1]
    retrying = mail.asking("a", *asked, retry=True, copies=2)
    mail.cluster.settle()
    assert not retrying.done()
    mail.restart("b", shard)
    again = retrying.result()
    assert (again.copies, [added.uid for added in again.added]) == (2, [1])
    assert mail.uids("a") == [1]


def test_an_account_ends_with_its_primary_and_so_do_its_watches_and_what_waits(mail: Mail) -> None:
    account, a = mail.open("a"), mail.cluster.nodes["a"]
    watching = a.hand.start(account.watch(0, 0))
    mail.cluster.settle()
    watch = watching.result()
    mail.cluster.cut.add("a")
    mail.cluster.unmapped.add("a")
    waits = a.hand.start(account.apply(intent(add(message()))))
    mail.cluster.settle()
    assert not waits.done()
    mail.cluster.pass_time(3.5)
    with pytest.raises(Unavailable):  # before anybody may take over
        mail.uids("a", account)
    mail.cluster.lose_lease("a")
    mail.cluster.pass_time(8)
    assert mail.uids("b") == [] and mail.ask("b", add(message())).added[0].uid == 1
    mail.cluster.join("a")
    mail.cluster.settle()
    assert isinstance(waits.exception(), NotKnown)
    with pytest.raises(Unavailable):
        watch.pending()
    with pytest.raises(Unavailable):
        mail.open("a")
    mail.cluster.pass_time(8)
    assert mail.rows("a") == mail.rows("b")


def test_one_that_leads_again_knows_nothing_of_its_accounts_before(mail: Mail) -> None:
    before = mail.open("a")
    mail.cluster.cut.add("a")
    mail.cluster.unmapped.add("a")
    mail.cluster.lose_lease("a")
    mail.cluster.pass_time(8)
    mail.ask("b", add(message()))
    mail.cluster.join("a")
    mail.cluster.pass_time(8)
    mail.cluster.crash("b")
    mail.cluster.pass_time(8)
    assert mail.uids("a") == [1]
    with pytest.raises(Unavailable):
        mail.uids("a", before)


def test_what_is_due_is_with_who_leads(mail: Mail) -> None:
    due = Due(kind=keys.Due.QUEUE, time=5, key=b"12345678")
    mail.ask("a", PutRow(kind=keys.Kind.CREDENTIAL, key=b"k", value=b"v", dues=[due]))
    mail.cluster.pass_time(1)
    assert [len(mail.accounts[name].dues.all(keys.Due.QUEUE)) for name in "ab"] == [1, 0]
    mail.cluster.crash("a")
    mail.cluster.pass_time(8)
    (task,) = mail.accounts["b"].dues.all(keys.Due.QUEUE)
    assert (task.account, task.key) == (ACCOUNT, b"12345678")
    assert mail.accounts["b"].leads(ACCOUNT)


def test_a_change_of_many_entries_is_the_same_on_both(mail: Mail) -> None:
    mail.ask("a", add(*(message() for _ in range(20))))
    result = mail.ask("a", expunge(1, whatever_flags=True))
    assert not result.refused
    mail.cluster.pass_time(1)
    assert mail.rows("a") == mail.rows("b")


def test_below_the_least_in_sync_an_intent_is_refused_and_reads_go_on() -> None:
    mail = Mail()
    mail.ask("a", create())
    row = mail.cluster.etcd.rows[3]
    mail.cluster.etcd.rows[3] = replace(row, revision=row.revision + 1, min_insync=2)
    for node in mail.cluster.nodes.values():
        node.do(partial(node.replication.read, 3, mail.cluster.etcd.rows[3]))
    mail.cluster.crash("b")
    mail.cluster.pass_time(8)
    with pytest.raises(Unavailable):
        mail.ask("a", add(message()))
    assert mail.uids("a") == []
    mail.cluster.close()


def test_an_account_is_raised_in_all_copies_before_it_is_read_where_it_was_led_elsewhere(mail: Mail) -> None:
    for _ in range(4):  # more entries than a slice has
        mail.ask("a", add(message()))
    before = mail.open("a")
    promote(mail, "b", 2)
    account = mail.open("b")
    uids = mail.uids("b", account)
    assert uids == [1, 2, 3, 4]
    mail.cluster.pass_time(1)
    assert mail.rows("a") == mail.rows("b")
    head = Reads(mail.cluster.nodes["a"].shard, ACCOUNT).head()
    old = before._committed.position  # type: ignore[attr-defined]
    assert head.row.position == head.row.touched_floor == old + POSITION_GAP and head.row.generation == 2
    entries = Reads(mail.cluster.nodes["b"].shard, ACCOUNT).arrays(1).entries
    assert set(longs(entries, MODIFIED)) == {old + POSITION_GAP}
    assert mail.ask("b", add(message())).added[0].uid == 5 + UID_GAP
    promote(mail, "a", 2)  # a later primary of the same generation raises nothing again
    assert mail.ask("a", add(message())).added[0].uid == 6 + UID_GAP


def promote(mail: Mail, name: str, generation: int) -> None:
    """A node leads the partition, alone in sync at first, in the next epoch or generation."""
    etcd, me = mail.cluster.etcd, mail.cluster.nodes[name].me
    row = etcd.rows[PARTITION]
    epoch = max(row.epoch + 1, first_epoch(generation))
    replicas = (name, *(each for each in row.replicas if each != name))
    led = replace(row, primary=me, run=0, in_sync=(me,), replicas=replicas)
    taken = replace(led, revision=row.revision + 1, epoch=epoch)
    etcd.rows[PARTITION] = taken
    for node in mail.cluster.nodes.values():
        node.do(partial(node.replication.read, PARTITION, taken))
    mail.cluster.pass_time(70)
