"""A DKIM-Signature field that has come: RFC 6376 §3.5 and §6.1.1, RFC 8301, RFC 8463."""

from __future__ import annotations

from dataclasses import dataclass

from protocols.dkim.canonical import Form
from protocols.dkim.head import value_of
from protocols.dkim.tags import Malformed, base64, colon_list, number, required, tag_list

ALGORITHMS = {"rsa-sha256": "rsa", "ed25519-sha256": "ed25519"}
"""Whose key is of which `k=`."""

SHA256_OCTETS = 32
SECONDS_MAX = 10**12  # RFC 6376 §3.5 for t=: values beyond may be taken as infinity


class Refused(Exception):
    """A signature that is well-formed, and none that holds: the text says why."""


@dataclass(frozen=True, slots=True)
class Signature:
    """What a field claims; `names` in lower case, times in seconds since 1970."""

    field: bytes
    algorithm: str
    domain: str
    selector: str
    identity_domain: str  # of i=
    header_form: Form
    body_form: Form
    names: tuple[bytes, ...]
    body_hash: bytes
    signature: bytes
    length: int | None = None
    expires: int | None = None


def tags_of(field: bytes) -> dict[str, str]:
    """Raises Malformed."""
    return tag_list(value_of(field))


def read_signature(field: bytes, tags: dict[str, str]) -> Signature:
    """Raises Malformed, or Refused for what the RFCs let no verifier take."""
    if required(tags, "v") != "1":
        raise Refused("another version than 1")
    if "dns/txt" not in colon_list(tags.get("q", "dns/txt")):
        raise Refused("q= knows no dns/txt")
    domain = required(tags, "d").lower()
    identity = tags.get("i", f"@{domain}").rpartition("@")[2].lower()
    if identity != domain and not identity.endswith(f".{domain}"):
        raise Refused("i= is outside of d=")
    signature = claimed(field, tags, domain, identity)
    if b"from" not in signature.names:
        raise Refused("From is not signed")
    made = number(tags, "t") or 0
    if signature.expires is not None and signature.expires <= min(made, SECONDS_MAX):
        raise Malformed("it expires before it was made")
    return signature


def claimed(field: bytes, tags: dict[str, str], domain: str, identity_domain: str) -> Signature:
    """What DKIM-Signature and ARC-Message-Signature share; raises as `read_signature`."""
    algorithm = required(tags, "a")
    header_form, body_form = _forms(tags.get("c", "simple/simple"))
    body_hash = base64(required(tags, "bh"), "bh")
    signature = Signature(
        field=field,
        algorithm=acceptable(algorithm),
        domain=domain,
        selector=required(tags, "s"),
        identity_domain=identity_domain,
        header_form=header_form,
        body_form=body_form,
        names=_names(tags),
        body_hash=body_hash,
        signature=base64(required(tags, "b"), "b"),
        length=number(tags, "l"),
        expires=number(tags, "x"),
    )
    if len(body_hash) != SHA256_OCTETS:
        raise Malformed("bh= is no SHA-256")
    return signature


def acceptable(algorithm: str) -> str:
    """Raises Refused."""
    if algorithm not in ALGORITHMS:
        why = "rsa-sha1 is refused (RFC 8301)" if algorithm == "rsa-sha1" else "an unknown algorithm"
        raise Refused(why)
    return algorithm


def _forms(text: str) -> tuple[Form, Form]:
    """c=; a body's form that is not named is simple."""
    header, slash, body = text.partition("/")
    try:
        return Form(header), Form(body if slash else "simple")
    except ValueError:
        raise Malformed("c= names no known form") from None


def _names(tags: dict[str, str]) -> tuple[bytes, ...]:
    if "h" not in tags:
        raise Malformed("h= is missing")
    return tuple(name.lower().encode() for name in colon_list(tags["h"]))
