"""What bounds a session; the numbers come from whoever makes it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ImapLimits:
    """`command_octets_max`: a command with its literals, messages excepted.

    `swallow_octets_max`: a refused LITERAL+ over it ends the session (RFC 7888 §4) before login; after it
    `message_octets_max` does. `chunk_octets_max`: of one Chunk event. `events_open_max`: APPENDs that wait
    for their answer together. `errors_max`: BAD in a row.
    """

    line_octets_max: int
    command_octets_max: int
    message_octets_max: int
    swallow_octets_max: int
    chunk_octets_max: int
    events_open_max: int
    errors_max: int
    depth_max: int
    sequence_ranges_max: int
    list_patterns_max: int
    search_keys_max: int
    keyword_octets_max: int
