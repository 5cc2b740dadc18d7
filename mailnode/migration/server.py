"""Another server's mailboxes over IMAP, read only. A long message comes in parts, so none is held whole."""

from __future__ import annotations

import imaplib
import re
import ssl
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import Any

from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientError

from mailnode.mailbox.names import INBOX, SEPARATOR
from mailnode.mailbox.rows import ANSWERED, DELETED, DRAFT, FLAGGED, SEEN
from mailnode.migration.source import Box, Item, SourceError, Unstorable, level, origin_of, unique_id_of

_PART_OCTETS = 1 << 20
_ITEMS = 500
_SECONDS_MAX = 300.0
_SPECIAL_USES = frozenset(("\\All", "\\Archive", "\\Drafts", "\\Flagged", "\\Junk", "\\Sent", "\\Trash"))
_FLAGS = {
    "\\answered": ANSWERED,
    "\\flagged": FLAGGED,
    "\\deleted": DELETED,
    "\\seen": SEEN,
    "\\draft": DRAFT,
}
_NUMBER_MAX = 0xFFFFFFFF  # RFC 9051 §9: nz-number of UIDVALIDITY and UIDs
_NO_IMAP = (LookupError, ValueError, TypeError, AttributeError)
"""What imapclient raises, and what is done with its results, where a server answers something else."""
_ERRORS = (IMAPClientError, imaplib.IMAP4.error, OSError, *_NO_IMAP)


class Security(Enum):
    TLS = "tls"
    STARTTLS = "starttls"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class Login:
    """`master`: who logs in for the user (RFC 4616 authentication identity); empty: the user."""

    host: str
    port: int
    security: Security
    user: str
    master: str
    password: str
    context: ssl.SSLContext


class ServerSource:
    """`name` tells apart servers whose mailboxes are named and numbered alike."""

    def __init__(self, login: Login, name: str, unique_ids: str) -> None:
        self._name = name
        self._unique_ids = unique_ids
        try:
            self._client = _logged_in(login)
        except _ERRORS as error:
            raise SourceError(f"{login.host} port {login.port}: {_said(error)}") from None

    def boxes(self) -> Sequence[Box]:
        try:
            return sorted(self._boxes(), key=lambda each: each.name.split(SEPARATOR))
        except _ERRORS as error:
            raise SourceError(f"its mailboxes cannot be listed: {_said(error)}") from None

    def _boxes(self) -> Iterator[Box]:
        for attributes, delimiter, name in self._client.list_folders():
            told = {each.decode("ascii", "replace").lower() for each in attributes}
            if told & {"\\noselect", "\\nonexistent"}:
                continue
            status = self._client.folder_status(name, ["UIDVALIDITY", "UIDNEXT", "MESSAGES"])
            use = next((use for use in sorted(_SPECIAL_USES) if use.lower() in told), "")
            uids = _number(status[b"UIDVALIDITY"]), _number(status[b"UIDNEXT"])
            yield Box(_full(name, delimiter), name, *uids, use, status[b"MESSAGES"])

    def subscribed(self) -> Iterable[str]:
        try:
            return [_full(name, delimiter) for _, delimiter, name in self._client.list_sub_folders()]
        except _ERRORS as error:
            raise SourceError(f"its subscriptions cannot be listed: {_said(error)}") from None

    def items(self, box: Box) -> Iterator[Item]:
        try:
            self._select(box)
            uids = sorted(map(_number, self._client.search("ALL")))
            for start in range(0, len(uids), _ITEMS):
                yield from self._described(box, uids[start : start + _ITEMS])
        except _ERRORS as error:
            raise SourceError(f"{box.name!a} cannot be read: {_said(error)}") from None

    def _select(self, box: Box) -> None:
        told = self._client.select_folder(box.place, readonly=True)
        if told[b"UIDVALIDITY"] != box.uid_validity:
            raise SourceError(f"{box.name!a} was made anew meanwhile")

    def _described(self, box: Box, uids: Sequence[int]) -> Iterator[Item]:
        found: Any = self._client.fetch(uids, ["FLAGS", "INTERNALDATE", "RFC822.SIZE"])
        for uid in uids:
            told = found.get(uid)
            if not told:
                continue
            flags = [flag.decode("utf-8", "replace") for flag in told.get(b"FLAGS", ())]
            date = told.get(b"INTERNALDATE")
            yield Item(
                label=f"UID {uid} of {box.name}",
                origin=origin_of("imap", self._name, box.name, box.uid_validity, uid),
                place=uid,
                size=told.get(b"RFC822.SIZE", 0),
                flags=sum(_FLAGS.get(flag.lower(), 0) for flag in dict.fromkeys(flags)),
                keywords=tuple(flag for flag in flags if not flag.startswith("\\")),
                internal_date=max(0, int(date.timestamp())) if date else 0,
                uid=uid,
                unique_id=unique_id_of(self._unique_ids, uid, box.uid_validity, ""),
            )

    def contents(self, box: Box, items: Sequence[Item]) -> Iterator[tuple[Item, Iterator[bytes]]]:
        for group in _groups(items):
            if group[0].size > _PART_OCTETS:
                yield group[0], self._parts(box, group[0])
                continue
            found = self._fetched(box, group, "BODY.PEEK[]")
            for item in group:
                yield item, _whole(found.pop(item.place, {}), b"BODY[]")

    def _fetched(self, box: Box, items: Sequence[Item], what: str) -> Any:
        try:
            return self._client.fetch([item.place for item in items], [what])
        except _ERRORS as error:
            raise SourceError(f"{box.name!a} cannot be read: {_said(error)}") from None

    def _parts(self, box: Box, item: Item) -> Iterator[bytes]:
        start = 0
        while True:
            told = self._fetched(box, (item,), f"BODY.PEEK[]<{start}.{_PART_OCTETS}>")
            for octets in _whole(told.get(item.place, {}), b"BODY[]<%d>" % start):
                yield octets
                start += len(octets)
                if len(octets) < _PART_OCTETS:
                    return

    def close(self) -> None:
        with suppress(*_ERRORS):
            self._client.logout()


def _logged_in(login: Login) -> IMAPClient:
    tls = login.security is Security.TLS
    context = login.context if tls else None
    client = IMAPClient(login.host, login.port, ssl=tls, ssl_context=context, timeout=_SECONDS_MAX)
    client.normalise_times = False
    if login.security is Security.STARTTLS:
        client.starttls(login.context)
    if login.master:
        client.plain_login(login.master, login.password, login.user)
    else:
        client.login(login.user, login.password)
    return client


def _number(told: Any) -> int:
    number = int(told)
    if not 0 < number <= _NUMBER_MAX:
        raise ValueError(f"{number} is no UID")
    return number


def _full(name: str, delimiter: bytes | None) -> str:
    """With our separator between levels."""
    between = (delimiter or b"").decode("ascii", "replace")
    levels = name.split(between) if between else [name]
    whole = SEPARATOR.join(level(each) for each in levels if each)
    return INBOX if whole.upper() == INBOX else whole


def _groups(items: Sequence[Item]) -> Iterator[list[Item]]:
    """Messages that are fetched at once, in order; a long one is alone."""
    group: list[Item] = []
    octets = 0
    for item in items:
        if group and octets + item.size > _PART_OCTETS:
            yield group
            group, octets = [], 0
        group.append(item)
        octets += item.size
    if group:
        yield group


def _whole(told: Any, key: bytes) -> Iterator[bytes]:
    """Raises Unstorable."""
    octets = told.get(key)
    if octets is None:
        raise Unstorable("it went meanwhile, or the server does not give it")
    yield octets


def _said(error: Exception) -> str:
    text = " ".join(str(error).split())
    octets = re.fullmatch(r"b'(.*)'", text)  # what the server said, as imaplib passes it on
    return (octets[1] if octets else text) or type(error).__name__
