"""What bounds the reading of one message. Over a bound things degrade; nothing is refused."""

from dataclasses import dataclass

KiB = 1024


@dataclass(frozen=True, slots=True)
class MimeLimits:
    """Bounds of one message, each over all of its parts unless it says otherwise."""

    header_octets_max: int = 1024 * KiB  # all headers together are held in memory; real ones reach 64 KiB
    fields_max: int = 10_000  # of one header; the rest of it stays part of the header, without rows
    parts_max: int = 1_000  # BODYSTRUCTURE grows with it; digests and bundles of mails have hundreds
    depth_max: int = (
        80  # protobuf reads no more than 100 levels, and a row lies within a change; mail has ten
    )
    boundary_octets_max: int = 998  # RFC 5322 §2.1.1: a line; RFC 2046 §5.1.1 allows 70
    parameters_max: int = 100  # of one field, RFC 2231 sections counted one by one
    addresses_max: int = 5_000  # of one field; an envelope row stays below a megabyte
    address_tokens_max: int = 20_000  # of one field that is no plain list of mailboxes: 40 ms of the loop
    references_max: int = 8  # the last Message-IDs of References that threading looks at
    sample_octets_max: int = 16 * KiB  # of a text part, for the preview: newsletters put style sheets first
    preview_characters_max: int = 200  # RFC 8970 §3.3


MIME_LIMITS = MimeLimits()
