"""Domains of a cluster as a node takes them: what it cannot read, what came before anybody listened."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Sequence

import pytest

from mailnode.cluster import etcd_rows as rows
from mailnode.cluster.etcd import Drop, Put
from mailnode.cluster.etcd_map import EtcdMap
from mailnode.cluster.etcd_rows import DomainText, Keys
from mailnode.domain import Domain, domain_text
from mailnode.node.domains import KnownDomains
from tests.cluster.following import following
from tests.cluster.members import members

A, B = (Domain(name, "+", scram=True, dkim="") for name in ("a.test", "b.test"))


def put(source: EtcdMap, domain: Domain, text: str = "", made: int = 1) -> Put:
    row = DomainText(text or domain_text(domain), made)
    return Put(source.keys.domain(domain.name), rows.domain_octets(row))


def test_what_cannot_be_read_leaves_a_domain_as_it_was_and_nothing_is_missed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    told: list[tuple[list[str], frozenset[str]]] = []

    def taken(domains: Sequence[Domain], changed: frozenset[str]) -> None:
        told.append(([domain.name for domain in domains], changed))
        if len(told) == 2:
            raise ValueError("our own mistake")

    async def work(source: EtcdMap) -> None:
        async def change(*changes: Put | Drop) -> None:
            answer = await source.etcd.transact([], changes)
            await source.reached(answer.revision)

        await change(put(source, B, made=2))
        known = KnownDomains(source)
        assert known.in_order() == [B]
        await change(put(source, A))
        known.follow(taken)
        assert told == [(["a.test", "b.test"], {"a.test"})]
        await change(put(source, B, "name = 'b.test'\nof_a_newer_program = 1", made=2))
        assert told[-1] == (["a.test", "b.test"], {"b.test"})
        assert known.in_order()[1] == B
        await change(Drop(source.keys.domain("a.test")))
        assert told[-1] == (["b.test"], {"a.test"})

    async def bounded() -> None:
        with members(1) as (etcd,):
            async with asyncio.timeout(60):
                async with following(etcd.endpoint, Keys(f"test-{secrets.token_hex(4)}")) as source:
                    await work(source)

    with caplog.at_level(logging.ERROR):
        asyncio.run(bounded())
    assert [record.getMessage() for record in caplog.records] == [
        "a domain is not taken",
        "domains could not be taken",
    ]
