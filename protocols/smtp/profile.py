"""What distinguishes one listener's session from another's: frozen values, made once a listener."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Flavour(enum.Enum):
    """Which protocol is spoken, and to whom."""

    MX = "mx"  # RFC 5321, the open net
    SUBMISSION = "submission"  # RFC 6409, our users
    LMTP = "lmtp"  # RFC 2033, another part of our own site

    @property
    def word(self) -> str:
        """What the greeting calls it, RFC 5321 §4.3.1, RFC 2033 §4.1."""
        return "LMTP" if self is Flavour.LMTP else "ESMTP"


class BareNewline(enum.Enum):
    """What becomes of content in which LF stands without CR; it never ends content."""

    NORMALIZE = "normalize"  # store CRLF
    REJECT = "reject"  # read to the true end, answer 550 5.6.11


class Channel(enum.Enum):
    """How the octets come; TLS from the first of them (RFC 8314) or since STARTTLS (RFC 3207)."""

    PLAIN = "plain"
    TLS = "TLS"


@dataclass(frozen=True, slots=True)
class Bounds:
    """The numbers that bound a session."""

    line_octets_max: int
    recipients_max: int
    message_octets_max: int
    errors_max: int
    refused_recipients_max: int  # of the open net, since the last message
    events_open_max: int

    @property
    def dropped_octets_max(self) -> int:
        """Of refused content that is read, to find its end: who sends more does not listen."""
        return 2 * self.message_octets_max


@dataclass(frozen=True, slots=True)
class Profile:
    """`mechanisms`: SASL names, in order of preference; not offered without TLS if `auth_needs_tls`."""

    flavour: Flavour
    host: str
    bounds: Bounds
    bare_newline: BareNewline
    starttls: bool = False
    mechanisms: tuple[str, ...] = ()
    auth_needs_tls: bool = True
    copies_max: int = 0  # of a message; 0: nothing is said of copies
