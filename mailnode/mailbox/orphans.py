"""Uploads that nothing names: their connection ended before the message did. Blocking."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from itertools import chain

from mailnode.mailbox.dues import due_keys
from mailnode.mailbox.rows import upload_due
from mailnode.store import keys
from mailnode.store.keys import Blob, Due, Family
from mailnode.store.shard import DropTo, Put, Shard

log = logging.getLogger(__name__)


def sweep(shard: Shard, before_microseconds: int) -> int:
    """Drop what was begun before that time and is named by no mail; how many. The `due` family is small.

    Each replica does that for itself: what is that old is of no content that still comes.
    """
    found = [key for key in due_keys(shard) if _is_due(key, before_microseconds)]
    if found:
        shard.write(chain.from_iterable(map(_dropped, found)), sync=False)
        log.info("orphaned uploads dropped", extra={"uploads": len(found)})
    return len(found)


def _dropped(key: bytes) -> Iterator[Put]:
    account, upload = keys.account_of(key), keys.time_of_due(key)
    start, end = (keys.blob(account, Blob.UPLOAD, each, 0) for each in (upload, upload + 1))
    yield Family.BLOB, start, DropTo(end)
    yield Family.DUE, upload_due(account, upload), None


def _is_due(key: bytes, before_microseconds: int) -> bool:
    return keys.kind_of(key) == Due.UPLOAD and keys.time_of_due(key) < before_microseconds
