from dataclasses import dataclass, replace

import pytest

from mailnode.directory.creation import Creation
from mailnode.directory.credential import Credentials, Hashing
from mailnode.directory.guessing import Guessing
from mailnode.directory.known import Known
from mailnode.directory.lookup import Lookup
from mailnode.directory.madeup import MadeUp
from mailnode.directory.password import Cost
from mailnode.directory.revocation import Revocation
from mailnode.directory.rows import Rows
from mailnode.directory.sessions import Sessions
from mailnode.directory.turns import Turns
from mailnode.directory.verification import Verification
from mailnode.domain import Domain
from mailnode.limits import Limits
from tests.directory.memory import HandPool, MemoryAccounts, StillClock

CHEAP = Cost(passes=1, memory_kibioctets=8, scram_iterations=4096)
DOMAINS = {
    domain.name: domain
    for domain in (
        Domain("example.test", separator="+", scram=True, dkim=""),
        Domain("dash.test", separator="-", scram=False, dkim=""),
        Domain("plain.test", separator="", scram=True, dkim=""),
    )
}
LIMITS = replace(
    Limits(),
    alias_rows_max=20,
    passwords_remembered_max=3,
    authentication_queue_max=2,
    application_passwords_max=3,
    known_sources_max=3,
)


@dataclass(frozen=True, slots=True)
class Directory:
    """Everything of one node's directory, over accounts in memory."""

    accounts: MemoryAccounts
    clock: StillClock
    pool: HandPool
    rows: Rows
    lookup: Lookup
    credentials: Credentials
    verification: Verification
    creation: Creation


def directory(accounts: MemoryAccounts, cost: Cost) -> Directory:
    clock, pool = StillClock(), HandPool()
    rows = Rows(accounts, clock)
    lookup = Lookup(rows, DOMAINS, LIMITS)
    turns = Turns(LIMITS.authentication_threads_max, LIMITS.authentication_queue_max)
    hashing, sessions = Hashing(pool, turns, cost), Sessions()
    revocation = Revocation.alone(accounts, sessions)
    credentials = Credentials(accounts, hashing, revocation, clock, LIMITS)
    known, made_up = Known(accounts, clock, LIMITS), MadeUp(accounts, clock, cost)
    guessing = Guessing.alone(clock, LIMITS)
    verification = Verification(
        credentials, lookup, hashing, known, made_up, sessions, guessing, clock, LIMITS
    )
    creation = Creation(accounts, rows, credentials, DOMAINS, clock, LIMITS)
    return Directory(accounts, clock, pool, rows, lookup, credentials, verification, creation)


@pytest.fixture
def house() -> Directory:
    return directory(MemoryAccounts(), CHEAP)
