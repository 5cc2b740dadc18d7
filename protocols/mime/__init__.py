"""MIME and RFC 5322 read once, when a message arrives; what IMAP is asked later is kept.

`digest(octets)` gives, as one frozen value, the header field table, the part tree, ENVELOPE, BODY,
BODYSTRUCTURE, the preview, sort keys and threading identifiers. A message that comes in pieces goes through
`Scanner`: `digest_of(scanner.close())` is the same value.

- Any octets are a message. Nothing here raises on what it reads: what is broken degrades to something a
  client can show, what is over a limit (`MimeLimits`) becomes an opaque body.
- The work is linear in the octets, and memory is bounded by the limits when they come in pieces.
- Offsets are absolute in the message as stored. The fields of a header tile it; a part's body ends before the
  line end that belongs to the delimiter behind it.
- Rows for IMAP hold quoted strings, NIL and numbers, never literals, and are ASCII unless asked for UTF-8.
"""

from protocols.mime.digest import Digest, SortKeys, digest, digest_of
from protocols.mime.envelope import envelope
from protocols.mime.fields import Field, Header, read_header
from protocols.mime.limits import MIME_LIMITS, MimeLimits
from protocols.mime.part import Message, Part, find_part, section_header, section_range
from protocols.mime.scan import Scanner, scan
from protocols.mime.structure import body, body_structure
from protocols.mime.text import decode_text

__all__ = [
    "MIME_LIMITS",
    "Digest",
    "Field",
    "Header",
    "Message",
    "MimeLimits",
    "Part",
    "Scanner",
    "SortKeys",
    "body",
    "body_structure",
    "decode_text",
    "digest",
    "digest_of",
    "envelope",
    "find_part",
    "read_header",
    "scan",
    "section_header",
    "section_range",
]
