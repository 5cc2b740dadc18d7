"""An account of another node: over a real socket, over a stream that is cut, and with slow readers."""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from mailnode.cluster.hello import Nothing
from mailnode.cluster.map import Map, Peer
from mailnode.cluster.partitions import Partitions
from mailnode.cluster.peers import Peers
from mailnode.limits import Limits
from mailnode.mailbox import speak
from mailnode.mailbox.account import LocalAccount
from mailnode.mailbox.accounts import Accounts
from mailnode.mailbox.outgoing import Outgoing
from mailnode.mailbox.places import Places
from mailnode.mailbox.quota import Quotas, Usage
from mailnode.mailbox.service import Service
from mailnode.mailbox.verbs import ALL_UIDS, Account, Expunged, NotKnown, Resync, Unavailable, Want
from mailnode.pb.account_pb2 import Answer, Ask, SearchKey
from mailnode.pb.change_pb2 import Intent, Result, Trim
from mailnode.store import keys
from mailnode.store.keys import Kind
from tests.mailbox import asks
from tests.mailbox.asks import ALL, add, create, create_mailbox, expunge, intent, message, put_row, upload
from tests.mailbox.elsewhere import ASKER, OWNER, Wire, beside, led_by
from tests.mailbox.house import Ticking
from tests.store.faulty_shard import FaultyShard

LIMITS = replace(Limits(), messages_run_max=2, entries_run_max=3, reattach_seconds_max=0)


@dataclass(frozen=True)
class Nodes:
    """One account where it is, and as another node sees it."""

    local: LocalAccount
    remote: Account
    asker: Accounts
    owner: Accounts
    wire: Wire
    clock: Ticking

    async def ask(self, ask: Any, intent_id: bytes = b"") -> Any:
        return await self.local.apply(intent(ask, intent_id))


@contextmanager
def _pools() -> Iterator[tuple[ThreadPoolExecutor, ThreadPoolExecutor]]:
    with ThreadPoolExecutor(1) as writer, ThreadPoolExecutor(2) as loads:
        yield writer, loads


@asynccontextmanager
async def nodes(messages: int = 0, limits: Limits = LIMITS) -> AsyncIterator[Nodes]:
    with _pools() as (writer, loads):
        shard, clock = FaultyShard(), Ticking()
        partitions = Partitions(shard, writer, limits, lambda error: None)
        owner = Accounts(shard, partitions, loads, clock, limits, Quotas({}))
        asker, wire = beside(owner, writer, loads, clock, limits)
        local = await owner.local(asks.ACCOUNT)
        made = Nodes(local, await asker.open(asks.ACCOUNT), asker, owner, wire, clock)
        await made.ask(create("Other"))
        for number in range(messages):
            await made.ask(add(message(message_id=b"<%d@x>" % number)))
        try:
            yield made
        finally:
            assert asker._places is not None
            await asker._places.close()
            await wire.end()


async def told(watch: Any) -> list[int]:
    """The positions of what comes next, however long that takes."""
    while True:
        came = watch.pending()
        if came:
            return [touched.position for touched in came]
        await watch.wait()


# -- over a socket


class Far(Peers):
    """Of other hosts: all is said over gRPC."""

    def near(self, node: str) -> None:
        return None


@asynccontextmanager
async def over_a_socket(
    folder: Path, kind: type[Peers] = Peers
) -> AsyncIterator[tuple[LocalAccount, Account, list[Accounts]]]:
    """As `nodes`, but both listen, and each leads every second partition."""
    made: list[Accounts] = []
    ends: list[Any] = []
    with _pools() as (writer, loads):
        clock = Ticking()
        for me in (OWNER, ASKER):
            known = Map(me, everywhere=led_by(OWNER))
            for partition in range(2, keys.SLOTS, 2):
                known.put(partition, led_by(ASKER, 2))
            for each in (OWNER, ASKER):
                where = f"unix:{folder / each.node}"
                known.put_peer(Peer(each.node, "host", "", "", 1.0, each.incarnation, where))
            peers = kind(known, LIMITS)
            shard = FaultyShard()
            accounts = Accounts(
                shard, Partitions(shard, writer, LIMITS, lambda error: None), loads, clock, LIMITS, Quotas({})
            )
            places = Places(known, accounts.local, _connect(peers), clock, LIMITS)
            accounts.beside(places)
            service = Service(accounts, LIMITS)
            speak.add_to(peers, service, Nothing())
            await peers.start()
            made.append(accounts)
            ends += [places.close, peers.stop]
        local = await made[0].local(asks.ACCOUNT)
        try:
            yield local, await made[1].open(asks.ACCOUNT), made
        finally:
            for end in ends:
                await end()


def _connect(peers: Peers) -> Any:
    async def connect(node: str) -> Any:
        return await speak.connect(peers, node, beside=Nothing(), limits=LIMITS)

    return connect


@pytest.mark.parametrize("kind", (Peers, Far))
def test_every_verb_says_over_a_socket_what_it_says_on_its_node(tmp_path: Path, kind: type[Peers]) -> None:
    async def scenario() -> None:
        async with over_a_socket(tmp_path, kind) as (local, remote, _):
            assert (await remote.apply(intent(create("Other")))).refused == ""
            for number in range(7):
                flags = ("$x", f"k{number}")
                result = await remote.apply(
                    intent(add(message(message_id=b"<%d@x>" % number, keywords=flags)), b"id-%014d" % number)
                )
                assert result.added[0].uid == number + 1
            chunk = bytes(range(256)) * 1024
            for number in range(5):
                await remote.apply(intent(upload(9, number, chunk)))
            long = add(message())
            long.messages[0].mail.size, long.messages[0].mail.upload = 5 * len(chunk), 9
            long.messages[0].head, long.messages[0].octets = chunk[: long.messages[0].mail.header], b""
            mail = (await remote.apply(intent(long))).added[0].mail
            assert (
                b"".join([part async for part in remote.octets(mail, 3, 5 * len(chunk))]) == (chunk * 5)[3:]
            )
            with pytest.raises(Expunged):
                await anext(aiter(remote.octets(mail + 1, 0, 1)))
            await remote.apply(intent(expunge(1, [(2, 2)], whatever_flags=True)))
            await remote.apply(intent(put_row(Kind.CREDENTIAL, b"k", b"v")))
            await _alike(local, remote)
            with pytest.raises(KeyError):
                await anext(aiter(remote.messages(77, ALL_UIDS, Want.UIDS)))
            with pytest.raises(KeyError):
                await remote.recent(77)

    asyncio.run(scenario())


async def _alike(local: LocalAccount, remote: Account) -> None:
    everything = Want.ENTRIES | Want.FORMS | Want.MAILS | Want.HEADS | Want.OCTETS
    for want in (Want.UIDS, Want.ENTRIES, Want.MAILS, Want.FORMS | Want.HEADS, everything):
        for uids in (ALL_UIDS, ((1, 3), (5, 5))):
            runs = [run async for run in local.messages(1, uids, want)]
            assert runs and [run async for run in remote.messages(1, uids, want)] == runs
    here, there = await local.mailboxes(), await remote.mailboxes()
    assert dict(here.rows) == dict(there.rows) and list(here.names.items()) == list(there.names.items())
    assert (here.position, here.subscribed) == (there.position, there.subscribed)
    key = SearchKey(op=SearchKey.KEYWORD, text="k3")
    assert await remote.search(1, key) == await local.search(1, key) == array("I", [4])
    assert await remote.usage() == await local.usage()
    assert await remote.expunged() == await local.expunged() != []
    assert await remote.row(Kind.CREDENTIAL, b"k") == b"v"
    assert await remote.rows(Kind.CREDENTIAL, b"", b"", 9) == [(b"k", b"v")]
    assert await remote.known([b"a", b"b"]) == [False, False]
    assert await remote.unique_ids(1) == {}
    assert await remote.recent(1) == await local.recent(1) == 7
    assert await remote.claim_recent(1) == (1, 9)
    assert await remote.claim_recent(1) == (9, 9)


def test_rows_of_the_directory_come_from_all_nodes(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with over_a_socket(tmp_path) as (_, _, accounts):
            for partition in (2, 3, 500, 501):
                directory = await accounts[partition % 2].open(keys.directory_account(partition))
                await directory.apply(intent(put_row(Kind.DIRECTORY, b"%d" % partition, b"row")))
            for each in accounts:
                rows = await each.directory_rows(Kind.DIRECTORY)
                assert sorted(rows) == [(b"%d" % number, b"row") for number in (2, 3, 500, 501)]
            assert len(await accounts[0].own_directory_rows(Kind.DIRECTORY)) == 2
            # A node that is dead, and leads nothing any more, is not missed.
            assert accounts[0]._places is not None
            gone = Peer("gone", "gone", "", "", 1.0, 9, f"unix:{tmp_path / 'gone'}")
            accounts[0]._places._map.put_peer(gone)
            assert len(await accounts[0].directory_rows(Kind.DIRECTORY)) == 4

    asyncio.run(scenario())


def test_rows_of_a_directory_that_moves_meanwhile_are_asked_for_again(tmp_path: Path) -> None:
    """Who leads a partition now may have been asked before it did."""

    async def scenario() -> None:
        async with over_a_socket(tmp_path) as (_, _, accounts):
            places, asked = accounts[0]._places, 0
            assert places is not None
            each = places.each

            async def moving(node: str, ask: Ask) -> AsyncIterator[Answer]:
                nonlocal asked
                async for answer in each(node, ask):
                    yield answer
                asked += 1
                places._map.put(2, led_by(OWNER, 9))

            places.each = moving  # type: ignore[method-assign, assignment]
            await accounts[0].directory_rows(Kind.DIRECTORY)
            assert asked == 2

    asyncio.run(scenario())


def test_the_list_of_mailboxes_is_said_again_only_when_it_is_another() -> None:
    async def scenario() -> None:
        async with nodes(limits=replace(LIMITS, mailboxes_kept_max=4)) as made:
            first = await made.remote.mailboxes()
            assert await made.remote.mailboxes() is first
            for change in (add(message()), create_mailbox("New"), create_mailbox("Newer")):
                await made.ask(change)
                listed, here = await made.remote.mailboxes(), await made.local.mailboxes()
                assert listed is not first and dict(listed.rows) == dict(here.rows)
                assert listed.names == here.names and listed.position == here.position
            made.wire.cut()
            assert await made.remote.mailboxes() is not listed
            await made.local.claim_recent(1)  # no change of the account
            assert (await made.remote.mailboxes()).rows[1].recent_uid == 2
            await made.ask(create_mailbox("Newest"))
            assert len((await made.remote.mailboxes()).rows) == 5, "more than are kept"
            assert await made.remote.mailboxes() is not await made.remote.mailboxes()

    asyncio.run(scenario())


# -- watches


def test_what_an_intent_did_is_there_to_be_told_when_it_is_answered() -> None:
    async def scenario() -> None:
        async with nodes() as made:
            watch = await made.remote.watch((await made.remote.mailboxes()).position, 1)
            for _ in range(20):
                result = await made.remote.apply(intent(add(message())))
                assert [each.position for each in watch.pending()] == [result.position]

    asyncio.run(scenario())


def test_a_watch_goes_on_at_its_last_position_when_its_stream_is_cut() -> None:
    async def scenario() -> None:
        async with nodes(messages=2) as made:
            position = (await made.local.mailboxes()).position
            watch = await made.remote.watch(position, 1)
            await made.ask(add(message()))
            assert await told(watch) == [position + 1]
            made.wire.is_down = True
            made.wire.cut()
            for _ in range(2):
                await made.ask(add(message()))
            assert watch.pending() == []
            made.wire.is_down = False
            assert await told(watch) == [position + 2, position + 3]
            watch.close()
            await made.remote.usage()
            assert made.local._committed.followers == []

    asyncio.run(scenario())


def test_a_watch_that_comes_back_too_late_must_resync() -> None:
    async def scenario() -> None:
        async with nodes(messages=2) as made:
            watch = await made.remote.watch((await made.local.mailboxes()).position, 0)
            made.wire.is_down = True
            made.wire.cut()
            await made.ask(add(message()))
            await made.ask(Trim(touched=(await made.local.mailboxes()).position))
            made.wire.is_down = False
            with pytest.raises(Resync):
                await told(watch)

    asyncio.run(scenario())


def test_a_watch_follows_its_account_to_the_node_that_has_it_now() -> None:
    async def scenario() -> None:
        async with nodes() as made:
            position = (await made.local.mailboxes()).position
            watch = await made.remote.watch(position, 1)
            here = await made.owner.open(asks.ACCOUNT)
            near = await here.watch(position, 1)
            made.owner._end(keys.partition(asks.ACCOUNT))
            again = await made.owner.local(asks.ACCOUNT)
            assert again is not made.local
            await again.apply(intent(add(message())))
            assert await told(near) and await told(watch)

    asyncio.run(scenario())


def test_idle_watches_are_no_tasks_and_say_nothing() -> None:
    async def scenario() -> None:
        async with nodes() as made:
            position = (await made.remote.mailboxes()).position
            tasks, messages = len(asyncio.all_tasks()), made.wire.messages
            watches = [await made.remote.watch(position, 0) for _ in range(100)]
            assert len(asyncio.all_tasks()) == tasks
            said = made.wire.messages - messages
            await asyncio.sleep(0)
            assert (made.wire.opened, made.wire.messages - messages) == (1, said)
            assert len(watches) == made.wire.service.watches == 100

    asyncio.run(scenario())


# -- faults


def test_an_intent_with_an_id_is_done_once_though_its_answer_never_came() -> None:
    async def scenario() -> None:
        async with nodes() as made:
            adding = asyncio.ensure_future(made.remote.apply(intent(add(message()), b"id")))
            await told(await made.local.watch(1, 1))
            made.wire.cut()
            assert (await adding).added[0].uid == 1
            assert (await made.local.mailboxes()).rows[1].messages == 1

    asyncio.run(scenario())


class Deposed:
    """A node that stops leading the account as soon as it has done something for it."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self.asked = 0

    async def local(self, account: int) -> Any:
        return self

    async def apply(self, intent: Intent) -> Result:
        self.asked += 1
        result = await (await self._accounts.local(asks.ACCOUNT)).apply(intent)
        if self.asked == 1:
            raise NotKnown
        return result

    async def usage(self) -> Usage:
        self.asked += 1
        if self.asked == 1:
            raise NotKnown
        return await (await self._accounts.local(asks.ACCOUNT)).usage()

    def check(self, account: int) -> None:
        raise AssertionError

    async def own_directory_rows(self, kind: int) -> list[tuple[bytes, bytes]]:
        raise AssertionError


def test_what_its_node_does_not_know_any_more_is_asked_again_and_done_once() -> None:
    async def scenario() -> None:
        async with nodes() as made:
            for asked_for in (made.remote.apply(intent(add(message()), b"id")), made.remote.usage()):
                made.wire.service._here = here = Deposed(made.owner)
                made.wire.cut()
                await asked_for
                assert here.asked == 2
            assert (await made.local.mailboxes()).rows[1].messages == 1

    asyncio.run(scenario())


def test_an_intent_without_an_id_whose_answer_never_came_is_not_known() -> None:
    async def scenario() -> None:
        async with nodes() as made:
            adding = asyncio.ensure_future(made.remote.apply(intent(add(message()))))
            await told(await made.local.watch(1, 1))
            made.wire.cut()
            with pytest.raises(NotKnown):
                await adding

    asyncio.run(scenario())


@pytest.mark.parametrize("seconds", [0, 3600])
def test_runs_go_on_behind_the_last_that_came_when_the_stream_is_cut(seconds: int) -> None:
    """However long who reads them has taken."""

    async def scenario() -> None:
        async with nodes(messages=13) as made:
            uids: list[int] = []
            async for run in made.remote.messages(1, ALL, Want.ENTRIES):
                uids += run.uids[: run.count]
                if len(uids) == 6:
                    made.wire.cut()
                    made.clock._now += seconds * 1_000_000
            assert uids == list(range(1, 14))
            assert made.wire.opened == 2

    asyncio.run(scenario())


def test_a_node_that_cannot_be_spoken_to_is_unavailable_after_a_while() -> None:
    async def scenario() -> None:
        async with nodes(limits=replace(LIMITS, remote_wait_seconds_max=0)) as made:
            made.wire.is_down = True
            made.wire.cut()
            for ask in (made.remote.mailboxes(), made.remote.apply(intent(add(message()), b"id"))):
                with pytest.raises(Unavailable):
                    await ask
            made.wire.is_down = False
            assert (await made.remote.mailboxes()).position == 1

    asyncio.run(scenario())


def test_an_answer_that_takes_too_long_is_waited_for_no_longer() -> None:
    async def scenario() -> None:
        async with nodes(limits=replace(LIMITS, remote_seconds_max=0)) as made:
            with pytest.raises(Unavailable):
                await made.remote.mailboxes()
            with pytest.raises(NotKnown):
                await made.remote.apply(intent(add(message()), b"id"))

    asyncio.run(scenario())


# -- bounds


def test_of_what_a_slow_reader_takes_no_more_than_two_runs_are_read_ahead() -> None:
    async def scenario() -> None:
        async with nodes(messages=40) as made:
            runs = made.remote.messages(1, ALL, Want.ENTRIES)
            first = await anext(runs)
            for _ in range(50):
                await made.remote.usage()  # answered beside it
            link = made.asker._places.link("owner")  # type: ignore[union-attr]
            streamed = next(iter(link._speaking.calls.values()))  # type: ignore[union-attr]
            assert len(streamed._came) <= 2  # type: ignore[union-attr]
            rest = [uid async for run in runs for uid in run.uids[: run.count]]
            assert [*first.uids, *rest] == list(range(1, 41))

    asyncio.run(scenario())


def _parts(out: Outgoing[Answer]) -> list[Answer]:
    """Of the next message."""
    return [Answer.FromString(octets) for octets in out._next()]


def test_what_is_short_does_not_wait_for_what_is_long() -> None:
    limits = replace(LIMITS, piece_octets_max=100, batch_octets_max=200)
    out: Outgoing[Answer] = Outgoing(lambda call, piece: Answer(call=call, piece=piece), limits)
    out.put(Answer(call=1, chunk=bytes(1000)))
    out.put(Answer(call=2, chunk=bytes(1000)))
    first = _parts(out)
    assert [each.call for each in first] == [1, 2]
    for call in range(3, 60):
        out.put(Answer(call=call, recent=1))
    second = _parts(out)
    assert [each.call for each in second][:5] == [3, 4, 5, 6, 7]
    assert sum(each.ByteSize() for each in second) < 400
    assert second[-1].HasField("piece"), "but it goes on"


def test_what_one_call_says_stays_in_order_and_whole() -> None:
    limits = replace(LIMITS, piece_octets_max=100, batch_octets_max=250)
    out: Outgoing[Answer] = Outgoing(lambda call, piece: Answer(call=call, piece=piece), limits)
    said = [Answer(call=1, chunk=b"a" * 990), Answer(call=1, recent=5), Answer(call=1, chunk=b"b" * 300)]
    for each in said:
        out.put(each)
    came, pieces = [], b""
    while parts := _parts(out):
        for part in parts:
            if not part.HasField("piece"):
                came.append(part)
                continue
            pieces += part.piece.octets
            if part.piece.last:
                came.append(Answer.FromString(pieces))
                pieces = b""
    assert came == said
    assert out._octets == 0


def test_who_says_more_than_may_wait_waits() -> None:
    async def scenario() -> None:
        limits = replace(LIMITS, outgoing_octets_max=500)
        out: Outgoing[Answer] = Outgoing(lambda call, piece: Answer(call=call, piece=piece), limits)
        out.put(Answer(call=1, chunk=bytes(1000)))
        waiting = asyncio.ensure_future(out.room())
        await asyncio.sleep(0)
        assert not waiting.done()
        written: list[list[bytes]] = []

        async def write(parts: list[bytes]) -> None:
            written.append(parts)

        flowing = asyncio.ensure_future(out.flow(write))
        await waiting
        assert written
        out.put(Answer(call=2, chunk=bytes(100_000)))
        again = asyncio.ensure_future(out.room())
        out.forget(2)
        await again
        flowing.cancel()

    asyncio.run(scenario())


def test_more_calls_than_may_be_open_wait() -> None:
    async def scenario() -> None:
        async with nodes(messages=9, limits=replace(LIMITS, remote_calls_open_max=1)) as made:
            runs = made.remote.messages(1, ALL, Want.ENTRIES)
            await anext(runs)
            waiting = asyncio.ensure_future(made.remote.mailboxes())
            for _ in range(50):
                await asyncio.sleep(0)
            assert not waiting.done()
            await runs.aclose()  # type: ignore[attr-defined]
            assert (await waiting).rows

    asyncio.run(scenario())


def test_an_intent_longer_than_a_message_between_nodes_is_refused() -> None:
    async def scenario() -> None:
        async with nodes(limits=replace(LIMITS, peer_message_octets_max=5000)) as made:
            refused = await made.remote.apply(intent(add(message(body=bytes(5000)))))
            assert refused.refused == "LIMIT"
            assert (await made.remote.apply(intent(add(message(body=bytes(3000)))))).refused == ""

    asyncio.run(scenario())
