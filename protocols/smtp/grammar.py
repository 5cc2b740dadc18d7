"""The grammar of command arguments: RFC 5321 §4.1.2 and §4.1.3, RFC 6531 §3.3.

Everything here takes octets of one command line and raises Fault. Patterns are linear in their input.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import AddressValueError, IPv4Address, IPv6Address

from protocols.fault import Fault
from protocols.smtp.envelope import Path

# atext = ALPHA / DIGIT / ..., RFC 5322 §3.2.3; / UTF8-non-ascii, RFC 6531 §3.3
_ATEXT = rb"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\x80-\xff-]"
# Dot-string = Atom *("."  Atom)
_DOT_STRING = rb"%s+(?:\.%s+)*" % (_ATEXT, _ATEXT)
# Quoted-string = DQUOTE *QcontentSMTP DQUOTE
_QUOTED_STRING = rb'"(?:[ !#-\[\]-~\x80-\xff]|\\[ -~])*"'
# sub-domain = Let-dig [Ldh-str] / U-label. Leniency: "_" as a letter, seen in host names of Windows networks
_LABEL = rb"[A-Za-z0-9_\x80-\xff](?:[A-Za-z0-9_\x80-\xff-]*[A-Za-z0-9_\x80-\xff])?"
# Domain = sub-domain *("." sub-domain)
_DOMAIN = rb"%s(?:\.%s)*" % (_LABEL, _LABEL)
# address-literal = "[" ( IPv4-address-literal / IPv6-address-literal / General-address-literal ) "]"
_LITERAL = rb"\[[!-Z^-~]*\]"
# A-d-l = At-domain *( "," At-domain ), accepted and ignored: RFC 5321 §3.3, appendix C
_ROUTE = rb"@%s(?:,@%s)*:" % (_DOMAIN, _DOMAIN)
# Path = "<" [ A-d-l ":" ] Mailbox ">"; Mailbox = Local-part "@" ( Domain / address-literal )
_PATH = re.compile(
    rb"<(?:%s)?((?:%s|%s)@(?:%s|(%s)))>" % (_ROUTE, _DOT_STRING, _QUOTED_STRING, _DOMAIN, _LITERAL)
)
_POSTMASTER = re.compile(rb"<(postmaster)>", re.IGNORECASE)
# esmtp-keyword = (ALPHA / DIGIT) *(ALPHA / DIGIT / "-")
# esmtp-value = 1*(%d33-60 / %d62-126 / UTF8-non-ascii)
_PARAMETER = re.compile(rb"([A-Za-z0-9][A-Za-z0-9-]*)(?:=([!-<>-~\x80-\xff]+))?")
_NUMBER = re.compile(rb"[0-9]{1,20}")  # size-value = 1*20DIGIT, RFC 1870 §4
_XTEXT = re.compile(rb"(?:[!-*,-<>-~]|\+[0-9A-F]{2})*")  # RFC 3461 §4
_VISIBLE = re.compile(rb"[!-~\x80-\xff]{1,255}")  # RFC 5321 §4.5.3.1.2

MAILBOX_OCTETS_MAX = (
    320  # 64 "@" 255: RFC 5321 §4.5.3.1.1, §4.5.3.1.2; local parts may take what domains leave
)


def reverse_path(argument: bytes) -> tuple[Path, bytes]:
    """Reverse-path = Path / "<>"; the path and what follows it."""
    if argument.startswith(b"<>"):
        return Path(b""), argument[2:]
    return _path(argument, "501 5.1.7", "Bad sender address syntax")


def forward_path(argument: bytes) -> tuple[Path, bytes]:
    """Forward-path = Path, or "<Postmaster>" in any case (RFC 5321 §4.1.1.3)."""
    if (postmaster := _POSTMASTER.match(argument)) is not None:
        return Path(postmaster[1]), argument[postmaster.end() :]
    return _path(argument, "501 5.1.3", "Bad recipient address syntax")


def _path(argument: bytes, code: str, text: str) -> tuple[Path, bytes]:
    match = _PATH.match(argument)
    if match is None or len(match[1]) > MAILBOX_OCTETS_MAX:
        raise Fault(code, text)
    if match[2] is not None and not _is_address_literal(match[2]):
        raise Fault(code, "Bad address literal")
    if not match[1].isascii():
        _utf8(match[1], code)
    return Path(match[1]), argument[match.end() :]


def _is_address_literal(literal: bytes) -> bool:
    """RFC 5321 §4.1.3; no tag of a General-address-literal has ever been standardized."""
    inner = literal[1:-1].decode("ascii")
    try:
        if inner[:5].upper() == "IPV6:":
            IPv6Address(inner[5:])
        else:
            IPv4Address(inner)
    except AddressValueError:
        return False
    return True


def _utf8(octets: bytes, code: str) -> None:
    try:
        octets.decode("utf-8")
    except UnicodeDecodeError:
        raise Fault(code, "Address is not UTF-8") from None


def after(keyword: bytes, argument: bytes) -> bytes:
    """What follows "FROM:" or "TO:". Leniency: spaces after the colon, seen from scripts and appliances."""
    if argument[: len(keyword)].upper() != keyword:
        raise Fault("501 5.5.4", f"Expected {keyword.decode()}<address>")
    return argument[len(keyword) :].lstrip(b" ")


def parameters(rest: bytes) -> Iterator[tuple[bytes, bytes]]:
    """*(SP esmtp-param): keyword in upper case and value, empty when there is none; each keyword once."""
    if not rest:
        return
    if not rest.startswith(b" "):
        raise Fault("501 5.5.4", "Expected a space and parameters after the address")
    seen = set()
    for word in rest.split():
        match = _PARAMETER.fullmatch(word)
        if match is None or (keyword := match[1].upper()) in seen:
            raise Fault("501 5.5.4", "Bad or repeated parameter")
        seen.add(keyword)
        yield keyword, match[2] or b""


def number(value: bytes, name: str) -> int:
    """1*20DIGIT"""
    if _NUMBER.fullmatch(value) is None:
        raise Fault("501 5.5.4", f"{name} needs a number")
    return int(value)


def xtext(value: bytes) -> bytes:
    """xtext = *( xchar / hexchar ), RFC 3461 §4; not decoded."""
    if not value or _XTEXT.fullmatch(value) is None:
        raise Fault("501 5.5.4", "Bad xtext")
    return value


def hello_name(argument: bytes) -> bytes:
    """Domain / address-literal.

    Leniency: any word of visible octets, for RFC 5321 §4.1.4 refuses nobody for a name and clients send
    what their users called the machine.
    """
    word = argument.split(b" ", 1)[0]
    if _VISIBLE.fullmatch(word) is None:
        raise Fault("501 5.5.4", "Expected a host name")
    return word


def nothing(argument: bytes) -> None:
    """Of verbs that take no argument, RFC 5321 §4.1.1."""
    if argument:
        raise Fault("501 5.5.4", "No argument is allowed")
