"""A domain as the DNS has it, so that two spellings of it are one and look-alikes are two."""

from __future__ import annotations

import re
from functools import lru_cache

import idna

from mailnode.limits import ADDRESS_OCTETS_MAX

_LABEL = "[a-z0-9_-]{1,63}"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")


@lru_cache(maxsize=4096)
def a_labels(domain: str) -> str:
    """In lower case, as A-labels (RFC 5891 §4, with the mapping of UTS 46); empty: it is no domain.

    With underscores, which hosts may not have but senders do.
    """
    lower = domain.lower().removesuffix(".")
    if not lower or len(lower) > ADDRESS_OCTETS_MAX:
        return ""
    if not lower.isascii():
        try:
            lower = idna.encode(lower, uts46=True).decode("ascii")
        except (idna.IDNAError, UnicodeError):
            return ""
    return lower if _NAME.fullmatch(lower) else ""
