"""Which limits an operator may set in `[limits]`: what each bounds, and what is too little."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from mailnode.limits import KiB, Limits


class Tunable(NamedTuple):
    """A field of Limits; `bounds` is for people."""

    name: str
    least: int
    bounds: str


LIVE = (
    Tunable("connections_max", 1, "connections over all"),
    Tunable("connections_per_address_max", 1, "connections from one address"),
    Tunable("imap_connections_per_login_max", 1, "of one account from one address"),
    Tunable("smtp_message_octets_max", 64 * KiB, "of a message that comes in"),  # RFC 5321 §4.5.3.1.7
    Tunable("smtp_recipients_max", 100, "of a message"),  # RFC 5321 §4.5.3.1.8
    Tunable("smtp_refused_recipients_max", 1, "names that a peer may try before it is sent away"),
    Tunable("smtp_errors_max", 1, "mistakes that a peer may make between two messages"),
    Tunable("verdict_seconds_max", 1, "that mail waits for the DNS to say who it is from"),
    Tunable("smtp_command_seconds_max", 10, "that a peer may be silent"),
    Tunable("imap_message_octets_max", 64 * KiB, "of a message that a client appends"),
    Tunable("imap_errors_max", 1, "mistakes in a row"),
    Tunable("imap_login_seconds_max", 10, "until a client must have logged in"),
    Tunable("imap_idle_seconds_max", 1800, "that a client may be silent"),  # RFC 9051 §5.4
    Tunable("pop3_idle_seconds_max", 600, "that a client may be silent"),  # RFC 1939 §3
    Tunable("pop3_errors_max", 1, "mistakes in a row"),
    Tunable("authentication_failures_max", 1, "wrong passwords of one connection"),
    Tunable(
        "guesses_delay_seconds_min",
        1,
        "that a login waits after too many failures; then twice as long",
    ),
    Tunable("guesses_address_free", 1, "failed logins of an address (IPv6: a /64) before that"),
    Tunable("guesses_address_delay_seconds_max", 1, "that it waits at most"),
    Tunable("guesses_network_free", 1, "the same of a network, a /24 or a /48"),
    Tunable("guesses_network_delay_seconds_max", 1, "that it waits at most"),
    Tunable("guesses_account_free", 1, "the same of an account, by all networks that it does not know"),
    Tunable("guesses_account_delay_seconds_max", 1, "that they wait at most"),
    Tunable("guesses_known_free", 1, "the same of an account, by an address that it knows"),
    Tunable("guesses_known_delay_seconds_max", 1, "that it waits at most"),
)
"""Of sessions and logins: a change holds for those that begin after it."""

AT_START = (
    Tunable("replica_returns_seconds", 1, "from when a copy counts to when it may count again"),
    Tunable("moves_per_node_max", 1, "partitions that move from a node, or to it, at the same time"),
    Tunable("node_lost_seconds", 1, "that a node may be away before others get its copies"),
    Tunable("authentication_threads_max", 1, "passwords hashed at the same time, 64 MiB each"),
    Tunable("authentication_queue_max", 1, "logins that wait for that; more are told to try again"),
    Tunable("application_passwords_max", 1, "of an account"),
    Tunable("alias_rows_max", 1, "addresses that one alias may stand for"),
    Tunable("mailboxes_max", 10, "of an account"),
    Tunable("arrays_octets_max", 1024 * KiB, "of memory for the messages of mailboxes in use"),
    Tunable("touched_kept_seconds", 86_400, "that a client may be away and still resynchronises quickly"),
    Tunable("expunged_kept_seconds", 0, "that an expunged message can be brought back"),
    Tunable("removed_kept_seconds", 0, "that a removed account can be brought back"),
    Tunable("collected_seconds", 1, "between two looks for what cannot be any more"),
    Tunable("scrub_octets_a_second", 64 * KiB, "that the scrub reads"),
    Tunable("scrub_seconds", 60, "between two passes of the scrub"),
    Tunable("disk_reserve_octets", 0, "free on the disk; below it no new mail is taken"),
    Tunable("disk_reserve_percent_max", 0, "of a small file system that the reserve may be"),
    Tunable("relay_items_open_max", 1, "messages on their way to other servers at the same time"),
    Tunable("relay_retry_seconds_min", 1, "before the second attempt; then twice as long each time"),
    Tunable("relay_retry_seconds_max", 60, "between two attempts at most"),
    Tunable("relay_delay_told_seconds", 60, "after which a sender is told of a delay"),
    Tunable("relay_kept_seconds_max", 3600, "after which a message that does not arrive is given up"),
    Tunable("relay_connect_seconds_max", 1, "for a host to answer; then the next one is asked"),
)
"""Of what a node is built with: a change holds from its next start on."""

TUNABLE = LIVE + AT_START


def lines(limits: Limits) -> Iterator[str]:
    """The table as TOML: what differs from the default is set, the rest is shown as a remark."""
    yield from _lines(LIVE, limits)
    yield "# These are read at a start:"
    yield from _lines(AT_START, limits)


def _lines(rows: Sequence[Tunable], limits: Limits) -> Iterator[str]:
    default = Limits()
    for row in rows:
        value = getattr(limits, row.name)
        remark = "# " if value == getattr(default, row.name) else ""
        yield f"{remark}{row.name} = {value}  # {row.bounds}"


def changed(before: Limits, after: Limits) -> tuple[Limits, list[str]]:
    """What counts from now on, and the names of what would need a start."""
    later = [row.name for row in AT_START if getattr(before, row.name) != getattr(after, row.name)]
    return replace(after, **{name: getattr(before, name) for name in later}), later
