"""A process that writes numbered batches until it is killed, every third one synced.

`python writer.py PATH` prints the number of each synced batch once its sync has returned.
"""

import itertools
import sys
from pathlib import Path

from mailnode.store.keys import Family
from mailnode.store.shard import Put, open_shard

ROWS = 20
"""Of a batch."""


def batch(number: int) -> list[Put]:
    """The same number in all rows; larger blobs, so that the log is long and files are switched."""
    value = number.to_bytes(8, "big")
    state: list[Put] = [(Family.STATE, b"row%d" % row, value) for row in range(ROWS)]
    return [*state, (Family.BLOB, value, value * 400), (Family.STATE, b"batch" + value, value)]


def main() -> None:
    shard = open_shard(Path(sys.argv[1]), 16 * 1024 * 1024, b"child")
    for number in itertools.count(1):
        shard.write(batch(number), sync=number % 3 == 0)
        if number % 3 == 0:
            print(number, flush=True)


if __name__ == "__main__":
    main()
