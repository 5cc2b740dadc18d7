"""Two data centres that are cut from each other, with their etcds: each serves who is at home there."""

from __future__ import annotations

import imaplib
import json
import smtplib
import ssl
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.members import Member
from tests.faults.cluster import BASE_PORT, ETCD_CLIENT, ETCD_PEER, PEERS, Site, command, settle
from tests.faults.hosts import Hosts, hosts, missing
from tests.node.several import wait_for
from tests.wire.node import Node
from tests.wire.server import DOMAIN

PASSWORD = "wonderland"
HOMES = {"dc1": f"ann@{DOMAIN}", "dc2": f"bob@{DOMAIN}"}
"""Who is at home in each data centre, whose host has its name."""
NOBODY = f"nobody@{DOMAIN}"
SECONDS_MAX = 30.0
ALL_EVEN = dict.fromkeys(HOMES, 0)


@contextmanager
def data_centres(folder: Path) -> Iterator[tuple[Hosts, Mapping[str, Site]]]:
    """On each host a node, and an etcd of its own."""
    with hosts(tuple(HOMES)) as made:
        sites = {name: _site(folder, made, name) for name in HOMES}
        try:
            _begin(sites)
            yield made, sites
        finally:
            for site in sites.values():
                site.kill()
                site.etcd.end()


def _site(folder: Path, made: Hosts, name: str) -> Site:
    host = made[name]
    etcds = f"{name}=http://{host.address}:{ETCD_PEER}"
    where = {"address": host.address, "prefix": host.prefix}
    etcd = Member(folder, name, ETCD_CLIENT, ETCD_PEER, etcds, "http", **where)  # type: ignore[arg-type]
    (folder / name).mkdir()
    return Site(host, etcd, Node(folder / name / "data", BASE_PORT, {}, host.prefix, address=host.address))


def _begin(sites: Mapping[str, Site]) -> None:
    first, second = sites.values()
    for site in sites.values():
        site.etcd.start()
        site.etcd.wait_until_ready()
    first.node.init()
    where = ("--etcd", first.etcd.endpoint, "--listen", f"{first.host.address}:{PEERS}")
    command(first, "cluster", "init", "--copies", "1", "--min-insync", "1", *where)
    settle(first)
    first.node.start()
    token = command(first, "cluster", "token").split()[-1]
    where = ("--etcd", second.etcd.endpoint, "--listen", f"{second.host.address}:{PEERS}")
    options = ("--dc", "dc2", "--base-port", str(BASE_PORT), "--allow-plaintext-auth", "--local-only")
    command(second, "cluster", "join", token, *where, *options)
    settle(second)
    second.node.start()
    for dc, address in HOMES.items():
        wait_for(partial(_is_made, first, address, dc))


def _is_made(site: Site, address: str, dc: str) -> bool:
    try:
        command(site, "account", "add", address, "--dc", dc, stdin=PASSWORD)
    except AssertionError:  # its home is about to begin
        return False
    return True


def shown(site: Site, *words: str) -> Any:
    return json.loads(command(site, "cluster", *words, "--json"))


def is_all_far(site: Site) -> bool:
    lacks = {dc["name"]: int(dc["lag"]["entries"]) for dc in shown(site, "status")["dcs"] if "lag" in dc}
    return lacks == ALL_EVEN and all(row["far"] for row in shown(site, "map"))


def reply(site: Site, to: str) -> int:
    """To RCPT, and to the content behind it."""
    with smtplib.SMTP(site.host.address, site.node.port("smtp"), timeout=SECONDS_MAX) as client:
        client.ehlo()
        client.mail("dave@example.org")
        code = client.rcpt(to)[0]
        return code if code != 250 else client.data(b"Subject: hello\r\n\r\nbody\r\n")[0]


def mails(site: Site, user: str) -> int:
    """That a client sees who logs in."""
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    address, port = site.host.address, site.node.port("imaps")
    with imaplib.IMAP4_SSL(address, port, ssl_context=trusting, timeout=SECONDS_MAX) as client:
        client.login(user, PASSWORD)
        return int(client.select()[1][0] or b"")


def test_each_side_of_a_cut_serves_who_is_at_home_there_and_refuses_nobody(tmp_path: Path) -> None:
    if why := missing():
        pytest.skip(why)
    with data_centres(tmp_path) as (made, sites), ThreadPoolExecutor() as pool:
        wait_for(lambda: all(map(is_all_far, sites.values())))
        made.cut(["dc1"], ["dc2"])
        for dc, site in sites.items():
            assert [reply(site, HOMES[dc]) for _ in range(3)] == [250] * 3
            assert mails(site, HOMES[dc]) == 3
        others = [(sites["dc1"], HOMES["dc2"]), (sites["dc2"], HOMES["dc1"]), (sites["dc2"], NOBODY)]
        assert list(pool.map(lambda asked: reply(*asked), others)) == [451] * 3
        made.heal()
        wait_for(lambda: [reply(site, user) for site, user in others] == [250, 250, 550])
        wait_for(lambda: all(map(is_all_far, sites.values())))
        for user in HOMES.values():
            assert len({mails(site, user) for site in sites.values()}) == 1
            command(sites["dc2"], "cluster", "verify", user)
