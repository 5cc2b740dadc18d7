"""What a node is told: one file, DIR/mailnode.toml, as frozen values.

A wrong file is refused whole: the error names file and key, what was found and what would be right.
"""

from __future__ import annotations

import enum
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path

from mailnode.clustered import ClusterAt, cluster_of
from mailnode.domain import Domain, domain_in, is_plain
from mailnode.limits import Limits
from mailnode.table import NAME, Table
from mailnode.table import ConfigError as ConfigError
from mailnode.tunable import TUNABLE
from protocols.smtp.profile import BareNewline

FILE = "mailnode.toml"
DROP_INS = "domains.d"
"""Beside it: a file a domain, for those that `mailnode domain add` writes."""
MAP_FILE = "map.json"
LIMITS = Limits()
LOG_LEVELS = ("debug", "info", "warning", "error")
LOG_FORMATS = ("text", "json")
_SERVER = re.compile(r"(?:([0-9.]+)|\[([0-9A-Fa-f:.]+)\]):([0-9]{1,5})")
SMTP_PORT = 25
HTTPS_PORT = 443  # RFC 8461 §3.3: nobody asks at another one
EXPIRE_NEVER = -1
DNS_PORT = 53


def shard_of(node: int) -> str:
    """Where it lies within the directory: that of the first node as while there is one only."""
    return f"node{node}/shard" if node else "shard"


class Service(enum.StrEnum):
    """What a listener speaks; the value is its key in `[listeners]`."""

    LMTP = "lmtp"  # mail from another part of our own site, RFC 2033
    SMTP = "smtp"  # the open net's mail for us, RFC 5321
    SUBMISSION = "submission"  # our users' mail, STARTTLS, RFC 6409
    SUBMISSIONS = "submissions"  # the same in TLS from the first octet, RFC 8314 §3.3
    IMAP = "imap"
    IMAPS = "imaps"
    POP3 = "pop3"
    POP3S = "pop3s"
    MTA_STS = "mta_sts"  # our domains' policies of RFC 8461 for other servers, over HTTPS


STANDARD_PORTS: Mapping[Service, int] = {
    Service.LMTP: 24,
    Service.SMTP: 25,
    Service.SUBMISSION: 587,
    Service.SUBMISSIONS: 465,
    Service.IMAP: 143,
    Service.IMAPS: 993,
    Service.POP3: 110,
    Service.POP3S: 995,
}
"""Of those that a new node offers."""


BARE_NEWLINE: Mapping[Service, BareNewline] = {
    Service.LMTP: BareNewline.NORMALIZE,  # from our own site: what it has taken is not to be lost here
    Service.SMTP: BareNewline.REJECT,  # two servers may disagree on where such a mail ends
    Service.SUBMISSION: BareNewline.NORMALIZE,  # with TLS from the first octet too
}
"""Where the configuration does not say: what becomes of content in which LF stands without CR."""


@dataclass(frozen=True, slots=True)
class Listener:
    service: Service
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Relay:
    """Mail of our users goes on to other domains."""

    port: int  # 25, where their servers listen
    loopback: bool = False  # go also where a domain's records, or a literal, say this machine


@dataclass(frozen=True, slots=True)
class Reports:
    """Owners of other domains hear what comes in their name; only where mail goes on to other domains."""

    organization: str = ""  # who reports; empty: the hostname
    contact: str = ""  # an address of ours; empty: postmaster of the first domain
    reverse_path: str = ""  # where reports about reports come; empty: nowhere
    aggregate: bool = True  # DMARC, by day
    failure: str = "off"  # of FAILURE_REPORTS
    tls: bool = True  # SMTP TLS, by day


FAILURE_REPORTS = ("off", "redacted", "headers")

LOOPBACK = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))


@dataclass(frozen=True, slots=True)
class Mailauth:
    """It is found out who mail from other servers is from."""

    authserv_id: str  # whose results they are, RFC 8601 §2.5; empty: the host's
    defer: bool = False  # what cannot be known now shall come again; else it is taken
    exempt: tuple[IPv4Network | IPv6Network, ...] = LOOPBACK  # addresses that pass on mail of our own
    sealers: tuple[str, ...] = ()  # domains that are believed what they seal by ARC


@dataclass(frozen=True, slots=True)
class MetricsAt:
    """Where Prometheus, and who asks for the node's health, are answered."""

    host: str
    port: int
    token: str  # who reads the metrics must bear it; empty: anybody may


METRICS = MetricsAt("127.0.0.1", 9125, "")


@dataclass(frozen=True, slots=True)
class TracesAt:
    """Which OpenTelemetry collector is told of a message's way."""

    endpoint: str
    authorization: str  # the value of that header; empty: none


TRACES = TracesAt("http://127.0.0.1:4318/v1/traces", "")


@dataclass(frozen=True, slots=True)
class Config:
    directory: Path
    hostname: str
    domains: tuple[Domain, ...]  # the first is where a bare `postmaster` goes; in a cluster etcd has them
    listeners: tuple[Listener, ...]
    lmtp_socket: Path | None  # LMTP for programs of this machine
    bare_newline: Mapping[Service, BareNewline]  # of the services of BARE_NEWLINE
    certificate: Path
    key: Path
    key_password: str  # of a key that is encrypted
    dns: tuple[tuple[str, int], ...]  # servers by address and port; empty: those of the machine
    mailauth: Mailauth | None  # None: nothing is asked of it
    reports: Reports | None  # None: nobody hears from us
    relay: Relay | None  # None: our users' mail for other domains is refused
    allow_plaintext_auth: bool  # passwords outside TLS, from this machine
    imap_literal_minus: bool  # LITERAL- in place of LITERAL+, RFC 7888 §5
    foreign_from: bool  # our users may write in the name of others
    hide_client: bool  # Received does not say from where a user submitted
    pop3_marks_seen: bool  # what RETR gave is \Seen once the session ends
    pop3_expire_days: int  # EXPIRE of RFC 2449 §6.7; EXPIRE_NEVER: it is
    pop3_login_delay_seconds: int  # LOGIN-DELAY of RFC 2449 §6.5; 0: none
    memory_octets: int  # of the shard's memtables and caches
    log_level: str  # of LOG_LEVELS
    log_format: str  # of LOG_FORMATS
    user: str  # whom root becomes once the ports are bound; empty: nobody else
    metrics: MetricsAt | None  # None: nobody asks
    traces: TracesAt | None  # None: nobody is told
    cluster: ClusterAt | None  # None: the node is alone
    limits: Limits
    nodes: int = 0  # that share the work, each a process; 0: as many as the map has
    node: int = 0  # which of them this is, from 0

    @property
    def home(self) -> Path:
        """What is this node's alone lies there."""
        return self.shard.parent

    @property
    def authserv_id(self) -> str:
        return (self.mailauth and self.mailauth.authserv_id) or self.hostname

    @property
    def serves_policies(self) -> bool:
        return any(at.service is Service.MTA_STS for at in self.listeners)

    @property
    def shard(self) -> Path:
        return self.directory / shard_of(self.node)

    def dkim_key(self, domain: Domain) -> Path:
        return self.directory / "dkim" / f"{domain.name}.{domain.dkim}.pem"

    @property
    def admin_socket(self) -> Path:
        return self.home / "admin.sock"

    @property
    def map_file(self) -> Path:
        """Which node has which partitions; while there is none, the first has all."""
        return self.directory / MAP_FILE

    @property
    def reshard_file(self) -> Path:
        """There while partitions are on their way to other nodes."""
        return self.directory / "reshard.json"

    @property
    def lock_file(self) -> Path:
        """Whoever works on all nodes of the directory holds it."""
        return self.directory / "lock"

    @property
    def peer_socket(self) -> Path:
        """Where the other nodes of this directory ask it."""
        return self.home / "peer.sock"

    @property
    def scrub_file(self) -> Path:
        return self.home / "scrub.json"

    @property
    def compare_file(self) -> Path:
        return self.home / "compare.json"

    @property
    def aside_file(self) -> Path:
        """What repairs of copies overwrote, and may have been right."""
        return self.home / "aside.jsonl"

    @property
    def returned_file(self) -> Path:
        """What this node took while another data centre led already, as far as it is not messages."""
        return self.home / "returned.jsonl"


def load(directory: Path) -> Config:
    """Read DIR/mailnode.toml; raises ConfigError."""
    file = directory / FILE
    if not file.exists():
        raise ConfigError(f"{file}: there is none; `mailnode init {directory} --help` makes one")
    drop_ins = [_read(path) for path in sorted((directory / DROP_INS).glob("*.toml"))]
    return _config(directory, _read(file), drop_ins)


def _read(file: Path) -> Table:
    try:
        return Table(str(file), "", tomllib.loads(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror}") from None
    except ValueError as error:  # not UTF-8, or not TOML: the text names line and column
        raise ConfigError(f"{file}: is not TOML: {error}") from None


def _config(directory: Path, root: Table, drop_ins: Sequence[Table]) -> Config:
    tls, listeners, bare_newline = root.table("tls"), root.table("listeners"), root.table("bare_newline")
    config = Config(
        directory=directory,
        hostname=root.name("hostname"),
        domains=_domains(root, drop_ins),
        listeners=_listeners(listeners),
        lmtp_socket=directory / listeners.text("lmtp_socket", "") if listeners.has("lmtp_socket") else None,
        bare_newline={service: _bare_newline(bare_newline, service) for service in BARE_NEWLINE},
        certificate=directory / tls.text("certificate", "tls/cert.pem"),
        key=directory / tls.text("key", "tls/key.pem"),
        key_password=tls.secret("key_password", directory),
        dns=_dns(root.table("dns")),
        mailauth=_mailauth(root.table("mailauth")) if root.has("mailauth") else None,
        reports=_reports(root.table("reports")) if root.has("reports") else None,
        relay=_relay(root.table("relay")) if root.has("relay") else None,
        allow_plaintext_auth=root.truth("allow_plaintext_auth", False),
        imap_literal_minus=root.truth("imap_literal_minus", False),
        foreign_from=root.truth("foreign_from", False),
        hide_client=root.truth("hide_client", False),
        pop3_marks_seen=root.truth("pop3_marks_seen", True),
        pop3_expire_days=root.number("pop3_expire_days", EXPIRE_NEVER, EXPIRE_NEVER),
        pop3_login_delay_seconds=root.number("pop3_login_delay_seconds", 0, 0),
        memory_octets=root.number(
            "memory_octets", LIMITS.shard_memory_octets, LIMITS.shard_memory_octets_min
        ),
        log_level=root.one_of("log_level", "info", LOG_LEVELS),
        log_format=root.one_of("log_format", "text", LOG_FORMATS),
        user=root.text("user", ""),
        nodes=root.number("nodes", 0, 1) if root.has("nodes") else 0,
        traces=_traces(directory, root.table("traces")) if root.has("traces") else None,
        cluster=cluster_of(directory, root.table("cluster")) if root.has("cluster") else None,
        metrics=_metrics(directory, root.table("metrics")) if root.has("metrics") else None,
        limits=_limits(root.table("limits")),
    )
    for table in (root, tls, listeners, bare_newline):
        table.refuse_others()
    return config


def _limits(table: Table) -> Limits:
    values = {row.name: table.number(row.name, getattr(LIMITS, row.name), row.least) for row in TUNABLE}
    table.refuse_others()
    return replace(LIMITS, **values)


def _domains(root: Table, drop_ins: Sequence[Table]) -> tuple[Domain, ...]:
    """Those of the file first."""
    tables = root.tables("domain", least=0 if drop_ins or root.has("cluster") else 1) + list(drop_ins)
    domains: dict[str, Domain] = {}
    for table in tables:
        domain = domain_in(table)
        if domain.name in domains:
            raise table.error("name", domain.name, "each name once")
        if domain.min_insync > 1 and not root.has("cluster"):
            raise table.error("min_insync", domain.min_insync, "0 or 1: without [cluster] there is one copy")
        domains[domain.name] = domain
    return tuple(domains.values())


def _listeners(table: Table) -> tuple[Listener, ...]:
    host = table.text("host", "127.0.0.1")
    listeners = tuple(
        Listener(service, host, table.port(service)) for service in Service if table.has(service)
    )
    if not listeners:
        raise table.error("", None, f"one or more of {', '.join(Service)}, each with a port")
    return listeners


def _dns(table: Table) -> tuple[tuple[str, int], ...]:
    servers = tuple(_servers(table, table.texts("servers")))
    table.refuse_others()
    return servers


def _mailauth(table: Table) -> Mailauth:
    authserv_id = table.name("authserv_id") if table.text("authserv_id", "") else ""
    exempt = tuple(_networks(table)) if table.has("exempt") else LOOPBACK
    sealers = tuple(table.texts("sealers"))
    for name in sealers:
        if not NAME.fullmatch(name):
            raise table.error("sealers", name, 'domain names in lower-case A-labels such as "example.org"')
    mailauth = Mailauth(authserv_id, table.truth("defer", False), exempt, sealers)
    table.refuse_others()
    return mailauth


def _networks(table: Table) -> Iterator[IPv4Network | IPv6Network]:
    for text in table.texts("exempt"):
        try:
            yield ip_network(text)
        except ValueError:
            raise table.error("exempt", text, 'networks such as "192.0.2.0/24" or "2001:db8::1"') from None


def _reports(table: Table) -> Reports:
    addresses = {key: table.text(key, "") for key in ("contact", "reverse_path")}
    for key, address in addresses.items():
        if address and not is_plain(address):
            raise table.error(key, address, 'an address such as "postmaster@example.org"')
    reports = Reports(
        organization=table.text("organization", ""),
        aggregate=table.truth("aggregate", True),
        failure=table.one_of("failure", FAILURE_REPORTS[0], FAILURE_REPORTS),
        tls=table.truth("tls", True),
        **addresses,
    )
    table.refuse_others()
    return reports


def _relay(table: Table) -> Relay:
    port = table.port("port") if table.has("port") else SMTP_PORT
    relay = Relay(port, table.truth("loopback", False))
    table.refuse_others()
    return relay


def _metrics(directory: Path, table: Table) -> MetricsAt:
    port = table.port("port") if table.has("port") else METRICS.port
    at = MetricsAt(table.text("host", METRICS.host), port, table.secret("token", directory))
    table.refuse_others()
    return at


def _traces(directory: Path, table: Table) -> TracesAt:
    at = TracesAt(table.text("endpoint", TRACES.endpoint), table.secret("authorization", directory))
    if not at.endpoint.startswith(("http://", "https://")):
        raise table.error("endpoint", at.endpoint, f'an URL such as "{TRACES.endpoint}"')
    table.refuse_others()
    return at


def _servers(table: Table, texts: list[str]) -> Iterator[tuple[str, int]]:
    """`address`, `IPv4:port` or `[IPv6]:port`."""
    for text in texts:
        found = _SERVER.fullmatch(text)
        try:
            host = str(ip_address((found[1] or found[2]) if found else text))
        except ValueError:
            raise table.error(
                "servers", text, 'addresses such as "192.0.2.1" or "[2001:db8::1]:53"'
            ) from None
        yield host, int(found[3]) if found else DNS_PORT


def _bare_newline(table: Table, service: Service) -> BareNewline:
    text = table.text(service, BARE_NEWLINE[service].value)
    try:
        return BareNewline(text)
    except ValueError:
        right = " or ".join(f'"{each.value}"' for each in BareNewline)
        raise table.error(service, text, right) from None
