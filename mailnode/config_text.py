"""The file mailnode.toml as `init` writes it: each key with what it is for."""

from __future__ import annotations

import json

from mailnode import tunable
from mailnode.clustered import cluster_lines
from mailnode.config import (
    FAILURE_REPORTS,
    HTTPS_PORT,
    LOG_FORMATS,
    LOG_LEVELS,
    METRICS,
    TRACES,
    Config,
    Mailauth,
    Reports,
    Service,
)
from mailnode.domain import domain_lines
from mailnode.table import quoted, truth


def text_of(config: Config) -> str:
    """The file that `load` reads as this configuration."""
    lines = [
        f"hostname = {quoted(config.hostname)}  # in greetings, Received and Message-ID fields",
        f"allow_plaintext_auth = {truth(config.allow_plaintext_auth)}  # from this machine, outside TLS",
        f"imap_literal_minus = {truth(config.imap_literal_minus)}  # unasked literals: 4096 octets at most",
        f"foreign_from = {truth(config.foreign_from)}  # may users write in the name of others?",
        f"hide_client = {truth(config.hide_client)}  # keep users' own addresses out of Received fields",
        f"pop3_marks_seen = {truth(config.pop3_marks_seen)}  # is what POP3 fetched read, for IMAP?",
        f"pop3_expire_days = {config.pop3_expire_days}  # read mail that old goes after a QUIT; -1: never",
        f"pop3_login_delay_seconds = {config.pop3_login_delay_seconds}  # between logins of an account",
        f"memory_octets = {config.memory_octets}  # of the store's buffers and caches",
        f"log_level = {quoted(config.log_level)}  # or {', '.join(LOG_LEVELS)}",
        f"log_format = {quoted(config.log_format)}  # or {', '.join(LOG_FORMATS)}: one object a line",
        f"user = {quoted(config.user)}  # whom root becomes once the ports are bound; empty: nobody else",
        "# nodes = 1  # refuse to start with another number of processes; `mailnode reshard` changes it",
        "",
        "[tls]  # PEM files, from this directory",
        f"certificate = {quoted(str(config.certificate.relative_to(config.directory)))}",
        f"key = {quoted(str(config.key.relative_to(config.directory)))}",
        '# key_password = { file = "tls/key.password" }  # of a key that is encrypted; or { env = "NAME" }',
        "",
        "[listeners]  # leave a line out and that service is not offered",
        f'host = {quoted(config.listeners[0].host)}  # "0.0.0.0": for other machines too',
        *(f"{listener.service} = {listener.port}" for listener in config.listeners),
        *_mta_sts_line(config),
        *_lmtp_socket_line(config),
        "",
        '[bare_newline]  # mail with lines that end in LF alone: "reject" it, or "normalize" them to CRLF',
        *(f"{service} = {quoted(what.value)}" for service, what in config.bare_newline.items()),
    ]
    lines += _dns_lines(config)
    lines += _mailauth_lines(config)
    lines += _relay_lines(config)
    lines += _reports_lines(config)
    lines += _metrics_lines(config)
    lines += _traces_lines(config)
    lines += cluster_lines(config.directory, config.cluster)
    lines += ["", "[limits]", *tunable.lines(config.limits)]
    for domain in config.domains:
        lines += ["", "[[domain]]", *domain_lines(domain)]
    return "\n".join(lines) + "\n"


def _dns_lines(config: Config) -> list[str]:
    servers = json.dumps([_server_text(*server) for server in config.dns])
    return ["", "[dns]", f"servers = {servers}  # by address; empty: those of this machine"]


def _mailauth_lines(config: Config) -> list[str]:
    """As remarks where it is not done."""
    told = config.mailauth or Mailauth("")
    lines = [
        "[mailauth]  # who mail from other servers is from: SPF, DKIM, DMARC; without this table nobody asks",
        f"authserv_id = {quoted(told.authserv_id)}  # in Authentication-Results; empty: the hostname",
        f"exempt = {json.dumps([str(each) for each in told.exempt])}  # from there it is not",
        f"sealers = {json.dumps(told.sealers)}  # mailing lists that are believed what they seal, RFC 8617",
        f"defer = {truth(told.defer)}  # what the DNS cannot say now shall come again; else it is taken",
    ]
    return ["", *_told(config.mailauth, lines)]


def _relay_lines(config: Config) -> list[str]:
    if config.relay is None:
        return []
    return [
        "",
        "[relay]  # mail of our users for other domains; without this table it is refused",
        f"port = {config.relay.port}  # where the servers of other domains listen",
        f"loopback = {truth(config.relay.loopback)}  # also to servers at 127.0.0.1, ::1 and the like",
    ]


def _reports_lines(config: Config) -> list[str]:
    """As remarks where there are none."""
    told = config.reports or Reports()
    lines = [
        "[reports]  # to owners of other domains that ask for them; without this table none are sent",
        f"organization = {quoted(told.organization)}  # who reports; empty: the hostname",
        f"contact = {quoted(told.contact)}  # who sends them; empty: postmaster of the first domain",
        f"reverse_path = {quoted(told.reverse_path)}  # where their bounces come; empty: they have none",
        f"aggregate = {truth(told.aggregate)}  # DMARC by day: what came in their name; needs [mailauth]",
        f"failure = {quoted(told.failure)}  # or {', '.join(FAILURE_REPORTS[1:])}: what they see of mail",
        f"tls = {truth(told.tls)}  # TLS by day: how mail to them was sent",
    ]
    return ["", *_told(config.reports, lines)]


def _metrics_lines(config: Config) -> list[str]:
    """As remarks where there are none."""
    at = config.metrics or METRICS
    lines = [
        "[metrics]  # for Prometheus: /metrics; and /healthz",
        f"host = {quoted(at.host)}",
        f"port = {at.port}",
    ]
    secret = '# token = { file = "metrics.token" }  # who reads them must bear it; or { env = "NAME" }'
    return ["", *_told(config.metrics, lines), secret]


def _traces_lines(config: Config) -> list[str]:
    """As remarks where there are none."""
    at = config.traces or TRACES
    lines = [
        "[traces]  # a collector for OpenTelemetry, by OTLP over HTTP; needs mailnode[otel]",
        f"endpoint = {quoted(at.endpoint)}",
    ]
    secret = '# authorization = { file = "traces.authorization" }  # a header; or { env = "NAME" }'
    return ["", *_told(config.traces, lines), secret]


def _told(table: object, lines: list[str]) -> list[str]:
    """As remarks where there is no such table."""
    return lines if table else [f"# {line}" for line in lines]


def _server_text(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _mta_sts_line(config: Config) -> list[str]:
    """As a remark where they are not served."""
    about = "policies of mta_sts below, over HTTPS: the certificate must name mta-sts.DOMAIN"
    return [] if config.serves_policies else [f"# {Service.MTA_STS} = {HTTPS_PORT}  # {about}"]


def _lmtp_socket_line(config: Config) -> list[str]:
    if config.lmtp_socket is None:
        return []
    path = quoted(str(config.lmtp_socket.relative_to(config.directory)))
    return [f"lmtp_socket = {path}  # LMTP for programs of this machine; a path from this directory"]
