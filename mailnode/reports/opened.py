"""Reports in a message, found and read: pure but for the time that long ones take, so it runs in a pool."""

from __future__ import annotations

from collections.abc import Iterator

from mailnode.limits import MiB
from mailnode.pb.row_pb2 import Part
from protocols.mime.transfer import decode_transfer
from protocols.reports import aggregate_read, failure, tls
from protocols.reports.packed import unpacked
from protocols.reports.tls import TlsReport
from protocols.reports.values import Aggregate, Malformed

PARTS_LOOKED_MAX = 100  # of a message, however it is nested
REPORTS_MAX = 5  # of a message: nobody sends two
ENCODED_OCTETS_MAX = 16 * MiB  # of a part: RFC 7489 §7.2.1.1 has receivers take ten
UNPACKED_OCTETS_MAX = 64 * MiB  # a day of a large receiver: 100,000 records
RECORDS_KEPT_MAX = 500

FEEDBACK = "message/feedback-report"
_PACKED = frozenset(
    (
        "application/gzip",
        "application/x-gzip",
        "application/gzip-compressed",
        "application/zip",
        "application/x-zip-compressed",
        "application/x-zip",
        "application/octet-stream",
        "application/xml",
        "text/xml",
        "application/tlsrpt+gzip",
        "application/tlsrpt+json",
        "application/json",
        FEEDBACK,
    )
)

Report = Aggregate | TlsReport | failure.Reported


def parts(root: Part) -> list[Part]:
    """Those that may be reports, by their media types and sizes."""
    found = [
        part for part in _looked(root) if part.type in _PACKED and part.end - part.body <= ENCODED_OCTETS_MAX
    ]
    return found[:REPORTS_MAX]


def _looked(root: Part) -> Iterator[Part]:
    waiting, looked = [root], 0
    while waiting and looked < PARTS_LOOKED_MAX:
        part = waiting.pop(0)
        looked += 1
        yield part
        waiting += part.parts


def read(octets: bytes, encoding: str, media_type: str) -> Report:
    """Of a part's body; raises Malformed."""
    decoded = decode_transfer(octets, encoding.encode("ascii", "replace"))
    if media_type == FEEDBACK:
        return failure.read(decoded)
    text = unpacked(decoded, UNPACKED_OCTETS_MAX)
    begin = text[:100].removeprefix(b"\xef\xbb\xbf").lstrip()
    if begin.startswith(b"{"):
        return tls.read(text)
    if begin.startswith(b"<") or b"\0<" in begin:  # UTF-16
        return aggregate_read.read(text.lstrip(), RECORDS_KEPT_MAX)
    raise Malformed("it is neither XML nor JSON")
