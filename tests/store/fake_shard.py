"""A shard in memory on a disk that forgets: what was not synced may be lost, a sync may fail."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence

from mailnode.store.shard import Put

Rows = dict[tuple[str, bytes], bytes]


class FakeShard:
    """`rows` is what a reader sees, `synced` what surely survives; `batches` were written since.

    The write numbered `fails_at` fails and leaves the disk as a crash would.
    """

    def __init__(self, synced: Rows, fails_at: int = -1) -> None:
        self.incarnation = b"fake"
        self.synced = synced
        self.rows = dict(synced)
        self.batches: list[list[Put]] = []
        self.writes = 0
        self._fails_at = fails_at

    def get(self, family: str, key: bytes) -> bytes | None:
        return self.rows.get((family, key))

    def get_many(self, family: str, keys: Sequence[bytes]) -> list[bytes | None]:
        return [self.get(family, key) for key in keys]

    def scan(self, family: str, start: bytes, end: bytes) -> Iterator[tuple[bytes, bytes]]:
        found = [(key, value) for (f, key), value in self.rows.items() if f == family and start <= key < end]
        return iter(sorted(found))

    def values(self, family: str, start: bytes, end: bytes) -> Iterator[bytes]:
        return (value for _, value in self.scan(family, start, end))

    def write(self, puts: Iterable[Put], sync: bool) -> None:
        batch = list(puts)
        self.writes += 1
        self.batches.append(batch)
        if self.writes == self._fails_at:
            raise OSError("the disk failed")
        _apply(self.rows, batch)
        if sync:
            self.synced = dict(self.rows)
            self.batches.clear()

    def drop_range(self, family: str, start: bytes, end: bytes) -> None:
        self.write([(family, key, None) for key, _ in self.scan(family, start, end)], sync=False)

    def close(self) -> None:
        """Nothing to give back."""

    def crashed(self, choice: random.Random) -> Rows:
        """What a restart finds: all that was synced, and the unsynced batches up to any one of them."""
        rows = dict(self.synced)
        for batch in self.batches[: choice.randint(0, len(self.batches))]:
            _apply(rows, batch)
        return rows


def _apply(rows: Rows, batch: Iterable[Put]) -> None:
    for family, key, value in batch:
        if value is None:
            rows.pop((family, key), None)
        else:
            rows[family, key] = value
