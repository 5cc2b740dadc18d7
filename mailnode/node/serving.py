"""A node from its start to its end."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import uvloop

from mailnode.admin import service
from mailnode.clock import SystemClock
from mailnode.config import Config, ConfigError, load
from mailnode.listeners.ports import Ports, become, bound, inherited
from mailnode.listeners.reactor import install
from mailnode.node.doors import Doors
from mailnode.node.house import house, operator
from mailnode.node.offline import joined
from mailnode.node.works import works
from mailnode.traces import Tell

log = logging.getLogger(__name__)


READY, DRAINED = b"+", b"-"
"""What a node says to its parent: it accepts; its sessions have ended."""


@dataclass(frozen=True, slots=True)
class Place:
    """Of a node among others of its directory."""

    channel: socket.socket | None = None
    """To the parent; at its end the node stops. What is told, a line each: `away NODE` and `back NODE`; `end`
    answers DRAINED."""
    others: Mapping[int, Ports] = field(default_factory=dict)
    """The ports of the other nodes, which are served too while those are away."""
    anew: bool = False
    """It is not the first process of its node: the configuration may have changed since."""


def serve(config: Config, ready: Callable[[], None]) -> None:
    """Run a node until it is told to stop; `ready` is called when every listener accepts.

    Raises ConfigError, ShardError and OSError when it cannot start.
    """
    ports = bound(config.listeners, inherited())
    become(config.user)
    run(config, ports, ready, Place())


def run(config: Config, ports: Ports, ready: Callable[[], object], place: Place) -> None:
    """As `serve`, with ports that are bound."""
    loop = uvloop.new_event_loop()
    asyncio.set_event_loop(loop)
    install(loop)
    from twisted.internet import reactor  # there is none before the line above

    running: Any = reactor
    running.startRunning(installSignalHandlers=False)
    loop.run_until_complete(_serve(config, ports, ready, place, running))


async def _serve(
    config: Config, ports: Ports, ready: Callable[[], object], place: Place, reactor: Any
) -> None:
    """Serve until SIGTERM or SIGINT, which end a node at once that still waits for its cluster."""
    waiting = asyncio.current_task()
    assert waiting is not None
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, waiting.cancel)
    try:
        await _open(config, ports, ready, place, reactor)
    except asyncio.CancelledError:
        log.info("the node was stopped while it waited")


async def _open(
    config: Config,
    ports: Ports,
    ready: Callable[[], object],
    place: Place,
    reactor: Any,
) -> None:
    stop = asyncio.Event()
    async with (
        _tracing(config) as traced,
        house(config, SystemClock(), traced) as parts,
        _beside(*works(parts.config, parts)),
    ):
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        doors = Doors(parts.config, parts, reactor)
        if parts.known is not None:
            parts.known.follow(doors.follow_domains)
        asked = operator(config, parts, doors.change_domains, lambda: doors.sessions)
        async with joined(parts, asked) as everywhere:
            admin = await service.serve(config.admin_socket, everywhere)
            try:
                if place.anew:
                    _take_anew(doors)
                doors.open(ports)
                asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, _take_anew, doors)
                end = _attend(place, doors, stop)
                ready()
                await stop.wait()
            finally:
                for each in place.others.values():
                    each.close()
                await doors.stop()
                await parts.others.leave()
                await admin.stop(grace=None)
            await _wait_for_others(place, end, config.limits.stop_seconds_max)


def _attend(place: Place, doors: Doors, stop: asyncio.Event) -> asyncio.Event:
    """Hear what the parent says; the event is set once the others need us no more."""
    end = asyncio.Event()
    if place.channel is not None:
        place.channel.setblocking(False)
        asyncio.get_running_loop().add_reader(place.channel, _told, place, doors, stop, end)
    return end


async def _wait_for_others(place: Place, end: asyncio.Event, seconds_max: float) -> None:
    """Their sessions may still speak to accounts of this node."""
    if place.channel is None:
        return
    with suppress(OSError, TimeoutError):
        place.channel.send(DRAINED)
        async with asyncio.timeout(seconds_max):
            await end.wait()


def _told(place: Place, doors: Doors, stop: asyncio.Event, end: asyncio.Event) -> None:
    """At the parent's end there is nobody any more who would start us again."""
    assert place.channel is not None
    try:
        said = place.channel.recv(4096)
    except BlockingIOError:
        return
    except OSError:
        said = b""
    if not said:
        asyncio.get_running_loop().remove_reader(place.channel)
        stop.set()
        end.set()
    for line in said.decode().splitlines():
        what, _, node = line.partition(" ")
        if what == "away":
            doors.cover(int(node), place.others[int(node)])
        elif what == "back":
            doors.uncover(int(node))
        else:
            end.set()


@asynccontextmanager
async def _tracing(config: Config) -> AsyncIterator[Tell | None]:
    """Who is told of spans; raises ConfigError."""
    if config.traces is None:
        yield None
        return
    try:
        from mailnode.http.tracing import Tracing  # its libraries are an extra
    except ImportError as error:
        raise ConfigError(f"[traces] needs `pip install mailnode[otel]`: {error}") from None
    tracing = Tracing(config.traces, config.hostname, SystemClock())
    try:
        yield tracing.tell
    finally:
        await asyncio.get_running_loop().run_in_executor(None, tracing.stop)


def _take_anew(doors: Doors) -> None:
    """What the configuration's file says now, as far as it can change while the node runs; else nothing."""
    try:
        later = doors.change(load(doors.config.directory))
    except ConfigError as error:
        log.error("the configuration was not taken", extra={"reason": error})
        return
    log.info("the configuration was taken")
    if later:
        log.warning("some of it needs a restart", extra={"keys": " ".join(later)})


@asynccontextmanager
async def _beside(*works: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Work that goes on until the node stops."""
    tasks = [asyncio.create_task(_reported(work)) for work in works]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _reported(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        log.exception("work beside the listeners was cancelled by nobody")
    except Exception:
        log.exception("work beside the listeners ended by our own mistake")
