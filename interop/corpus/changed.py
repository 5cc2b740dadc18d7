"""What is known to come out changed, or not to go in: design §10's rules, message by message."""

import csv
import re
from collections.abc import Mapping
from pathlib import Path

TABLE = Path(__file__).with_name("changed.tsv")
HAS: Mapping[str, re.Pattern[bytes]] = {
    "NUL": re.compile(rb"\0"),
    "bare CR": re.compile(rb"\r(?!\n)"),
    "bare LF": re.compile(rb"(?<!\r)\n"),
}
KEPT, NORMALIZED = "kept", "normalized"


def rows() -> dict[str, dict[str, str]]:
    """Name of a message -> what it has, and for each way in KEPT, NORMALIZED (LF became CRLF) or refusal."""
    with TABLE.open(newline="") as file:
        return {row.pop("message"): row for row in csv.DictReader(file, delimiter="\t")}


def has(octets: bytes) -> str:
    """Which of these it has; empty for most mail."""
    return ", ".join(name for name, pattern in HAS.items() if pattern.search(octets))


def normalized(octets: bytes) -> bytes:
    return HAS["bare LF"].sub(b"\r\n", octets)
