"""How a cluster is begun in a real etcd, and who comes in by a token."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import grpc
import pytest

from mailnode.cluster import etcd_rows as rows
from mailnode.cluster.admission import (
    Founded,
    NameTaken,
    Refused,
    admitted,
    authority_of,
    cluster_in,
    found,
    is_owner,
    name_taken,
    names_in,
    next_name,
    token_for,
)
from mailnode.cluster.authority import (
    DAYS,
    RENEWED_BEFORE,
    Authority,
    Files,
    ends,
    key_of,
    key_pem,
    name_in,
    new_authority,
    new_key,
    write,
)
from mailnode.cluster.etcd import Drop, Etcd, Put
from mailnode.cluster.etcd_rows import Cluster, Home, Keys, Name
from mailnode.cluster.renewal import Renewal, renew
from mailnode.cluster.secret import OCTETS, Secret
from tests.cluster.by_hand import HandClock
from tests.cluster.members import Member, members

DAY = 86_400_000_000
HOST = "mail.example.org"
FIRST, SECOND = Name(b"1" * 32, "here", 10_000, 1), Name(b"2" * 32, "here", 11_000, 2)


@pytest.fixture(scope="module")
def member() -> Iterator[Member]:
    with members(1) as made:
        yield made[0]


@dataclass(frozen=True, slots=True)
class Stage:
    etcd: Etcd
    keys: Keys
    authority: Authority
    secret: Secret
    clock: HandClock

    def founded(self) -> Founded:
        cluster = Cluster(self.keys.prefix.encode(), "dc1", 1, 1)
        domains = [
            Put(self.keys.domain(f"{number}.test"), self.authority.certificate.signature)
            for number in range(150)
        ]
        return Founded(cluster, Home("dc1", 1, 3, 2), self.authority, domains)

    async def found(self) -> None:
        await found(self.etcd, self.keys, self.founded(), self.secret, "node1", FIRST)

    async def stored(self) -> bytes:
        """Everything that etcd holds of the cluster."""
        return b"".join(
            [pair.key + pair.value async for _, pairs in self.etcd.pages(*self.keys.all()) for pair in pairs]
        )


def played(member: Member, work: Callable[[Stage], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(30), staged(member) as stage:
            await work(stage)

    asyncio.run(bounded())


@asynccontextmanager
async def staged(member: Member) -> AsyncIterator[Stage]:
    clock = HandClock()
    clock.random = secrets.token_bytes  # type: ignore[method-assign]
    keys = Keys(f"test-{secrets.token_hex(4)}")
    etcd = Etcd([member.endpoint])
    yield Stage(etcd, keys, new_authority(b"id", clock), Secret(secrets.token_bytes(OCTETS)), clock)
    await etcd.close()


def test_a_cluster_is_begun_once_and_by_whom_it_was_as_often_as_they_like(member: Member) -> None:
    async def work(stage: Stage) -> None:
        with pytest.raises(Refused, match="hold no cluster under 'test-"):
            await cluster_in(stage.etcd, stage.keys)
        for _ in range(2):
            await stage.found()
        assert (await cluster_in(stage.etcd, stage.keys)).dc == "dc1"
        assert await names_in(stage.etcd, stage.keys) == {"node1": FIRST}
        other = replace(stage, authority=new_authority(b"id", stage.clock))
        with pytest.raises(Refused, match=r"there is a cluster under 'test-\w+' already"):
            await other.found()
        kept = [
            pair.value async for _, pairs in stage.etcd.pages(*stage.keys.kind("domain")) for pair in pairs
        ]
        assert kept == [stage.authority.certificate.signature] * 150
        with pytest.raises(Refused, match="another cluster"):
            await authority_of(stage.etcd, stage.keys, Secret(bytes(OCTETS)))
        again = await authority_of(stage.etcd, stage.keys, stage.secret)
        assert (again.certificate, key_pem(again.key)) == (
            stage.authority.certificate,
            key_pem(stage.authority.key),
        )

    played(member, work)


def test_of_two_that_begin_one_at_the_same_time_one_does(member: Member) -> None:
    async def work(stage: Stage) -> None:
        others = [replace(stage, authority=new_authority(b"id", stage.clock)) for _ in range(4)]
        outcomes = await asyncio.gather(*(each.found() for each in others), return_exceptions=True)
        assert sorted(map(type, outcomes), key=str) == [type(None), *[Refused] * 3]
        winner = others[outcomes.index(None)]
        found = await authority_of(stage.etcd, stage.keys, stage.secret)
        assert found.certificate == winner.authority.certificate

    played(member, work)


def test_rows_that_a_cluster_left_behind_are_not_taken_for_the_new_ones(member: Member) -> None:
    async def work(stage: Stage) -> None:
        await stage.etcd.transact([], [Put(stage.keys.row(7), b"")])
        with pytest.raises(Refused, match="rows of a cluster"):
            await stage.found()

    played(member, work)


def test_a_token_is_good_once_and_what_it_brings_is_the_clusters(member: Member) -> None:
    async def work(stage: Stage) -> None:
        await stage.found()
        token = await token_for(stage.etcd, stage.keys, stage.secret, HOST, 3600, stage.clock)
        opened, good = await admitted(stage.etcd, token, stage.clock)
        assert (opened.secret, opened.hostname) == (stage.secret, HOST)
        assert opened.authority.certificate == stage.authority.certificate
        assert key_pem(opened.authority.key) == key_pem(stage.authority.key)
        for _ in range(2):  # as where the first answer was lost
            await name_taken(stage.etcd, stage.keys, good, "node2", SECOND)
        assert await is_owner(stage.etcd, stage.keys, "node2", SECOND.key)
        assert not await is_owner(stage.etcd, stage.keys, "node2", FIRST.key)
        with pytest.raises(Refused, match="it was used"):
            await admitted(stage.etcd, token, stage.clock)
        with pytest.raises(Refused, match="used meanwhile"):
            await name_taken(stage.etcd, stage.keys, good, "node3", replace(SECOND, key=b"3" * 32))
        assert set(await names_in(stage.etcd, stage.keys)) == {"node1", "node2"}

    played(member, work)


def test_of_many_that_use_one_token_at_the_same_time_one_comes_in(member: Member) -> None:
    async def work(stage: Stage) -> None:
        await stage.found()
        token = await token_for(stage.etcd, stage.keys, stage.secret, HOST, 3600, stage.clock)

        async def come(number: int) -> None:
            _, good = await admitted(stage.etcd, token, stage.clock)
            owner = replace(SECOND, key=bytes((number,)) * 32)
            await name_taken(stage.etcd, stage.keys, good, f"n{number}", owner)

        outcomes = await asyncio.gather(*map(come, range(8)), return_exceptions=True)
        assert sorted(map(type, outcomes), key=str) == [type(None), *[Refused] * 7]
        assert set(await names_in(stage.etcd, stage.keys)) == {"node1", f"n{outcomes.index(None)}"}

    played(member, work)


def test_a_name_is_taken_once_and_the_token_stays_good_for_another(member: Member) -> None:
    async def work(stage: Stage) -> None:
        await stage.found()
        await stage.etcd.transact([], [Put(stage.keys.node("byhand"), b"")])
        token = await token_for(stage.etcd, stage.keys, stage.secret, HOST, 3600, stage.clock)
        _, good = await admitted(stage.etcd, token, stage.clock)
        for name in ("node1", "byhand"):
            with pytest.raises(NameTaken, match=f"the name {name} is taken"):
                await name_taken(stage.etcd, stage.keys, good, name, SECOND)
        assert await names_in(stage.etcd, stage.keys) == {"node1": FIRST, "byhand": None}
        await name_taken(stage.etcd, stage.keys, good, "node2", SECOND)

    played(member, work)


def test_a_token_goes_with_its_time_and_says_so(member: Member) -> None:
    async def work(stage: Stage) -> None:
        await stage.found()
        token = await token_for(stage.etcd, stage.keys, stage.secret, HOST, 3600, stage.clock)
        pair = await stage.etcd.get(stage.keys.token(token.name))
        assert pair is not None
        assert await stage.etcd.renew(pair.lease)
        await stage.etcd.revoke(pair.lease)  # as etcd does when nobody renews it
        stage.clock.microseconds += 3600 * 1_000_000
        with pytest.raises(Refused, match="not good any more: its time is over; `mailnode cluster token`"):
            await admitted(stage.etcd, token, stage.clock)

    played(member, work)


def test_who_reads_etcd_alone_has_neither_secret_nor_key(member: Member) -> None:
    async def work(stage: Stage) -> None:
        await stage.found()
        token = await token_for(stage.etcd, stage.keys, stage.secret, HOST, 3600, stage.clock)
        stored = await stage.stored()
        private = stage.authority.key.private_numbers().private_value.to_bytes(32)
        for each in (stage.secret.octets, private, token.secret, token.opens.octets):
            assert each not in stored and each.hex().encode() not in stored
        assert b"PRIVATE KEY" not in stored and HOST.encode() not in stored

    played(member, work)


def test_what_who_writes_etcd_puts_in_a_tokens_place_admits_nobody(member: Member) -> None:
    """Neither a secret of their choice, nor an authority of their own under the cluster's."""

    async def work(stage: Stage) -> None:
        await stage.found()
        make = token_for(stage.etcd, stage.keys, stage.secret, HOST, 3600, stage.clock)
        token, other = (
            await make,
            await token_for(stage.etcd, stage.keys, stage.secret, HOST, 3600, stage.clock),
        )
        pair = await stage.etcd.get(stage.keys.token(other.name))
        assert pair is not None
        await stage.etcd.transact([], [Put(stage.keys.token(token.name), pair.value)])
        with pytest.raises(Refused, match="is not what was put there"):
            await admitted(stage.etcd, token, stage.clock)
        theirs = replace(
            stage,
            keys=Keys(stage.keys.prefix + "-theirs"),
            authority=new_authority(b"id", stage.clock),
            secret=Secret(bytes(OCTETS)),
        )
        await theirs.found()
        forged = await stage.etcd.get(theirs.keys.authority())
        assert forged is not None
        await stage.etcd.transact([], [Put(stage.keys.authority(), forged.value)])
        with pytest.raises(Refused, match="another cluster"):
            await admitted(stage.etcd, other, stage.clock)

    played(member, work)


def test_a_cluster_that_was_not_made_by_init_has_no_tokens(member: Member) -> None:
    async def work(stage: Stage) -> None:
        await stage.etcd.transact(
            [], [Put(stage.keys.cluster(), rows.cluster_octets(Cluster(b"i", "", 1, 0)))]
        )
        with pytest.raises(Refused, match="has no authority"):
            await token_for(stage.etcd, stage.keys, stage.secret, HOST, 60, stage.clock)
        await stage.etcd.transact([], [Drop(stage.keys.cluster())])

    played(member, work)


def test_the_next_name_is_the_first_that_nobody_has() -> None:
    assert [next_name(taken) for taken in ((), ("node1",), ("node2", "node1", "other"))] == [
        "node1",
        "node2",
        "node3",
    ]


def test_a_node_renews_its_certificate_when_a_third_of_its_time_is_left(
    member: Member, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    async def work(stage: Stage) -> None:
        await stage.found()
        files, key = Files(tmp_path / "cluster"), new_key()
        certificate = stage.authority.issue("node1", key.public_key(), stage.clock)
        write(files, stage.secret, stage.authority, key, certificate)
        shown: list[grpc.ChannelCredentials] = []
        renewal = Renewal(stage.etcd, stage.keys, files, stage.clock, shown.append)
        first = ends(files)
        stage.clock.microseconds += DAY * (DAYS - RENEWED_BEFORE.days)
        await renewal.look()
        assert ends(files) == first and not shown
        stage.clock.microseconds += 1
        await renewal.look()
        assert ends(files) > first and name_in(files) == "node1" and len(shown) == 1
        assert key_of(files.key.read_bytes()).public_key() == key.public_key()
        told = [record.getMessage() for record in caplog.records]
        assert told == ["this node's certificate is renewed"]

        caplog.clear()
        away = Renewal(Etcd(["127.0.0.1:1"]), stage.keys, files, stage.clock, shown.append)
        for days, level in ((RENEWED_BEFORE.days + 1, None), (100, logging.INFO), (29, logging.WARNING)):
            stage.clock.microseconds = int(ends(files).timestamp() * 1e6) - DAY * days
            await away.look()
            assert [record.levelno for record in caplog.records] == ([level] if level else [])
            caplog.clear()
        other = replace(
            stage, authority=new_authority(b"id", stage.clock), keys=Keys(f"{stage.keys.prefix}-2")
        )
        await other.found()
        with pytest.raises(Refused, match="another cluster"):
            await renew(stage.etcd, other.keys, files, stage.clock)

    played(member, work)
