"""The ports of the node, bound before anything else: as root, or by systemd, which passes them on.

inherited   sockets that the service manager opened for us: sd_listen_fds(3), without its library
bound       one for each listener
shared      the same for several nodes, each with a queue of its own at every port
become      another user from now on
"""

from __future__ import annotations

import os
import pwd
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mailnode.config import ConfigError, Listener, Service

BACKLOG = 1000  # a restart makes all clients come back at once; the kernel caps it at net.core.somaxconn
FIRST_INHERITED = 3
SOCKET_MODE = 0o660  # its owner and group may deliver

Inherited = Sequence[tuple[str, socket.socket]]
"""Each with the name that its unit gave it."""


def inherited() -> Inherited:
    """What is there to take, once: later calls, and programs that we start, find nothing."""
    told = [os.environ.pop(f"LISTEN_{name}", "") for name in ("PID", "FDS", "FDNAMES")]
    if told[0] != str(os.getpid()) or not told[1].isdecimal():
        return ()
    count = int(told[1])
    names = told[2].split(":") if told[2] else []
    names += [""] * (count - len(names))
    sockets = [socket.socket(fileno=FIRST_INHERITED + at) for at in range(count)]
    for each in sockets:
        each.set_inheritable(False)
    return list(zip(names, sockets, strict=False))  # more names than sockets are nobody's


@dataclass(frozen=True, slots=True)
class Ports:
    """Where one node accepts."""

    listeners: Mapping[Listener, socket.socket | OSError]
    """What cannot be bound is told when it is opened: that another node has the shard says more."""
    lmtp: socket.socket | None = None
    """None: it opens the unix socket itself."""

    def close(self) -> None:
        for each in (*self.listeners.values(), self.lmtp):
            if isinstance(each, socket.socket):
                each.close()


def bound(listeners: Sequence[Listener], passed: Inherited) -> Ports:
    """For each listener the socket that has its service as name, or listens at its port, else a new one."""
    ports: dict[Listener, socket.socket | OSError] = {}
    for at in listeners:
        found = _passed(at, passed)
        ports[at] = _fresh(at) if found is None else found
    return Ports(ports)


def shared(listeners: Sequence[Listener], passed: Inherited, nodes: int) -> list[Ports]:
    """For each node: the kernel spreads the connections over their sockets (SO_REUSEPORT). What was passed to
    us is one queue for all."""
    ports: list[dict[Listener, socket.socket | OSError]] = [{} for _ in range(nodes)]
    for at in listeners:
        found = _passed(at, passed)
        made = _group(at, nodes) if found is None else [found] * nodes
        for each, one in zip(ports, made, strict=True):
            each[at] = one
    return [Ports(each) for each in ports]


def _passed(at: Listener, passed: Inherited) -> socket.socket | None:
    return next((each for name, each in passed if _is_meant(name, each, at)), None)


def _is_meant(name: str, passed: socket.socket, at: Listener) -> bool:
    if passed.family not in (socket.AF_INET, socket.AF_INET6):
        return False
    named = name in set(Service)
    return name == at.service if named else passed.getsockname()[1] == at.port


def _group(at: Listener, nodes: int) -> Sequence[socket.socket | OSError]:
    first = _fresh(at)  # refused where others listen, even those that would share the port with us
    if isinstance(first, OSError):
        return [first] * nodes
    first.close()
    return [_fresh(at, socket.SO_REUSEADDR, socket.SO_REUSEPORT) for _ in range(nodes)]


def _fresh(at: Listener, *options: int) -> socket.socket | OSError:
    made = socket.socket(socket.AF_INET6 if ":" in at.host else socket.AF_INET)
    try:
        for option in options or (socket.SO_REUSEADDR,):
            made.setsockopt(socket.SOL_SOCKET, option, 1)
        made.bind((at.host, at.port))
        made.listen(BACKLOG)
    except OSError as error:
        made.close()
        return error
    return made


def bound_unix(path: Path) -> socket.socket:
    """A unix socket that listens; raises OSError, as when another process has it."""
    drop_orphan(path)
    made = socket.socket(socket.AF_UNIX)
    try:
        made.bind(str(path))
        path.chmod(SOCKET_MODE)
        made.listen(BACKLOG)
    except OSError:
        made.close()
        raise
    return made


def drop_orphan(path: Path) -> None:
    """Remove the socket that a killed node left; one at which somebody listens stays."""
    if not path.is_socket():
        return
    with socket.socket(socket.AF_UNIX) as probe:
        probe.setblocking(False)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
        except OSError:
            return  # listening tells what is wrong


def become(user: str) -> None:
    """For good; empty: who we are. Raises ConfigError."""
    if not user:
        return
    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        raise ConfigError(f"user: found {user!a}, expected a user of this machine") from None
    if os.geteuid() == entry.pw_uid:
        return
    if os.geteuid() != 0:
        raise ConfigError(f"user: found {user!a}, which only root can become: start it as root, or as {user}")
    os.initgroups(user, entry.pw_gid)
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)  # of root: the saved one too, so that there is no way back
