"""An account as mbox files (mboxrd), with flags, keywords and UIDs in the fields of UW IMAP and Dovecot."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from mailnode.mailbox.names import SEPARATOR
from mailnode.mailbox.rows import ANSWERED, DELETED, DRAFT, FLAGGED, SEEN
from mailnode.migration.departure import Stored
from mailnode.migration.lines import replaced, with_lf
from mailnode.pb import admin_pb2 as pb

_FROM = re.compile(rb"^(>*From )", re.MULTILINE)
_RETURN_PATH = re.compile(rb"^Return-Path:[ \t]*<([^<>\s]+)>", re.MULTILINE | re.IGNORECASE)
_SUFFIX = ".mbox"
_STATUS = {"A": ANSWERED, "F": FLAGGED, "D": DELETED, "T": DRAFT}


class MboxTarget:
    """`INBOX.mbox`, and for `Work/Old` `Work/Old.mbox`; `keeps_crlf` as of MaildirTarget."""

    def __init__(self, root: Path, keeps_crlf: bool) -> None:
        self._root = root
        self._keeps_crlf = keeps_crlf

    def folder(self, mailbox: pb.ExportAnswer.Mailbox) -> MboxFolder:
        *levels, leaf = mailbox.name.split(SEPARATOR)
        path = self._root.joinpath(*map(_file_name, levels)) / f"{_file_name(leaf)}{_SUFFIX}"
        path.parent.mkdir(0o700, parents=True, exist_ok=True)
        return MboxFolder(path, mailbox, self._keeps_crlf)

    def subscribe(self, names: Sequence[str]) -> None:
        """An mbox has nothing for them."""


class MboxFolder:
    """Its file is there once it is whole."""

    def __init__(self, path: Path, mailbox: pb.ExportAnswer.Mailbox, keeps_crlf: bool) -> None:
        self._path = path
        self._making = path.with_name(f".{path.name}.making")
        self._row = mailbox.row
        self._keeps_crlf = keeps_crlf
        self._line_end = b"\r\n" if keeps_crlf else b"\n"
        self._file: IO[bytes] = open(self._making, "wb", opener=_private)  # noqa: SIM115  # until `finish`

    def present(self) -> Sequence[int]:
        return ()

    def mark(self, message: pb.ExportAnswer.Message) -> None:
        """Never asked: nothing is present."""

    def write(self, message: pb.ExportAnswer.Message, stored: Stored) -> None:
        first = next(stored.pieces(), b"")
        self._file.write(self._front(message, first, self._length(stored, first)))
        last = b""
        for piece in self._pieces(stored):
            self._file.write(piece)
            last = piece or last
        # The line that ends the message, and the empty one.
        self._file.write(self._line_end if last.endswith(b"\n") or not last else 2 * self._line_end)

    def _pieces(self, stored: Stored) -> Iterator[bytes]:
        octets = stored.pieces() if self._keeps_crlf else with_lf(stored.pieces())
        return replaced(octets, _FROM, rb">\1")

    def _front(self, message: pb.ExportAnswer.Message, first: bytes, length: bytes) -> bytes:
        sender = _RETURN_PATH.search(first[: first.find(b"\r\n\r\n") + 2])
        date = time.asctime(time.gmtime(message.internal_date)).encode()
        status = "".join(letter for letter, bit in _STATUS.items() if message.flags & bit)
        lines = [b"From %b %b" % (sender[1] if sender else b"MAILER-DAEMON", date)]
        if not self._file.tell():
            lines.append(b"X-IMAPbase: %d %010d" % (self._row.uid_validity, self._row.uid_next - 1))
        lines += [
            b"X-UID: %d" % message.uid,
            b"Status: RO" if message.flags & SEEN else b"Status: O",
            b"X-Status: " + status.encode(),
            b"X-Keywords: " + " ".join(message.keywords).encode(),
            *length.splitlines(),
        ]
        return b"".join(line + self._line_end for line in lines)

    def _length(self, stored: Stored, first: bytes) -> bytes:
        """Content-Length, where an mbox could not say that the last line has no end."""
        header = first.find(b"\r\n\r\n") + 4
        if stored.ends_a_line() or header < 4:
            return b""
        whole = sum(map(len, self._pieces(stored)))
        return b"Content-Length: %d" % (whole - self._header_octets(first[:header]))

    def _header_octets(self, header: bytes) -> int:
        octets = (header,) if self._keeps_crlf else with_lf((header,))
        return sum(map(len, replaced(octets, _FROM, rb">\1")))

    def finish(self) -> None:
        self._file.close()
        if self._row.messages:
            self._making.rename(self._path)
        else:
            self._making.unlink()  # an empty file is no mbox


def _file_name(level: str) -> str:
    """No level hides, leads elsewhere or is the file of another mailbox; and no two are one."""
    if "%2" in level:
        level = level.replace("%", "%25")
    if level.startswith("."):
        level = f"%2e{level[1:]}"
    stem = level.removesuffix(_SUFFIX)
    return level if stem == level else f"{stem}%2e{_SUFFIX[1:]}"


def _private(path: str, flags: int) -> int:
    """Mail is its owner's alone."""
    return os.open(path, flags, 0o600)
