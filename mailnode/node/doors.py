"""The ports of a node."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from functools import partial
from typing import Any

from twisted.internet.error import CannotListenError

from mailnode import certificate, openfiles, tunable
from mailnode import log as log_file
from mailnode.config import Config, ConfigError, MetricsAt, Service
from mailnode.config import Listener as At
from mailnode.domain import Domain
from mailnode.http.cluster_gauges import cluster_gauges
from mailnode.http.exposition import Exposition, Gauge
from mailnode.http.gauges import compare_gauges, gauges, scrub_gauges
from mailnode.http.policies import policies
from mailnode.http.site import site
from mailnode.listeners.admission import Admission
from mailnode.listeners.listener import Listener
from mailnode.listeners.listening import Listening, TlsFirst
from mailnode.listeners.ports import Ports
from mailnode.listeners.tls import Certificate
from mailnode.listeners.wheel import Wheel
from mailnode.mailauth.published import policy
from mailnode.mailauth.signer import Key
from mailnode.node.house import House
from mailnode.node.services import services
from mailnode.node.works import signing

IMPLICIT_TLS = frozenset((Service.SUBMISSIONS, Service.IMAPS, Service.POP3S))


class Doors:
    """The ports of the node. What the configuration says of sessions may change while they are open: sessions
    that have begun keep what they have."""

    LIVE = frozenset(
        (
            "domains",
            "key_password",
            "bare_newline",
            "mailauth",
            "allow_plaintext_auth",
            "imap_literal_minus",
            "foreign_from",
            "hide_client",
            "pop3_marks_seen",
            "pop3_expire_days",
            "pop3_login_delay_seconds",
            "log_level",
            "limits",
        )
    )
    """Of the limits, those of mailnode/tunable.py that are read when a session begins."""

    def __init__(self, config: Config, parts: House, reactor: Any) -> None:
        """Raises ConfigError."""
        certificate.check(config.certificate, config.key, config.key_password)
        self.config = config
        self._parts = parts
        self._reactor = reactor
        self._certificate = Certificate(config.certificate, config.key, config.key_password)
        self._wheel = Wheel(reactor)
        self._files_max = openfiles.raised()
        self._admission = Admission(openfiles.within(config.limits, self._files_max))
        self._open: list[tuple[Service, Listening[Any]]] = []
        self._adopts: dict[At, Callable[[socket.socket], Callable[[], object]]] = {}
        """By port: accept at one more socket; gives what ends that."""
        self._covered: dict[int, list[Callable[[], object]]] = {}
        self._sites: list[Callable[[], object]] = []
        self._stopping = False

    def open(self, ports: Ports) -> None:
        """Accept at every port; raises ConfigError."""
        values = services(self.config, self._parts)
        for at in self.config.listeners:
            bound = ports.listeners[at]
            if isinstance(bound, OSError):
                complaint = f"{at.service} cannot listen at {at.host} port {at.port}"
                raise ConfigError(f"{complaint}: {bound.strerror}")
            if at.service is Service.MTA_STS:
                self._adopts[at] = self._policies()
                self._sites.append(self._adopts[at](bound))
                continue
            port = self._listening(at.service, values)
            self._adopts[at] = port.adopt
            port.adopt(bound)
            self._open.append((at.service, port))
        if self.config.lmtp_socket is not None:
            port = self._listening(Service.LMTP, values)
            path = self.config.lmtp_socket
            opens = partial(port.open_unix, path) if ports.lmtp is None else partial(port.adopt, ports.lmtp)
            _bind(f"lmtp cannot listen at {path}", opens)
            self._open.append((Service.LMTP, port))
        ports.close()  # the reactor has its own of each
        if self.config.metrics is not None:
            self._open_site(self.config.metrics)

    def cover(self, node: int, ports: Ports) -> None:
        """Accept at the ports of another node, which is down, too."""
        if node in self._covered or self._stopping:
            return
        for at, bound in ports.listeners.items():
            if isinstance(bound, socket.socket):
                self._covered.setdefault(node, []).append(self._adopts[at](bound))

    def uncover(self, node: int) -> None:
        """It is there again."""
        for leave in self._covered.pop(node, ()):
            leave()

    def _open_site(self, at: MetricsAt) -> None:
        parts = self._parts

        def read() -> Iterator[Gauge]:
            yield from gauges(parts.shard, parts.accounts, parts.space, self.sessions, parts.clock)
            yield from scrub_gauges(parts.scrub)
            others = parts.others
            if others.passes is not None:
                yield from compare_gauges(others.passes)
            if others.joined and others.replication and others.streams:
                yield from cluster_gauges(others.joined, others.replication.core, others.streams)

        made = site(Exposition(parts.metrics, read), self.ailment, at.token, self.config.limits)
        number = at.port + self.config.node  # of several nodes each tells its own

        def bind() -> None:
            self._sites.append(self._reactor.listenTCP(number, made, interface=at.host).stopListening)

        _bind(f"metrics cannot listen at {at.host} port {number}", bind)

    def _policies(self) -> Callable[[socket.socket], Callable[[], object]]:
        domains, others, own = self._parts.domains, self._parts.others, self.config.hostname

        def text(domain: str) -> str:
            if domain not in domains:
                return ""
            return policy(others.hostnames(own), domains[domain].mta_sts).text()

        certificate: Any = self._certificate
        made = TlsFirst(certificate, False, policies(text, self.config.limits), clock=self._reactor)

        def adopt(bound: socket.socket) -> Callable[[], object]:
            bound.setblocking(False)
            port: Any = self._reactor.adoptStreamPort(bound.fileno(), bound.family, made)
            stop: Callable[[], object] = port.stopListening
            return stop

        return adopt

    def _listening(self, service: Service, values: Mapping[Service, Listener[Any]]) -> Listening[Any]:
        return Listening(
            self._reactor,
            values[service],
            limits=self.config.limits,
            clock=self._parts.clock,
            wheel=self._wheel,
            admission=self._admission,
            certificate=self._certificate,
            implicit=service in IMPLICIT_TLS,
        )

    def change(self, config: Config) -> list[str]:
        """Take what can change live, and the certificate as it is now; the keys that need a restart.

        Raises ConfigError and changes nothing when the certificate cannot be used.
        """
        certificate.check(self.config.certificate, self.config.key, config.key_password)
        if config.cluster is not None:  # etcd has the domains
            config = replace(config, domains=self.config.domains)
        keys = self._signing(config.domains)
        config = replace(config, node=self.config.node, nodes=config.nodes or self.config.nodes)
        changed = [each.name for each in fields(Config) if _differs(each.name, self.config, config)]
        limits, limits_later = tunable.changed(self.config.limits, config.limits)
        self.config = replace(self.config, **{name: getattr(config, name) for name in self.LIVE})
        self.config = replace(self.config, limits=limits)
        self._certificate.reload(self.config.key_password)
        self._admission.change(openfiles.within(self.config.limits, self._files_max))
        self._parts.people.verification.change(self.config.limits)
        log_file.set_level(self.config.log_level)
        self._take_domains(self.config.domains, keys)
        later = [name for name in changed if name not in self.LIVE]
        return later + [f"limits.{name}" for name in limits_later]

    def change_domains(self, config: Config) -> None:
        """Of what can change live, these alone; raises ConfigError and changes nothing."""
        self._take_domains(config.domains, self._signing(config.domains))

    def follow_domains(self, domains: Sequence[Domain], changed: Collection[str]) -> None:
        """The same, of a cluster: all, and the names of those that changed, they or their keys."""
        names = {domain.name for domain in domains} - set(changed)
        kept = {name: keys for name, keys in self._parts.signing.items() if name in names}
        self._take_domains(domains, kept | self._signing([each for each in domains if each.name in changed]))

    def _signing(self, domains: Sequence[Domain]) -> dict[str, Sequence[Key]]:
        return signing(replace(self.config, domains=tuple(domains)), self._parts.keyrings)

    def _take_domains(self, domains: Sequence[Domain], keys: Mapping[str, Sequence[Key]]) -> None:
        """And what sessions that begin from now on shall have of the configuration."""
        self.config = replace(self.config, domains=tuple(domains))
        self._parts.domains.clear()
        self._parts.domains.update({domain.name: domain for domain in domains})
        self._parts.signing.clear()
        self._parts.signing.update(keys)
        values = services(self.config, self._parts)
        for name, port in self._open:
            port.change(values[name], self.config.limits)

    @property
    def sessions(self) -> dict[str, int]:
        """How many are open, by service."""
        return {service.value: len(port) for service, port in self._open}

    def ailment(self) -> str:
        """Why nobody should be sent here; empty: all is well."""
        if self._stopping:
            return "the node stops"
        waits = self._parts.others.partitions.waits_seconds
        return "writes to the disk hang" if waits > self.config.limits.write_hangs_seconds else ""

    async def stop(self) -> None:
        """Say goodbye to everybody."""
        self._stopping = True
        self._covered.clear()
        await asyncio.gather(*(port.stop() for _, port in self._open))
        for leave in self._sites:
            leave()


def _differs(name: str, one: Config, other: Config) -> bool:
    return bool(getattr(one, name) != getattr(other, name))


def _bind(complaint: str, bind: Callable[[], object]) -> None:
    try:
        bind()
    except CannotListenError as error:
        why = error.socketError.strerror or error.socketError  # a path too long has no number of its own
        raise ConfigError(f"{complaint}: {why}") from None
    except OSError as error:  # bound by us, but another process was first to listen
        raise ConfigError(f"{complaint}: {error.strerror}") from None
