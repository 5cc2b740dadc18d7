"""Several nodes of one directory: a process each, forked from one that sees to it that they run.

The parent binds the ports, makes a queue of connections for each node at each of them, and keeps those: the
queue of a node that died is not lost, and the others take from it until that node is back. It does nothing
else, and holds neither shard nor session. A channel to each child says who is away and who is back, tells
the parent that the child is ready, and ends both ways: a child whose parent died stops.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import selectors
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mailnode import log as log_file
from mailnode.cluster.local_map import name_of
from mailnode.config import Config, ConfigError
from mailnode.limits import Limits
from mailnode.listeners.ports import Ports, become, bound_unix, inherited, shared
from mailnode.node.members import locked
from mailnode.node.restarts import Restarts
from mailnode.node.serving import DRAINED, READY, Place, run
from mailnode.store.shard import ShardError

log = logging.getLogger(__name__)

_FAILED = 1
_KILLED_AFTER_SECONDS = 10
"""Beyond what a node takes to stop by itself."""
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)


class Unstarted(Exception):
    """A node did not begin, and said why."""


def supervise(configs: Sequence[Config], ready: Callable[[], None]) -> None:
    """Run all nodes until told to stop; `ready` is called once all of them accept.

    Raises ConfigError and Unstarted.
    """
    config = configs[0]
    ports = shared(config.listeners, inherited(), len(configs))
    become(config.user)
    with locked(config):
        lmtp = None
        if config.lmtp_socket is not None:
            try:
                lmtp = bound_unix(config.lmtp_socket)
            except OSError as error:
                raise ConfigError(f"lmtp cannot listen at {config.lmtp_socket}: {error.strerror}") from None
        ports = [Ports(each.listeners, lmtp) for each in ports]
        try:
            Supervisor(configs, ports, ready).run()
        finally:
            if config.lmtp_socket is not None:
                config.lmtp_socket.unlink(missing_ok=True)


@dataclass(slots=True)
class Child:
    node: int
    restarts: Restarts
    process: int = 0
    """0: none runs."""
    channel: socket.socket | None = None
    is_ready: bool = False
    is_drained: bool = False
    served_since: float | None = None
    """None: not yet."""
    begins: float | None = None
    """When it is to be started again."""


class Supervisor:
    def __init__(self, configs: Sequence[Config], ports: Sequence[Ports], ready: Callable[[], None]) -> None:
        self._configs = configs
        self._limits: Limits = configs[0].limits
        self._ports = ports
        self._ready = ready
        self._told_ready = False
        self._children = [Child(node, Restarts(self._limits)) for node in range(len(configs))]
        self._selector = selectors.DefaultSelector()
        self._wakes, self._woken = socket.socketpair()
        self._stop_by: float | None = None
        self._failed: Child | None = None

    def run(self) -> None:
        self._wakes.setblocking(False)
        self._woken.setblocking(False)
        before = [signal.signal(each, lambda *_: None) for each in _SIGNALS]
        signal.set_wakeup_fd(self._wakes.fileno())
        self._selector.register(self._woken, selectors.EVENT_READ)
        gc.freeze()  # what is shared with the children stays shared
        try:
            for child in self._children:
                self._start(child, anew=False)
            while any(child.process for child in self._children) or self._stop_by is None:
                self._turn()
        finally:
            signal.set_wakeup_fd(-1)
            for number, what in zip(_SIGNALS, before, strict=True):
                signal.signal(number, what)
        if self._failed is not None:
            raise Unstarted(f"{name_of(self._failed.node)} did not start")

    def _turn(self) -> None:
        for key, _ in self._selector.select(self._patience()):
            if key.fileobj is self._woken:
                self._hear_signals()
            else:
                self._hear(key.data)
        self._reap()
        now = time.monotonic()
        for child in self._children:
            if child.begins is not None and child.begins <= now and self._stop_by is None:
                self._start(child, anew=True)
        if self._stop_by is not None and now > self._stop_by:
            self._signal(signal.SIGKILL)

    def _patience(self) -> float | None:
        now = time.monotonic()
        if self._stop_by is not None:
            return max(0.1, self._stop_by - now)
        times = [child.begins for child in self._children if child.begins is not None]
        return max(0.0, min(times) - now) if times else None

    def _hear_signals(self) -> None:
        for number in self._woken.recv(64):
            if number in (signal.SIGTERM, signal.SIGINT):
                self._stop()
            elif number == signal.SIGHUP:
                self._signal(signal.SIGHUP)

    def _stop(self) -> None:
        """Everybody says goodbye."""
        if self._stop_by is not None:
            return
        limits = self._limits
        within = limits.stop_seconds_max + limits.connection_linger_seconds_max + _KILLED_AFTER_SECONDS
        self._stop_by = time.monotonic() + within
        for ports in self._ports:
            ports.close()
        self._signal(signal.SIGTERM)

    def _signal(self, number: int) -> None:
        for child in self._children:
            if child.process:
                os.kill(child.process, number)

    # -- children

    def _start(self, child: Child, anew: bool) -> None:
        ours, theirs = socket.socketpair()
        sys.stdout.flush()
        sys.stderr.flush()
        process = os.fork()
        if process == 0:
            ours.close()
            self._be(child, theirs, anew)
        theirs.close()
        ours.setblocking(False)
        child.process, child.channel, child.is_ready = process, ours, False
        child.is_drained = False
        child.served_since = child.begins = None
        self._selector.register(ours, selectors.EVENT_READ, child)
        if anew:
            for other in self._children:  # it hears of those who are away
                if other is not child and not other.is_ready:
                    self._tell(child, f"away {other.node}")
            log.info("a node is started again", extra={"node": name_of(child.node), "pid": process})

    def _be(self, child: Child, channel: socket.socket, anew: bool) -> None:
        """The child's whole life."""
        status = _FAILED
        try:
            self._let_go()
            config = self._configs[child.node]
            log_file.set_up(config.log_level, config.log_format, name_of(child.node))
            others = {node: ports for node, ports in enumerate(self._ports) if node != child.node}
            run(config, self._ports[child.node], lambda: channel.send(READY), Place(channel, others, anew))
            status = 0
        except (ConfigError, ShardError, OSError) as error:
            print(f"mailnode: {name_of(child.node)}: {error}", file=sys.stderr)
        except BaseException:
            log.exception("a node ended by our own mistake")
        finally:
            with contextlib.suppress(OSError, ValueError):
                sys.stderr.flush()
            os._exit(status)

    def _let_go(self) -> None:
        """Of what is the parent's alone."""
        signal.set_wakeup_fd(-1)
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until it can take its configuration anew
        self._selector.close()
        for each in (self._wakes, self._woken, *(child.channel for child in self._children)):
            if each is not None:
                each.close()

    def _hear(self, child: Child) -> None:
        """That it is ready, or drained; its end is told by a signal too."""
        assert child.channel is not None
        try:
            said = child.channel.recv(16)
        except OSError:
            said = b""
        if not said:
            self._drop_channel(child)
            return
        if DRAINED in said:
            child.is_ready, child.is_drained = False, True
            self._end_drained(child)
            return
        child.is_ready, child.served_since = True, time.monotonic()
        for other in self._children:
            self._tell(other, f"back {child.node}")
        if not self._told_ready and all(each.is_ready for each in self._children):
            self._told_ready = True
            self._ready()

    def _end_drained(self, child: Child) -> None:
        """One that stops by itself may end; of all that stop, none before the last one's sessions ended."""
        if self._stop_by is None:
            self._tell(child, "end")
        elif all(each.is_drained or not each.process for each in self._children):
            for each in self._children:
                self._tell(each, "end")

    def _tell(self, child: Child, line: str) -> None:
        if child.channel is not None:
            with contextlib.suppress(OSError):  # it is dead, which we are about to hear
                child.channel.send(line.encode() + b"\n")

    def _drop_channel(self, child: Child) -> None:
        if child.channel is not None:
            self._selector.unregister(child.channel)
            child.channel.close()
            child.channel = None

    def _reap(self) -> None:
        for child in self._children:
            if child.process:
                process, status = os.waitpid(child.process, os.WNOHANG)
                if process:
                    self._ended(child, os.waitstatus_to_exitcode(status))

    def _ended(self, child: Child, status: int) -> None:
        child.process, child.is_ready = 0, False
        self._drop_channel(child)
        if self._stop_by is not None:
            self._end_drained(child)
            return
        log.error("a node ended", extra={"node": name_of(child.node), "status": status})
        if not self._told_ready:
            self._failed = child
            self._stop()
            return
        now = time.monotonic()
        served = 0.0 if child.served_since is None else now - child.served_since
        child.begins = now + child.restarts.pause_seconds(served)
        for other in self._children:
            self._tell(other, f"away {child.node}")
