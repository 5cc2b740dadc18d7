"""The table [cluster]: where etcd is, and what this node says of itself there."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

from mailnode.table import NAME, Table

_ENDPOINT = re.compile(r"(?:[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}")
_PREFIX = re.compile(r"[A-Za-z0-9_.-]+")
WEIGHT = 100


@dataclass(frozen=True, slots=True)
class ClusterAt:
    endpoints: tuple[str, ...]  # of etcd's members, "host:port"
    name: str  # of this node, and of its certificate
    host: str  # never two copies on one; empty: the name
    rack: str  # copies are spread over them
    dc: str  # data centre: its etcd has the map of what is led there
    weight: int  # its share of the partitions, beside those of others
    listen: str  # where the other nodes reach it; empty: a socket in the directory
    prefix: str = "mailnode"  # of all keys: several clusters may share an etcd
    user: str = ""  # of an etcd that asks; empty: it does not
    password: str = field(default="", repr=False)
    authority: Path | None = None  # PEM: of etcd's certificates; None: without TLS
    certificate: Path | None = None  # PEM, for an etcd that asks for one
    key: Path | None = None  # of the certificate

    @property
    def failure_host(self) -> str:
        return self.host or self.name


PASSWORD_FILE = "cluster/etcd.password"
"""Where the commands that make the table put it."""
EXAMPLE = ClusterAt(("127.0.0.1:2379",), "node1", "", "", "", WEIGHT, "")


def cluster_of(directory: Path, table: Table) -> ClusterAt:
    """Raises ConfigError."""
    endpoints = table.texts("endpoints")
    if not endpoints or not all(map(_ENDPOINT.fullmatch, endpoints)):
        raise table.error("endpoints", endpoints or None, 'etcd\'s members, such as ["127.0.0.1:2379"]')
    at = ClusterAt(
        endpoints=tuple(endpoints),
        name=_word(table, "name", NAME.pattern, "a name such as node1"),
        host=_word(table, "host", f"|{NAME.pattern}", "a name such as host1"),
        rack=_word(table, "rack", f"|{NAME.pattern}", "a name such as rack1"),
        dc=_word(table, "dc", f"|{NAME.pattern}", "a name such as dc1"),
        weight=table.number("weight", WEIGHT, 1),
        listen=_word(table, "listen", rf"|unix:/.+|{_ENDPOINT.pattern}", '"unix:/PATH" or "host:port"'),
        prefix=_word(table, "prefix", _PREFIX.pattern, "letters, digits, and -_.", "mailnode"),
        user=table.text("user", ""),
        password=table.secret("password", directory),
        authority=_path(directory, table, "authority"),
        certificate=_path(directory, table, "certificate"),
        key=_path(directory, table, "key"),
    )
    if (at.certificate is None) != (at.key is None):
        raise table.error("key", None, "certificate and key, both or neither")
    table.refuse_others()
    return at


def cluster_lines(directory: Path, at: ClusterAt | None) -> list[str]:
    """As remarks where there is none."""
    shown = at or EXAMPLE
    lines = [
        "[cluster]  # this node is one of several: see docs/cluster.md; without this table it is alone",
        f"endpoints = {json.dumps(shown.endpoints)}  # of etcd's members",
        f"name = {_string(shown.name)}  # of this node, for good",
        f"host = {_string(shown.host)}  # never two copies on one; empty: the name",
        f"rack = {_string(shown.rack)}  # copies are spread over them",
        f"dc = {_string(shown.dc)}  # data centre",
        f"weight = {shown.weight}  # its share of the partitions, beside those of others",
        f"listen = {_string(shown.listen)}  # where the others reach it; empty: a socket in this directory",
        f"prefix = {_string(shown.prefix)}  # of all keys in etcd",
        f"user = {_string(shown.user)}  # of an etcd that asks who we are",
    ]
    paths = [
        _path_line(directory, "authority", shown.authority, "etcd-ca.pem", "who signed etcd's certificate"),
        _path_line(directory, "certificate", shown.certificate, "etcd.pem", "for an etcd that asks for one"),
        _path_line(directory, "key", shown.key, "etcd-key.pem", "of that"),
    ]
    is_remark = "" if at is not None and at.password else "# "
    secret = f'{is_remark}password = {{ file = "{PASSWORD_FILE}" }}  # of the user; or {{ env = "NAME" }}'
    return ["", *(line if at else f"# {line}" for line in lines), *paths, secret]


def with_cluster(text: str, directory: Path, at: ClusterAt) -> str:
    """The text of mailnode.toml with the table: for its remarks, where they stand, else at the end.

    All else stays as whoever wrote it has it.
    """
    table = cluster_lines(directory, at)[1:]
    lines, remarks = text.splitlines(), cluster_lines(directory, None)[1:]
    if remarks[0] not in lines:
        return "\n".join([*lines, "", *table]) + "\n"
    begin = end = lines.index(remarks[0])
    while end < len(lines) and lines[end] in remarks:
        end += 1
    return "\n".join([*lines[:begin], *table, *lines[end:]]) + "\n"


def _path_line(directory: Path, key: str, path: Path | None, example: str, about: str) -> str:
    shown = example if path is None else str(path.relative_to(directory))
    return f"{'# ' if path is None else ''}{key} = {_string(shown)}  # PEM, {about}"


def _word(table: Table, key: str, pattern: str, right: str, default: str = "") -> str:
    value = table.text(key, default)
    if not re.fullmatch(pattern, value):
        raise table.error(key, value if table.has(key) else None, right)
    return value


def _path(directory: Path, table: Table, key: str) -> Path | None:
    text = table.text(key, "")
    return directory / text if text else None


def _string(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
