"""Who may connect: how many over all, how many from one address; and who is on this very machine."""

from __future__ import annotations

from ipaddress import IPv6Address

from mailnode.directory.source import parsed_address
from mailnode.limits import Limits


class Admission:
    """Counts the open connections of the node; one is shared by all of its listeners."""

    __slots__ = ("_limits", "_open", "total")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._open: dict[str, int] = {}
        self.total = 0

    def change(self, limits: Limits) -> None:
        """For the connections from now on."""
        self._limits = limits

    def admit(self, host: str) -> bool:
        """Count a connection from `host` in, unless a limit is reached; empty: over a unix socket."""
        source = network_of(host)
        opened = self._open.get(source, 0)
        if self.total >= self._limits.connections_max:
            return False
        if source and opened >= self._limits.connections_per_address_max:
            return False
        self._open[source] = opened + 1
        self.total += 1
        return True

    def leave(self, host: str) -> None:
        """Count an admitted connection out."""
        source = network_of(host)
        self.total -= 1
        self._open[source] -= 1
        if not self._open[source]:
            del self._open[source]


def network_of(host: str) -> str:
    """The address, or the /64 of an IPv6 one: a household has a whole /64 to choose from."""
    if ":" not in host:
        return host
    address = parsed_address(host)
    return address.packed[:8].hex() if isinstance(address, IPv6Address) else str(address)


def is_local(host: str) -> bool:
    """Whether what `host` says never left this machine; empty: over a unix socket."""
    return not host or parsed_address(host).is_loopback
