"""Debian's Exim, unpacked beside Postfix, with a configuration and a spool of its own.

Root starts it, and it gives root up for its own user. Debian's is setuid, to regain root for local mailboxes;
this one has none, so it does without: a copy of the program that its user may execute, and
`deliver_drop_privilege`.
"""

import os
import pwd
import re
import shutil
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from interop.programs import RUN_SECONDS_MAX, Done, cached, environment, run, succeeded

USER = "Debian-exim"  # compiled in

MAIN = """\
exim_path = {program}
deliver_drop_privilege
primary_hostname = exim.client.test
spool_directory = {directory}/spool
log_file_path = {directory}/log/%slog
log_selector = +smtp_confirmation +tls_peerdn +tls_certificate_verified +received_recipients
message_size_limit = 0
smtputf8_advertise_hosts = *
trusted_users = root
keep_environment = PATH
disable_ipv6
"""
SENDING = """\
begin routers
next_hop:
  driver = manualroute
  route_list = * {host}
  self = send
  transport = {transport}

begin transports
smtp:
  driver = smtp
  port = {smtp}
  tls_verify_certificates = {certificate}
  hosts_try_prdr = *
lmtp:
  driver = smtp
  protocol = lmtp
  port = {lmtp}

begin retry
*  *  F,1h,1s
"""
RECEIVING = """\
tls_advertise_hosts = *
tls_certificate = {certificate}
tls_privatekey = {key}
acl_smtp_rcpt = recipient

begin acl
recipient:
  require domains = {domain}
          verify = recipient
  accept

begin routers
mailbox:
  driver = accept
  domains = {domain}
  local_parts = {local_parts}
  transport = file

begin transports
file:
  driver = appendfile
  file = {mail}/$local_part_data
  message_prefix =
  message_suffix =
  return_path_add
  delivery_date_add = false
  envelope_to_add = false
"""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the main log about a message."""

    kind: str  # `<=` came, `=>` and `->` delivered, `**` failed, `==` deferred
    address: str
    rest: str


LINE = re.compile(r"^\S+ \S+ \S+ (?P<kind><=|=>|->|\*\*|==) (?P<address>\S+) (?P<rest>.*)$", re.MULTILINE)


class Exim:
    """Each call is a process of its own; a message is delivered when the call returns.

    `settings` are the rest of the configuration; `name` is a label.
    """

    def __init__(self, name: str, directory: Path, settings: str) -> None:
        self.name = name
        self._program = directory / "exim4"
        self._directory = directory
        config = directory / "exim.conf"
        self._command = [str(self._program), "-C", str(config)]
        user = exim_user()
        for name in ("spool", "log"):
            (directory / name).mkdir(parents=True)
            os.chown(directory / name, user.pw_uid, user.pw_gid)
        shutil.copyfile(cached("exim/usr/sbin/exim4"), self._program)
        self._program.chmod(0o755)
        config.write_text(MAIN.format(program=self._program, directory=directory) + settings)

    def submit(self, message: bytes, sender: str, *recipients: str) -> list[Line]:
        """As a local user does, and deliver; what the log says of it."""
        at = len(self._log())
        options = ["-i", "-odf", "-f", sender, "--", *recipients]
        succeeded(self._run(*options, standard_input=message.replace(b"\r\n", b"\n")))
        return self._lines(at)

    def run_queue(self) -> list[Line]:
        """Try everything that waits."""
        at = len(self._log())
        succeeded(self._run("-qff"))
        return self._lines(at)

    def serve(self, connection: socket.socket) -> list[Line]:
        """One SMTP session, as inetd(8) has it; what came is delivered when this returns."""
        at = len(self._log())
        command = [*self._command, "-bs", "-odf"]
        both, variables = connection.fileno(), environment(self._directory)
        subprocess.run(command, stdin=both, stdout=both, timeout=RUN_SECONDS_MAX, env=variables)
        return self._lines(at)

    def waiting(self) -> int:
        """Messages in the queue."""
        return int(succeeded(self._run("-bpc")))

    def _run(self, *options: str, standard_input: bytes = b"") -> Done:
        return run([*self._command, *options], self._directory, standard_input)

    def _log(self) -> str:
        file = self._directory / "log" / "mainlog"
        return file.read_text(errors="replace") if file.exists() else ""

    def _lines(self, at: int) -> list[Line]:
        found = LINE.finditer(self._log(), at)
        return [Line(match["kind"], match["address"], match["rest"]) for match in found]


def exim_user() -> pwd.struct_passwd:
    if os.geteuid() != 0:
        pytest.skip("Exim needs to be started by root")
    try:
        return pwd.getpwnam(USER)
    except KeyError:
        pytest.skip(f"there is no user {USER} (see interop/install)")
