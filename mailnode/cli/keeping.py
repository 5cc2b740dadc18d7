"""Backups of a node, and nodes out of backups."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mailnode import node
from mailnode.admin.extracting import extract
from mailnode.admin.keeping import beside_shard
from mailnode.admin.restoring import NotRestored
from mailnode.cli.asking import ask
from mailnode.cli.failure import Failure
from mailnode.cli.printing import Column, number, octets, print_json, show_rows, text, time
from mailnode.clock import SystemClock
from mailnode.cluster import local_map, whole
from mailnode.config import LIMITS, Config, load, shard_of
from mailnode.mailbox.appended import replay
from mailnode.mailbox.raising import raise_all
from mailnode.pb import admin_pb2 as pb
from mailnode.store.backups import Backup, BackupError, Backups, Progress, Source, sync
from mailnode.store.shard import RocksShard, open_shard

SHARD = shard_of(0)
BACKUPS = (
    Column("BACKUP", lambda one: one.name),
    Column("MADE", lambda one: time(one.made)),
    Column("OF", lambda one: text(one.account) or "everything"),
    number("FILES", lambda one: len(one.files)),
    number("SIZE", lambda one: octets(one.octets)),
)


def make(options: argparse.Namespace) -> None:
    """The node makes the checkpoint, or none runs; this process copies it."""
    directory = load(options.directory).directory.absolute()
    backups = Backups(options.backups.absolute())
    if backups_within(options.backups, directory):
        raise Failure(f"{options.backups} lies in the node's directory: a backup belongs on another disk")
    made = ask(options, pb.CheckpointRequest())
    each = sorted((made, *made.others), key=lambda one: one.folder)
    try:
        if options.account:
            backup = _make_of_account(backups, {one.folder: Path(one.path) for one in each}, options)
        else:
            beside = (Source(directory / path, str(path)) for path in beside_shard(directory))
            shards = (source for one in each for source in _shard_sources(Path(one.path), one.folder))
            incarnation = b"".join(one.incarnation for one in each)
            backup = _kept(backups, [*shards, *beside], incarnation, made.made)
    except (BackupError, NotRestored) as error:
        raise Failure(str(error)) from None
    finally:
        for one in each:
            ask(options, pb.CheckpointDropRequest(path=one.path))
    print(f"{backup.name}: {len(backup.files)} files, {octets(backup.octets)}")
    if options.keep:
        _prune(backups, options.keep)


def _make_of_account(backups: Backups, folders: Mapping[str, Path], options: argparse.Namespace) -> Backup:
    """Its rows lie in a shard of their own for a moment, on the disk of the backups."""
    clock = SystemClock()
    mapped = local_map.read(load(options.directory).map_file)

    def checkpoint(partition: int) -> Path:
        return folders[shard_of(0 if mapped is None else mapped.owners[partition])]

    options.backups.mkdir(0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".account-", dir=options.backups.absolute()) as directory:
        path = Path(directory) / SHARD
        address, incarnation = extract(checkpoint, options.account, path, clock)
        return _kept(backups, _shard_sources(path, SHARD), incarnation, clock.now_microseconds(), address)


def _kept(
    backups: Backups, sources: Sequence[Source], incarnation: bytes, made: int, account: str = ""
) -> Backup:
    whole = sum(source.file.stat().st_size for source in sources)
    with _told(whole) as progress:
        return backups.make(sources, incarnation.hex(), made, progress, account)


def backups_within(backups: Path, directory: Path) -> bool:
    return backups.absolute().is_relative_to(directory)


def _shard_sources(checkpoint: Path, folder: str) -> list[Source]:
    return [Source(file, f"{folder}/{file.name}") for file in sorted(checkpoint.iterdir())]


def list_(options: argparse.Namespace) -> None:
    backups = Backups(options.backups)
    try:
        rows = backups.all()
        damaged = backups.unreadable()
    except BackupError as error:
        raise Failure(str(error)) from None
    if options.json:
        print_json([_plain(one) for one in rows])
    else:
        show_rows(rows, BACKUPS)
    for line in damaged:
        print(f"mailnode: {line}", file=sys.stderr)


def _plain(one: Backup) -> dict[str, Any]:
    return {k: v for k, v in asdict(one).items() if k != "files"} | {
        "files": len(one.files),
        "octets": one.octets,
    }


def verify(options: argparse.Namespace) -> None:
    """Every octet of a backup, or of all, is read."""
    backups = Backups(options.backups)
    try:
        chosen = [backups.named(options.backup)] if options.backup else backups.all()
        faults = list(backups.unreadable())
    except BackupError as error:
        raise Failure(str(error)) from None
    with _told(sum(one.octets for one in chosen)) as progress:
        for one in chosen:
            faults += backups.faults(one, progress)
    for line in faults:
        print(line)
    if faults:
        raise Failure(f"{len(faults)} faults")
    print(f"{len(chosen)} backups are whole")


def prune(options: argparse.Namespace) -> None:
    _prune(Backups(options.backups), options.keep)


def _prune(backups: Backups, count: int) -> None:
    try:
        gone = backups.prune(count)
    except BackupError as error:
        raise Failure(str(error)) from None
    for name in gone:
        print(f"{name} is gone")


def restore(options: argparse.Namespace) -> None:
    backups = Backups(options.backups)
    try:
        if options.account:
            _restore_account(options)
        else:
            _restore_all(backups, backups.named(options.backup), options.directory)
    except BackupError as error:
        raise Failure(str(error)) from None


def _restore_account(options: argparse.Namespace) -> None:
    request = pb.AccountRestoreRequest(
        backups=str(options.backups.absolute()),
        backup=options.backup,
        address=options.account,
        into=options.into,
    )
    answer = ask(options, request)
    how = "as it was" if answer.whole else "into what is there"
    print(f"{answer.address}: {answer.messages} messages came back {how}; {answer.present} were there")


def _restore_all(backups: Backups, backup: Backup, directory: Path) -> None:
    """All or nothing: laid out beside its directory, then renamed to it."""
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise Failure(f"{directory} is there already, and not empty: a node is restored into a new one")
    making = directory.absolute().with_name(f".{directory.name}.restoring")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(0o700, parents=True)
    try:
        with _told(backup.octets) as progress:
            backups.lay_out(backup, making, progress)
        accounts = sum(raise_in(config) for config in node.members(making))
        making.rename(directory)
        sync(directory.absolute().parent)
    except BaseException:
        shutil.rmtree(making, ignore_errors=True)
        raise
    print(f"{directory}: {accounts} accounts as of {backup.name}; what waited for other servers is on hold")


def raise_in(config: Config) -> int:
    """Every account of a node's shard beyond what was given out since; how many."""
    incarnation = SystemClock().random(16)
    shard = open_shard(config.shard, config.memory_octets, b"")
    try:
        shard.renew(incarnation)
        local_map.renew(config.map_file, config.node, incarnation)
        return raise_shard(shard)
    finally:
        shard.close()


def raise_shard(shard: RocksShard) -> int:
    """As `raise_in`."""
    whole.finish(shard, replay, LIMITS.part_rows_max)  # else it would come after what is raised
    return raise_all(shard, SystemClock().now_microseconds())


class _told:  # used as a function
    """Progress in per cent on a terminal."""

    def __init__(self, whole: int) -> None:
        self._whole = whole
        self._done = 0
        self._shown = -1
        self._is_shown = sys.stderr.isatty()

    def __enter__(self) -> Progress:
        return self._add

    def __exit__(self, *_: object) -> None:
        if self._shown >= 0:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)

    def _add(self, count: int) -> None:
        self._done += count
        percent = 100 * self._done // max(self._whole, 1)
        if self._is_shown and percent != self._shown:
            self._shown = percent
            print(f"\r{percent:3d} % of {octets(self._whole)}", end="", file=sys.stderr, flush=True)
