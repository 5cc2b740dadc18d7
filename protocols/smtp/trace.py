"""The fields that say which way a message came: RFC 5321 §4.4, RFC 3848, RFC 6531 §4.3."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from protocols.smtp.envelope import Path
from protocols.smtp.profile import Flavour

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DOMAIN = re.compile(rb"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*|\[[A-Za-z0-9.:]+\]")


@dataclass(frozen=True, slots=True)
class Came:
    """Over which connection a message came, as Received tells it.

    `name` is what the client said in EHLO, `address` its IP address (empty over a unix socket), `host` who
    received it, `protocol` the word of `with_protocol`, `reverse_name` a name of the address that leads back
    to it, where one was looked for.
    """

    name: bytes
    address: str
    host: str
    protocol: str
    reverse_name: str = ""


def with_protocol(flavour: Flavour, extended: bool, secure: bool, authenticated: bool, smtputf8: bool) -> str:
    """RFC 3848, RFC 6531 §4.3. No word tells that a client that said HELO used TLS."""
    lmtp = flavour is Flavour.LMTP
    if not extended and not lmtp:
        return "SMTP"
    name = "LMTP" if lmtp else "SMTP"
    prefix = "UTF8" if smtputf8 else ("" if lmtp else "E")
    return prefix + name + ("S" if secure else "") + ("A" if authenticated else "")


def received(came: Came, identity: str, recipient: Path | None, seconds: int) -> bytes:
    """Time-stamp-line. A recipient is named if the message has no other: the field goes to all of them."""
    lines = [
        f"Received: from {_extended_domain(came)}",
        f" by {came.host} with {came.protocol} id {identity}",
    ]
    if recipient is not None:
        lines.append(f" for <{recipient}>")
    return ("\r\n".join(lines) + "; " + date_time(seconds) + "\r\n").encode()


def return_path(reverse_path: Path) -> bytes:
    """Return-path-line, of final delivery only."""
    return b"Return-Path: <" + reverse_path.mailbox + b">\r\n"


@lru_cache(maxsize=2)  # a busy second asks for the same one hundreds of times
def date_time(seconds: int) -> str:
    """date-time, RFC 5322 §3.3, in UTC; seconds since 1970."""
    at = datetime.fromtimestamp(seconds, UTC)
    moment = f"{at.hour:02}:{at.minute:02}:{at.second:02}"  # strftime takes longer than all the rest
    return f"{_DAYS[at.weekday()]}, {at.day} {_MONTHS[at.month - 1]} {at.year} {moment} +0000"


def _extended_domain(came: Came) -> str:
    """Extended-Domain = Domain / ( Domain FWS "(" TCP-info ")" ) / ..., RFC 5321 §4.4"""
    literal = _address_literal(came.address)
    name = came.name.decode("ascii") if _DOMAIN.fullmatch(came.name) else literal
    reverse = f"{came.reverse_name} " if _DOMAIN.fullmatch(came.reverse_name.encode()) else ""
    return f"{name} ({reverse}{literal})" if came.address else name


def _address_literal(address: str) -> str:
    """address-literal, RFC 5321 §4.1.3; a name where there is no address."""
    if not address:
        return "localhost"
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"
