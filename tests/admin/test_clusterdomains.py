"""Domains of a cluster: whichever node is asked, etcd decides, and every node hears of it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from mailnode.admin.clusterdomains import ClusterDomains
from mailnode.admin.domains import Refused
from mailnode.admin.founding import first_puts
from mailnode.cli import main
from mailnode.clock import SystemClock
from mailnode.cluster import etcd_rows as rows
from mailnode.cluster.etcd import Put
from mailnode.cluster.etcd_map import EtcdMap
from mailnode.cluster.etcd_rows import Home, Keys
from mailnode.cluster.secret import Secret
from mailnode.config import ConfigError, load
from mailnode.directory.address import Address
from mailnode.directory.rows import Rows
from mailnode.domain import Domain, domain_of
from mailnode.mailauth.keyfiles import KeyFiles
from mailnode.mailauth.keyring import KeysError
from mailnode.mailauth.sealedkeys import SealedKeys
from mailnode.pb.row_pb2 import DirectoryRow
from tests.cluster.following import following
from tests.cluster.members import Member, members

SECRET = Secret(bytes(range(32)))
B = Domain("b.test", "+", scram=True, dkim="m1")


class Addresses:
    """Of the directory."""

    def __init__(self) -> None:
        self.rows: dict[Address, DirectoryRow] = {}

    async def all(self) -> dict[Address, DirectoryRow]:
        return self.rows


class Node:
    def __init__(self, source: EtcdMap, addresses: Addresses) -> None:
        self.source = source
        self.domains = ClusterDomains(source, cast(Rows, addresses), SECRET, SystemClock())

    async def heard(self, of: Node) -> None:
        await self.source.reached(of.source.revision)

    async def names(self) -> list[str]:
        return [each.domain for each in (await self.domains.listed()).domains]

    @property
    def signing(self) -> list[str]:
        ring = SealedKeys(self.source, SECRET).of(B)
        return [f"{key.selector} {key.algorithm}" for key in ring.signing()]


@pytest.fixture(scope="module")
def etcds() -> Iterator[Member]:
    with members(1) as made:
        yield made[0]


def run(
    etcds: Member, work: Callable[[Node, Node], Coroutine[Any, Any, None]], addresses: Addresses | None = None
) -> None:
    async def bounded() -> None:
        keys = Keys(f"test-{secrets.token_hex(4)}")
        directory = addresses or Addresses()
        async with (
            asyncio.timeout(60),
            following(etcds.endpoint, keys) as one,
            following(etcds.endpoint, keys) as other,
        ):
            put = Put(keys.home(0), rows.home_octets(Home("dc1", 1, 3, 2)))
            answer = await one.etcd.transact([], [put])
            await one.reached(answer.revision)
            await work(Node(one, directory), Node(other, directory))

    asyncio.run(bounded())


def test_a_domain_is_added_changed_and_removed_at_any_node(etcds: Member) -> None:
    async def work(one: Node, other: Node) -> None:
        for name in ("Z.test", "b.test"):
            await one.domains.add(name)
        await other.heard(one)
        assert await other.names() == ["z.test", "b.test"]  # as they were made, not by name
        assert other.signing == ["m1 rsa-sha256"]
        answer = await other.domains.change("b.test", {"min_insync": "3", "mta_sts": "enforce"})
        await one.heard(other)
        (shown,) = answer.domains
        assert one.source.domains["b.test"].text == shown.text
        changed = domain_of("b.test", shown.text)
        assert (changed.min_insync, changed.mta_sts, changed.report_address) == (
            3,
            "enforce",
            "postmaster@b.test",
        )
        await one.domains.remove("b.test", keep_accounts=False)
        await other.heard(one)
        assert await other.names() == ["z.test"]
        before = other.source.signing["b.test"]
        await other.domains.add("b.test")  # its keys are in the DNS
        assert other.source.signing["b.test"] == before

    run(etcds, work)


def test_what_cannot_be_is_refused_and_changes_nothing(etcds: Member) -> None:
    addresses = Addresses()
    addresses.rows = {Address("carol", "a.test"): DirectoryRow(kind=DirectoryRow.ACCOUNT)}

    async def work(one: Node, other: Node) -> None:
        await one.domains.add("a.test")
        for adds, told in (
            ("a.test", "a.test is one of the cluster's domains already"),
            ("a..b", "Empty Label"),
        ):
            with pytest.raises(Refused, match=told):
                await one.domains.add(adds)
        with pytest.raises(Refused, match="the only domain"):
            await one.domains.remove("a.test", keep_accounts=True)
        await one.domains.add("b.test")
        with pytest.raises(Refused, match=r"has 1 accounts: carol@a\.test"):
            await one.domains.remove("a.test", keep_accounts=False)
        for settings, right in (
            ({"min_insync": "4"}, "expected at most 3: of each change the cluster has 3 copies"),
            ({"min_insync": "two"}, "min_insync: found 'two', expected a number, true or false"),
            ({"name": "c.test"}, "name: found 'c.test', expected one of separator, scram"),
            ({"scram": "1"}, "scram: found 1, expected true or false"),
        ):
            with pytest.raises((Refused, ConfigError), match=right):
                await one.domains.change("b.test", settings)
        with pytest.raises(Refused, match=r"'c\.test' is none of the cluster's domains: a\.test, b\.test"):
            await one.domains.change("c.test", {})
        await other.heard(one)
        assert await other.names() == ["a.test", "b.test"]
        assert domain_of("b.test", other.source.domains["b.test"].text).min_insync == 0

    run(etcds, work, addresses)


def test_of_two_nodes_that_change_the_same_at_once_one_does_it(etcds: Member) -> None:
    async def work(one: Node, other: Node) -> None:
        async def done(*asked: Coroutine[Any, Any, object]) -> int:
            found = await asyncio.gather(*asked, return_exceptions=True)
            assert all(isinstance(each, Refused) for each in found if isinstance(each, BaseException))
            await asyncio.gather(one.heard(other), other.heard(one))
            return sum(not isinstance(each, BaseException) for each in found)

        nodes = (one.domains, other.domains)
        assert await done(*(node.add("a.test") for node in nodes)) == 1
        await one.domains.add("b.test")
        await other.heard(one)
        assert await done(*(node.change("b.test", {"scram": "false"}) for node in nodes)) == 1
        removing = zip(nodes, ("a.test", "b.test"), strict=True)
        assert await done(*(node.remove(name, keep_accounts=True) for node, name in removing)) == 1

    run(etcds, work)


def test_a_cluster_begins_with_the_domains_and_keys_of_a_directory(etcds: Member, tmp_path: Path) -> None:
    made = tmp_path / "node"
    words = ["init", str(made), "--domain", "b.test", "--account", "a@b.test:secret-of-a"]
    assert main(words) == 0
    assert main(["domain", "add", "a.test", "--dir", str(made)]) == 0
    assert main(["dkim", "generate", "b.test", "--kind", "ed25519", "--dir", str(made)]) == 0
    config = load(made)

    async def work(one: Node, other: Node) -> None:
        puts = list(first_puts(config, one.source.keys, SECRET, 7))
        answer = await one.source.etcd.transact([], puts)
        await other.source.reached(answer.revision)
        assert [domain_of(name, row.text) for name, row in other.source.in_order()] == list(config.domains)
        for domain in config.domains:
            there, here = SealedKeys(other.source, SECRET).of(domain), KeyFiles(config).of(domain)
            assert (there.all(), there.records()) == (here.all(), here.records())

    run(etcds, work)


def test_of_two_data_centres_that_of_home_0_has_them(etcds: Member) -> None:
    async def work(there: Node, _: Node) -> None:
        keys = Keys(f"test-{secrets.token_hex(4)}")
        async with following(etcds.endpoint, keys, dc="dc2") as source:
            put = Put(keys.home(0), rows.home_octets(Home("dc1", 1, 3, 2)))
            await source.reached((await source.etcd.transact([], [put])).revision)
            here = Node(source, Addresses())
            with pytest.raises(Refused, match="changed in data centre dc1, which is not known here"):
                await here.domains.add("a.test")
            source.others["dc1"] = there.source
            for name in ("a.test", "b.test"):
                await here.domains.add(name)
            await here.domains.change("a.test", {"scram": "false"})
            made = await SealedKeys(source, SECRET).of(B).generate("ed25519", 1)
            assert await there.names() == ["a.test", "b.test"]
            assert made in SealedKeys(there.source, SECRET).of(B).all()
            await here.domains.remove("a.test", keep_accounts=True)
            assert await there.names() == ["b.test"]
            assert not source.domains  # until the elected node of its data centre copies them

    run(etcds, work)


def test_while_etcd_is_away_domains_are_as_they_were_and_none_is_changed() -> None:
    with members(1) as (etcd,):

        async def work(one: Node, other: Node) -> None:
            await one.domains.add("a.test")
            etcd.kill()
            with pytest.raises(Refused, match="whether it is done `mailnode domain list` will say"):
                await one.domains.add("b.test")
            with pytest.raises(KeysError, match="its keys could not be changed: etcd at"):
                await SealedKeys(one.source, SECRET).of(B).generate("ed25519", 1)
            assert await one.names() == ["a.test"]

        run(etcd, work)


def test_a_text_that_this_program_cannot_read_is_shown_all_the_same(etcds: Member) -> None:
    async def work(one: Node, other: Node) -> None:
        put = Put(one.source.keys.domain("new.test"), rows.domain_octets(rows.DomainText("future = 1", 1)))
        answer = await one.source.etcd.transact([], [put])
        await one.source.reached(answer.revision)
        (shown,) = (await one.domains.listed()).domains
        assert (shown.domain, shown.text, shown.dkim) == ("new.test", "future = 1", "")

    run(etcds, work)
