"""A set of fields that continues a chain: RFC 8617 §5.1."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Sequence

from protocols.arc.chain import SEAL, SETS_MAX, read_chain
from protocols.dkim.canonical import Form, relaxed_field
from protocols.dkim.head import Head, value_of
from protocols.dkim.read import tags_of
from protocols.dkim.signature import SIGNED, Unsigned, folded
from protocols.dkim.tags import Malformed
from protocols.results import NAME, authserv_id

_BLANKS = re.compile(rb"[ \t\r\n]+")


def next_instance(head: Head) -> int:
    """0: nothing may be added: a set says that the chain has failed, or it cannot be read, or is too long
    (RFC 8617 §5.1.2 and §4.2.1)."""
    seals = head.all(SEAL)
    if len(seals) >= SETS_MAX:
        return 0
    try:
        tags = [tags_of(field) for field in seals]
    except Malformed:
        return 0
    instances = sorted(each.get("i", "") for each in tags)
    if instances != sorted(map(str, range(1, len(seals) + 1))) or any(
        each.get("cv") == "fail" for each in tags
    ):
        return 0
    return len(seals) + 1


def results_field(instance: int, identity: str, head: Head) -> bytes:
    """ARC-Authentication-Results: what the Authentication-Results of this authserv-id say, in their order."""
    told = [b"i=%d" % instance, identity.encode()]
    for field in head.all(NAME):
        value = value_of(field)
        if authserv_id(value) == identity.lower().encode():
            results = _BLANKS.sub(b" ", value.partition(b";")[2]).strip(b" ;")
            told += [results] if results else []
    if len(told) == 2:
        told.append(b"none")
    return b"ARC-Authentication-Results: " + b";\r\n\t".join(told) + b"\r\n"


def names_of(head: Head) -> list[bytes]:
    """What of a header is signed: each instance of what is there."""
    return [name for name in SIGNED for _ in head.all(name)]


def message_signature(
    *,
    instance: int,
    algorithm: str,
    domain: str,
    selector: str,
    seconds: int,
    names: Sequence[bytes],
    body_hash: bytes,
    head: Head,
) -> Unsigned:
    """ARC-Message-Signature; tags in the order of the alphabet, as most have them."""
    field = b"ARC-Message-Signature: a=%b;\r\n\tb=" % algorithm.encode()
    rest = b";\r\n\tbh=%b; c=relaxed/relaxed;\r\n\td=%b; h=%b;\r\n\ti=%d; s=%b; t=%d" % (
        b64encode(body_hash),
        domain.encode(),
        folded(names),
        instance,
        selector.encode(),
        seconds,
    )
    return Unsigned(field, head.signed(names, Form.RELAXED, field + rest), rest)


def seal(
    *,
    instance: int,
    algorithm: str,
    domain: str,
    selector: str,
    seconds: int,
    validation: str,
    results: bytes,
    message: bytes,
    head: Head,
) -> Unsigned:
    """ARC-Seal over all sets; over its own alone where the chain has failed (RFC 8617 §5.1.2). `results` and
    `message` are the new set's fields. Raises what `read_chain` raises for a chain that passes."""
    field = b"ARC-Seal: a=%b;\r\n\tb=" % algorithm.encode()
    rest = b"; cv=%b;\r\n\td=%b; i=%d; s=%b; t=%d" % (
        validation.encode(),
        domain.encode(),
        instance,
        selector.encode(),
        seconds,
    )
    fields = []
    for each in read_chain(head) if validation == "pass" else ():
        fields += [each.results, each.message.field, each.seal.field]
    fields += [results, message, field + rest]
    return Unsigned(field, b"".join(map(relaxed_field, fields)).removesuffix(b"\r\n"), rest)
