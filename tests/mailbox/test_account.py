"""An account: what is decided, what is committed, what readers see, what survives."""

import asyncio
import random
from collections.abc import Awaitable, Callable

import pytest

from mailnode.mailbox.rows import DELETED, FLAGGED, FLAGS, MAIL, SEEN
from mailnode.mailbox.verbs import ALL_UIDS, Account, NotKnown, Resync, Want
from mailnode.pb.change_pb2 import (
    Add,
    Copy,
    CreateMailbox,
    DeleteMailbox,
    Expunge,
    Intent,
    RenameMailbox,
    Store,
    Subscribe,
    UidRange,
)
from mailnode.store import keys
from mailnode.store.keys import Family, Kind
from mailnode.store.shard import Shard
from tests.mailbox.house import ACCOUNT, Ticking, add, create, images, opened
from tests.store.faulty_shard import Fate, FaultyShard, Step

EVERY = [UidRange(first=1, last=0xFFFFFFFF)]
INBOX, ONE, TWO = 1, 2, 3


def run(test: Callable[[Account], Awaitable[None]], shard: Shard | None = None) -> None:
    async def body() -> None:
        with opened(shard or FaultyShard(), Ticking()) as (accounts, _):
            account = await accounts.open(ACCOUNT)
            await account.apply(create())
            await test(account)

    asyncio.run(body())


async def fill(account: Account, count: int, name: str = "INBOX") -> None:
    await account.apply(Intent(add=Add(messages=[add(name, b"m%d" % n) for n in range(count)])))


async def flags(account: Account, mailbox: int = INBOX) -> dict[int, int]:
    return {uid: image[FLAGS] for uid, image in (await images(account, mailbox)).items()}


def test_messages_get_uids_in_order_and_counters_follow() -> None:
    async def test(account: Account) -> None:
        messages = [add("inbox", b"a"), add("One", b"b", SEEN), add("INBOX", b"c", DELETED)]
        result = await account.apply(Intent(add=Add(messages=messages)))
        assert [(a.mailbox, a.uid) for a in result.added] == [(INBOX, 1), (ONE, 1), (INBOX, 2)]
        rows = (await account.mailboxes()).rows
        assert (rows[INBOX].messages, rows[INBOX].unseen, rows[INBOX].deleted) == (2, 2, 1)
        assert (rows[ONE].messages, rows[ONE].unseen, rows[ONE].uid_next) == (1, 0, 2)
        async for found in account.messages(ONE, ALL_UIDS, Want.MAILS | Want.HEADS | Want.OCTETS):
            assert found.heads == [b"Message-ID: <b>\r\n\r\n"]
            assert found.octets == [b"Message-ID: <b>\r\n\r\nbody\r\n"]

    run(test)


def test_an_unknown_mailbox_refuses_all_messages_or_inbox_stands_in() -> None:
    async def test(account: Account) -> None:
        messages = [add("INBOX", b"a"), add("Nowhere", b"b")]
        assert (await account.apply(Intent(add=Add(messages=messages)))).refused == "TRYCREATE"
        assert (await account.mailboxes()).rows[INBOX].messages == 0
        messages[1].inbox_stands_in = True
        assert len((await account.apply(Intent(add=Add(messages=messages)))).added) == 2

    run(test)


def test_store_adds_removes_and_replaces_and_says_nothing_when_nothing_changes() -> None:
    async def test(account: Account) -> None:
        await fill(account, 3)
        some = [UidRange(first=2, last=9)]

        async def store(mode: Store.Mode, bits: int, *keywords: str) -> int:
            ask = Store(mailbox=INBOX, uids=some, mode=mode, flags=bits, keywords=keywords)
            return (await account.apply(Intent(store=ask))).position

        first = await store(Store.ADD, SEEN, "$Junk")
        assert await store(Store.ADD, SEEN, "$junk") == first
        assert (await account.mailboxes()).rows[INBOX].keywords == ["$Junk"]
        assert list((await flags(account)).values()) == [0, SEEN | 32, SEEN | 32]
        await store(Store.REPLACE, FLAGGED)
        assert list((await flags(account)).values()) == [0, FLAGGED, FLAGGED]
        await store(Store.REMOVE, FLAGGED)
        assert list((await flags(account)).values()) == [0, 0, 0]

    run(test)


def test_a_keyword_without_a_bit_is_refused_until_one_is_free_and_a_copy_never_fails() -> None:
    async def test(account: Account) -> None:
        await fill(account, 1)
        names = [f"k{n}" for n in range(58)]

        async def store(mode: Store.Mode, *keywords: str) -> str:
            ask = Store(mailbox=INBOX, uids=EVERY, mode=mode, keywords=keywords)
            return (await account.apply(Intent(store=ask))).refused

        assert await store(Store.ADD, *names) == ""
        assert await store(Store.ADD, "one-more") == "LIMIT"
        await account.apply(Intent(add=Add(messages=[add("One", b"x", 0, ("elsewhere",))])))
        copy = Copy(mailbox=ONE, uids=EVERY, target=INBOX)
        assert (await account.apply(Intent(copy=copy))).refused == ""
        async for found in account.messages(INBOX, ALL_UIDS, Want.ENTRIES):
            assert list(found.overflow[2].names) == ["elsewhere"]
        assert await store(Store.REMOVE, "k7", "ELSEWHERE") == ""
        assert await store(Store.ADD, "one-more") == ""

    run(test)


def test_copy_keeps_the_mail_and_move_takes_it_away_in_the_same_change() -> None:
    async def test(account: Account) -> None:
        await fill(account, 5)
        before = await images(account, INBOX)
        copied = await account.apply(Intent(copy=Copy(mailbox=INBOX, uids=EVERY, target=ONE)))
        assert [(r.first, r.last) for r in copied.copied.target] == [(1, 5)]
        ask = Copy(mailbox=INBOX, uids=[UidRange(first=2, last=3)], target=TWO, move=True)
        moved = await account.apply(Intent(copy=ask))
        assert [(r.first, r.last) for r in moved.expunged] == [(2, 3)]
        assert sorted(await images(account, INBOX)) == [1, 4, 5]
        assert [i[MAIL] for i in (await images(account, TWO)).values()] == [before[2][MAIL], before[3][MAIL]]
        assert [i[MAIL] for i in (await images(account, ONE)).values()] == [i[MAIL] for i in before.values()]

    run(test)


def test_expunge_takes_only_what_is_deleted_unless_told_otherwise() -> None:
    async def test(account: Account) -> None:
        await fill(account, 4)
        mark = Store(mailbox=INBOX, uids=[UidRange(first=1, last=2)], mode=Store.ADD, flags=DELETED)
        await account.apply(Intent(store=mark))
        await account.apply(Intent(expunge=Expunge(mailbox=INBOX, uids=[UidRange(first=2, last=4)])))
        assert sorted(await images(account, INBOX)) == [1, 3, 4]
        ask = Expunge(mailbox=INBOX, uids=[UidRange(first=4, last=4)], whatever_flags=True)
        await account.apply(Intent(expunge=ask))
        assert sorted(await images(account, INBOX)) == [1, 3]
        row = (await account.mailboxes()).rows[INBOX]
        assert (row.messages, row.deleted, row.uid_next) == (2, 1, 5)

    run(test)


def test_the_tree_of_mailboxes_is_made_renamed_and_deleted() -> None:
    async def test(account: Account) -> None:
        async def names() -> list[str]:
            return list((await account.mailboxes()).names)

        made = await account.apply(Intent(create_mailbox=CreateMailbox(name="a/b/c")))
        assert (await names())[-3:] == ["a", "a/b", "a/b/c"]
        for wrong, why in (("a", "ALREADYEXISTS"), ("inbox", "ALREADYEXISTS"), ("x//y", "CANNOT")):
            refused = await account.apply(Intent(create_mailbox=CreateMailbox(name=wrong)))
            assert refused.refused == why
        a = (await account.mailboxes()).names["a"]
        rename = RenameMailbox(mailbox=a, name="a/b/d")
        assert (await account.apply(Intent(rename_mailbox=rename))).refused == "CANNOT"
        await account.apply(Intent(rename_mailbox=RenameMailbox(mailbox=a, name="z")))
        assert (await names())[-3:] == ["z", "z/b", "z/b/c"]
        await account.apply(Intent(delete_mailbox=DeleteMailbox(mailbox=a)))
        rows = (await account.mailboxes()).rows
        assert rows[a].noselect
        again = await account.apply(Intent(delete_mailbox=DeleteMailbox(mailbox=a)))
        assert again.refused == "HASCHILDREN"
        await account.apply(Intent(delete_mailbox=DeleteMailbox(mailbox=made.mailbox)))
        assert (await names())[-2:] == ["z", "z/b"]
        assert (await account.apply(Intent(delete_mailbox=DeleteMailbox(mailbox=INBOX)))).refused == "CANNOT"

    run(test)


def test_renaming_inbox_moves_its_messages_and_keeps_the_row() -> None:
    async def test(account: Account) -> None:
        await fill(account, 3)
        before = (await account.mailboxes()).rows[INBOX]
        await account.apply(Intent(rename_mailbox=RenameMailbox(mailbox=INBOX, name="old/mail")))
        mailboxes = await account.mailboxes()
        inbox, old = mailboxes.rows[INBOX], mailboxes.named("old/mail")
        assert old is not None
        assert (inbox.messages, inbox.uid_validity, inbox.uid_next) == (0, before.uid_validity, 4)
        assert (old.messages, sorted(await images(account, old.mailbox))) == (3, [1, 2, 3])

    run(test)


def test_a_subscription_outlives_its_mailbox() -> None:
    async def test(account: Account) -> None:
        await account.apply(Intent(subscribe=Subscribe(name="gone", subscribed=True)))
        assert "gone" in (await account.mailboxes()).subscribed
        await account.apply(Intent(subscribe=Subscribe(name="gone", subscribed=False)))
        assert "gone" not in (await account.mailboxes()).subscribed

    run(test)


def test_a_watch_gives_the_difference_then_what_comes_and_nothing_twice() -> None:
    async def test(account: Account) -> None:
        await fill(account, 2)
        await fill(account, 1, "One")
        watch = await account.watch(0, INBOX)
        await fill(account, 1)
        await watch.wait()
        created = [(t.position, r.first, r.last) for t in watch.pending() for r in t.mailboxes[0].created]
        assert [(first, last) for _, first, last in created if first] == [(1, 2), (3, 3)]
        assert watch.pending() == []

    run(test)


def test_a_reader_too_far_behind_must_read_anew() -> None:
    async def test(account: Account) -> None:
        watch = await account.watch((await account.mailboxes()).position, INBOX)
        for _ in range(1001):
            await fill(account, 1)
        with pytest.raises(Resync):
            watch.pending()
        assert watch.pending() == []

    run(test)


def test_recent_is_claimed_once() -> None:
    async def test(account: Account) -> None:
        await fill(account, 2)
        assert [await account.claim_recent(INBOX) for _ in range(2)] == [(1, 3), (3, 3)]
        await fill(account, 1)
        assert [await account.claim_recent(INBOX) for _ in range(2)] == [(3, 4), (4, 4)]

    run(test)


def test_a_retry_of_the_same_intent_is_never_done_twice() -> None:
    async def test(account: Account) -> None:
        intent = Intent(id=b"0123456789abcdef", add=Add(messages=[add("INBOX", b"m")]))
        under_way = asyncio.ensure_future(account.apply(intent))
        await asyncio.sleep(0)
        retry = Intent(id=intent.id, retry=True, add=intent.add)
        results = [await account.apply(retry), await under_way, await account.apply(retry)]
        assert [r.added[0].uid for r in results] == [1, 1, 1]
        assert (await account.mailboxes()).rows[INBOX].messages == 1

    run(test)


# -- the disk that forgets ---------------------------------------------------------------------------------


async def _client(account: Account, number: int, choice: random.Random, acknowledged: set[bytes]) -> None:
    """Deliver, flag, copy and expunge until the disk fails; what was acknowledged is written down."""
    for count in range(40):
        message_id = b"%d.%d" % (number, count)
        try:
            await account.apply(
                Intent(id=message_id.rjust(16, b"\0"), add=Add(messages=[add("INBOX", message_id)]))
            )
            acknowledged.add(message_id)
            uids = [UidRange(first=choice.randint(1, 40), last=60)]
            await choice.choice(
                [
                    lambda u=uids: account.apply(Intent(store=Store(mailbox=1, uids=u, mode=1, flags=SEEN))),
                    lambda u=uids: account.apply(Intent(copy=Copy(mailbox=1, uids=u, target=ONE))),
                ]
            )()
        except NotKnown:
            return


async def _checked(account: Account, shard: FaultyShard) -> dict[bytes, int]:
    """Counters and place rows agree with the entries; Message-ID -> UID of INBOX."""
    placed = 0
    for mailbox, row in (await account.mailboxes()).rows.items():
        found = await images(account, mailbox)
        placed += len(found)
        unseen = sum(not image[FLAGS] & SEEN for image in found.values())
        assert (row.messages, row.unseen) == (len(found), unseen)
        assert row.uid_next > max(found, default=0)
    places = keys.state(ACCOUNT, Kind.PLACE)
    assert placed == len(list(shard.scan(Family.STATE, places, keys.after(places))))
    ids: dict[bytes, int] = {}
    async for run_ in account.messages(INBOX, ALL_UIDS, Want.MAILS):
        for uid, mail in zip(run_.uids, run_.mails, strict=False):
            assert mail.message_id not in ids, "delivered twice"
            ids[mail.message_id] = uid
    return ids


def _failing(writes: int) -> Callable[[Step], Fate]:
    """After so many writes every sync fails."""
    left = writes

    def plan(step: Step) -> Fate:
        nonlocal left
        left -= step is Step.BEFORE_SYNC
        return Fate.FAIL if left <= 0 and step is Step.BEFORE_SYNC else Fate.GO_ON

    return plan


@pytest.mark.parametrize("seed", range(25))
def test_no_acknowledged_change_is_lost_whatever_the_disk_forgets(seed: int) -> None:
    choice = random.Random(seed)

    async def lifetime(shard: FaultyShard, writes: int, number: int, seen: dict[bytes, int]) -> FaultyShard:
        acknowledged: set[bytes] = set()
        with opened(shard, Ticking(1_700_000_000_000_000 + number)) as (accounts, failures):
            account = await accounts.open(ACCOUNT)
            if not number:
                await account.apply(create())
            before = await _checked(account, shard)
            assert all(before[message_id] == uid for message_id, uid in seen.items())
            shard.plan = _failing(writes)
            clients = [_client(account, number * 10 + n, choice, acknowledged) for n in range(4)]
            await asyncio.gather(*clients)
            after = await _checked(account, shard) if not failures else before
        seen |= {m: uid for m, uid in after.items() if m in acknowledged or m in before}
        survived = shard.reopen(choice.randint(0, shard.unsynced))
        with opened(survived, Ticking()) as (accounts, _):
            left = await _checked(await accounts.open(ACCOUNT), survived)
        assert acknowledged <= left.keys()
        seen |= left
        return survived

    async def lives() -> None:
        shard = FaultyShard()
        seen: dict[bytes, int] = {}
        for number in range(3):
            shard = await lifetime(shard, choice.randint(3, 60), number, seen)

    asyncio.run(lives())
