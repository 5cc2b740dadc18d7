"""What a repair takes the place of, where it may have been right: a line of JSON each, in a file. Blocking.

Copies that are sound by themselves and differ are a defect, or damage that no checksum tells of; which of
them is right is then a guess, and a guess must not lose anything.
"""

from __future__ import annotations

import json
import logging
import os
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mailnode.clock import Clock
from mailnode.cluster.compare import Place, family_of, key_of
from mailnode.cluster.replica_messages import Position

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Record:
    node: str
    partition: int
    position: Position
    at: Place
    was: bytes | None
    """None: there was no row."""
    now: bytes | None
    why: str


class Aside:
    def __init__(self, file: Path, clock: Clock, octets_max: int) -> None:
        self._file = file
        self._clock = clock
        self._octets_max = octets_max

    def keep(self, records: Sequence[Record]) -> None:
        """Durable once it returns; raises OSError, where the file is full too."""
        if not records:
            return
        lines = "".join(json.dumps(self._line(record)) + "\n" for record in records)
        with self._file.open("a") as stream:
            if stream.tell() + len(lines) > self._octets_max:
                raise OSError(
                    f"{self._file} has {stream.tell()} octets: look at what it says, and move it away"
                )
            stream.write(lines)
            stream.flush()
            os.fsync(stream.fileno())
        for record in records:
            fields = {"partition": record.partition, "key": key_of(record.at).hex(), "reason": record.why}
            log.error("copies differed, and what one had is kept aside", extra=fields)

    def _line(self, record: Record) -> dict[str, object]:
        return {
            "time": self._clock.now_microseconds(),
            "node": record.node,
            "partition": record.partition,
            "epoch": record.position.epoch,
            "seq": record.position.seq,
            "family": family_of(record.at),
            "key": key_of(record.at).hex(),
            "was": _text(record.was),
            "now": _text(record.now),
            "why": record.why,
        }


def _text(value: bytes | None) -> str | None:
    return None if value is None else b64encode(value).decode()
