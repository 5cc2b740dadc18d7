"""What mbsync is told: one server, one tree of Maildirs, everything."""

from pathlib import Path

from interop.programs import program

TEXT = """\
IMAPAccount server
Host localhost
Port {port}
User {user}
Pass "{password}"
SSLType {tls}
CertificateFile {certificate}
{more}
IMAPStore far
Account server

MaildirStore near
Path {home}/mail/
Inbox {home}/mail/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns *
Create Both
Remove Both
Expunge Both
SyncState *
"""


def command(
    home: Path, port: int, user: str, password: str, certificate: Path, *, tls: str = "IMAPS", more: str = ""
) -> list[str]:
    """One whole run, which says its dialogue; `more` are lines about the account."""
    config = home / "mbsyncrc"
    values = {"port": port, "user": user, "password": password, "certificate": certificate, "home": home}
    config.write_text(TEXT.format(**values, tls=tls, more=f"{more}\n" if more else ""))
    return [program("mbsync"), "--config", str(config), "--all", "--debug-net"]
