"""What a cluster's commands write into a node's directory, so that one that was killed can be typed again.

A directory that is there gets the folder `cluster`, made beside it under another name, then the table
[cluster] in mailnode.toml. One that is not there is made whole under another name. Either is renamed once
etcd says that the name in the certificate is this key's.
"""

from __future__ import annotations

import shutil
import socket
from collections.abc import Collection, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from mailnode import certificate, node
from mailnode.admin import client
from mailnode.cli import making
from mailnode.cli.failure import Failure
from mailnode.clock import SystemClock
from mailnode.cluster.authority import FOLDER, Files
from mailnode.cluster.etcd_rows import Name
from mailnode.cluster.joined import is_empty
from mailnode.cluster.target import target
from mailnode.clustered import PASSWORD_FILE, ClusterAt, with_cluster
from mailnode.config import FILE, STANDARD_PORTS, Config, load
from mailnode.config_text import text_of
from mailnode.durable import sync, write_whole
from mailnode.store.shard import open_shard

BASE_PORTS = range(10_000, 60_000, 1000)
"""Of the nodes of one machine."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a directory that is to be made shall be, as whoever typed the command says."""

    base_port: int | None
    """None: whichever is free."""
    hostname: str
    """Empty: that of the node which made the token."""
    allow_plaintext_auth: bool
    local_only: bool
    user: str


@dataclass(frozen=True, slots=True)
class Existing:
    """A directory that `init` made."""

    config: Config

    @property
    def files(self) -> Files:
        """They count once `finish` was called."""
        return Files(self.config.directory / f".{FOLDER}.making")

    def begin(self, at: ClusterAt, hostname: str, names: Mapping[str, Name | None]) -> int:
        """Where its listeners are, once all is well. Raises Failure, ConfigError and ShardError."""
        refuse_unfit(self.config)
        self.clear()
        bases = [
            listener.port - STANDARD_PORTS[listener.service]
            for listener in self.config.listeners
            if listener.service in STANDARD_PORTS
        ]
        return max(0, min(bases, default=0))

    def clear(self) -> None:
        """Drop what is staged."""
        shutil.rmtree(self.files.folder, ignore_errors=True)

    def finish(self, at: ClusterAt) -> Config:
        """The directory is a node of the cluster from now on. Raises OSError."""
        directory = self.config.directory
        if not (directory / FOLDER).exists():
            self.files.folder.rename(directory / FOLDER)
            sync(directory)
        file = directory / FILE
        write_whole(file, with_cluster(file.read_text(encoding="utf-8"), directory, at))
        return load(directory)


@dataclass(frozen=True, slots=True)
class New:
    """A directory that is not there; as Existing."""

    directory: Path
    wish: Wish

    @property
    def making(self) -> Path:
        return making.beside(self.directory)

    @property
    def files(self) -> Files:
        return Files(self.making / FOLDER)

    def clear(self) -> None:
        shutil.rmtree(self.making, ignore_errors=True)

    def begin(self, at: ClusterAt, hostname: str, names: Mapping[str, Name | None]) -> int:
        wish = self.wish
        bases = [each.base_port for each in names.values() if each is not None and each.machine == machine()]
        base_port = free_base_port(bases) if wish.base_port is None else wish.base_port
        config = making.told(self.directory, wish.hostname or hostname, base_port, wish.allow_plaintext_auth)
        if not wish.local_only:
            config = making.open_to_all(config)
        self.clear()
        self._write(replace(config, user=wish.user, cluster=written(at, self.directory)))
        return base_port

    def _write(self, config: Config) -> None:
        """All but the folder `cluster`; `config` is of the directory as it will be. Raises Failure."""
        target(config.admin_socket)  # a path too long is better known now
        self.making.mkdir(0o700, parents=True)
        (self.making / FILE).write_text(text_of(config))
        chain, key = (
            self.making / path.relative_to(config.directory) for path in (config.certificate, config.key)
        )
        chain.parent.mkdir()
        certificate.write_self_signed(chain, key, [config.hostname], SystemClock())
        shard = self.making / config.shard.relative_to(config.directory)
        open_shard(shard, config.memory_octets, SystemClock().random(16)).close()
        making.give(self.making, config.user)
        for path in (self.making, *self.making.rglob("*")):
            sync(path)

    def finish(self, at: ClusterAt) -> Config:
        making.give(self.making, self.wish.user)
        if self.directory.exists():
            self.directory.rmdir()  # it was empty
        self.making.rename(self.directory)
        sync(self.directory.absolute().parent)
        return load(self.directory)


def is_vacant(directory: Path) -> bool:
    """Nothing is there, or an empty directory."""
    return not directory.exists() or (directory.is_dir() and not any(directory.iterdir()))


def refuse_unfit(config: Config) -> None:
    """Only one that has no mail comes into a cluster. Raises Failure, ConfigError and ShardError."""
    directory = config.directory
    if config.cluster is not None:
        raise Failure(
            f"{directory / FILE}: there is a table [cluster], and no {directory / FOLDER}: take it out"
        )
    if (directory / FOLDER).exists():
        raise Failure(f"{directory / FOLDER}: what it was in another cluster by is there: take it away")
    if client.is_running(config.admin_socket):
        raise Failure(f"{directory} is served: stop `mailnode up` there first")
    if len(node.members(directory)) > 1:
        raise Failure(f"{directory} has several nodes of its own: in a cluster each has a directory")
    with closing(open_shard(config.shard, config.memory_octets, SystemClock().random(16))) as shard:
        if shard.cluster:
            raise Failure(f"{config.shard} belongs to cluster {shard.cluster.hex()} already")
        if not is_empty(shard):
            raise Failure(
                f"{directory} has accounts of its own, of which no cluster knows: export their mail, "
                "begin with a directory that has none, and import it there"
            )


def written(at: ClusterAt, directory: Path) -> ClusterAt:
    """As mailnode.toml of the directory says it: with files of etcd's TLS that lie there."""
    folder = directory / FOLDER
    return replace(
        at,
        authority=at.authority and folder / "etcd-authority.pem",
        certificate=at.certificate and folder / "etcd-certificate.pem",
        key=at.key and folder / "etcd-key.pem",
    )


def copy_etcd_files(at: ClusterAt, files: Files) -> None:
    """Into the folder, for their owner alone. Raises OSError."""
    there = written(at, files.folder.parent)
    for given, named in (
        (at.authority, there.authority),
        (at.certificate, there.certificate),
        (at.key, there.key),
    ):
        if given is not None and named is not None:
            write_whole(files.folder / named.name, given.read_text())
    if at.password:
        write_whole(files.folder / Path(PASSWORD_FILE).name, at.password + "\n")


def free_base_port(taken: Collection[int]) -> int:
    """Beside the nodes of this machine, by theirs, and beside whoever listens now. Raises Failure."""
    theirs = {base + port for base in taken for port in STANDARD_PORTS.values()}
    for base in BASE_PORTS:
        ours = {base + port for port in STANDARD_PORTS.values()}
        if not ours & theirs and all(map(_is_free, ours)):
            return base
    raise Failure("no ports are free on this machine: choose some by --base-port")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((making.LOOPBACK, port))
        except OSError:
            return False
        return True


def machine() -> str:
    return socket.gethostname()
