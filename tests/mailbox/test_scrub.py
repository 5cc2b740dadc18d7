"""What the scrub finds, and what it does not take for a fault."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path

import pytest

from mailnode.bookmark import Bookmark
from mailnode.limits import Limits
from mailnode.mailbox.rows import SEEN
from mailnode.mailbox.scrub import Pass, Scrub
from mailnode.pb.change_pb2 import Add, Copy, Expunge, Intent, Store, UidRange
from mailnode.pb.row_pb2 import MailboxRow
from mailnode.store import keys
from mailnode.store.damage import MARK
from mailnode.store.keys import Blob, Family, Kind
from mailnode.store.shard import RocksShard, open_shard
from tests.mailbox.house import ACCOUNT, Ticking, add, create, opened
from tests.store.damaging import flip, flush, where

MEMORY_OCTETS = 16 * 1024 * 1024
LIMITS = replace(Limits(), scrub_octets_a_second=1 << 40)
STATE = Family.STATE
FORMS = b"()\0()\0()\0"


def message(number: int) -> Add.Message:
    whole = add("INBOX", b"%d@x" % number, flags=SEEN if number % 2 else 0)
    whole.forms = FORMS
    whole.head = whole.octets[: whole.mail.header]
    whole.mail.checksum = blake2b(whole.octets, digest_size=16).digest()
    return whole


@pytest.fixture
def shard(tmp_path: Path) -> Iterator[RocksShard]:
    made = open_shard(tmp_path / "shard", MEMORY_OCTETS, b"incarnation-1234")
    asyncio.run(_filled(made))
    yield made
    made.close()


async def _filled(shard: RocksShard) -> None:
    """Ten messages, one expunged, one in two mailboxes, some with flags."""
    with opened(shard, Ticking()) as (accounts, _):
        account = await accounts.open(ACCOUNT)
        await account.apply(create())
        await account.apply(Intent(add=Add(messages=[message(number) for number in range(10)])))
        uids = [UidRange(first=3, last=3)]
        await account.apply(Intent(expunge=Expunge(mailbox=1, uids=uids, whatever_flags=True)))
        uids = [UidRange(first=4, last=5)]
        await account.apply(Intent(copy=Copy(mailbox=1, uids=uids, target=2)))
        await account.apply(Intent(store=Store(mailbox=1, uids=uids, mode=Store.ADD, flags=4)))


def test_a_fault_makes_its_partition_suspect(shard: RocksShard, tmp_path: Path) -> None:
    suspects: list[int] = []

    async def whole() -> None:
        with ThreadPoolExecutor(1) as pool:
            scrub = Scrub(shard, pool, Ticking(), LIMITS, tmp_path / "scrub.json", suspects.append)
            scrub.begin()
            await scrub.go_on()

    asyncio.run(whole())
    assert suspects == []
    shard.write([(STATE, keys.mailbox(ACCOUNT, 2), b"\xff\xff")], sync=False)
    asyncio.run(whole())
    assert suspects == [keys.partition(ACCOUNT)]


def scrubbed(shard: RocksShard, file: Path) -> Pass:
    async def whole() -> Pass:
        with ThreadPoolExecutor(1) as pool:
            scrub = Scrub(shard, pool, Ticking(), LIMITS, file)
            scrub.begin()
            return await scrub.go_on()

    return asyncio.run(whole())


def faults(shard: RocksShard, tmp_path: Path) -> set[tuple[str, str]]:
    """Family and what is wrong."""
    return {(fault.family, fault.what) for fault in scrubbed(shard, tmp_path / "scrub.json").faults}


def mails(shard: RocksShard) -> list[int]:
    start = keys.account_id(ACCOUNT)
    return [keys.mail_of(key) for key, _ in shard.scan(Family.MAIL, start, keys.after(start))]


def test_a_sound_account_has_no_faults(shard: RocksShard, tmp_path: Path) -> None:
    going = scrubbed(shard, tmp_path / "scrub.json")
    assert (going.fault_count, going.faults) == (0, [])
    assert going.mails == 10 and going.octets > 10 * 48 and going.finished


@pytest.mark.parametrize(
    ("family", "what"),
    [
        (Family.BLOB, "its octets are not those of its checksum"),
        (Family.HEAD, "its head is not the begin of its octets"),
        (Family.FORM, "its forms are missing, or not what was written"),
    ],
)
def test_what_is_not_what_was_written_is_found(
    shard: RocksShard, tmp_path: Path, family: str, what: str
) -> None:
    mail = mails(shard)[5]
    key = keys.blob(ACCOUNT, Blob.MAIL, mail, 0) if family == Family.BLOB else keys.mail(ACCOUNT, mail)
    value = shard.get(family, key)
    assert value is not None
    shard.write([(family, key, bytes(len(value)))], sync=False)
    assert faults(shard, tmp_path) == {(Family.MAIL, what)}


def test_what_is_missing_is_found(shard: RocksShard, tmp_path: Path) -> None:
    first, second, third = mails(shard)[5:8]
    shard.write(
        [
            (Family.BLOB, keys.blob(ACCOUNT, Blob.MAIL, first, 0), None),
            (Family.MAIL, keys.mail(ACCOUNT, second), None),
            (STATE, keys.place(ACCOUNT, third, 1, 8), None),
            (STATE, keys.entry(ACCOUNT, 1, 10), None),
        ],
        sync=False,
    )
    found = faults(shard, tmp_path)
    assert (Family.MAIL, "it has 0 octets, not 27") in found
    assert (STATE, "its mail is missing") in found
    assert (STATE, f"no place of the mail {third}") in found
    assert (STATE, "its entry is missing") in found
    assert (STATE, "messages is 9, and 8 by its entries") in found


def test_counters_that_differ_from_the_entries_are_found(shard: RocksShard, tmp_path: Path) -> None:
    key = keys.mailbox(ACCOUNT, 1)
    row = MailboxRow.FromString(shard.get(STATE, key) or b"")
    row.unseen, row.uid_next, row.highest_modseq = 99, 5, 1
    shard.write([(STATE, key, row.SerializeToString())], sync=False)
    found = {what.split(",")[0] for _, what in faults(shard, tmp_path)}
    assert found == {"unseen is 99", "UIDNEXT is 5", "HIGHESTMODSEQ is 1"}


def test_rows_that_cannot_be_parsed_are_found_with_account_and_key(shard: RocksShard, tmp_path: Path) -> None:
    bad = [
        keys.state(ACCOUNT, Kind.ACCOUNT),
        keys.mailbox(ACCOUNT, 2),
        keys.entry(ACCOUNT, 1, 7),
        keys.touched(ACCOUNT, 2),
        keys.state(ACCOUNT, Kind.CREDENTIAL),
    ]
    shard.write([(STATE, key, b"\xff\xff") for key in bad], sync=False)
    found = scrubbed(shard, tmp_path / "scrub.json").faults
    assert {key.hex() for key in bad} <= {fault.key for fault in found}
    assert {fault.account for fault in found} == {f"{ACCOUNT:016x}"}


def test_a_blob_that_the_disk_changed_is_found_and_a_sound_shard_is_healed(tmp_path: Path) -> None:
    path = tmp_path / "other"
    shard = open_shard(path, MEMORY_OCTETS, b"incarnation-1234")
    octets = b"\r\n" + bytes(range(256)) * 100

    async def fill() -> None:
        with opened(shard, Ticking()) as (accounts, _):
            account = await accounts.open(ACCOUNT)
            await account.apply(create())
            whole = message(1)
            whole.octets, whole.head = octets, b"\r\n"
            whole.mail.size, whole.mail.header = len(octets), 2
            whole.mail.checksum = blake2b(octets, digest_size=16).digest()
            await account.apply(Intent(add=Add(messages=[whole])))

    asyncio.run(fill())
    flush(shard)
    [mail] = mails(shard)
    shard.close()
    file, at = where(path, keys.blob(ACCOUNT, Blob.MAIL, mail, 0), ".blob")
    flip(file, at + 30)
    shard = open_shard(path, MEMORY_OCTETS, b"incarnation-1234")
    [(family, what)] = faults(shard, tmp_path)
    assert family == Family.MAIL and what.startswith("its octets are not readable: Corruption")
    assert (path / MARK).exists()
    shard.close()
    flip(file, at + 30)
    shard = open_shard(path, MEMORY_OCTETS, b"incarnation-1234")
    assert faults(shard, tmp_path) == set()
    assert not (path / MARK).exists()
    shard.close()


def test_a_scrub_goes_on_where_the_last_run_of_the_node_was(shard: RocksShard, tmp_path: Path) -> None:
    file = tmp_path / "scrub.json"
    started = scrubbed(shard, file)
    assert started.finished

    async def later(following: int) -> Pass:
        with ThreadPoolExecutor(1) as pool:
            scrub = Scrub(shard, pool, Ticking(), LIMITS, file)
            assert scrub.last.finished == started.finished and not scrub.is_running
            scrub.now = Pass(started=1, following=following, mails=7)
            Bookmark(file, Ticking()).keep_at_once(scrub.now)
            again = Scrub(shard, pool, Ticking(), LIMITS, file)
            assert again.is_running
            return await again.go_on()

    assert asyncio.run(later(ACCOUNT + 1)).mails == 7, "the account was done already"
    file.write_text("{")
    assert scrubbed(shard, file).mails == 10


def test_changes_that_go_on_meanwhile_are_no_faults(
    shard: RocksShard, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)

    async def both() -> Pass:
        with opened(shard, Ticking()) as (accounts, _), ThreadPoolExecutor(1) as pool:
            scrub = Scrub(shard, pool, Ticking(), LIMITS, tmp_path / "scrub.json")
            scrub.begin()
            going = asyncio.create_task(scrub.go_on())
            account = await accounts.open(ACCOUNT)
            number = 100
            while not going.done():
                result = await account.apply(Intent(add=Add(messages=[message(number)])))
                uid = result.added[0].uid
                gone = Expunge(mailbox=1, uids=[UidRange(first=uid - 1, last=uid - 1)], whatever_flags=True)
                await account.apply(Intent(expunge=gone))
                number += 1
            return await going

    assert asyncio.run(both()).faults == []
