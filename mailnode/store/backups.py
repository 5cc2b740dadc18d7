"""Backups in a directory: files that are kept once, and for each backup a list of those that it is made of.

    files/CHECKSUM    octets of a file, named by their BLAKE2b-128 checksum
    NAME.json         a backup: of each of its files the path, size, mode and checksum

Files of a shard never change once they are written, so a backup copies those alone that no earlier one has.
A list is written last, and at once: a backup that was cut short is none, and leaves the others as they are.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any, BinaryIO

FORMAT = 1
_PIECE_OCTETS = 1024 * 1024
_CHECKSUM_OCTETS = 16
_CHECKSUM = re.compile(r"[0-9a-f]{32}")

_Identity = tuple[str, str, int, int]

Progress = Callable[[int], None]
"""Told of octets as they are done."""


class BackupError(Exception):
    """The text is one line."""


@dataclass(frozen=True, slots=True)
class File:
    """`path` within the node's directory; `changed` in nanoseconds."""

    path: str
    octets: int
    mode: int
    changed: int
    checksum: str


@dataclass(frozen=True, slots=True)
class Backup:
    name: str
    format: int
    made: int  # microseconds
    incarnation: str  # of the shard
    files: tuple[File, ...]
    account: str = ""
    """Its address, where the backup has one account only."""

    @property
    def octets(self) -> int:
        return sum(file.octets for file in self.files)


@dataclass(frozen=True, slots=True)
class Source:
    """A file to be kept, and its path within the node's directory."""

    file: Path
    path: str


class Backups:
    """Those of a directory. `make` and `prune` lock it."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._files = directory / "files"

    # -- what there is

    def all(self) -> list[Backup]:
        """Those whose lists can be read, the oldest first; raises BackupError where there is no directory."""
        return [one for one in self._lists() if isinstance(one, Backup)]

    def unreadable(self) -> list[str]:
        """A line for each list that is damaged."""
        return [one for one in self._lists() if isinstance(one, str)]

    def _lists(self) -> list[Backup | str]:
        if not self._directory.is_dir():
            raise BackupError(f"{self._directory} is no directory of backups")
        return [_read(file) for file in sorted(self._directory.glob("*.json"))]

    def named(self, name: str, account: str = "") -> Backup:
        """The last with an empty name: of everything, or, if `account` is given, of that one too.

        Raises BackupError.
        """
        found = [one for one in self.all() if one.account in ("", account) and name in ("", one.name)]
        if not found:
            whole = "of everything " if not account else ""
            raise BackupError(f"{self._directory} has no backup {whole}{name}".rstrip())
        return found[-1]

    def kept(self, file: File) -> Path:
        """Where the octets of a file are."""
        return self._files / file.checksum

    def faults(self, backup: Backup, progress: Progress) -> Iterator[str]:
        """What is wrong with it, a line each."""
        for file in backup.files:
            fault = self._fault(file, progress)
            if fault:
                yield f"{backup.name}: {file.path}: {fault}"

    def _fault(self, file: File, progress: Progress) -> str:
        kept = self.kept(file)
        try:
            octets = kept.stat().st_size
            if octets != file.octets:
                return f"{kept} has {octets} octets, not {file.octets}"
            with kept.open("rb") as stream:
                if _copied(stream, None, progress) != file.checksum:
                    return f"{kept} is not what was written"
        except OSError as error:
            return f"{kept} is not readable: {error.strerror}"
        return ""

    # -- making

    def make(
        self,
        sources: Iterable[Source],
        incarnation: str,
        made: int,
        progress: Progress,
        account: str = "",
    ) -> Backup:
        """A further backup; raises BackupError and OSError."""
        for folder in (self._directory, self._files):
            folder.mkdir(0o700, parents=True, exist_ok=True)
        with self._locked():
            known = {_identity(one, file): file for one in self.all() for file in one.files}
            files = [self._keep(source, incarnation, known, progress) for source in sources]
            sync(self._files)
            name = datetime.fromtimestamp(made / 1e6, UTC).strftime("%Y-%m-%dT%H-%M-%S.%fZ")
            backup = Backup(name, FORMAT, made, incarnation, tuple(files), account)
            self._write(backup)
            return backup

    def _keep(
        self, source: Source, incarnation: str, known: dict[_Identity, File], progress: Progress
    ) -> File:
        status = source.file.stat()
        same = known.get((incarnation, source.path, status.st_size, status.st_mtime_ns))
        if same is not None and _has_size(self.kept(same), same.octets):
            progress(same.octets)
            return same
        part = self._files / ".part"
        with source.file.open("rb") as stream, open(part, "wb", opener=_private) as kept:
            checksum = _copied(stream, kept, progress)
            kept.flush()
            os.fsync(kept.fileno())
            octets = kept.tell()
        part.rename(self._files / checksum)
        return File(source.path, octets, status.st_mode & 0o7777, status.st_mtime_ns, checksum)

    def _write(self, backup: Backup) -> None:
        values = asdict(backup)
        text = json.dumps(values | {"checksum": _checksum_of(values)}, indent=1)
        part = self._directory / ".part"
        with open(part, "w", encoding="utf-8", opener=_private) as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.rename(self._directory / f"{backup.name}.json")
        sync(self._directory)

    def prune(self, count: int) -> list[str]:
        """Drop all but the last `count` backups, of everything and of each account, and files that none has;
        gives the names that are gone.

        Raises BackupError while a list is damaged: which files it needs cannot be told.
        """
        with self._locked():
            for line in self.unreadable():
                raise BackupError(f"{line}: take it away first")
            backups = self.all()
            last = {one.name for of in _by_account(backups).values() for one in of[-count:]}
            gone = [one for one in backups if one.name not in last]
            for one in gone:
                (self._directory / f"{one.name}.json").unlink()
            sync(self._directory)
            needed = {file.checksum for one in backups if one.name in last for file in one.files}
            for kept in self._files.iterdir():
                if kept.name not in needed:
                    kept.unlink()
        return [one.name for one in gone]

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with open(self._directory / ".lock", "w", opener=_private) as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise BackupError(f"another backup is being made in {self._directory}") from None
            yield

    # -- giving back

    def lay_out(self, backup: Backup, directory: Path, progress: Progress) -> None:
        """Copy its files to where they were, within `directory`; durably.

        Raises BackupError at the first that is not as it was written.
        """
        for file in backup.files:
            target = directory / file.path
            target.parent.mkdir(0o700, parents=True, exist_ok=True)
            kept = self.kept(file)
            try:
                with kept.open("rb") as stream, open(target, "wb", opener=_private) as copy:
                    checksum = _copied(stream, copy, progress)
                    copy.flush()
                    os.fsync(copy.fileno())
            except FileNotFoundError:
                raise BackupError(f"{backup.name} is not whole: {kept} is missing ({file.path})") from None
            if checksum != file.checksum:
                raise BackupError(f"{backup.name} is not whole: {kept} is not what was written ({file.path})")
            target.chmod(file.mode)
        for folder in {(directory / file.path).parent for file in backup.files}:
            sync(folder)


def _by_account(backups: Iterable[Backup]) -> dict[str, list[Backup]]:
    found: dict[str, list[Backup]] = {}
    for one in backups:
        found.setdefault(one.account, []).append(one)
    return found


def _identity(backup: Backup, file: File) -> _Identity:
    """Of a file of a shard: what has these never changed in between."""
    return backup.incarnation, file.path, file.octets, file.changed


def _read(file: Path) -> Backup | str:
    """Or what is wrong with it."""
    try:
        values: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        checksum = values.pop("checksum")
        if values["format"] != FORMAT:
            return f"{file} has format {values['format']}, this program knows {FORMAT}"
        files = tuple(File(**each) for each in values["files"])
        if checksum != _checksum_of(values) or not all(_is_safe(each) for each in files):
            return f"{file} is not what was written"
        return Backup(**(values | {"files": files}))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return f"{file} is no list of a backup: {error}"


def _is_safe(file: File) -> bool:
    """Whether it stays within the directory that it is laid out in."""
    parts = Path(file.path).parts
    return (
        bool(parts)
        and ".." not in parts
        and not Path(file.path).is_absolute()
        and bool(_CHECKSUM.fullmatch(file.checksum))
    )


def _checksum_of(values: dict[str, Any]) -> str:
    text = json.dumps(values, sort_keys=True, separators=(",", ":"))
    return blake2b(text.encode(), digest_size=_CHECKSUM_OCTETS).hexdigest()


def _copied(source: BinaryIO, target: BinaryIO | None, progress: Progress) -> str:
    """The checksum of what was copied."""
    checksum = blake2b(digest_size=_CHECKSUM_OCTETS)
    while piece := source.read(_PIECE_OCTETS):
        checksum.update(piece)
        if target is not None:
            target.write(piece)
        progress(len(piece))
    return checksum.hexdigest()


def _has_size(file: Path, octets: int) -> bool:
    try:
        return file.stat().st_size == octets
    except FileNotFoundError:
        return False


def _private(path: str, flags: int) -> int:
    """Mail and keys are their owner's alone."""
    return os.open(path, flags, 0o600)


def sync(directory: Path) -> None:
    """What was made in it, or renamed, is durable."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
