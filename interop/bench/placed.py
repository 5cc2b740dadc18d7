"""Two nodes of one directory of which is known whose accounts lie where, and which has a connection."""

import asyncio
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from socket import inet_aton

from interop.bench.many import create
from interop.bench.nodes import TwoNodes
from interop.bench.session import Session
from interop.peers.processes import descendants
from mailnode.clock import SystemClock
from mailnode.cluster import local_map
from mailnode.directory.address import Address, canonical, directory_account
from mailnode.node.members import members
from mailnode.node.offline import offline
from mailnode.store import keys

_PROC_NET = Path("/proc/net/tcp")
_ATTEMPTS_MAX = 200
"""Each of two is as likely."""


class PlacedNodes(TwoNodes):
    """All accounts have one password."""

    def __init__(
        self, directory: Path, base_port: int, users: Mapping[str, str], prefix: Sequence[str] = ()
    ) -> None:
        super().__init__(directory, base_port, users, prefix)
        self.owners: dict[str, int] = {}
        """Of each address: the number of the node that leads its account."""

    def init(self) -> None:
        every = self.accounts
        self.accounts = {}
        super().init()
        self.accounts = every
        asyncio.run(_create(self.directory, every))
        self.owners = _owners(self.directory, every)

    def process_of(self, node: int) -> int:
        """The one that holds its shard open."""
        shard = str(members(self.directory)[node].shard.absolute())
        return next(each for each in descendants(self.process_id) if _holds(each, shard))

    def connected(self, node: int) -> Session:
        """A session at this node."""
        process = self.process_of(node)
        for _ in range(_ATTEMPTS_MAX):
            session = Session(self)
            if process in self.accepted([session]).values():
                return session
            session.close()
        raise RuntimeError(f"node {node} accepts no connection")

    def accepted(self, sessions: Sequence[Session]) -> dict[Session, int]:
        """The process that has the connection of each."""
        wanted = {_end(*each.end): each for each in sessions}
        inodes = {}
        for line in _PROC_NET.read_text().splitlines()[1:]:
            _, here, there, *fields = line.split()
            if there in wanted and int(here.rpartition(":")[2], 16) == self.port("imap"):
                inodes[fields[6]] = wanted[there]
        found: dict[Session, int] = {}
        for node in range(self.nodes):
            process = self.process_of(node)
            found |= {inodes[each]: process for each in _sockets(process) & inodes.keys()}
        return found


def _end(address: str, port: int) -> str:
    """As /proc/net/tcp has it."""
    return f"{int.from_bytes(inet_aton(address), sys.byteorder):08X}:{port:04X}"


def _holds(process: int, shard: str) -> bool:
    return any(link.startswith(shard + "/") for link in _links(process))


def _sockets(process: int) -> set[str]:
    """Their inodes."""
    start = "socket:["
    return {link[len(start) : -1] for link in _links(process) if link.startswith(start)}


def _links(process: int) -> list[str]:
    found = []
    for descriptor in Path(f"/proc/{process}/fd").iterdir():
        try:
            found.append(str(descriptor.readlink()))
        except FileNotFoundError:
            continue
    return found


async def _create(directory: Path, accounts: Mapping[str, str]) -> None:
    async with offline(directory, SystemClock()) as nodes:
        await create(nodes.houses[0], list(accounts.items()))


def _owners(directory: Path, addresses: Iterable[str]) -> dict[str, int]:
    mapped = local_map.read(members(directory)[0].map_file)
    assert mapped is not None
    owners = {}
    for each in addresses:
        address = canonical(each)
        assert isinstance(address, Address)
        owners[each] = mapped.owners[keys.partition(directory_account(address))]
    return owners
