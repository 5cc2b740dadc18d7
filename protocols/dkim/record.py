"""The record of a public key in the DNS: RFC 6376 §3.6.1, RFC 8463 §3."""

from __future__ import annotations

from dataclasses import dataclass

from protocols.dkim.tags import Malformed, base64, colon_list, tag_list


@dataclass(frozen=True, slots=True)
class Record:
    """`kind` is k=; `octets` are empty for a key that is revoked."""

    kind: str
    octets: bytes
    strict: bool  # t=s: i= has the same domain as d=
    testing: bool  # t=y


def read_record(octets: bytes) -> Record:
    """Raises Malformed for what is no key, or none for mail or SHA-256. g=, of an older RFC, is ignored."""
    tags = tag_list(octets)
    if tags.get("v", "DKIM1") != "DKIM1" or ("v" in tags and next(iter(tags)) != "v"):
        raise Malformed("the record of the key is of another version")
    if "p" not in tags:
        raise Malformed("the record has no key")
    if "sha256" not in colon_list(tags.get("h", "sha256")):
        raise Malformed("the key is not for sha256")
    if not {"*", "email"} & set(colon_list(tags.get("s", "*"))):
        raise Malformed("the key is not for mail")
    flags = colon_list(tags.get("t", ""))
    return Record(tags.get("k", "rsa"), base64(tags["p"], "p"), "s" in flags, "y" in flags)
