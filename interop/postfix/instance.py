"""An instance of Debian's Postfix: it sends what sendmail(1) is given, or receives for one domain."""

import json
import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from interop.foreground import WAIT_SECONDS_MAX, Foreground
from interop.peers.postfix_services import SERVICES
from interop.programs import succeeded

STOP_SECONDS_MAX = 30.0
PROGRAM = "/usr/sbin/postfix"
SENDMAIL = "/usr/sbin/sendmail"

MAIN_CF = """\
compatibility_level = 3.6
queue_directory = {directory}/queue
data_directory = {directory}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
maillog_file = /dev/stdout
inet_protocols = ipv4
myhostname = postfix.client.test
mydestination =
alias_maps =
alias_database =
message_size_limit = 0
# The next hop is asked at every run of the queue, not avoided for minutes after a failure.
minimal_backoff_time = 1s
"""
SENDING = """\
default_transport = {transport}
# Its own bounces go there too: their recipients are in the domain under test.
# Connections are used again, not only where many messages wait; stock Postfix does so without TLS only.
lmtp_connection_cache_destinations = static:all
smtp_tls_security_level = may
smtp_tls_CAfile = {certificate}
smtp_tls_loglevel = 1
"""
RECEIVING = """\
inet_interfaces = {host}
smtpd_relay_restrictions = reject_unauth_destination
smtpd_tls_security_level = may
smtpd_tls_cert_file = {certificate}
smtpd_tls_key_file = {key}
virtual_mailbox_domains = {domain}
virtual_mailbox_maps = inline:{{ {mailboxes} }}
virtual_mailbox_base = {mail}
virtual_uid_maps = static:5000
virtual_gid_maps = static:5000
virtual_mailbox_limit = 0
"""

RECIPIENT = re.compile(r": to=<([^>]*)>,.* dsn=([\d.]+), status=(\w+) \((.*)\)$")


def absent() -> str:
    """Why it cannot run here; empty when it can."""
    if not os.access(PROGRAM, os.X_OK):
        return f"not installed: {PROGRAM}"
    return "" if os.geteuid() == 0 else "Postfix needs to be started by root"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one recipient in one attempt, from Postfix's log."""

    recipient: str
    dsn: str
    status: str  # sent, bounced, deferred
    said: str


class Postfix:
    """`name` is a label, `settings` go to main.cf, `services` to master.cf."""

    def __init__(self, name: str, directory: Path, settings: str, services: str = "") -> None:
        self.name = name
        self._directory = directory
        self._text = MAIN_CF.format(directory=directory) + settings
        self._services = services + SERVICES
        self._foreground: Foreground | None = None

    def start(self) -> None:
        """Return when it takes mail."""
        for name in ("config", "queue", "data"):
            (self._directory / name).mkdir(parents=True)
        self._directory.chmod(0o755)
        os.chown(self._directory / "data", pwd.getpwnam("postfix").pw_uid, -1)
        config = self._directory / "config"
        (config / "main.cf").write_text(self._text)
        (config / "master.cf").write_text(self._services)
        for name in ("dynamicmaps.cf", "postfix-files"):
            shutil.copy(f"/etc/postfix/{name}", config / name)
        command = [PROGRAM, "-c", str(config), "start-fg"]
        self._foreground = Foreground(command)
        self.await_line(lambda line: "daemon started" in line)

    def stop(self) -> None:
        command = [PROGRAM, "-c", str(self._directory / "config"), "stop"]
        subprocess.run(command, check=True, capture_output=True, timeout=STOP_SECONDS_MAX)
        self._running.process.communicate(timeout=STOP_SECONDS_MAX)

    def submit(self, message: bytes, sender: str, *recipients: str) -> str:
        """Give it a message as a local user does; its queue id."""
        at = len(self.log)
        command = [SENDMAIL, "-i", "-f", sender, "--", *recipients]
        succeeded(self._run(*command, standard_input=message.replace(b"\r\n", b"\n")))
        line = self.await_line(lambda line: "pickup" in line and "from=<" in line, at)
        return line.partition("]: ")[2].partition(":")[0]

    def outcomes(self, message: bytes, sender: str, *recipients: str) -> list[Outcome]:
        """Submit, and wait until it has left the queue."""
        return self.ended(self.submit(message, sender, *recipients))

    def ended(self, queue_id: str, end: str = "removed") -> list[Outcome]:
        """Each attempt's outcome for each recipient, once the log says `QUEUEID: ...end`."""
        mark = f" {queue_id}: "
        self.await_line(lambda line: mark in line and end in line)
        found = [RECIPIENT.search(line) for line in self.log if mark in line]
        return [Outcome(match[1], match[2], match[3], match[4]) for match in found if match]

    def flush(self) -> None:
        """Try everything that waits."""
        succeeded(self._run("/usr/sbin/postqueue", "-f"))

    def queue(self) -> list[dict[str, object]]:
        """What waits, as postqueue(1) -j tells it."""
        return [json.loads(line) for line in succeeded(self._run("/usr/sbin/postqueue", "-j")).splitlines()]

    @property
    def log(self) -> list[str]:
        return self._running.log

    def await_line(self, is_it: Callable[[str], bool], at: int = 0) -> str:
        """The first such line of the log from line `at` on."""
        return self._running.await_line(is_it, at)

    @property
    def _running(self) -> Foreground:
        assert self._foreground is not None, "not started"
        return self._foreground

    def _run(self, *command: str, standard_input: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        environment = {"MAIL_CONFIG": str(self._directory / "config"), "PATH": os.environ["PATH"]}
        return subprocess.run(
            command, input=standard_input, env=environment, capture_output=True, timeout=WAIT_SECONDS_MAX
        )
