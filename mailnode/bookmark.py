"""Where something long is, in a file: across restarts, and no more than that, for it may begin anew."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mailnode.clock import Clock

log = logging.getLogger(__name__)

_SAVED_SECONDS = 10
"""Between two times: what was looked at twice does no harm."""


class Bookmark:
    def __init__(self, file: Path, clock: Clock) -> None:
        self._file = file
        self._clock = clock
        self._saved = 0.0

    def values(self) -> dict[str, Any]:
        """Of the dataclass that was kept. Raises ValueError where there is none that can be read."""
        try:
            values = json.loads(self._file.read_text())
        except OSError as error:
            raise ValueError(str(error)) from None
        if not isinstance(values, dict):
            raise ValueError("no object")
        return values

    def keep(self, now: Any) -> None:
        """A dataclass, unless that was done just before."""
        if self._clock.monotonic_seconds() - self._saved >= _SAVED_SECONDS:
            self.keep_at_once(now)

    def keep_at_once(self, now: Any) -> None:
        self._saved = self._clock.monotonic_seconds()
        part = self._file.with_name(self._file.name + ".part")
        try:
            part.write_text(json.dumps(asdict(now)))
            part.rename(self._file)
        except OSError as error:
            log.warning("where it is was not kept", extra={"file": self._file.name, "reason": error})
