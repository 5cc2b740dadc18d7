"""An account as a Maildir++ that Dovecot takes over: with flags, keywords, dates, UIDs and unique-ids."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from mailnode.mailbox.names import INBOX, SEPARATOR
from mailnode.migration.departure import Stored
from mailnode.migration.lines import with_lf
from mailnode.migration.maildir import FLAGS, dovecot_keywords
from mailnode.migration.source import SourceError
from mailnode.pb import admin_pb2 as pb
from protocols.imap import utf7

KEYWORDS_MAX = 26
_OURS = re.compile(r"\d+\.V(\d+)U(\d+)\.mailnode,S=\d+(?::2,[A-Za-z]*)?")
_ESCAPES = {"%": "%25", ".": "%2e"}


class MaildirTarget:
    """`keeps_crlf`: files have the octets as stored; else LF for CRLF, as a Maildir does."""

    def __init__(self, root: Path, keeps_crlf: bool) -> None:
        self._root = root
        self._keeps_crlf = keeps_crlf

    def folder(self, mailbox: pb.ExportAnswer.Mailbox) -> MaildirFolder:
        path = self._root if mailbox.name == INBOX else self._root / f".{_encoded(mailbox.name)}"
        for name in ("cur", "new", "tmp"):
            (path / name).mkdir(0o700, parents=True, exist_ok=True)
        if path != self._root:
            (path / "maildirfolder").touch()
        return MaildirFolder(path, mailbox, self._keeps_crlf)

    def subscribe(self, names: Sequence[str]) -> None:
        self._root.mkdir(0o700, parents=True, exist_ok=True)
        _write(self._root / "subscriptions", "".join(f"{_encoded(name)}\n" for name in sorted(names)))


class MaildirFolder:
    def __init__(self, path: Path, mailbox: pb.ExportAnswer.Mailbox, keeps_crlf: bool) -> None:
        """Raises SourceError where the folder has what is not of this mailbox."""
        self._path = path
        self._row = mailbox.row
        self._keeps_crlf = keeps_crlf
        self._has_unique_ids = mailbox.name == INBOX
        self._letters = {name: letter for letter, name in dovecot_keywords(path).items()}
        self._names: dict[int, str] = {}
        self._unique_ids: dict[int, str] = {}
        for folder, name in _files(path):
            ours = _OURS.fullmatch(name) if folder == "cur" else None
            if ours is None or int(ours[1]) != self._row.uid_validity:
                raise SourceError(f"{path} has messages that are not of {mailbox.name!a}, such as {name!a}")
            self._names[int(ours[2])] = name

    def present(self) -> Sequence[int]:
        return sorted(self._names)

    def mark(self, message: pb.ExportAnswer.Message) -> None:
        before = self._names[message.uid]
        self._place(message, self._path / "cur" / before, before.partition(":")[0])

    def write(self, message: pb.ExportAnswer.Message, stored: Stored) -> None:
        path = self._path / "tmp" / f"{message.uid}.mailnode"
        size = 0
        with path.open("wb") as file:
            for piece in stored.pieces() if self._keeps_crlf else with_lf(stored.pieces()):
                size += file.write(piece)
        os.utime(path, (message.internal_date, message.internal_date))
        base = f"{message.internal_date}.V{self._row.uid_validity}U{message.uid}.mailnode,S={size}"
        self._place(message, path, base)

    def _place(self, message: pb.ExportAnswer.Message, path: Path, base: str) -> None:
        letters = [letter for letter, bit in FLAGS.items() if message.flags & bit]
        letters += [letter for name in message.keywords if (letter := self._letter(name))]
        name = f"{base}:2,{''.join(sorted(letters))}"
        path.rename(self._path / "cur" / name)
        self._names[message.uid] = name
        self._unique_ids[message.uid] = message.unique_id

    def _letter(self, keyword: str) -> str:
        """Empty where all letters are taken."""
        if keyword not in self._letters and len(self._letters) < KEYWORDS_MAX:
            self._letters[keyword] = chr(ord("a") + len(self._letters))
        return self._letters.get(keyword, "")

    def finish(self) -> None:
        letters = sorted((letter, name) for name, letter in self._letters.items())
        numbers = "".join(f"{ord(letter) - ord('a')} {name}\n" for letter, name in letters)
        if numbers:
            _write(self._path / "dovecot-keywords", numbers)
        _write(self._path / "dovecot-uidlist", "".join(self._uid_list()))

    def _uid_list(self) -> Iterator[str]:
        yield f"3 V{self._row.uid_validity} N{self._row.uid_next}\n"
        for uid in sorted(self._unique_ids):
            unique_id = f" P{self._unique_ids[uid]}" if self._has_unique_ids else ""
            yield f"{uid}{unique_id} :{self._names[uid].partition(':')[0]}\n"


def _files(path: Path) -> Iterator[tuple[str, str]]:
    """Of messages, with the folder they are in."""
    for folder in ("cur", "new"):
        yield from ((folder, each.name) for each in os.scandir(path / folder) if each.name[:1] != ".")


def _encoded(name: str) -> str:
    return ".".join(_encoded_levels(name.split(SEPARATOR)))


def _encoded_levels(levels: Iterable[str]) -> Iterator[str]:
    """A level cannot have the separator of Maildir++: that is %2e then, as Dovecot can be told."""
    for each in levels:
        escaped = each
        if "." in each or "%2" in each:
            escaped = "".join(_ESCAPES.get(character, character) for character in each)
        yield utf7.encode(escaped).decode("ascii")


def _write(path: Path, text: str) -> None:
    """Whole or not at all."""
    making = path.with_name(f"{path.name}.making")
    making.write_text(text, "utf-8")
    making.rename(path)
