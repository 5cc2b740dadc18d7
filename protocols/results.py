"""What is known of a message's origin, as its header says it: Authentication-Results (RFC 8601 §2.2), written
and told apart, and Received-SPF (RFC 7208 §9.1)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

NAME = b"authentication-results"
VALUE_CHARACTERS_MAX = 300  # a longer one says nothing to a reader, and a line has 998 octets

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`{|}~-]+")
_PVALUE = re.compile(r"(?:[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]*@)?[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*")
_UNSAFE = re.compile(r"[^\x20-\x7e]")
_COMMENT_UNSAFE = re.compile(r"[^\x20-\x7e]|[()\\]")
_DOT_ATOM = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_BLANK = b" \t\r\n"
_DEPTH_MAX = 100


@dataclass(frozen=True, slots=True)
class DkimResult:
    """What became of one signature; its tags as they stand in it, empty where it lacks them.

    `result` is a word of RFC 8601 §2.7.1, `signature` the first characters of `b=` that tell it from others
    (RFC 6008).
    """

    result: str
    domain: str  # d=, in lower case, as an A-label
    selector: str  # s=
    identity: str  # i=
    algorithm: str  # a=
    reason: str
    signature: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """resinfo: `properties` are pairs such as ("smtp.mailfrom", "example.org"). No text is trusted here."""

    method: str
    result: str
    reason: str = ""
    properties: tuple[tuple[str, str], ...] = ()


def field(authserv_id: str, results: Sequence[Result]) -> bytes:
    """The whole field with its CRLF, a result a line."""
    told = "".join(f";\r\n\t{_resinfo(each)}" for each in results) or "; none"
    return f"Authentication-Results: {authserv_id}{told}\r\n".encode()


def _resinfo(result: Result) -> str:
    words = [f"{result.method}={result.result}"]
    if result.reason:
        words.append(f"reason={quoted(result.reason)}")
    words += [f"{name}={_pvalue(value)}" for name, value in result.properties if value]
    return "\r\n\t ".join(words) if sum(map(len, words)) > 900 else " ".join(words)


def _pvalue(text: str) -> str:
    """pvalue: a value as in RFC 2045, or a mailbox or domain as it stands."""
    plain = len(text) <= VALUE_CHARACTERS_MAX and (_TOKEN.fullmatch(text) or _PVALUE.fullmatch(text))
    return text if plain else quoted(text)


def quoted(text: str) -> str:
    """quoted-string, RFC 5322 §3.2.4, with nothing in it that could end the line or the string."""
    safe = _UNSAFE.sub("?", text[:VALUE_CHARACTERS_MAX])
    return '"' + safe.replace("\\", "\\\\").replace('"', '\\"') + '"'


def received_spf(result: str, reason: str, pairs: Sequence[tuple[str, str]]) -> bytes:
    """header-field, RFC 7208 §9.1, with its CRLF: `pairs` such as ("client-ip", "192.0.2.1")."""
    comment = f" ({_COMMENT_UNSAFE.sub('?', reason[:VALUE_CHARACTERS_MAX])})" if reason else ""
    told = "; ".join(f"{key}={_value(value)}" for key, value in pairs if value)
    return f"Received-SPF: {result}{comment}\r\n\t{told}\r\n".encode()


def _value(text: str) -> str:
    """dot-atom / quoted-string"""
    return text if len(text) <= VALUE_CHARACTERS_MAX and _DOT_ATOM.fullmatch(text) else quoted(text)


def authserv_id(value: bytes) -> bytes | None:
    """Whose results the body of such a field claims to be, in lower case; None: it cannot be told.

    authres-header-field = "Authentication-Results:" [CFWS] authserv-id ...
    """
    at = _after_comments(value, 0)
    if at is None:
        return None
    if value[at : at + 1] == b'"':
        return _quoted_string(value, at)
    end = at
    while end < len(value) and value[end] not in b" \t\r\n;(":
        end += 1
    return value[at:end].lower() or None


def result_of(value: bytes, method: str) -> str:
    """What the body of such a field first says of a method, in lower case; empty: nothing."""
    found = re.search(
        rf";\s*{re.escape(method)}(?:\s*/\s*[0-9]+)?\s*=\s*([a-z]+)", _bare(value), re.IGNORECASE | re.ASCII
    )
    return found[1].lower() if found else ""


def _bare(value: bytes) -> str:
    """Without comments, and without what stands in quoted strings."""
    kept, depth, quoted_, at = [], 0, False, 0
    text = value.decode("latin-1")
    while at < len(text):
        character = text[at]
        if character == "\\" and (depth or quoted_):
            at += 1
        elif character == '"' and not depth:
            quoted_ = not quoted_
        elif character == "(" and not quoted_:
            depth += 1
        elif character == ")" and depth:
            depth -= 1
        elif not depth and not quoted_:
            kept.append(character)
        at += 1
    return "".join(kept)


def _quoted_string(value: bytes, at: int) -> bytes | None:
    text, at = bytearray(), at + 1
    while at < len(value) and value[at] != 0x22:
        at += value[at] == 0x5C
        text += value[at : at + 1]
        at += 1
    folded = bytes(text).replace(b"\r\n", b"")  # RFC 5322 §3.2.4: the CRLF in FWS is invisible
    return folded.strip(_BLANK).lower() or None if at < len(value) else None


def _after_comments(value: bytes, at: int) -> int | None:
    """Behind [CFWS]; None: a comment does not end, or nests deeper than anybody writes."""
    depth = 0
    while at < len(value):
        octet = value[at]
        if octet == 0x28:
            depth += 1
            if depth > _DEPTH_MAX:
                return None
        elif depth and octet == 0x29:
            depth -= 1
        elif depth and octet == 0x5C:
            at += 1
        elif not depth and octet not in _BLANK:
            return at
        at += 1
    return None
