"""Sessions that came in by what is no longer good end, at every node."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection

from mailnode.directory.rows import Accounts, small_row
from mailnode.directory.sessions import Sessions
from mailnode.pb.row_pb2 import CredentialRow
from mailnode.store.damage import Unreadable
from mailnode.store.keys import Kind

Asks = Callable[[int], Awaitable[None]]


class Revocation:
    """Of this node's sessions; `everywhere` asks all nodes to look, `follow` returns once this one is asked.

    A `ties.Holder`.
    """

    def __init__(self, accounts: Accounts, sessions: Sessions, everywhere: Asks, follow: Asks) -> None:
        self._accounts = accounts
        self._sessions = sessions
        self._everywhere = everywhere
        self.follow = follow
        """Before a row is read that a session is to begin by; raises Unavailable."""

    @classmethod
    def alone(cls, accounts: Accounts, sessions: Sessions) -> Revocation:
        """There are no other nodes."""

        async def look(account: int) -> None:
            made.overtaken(account)
            await made.look(account)

        async def follow(_: int) -> None: ...

        made = cls(accounts, sessions, look, follow)
        return made

    async def revoked(self, account: int) -> None:
        """Returns once no session is open that what is stored of the account forbids; raises Unavailable."""
        await self._everywhere(account)

    def held(self) -> Collection[int]:
        return self._sessions.accounts

    def taking(self) -> Collection[int]:
        return self._sessions.logins

    def overtaken(self, account: int | None) -> None:
        self._sessions.overtake(account)

    async def look(self, account: int) -> None:
        try:
            row = await small_row(self._accounts, account, CredentialRow, Kind.CREDENTIAL, b"")
        except Unreadable:
            return  # nobody can tell, and it does not pass
        usage = await (await self._accounts.open(account)).usage()
        self._sessions.end(account, lambda by: not usage.row.removed and by.stamp == stamp(row, by.password))


def stamp(row: CredentialRow, password: int) -> bytes:
    """The same as long as a session that came in by this password (0: the account's own) may go on; empty:
    it opens nothing."""
    there = not password or any(each.id == password for each in row.application_passwords)
    if row.suspended or not there:
        return b""
    return b"%d %d" % (row.suspensions, 0 if password else row.password)
