"""date-time: RFC 5322 §3.3, with the obsolete syntax and zones of §4.3."""

import re
from datetime import date
from typing import NamedTuple


class Sent(NamedTuple):
    """A Date field: seconds since 1970-01-01T00:00Z, and the zone it was written in, in minutes east."""

    seconds: int
    zone_minutes: int


_MONTHS = {
    month: number
    for number, month in enumerate(
        (b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec"), 1
    )
}
# RFC 5322 §4.3; military letters and all else count as UTC, since they were often wrong.
_ZONES = {
    b"est": -300, b"edt": -240, b"cst": -360, b"cdt": -300,
    b"mst": -420, b"mdt": -360, b"pst": -480, b"pdt": -420,
}  # fmt: skip
# [day-name ","] day month year hour ":" minute [":" second] [zone]
# Leniency: a missing comma, full names of days and months, dashes between, dots in the time, no zone,
# a zone of three digits.
_DATE = re.compile(
    rb"\s*+(?:[A-Za-z]++\.?,?\s*+|,\s*+)?(\d{1,2}+)(?:\s++|-)([A-Za-z]{3})[a-z]*+\.?,?(?:\s++|-)(\d{2,4}+),?\s++"
    rb"(\d{1,2}+)\s*[:.]\s*(\d{1,2}+)(?:\s*[:.]\s*(\d{1,2}+))?(?:[.,]\d++)?(?:\s*+([+-])(\d{1,2})(\d{2})(?!\d)|\s*+([A-Za-z]++))?"
)
# ctime(3) order, seen from old mailers: Thu Jul 10 14:53:31 [EST] 1997
_CTIME = re.compile(
    rb"\s*+[A-Za-z]{3},?\s++([A-Za-z]{3})\s++(\d{1,2}+)\s++(\d{1,2}+):(\d{2}):(\d{2})\s++(?:([A-Za-z]++)\s++)?(\d{4})"
)
_COMMENT = re.compile(rb"\([^()]*+\)")
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_NESTING_MAX = 8  # of comments inside a date


def read_date(value: bytes) -> Sent | None:
    """The date of an unfolded field value; None where it is none."""
    match = _DATE.match(value)
    if match is None and b"(" in value:
        match = _DATE.match(_without_comments(value))
    if match is None:
        return _read_ctime(value)
    day, month, year, hour, minute, second, sign, zone_hour, zone_minute, zone_name = match.groups()
    zone = 0
    if sign is not None:
        zone = int(zone_hour) * 60 + int(zone_minute)
        zone = -zone if sign == b"-" else zone
    elif zone_name is not None:
        zone = _ZONES.get(zone_name.lower(), 0)
    return _sent(_full_year(year), month, int(day), (int(hour), int(minute), int(second or 0)), zone)


def _read_ctime(value: bytes) -> Sent | None:
    match = _CTIME.match(value)
    if match is None:
        return None
    month, day, hour, minute, second, zone, year = match.groups()
    minutes = _ZONES.get((zone or b"").lower(), 0)
    return _sent(int(year), month, int(day), (int(hour), int(minute), int(second)), minutes)


def _sent(year: int, month: bytes, day: int, time: tuple[int, int, int], zone: int) -> Sent | None:
    hour, minute, second = time
    if hour > 24 or minute > 59 or second > 60 or abs(zone) >= 24 * 60:
        return None
    try:
        days = date(year, _MONTHS[month.lower()], day).toordinal() - _EPOCH_DAY
    except (KeyError, ValueError):
        return None
    return Sent(days * 86400 + hour * 3600 + minute * 60 + second - zone * 60, zone)


def _full_year(year: bytes) -> int:
    """Years of two and three digits: RFC 5322 §4.3."""
    number = int(year)
    if len(year) == 2:
        return number + (2000 if number < 50 else 1900)
    return number + 1900 if len(year) == 3 else number


def _without_comments(value: bytes) -> bytes:
    for _ in range(_NESTING_MAX):
        value, found = _COMMENT.subn(b" ", value)
        if not found:
            break
    return value
