"""Limits and times as an operator types them."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from datetime import UTC, datetime

from mailnode.clock import Clock
from mailnode.pb.change_pb2 import SetQuota

_OCTETS = re.compile(r"([0-9]{1,18})([kmgt]?)", re.IGNORECASE)
_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
"""As sizes are printed."""
_MOST = 2**63
_AGO = re.compile(r"([0-9]{1,6})([mhd])")
_SECONDS = {"m": 60, "h": 3600, "d": 86_400}


def octets(text: str) -> SetQuota.Limit:
    """`10G`, `none` or `domain`."""
    return _limit(text, 'a number of octets such as "10G"')


def messages(text: str) -> SetQuota.Limit:
    """`10000`, `none` or `domain`."""
    return _limit(text, 'a number such as "10000"')


def since(text: str) -> Callable[[Clock], int]:
    """`90m`, `12h`, `3d`, a date, with or without a time (UTC), or `all`: the time in microseconds."""
    if text == "all":
        return lambda clock: 0
    if found := _AGO.fullmatch(text):
        ago = int(found[1]) * _SECONDS[found[2]] * 1_000_000
        return lambda clock: max(0, clock.now_microseconds() - ago)
    try:
        named = datetime.fromisoformat(text)
    except ValueError:
        right = 'a time such as "12h" (ago) or "2026-01-31 12:00"'
        raise argparse.ArgumentTypeError(f"{text!a}: expected {right}") from None
    named = named if named.tzinfo else named.replace(tzinfo=UTC)
    microseconds = int(named.timestamp() * 1_000_000)
    return lambda clock: max(0, microseconds)


def _limit(text: str, right: str) -> SetQuota.Limit:
    if text == "domain":
        return SetQuota.Limit()
    if text == "none":
        return SetQuota.Limit(own=0)
    found = _OCTETS.fullmatch(text)
    value = int(found[1]) * _UNITS[found[2].lower()] if found else 0
    if not 0 < value < _MOST:
        raise argparse.ArgumentTypeError(f'{text!a}: expected {right}, "none" or "domain"')
    return SetQuota.Limit(own=value)
