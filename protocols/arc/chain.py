"""The chain in a header: RFC 8617 §4 and §5.2."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from protocols.dkim.canonical import Form
from protocols.dkim.head import Head, value_of, without_signature
from protocols.dkim.read import Refused, Signature, acceptable, claimed
from protocols.dkim.tags import Malformed, base64, required, tag_list

RESULTS, MESSAGE, SEAL = b"arc-authentication-results", b"arc-message-signature", b"arc-seal"
SETS_MAX = 50  # RFC 8617 §4.2.1

_INSTANCE = re.compile(rb"[ \t\r\n]*i[ \t\r\n]*=[ \t\r\n]*([0-9]{1,2})[ \t\r\n]*;")
_DIGITS = re.compile(r"[0-9]{1,2}")


@dataclass(frozen=True, slots=True)
class Seal:
    """An ARC-Seal; `validation` is its cv=."""

    field: bytes
    algorithm: str
    domain: str
    selector: str
    validation: str
    signature: bytes


@dataclass(frozen=True, slots=True)
class Set:
    """The three fields of one instance; `results` is raw."""

    results: bytes
    message: Signature
    seal: Seal


def read_chain(head: Head) -> tuple[Set, ...]:
    """From instance 1 on; empty: there is none. Raises Malformed or Refused for what can be no good chain."""
    fields = [head.all(name) for name in (RESULTS, MESSAGE, SEAL)]
    if not any(fields):
        return ()
    count = len(fields[2])
    if count > SETS_MAX or any(len(each) != count for each in fields):
        raise Malformed("the sets are not whole")
    results = {_instance_of_results(field): field for field in fields[0]}
    messages = dict(map(_message, fields[1]))
    seals = dict(map(_seal, fields[2]))
    if any(set(each) != set(range(1, count + 1)) for each in (results, messages, seals)):
        raise Malformed("the instances have gaps")
    sets = tuple(Set(results[at], messages[at], seals[at]) for at in range(1, count + 1))
    for at, each in enumerate(sets, 1):
        if each.seal.validation != ("none" if at == 1 else "pass"):
            raise Refused(f"cv={each.seal.validation} in instance {at}")
    return sets


def sealed(head: Head, sets: Sequence[Set]) -> bytes:
    """What the last seal of these is made over: RFC 8617 §5.1.1."""
    pieces = []
    for each in sets:
        pieces += [head.canonical(field, Form.RELAXED) for field in (each.results, each.message.field)]
        pieces.append(head.canonical(each.seal.field, Form.RELAXED))
    pieces[-1] = head.canonical(without_signature(sets[-1].seal.field), Form.RELAXED)
    return b"".join(pieces).removesuffix(b"\r\n")


def _instance_of_results(field: bytes) -> int:
    """arc-info = instance [CFWS] ";" authserv-id ...: RFC 8617 §4.1.1."""
    found = _INSTANCE.match(value_of(field))
    if found is None:
        raise Malformed("results without an instance")
    return int(found[1])


def _instance(tags: dict[str, str]) -> int:
    text = required(tags, "i")
    if not _DIGITS.fullmatch(text):
        raise Malformed("i= is no instance")
    return int(text)


def _message(field: bytes) -> tuple[int, Signature]:
    """RFC 8617 §4.1.2: as DKIM-Signature, with no v=, i= the instance, and no ARC-Seal in h=."""
    tags = tag_list(value_of(field))
    domain = required(tags, "d").lower()
    # Leniency: without c= it is relaxed/relaxed; seen from the drafts of the RFC and their test suite.
    signature = claimed(field, {"c": "relaxed/relaxed"} | tags, domain, domain)
    if SEAL in signature.names:
        raise Refused("a message signature covers seals")
    return _instance(tags), signature


def _seal(field: bytes) -> tuple[int, Seal]:
    """RFC 8617 §4.1.3: h= makes it no seal."""
    tags = tag_list(value_of(field))
    if "h" in tags:
        raise Refused("a seal with h=")
    seal = Seal(
        field=field,
        algorithm=acceptable(required(tags, "a")),
        domain=required(tags, "d").lower(),
        selector=required(tags, "s"),
        validation=required(tags, "cv"),
        signature=base64(required(tags, "b"), "b"),
    )
    return _instance(tags), seal
