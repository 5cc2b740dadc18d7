"""Maildirs as Dovecot and Courier keep them, with keywords, UIDs and unique-ids.

Folders are those of Maildir++ (".Work.Old"), or lie in one another ("Work/Old"). Below the root no symbolic
link is followed: a Maildir is its user's, who must not have whoever imports it read what others have.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mailnode.mailbox.names import INBOX, SEPARATOR
from mailnode.mailbox.rows import ANSWERED, DELETED, DRAFT, FLAGGED, SEEN
from mailnode.migration.source import (
    UID_MAX,
    Box,
    Item,
    SourceError,
    level,
    origin_of,
    unique_id_of,
    valid_unique_id,
)
from protocols.imap import utf7

PIECE_OCTETS = 256 * 1024
FLAGS = {"D": DRAFT, "F": FLAGGED, "R": ANSWERED, "S": SEEN, "T": DELETED}
PASSED, FORWARDED = "P", "$Forwarded"
_ESCAPED = re.compile(r"%(2e|2f|25)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class UidList:
    """UIDs by the names of files up to their flags."""

    uid_validity: int
    uid_next: int
    uids: dict[str, int]
    unique_ids: dict[str, str]


class MaildirSource:
    """`name` tells apart stores whose files are named alike; `unique_ids` is a template of `unique_id_of`."""

    def __init__(self, root: Path, name: str, unique_ids: str) -> None:
        self._root = root
        self._name = name
        self._unique_ids = unique_ids

    def boxes(self) -> Sequence[Box]:
        if not self._root.is_dir():
            raise SourceError(f"{self._root} is no directory")
        found = sorted(self._found(self._root, ()), key=lambda each: each.name.split(SEPARATOR))
        if not found:
            raise SourceError(f"{self._root} is no Maildir: neither it nor a folder in it has cur and new")
        return found

    def _found(self, folder: Path, levels: tuple[str, ...]) -> Iterator[Box]:
        if _is_directory(folder / "cur") or _is_directory(folder / "new"):
            names = _uid_list(folder)
            messages = len(_files(folder / "cur")) + len(_files(folder / "new"))
            name = SEPARATOR.join(levels) or INBOX
            yield Box(name, folder, names.uid_validity, names.uid_next, messages=messages)
        for each in sorted(folder.iterdir()):
            if each.name in ("cur", "new", "tmp") or not _is_directory(each):
                continue
            if not each.name.startswith("."):
                yield from self._found(each, (*levels, _level(each.name)))
            elif each.name.strip(".") and not levels:
                yield from self._found(each, _levels(each.name[1:]))

    def subscribed(self) -> Iterable[str]:
        for name in ("subscriptions", "courierimapsubscribed"):
            path = self._root / name
            if _is_file(path):
                return list(_subscribed(path.read_text("utf-8", "surrogateescape").splitlines()))
        return ()

    def items(self, box: Box) -> Iterator[Item]:
        folder: Path = box.place
        names, keywords = _uid_list(folder), dovecot_keywords(folder)
        files = [(names.uids.get(_base(each), 0), each, "cur") for each in _files(folder / "cur")]
        files += [(names.uids.get(_base(each), 0), each, "new") for each in _files(folder / "new")]
        files.sort(key=lambda each: (each[0] == 0, each[0], each[1]))
        for uid, name, where in files:
            path = folder / where / name
            try:
                about = path.lstat()
            except FileNotFoundError:
                continue  # a client moved it: the next run finds it under its new name
            base = _base(name)
            letters = name.rpartition(":2,")[2] if ":2," in name else ""
            given = names.unique_ids.get(base, "")
            yield Item(
                label=str(path),
                origin=origin_of("maildir", self._name, box.name, base.partition(",")[0], about.st_size),
                place=path,
                size=about.st_size,
                flags=sum(bit for letter, bit in FLAGS.items() if letter in letters),
                keywords=_named(letters, keywords),
                internal_date=max(1, int(about.st_mtime)),
                uid=uid,
                unique_id=given or unique_id_of(self._unique_ids, uid, names.uid_validity, base),
            )

    def contents(self, box: Box, items: Sequence[Item]) -> Iterator[tuple[Item, Iterator[bytes]]]:
        for item in items:
            yield item, _pieces(item.place)

    def close(self) -> None:
        pass


def _files(folder: Path) -> list[str]:
    if not _is_directory(folder):
        return []
    found = (each for each in os.scandir(folder) if each.is_file(follow_symlinks=False))
    return [each.name for each in found if not each.name.startswith(".")]


def _is_directory(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _is_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _pieces(path: Path) -> Iterator[bytes]:
    with open(path, "rb", buffering=0, opener=_unlinked) as file:
        while piece := file.read(PIECE_OCTETS):
            yield piece


def _unlinked(path: str, flags: int) -> int:
    """Of what was no symbolic link when it was listed."""
    return os.open(path, flags | os.O_NOFOLLOW)


def _base(name: str) -> str:
    return name.partition(":")[0]


def _level(text: str) -> str:
    octets = text.encode("utf-8", "surrogateescape")
    decoded = utf7.decode(octets)
    whole = octets.decode("utf-8", "replace") if decoded is None else decoded
    return level(_ESCAPED.sub(lambda match: chr(int(match[1], 16)), whole))


def _levels(text: str) -> tuple[str, ...]:
    return tuple(_level(each) for each in text.split(".") if each)


def _named(letters: str, keywords: dict[str, str]) -> tuple[str, ...]:
    names = [keywords[letter] for letter in letters if letter in keywords]
    if PASSED in letters:
        names.append(FORWARDED)
    return tuple(dict.fromkeys(names))


def dovecot_keywords(folder: Path) -> dict[str, str]:
    """Letter -> keyword, of `dovecot-keywords`: lines of a number from 0 and a name."""
    path = folder / "dovecot-keywords"
    if not _is_file(path):
        return {}
    found = {}
    for line in path.read_text("utf-8", "replace").splitlines():
        number, _, name = line.partition(" ")
        if number.isdecimal() and int(number) < 26 and name:
            found[chr(ord("a") + int(number))] = name
    return found


def _uid_list(folder: Path) -> UidList:
    """Of `dovecot-uidlist`, else of Courier's `courierimapuiddb`, which has the form of its version 1."""
    for name in ("dovecot-uidlist", "courierimapuiddb"):
        path = folder / name
        if _is_file(path):
            lines = path.read_text("utf-8", "surrogateescape").splitlines()
            try:
                return _parsed_uid_list(lines)
            except (ValueError, LookupError):
                raise SourceError(f"{path} is no list of UIDs") from None
    return UidList(0, 0, {}, {})


def _parsed_uid_list(lines: Sequence[str]) -> UidList:
    version, *fields = lines[0].split()
    if version == "1":
        uid_validity, uid_next = int(fields[0]), int(fields[1])
    else:
        told = {field[0]: field[1:] for field in fields}
        uid_validity, uid_next = int(told["V"]), int(told["N"])
    uids: dict[str, int] = {}
    unique_ids: dict[str, str] = {}
    for line in lines[1:]:
        about, _, name = line.partition(" ") if version == "1" else line.partition(" :")
        uid, *more = about.split()
        base = _base(name)
        uids[base] = int(uid)
        for field in more:
            if field.startswith("P"):
                unique_ids[base] = valid_unique_id(field[1:])
    uid_next = max(uid_next, max(uids.values(), default=0) + 1)
    if max(uid_validity, uid_next) > UID_MAX or min(uid_validity, *uids.values(), 0) < 0:
        raise ValueError
    return UidList(uid_validity, uid_next, uids, unique_ids)


def _subscribed(lines: Sequence[str]) -> Iterator[str]:
    """Names as folders are named; or since Dovecot 2.3, behind a line of the version, levels between tabs."""
    if lines[:1] == ["V\t2"]:
        for line in lines[1:]:
            if line:
                yield SEPARATOR.join(_level(each) for each in line.split("\t"))
        return
    for line in lines:
        levels = _levels(line.removeprefix("INBOX.") if line.startswith("INBOX.") else line)
        if levels:
            yield SEPARATOR.join(levels)
