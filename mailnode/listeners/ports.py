"""The ports of the node, bound before anything else: as root, or by systemd, which passes them on.

inherited   sockets that the service manager opened for us: sd_listen_fds(3), without its library
bound       one for each listener
become      another user from now on
"""

from __future__ import annotations

import os
import pwd
import socket
from collections.abc import Mapping, Sequence

from mailnode.config import ConfigError, Listener, Service

BACKLOG = 1000  # a restart makes all clients come back at once; the kernel caps it at net.core.somaxconn
FIRST_INHERITED = 3

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


def bound(listeners: Sequence[Listener], passed: Inherited) -> Mapping[Listener, socket.socket | OSError]:
    """The socket that has the listener's service as its name, or listens at its port, else a new one.

    What cannot be bound is told when it is opened: that another node has the shard says more.
    """
    ports: dict[Listener, socket.socket | OSError] = {}
    for at in listeners:
        found = next((each for name, each in passed if _is_meant(name, each, at)), None)
        ports[at] = _fresh(at) if found is None else found
    return ports


def _is_meant(name: str, passed: socket.socket, at: Listener) -> bool:
    if passed.family not in (socket.AF_INET, socket.AF_INET6):
        return False
    named = name in set(Service)
    return name == at.service if named else passed.getsockname()[1] == at.port


def _fresh(at: Listener) -> socket.socket | OSError:
    made = socket.socket(socket.AF_INET6 if ":" in at.host else socket.AF_INET)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((at.host, at.port))
        made.listen(BACKLOG)
    except OSError as error:
        made.close()
        return error
    return made


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
