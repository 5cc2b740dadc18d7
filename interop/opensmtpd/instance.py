"""Debian's OpenSMTPD, unpacked beside Postfix: it receives for one domain.

Its folders are compiled in, so it runs in a mount namespace of its own, where they are empty ones. Debian's
6.8 offers STARTTLS and fails in every handshake ("missing private key"): who sends to it must do without.
"""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from interop.foreground import WAIT_SECONDS_MAX, Foreground
from interop.programs import cached, program
from tests.wire.server import HOST

DELIVERS_AS = "nobody"

SETTINGS = """\
pki mx.{domain} cert "{certificate}"
pki mx.{domain} key "{key}"
table mailboxes {{ {mailboxes} }}
smtp max-message-size 35M
listen on {host} port {port} tls pki mx.{domain} hostname mx.{domain}
action deliver maildir "{mail}/%{{dest.user}}" user {user} virtual <mailboxes>
match from any for domain "{domain}" action deliver
"""
NAMESPACE = """\
set -e
for folder in /run /var/spool /var/lib; do mount -t tmpfs tmpfs "$folder"; done
mkdir -p /var/lib/opensmtpd/empty
mount --bind "$1/usr/libexec" /usr/libexec
exec "$1/usr/sbin/smtpd" -d -v -f "$2"
"""


class OpenSmtpd:
    """What comes for each of `mailboxes` lies in a Maildir of its local part below `directory`/mail."""

    def __init__(self, directory: Path, domain: str, port: int, mailboxes: list[str]) -> None:
        if os.geteuid() != 0:
            pytest.skip("OpenSMTPD needs to be started by root")
        unshare, unpacked = program("unshare"), cached("opensmtpd/usr/sbin/smtpd").parents[2]
        self.mail = directory / "mail"
        self.mail.mkdir(parents=True)
        self.mail.chmod(0o777)
        values: Mapping[str, object] = {
            "domain": domain,
            "host": HOST,
            "port": port,
            "mail": self.mail,
            "user": DELIVERS_AS,
            "mailboxes": ", ".join(f'"{address}" = "{DELIVERS_AS}"' for address in mailboxes),
            "certificate": directory / "cert.pem",
            "key": directory / "key.pem",
        }
        _make_certificate(directory)
        config = directory / "smtpd.conf"
        config.write_text(SETTINGS.format_map(values))
        self._running = Foreground(
            [unshare, "--mount", "sh", "-c", NAMESPACE, "sh", str(unpacked), str(config)]
        )
        self._running.await_line(lambda line: "smtp: will accept" in line)
        self.log = self._running.log

    def delivered(self, mailbox: str, recipient: str) -> bytes:
        """The one message that came since last time, CRLF."""
        self._running.await_line(lambda line: " mda delivery " in line and f"rcpt=<{recipient}>" in line)
        self.log.clear()
        (file,) = (self.mail / mailbox / "new").iterdir()
        octets = file.read_bytes().replace(b"\n", b"\r\n")
        file.unlink()
        return octets

    def stop(self) -> None:
        self._running.process.terminate()
        self._running.process.communicate(timeout=WAIT_SECONDS_MAX)


def _make_certificate(directory: Path) -> None:
    words = "openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=mx -keyout key.pem -out cert.pem"
    subprocess.run(words.split(), cwd=directory, check=True, capture_output=True)
    (directory / "key.pem").chmod(0o600)  # it takes none that others may read
