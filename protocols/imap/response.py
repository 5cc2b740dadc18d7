"""Octets of untagged responses and of response codes (RFC 9051 §7), FETCH excepted.

Every function gives whole lines with CRLF; those of response codes give the text between the brackets.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from protocols.imap import utf7
from protocols.imap.answer import Bad, Bye, No, Ok
from protocols.imap.capability import REV2
from protocols.imap.event import Search
from protocols.imap.search import Return
from protocols.imap.sequence import ranges_of, text

_ATOM = re.compile(rb"[^\x00-\x20\x7f-\xff(){%*\"\\\]]+")
_QUOTABLE = re.compile(rb"[\x01-\x09\x0b\x0c\x0e-\x7f]*")
_QUOTED_OCTETS_MAX = 1024  # a longer string is a literal: some clients read lines into small buffers


def string(octets: bytes) -> bytes:
    """string (RFC 9051 §9): quoted where it may be, else a literal."""
    if len(octets) <= _QUOTED_OCTETS_MAX and _QUOTABLE.fullmatch(octets):
        return b'"%b"' % _escaped(octets)
    return b"{%d}\r\n%b" % (len(octets), octets)


def _escaped(octets: bytes) -> bytes:
    return octets.replace(b"\\", b"\\\\").replace(b'"', b'\\"')


def astring(octets: bytes) -> bytes:
    """astring: an atom where it may be, else a string."""
    if _ATOM.fullmatch(octets) and octets.upper() != b"NIL":
        return octets
    return string(octets)


def mailbox(name: str) -> bytes:
    """The name of a mailbox, in modified UTF-7."""
    return astring(utf7.encode(name))


def mailbox_utf8(name: str) -> bytes:
    """The name of a mailbox after ENABLE UTF8=ACCEPT (RFC 6855 §3)."""
    octets = name.encode("utf-8", "replace")
    return astring(octets) if octets.isascii() else b'"%b"' % _escaped(octets)


def words(items: Iterable[str]) -> bytes:
    """A parenthesised list of atoms and flags."""
    return ("(" + " ".join(items) + ")").encode("ascii", "replace")


# ---- the session ---------------------------------------------------------------------------------------


def condition(tag: bytes, answer: Ok | No | Bad) -> bytes:
    """response-tagged, or resp-cond-state with the tag "*" """
    word = type(answer).__name__.upper().encode()
    return b"%b %b %b\r\n" % (tag, word, _text(answer.text, answer.code))


def bye(answer: Bye) -> bytes:
    """resp-cond-bye"""
    return b"* BYE %b\r\n" % _text(answer.text, answer.code)


def _text(text: str, code: str) -> bytes:
    """resp-text = ["[" resp-text-code "]" SP] text"""
    said = f"[{code}] {text}" if code else text
    return said.encode("ascii", "replace").replace(b"\r", b" ").replace(b"\n", b" ")


def plus(octets: bytes) -> bytes:
    """continue-req = "+" SP (resp-text / base64) CRLF"""
    return b"+ %b\r\n" % octets


def capability(words: str) -> bytes:
    """capability-data"""
    return b"* %b\r\n" % words.encode()


def enabled(names: Iterable[str]) -> bytes:
    """enable-data, RFC 5161 §3.2"""
    said = ("IMAP4rev2" if name == REV2 else name for name in names)
    return " ".join(["* ENABLED", *said]).encode() + b"\r\n"


# ---- the mailbox ---------------------------------------------------------------------------------------


def exists(count: int) -> bytes:
    return b"* %d EXISTS\r\n" % count


def recent(count: int) -> bytes:
    return b"* %d RECENT\r\n" % count


def flags(names: Iterable[str]) -> bytes:
    """FLAGS: those that messages of the mailbox may have, RFC 9051 §7.3.5."""
    return b"* FLAGS %b\r\n" % words(names)


def permanent_flags(names: Iterable[str], more: bool) -> bytes:
    """PERMANENTFLAGS; `more`: new keywords can be made (`\\*`)."""
    listed = [*names, "\\*"] if more else list(names)
    return ok(f"PERMANENTFLAGS {words(listed).decode()}", "Flags that are kept" if listed else "Read-only")


def ok(code: str, human: str) -> bytes:
    """An untagged OK that carries a response code."""
    return f"* OK [{code}] {human}\r\n".encode("ascii", "replace")


@dataclass(frozen=True, slots=True)
class Selected:
    """What SELECT and EXAMINE tell, RFC 9051 §6.3.2.

    `listed`: the mailbox as LIST says it, where the client enabled IMAP4rev2. That has no word of `recent`,
    then -1, and of `first_unseen`, a sequence number, 0: none.
    """

    flags: Sequence[str]
    permanent_flags: Sequence[str]
    more_keywords: bool
    exists: int
    recent: int
    first_unseen: int
    listed: bytes
    uid_validity: int
    uid_next: int
    highest_modseq: int
    mailbox_id: str


def selected(mailbox: Selected) -> bytes:
    lines = [
        flags(mailbox.flags),
        permanent_flags(mailbox.permanent_flags, mailbox.more_keywords),
        exists(mailbox.exists),
        mailbox.listed,
        ok(f"UIDVALIDITY {mailbox.uid_validity}", "UIDs valid"),
        ok(f"UIDNEXT {mailbox.uid_next}", "Predicted next UID"),
        ok(f"HIGHESTMODSEQ {mailbox.highest_modseq}", "Highest mod-sequence"),
        ok(mailbox_id(mailbox.mailbox_id), "Its name for ever"),
    ]
    if mailbox.first_unseen:
        lines.insert(3, ok(f"UNSEEN {mailbox.first_unseen}", "First unseen"))
    if mailbox.recent >= 0:
        lines.insert(3, recent(mailbox.recent))
    return b"".join(lines)


def status(name: bytes, values: Mapping[str, int | str]) -> bytes:
    """STATUS; a text value, such as MAILBOXID's, comes with its parentheses. `name` as `mailbox` says it."""
    items = " ".join(f"{word} {value}" for word, value in values.items())
    return b"* STATUS %b (%b)\r\n" % (name, items.encode())


def quota(root: str, resources: Mapping[str, tuple[int, int]]) -> bytes:
    """QUOTA, RFC 9208 §4.2.1: of each resource what is used, and the limit."""
    listed = " ".join(f"{name} {used} {limit}" for name, (used, limit) in resources.items())
    return f'* QUOTA "{root}" ({listed})\r\n'.encode()


def quota_root(name: bytes, root: str) -> bytes:
    """QUOTAROOT, RFC 9208 §4.2.2; `name` as `mailbox` says it."""
    return b'* QUOTAROOT %b "%b"\r\n' % (name, root.encode())


# ---- lists ---------------------------------------------------------------------------------------------


def listed(
    attributes: Iterable[str], name: bytes, child_info: Sequence[str] = (), old_name: bytes = b""
) -> bytes:
    """LIST, RFC 9051 §7.3.1; `child_info` the selection options that a child meets, RFC 5258 §3.5.

    `name` and `old_name` (RFC 9051 §6.3.9.7) as `mailbox` says them.
    """
    more = b""
    if old_name:
        more = b' ("OLDNAME" (%b))' % old_name
    if child_info:
        more = b' ("CHILDINFO" (%b))' % " ".join(f'"{option}"' for option in child_info).encode()
    return b'* LIST %b "/" %b%b\r\n' % (words(attributes), name, more)


def subscribed(attributes: Iterable[str], name: bytes) -> bytes:
    """LSUB, RFC 3501 §7.2.3; `name` as `mailbox` says it."""
    return b'* LSUB %b "/" %b\r\n' % (words(attributes), name)


def separator() -> bytes:
    """LIST with an empty name: the hierarchy separator, RFC 9051 §6.3.9."""
    return b'* LIST (\\Noselect) "/" ""\r\n'


def namespace(personal: str = "", shared: Sequence[str] = ()) -> bytes:
    """NAMESPACE, RFC 9051 §7.3.4: prefixes of the personal and of the shared mailboxes."""
    others = "".join(_namespace(prefix) for prefix in shared)
    return f"* NAMESPACE ({_namespace(personal)}) NIL {f'({others})' if others else 'NIL'}\r\n".encode()


def _namespace(prefix: str) -> str:
    return f'({string(utf7.encode(prefix)).decode()} "/")'


def identified(parameters: Mapping[str, str]) -> bytes:
    """ID, RFC 2971 §3.2."""
    if not parameters:
        return b"* ID NIL\r\n"
    said = b" ".join(string(word.encode()) for pair in parameters.items() for word in pair)
    return b"* ID (%b)\r\n" % said


# ---- search --------------------------------------------------------------------------------------------


def found(search: Search, numbers: Sequence[int], modseq: int = 0) -> bytes:
    """The result of a SEARCH: ascending sequence numbers, or UIDs with `by_uid`.

    `modseq`: the highest mod-sequence of what is told, 0: it is not asked or nothing was found (RFC 7162
    §3.1.6).
    """
    ends = (numbers[0], numbers[-1]) if numbers else (0, 0)
    return b"".join(found_in_pieces(search, [numbers] if numbers else [], len(numbers), ends, modseq))


def found_in_pieces(
    search: Search, slices: Iterable[Sequence[int]], count: int, ends: tuple[int, int], modseq: int = 0
) -> Iterator[bytes]:
    """`found` of `count` numbers from the first to the last of `ends`: a piece for each slice of them."""
    if search.returns is not None:
        yield from _esearch(search, search.returns, slices, count, ends, modseq)
        return
    yield b"* SEARCH"
    for numbers in slices:
        yield b" %d" * len(numbers) % tuple(numbers)
    yield b" (MODSEQ %d)\r\n" % modseq if modseq else b"\r\n"


def _esearch(
    search: Search,
    returns: Return,
    slices: Iterable[Sequence[int]],
    count: int,
    ends: tuple[int, int],
    modseq: int,
) -> Iterator[bytes]:
    """ESEARCH, RFC 4731 §3.1: of an empty result COUNT alone is said, and nothing where it is only saved."""
    if returns == Return.SAVE:
        return
    yield b"* ESEARCH (TAG %b)%b" % (string(search.tag), b" UID" if search.by_uid else b"")
    if count:
        if Return.MIN in returns:
            yield b" MIN %d" % ends[0]
        if Return.MAX in returns:
            yield b" MAX %d" % ends[1]
        if Return.ALL in returns:
            yield from _set(slices)
    if Return.COUNT in returns:
        yield b" COUNT %d" % count
    yield b" MODSEQ %d\r\n" % modseq if modseq else b"\r\n"


def _set(slices: Iterable[Sequence[int]]) -> Iterator[bytes]:
    """ALL of ESEARCH; the last range of a slice waits, for the next one may go on with it."""
    before, first, last = b" ALL ", 0, 0
    for numbers in slices:
        ranges = list(ranges_of(numbers))
        if first and ranges[0][0] == last + 1:
            ranges[0] = (first, ranges[0][1])
        elif first:
            ranges.insert(0, (first, last))
        first, last = ranges.pop()
        if ranges:
            yield before + text(ranges).encode()
            before = b","
    yield before + text([(first, last)]).encode()


def vanished(uids: Iterable[tuple[int, int]], earlier: bool) -> bytes:
    """VANISHED, RFC 7162 §3.2.10; `earlier`: before this session was told of the mailbox."""
    return f"* VANISHED {'(EARLIER) ' if earlier else ''}{text(uids)}\r\n".encode()


# ---- response codes ------------------------------------------------------------------------------------


def append_uid(uid_validity: int, uids: Iterable[tuple[int, int]]) -> str:
    """APPENDUID, RFC 4315 §3."""
    return f"APPENDUID {uid_validity} {text(uids)}"


def mailbox_id(object_id: str) -> str:
    """MAILBOXID, RFC 8474 §4.1."""
    return f"MAILBOXID ({object_id})"


def modified(numbers: Iterable[tuple[int, int]]) -> str:
    """MODIFIED, RFC 7162 §3.1.3: sequence numbers, or UIDs after UID STORE."""
    return f"MODIFIED {text(numbers)}"


def copy_uid(uid_validity: int, source: Iterable[tuple[int, int]], target: Iterable[tuple[int, int]]) -> str:
    """COPYUID, RFC 4315 §3: both sets in the order of the copies."""
    return f"COPYUID {uid_validity} {text(source)} {text(target)}"
