"""Debian's Postfix + Dovecot as one server: own instance in a scratch folder, as Debian ships them.

What differs from stock is written in the configuration texts below. Both keep fsync on (stock): Postfix syncs
its queue file before 250, Dovecot each message it stores.
"""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from interop.peers import dovecot
from interop.peers.postfix_services import SERVICES
from interop.peers.processes import descendants
from tests.wire.server import DOMAIN, HOST, STANDARD_PORTS, ServerFailed

PROGRAMS = ("/usr/sbin/postfix", "/usr/sbin/dovecot")
START_SECONDS_MAX = 30.0
STOP_SECONDS_MAX = 30.0
PROBE_SECONDS = 0.05


def absent() -> str:
    """Why it cannot run here; empty when it can."""
    missing = [program for program in PROGRAMS if not os.access(program, os.X_OK)]
    if missing:
        return f"not installed: {' '.join(missing)}"
    return "" if os.geteuid() == 0 else "Postfix needs to be started by root"


class PostfixDovecot:
    """Postfix for SMTP, Dovecot for the rest; LMTP over a unix socket between them."""

    name = "postfix+dovecot"

    def __init__(
        self, directory: Path, base_port: int, accounts: Mapping[str, str], prefix: Sequence[str] = ()
    ) -> None:
        self.directory = directory
        self.base_port = base_port
        self.accounts = accounts
        self.certificate = directory / "tls" / "cert.pem"
        self._prefix = list(prefix)
        self._processes: list[subprocess.Popen[bytes]] = []

    def port(self, service: str) -> int:
        return self.base_port + STANDARD_PORTS[service]

    def start(self) -> None:
        """Return when every listener accepts; the first time, the scratch folder is made before."""
        assert not self._processes, "already started"
        if not self.directory.exists():
            self._make()
        self._launch(*self._dovecot(), "-F")
        self._launch(*self._postfix(), "start-fg")
        self._await_listeners()

    def _launch(self, *command: str) -> None:
        with (self.directory / "start.log").open("ab") as log:
            self._processes.append(subprocess.Popen([*self._prefix, *command], stdout=log, stderr=log))

    def stop(self) -> None:
        subprocess.run([*self._postfix(), "stop"], check=True, capture_output=True, timeout=STOP_SECONDS_MAX)
        subprocess.run([*self._dovecot(), "stop"], check=True, capture_output=True, timeout=STOP_SECONDS_MAX)
        for process in self._processes:
            process.wait(STOP_SECONDS_MAX)
        self._processes.clear()

    def kill(self) -> None:
        """All at once: stopped first, so that none sees another die."""
        for kind in (signal.SIGSTOP, signal.SIGKILL):
            for each in [each for process in self._processes for each in descendants(process.pid)]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(each, kind)
        for process in self._processes:
            process.wait()
        self._processes.clear()

    def _dovecot(self) -> list[str]:
        return ["/usr/sbin/dovecot", "-c", str(self.directory / "dovecot.conf")]

    def _postfix(self) -> list[str]:
        return ["/usr/sbin/postfix", "-c", str(self.directory / "postfix")]

    def _await_listeners(self) -> None:
        """Neither program tells when it is ready: try each port until it accepts."""
        deadline = time.monotonic() + START_SECONDS_MAX
        for service in STANDARD_PORTS:
            while not dovecot.accepts(self.port(service)):
                if time.monotonic() > deadline:
                    self.kill()
                    raise ServerFailed(f"{self.name}: {service} does not accept; see {self.directory}/*.log")
                time.sleep(PROBE_SECONDS)

    def _make(self) -> None:
        for name in ("tls", "mail", "run", "postfix", "queue", "data"):
            (self.directory / name).mkdir(parents=True)
        self.directory.chmod(0o755)
        os.chown(self.directory / "mail", dovecot.MAIL_USER_ID, dovecot.MAIL_USER_ID)
        os.chown(self.directory / "data", pwd.getpwnam("postfix").pw_uid, -1)
        dovecot.make_certificate(self.directory / "tls")
        self._write_accounts()
        (self.directory / "dovecot.conf").write_text(self._fill(dovecot.CONF))
        (self.directory / "postfix" / "main.cf").write_text(self._fill(MAIN_CF))
        (self.directory / "postfix" / "master.cf").write_text(self._fill(MASTER_CF))
        for name in ("dynamicmaps.cf", "postfix-files"):
            shutil.copy(f"/etc/postfix/{name}", self.directory / "postfix" / name)

    def _write_accounts(self) -> None:
        dovecot.write_passwords(self.directory / "passwords", self.accounts)
        recipients = [f"{address} known\n" for address in self.accounts]
        (self.directory / "postfix" / "recipients").write_text("".join(recipients))

    def _fill(self, text: str) -> str:
        values = {"@DIR@": str(self.directory), "@HOST@": HOST, "@DOMAIN@": DOMAIN}
        values |= {f"@{service}@": str(self.port(service)) for service in STANDARD_PORTS}
        for name, value in (
            values | {"@UID@": str(dovecot.MAIL_USER_ID), "@MAIL@": "maildir:~/Maildir"}
        ).items():
            text = text.replace(name, value)
        return text


MAIN_CF = """\
compatibility_level = 3.6
queue_directory = @DIR@/queue
data_directory = @DIR@/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
maillog_file = @DIR@/postfix.log
maillog_file_prefixes = @DIR@
inet_interfaces = @HOST@
inet_protocols = ipv4
myhostname = mail.@DOMAIN@
mydestination =
mynetworks = 127.0.0.0/8
alias_maps =
alias_database =
virtual_mailbox_domains = @DOMAIN@
virtual_mailbox_maps = texthash:@DIR@/postfix/recipients
virtual_transport = lmtp:unix:@DIR@/run/lmtp
# Loopback is a client like any other here: no relaying for it.
smtpd_relay_restrictions = reject_unauth_destination
smtpd_tls_cert_file = @DIR@/tls/cert.pem
smtpd_tls_key_file = @DIR@/tls/key.pem
smtpd_tls_security_level = may
smtpd_sasl_type = dovecot
smtpd_sasl_path = @DIR@/run/auth-submission
"""

MASTER_CF = (
    """\
@smtp@     inet  n - n - -     smtpd
@submission@ inet  n - n - -   smtpd
  -o smtpd_tls_security_level=encrypt
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_tls_auth_only=yes
  -o smtpd_client_restrictions=permit_sasl_authenticated,reject
@submissions@ inet  n - n - -  smtpd
  -o smtpd_tls_wrappermode=yes
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_client_restrictions=permit_sasl_authenticated,reject
"""
    + SERVICES
)
