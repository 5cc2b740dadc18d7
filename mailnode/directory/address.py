"""An address of ours in the one form that is stored and compared, and the ids that are drawn from it.

For local domains only: envelopes, ORCPT, Delivered-To and relayed addresses keep the octets received.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

import idna
from precis_i18n import get_profile

from mailnode.clock import Clock
from mailnode.limits import ADDRESS_OCTETS_MAX
from mailnode.store import keys

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")  # RFC 5321 §4.1.2, lower case, without address literals
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\x80-\U0010ffff-]+"  # RFC 5321 §4.1.2 atext, RFC 6531 §3.3
_DOT_STRING = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_QUOTED_STRING = re.compile(r'"((?:[^"\\\x00-\x1f\x7f]|\\[ -~])*)"')
_QUOTED_PAIR = re.compile(r"\\(.)")

_RESERVED = frozenset({keys.DIRECTORY_ACCOUNT, keys.SPOOL_ACCOUNT})


@dataclass(frozen=True, slots=True)
class Address:
    """Canonical: `local` unquoted and PRECIS UsernameCaseMapped, `domain` a lower-case A-label."""

    local: str
    domain: str

    def __str__(self) -> str:
        return f"{self.local}@{self.domain}"


@dataclass(frozen=True, slots=True)
class Malformed:
    """No address of ours can look like this; `reason` is for people."""

    reason: str


def canonical(mailbox: str) -> Address | Malformed:
    """A Mailbox (RFC 5321 §4.1.2, RFC 6531 §3.3) as it came, without angle brackets."""
    local_part, at, domain_part = mailbox.rpartition("@")
    if not at:
        return Malformed("an address has the form local@domain")
    if len(mailbox.encode("utf-8", "surrogatepass")) > ADDRESS_OCTETS_MAX:
        return Malformed(f"an address has at most {ADDRESS_OCTETS_MAX} octets")
    domain = canonical_domain(domain_part)
    if isinstance(domain, Malformed):
        return domain
    local = canonical_local_part(local_part)
    if isinstance(local, Malformed):
        return local
    return Address(local, domain)


def canonical_domain(domain: str) -> str | Malformed:
    """As lower-case A-labels, IDNA 2008 (RFC 5891 §4) with the mapping of UTS 46; no address literals."""
    lower = domain.lower() if domain.isascii() else domain
    if len(lower) > ADDRESS_OCTETS_MAX:
        return Malformed("the domain is too long")
    if "xn--" not in lower and _DOMAIN.fullmatch(lower):
        return lower
    return _a_labels(lower)


@lru_cache(maxsize=1024)
def _a_labels(domain: str) -> str | Malformed:
    try:
        encoded = idna.encode(domain, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError) as error:
        return Malformed(f"the domain {domain!a} is not a name of hosts: {error!s:.200}")
    if not _DOMAIN.fullmatch(encoded):
        return Malformed(f"the domain {domain!a} is not a name of hosts")
    return encoded


def canonical_local_part(local_part: str) -> str | Malformed:
    """Unquoted, then UsernameCaseMapped (RFC 8265 §3.3)."""
    quoted = _QUOTED_STRING.fullmatch(local_part)
    if quoted:
        return _username(_QUOTED_PAIR.sub(r"\1", quoted[1]))
    if not _DOT_STRING.fullmatch(local_part):
        return Malformed("the part before the @ is neither a dot-string nor a quoted string")
    return _username(local_part)


def _username(text: str) -> str | Malformed:
    if text.isascii() and text.isprintable() and text and " " not in text:
        return text.lower()  # what PRECIS does to ASCII, a hundred times faster
    try:
        mapped: str = get_profile("UsernameCaseMapped").enforce(text)
    except UnicodeError as error:
        return Malformed(f"the part before the @ cannot name a user: {error!s:.200}")
    return mapped


def stored_address(text: str) -> Address:
    """An address that was canonical when it was stored."""
    local, _, domain = text.rpartition("@")
    return Address(local, domain)


def catch_all(domain: str) -> Address:
    """Whose row stands for every address of the domain that has none: `@domain`."""
    return Address("", domain)


def without_tag(address: Address, separator: str) -> tuple[Address, str] | None:
    """The address before its leftmost separator and the tag behind it (RFC 5233 §4); None: it has none."""
    if not separator:
        return None
    user, found, tag = address.local.partition(separator)
    if not found or not user:
        return None
    return Address(user, address.domain), tag


def slot(address: Address) -> int:
    """The first 12 bits of BLAKE2b-512 (RFC 7693) over the canonical address."""
    return _slot(str(address).encode())


def _slot(name: bytes) -> int:
    return int.from_bytes(blake2b(name).digest()[:2], "big") >> 4


def directory_account(address: Address) -> int:
    """The account that holds the directory row of this address: of home 0 and the slot of its hash."""
    return keys.directory_account(slot(address))


def directory_account_of(name: bytes, home: int) -> int:
    """The same of any name, be it an address or not, and of any home."""
    return keys.directory_account(home * keys.SLOTS + _slot(name))


def draw_account_id(address: Address, home: int, clock: Clock) -> int:
    """A new account id: 4 bits home, 12 bits slot, 48 random bits. Drawn anew at each creation."""
    while (drawn := int.from_bytes(clock.random(6), "big")) in _RESERVED:
        pass
    return home << 60 | slot(address) << 48 | drawn
