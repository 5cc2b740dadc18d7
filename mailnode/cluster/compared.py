"""What of a copy is compared: its rows as of one entry, without what is its own. Blocking."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from mailnode.cluster.compare import OWN_KINDS, Place, Range, family_of, key_of, place, spans
from mailnode.cluster.log_rows import Changes, is_apart
from mailnode.cluster.points import Seen
from mailnode.store import keys
from mailnode.store.damage import Unreadable, told
from mailnode.store.keys import Blob, Due, Family

Read = tuple[Place, bytes] | Range
"""A row; or a range that cannot be read, with the last row before it."""

_KEY_OCTETS_MIN = len(keys.state(0, 0))
"""Of a row that has a kind; a shorter key is damage, or a defect."""


class Compared:
    def __init__(self, seen: Seen, changes: Changes) -> None:
        self._seen = seen
        self._changes = changes

    def rows(self, asked: Range) -> Iterator[Read]:
        """In order; the rows of this copy alone are among them."""
        for family, start, end in spans(self._seen.partition, asked):
            yield from self._scanned(family, start, end)

    def _scanned(self, family: str, start: bytes, end: bytes) -> Iterator[Read]:
        while start < end:
            try:
                for key, value in self._seen.view.scan(family, start, end):
                    yield place(family, key), value
                return
            except Unreadable as error:
                told.tell(family, error.key, error.reason)
                following = self._following(family, error, end)
                yield Range(place(family, self._before(family, error.key)), place(family, following))
                start = following

    def _before(self, family: str, key: bytes) -> bytes:
        """A damaged block is passed over by what is written anew only if the row before it is among that."""
        first = keys.partition_range(family, self._seen.partition)[0]
        return max(first, self._seen.view.before(family, key + b"\0") or key)

    def _following(self, family: str, damage: Unreadable, end: bytes) -> bytes:
        """Where reading goes on, maybe behind what was asked for: it is passed over in one piece or not."""
        if damage.following < end:
            return max(damage.following, damage.key + b"\0")
        last = keys.partition_range(family, self._seen.partition)[1]
        try:
            next(iter(self._seen.view.scan(family, end, last)), None)
        except Unreadable as more:
            return more.following
        return end

    def get(self, at: Place) -> bytes | None:
        """Raises Unreadable."""
        return self._seen.view.get(family_of(at), key_of(at))

    def is_own(self, at: Place) -> bool:
        """Of this copy alone: where it is, contents of what is not committed, uploads that nothing names yet.

        Those each copy drops by itself when they are old (`mailbox/orphans`).
        """
        family, key = family_of(at), key_of(at)
        if len(key) < _KEY_OCTETS_MIN:
            return False
        if family == Family.STATE:
            return keys.kind_of(key) in OWN_KINDS
        if family == Family.DUE:
            return keys.kind_of(key) == Due.UPLOAD
        if family != Family.BLOB:
            return False
        return at in self._ahead or (keys.kind_of(key) == Blob.UPLOAD and key[:17] in self._unnamed)

    @cached_property
    def _ahead(self) -> frozenset[Place]:
        entries = [entry for entry in self._seen.behind if is_apart(entry)]
        contents = (self._changes.apart(entry.data)[1] for entry in entries)
        return frozenset(place(family, key) for each in contents for family, key, _ in each)

    @cached_property
    def _unnamed(self) -> frozenset[bytes]:
        """The beginnings of the keys of their chunks."""
        dues = (
            each[0] for each in self._scanned(Family.DUE, *self._all(Family.DUE)) if isinstance(each, tuple)
        )
        uploads = (key_of(at) for at in dues if len(at) > keys.DUE_OCTETS_MIN and self.is_own(at))
        return frozenset(
            keys.blob(keys.account_of(key), Blob.UPLOAD, keys.time_of_due(key), 0)[:17] for key in uploads
        )

    def _all(self, family: str) -> tuple[bytes, bytes]:
        return keys.partition_range(family, self._seen.partition)
