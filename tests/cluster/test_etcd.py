"""What is asked of a real etcd, whoever of its members answers."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Coroutine, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any, TypeVar

import grpc
import pytest

from mailnode import certificate
from mailnode.clock import SystemClock
from mailnode.cluster.etcd import (
    Changes,
    Compacted,
    Drop,
    Etcd,
    EtcdError,
    Login,
    Pair,
    Put,
    Unchanged,
    prefix_end,
)
from tests.cluster.members import Member, members

T = TypeVar("T")


@pytest.fixture(scope="module")
def member() -> Iterator[Member]:
    with members(1) as made:
        yield made[0]


def run(work: Coroutine[Any, Any, T]) -> T:
    async def bounded() -> T:
        async with asyncio.timeout(60):
            return await work

    return asyncio.run(bounded())


async def everything(etcd: Etcd, prefix: bytes) -> tuple[set[int], list[Pair]]:
    revisions, found = set(), []
    async for revision, pairs in etcd.pages(prefix, prefix_end(prefix)):
        revisions.add(revision)
        found += pairs
    return revisions, found


def test_pages_are_of_one_revision_whatever_is_put_between_them(member: Member) -> None:
    async def work() -> None:
        etcd = Etcd([member.endpoint])
        for begin in range(0, 2500, 100):
            await etcd.transact([], [Put(b"pages/%05d" % at, b"x") for at in range(begin, begin + 100)])
        revisions, found = set(), []
        async for revision, pairs in etcd.pages(b"pages/", prefix_end(b"pages/")):
            revisions.add(revision)
            found += [pair.key for pair in pairs]
            await etcd.transact([], [Put(b"pages/99999", b"late"), Drop(b"pages/02499")])
        assert len(revisions) == 1
        assert found == [b"pages/%05d" % at for at in range(2500)]
        await etcd.close()

    run(work())


def test_of_two_that_compare_the_same_revision_one_writes(member: Member) -> None:
    async def work() -> None:
        both = Etcd([member.endpoint]), Etcd([member.endpoint])
        before = (await both[0].transact([Unchanged(b"race", 0)], [Put(b"race", b"")])).revision
        answers = await asyncio.gather(
            *(
                etcd.transact([Unchanged(b"race", before)], [Put(b"race", name)], [b"race"])
                for etcd, name in zip(both, (b"a", b"b"), strict=True)
            )
        )
        won = [answer.is_done for answer in answers].index(True)
        lost = answers[1 - won]
        assert not lost.is_done
        assert lost.pairs == (Pair(b"race", (b"a", b"b")[won], answers[won].revision),)
        for etcd in both:
            await etcd.close()

    run(work())


def test_a_key_goes_with_its_lease_when_nobody_renews_it(member: Member) -> None:
    async def work() -> None:
        etcd = Etcd([member.endpoint])
        kept, lost = await etcd.grant(2), await etcd.grant(2)
        begun = await etcd.transact([], [Put(b"lease/a", b"", kept), Put(b"lease/b", b"", lost)])
        async with aclosing(etcd.watch(b"lease/", prefix_end(b"lease/"), begun.revision + 1)) as watch:
            gone = asyncio.ensure_future(anext(watch))
            while not gone.done():
                assert await etcd.renew(kept)
                await asyncio.wait([gone], timeout=0.5)
            assert gone.result().dropped == (b"lease/b",)
        assert not await etcd.renew(lost)
        await etcd.revoke(lost)
        await etcd.revoke(kept)
        assert await etcd.get(b"lease/a") is None
        await etcd.close()

    run(work())


def test_a_watch_tells_what_happened_since_a_revision_in_order(member: Member) -> None:
    async def work() -> None:
        etcd = Etcd([member.endpoint])
        first = (await etcd.transact([], [Put(b"w/1", b"a")])).revision
        await etcd.transact([], [Put(b"w/1", b"b"), Put(b"w/2", b"c")])
        last = (await etcd.transact([], [Drop(b"w/2")])).revision
        told: list[Changes] = []
        async with aclosing(etcd.watch(b"w/", prefix_end(b"w/"), first)) as watch:
            async for changes in watch:
                told.append(changes)
                if changes.revision == last:
                    break
        as_last = {pair.key: pair.value for changes in told for pair in changes.puts}
        assert as_last[b"w/1"] == b"b"
        assert told[-1].dropped == (b"w/2",)
        await etcd.close()

    run(work())


def test_a_watch_from_before_a_compaction_says_so_and_never_hangs(member: Member) -> None:
    async def work() -> None:
        etcd = Etcd([member.endpoint])
        first = (await etcd.transact([], [Put(b"c/1", b"a")])).revision
        last = (await etcd.transact([], [Put(b"c/1", b"b")])).revision
        member.compact(last)
        with pytest.raises(Compacted):
            await anext(etcd.watch(b"c/", prefix_end(b"c/"), first))
        await etcd.close()

    run(work())


def test_a_member_killed_or_stopped_is_passed_over() -> None:
    async def work(three: list[Member]) -> None:
        etcd = Etcd([member.endpoint for member in three])
        begun = await answered(etcd, Put(b"k", b"0"))
        watch = etcd.watch(b"k", b"l", begun + 1)
        waiting = asyncio.ensure_future(anext(watch))
        three[0].kill()
        with pytest.raises(EtcdError):
            await waiting
        # The watch's stream has ended, or will: a call passes the member over for all.
        second = await answered(etcd, Put(b"k", b"1"))
        async with aclosing(etcd.watch(b"k", b"l", begun + 1)) as watch:
            assert (await anext(watch)).puts == (Pair(b"k", b"1", second),)
            three[0].start()
            three[0].wait_until_ready()
            three[1].send(signal.SIGSTOP)
            third = await answered(etcd, Put(b"k", b"2"))
        three[1].send(signal.SIGCONT)
        assert await etcd.get(b"k") == Pair(b"k", b"2", third)
        await etcd.close()

    async def answered(etcd: Etcd, put: Put) -> int:
        """Once a leader is there."""
        while True:
            try:
                return (await etcd.transact([], [put])).revision
            except EtcdError:
                await asyncio.sleep(0)

    with members(3) as three:
        run(work(three))


def test_who_is_not_there_is_named() -> None:
    async def work() -> None:
        etcd = Etcd(["127.0.0.1:1", "127.0.0.1:2"])
        with pytest.raises(EtcdError, match=r"etcd at 127\.0\.0\.1:2: "):
            await etcd.get(b"k")
        with pytest.raises(EtcdError, match=r"127\.0\.0\.1:1"):
            await anext(etcd.watch(b"k", b"l", 1))
        await etcd.close()

    run(work())


def test_etcd_in_tls_is_asked_as_a_user_of_its_own(tmp_path: Path) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    certificate.write_self_signed(cert, key, ["localhost"], SystemClock())
    options = ("--cert-file", str(cert), "--key-file", str(key), "--auth-token-ttl", "1")
    with members(1, *options, scheme="https") as made:
        made[0].ctl(cert, "user", "add", "root:secret")
        made[0].ctl(cert, "user", "grant-role", "root", "root")
        made[0].ctl(cert, "auth", "enable")
        endpoint = made[0].endpoint.replace("127.0.0.1", "localhost")
        trusted = grpc.ssl_channel_credentials(cert.read_bytes())

        async def work() -> None:
            etcd = Etcd([endpoint], trusted, Login("root", "secret"))
            revision = (await etcd.transact([], [Put(b"k", b"v")])).revision
            etcd._token = "is.over"
            assert await etcd.get(b"k") == Pair(b"k", b"v", revision)
            lease = await etcd.grant(5)
            assert await etcd.renew(lease)
            assert (await anext(etcd.watch(b"k", b"l", revision))).puts == (Pair(b"k", b"v", revision),)
            await etcd.close()
            with pytest.raises(EtcdError, match="authentication failed"):
                await Etcd([endpoint], trusted, Login("root", "wrong")).get(b"k")
            with pytest.raises(EtcdError):
                await Etcd([endpoint]).get(b"k")

        run(work())
        assert "secret" not in repr(Login("root", "secret"))


def test_the_library_is_imported_without_a_warning() -> None:
    command = [sys.executable, "-W", "error", "-c", "import mailnode.cluster.etcd"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
