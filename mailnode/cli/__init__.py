"""The command line: what an operator types.

Exit status: 0 done; 1 it could not be done, and one line on standard error says why; 2 the words are wrong;
3 an import or an export is done but for the messages that it named. `deliver` has those of sysexits.h.
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
    except Failure as failure:
        print(f"mailnode: {failure}", file=sys.stderr)
        return failure.status
    except (ConfigError, ShardError, OSError) as error:
        print(f"mailnode: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0
