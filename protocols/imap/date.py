"""date-time (RFC 9051 §9): `"17-Jul-1996 02:44:25 -0700"`, and dates of SEARCH, as numbers."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
EPOCH = datetime.date(1970, 1, 1).toordinal()
DAY = 86_400

_MONTH = {name.lower(): number for number, name in enumerate(MONTHS, 1)}
_MINUTES = tuple(b"%02d:%02d:" % divmod(minute, 60) for minute in range(1440))
_SECONDS = tuple(b"%02d +0000" % second for second in range(60))
_DATE = re.compile(rb"(\d{1,2})-([A-Za-z]{3})-(\d{4})")
_TIME = re.compile(rb"(\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)")


def day_of(octets: bytes) -> int | None:
    """date-text: days since 1970-01-01 of `1-Feb-1994`; None when it is no date."""
    match = _DATE.fullmatch(octets)
    if not match:
        return None
    try:
        date = datetime.date(int(match[3]), _MONTH.get(match[2].decode().lower(), 0), int(match[1]))
    except ValueError:
        return None
    return date.toordinal() - EPOCH


def seconds_of(octets: bytes) -> int | None:
    """The text of a date-time: seconds since 1970-01-01 UTC; None when it is none.

    date-day-fixed is two digits, or a space and one. Leniency: one digit alone, seen from scripts.
    """
    date, _, rest = octets.strip(b" ").partition(b" ")
    day = day_of(date)
    time = _TIME.fullmatch(rest)
    if day is None or not time:
        return None
    hour, minute, second = int(time[1]), int(time[2]), int(time[3])
    if hour > 23 or minute > 59 or second > 60:
        return None
    zone = int(time[5]) * 3600 + int(time[6]) * 60
    return day * DAY + hour * 3600 + minute * 60 + second + (zone if time[4] == b"-" else -zone)


def day_text(day: int) -> bytes:
    """date-day-fixed "-" date-month "-" date-year, of days since 1970-01-01."""
    date = datetime.date.fromordinal(day + EPOCH)
    return b"%2d-%b-%04d" % (date.day, MONTHS[date.month - 1].encode(), date.year)


def texts(seconds: Sequence[int]) -> list[bytes]:
    """Each time as a date-time in UTC, without quotes; a day is rendered once however many fall on it."""
    days = {day: day_text(day) + b" " for day in {second // DAY for second in seconds}}
    minutes, within_minute = _MINUTES, _SECONDS
    return [days[s // DAY] + minutes[s % DAY // 60] + within_minute[s % 60] for s in seconds]
