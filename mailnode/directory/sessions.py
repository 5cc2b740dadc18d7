"""Sessions that somebody has logged in to: whoever changes a password ends those that came in by it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from mailnode.directory.attempt import Identity


class Sessions:
    """Of a node. `End` ends one session, soon, in its protocol's words."""

    End = Callable[[], None]

    def __init__(self) -> None:
        self._open: dict[int, dict[object, tuple[int, Sessions.End]]] = {}
        self._ended: Counter[int] = Counter()

    def begin(self, identity: Identity, end: End) -> Callable[[], None]:
        """Call what is returned, once, when the session is over."""
        key = object()
        self._open.setdefault(identity.account, {})[key] = identity.password, end

        def over() -> None:
            sessions = self._open[identity.account]
            del sessions[key]
            if not sessions:
                del self._open[identity.account]

        return over

    def end(self, account: int, password: int | None) -> None:
        """Those of the account that came in by this password; None: by any."""
        self._ended[account] += 1
        for came_by, end in list(self._open.get(account, {}).values()):
            if password is None or came_by == password:
                end()

    def ended(self, account: int) -> int:
        """How often sessions of the account were ended: a login from before must not begin one."""
        return self._ended.get(account, 0)
