"""Debian's Dovecot by itself: IMAP, POP3 and LMTP from a scratch folder, as Debian ships it.

What differs from stock is written in the texts below. fsync is on (stock: `mail_fsync = optimized`).
"""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from interop.peers.processes import descendants
from tests.wire.server import DOMAIN, HOST, STANDARD_PORTS, ServerFailed

PROGRAM = "/usr/sbin/dovecot"
SERVICES = ("imap", "imaps", "pop3", "pop3s", "lmtp")
START_SECONDS_MAX = 30.0
STOP_SECONDS_MAX = 60.0
PROBE_SECONDS = 0.05
MAIL_USER_ID = 5000  # owns the mail; no account of that number is needed


def absent() -> str:
    """Why it cannot run here; empty when it can."""
    if not os.access(PROGRAM, os.X_OK):
        return f"not installed: {PROGRAM}"
    return "" if os.geteuid() == 0 else "Dovecot needs to be started by root"


class Dovecot:
    """One way to store mail a subclass; `MORE` is added to the configuration."""

    name = "dovecot"
    MAIL = ""
    MORE = ""

    def __init__(
        self, directory: Path, base_port: int, accounts: Mapping[str, str], prefix: Sequence[str] = ()
    ) -> None:
        self.directory = directory
        self.base_port = base_port
        self.accounts = accounts
        self.certificate = directory / "tls" / "cert.pem"
        self._prefix = list(prefix)
        self._process: subprocess.Popen[bytes] | None = None

    def port(self, service: str) -> int:
        return self.base_port + STANDARD_PORTS[service]

    def start(self) -> None:
        """Return when every listener accepts; the first time, the scratch folder is made before."""
        assert self._process is None, "already started"
        if not self.directory.exists():
            self._make()
        with (self.directory / "start.log").open("ab") as log:
            command = [*self._prefix, *self._command(), "-F"]
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        deadline = time.monotonic() + START_SECONDS_MAX
        while not all(accepts(self.port(service)) for service in SERVICES):
            if time.monotonic() > deadline:
                self.kill()
                raise ServerFailed(f"{self.name} does not accept; see {self.directory}/*.log")
            time.sleep(PROBE_SECONDS)  # with -F it tells nobody that it is ready

    def stop(self) -> None:
        subprocess.run([*self._command(), "stop"], check=True, capture_output=True, timeout=STOP_SECONDS_MAX)
        self._wait()

    def kill(self) -> None:
        """All at once: stopped first, so that none sees another die."""
        assert self._process is not None, "not started"
        for kind in (signal.SIGSTOP, signal.SIGKILL):
            for each in descendants(self._process.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(each, kind)
        self._wait()

    def _wait(self) -> None:
        assert self._process is not None, "not started"
        self._process.wait(STOP_SECONDS_MAX)
        self._process = None

    def _command(self) -> list[str]:
        return [PROGRAM, "-c", str(self.directory / "dovecot.conf")]

    def _make(self) -> None:
        for name in ("tls", "mail", "run"):
            (self.directory / name).mkdir(parents=True)
        self.directory.chmod(0o755)
        os.chown(self.directory / "mail", MAIL_USER_ID, MAIL_USER_ID)
        make_certificate(self.directory / "tls")
        write_passwords(self.directory / "passwords", self.accounts)
        (self.directory / "dovecot.conf").write_text(self._fill(CONF + self.MORE))

    def _fill(self, text: str) -> str:
        values = {"@DIR@": str(self.directory), "@HOST@": HOST, "@DOMAIN@": DOMAIN, "@MAIL@": self.MAIL}
        values |= {f"@{service}@": str(self.port(service)) for service in STANDARD_PORTS}
        for name, value in (values | {"@UID@": str(MAIL_USER_ID)}).items():
            text = text.replace(name, value)
        return text


class DovecotMaildir(Dovecot):
    name = "dovecot-maildir"
    MAIL = "maildir:~/Maildir"


class DovecotMdbox(Dovecot):
    name = "dovecot-mdbox"
    MAIL = "mdbox:~/mdbox"


class DovecotHibernate(Dovecot):
    """For many idle connections: its high-performance login mode, and idle ones parked in one process."""

    name = "dovecot-hibernate"
    MAIL = "mdbox:~/mdbox"
    MORE = """\
imap_hibernate_timeout = 5s
service imap-login {
  service_count = 0
  process_min_avail = 2
  client_limit = 10000
}
service imap-hibernate {
  client_limit = 20000
}
service imap {
  unix_listener imap-master {
    mode = 0666
  }
  extra_groups = $default_internal_group
}
service imap-hibernate {
  unix_listener imap-hibernate {
    mode = 0666
  }
}
"""


def accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def make_certificate(folder: Path) -> None:
    """Self-signed: `key.pem` and `cert.pem`."""
    words = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30"
    command = [*words.split(), "-subj", "/CN=localhost", "-addext", f"subjectAltName=DNS:localhost,IP:{HOST}"]
    command += ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    subprocess.run(command, check=True, capture_output=True)


def write_passwords(file: Path, accounts: Mapping[str, str]) -> None:
    """As they are: a hash would be what is measured."""
    file.write_text("".join(f"{address}:{{PLAIN}}{word}\n" for address, word in accounts.items()))


CONF = """\
base_dir = @DIR@/run
state_dir = @DIR@/run
log_path = @DIR@/dovecot.log
listen = @HOST@
protocols = imap pop3 lmtp
ssl_cert = <@DIR@/tls/cert.pem
ssl_key = <@DIR@/tls/key.pem
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_username_format = %Lu
first_valid_uid = 1
mail_location = @MAIL@
passdb {
  driver = passwd-file
  args = @DIR@/passwords
}
userdb {
  driver = static
  args = uid=@UID@ gid=@UID@ home=@DIR@/mail/%u
}
namespace inbox {
  inbox = yes
  separator = /
  mailbox Drafts {
    auto = create
    special_use = \\Drafts
  }
  mailbox Sent {
    auto = create
    special_use = \\Sent
  }
  mailbox Junk {
    auto = create
    special_use = \\Junk
  }
  mailbox Trash {
    auto = create
    special_use = \\Trash
  }
  mailbox Archive {
    auto = create
    special_use = \\Archive
  }
}
# A benchmark is one client address.
mail_max_userip_connections = 10000
protocol lmtp {
  postmaster_address = postmaster@@DOMAIN@
}
service imap {
  process_limit = 6000
}
service auth {
  client_limit = 20000
  unix_listener auth-submission {
    mode = 0666
  }
}
service anvil {
  client_limit = 20000
}
service stats {
  client_limit = 20000
}
service imap-login {
  inet_listener imap {
    port = @imap@
  }
  inet_listener imaps {
    port = @imaps@
    ssl = yes
  }
}
service pop3-login {
  inet_listener pop3 {
    port = @pop3@
  }
  inet_listener pop3s {
    port = @pop3s@
    ssl = yes
  }
}
service lmtp {
  inet_listener lmtp {
    port = @lmtp@
  }
  unix_listener lmtp {
    mode = 0666
  }
}
"""
