"""Whether all copies of a cluster are equal: asked at the end of each run that failed nodes under load."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.wire.node import program

VERIFY_SECONDS_MAX = 600


def unequal(directory: Path, prefix: Sequence[str] = ()) -> list[str]:
    """What differs, or could not be compared, of everything, as the nodes say it; none: all are equal.

    `directory`: of any node that runs; `prefix`: before its commands, for a host of its own.
    """
    command = [*prefix, *program(), "cluster", "verify", "--all", "--json", "--dir", str(directory)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=VERIFY_SECONDS_MAX)
    if not done.stdout:
        return [done.stderr]
    (answer,) = json.loads(done.stdout)
    told = [f"{each['family']} {each['key']}: {each['what']}" for each in answer.get("told", ())]
    return [*told, *answer.get("failures", ())]
