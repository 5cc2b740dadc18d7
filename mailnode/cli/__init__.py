"""The command line: what an operator types.

Exit status: 0 done; 1 it could not be done, and one line on standard error says why; 2 the words are wrong.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from mailnode.cli.failure import Failure
from mailnode.cli.words import parser
from mailnode.config import ConfigError
from mailnode.store.shard import ShardError


def main(arguments: Sequence[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    try:
        options.run(options)
    except (Failure, ConfigError, ShardError, OSError) as error:
        print(f"mailnode: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0
