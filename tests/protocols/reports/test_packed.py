"""What reports travel in."""

from __future__ import annotations

import gzip
import io
import zipfile

import pytest

from protocols.reports.packed import packed, unpacked
from protocols.reports.values import Malformed

TEXT = b"<feedback/>" * 1000
OCTETS_MAX = 20_000


def zipped(method: int, *contents: bytes) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", method) as archive:
        archive.comment = b"made by somebody"
        for at, content in enumerate(contents):
            archive.writestr(f"report{at}.xml", content)
    return written.getvalue()


@pytest.mark.parametrize(
    "octets",
    [
        TEXT,
        packed(TEXT),
        gzip.compress(TEXT),
        zipped(zipfile.ZIP_DEFLATED, TEXT),
        zipped(zipfile.ZIP_STORED, TEXT),
    ],
    ids=["plain", "packed", "gzip", "deflated", "stored"],
)
def test_a_report_comes_out_of_whatever_it_travels_in(octets: bytes) -> None:
    assert unpacked(octets, OCTETS_MAX) == TEXT


def test_what_is_packed_is_gzip_and_the_same_each_time() -> None:
    assert gzip.decompress(packed(TEXT)) == TEXT
    assert packed(TEXT) == packed(TEXT)


BOMB = bytes(50_000_000)
CUT = zipped(zipfile.ZIP_DEFLATED, TEXT)


@pytest.mark.parametrize(
    "octets",
    [
        bytes(OCTETS_MAX + 1),
        gzip.compress(BOMB),
        zipped(zipfile.ZIP_DEFLATED, BOMB),
        zipped(zipfile.ZIP_STORED, bytes(OCTETS_MAX + 1)),
        zipped(zipfile.ZIP_DEFLATED, TEXT, TEXT),
        zipped(zipfile.ZIP_LZMA, TEXT),
        gzip.compress(TEXT)[:-9],
        b"\x1f\x8bnothing",
        CUT[:40],
        CUT[:4] + b"PK\x05\x06" + bytes(6) + b"\x01\x00" + b"\xff" * 10,
        CUT[:26] + b"\xff\xff" + CUT[28:],
    ],
    ids=["long", "gzip bomb", "zip bomb", "stored", "two", "lzma", "cut", "none", "cut zip", "far", "name"],
)
def test_what_unfolds_to_too_much_or_to_nothing_is_malformed(octets: bytes) -> None:
    with pytest.raises(Malformed):
        unpacked(octets, OCTETS_MAX)
