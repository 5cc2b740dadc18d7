"""Limits as an operator types them."""

from __future__ import annotations

import argparse
import re

from mailnode.pb.change_pb2 import SetQuota

_OCTETS = re.compile(r"([0-9]{1,18})([kmgt]?)", re.IGNORECASE)
_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
"""As sizes are printed."""
_MOST = 2**63


def octets(text: str) -> SetQuota.Limit:
    """`10G`, `none` or `domain`."""
    return _limit(text, 'a number of octets such as "10G"')


def messages(text: str) -> SetQuota.Limit:
    """`10000`, `none` or `domain`."""
    return _limit(text, 'a number such as "10000"')


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
