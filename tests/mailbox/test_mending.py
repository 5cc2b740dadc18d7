"""Rows that were damaged, in a real shard: the account goes on, and nothing comes to mean something else."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mailnode.cluster import whole
from mailnode.mailbox.appended import replay
from mailnode.mailbox.mending import POSITION_GAP
from mailnode.mailbox.orphans import sweep
from mailnode.mailbox.reads import Reads
from mailnode.mailbox.rows import SEEN
from mailnode.mailbox.verbs import ALL_UIDS, Account, Expunged, Mailboxes, Messages, Resync, Want
from mailnode.pb.account_pb2 import SearchKey
from mailnode.pb.change_pb2 import Add, Expunge, Intent, Store, UidRange, Upload
from mailnode.pb.row_pb2 import DirectoryRow
from mailnode.store import keys
from mailnode.store.damage import Told, told
from mailnode.store.keys import Family, Kind
from mailnode.store.shard import RocksShard, open_shard
from tests.mailbox.house import ACCOUNT, Ticking, add, create, opened
from tests.store.damaging import flip, flush, table

MEMORY_OCTETS = 16 * 1024 * 1024
BAD = b"\xff\xff"
"""No message of protobuf."""


@pytest.fixture
def shard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RocksShard]:
    """With an account of two mailboxes; INBOX has 20 messages, two of them seen."""
    monkeypatch.setattr(told, "_keys", set())
    shard = open_shard(tmp_path / "shard", MEMORY_OCTETS, b"incarnation-1234")

    async def fill(account: Account) -> None:
        await account.apply(create())
        messages = [
            add("INBOX", b"%d@x" % number, flags=SEEN if number < 2 else 0, keywords=("$Work",))
            for number in range(20)
        ]
        await account.apply(Intent(add=Add(messages=messages)))

    run(shard, fill)
    yield shard
    shard.close()


def run(shard: RocksShard, scenario: Any) -> Any:
    """In an account that is opened anew."""

    async def whole_scenario() -> Any:
        with opened(shard, Ticking()) as (accounts, failures):
            account = await accounts.open(ACCOUNT)
            result = await scenario(account)
            assert not failures
            return result

    return asyncio.run(whole_scenario())


def spoil(shard: RocksShard, key: bytes, family: str = Family.STATE, value: bytes = BAD) -> None:
    shard.write([(family, key, value)], sync=True)


async def read(account: Account, mailbox: int, want: Want) -> list[Messages]:
    return [run async for run in account.messages(mailbox, ALL_UIDS, want)]


async def list_of(account: Account) -> Mailboxes:
    return await account.mailboxes()


def ids(shard: RocksShard) -> list[int]:
    start = keys.account_id(ACCOUNT)
    return [keys.mail_of(key) for key, _ in shard.scan(Family.MAIL, start, keys.after(start))]


@pytest.mark.parametrize("family", [Family.MAIL, Family.HEAD, Family.BLOB])
def test_of_many_messages_the_one_that_is_damaged_is_left_out_and_reported_once(
    shard: RocksShard, family: str, caplog: pytest.LogCaptureFixture
) -> None:
    bad = ids(shard)[7]
    if family == Family.MAIL:
        spoil(shard, keys.mail(ACCOUNT, bad), family)
    else:
        blob = keys.blob(ACCOUNT, keys.Blob.MAIL, bad, 0)
        key = blob if family == Family.BLOB else keys.mail(ACCOUNT, bad)
        shard.write([(family, key, None)], sync=True)

    async def scenario(account: Account) -> list[list[int]]:
        every = [await read(account, 1, want) for want in (Want.MAILS, Want.HEADS, Want.OCTETS) * 2]
        with pytest.raises(Expunged):
            if family == Family.HEAD:
                raise Expunged
            assert [part async for part in account.octets(bad, 0, 10)]
        return [[uid for run in runs for uid in run.uids] for runs in every]

    mails, heads, octets, *again = run(shard, scenario)
    whole_box, without = list(range(1, 21)), [uid for uid in range(1, 21) if uid != 8]
    assert mails == (without if family == Family.MAIL else whole_box)
    assert heads == (without if family == Family.HEAD else whole_box)
    assert octets == (without if family == Family.BLOB else whole_box)
    assert again == [mails, heads, octets]
    spoken = [r for r in caplog.records if getattr(r, "key", "") == keys.mail(ACCOUNT, bad).hex()]
    assert len(spoken) == 1


def test_an_entry_of_other_octets_is_left_out(shard: RocksShard) -> None:
    spoil(shard, keys.entry(ACCOUNT, 1, 5))

    async def scenario(account: Account) -> list[int]:
        uids = [uid for run in await read(account, 1, Want.ENTRIES) for uid in run.uids]
        await account.apply(
            Intent(expunge=Expunge(mailbox=1, uids=[UidRange(first=1, last=6)], whatever_flags=True))
        )
        return uids

    assert run(shard, scenario) == [uid for uid in range(1, 21) if uid != 5]


def test_a_damaged_account_row_is_made_up_far_beyond_what_was_given_out(shard: RocksShard) -> None:
    before = run(shard, list_of)
    last_mail = ids(shard)[-1]
    spoil(shard, keys.state(ACCOUNT, Kind.ACCOUNT))
    directory = keys.directory_account(keys.partition(ACCOUNT))
    listed = DirectoryRow(kind=DirectoryRow.ACCOUNT, account=ACCOUNT).SerializeToString()
    spoil(shard, keys.state(directory, Kind.DIRECTORY, b"a@b"), value=listed)
    assert Reads(shard, ACCOUNT).head().row.address == "a@b"

    async def scenario(account: Account) -> tuple[Mailboxes, int]:
        after = await account.mailboxes()
        watch = await account.watch(before.position, 0)
        with pytest.raises(Resync):
            watch.pending()
        result = await account.apply(Intent(add=Add(messages=[add("INBOX", b"new@x")])))
        assert result.added[0].uid == 21 and result.added[0].mail > last_mail
        return after, result.position

    after, position = run(shard, scenario)
    assert after.names == before.names and after.rows == before.rows
    assert position == before.position + POSITION_GAP + 1
    assert run(shard, list_of).position == position, "and it is written"


def test_a_damaged_mailbox_row_is_made_of_its_entries_under_a_new_uid_validity(shard: RocksShard) -> None:
    before = run(shard, list_of)
    for mailbox in (1, 2):
        spoil(shard, keys.mailbox(ACCOUNT, mailbox))
    after = run(shard, list_of)
    inbox, was = after.rows[1], before.rows[1]
    assert after.names["INBOX"] == 1 and after.names["Unreadable 2"] == 2
    assert set(after.names.values()) == set(before.names.values())
    assert (inbox.messages, inbox.unseen, inbox.size) == (was.messages, was.unseen, was.size)
    assert inbox.uid_validity > max(row.uid_validity for row in before.rows.values())
    assert list(inbox.keywords) == ["Unreadable0"], "a bit that is in use is nobody else's"

    async def scenario(account: Account) -> None:
        result = await account.apply(Intent(add=Add(messages=[add("INBOX", b"new@x", keywords=("$Home",))])))
        assert result.added[0].uid == 21
        store = Store(mailbox=1, uids=[UidRange(first=3, last=3)], mode=Store.ADD, flags=SEEN)
        assert not (await account.apply(Intent(store=store))).refused

    run(shard, scenario)
    assert run(shard, list_of).rows[1].messages == 21


def test_a_mailbox_below_one_that_is_lost_comes_to_the_top(shard: RocksShard) -> None:
    row = run(shard, list_of).rows[2]
    row.parent = 99
    spoil(shard, keys.mailbox(ACCOUNT, 2), value=row.SerializeToString())
    assert run(shard, list_of).names["One 2"] == 2


def test_a_reader_that_cannot_be_told_all_must_resynchronise(shard: RocksShard) -> None:
    spoil(shard, keys.touched(ACCOUNT, 2))

    async def scenario(account: Account) -> None:
        with pytest.raises(Resync):
            (await account.watch(1, 0)).pending()

    run(shard, scenario)


def test_a_message_whose_relative_is_damaged_comes_in_all_the_same(shard: RocksShard) -> None:
    start = keys.state(ACCOUNT, Kind.MSGID)
    for key, _ in list(shard.scan(Family.STATE, start, keys.after(start))):
        spoil(shard, key, value=b"x" * 300)

    async def scenario(account: Account) -> None:
        message = add("INBOX", b"new@x")
        message.references.append(b"3@x")
        assert not (await account.apply(Intent(add=Add(messages=[message])))).refused

    run(shard, scenario)


def test_what_stands_at_the_start_of_a_node_never_stops_it(shard: RocksShard) -> None:
    """Rows that are read before anything is served: due rows, the log, what was applied."""
    spoil(shard, b"\x01\x02", Family.DUE)
    spoil(shard, keys.log(keys.partition(ACCOUNT), 3), Family.LOG)
    spoil(shard, keys.applied(keys.partition(ACCOUNT)))
    assert whole.finish(shard, replay, 100) == 0
    assert not list(shard.scan(Family.LOG, b"", keys.END))
    sweep(shard, 1 << 60)

    async def scenario(account: Account) -> None:
        await account.apply(Intent(add=Add(messages=[add("INBOX", b"new@x")])))

    run(shard, scenario)


def test_a_block_of_entries_that_the_disk_changed_costs_the_messages_in_it(tmp_path: Path) -> None:
    path = tmp_path / "other"
    shard = open_shard(path, MEMORY_OCTETS, b"incarnation-1234")
    count = 600

    async def fill(account: Account) -> None:
        await account.apply(create())
        for start in range(0, count, 100):
            messages = [add("INBOX", b"%d@x" % number) for number in range(start, start + 100)]
            await account.apply(Intent(add=Add(messages=messages)))

    run(shard, fill)
    flush(shard)
    file = table(shard, path, keys.applied(keys.partition(ACCOUNT)))
    shard.close()
    flip(file, file.stat().st_size // 10)  # entries stand before all but a few rows
    shard = open_shard(path, MEMORY_OCTETS, b"incarnation-1234")

    async def scenario(account: Account) -> list[int]:
        uids = [uid for run in await read(account, 1, Want.ENTRIES) for uid in run.uids]
        result = await account.apply(Intent(add=Add(messages=[add("INBOX", b"new@x")])))
        assert result.added[0].uid == count + 1
        return uids

    uids = run(shard, scenario)
    missing = sorted(set(range(1, count + 1)) - set(uids))
    assert missing and len(missing) < 200
    assert missing == list(range(missing[0], missing[-1] + 1)) and uids == sorted(uids)
    shard.close()


def test_damage_is_told_once_a_key_and_never_without_end(caplog: pytest.LogCaptureFixture) -> None:
    said = Told()
    caplog.set_level(logging.ERROR)
    for _ in range(3):
        for number in range(3):
            said.tell(Family.STATE, bytes((number,)), "why")
    assert [getattr(record, "key", "") for record in caplog.records] == ["00", "01", "02"]
    for number in range(20_000):
        said.tell(Family.STATE, number.to_bytes(4, "big"), "why")
    assert len(caplog.records) == 10_000


def test_a_search_goes_on_past_a_long_message_of_which_a_part_is_lost(shard: RocksShard) -> None:
    async def scenario(account: Account) -> list[list[int]]:
        for upload in (77, 79):
            await account.apply(Intent(add=Add(messages=[await long_message(account, upload)])))
        key = SearchKey(op=SearchKey.BODY, text="needle")
        before = list(await account.search(1, key))
        shard.write([(Family.BLOB, keys.blob(ACCOUNT, keys.Blob.UPLOAD, 77, 1), None)], sync=True)
        return [before, list(await account.search(1, key))]

    assert run(shard, scenario) == [[21, 22], [22]]


async def long_message(account: Account, upload: int) -> Add.Message:
    size, chunk_octets = 600_000, 256 * 1024
    for chunk in range(3):
        octets = b"\r\nneedle" if chunk == 0 else b""
        octets = octets.ljust(min(chunk_octets, size - chunk * chunk_octets), b".")
        await account.apply(Intent(upload=Upload(upload=upload, chunk=chunk, octets=octets)))
    long = add("INBOX", b"%d@x" % upload)
    long.octets, long.head = b"", b"\r\n"
    long.mail.upload, long.mail.size, long.mail.header = upload, size, 2
    long.mail.part.body, long.mail.part.end, long.mail.part.type = 2, size, "text/plain"
    return long
