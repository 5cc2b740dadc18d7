"""EHLO keywords, one row each, and the parameters that they add to MAIL: RFC 5321 §4.1.1.1."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from protocols.fault import Fault
from protocols.smtp import grammar
from protocols.smtp.envelope import NO_PARAMETERS, Body, Durable, MailParameters
from protocols.smtp.profile import Channel, Flavour, Profile
from protocols.smtp.reply import MESSAGE_TOO_BIG, Reply

_DC = re.compile(rb"[A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One of MAIL: the field of MailParameters it sets (none: checked and forgotten), and how it is read."""

    field: str
    read: Callable[[bytes, Profile], Any]


@dataclass(frozen=True, slots=True)
class Extension:
    """`argument` gives what follows the keyword, None where it is not offered."""

    keyword: str
    argument: Callable[[Profile, Channel], str | None]
    parameters: tuple[tuple[bytes, Parameter], ...] = ()


def _always(profile: Profile, channel: Channel) -> str | None:
    return ""


def _size_max(profile: Profile, channel: Channel) -> str | None:
    return str(profile.bounds.message_octets_max)


def _starttls(profile: Profile, channel: Channel) -> str | None:
    return "" if profile.starttls and channel is Channel.PLAIN else None


def _mechanisms(profile: Profile, channel: Channel) -> str | None:
    return " ".join(profile.mechanisms) if auth_offered(profile, channel) else None


def auth_offered(profile: Profile, channel: Channel) -> bool:
    return bool(profile.mechanisms) and (channel is Channel.TLS or not profile.auth_needs_tls)


def _size(value: bytes, profile: Profile) -> int:
    """size-value ::= 1*20DIGIT, RFC 1870 §6.1"""
    size = grammar.number(value, "SIZE")
    if size > profile.bounds.message_octets_max:
        raise Fault("552 5.3.4", MESSAGE_TOO_BIG.text)
    return size


def _body(value: bytes, profile: Profile) -> Body:
    """body-value ::= "7BIT" / "8BITMIME", RFC 6152 §3; BINARYMIME is not offered."""
    try:
        return Body(value.upper())
    except ValueError:
        raise Fault("501 5.5.4", "BODY is 7BIT or 8BITMIME") from None


def _flag(value: bytes, profile: Profile) -> bool:
    """SMTPUTF8 takes no value, RFC 6531 §3.4."""
    if value:
        raise Fault("501 5.5.4", "SMTPUTF8 takes no value")
    return True


def _auth(value: bytes, profile: Profile) -> bytes:
    """AUTH=mailbox in xtext, or <>; nobody here is trusted to say it, so it counts as <>: RFC 4954 §5."""
    return b"<>" if value == b"<>" else grammar.xtext(value)


def _copies_max(profile: Profile, channel: Channel) -> str | None:
    """For our own site and users: it costs the others something."""
    is_ours = profile.flavour is not Flavour.MX
    return str(profile.copies_max) if is_ours and profile.copies_max else None


def _durable(value: bytes, profile: Profile) -> Durable:
    """1*DIGIT *( "+" dc ), the number from 1 to what EHLO says."""
    number, *dcs = value.split(b"+")
    copies = grammar.number(number, "XDURABLE")
    if not 1 <= copies <= profile.copies_max:
        raise Fault("501 5.5.4", f"XDURABLE is a number from 1 to {profile.copies_max}")
    if not all(map(_DC.fullmatch, dcs)):
        raise Fault("501 5.5.4", "Behind XDURABLE's number stands + and a data centre, as often as wanted")
    return Durable(copies, tuple(sorted({dc.decode() for dc in dcs})))


EXTENSIONS = (
    Extension("PIPELINING", _always),  # RFC 2920
    Extension("SIZE", _size_max, ((b"SIZE", Parameter("size", _size)),)),  # RFC 1870
    Extension("STARTTLS", _starttls),  # RFC 3207
    Extension("AUTH", _mechanisms, ((b"AUTH", Parameter("", _auth)),)),  # RFC 4954
    Extension("8BITMIME", _always, ((b"BODY", Parameter("body", _body)),)),  # RFC 6152
    Extension("SMTPUTF8", _always, ((b"SMTPUTF8", Parameter("smtputf8", _flag)),)),  # RFC 6531
    Extension("CHUNKING", _always),  # RFC 3030
    Extension("ENHANCEDSTATUSCODES", _always),  # RFC 2034
    # Of no RFC: how many nodes, and which data centres, shall have the message before it is answered, which
    # then says how many do, and which.
    Extension("XDURABLE", _copies_max, ((b"XDURABLE", Parameter("durable", _durable)),)),
)

_OF_MAIL = {name: (row, parameter) for row in EXTENSIONS for name, parameter in row.parameters}
_BY_KEYWORD = {row.keyword: row for row in EXTENSIONS}


def offered(keyword: str, profile: Profile, channel: Channel) -> bool:
    return _BY_KEYWORD[keyword].argument(profile, channel) is not None


def ehlo_reply(profile: Profile, channel: Channel) -> Reply:
    """ehlo-ok-rsp, RFC 5321 §4.1.1.1; without enhanced codes, RFC 2034 §3."""
    lines = []
    for row in EXTENSIONS:
        argument = row.argument(profile, channel)
        if argument is not None:
            lines.append(f"{row.keyword} {argument}".rstrip())
    return Reply(250, "", profile.host, tuple(lines))


def mail_parameters(rest: bytes, profile: Profile, channel: Channel) -> MailParameters:
    """What follows the path of MAIL; an unknown parameter is 555, RFC 5321 §4.1.1.11."""
    if not rest:
        return NO_PARAMETERS
    fields: dict[str, Any] = {}
    for keyword, value in grammar.parameters(rest):
        found = _OF_MAIL.get(keyword)
        if found is None or found[0].argument(profile, channel) is None:
            raise _unknown(keyword)
        parameter = found[1]
        read = parameter.read(value, profile)
        if parameter.field:
            fields[parameter.field] = read
    return MailParameters(**fields)


def rcpt_parameters(rest: bytes) -> None:
    """What follows the path of RCPT: no extension here adds a parameter to it."""
    for keyword, _ in grammar.parameters(rest):
        raise _unknown(keyword)


def _unknown(keyword: bytes) -> Fault:
    return Fault("555 5.5.4", f"Parameter {keyword.decode()} is not supported")
