"""What was expunged can be brought back, until it is collected; nothing that lies anywhere ever is."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from mailnode.cluster.partitions import Partitions
from mailnode.limits import Limits
from mailnode.mailbox.account import LocalAccount
from mailnode.mailbox.accounts import Accounts
from mailnode.mailbox.collecting import Collecting
from mailnode.mailbox.quota import Quota, Quotas
from mailnode.mailbox.rows import DELETED, EXPUNGED_ENTRIES, FLAGGED, SEEN
from mailnode.mailbox.undeletion import undelete as bring_back
from mailnode.mailbox.verbs import Account, NotKnown, Unavailable
from mailnode.pb.change_pb2 import Intent, Result, Store
from mailnode.pb.row_pb2 import QueueRow
from mailnode.store import keys
from mailnode.store.keys import FAMILIES, Due, Family, Kind
from mailnode.store.shard import Shard, open_shard
from tests.mailbox import asks
from tests.mailbox.asks import (
    ALL,
    add,
    collect,
    copy,
    delete_mailbox,
    expunge,
    intent,
    message,
    move,
    rename_mailbox,
    store,
    undelete,
    upload,
    uploaded,
)
from tests.mailbox.decider import Decider, account
from tests.mailbox.found import check
from tests.mailbox.house import Ticking


def with_messages(*messages: asks.Add.Message, **limits: int) -> Decider:
    """INBOX with these, and mailboxes 2 and 3, `Work` and `Work/Old`."""
    it = account("Work", "Work/Old", **limits)
    it.ask(add(*messages))
    return it


def emptied(it: Decider, mailbox: int = 1) -> Decider:
    it.ask(expunge(mailbox, ALL, whatever_flags=True))
    return it


def shown(it: Decider, mailbox: int) -> dict[int, tuple[int, set[str]]]:
    return {uid: it.flags(mailbox, uid) for uid in it.uids(mailbox)}


# -- brought back


def test_what_comes_back_has_new_uids_and_its_flags_but_for_deleted() -> None:
    it = with_messages(message(flags=SEEN | FLAGGED, keywords=["work"]), message(), message())
    it.ask(store(1, [(1, 2)], Store.ADD, DELETED))
    it.ask(expunge(1))
    change = it.ask(undelete(it.expunged()))
    assert change.result.undeleted == 2
    assert shown(it, 1) == {3: (0, set()), 4: (SEEN | FLAGGED, {"work"}), 5: (0, set())}
    assert [(t.mailbox, t.created[0].first, t.created[0].last) for t in change.touched.mailboxes] == [
        (1, 4, 5)
    ]
    assert it.refused(undelete([bytes(20)])) == ""


def test_keywords_come_back_by_name_whatever_their_bits_are_called_since() -> None:
    it = emptied(with_messages(message(keywords=[f"k{n}" for n in range(60)])))
    it.ask(add(message(keywords=["other"])))
    it.ask(store(1, ALL, Store.REPLACE, 0, [f"new{n}" for n in range(58)]))
    it.ask(undelete(it.expunged()))
    assert it.flags(1, 3)[1] == {f"k{n}" for n in range(60)}


def test_what_came_back_once_does_not_come_again() -> None:
    it = emptied(with_messages(message()))
    (key,) = it.expunged()
    it.ask(undelete([key, key]))
    assert it.refused(undelete([key])) == ""
    assert len(it.uids(1)) == 1


def test_a_quota_does_not_hold_up_what_an_operator_brings_back() -> None:
    it = emptied(with_messages(message()))
    it.quota = Quota(1, 1, True)
    assert it.ask(undelete(it.expunged())).result.undeleted == 1


def test_a_mailbox_that_was_renamed_takes_its_messages() -> None:
    it = with_messages(message(2))
    emptied(it, 2)
    it.ask(rename_mailbox(2, "Play"))
    it.ask(undelete(it.expunged()))
    assert it.uids(2) == [2]


def test_a_mailbox_that_was_deleted_comes_back_with_its_messages_and_parents() -> None:
    it = with_messages(message(3), message(3))
    for mailbox in (3, 2):
        it.ask(delete_mailbox(mailbox))
    change = it.ask(undelete(it.expunged()))
    names = it.found().names()
    assert change.touched.list and {"Work", "Work/Old"} <= names.keys()
    assert len(it.uids(names["Work/Old"])) == 2


def test_a_mailbox_that_only_holds_others_can_be_selected_again() -> None:
    it = with_messages(message(2))
    it.ask(delete_mailbox(2))
    assert it.found().mailboxes[2].noselect
    it.ask(undelete(it.expunged()))
    assert not it.found().mailboxes[2].noselect and it.uids(2) == [2]


def test_inbox_takes_what_can_go_nowhere_else() -> None:
    it = with_messages(message(3), mailboxes_max=3)
    it.ask(delete_mailbox(3))
    it.ask(asks.create_mailbox("Play"))
    it.ask(undelete(it.expunged()))
    assert len(it.uids(1)) == 1


# -- collected


def test_a_mail_goes_with_its_octets_when_nothing_is_left_of_it() -> None:
    it = with_messages(message())
    it.ask(upload(77, 0, bytes(262_144)))
    it.ask(upload(77, 1, b"rest"))
    whole = message(body=bytes(262_144) + b"rest")
    del it.changes[:]
    it.ask(add(_of_upload(whole)))
    emptied(it)
    it.ask(collect(it.expunged()))
    assert not it.found().mails and it.state.row.expunged_since == 0
    for family in (Family.MAIL, Family.HEAD, Family.FORM, Family.BLOB, Family.DUE):
        assert not list(it.shard.scan(family, b"", keys.END)), family


def _of_upload(whole: asks.Add.Message) -> asks.Add.Message:
    """As a long content is: its octets are those of upload 77."""
    whole.octets = bytes(262_144) + b"rest"
    whole.mail.header, whole.mail.size, whole.mail.message_id = 4, len(whole.octets), b""
    return uploaded(whole, 77)


@pytest.mark.parametrize("how", [copy, move])
def test_a_mail_that_lies_elsewhere_stays(how: Callable[..., asks.Copy]) -> None:
    it = with_messages(message(), message())
    it.ask(how(1, [(1, 1)], 2))
    emptied(it)
    it.ask(collect(it.expunged()))
    assert len(it.found().mails) == 1 and it.uids(2) == [1]


def test_a_mail_that_can_be_brought_back_from_elsewhere_stays() -> None:
    it = with_messages(message())
    it.ask(copy(1, ALL, 2))
    emptied(it)
    emptied(it, 2)
    first, second = it.expunged()
    it.ask(collect([first]))
    assert len(it.found().mails) == 1
    it.ask(undelete([second]))
    assert it.uids(2) == [2]
    emptied(it, 2)
    it.ask(collect(it.expunged()))
    assert not it.found().mails


def test_a_mail_that_waits_for_other_servers_stays() -> None:
    it = emptied(with_messages(message()))
    (mail,) = it.found().mails
    row = QueueRow(recipients=[QueueRow.Recipient(forward_path=b"x@y")]).SerializeToString()
    it.shard.write([(Family.STATE, keys.state(asks.ACCOUNT, Kind.QUEUE, mail.to_bytes(8, "big")), row)], True)
    it.ask(collect(it.expunged()))
    assert list(it.found().mails) == [mail]


def test_who_comes_first_has_it() -> None:
    it = emptied(with_messages(message()))
    expunged = it.expunged()
    first, second = it.leave_open(undelete(expunged)), it.leave_open(collect(expunged))
    assert not second.contents_dropped
    it.commit(first)
    it.commit(second)
    emptied(it)
    expunged = it.expunged()
    first = it.leave_open(collect(expunged))
    assert it.refused(undelete(expunged)) == ""
    it.commit(first)
    assert not it.found().mails


def test_very_many_lie_in_rows_of_which_each_is_taken_for_itself() -> None:
    it = emptied(with_messages(*[message() for _ in range(EXPUNGED_ENTRIES + 1)]))
    first, second = it.expunged()
    assert it.ask(undelete([second])).result.undeleted == 1
    it.ask(collect([first]))
    assert len(it.found().mails) == 1


def test_an_expunged_row_that_cannot_be_read_is_dropped_and_its_mails_stay() -> None:
    it = emptied(with_messages(message()))
    (key,) = it.expunged()
    it.shard.write([(Family.STATE, keys.state(asks.ACCOUNT, Kind.EXPUNGED, key), b"\xff")], sync=True)
    assert it.refused(undelete([key])) == ""
    change = it.ask(collect([key]))
    assert not it.expunged() and not change.contents_dropped


# -- when its time is over

Work = Callable[[Accounts, Collecting, Ticking, Shard], Awaitable[None]]
KEPT = 1000 * 1_000_000


def run(path: Path, work: Work) -> None:
    """Over a shard on disk; what was expunged is kept for a thousand seconds."""
    limits = replace(Limits(), expunged_kept_seconds=1000, collected_entries=3, collected_rows_max=2)
    shard = open_shard(path / "shard", limits.shard_memory_octets_min, bytes(16))
    clock = Ticking()
    failures: list[OSError] = []

    async def body(writer: ThreadPoolExecutor, loads: ThreadPoolExecutor) -> None:
        partitions = Partitions(shard, writer, limits, failures.append)
        accounts = Accounts(shard, partitions, loads, clock, limits, Quotas({}))
        opened = await accounts.open(asks.ACCOUNT)
        if not (await opened.mailboxes()).rows:
            await opened.apply(intent(asks.create("Work")))
        await work(accounts, Collecting(shard, accounts, loads, clock, limits), clock, shard)
        await partitions.idle()

    with ThreadPoolExecutor(1) as writer, ThreadPoolExecutor(2) as loads:
        asyncio.run(body(writer, loads))
    assert not failures
    check(shard, asks.ACCOUNT)
    shard.close()


async def came_and_went(opened: Account, count: int, mailbox: int = 1) -> None:
    for _ in range(count):
        await opened.apply(intent(add(message(mailbox))))
        await opened.apply(intent(expunge(mailbox, ALL, whatever_flags=True)))


def mails(shard: Shard) -> int:
    return len(list(shard.scan(Family.MAIL, b"", keys.END)))


def test_each_goes_when_its_time_is_over_and_not_before_also_after_a_restart(tmp_path: Path) -> None:
    async def fill(accounts: Accounts, collecting: Collecting, clock: Ticking, shard: Shard) -> None:
        opened = await accounts.open(asks.ACCOUNT)
        await came_and_went(opened, 5)
        clock._now += KEPT // 2
        await came_and_went(opened, 2)
        assert await collecting.collect() == 0 and mails(shard) == 7

    async def later(accounts: Accounts, collecting: Collecting, clock: Ticking, shard: Shard) -> None:
        clock._now += KEPT + 1000
        assert await collecting.collect() == 3 and mails(shard) == 2  # two rows a change
        assert await collecting.collect() == 0
        clock._now += KEPT // 2
        assert await collecting.collect() == 1 and mails(shard) == 0
        assert accounts.dues.next_time(Due.EXPUNGED) is None
        await came_and_went(await accounts.open(asks.ACCOUNT), 1)
        assert accounts.dues.next_time(Due.EXPUNGED) is not None

    run(tmp_path, fill)
    run(tmp_path, later)


def test_what_is_brought_back_is_not_collected_any_more(tmp_path: Path) -> None:
    async def work(accounts: Accounts, collecting: Collecting, clock: Ticking, shard: Shard) -> None:
        opened = await accounts.open(asks.ACCOUNT)
        began = clock.now_microseconds()
        await came_and_went(opened, 2)
        middle = clock.now_microseconds()
        await came_and_went(opened, 2)
        await came_and_went(opened, 3, mailbox=2)
        assert [gone.messages for gone in await opened.expunged()] == [1] * 7
        assert await bring_back(opened, "inbox", middle, 1) == 2
        assert await bring_back(opened, "Work", 0, 2) == 3
        assert await bring_back(opened, "Nowhere", 0, 2) == 0
        clock._now += KEPT * 2
        await collecting.collect()
        assert mails(shard) == 5
        assert await bring_back(opened, "", began, 9) == 0

    run(tmp_path, work)


class Failing(LocalAccount):
    __slots__ = ()

    async def apply(self, intent: Intent) -> Result:
        raise ValueError("our own mistake")


def test_one_account_that_cannot_be_read_holds_up_no_other(tmp_path: Path) -> None:
    async def work(accounts: Accounts, collecting: Collecting, clock: Ticking, shard: Shard) -> None:
        other = await accounts.open(asks.ACCOUNT - 1)
        await other.apply(intent(asks.create()))
        for opened in (other, await accounts.open(asks.ACCOUNT)):
            await came_and_went(opened, 1)

        other.__class__ = Failing
        clock._now += KEPT * 2
        assert await collecting.collect() == 1 and mails(shard) == 1
        assert accounts.dues.next_time(Due.EXPUNGED) is not None, "the next pass tries again"

    run(tmp_path, work)


def test_the_rows_of_an_emptied_account_are_as_before_it_had_mail(tmp_path: Path) -> None:
    async def work(accounts: Accounts, collecting: Collecting, clock: Ticking, shard: Shard) -> None:
        def rows() -> set[tuple[str, bytes]]:
            kinds = (Kind.TOUCHED, Kind.RESULT, Kind.MSGID)
            found = [(family, key) for family in FAMILIES for key, _ in shard.scan(family, b"", keys.END)]
            return {each for each in found if each[0] != Family.STATE or keys.kind_of(each[1]) not in kinds}

        before = rows()
        await came_and_went(await accounts.open(asks.ACCOUNT), 4)
        assert rows() > before
        clock._now += KEPT * 2
        await collecting.collect()
        assert rows() == before

    run(tmp_path, work)


@pytest.mark.parametrize("error", [NotKnown(), Unavailable("too few copies")])
def test_what_cannot_be_collected_now_is_collected_later(tmp_path: Path, error: Exception) -> None:
    async def work(accounts: Accounts, collecting: Collecting, clock: Ticking, shard: Shard) -> None:
        other = asks.ACCOUNT + 1
        await (await accounts.open(other)).apply(intent(asks.create()))
        for each in (asks.ACCOUNT, other):
            await came_and_went(await accounts.open(each), 1)
        clock._now += KEPT + 1000
        open_ = accounts.open

        async def fails(account: int) -> Account:
            if account == asks.ACCOUNT:
                raise error
            return await open_(account)

        accounts.open = fails  # type: ignore[method-assign]
        assert await collecting.collect() == 1
        accounts.open = open_  # type: ignore[method-assign]
        assert await collecting.collect() == 1

    run(tmp_path, work)
