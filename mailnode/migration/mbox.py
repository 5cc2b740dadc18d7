"""mbox files, RFC 4155 and its older kin: one, or a tree of them.

A message begins at a line "From " with a time and a year in it, or with one word and a field behind it; where
its Content-Length leads to the next such line or to the end, that is believed (mboxcl). Flags, keywords and
UIDs are in header fields as UW IMAP, Pine, mutt and Dovecot keep them; these are the mailbox's, not the
message's, and do not come along.
"""

from __future__ import annotations

import mmap
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from hashlib import blake2b
from itertools import chain
from pathlib import Path

from mailnode.mailbox.names import INBOX, SEPARATOR
from mailnode.mailbox.rows import ANSWERED, DELETED, DRAFT, FLAGGED, SEEN
from mailnode.migration.lines import replaced
from mailnode.migration.source import UID_MAX, Box, Item, SourceError, level, origin_of, unique_id_of
from protocols.mime.date import read_date

_PIECE_OCTETS = 256 * 1024
_FROM = re.compile(
    rb"\nFrom (?:(?=[^\r\n]*\d:\d\d)(?=[^\r\n]*\b(?:19|20)\d\d\b)|(?=\S+[ \t]*\r?\n[!-9;-~]+[ \t]*:))"
)
_HEADER_END = re.compile(rb"\r?\n\r?\n")
_FIELD = re.compile(
    rb"^(Status|X-Status|X-Keywords|X-UID|X-IMAP|X-IMAPbase|Content-Length):[ \t]*"
    rb"([^\r\n]*(?:\r?\n[ \t]+[^\r\n]*)*)(?:\r?\n|\Z)",
    re.MULTILINE | re.IGNORECASE,
)
_OURS = re.compile(
    rb"(?:X-IMAPbase: [^\r\n]*\r?\n)?X-UID: \d+\r?\nStatus: [RO]*\r?\nX-Status: [AFDT]*\r?\n"
    rb"X-Keywords: [^\r\n]*\r?\n(?:Content-Length: \d+\r?\n)?"
)
"""What our export puts before a header: what else the message has of such fields is its own."""
_MARK = b"\xef\xbb\xbf"  # UTF-8, as some editors begin a file
_INTERNAL = b"DON'T DELETE THIS MESSAGE"
_LETTERS = {b"R": SEEN, b"A": ANSWERED, b"F": FLAGGED, b"D": DELETED, b"T": DRAFT}
_DAY = re.compile(rb"\b((?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\b[^\r\n]*)")
_DATE = re.compile(rb"^Date:[ \t]*([^\r\n]*)", re.MULTILINE | re.IGNORECASE)
_NOT_MBOX = frozenset((".msf", ".dat", ".json", ".html", ".lock", ".index", ".cache"))


class Quoting(Enum):
    """What stands before a line of a message that begins with "From ": one ">" more, one, or none."""

    MBOXRD = "mboxrd"
    MBOXO = "mboxo"
    MBOXCL2 = "mboxcl2"


_QUOTED = {
    Quoting.MBOXRD: re.compile(rb"^>(>*From )", re.MULTILINE),
    Quoting.MBOXO: re.compile(rb"^>(From )", re.MULTILINE),
}


@dataclass(frozen=True, slots=True)
class Span:
    """Where a message lies in its file: its header as it shall be, and the octets of its body."""

    header: bytes
    body: int
    end: int


class MboxSource:
    """`name` and `unique_ids` as of MaildirSource."""

    def __init__(self, root: Path, name: str, unique_ids: str, quoting: Quoting) -> None:
        self._root = root
        self._name = name
        self._unique_ids = unique_ids
        self._quoted = _QUOTED.get(quoting)

    def boxes(self) -> Sequence[Box]:
        if self._root.is_file():
            if not _is_mbox(self._root):
                raise SourceError(f'{self._root} is no mbox: it does not begin with "From "')
            stem = _stem(self._root)
            return [_box(INBOX if stem.lower() in ("inbox", "mbox") else level(stem), self._root)]
        if not self._root.is_dir():
            raise SourceError(f"{self._root} is not there")
        found = [_box(_name(path.relative_to(self._root)), path) for path in _files(self._root)]
        if not found:
            raise SourceError(f"no file below {self._root} is an mbox")
        return sorted(found, key=lambda each: each.name.split(SEPARATOR))

    def subscribed(self) -> Iterable[str]:
        return ()

    def items(self, box: Box) -> Iterator[Item]:
        seen: Counter[bytes] = Counter()
        last = 0
        with _mapped(box.place) as octets:
            for number, (begin, start, end) in enumerate(_messages(octets), 1):
                header_end = _header_end(octets, start, end)
                header, fields = _stripped(octets[start:header_end])
                if b"x-imap" in fields and _INTERNAL in header:
                    continue
                identity = blake2b(header, digest_size=16)
                for piece in _slices(octets, header_end, end):
                    identity.update(piece)
                digest = identity.digest()
                uid = _uid(fields) if _uid(fields) > last else 0
                last = uid or last
                flags, keywords = _flags(fields)
                yield Item(
                    label=f"{box.place}: message {number}",
                    origin=origin_of("mbox", self._name, box.name, digest, seen[digest]),
                    place=Span(header, header_end, end),
                    size=end - start,
                    flags=flags,
                    keywords=keywords,
                    internal_date=_date(octets[begin:start], header),
                    uid=uid,
                    unique_id=unique_id_of(self._unique_ids, uid, box.uid_validity, ""),
                )
                seen[digest] += 1

    def contents(self, box: Box, items: Sequence[Item]) -> Iterator[tuple[Item, Iterator[bytes]]]:
        with _mapped(box.place) as octets:
            for item in items:
                yield item, self._pieces(octets, item.place)

    def _pieces(self, octets: mmap.mmap, span: Span) -> Iterator[bytes]:
        whole = chain((span.header,), _slices(octets, span.body, span.end))
        return replaced(whole, self._quoted, rb"\1") if self._quoted else whole

    def close(self) -> None:
        pass


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.is_symlink():
            continue  # as in a Maildir
        if not hidden and path.suffix not in _NOT_MBOX and path.is_file() and _is_mbox(path):
            yield path


def _is_mbox(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_MARK) + 5).removeprefix(_MARK).startswith(b"From ")


def _stem(path: Path) -> str:
    return path.name.removesuffix(".mbox") or path.name


def _name(path: Path) -> str:
    """Thunderbird keeps what lies in a folder beside it, in one with .sbd."""
    levels = [level(part.removesuffix(".sbd")) for part in path.parts[:-1]] + [level(_stem(path))]
    return INBOX if levels in (["inbox"], ["Inbox"], ["mbox"]) else SEPARATOR.join(levels)


def _mapped(path: Path) -> mmap.mmap:
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _box(name: str, path: Path) -> Box:
    """X-IMAP and X-IMAPbase of the first message: UIDVALIDITY and the last UID given."""
    with _mapped(path) as octets:
        _, start, end = next(_messages(octets))
        _, fields = _stripped(octets[start : _header_end(octets, start, end)])
    base = (fields.get(b"x-imapbase") or fields.get(b"x-imap") or b"").split()
    if len(base) < 2 or not all(each.isdigit() for each in base[:2]):
        return Box(name, path)
    uid_validity, uid_next = int(base[0][:11]), int(base[1][:11]) + 1
    if max(uid_validity, uid_next) > UID_MAX:
        return Box(name, path)
    return Box(name, path, uid_validity, uid_next)


def _messages(octets: mmap.mmap) -> Iterator[tuple[int, int, int]]:
    """Of each message: where its line "From " is, its header, and its end before the empty line."""
    begin = len(_MARK) if octets[: len(_MARK)] == _MARK else 0
    while begin < len(octets):
        line_end = octets.find(b"\n", begin)
        start = len(octets) if line_end < 0 else line_end + 1
        found = _FROM.search(octets, start - 1)
        line = found.start() + 1 if found else len(octets)
        end, following = _by_length(octets, start, line)
        if following < 0:
            following = line
            end = _without_empty_line(octets, start, following)
        yield begin, start, end
        begin = following


def _by_length(octets: mmap.mmap, start: int, line: int) -> tuple[int, int]:
    """Where the message ends as Content-Length says, and the next begins; -1 where it leads nowhere.

    `line`: the next that begins a message, or seems to; no header goes beyond it.
    """
    found = _HEADER_END.search(octets, start, line)
    length = _length(octets[start : found.end()]) if found else b""
    if found is None or not length.isdigit():
        return -1, -1
    end = found.end() + int(length)
    for gap in (b"", b"\n", b"\r\n", b"\n\n", b"\r\n\r\n"):
        at = end + len(gap)
        if octets[end:at] == gap and (at == len(octets) or octets[at : at + 5] == b"From "):
            return end, at
    return -1, -1


def _length(header: bytes) -> bytes:
    ours = _OURS.match(header)
    fields = _FIELD.finditer(ours[0] if ours else header)
    return next((field[2] for field in fields if field[1].lower() == b"content-length"), b"")


def _without_empty_line(octets: mmap.mmap, start: int, end: int) -> int:
    for line in (b"\r\n", b"\n"):
        if octets[max(start, end - len(line)) : end] == line:
            before = end - len(line)
            ends_a_line = before == start or octets[before - 1 : before] == b"\n"
            return before if ends_a_line else end
    return end


def _header_end(octets: mmap.mmap, start: int, end: int) -> int:
    """Behind the empty line; a message may begin with it, or have none."""
    for line in (b"\n", b"\r\n"):
        if octets[start : start + len(line)] == line:
            return min(end, start + len(line))
    found = _HEADER_END.search(octets, start, end)
    return found.end() if found else end


def _stripped(header: bytes) -> tuple[bytes, dict[bytes, bytes]]:
    """The header without the fields that are the mailbox's, and those, by name in lower case."""
    ours = _OURS.match(header)
    about = header[: ours.end()] if ours else header
    fields = {field[1].lower(): b" ".join(field[2].split()) for field in _FIELD.finditer(about)}
    return (header[ours.end() :] if ours else _FIELD.sub(b"", header)), fields


def _uid(fields: dict[bytes, bytes]) -> int:
    text = fields.get(b"x-uid", b"")
    return int(text) if text.isdigit() and len(text) <= 10 and int(text) < UID_MAX else 0


def _flags(fields: dict[bytes, bytes]) -> tuple[int, tuple[str, ...]]:
    letters = fields.get(b"status", b"").replace(b"D", b"") + fields.get(b"x-status", b"")
    flags = sum(bit for letter, bit in _LETTERS.items() if letter in letters)
    return flags, tuple(fields.get(b"x-keywords", b"").decode("utf-8", "replace").split())


def _date(line: bytes, header: bytes) -> int:
    """INTERNALDATE: the time in the line "From ", else Date."""
    for found in (_DAY.search(line), _DATE.search(header)):
        sent = read_date(found[1]) if found else None
        if sent is not None and sent.seconds > 0:
            return sent.seconds
    return 0


def _slices(octets: mmap.mmap, start: int, end: int) -> Iterator[bytes]:
    for at in range(start, end, _PIECE_OCTETS):
        yield octets[at : min(end, at + _PIECE_OCTETS)]
