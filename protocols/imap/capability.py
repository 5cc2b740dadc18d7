"""What is advertised (RFC 9051 §6.1.1) in which state."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Policy:
    """What the connection allows.

    `tls`: it is protected. `starttls`: STARTTLS is offered. `plaintext_login`: LOGIN may come, by TLS or by
    leave. `mechanisms`: those of AUTHENTICATE that may come, in capitals; PLAIN only where `plaintext_login`.
    `append_octets_max`: what a message may have, in every mailbox (RFC 7889); 0: it is not told.
    `literal_minus`: LITERAL- in place of LITERAL+, which excludes it (RFC 7888 §5).
    """

    tls: bool
    starttls: bool
    plaintext_login: bool
    mechanisms: tuple[str, ...]
    append_octets_max: int = 0
    literal_minus: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """How far the session is."""

    policy: Policy
    authenticated: bool


When = Callable[[Standing], bool]


def _always(standing: Standing) -> bool:
    return True


def _before(standing: Standing) -> bool:
    return not standing.authenticated


def _after(standing: Standing) -> bool:
    return standing.authenticated


def _starttls(standing: Standing) -> bool:
    return _before(standing) and standing.policy.starttls and not standing.policy.tls


def _login_disabled(standing: Standing) -> bool:
    return _before(standing) and not standing.policy.plaintext_login


def _literal_plus(standing: Standing) -> bool:
    return not standing.policy.literal_minus


def _literal_minus(standing: Standing) -> bool:
    return standing.policy.literal_minus


LITERAL_MINUS_OCTETS_MAX = 4096
COMPRESS = "COMPRESS=DEFLATE"
REV2 = "IMAP4REV2"
"""As ENABLE says it, in capitals: names and strings in UTF-8, and no word of \\Recent (RFC 9051 §6.3.1)."""

CAPABILITIES: tuple[tuple[str, When], ...] = (
    ("IMAP4rev1", _always),  # RFC 3501
    ("IMAP4rev2", _always),  # RFC 9051; a client that wants it says ENABLE, appendix A
    ("SASL-IR", _before),  # RFC 4959
    ("LITERAL+", _literal_plus),  # RFC 7888
    ("LITERAL-", _literal_minus),  # RFC 7888 §5
    ("ID", _always),  # RFC 2971
    ("ENABLE", _always),  # RFC 5161
    ("STARTTLS", _starttls),  # RFC 9051 §6.2.1
    ("LOGINDISABLED", _login_disabled),  # RFC 9051 §6.2.3
    ("IDLE", _always),  # RFC 2177; before login too: clients choose their ways by it
    ("NAMESPACE", _after),  # RFC 2342
    ("BINARY", _after),  # RFC 3516
    ("CHILDREN", _after),  # RFC 3348
    ("MULTIAPPEND", _after),  # RFC 3502
    ("UIDPLUS", _after),  # RFC 4315
    ("MOVE", _after),  # RFC 6851
    ("UNSELECT", _after),  # RFC 3691
    ("SPECIAL-USE", _after),  # RFC 6154
    ("CREATE-SPECIAL-USE", _after),
    (COMPRESS, _after),  # RFC 4978
    ("ESEARCH", _after),  # RFC 4731
    ("SEARCHRES", _after),  # RFC 5182
    ("WITHIN", _after),  # RFC 5032
    ("LIST-EXTENDED", _after),  # RFC 5258
    ("LIST-STATUS", _after),  # RFC 5819
    ("QUOTA", _after),  # RFC 9208; without QUOTASET: limits are an operator's to set
    ("QUOTA=RES-STORAGE", _after),
    ("QUOTA=RES-MESSAGE", _after),
    ("QUOTA=RES-MAILBOX", _after),
    ("UTF8=ACCEPT", _after),  # RFC 6855
    ("CONDSTORE", _after),  # RFC 7162
    ("QRESYNC", _after),  # RFC 7162
    ("STATUS=SIZE", _after),  # RFC 8438
    ("OBJECTID", _after),  # RFC 8474
    ("SAVEDATE", _after),  # RFC 8514
    ("PREVIEW", _after),  # RFC 8970
)

ENABLED_BY_ENABLE = frozenset({"CONDSTORE", "QRESYNC", "UTF8=ACCEPT", REV2})
"""Extensions that ENABLE turns on (RFC 5161 §3.1): the others above do not wait for it."""


def capabilities(standing: Standing) -> str:
    """The words, with spaces between."""
    return " ".join(_words(standing))


def _words(standing: Standing) -> Iterator[str]:
    for word, when in CAPABILITIES:
        if when(standing):
            yield word
    if standing.authenticated and standing.policy.append_octets_max:
        yield f"APPENDLIMIT={standing.policy.append_octets_max}"
    if not standing.authenticated:
        for mechanism in standing.policy.mechanisms:
            yield f"AUTH={mechanism}"
