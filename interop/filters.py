"""Milters as processes, which ask a name server of ours: each has a resolv.conf of its own."""

import os
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from interop.foreground import Foreground
from interop.programs import program

DNS_HOST, DNS_PORT = "127.53.0.1", 53  # they know no other port
HOST = "127.0.0.1"
SECONDS_MAX = 30.0
STRANGER = "192.0.2.99"
"""Whose mail they look away from, in place of this machine's."""
OPENDMARC = """\
AuthservID {name}
TrustedAuthservIDs {name}
IgnoreHosts {directory}/hosts
PublicSuffixList {directory}/suffixes
RejectFailures true
HoldQuarantinedMessages true
SPFIgnoreResults false
SPFSelfValidate false
Syslog false
Background false
AutoRestart false
Socket inet:{port}@127.0.0.1
"""
OPENDKIM = """\
Syslog no
AutoRestart no
Background no
UserID root
RequireSafeKeys no
AuthservID {name}
InternalHosts {directory}/hosts
Socket inet:{port}@127.0.0.1
{more}
"""


@contextmanager
def opendmarc(directory: Path, name: str, suffixes: str) -> Iterator[int]:
    """Its port. `name` is whose Authentication-Results it believes and writes."""
    (directory / "suffixes").write_text(suffixes)
    port = _free_port()
    settings = OPENDMARC.format(name=name, directory=directory, port=port)
    with _running(directory, "opendmarc", settings, port):
        yield port


@contextmanager
def opendkim(directory: Path, name: str, more: str) -> Iterator[int]:
    """Its port; `more` are lines of its configuration."""
    port = _free_port()
    settings = OPENDKIM.format(name=name, directory=directory, port=port, more=more)
    with _running(directory, "opendkim", settings, port):
        yield port


@contextmanager
def _running(directory: Path, name: str, settings: str, port: int) -> Iterator[None]:
    path = program(name)
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("only root can give a program its own resolv.conf")
    directory.chmod(0o755)
    (directory / "resolv.conf").write_text(f"nameserver {DNS_HOST}\n")
    (directory / "hosts").write_text(f"{STRANGER}\n")
    (file := directory / f"{name}.conf").write_text(settings)
    script = f"mount --bind {directory}/resolv.conf /etc/resolv.conf && exec {path} -f -{_FLAGS[name]} {file}"
    running = Foreground(["unshare", "-m", "sh", "-c", script])
    _await(running, port)
    try:
        yield
    finally:
        running.process.terminate()
        running.process.communicate(timeout=SECONDS_MAX)


_FLAGS = {"opendmarc": "c", "opendkim": "x"}


def _await(running: Foreground, port: int) -> None:
    """It says nothing when it listens."""
    deadline = time.monotonic() + SECONDS_MAX
    while True:
        try:
            socket.create_connection((HOST, port)).close()
            return
        except ConnectionRefusedError:
            assert running.process.poll() is None and time.monotonic() < deadline, running.log


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as probe:
        port: int = probe.getsockname()[1]
        return port
