"""A domain as the DNS has it, so that two spellings of it are one and look-alikes are two."""

from __future__ import annotations

from functools import lru_cache

import idna

from mailnode.limits import ADDRESS_OCTETS_MAX


@lru_cache(maxsize=4096)
def a_labels(domain: str) -> str:
    """In lower case, as A-labels (RFC 5891 §4, with the mapping of UTS 46); empty: it is no domain.

    Labels in ASCII stay as they are: the DNS has names that hosts may not have.
    """
    lower = domain.lower().removesuffix(".")
    if not lower or len(lower) > ADDRESS_OCTETS_MAX or lower.startswith("["):
        return ""
    if not lower.isascii():
        try:
            lower = idna.encode(lower, uts46=True).decode("ascii")
        except (idna.IDNAError, UnicodeError):
            return ""
    return lower if all(0 < len(label) < 64 for label in lower.split(".")) else ""
