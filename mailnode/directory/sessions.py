"""Sessions that somebody has logged in to: whoever changes a password ends those that came in by it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from weakref import WeakSet

from mailnode.directory.attempt import Identity


@dataclass(slots=True, eq=False, weakref_slot=True)
class Login:
    """One under way."""

    account: int
    is_overtaken: bool = False


class Sessions:
    """Of a node. `End` ends one session, soon, in its protocol's words."""

    End = Callable[[], None]

    def __init__(self) -> None:
        self._open: dict[int, dict[object, tuple[Identity, Sessions.End]]] = {}
        self._logins: WeakSet[Login] = WeakSet()

    @property
    def accounts(self) -> Collection[int]:
        """Those that have some."""
        return self._open.keys()

    @property
    def logins(self) -> Collection[int]:
        """The accounts of those under way."""
        return {login.account for login in self._logins}

    def begin(self, identity: Identity, end: End) -> Callable[[], None]:
        """Call what is returned, once, when the session is over."""
        key = object()
        self._open.setdefault(identity.account, {})[key] = identity, end
        return lambda: self._leave(identity.account, key)

    def end(self, account: int, good: Callable[[Identity], bool]) -> None:
        """Those of the account that came in by what is not good, each once."""
        for key, (came_by, end) in list(self._open.get(account, {}).items()):
            if not good(came_by):
                self._leave(account, key)
                end()

    def _leave(self, account: int, key: object) -> None:
        sessions = self._open.get(account, {})
        sessions.pop(key, None)
        if not sessions:
            self._open.pop(account, None)

    def attempted(self, account: int) -> Login:
        """Before the account is read: a login that a change of it overtakes must not begin a session."""
        login = Login(account)
        self._logins.add(login)
        return login

    def overtake(self, account: int | None) -> None:
        """The account, or (None) any, was changed, or may have been."""
        for login in self._logins:
            if account is None or login.account == account:
                login.is_overtaken = True
