"""The commands: one row says all about each. Dispatch, state check, UID variant and tests read it."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass

from protocols.fault import Fault
from protocols.imap import arguments
from protocols.imap.capability import LITERAL_MINUS_OCTETS_MAX, Policy
from protocols.imap.event import (
    Asked,
    Authenticate,
    Event,
    Fetch,
    List,
    Login,
    Search,
    Select,
    StartTls,
    Status,
    Store,
)
from protocols.imap.fetch import Attribute
from protocols.imap.framing import Announced
from protocols.imap.grammar import Grammar
from protocols.imap.head import Head
from protocols.imap.search import Op


class State(enum.Enum):
    """RFC 9051 §3."""

    NOT_AUTHENTICATED = "not authenticated"
    AUTHENTICATED = "authenticated"
    SELECTED = "selected"
    LOGOUT = "logout"


BEFORE = frozenset({State.NOT_AUTHENTICATED})
LOGGED_IN = frozenset({State.AUTHENTICATED, State.SELECTED})
SELECTED = frozenset({State.SELECTED})
ANY = BEFORE | LOGGED_IN


@dataclass(frozen=True, slots=True)
class Command:
    """`arguments` reads what stands behind the name. `uid`: UID may stand before it (RFC 9051 §6.4.9).

    `then` is the state after OK, `otherwise` after NO; None: as before.
    """

    name: str
    states: frozenset[State]
    arguments: Callable[[Grammar], Asked]
    uid: bool = False
    then: State | None = None
    otherwise: State | None = None


_ROWS = (
    Command("CAPABILITY", ANY, arguments.capability),
    Command("NOOP", ANY, arguments.noop),
    Command("LOGOUT", ANY, arguments.logout, then=State.LOGOUT, otherwise=State.LOGOUT),
    Command("ID", ANY, arguments.identify),
    Command("STARTTLS", BEFORE, arguments.start_tls, then=State.LOGOUT),
    Command("AUTHENTICATE", BEFORE, arguments.authenticate, then=State.AUTHENTICATED),
    Command("LOGIN", BEFORE, arguments.login, then=State.AUTHENTICATED),
    Command("ENABLE", LOGGED_IN, arguments.enable),
    Command("COMPRESS", LOGGED_IN, arguments.compress),
    Command("SELECT", LOGGED_IN, arguments.select, then=State.SELECTED, otherwise=State.AUTHENTICATED),
    Command("EXAMINE", LOGGED_IN, arguments.examine, then=State.SELECTED, otherwise=State.AUTHENTICATED),
    Command("CREATE", LOGGED_IN, arguments.create),
    Command("DELETE", LOGGED_IN, arguments.delete),
    Command("RENAME", LOGGED_IN, arguments.rename),
    Command("SUBSCRIBE", LOGGED_IN, arguments.subscribe),
    Command("UNSUBSCRIBE", LOGGED_IN, arguments.unsubscribe),
    Command("LIST", LOGGED_IN, arguments.list_),
    Command("LSUB", LOGGED_IN, arguments.lsub),
    Command("NAMESPACE", LOGGED_IN, arguments.namespace),
    Command("STATUS", LOGGED_IN, arguments.status),
    Command("GETQUOTA", LOGGED_IN, arguments.get_quota),
    Command("GETQUOTAROOT", LOGGED_IN, arguments.get_quota_root),
    Command("APPEND", LOGGED_IN, arguments.append_without_message),
    Command("IDLE", LOGGED_IN, arguments.idle),
    Command("CHECK", SELECTED, arguments.noop),
    Command("CLOSE", SELECTED, arguments.close, then=State.AUTHENTICATED),
    Command("UNSELECT", SELECTED, arguments.unselect, then=State.AUTHENTICATED),
    Command("EXPUNGE", SELECTED, arguments.expunge, uid=True),
    Command("SEARCH", SELECTED, arguments.search, uid=True),
    Command("FETCH", SELECTED, arguments.fetch, uid=True),
    Command("STORE", SELECTED, arguments.store, uid=True),
    Command("COPY", SELECTED, arguments.copy, uid=True),
    Command("MOVE", SELECTED, arguments.move, uid=True),
)

COMMANDS: dict[str, Command] = {row.name: row for row in _ROWS}


def row(found: Head, state: State) -> Command:
    """The row of a command that may come now; raises Fault."""
    row = COMMANDS.get(found.name)
    if row is None or (found.by_uid and not row.uid):
        raise Fault("BAD", "Unknown command")
    if state not in row.states:
        raise Fault("BAD [CLIENTBUG]", f"{found.name} is not for the state {state.value}")
    return row


def check(asked: Asked, policy: Policy, enabled: frozenset[str]) -> None:
    """Whether the connection allows it; raises Fault."""
    if "QRESYNC" not in enabled and (
        (isinstance(asked, Select) and asked.known) or (isinstance(asked, Fetch) and asked.vanished)
    ):
        raise Fault("BAD [CLIENTBUG]", "ENABLE QRESYNC comes first")
    if isinstance(asked, Login) and not policy.plaintext_login:
        raise Fault("NO [PRIVACYREQUIRED]", "LOGIN needs TLS")
    if isinstance(asked, Authenticate) and asked.mechanism not in policy.mechanisms:
        raise Fault("NO [CANNOT]", "This mechanism is not offered")
    if isinstance(asked, StartTls) and (policy.tls or not policy.starttls):
        raise Fault("BAD", "TLS is active" if policy.tls else "STARTTLS is not offered")


def check_literal(literal: Announced, policy: Policy) -> None:
    """Whether it may come unasked, where it does; raises Fault."""
    too_long = literal.size > LITERAL_MINUS_OCTETS_MAX and not literal.synchronising
    if too_long and policy.literal_minus:
        raise Fault("BAD [TOOBIG]", "Such a literal must be announced, and wait (LITERAL-)")


def enables_condstore(asked: Asked) -> bool:
    """Whether mod-sequences are told from here on: RFC 7162 §3.1, "CONDSTORE enabling command"."""
    match asked:
        case Select(condstore=enables):
            return enables
        case Status(items=items) | List(status=items):
            return "HIGHESTMODSEQ" in items
        case Fetch(plan=plan):
            return Attribute.MODSEQ in plan.items
        case Store(unchanged_since=since):
            return since >= 0
        case Search(key=key):
            return key.has(Op.MODSEQ)
    return False


def withholds_expunge(event: Event) -> bool:
    """Whether no EXPUNGE may be said while this is answered: its responses, or what it searches for, are
    sequence numbers (RFC 9051 §7.5.1, RFC 7162 §3.2.10.2; UID FETCH and the like are other commands)."""
    if isinstance(event, Search) and event.key.has(Op.NUMBERS):
        return True
    return isinstance(event, Fetch | Search | Store) and not event.by_uid
