"""`mailnode cluster init`, `token` and `join`: how a cluster is begun, and one more node comes in."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from mailnode import node
from mailnode.admin.founding import first_puts
from mailnode.cli import making, newcomer
from mailnode.cli.failure import Failure
from mailnode.cli.newcomer import Existing, New, Wish
from mailnode.clock import SystemClock
from mailnode.cluster import authority as trust
from mailnode.cluster import datacentre
from mailnode.cluster import etcd_rows as rows
from mailnode.cluster.admission import (
    Admission,
    Founded,
    NameTaken,
    Refused,
    admitted,
    authority_in,
    cluster_in,
    found,
    is_owner,
    lost_with,
    name_replaced,
    name_taken,
    names_in,
    next_name,
    token_for,
)
from mailnode.cluster.authority import files_of
from mailnode.cluster.etcd import Etcd, EtcdError, Unchanged
from mailnode.cluster.etcd_at import asking
from mailnode.cluster.etcd_rows import Cluster, Home, Keys, Name
from mailnode.cluster.renewal import renew
from mailnode.cluster.secret import OCTETS, Secret
from mailnode.cluster.tokens import BadToken, Token, text_of, token_of
from mailnode.clustered import ClusterAt, cluster_of
from mailnode.config import Config, load
from mailnode.listeners.ports import become
from mailnode.store.formats import FORMAT
from mailnode.table import Table

CLOCK = SystemClock()
FIRST_DC = "dc1"
"""What a data centre is called whose operator gave it no name: there may be more."""


def init(options: argparse.Namespace) -> None:
    """Raises Failure."""
    config = load(options.directory)
    if options.min_insync > options.copies:
        raise Failure(f"--min-insync {options.min_insync}: there are {options.copies} copies")
    at = _at(options, options.etcd.split(","), options.prefix, options.name or next_name(()))
    at = replace(at, dc=at.dc or FIRST_DC)
    become(config.user)
    with node.locked(config):
        _run(_init(Existing(config), at, Home(at.dc, 1, options.copies, options.min_insync)))


async def _init(place: Existing, at: ClusterAt, home: Home) -> None:
    keys, config = Keys(at.prefix), place.config
    async with asking(at) as etcd:
        if _is_node(config):
            await _renew(etcd, keys, config)
            return
        name = await _begun(etcd, keys, place)
        if not name:
            name = at.name
            cluster = Cluster(CLOCK.random(16), at.dc, FORMAT, CLOCK.now_microseconds())
            authority, secret = trust.new_authority(cluster.id, CLOCK), Secret(CLOCK.random(OCTETS))
            with _cleared_if_refused(place):
                owner = _stage(place, at, Admission(authority, secret, config.hostname), {})
                domains = list(first_puts(config, keys, secret, cluster.made))
                await found(etcd, keys, Founded(cluster, home, authority, domains), secret, name, owner)
    made = place.finish(newcomer.written(replace(at, name=name), config.directory))
    few = f", once {home.copies} nodes run; new mail is taken while {home.min_insync} of a mail's nodes do"
    print(
        f"{config.directory} is {name}, the first node of a cluster. It serves, in {home.copies} copies{few}."
    )
    print(
        f"One more:  mailnode cluster join $(mailnode cluster token --dir {config.directory}) --dir ANOTHER"
    )
    _say(made)


def token(options: argparse.Namespace) -> None:
    """Raises Failure."""
    config = load(options.directory)
    secret = trust.secret_of(config)
    if config.cluster is None or secret is None:
        raise Failure(f"{config.directory} is in no cluster: `mailnode cluster init` begins one")
    _run(_token(config.cluster, secret, config.hostname, options.minutes * 60))


async def _token(at: ClusterAt, secret: Secret, hostname: str, seconds: int) -> None:
    async with asking(at) as etcd:
        print(text_of(await token_for(etcd, Keys(at.prefix), secret, hostname, seconds, CLOCK)))


def join(options: argparse.Namespace) -> None:
    """Raises Failure."""
    try:
        given = token_of(options.token)
    except BadToken as error:
        raise Failure(f"that is no token: {error}") from None
    if options.name and options.replace:
        raise Failure("--name and --replace: a node keeps its name")
    directory = options.directory
    if newcomer.is_vacant(directory):
        _run(_join(New(directory, _wish(options)), given, options))
        return
    config = load(directory)
    become(config.user)
    with node.locked(config):
        _run(_join(Existing(config), given, options))


async def _join(place: Existing | New, given: Token, options: argparse.Namespace) -> None:
    endpoints = options.etcd.split(",") if options.etcd else given.endpoints
    at = _at(options, endpoints, given.prefix, options.name or options.replace or next_name(()))
    keys = Keys(at.prefix)
    async with asking(at) as etcd:
        if at.dc and set(endpoints) != set(given.endpoints) and await etcd.get(keys.cluster()) is None:
            async with asking(replace(at, endpoints=given.endpoints)) as first:
                await datacentre.begin(first, etcd, given, at.dc, CLOCK)
        at = replace(at, dc=at.dc or (await cluster_in(etcd, keys)).dc)
        if isinstance(place, Existing) and _is_node(place.config):
            await _renew(etcd, keys, place.config)
            return
        name = await _begun(etcd, keys, place)
        if not name:
            opened, good = await admitted(etcd, given, CLOCK)
            arrival = _Arrival(place, at, opened, good, options.name)
            if options.replace:
                name = await arrival.replace(etcd, keys, options.replace)
            else:
                name = await arrival.come_in(etcd, keys)
    made = place.finish(newcomer.written(replace(at, name=name), options.directory))
    print(f"{options.directory} is {name} of the cluster at {', '.join(at.endpoints)}.")
    _say(made)


@dataclass(frozen=True, slots=True)
class _Arrival:
    place: Existing | New
    at: ClusterAt
    opened: Admission
    good: Unchanged
    """The token."""
    wanted: str
    """The name; empty: whichever is free."""

    async def replace(self, etcd: Etcd, keys: Keys, name: str) -> str:
        """As the node of that name, whose disk is lost. Raises Refused and EtcdError."""
        names = await names_in(etcd, keys)
        names.pop(name, None)  # its ports are free
        lost = await lost_with(etcd, keys, name)
        with _cleared_if_refused(self.place):
            owner = _stage(self.place, replace(self.at, name=name), self.opened, names)
            await name_replaced(etcd, keys, self.good, name, owner)
        if lost:
            print(
                f"{name} had the only copy in sync of {lost:,} partitions: "
                "nobody leads them until its disk is back",
                file=sys.stderr,
            )
        return name

    async def come_in(self, etcd: Etcd, keys: Keys) -> str:
        """The name under which. Raises Refused and EtcdError."""
        while True:
            names = await names_in(etcd, keys)
            name = self.wanted or next_name(names, await _names_begin(etcd, keys, self.at.dc))
            if name in names:
                raise NameTaken(f"the name {name} is taken: choose another --name")
            try:
                with _cleared_if_refused(self.place):
                    owner = _stage(self.place, replace(self.at, name=name), self.opened, names)
                    await name_taken(etcd, keys, self.good, name, owner)
                return name
            except NameTaken:
                if self.wanted:
                    raise


async def _names_begin(etcd: Etcd, keys: Keys, dc: str) -> str:
    """Two data centres give out no name twice."""
    first = await etcd.get(keys.home(0))
    return "" if first is None or rows.home_of(first.value).dc == dc else f"{dc}-"


def _stage(place: Existing | New, at: ClusterAt, opened: Admission, names: Mapping[str, Name | None]) -> Name:
    """All files of the node; what etcd shall say of its name."""
    base_port = place.begin(at, opened.hostname, names)
    key = trust.new_key()
    certificate = opened.authority.issue(at.name, key.public_key(), CLOCK)
    trust.write(place.files, opened.secret, opened.authority, key, certificate)
    newcomer.copy_etcd_files(at, place.files)
    digest = trust.digest_of(key.public_key())
    return Name(digest, newcomer.machine(), base_port, CLOCK.now_microseconds())


@contextmanager
def _cleared_if_refused(place: Existing | New) -> Iterator[None]:
    """Where etcd gave no answer it may be done: the same command finds what is staged, and goes on."""
    try:
        yield
    except EtcdError:
        raise
    except Exception:
        place.clear()
        raise


async def _begun(etcd: Etcd, keys: Keys, place: Existing | New) -> str:
    """The name that a command which did not end has got; empty: none."""
    own = [files_of(place.config)] if isinstance(place, Existing) else []
    for files in (place.files, *own):
        if files.certificate.exists():
            name, key = trust.name_in(files), trust.key_of(files.key.read_bytes()).public_key()
            if await is_owner(etcd, keys, name, trust.digest_of(key)):
                return name
    return ""


def _is_node(config: Config) -> bool:
    return config.cluster is not None and files_of(config).certificate.exists()


async def _renew(etcd: Etcd, keys: Keys, config: Config) -> None:
    """Of a node that is one already. Raises Failure where it is one of another cluster."""
    files = files_of(config)
    theirs = await authority_in(etcd, keys)
    if theirs is None or trust.pem_of(theirs) != files.authority.read_bytes():
        raise Failure(f"{config.directory} is a node of another cluster already")
    await renew(etcd, keys, files, CLOCK)
    name, until = trust.name_in(files), trust.ends(files)
    print(f"{config.directory} is {name} of this cluster already: a new certificate, until {until:%Y-%m-%d}")


def _at(options: argparse.Namespace, endpoints: Sequence[str], prefix: str, name: str) -> ClusterAt:
    """As the words of the command say. Raises ConfigError and Failure."""
    values = {
        "endpoints": [each.strip() for each in endpoints],
        "name": name,
        "prefix": prefix,
        **{key: getattr(options, key) for key in ("host", "rack", "dc", "listen")},
        "user": options.etcd_user,
    }
    at = cluster_of(options.directory, Table("mailnode cluster", "", values))
    password = ""
    if options.etcd_password_file is not None:
        password = options.etcd_password_file.read_text(encoding="utf-8").strip()
    if (options.etcd_certificate is None) != (options.etcd_key is None):
        raise Failure("--etcd-certificate and --etcd-key: both or neither")
    return replace(
        at,
        password=password,
        authority=options.etcd_authority,
        certificate=options.etcd_certificate,
        key=options.etcd_key,
    )


def _wish(options: argparse.Namespace) -> Wish:
    return Wish(
        options.base_port, options.hostname, options.allow_plaintext_auth, options.local_only, options.user
    )


def _say(config: Config) -> None:
    print(f"Serve:     mailnode up {config.directory}")
    print(making.servers(config))


def _run(work: Coroutine[Any, Any, None]) -> None:
    try:
        asyncio.run(work)
    except (EtcdError, Refused) as error:
        raise Failure(str(error)) from None
    except ValueError as error:  # files of the folder `cluster`
        raise Failure(f"what is of the cluster here is not as it was made: {error}") from None
