"""A profile with one account, quiet: no start-up dialogs, no telemetry, no look outside."""

import hashlib
import json
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from interop.witness import Account
from tests.wire.server import Server

Preference = str | int | bool

# nsMsgSocketType
PLAIN, STARTTLS, TLS = 0, 2, 3
SHA256_OID = "OID.2.16.840.1.101.3.4.2.1"

QUIET: Mapping[str, Preference] = {
    "app.donation.eoy.version.viewed": 999,
    "app.update.enabled": False,
    "browser.safebrowsing.enabled": False,
    "datareporting.healthreport.uploadEnabled": False,
    "datareporting.policy.dataSubmissionPolicyBypassNotification": True,
    "extensions.update.enabled": False,
    "extensions.getAddons.cache.enabled": False,
    "mail.instrumentation.postUrl": "",
    "mail.provider.suppress_dialog_on_startup": True,
    "mail.rights.version": 1,
    "mail.shell.checkDefaultClient": False,
    "mail.spotlight.firstRunDone": True,
    "mail.winsearch.firstRunDone": True,
    "mailnews.confirm.moveFoldersToTrash": False,
    "mailnews.start_page.enabled": False,
    "mailnews.start_page_override.mstone": "ignore",
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "network.prefetch-next": False,
    "services.settings.server": "data:,#remote-settings-dummy/v1",
    "toolkit.telemetry.enabled": False,
    "toolkit.telemetry.server": "",
    "mail.biff.show_alert": False,
    "mail.biff.play_sound": False,
    "marionette.port": 0,  # it takes a free one and writes it to MarionetteActivePort
}


@dataclass(frozen=True, slots=True)
class Way:
    """How the account is reached."""

    imap: str
    imap_socket: int
    submission: str
    submission_socket: int


def write(profile: Path, account: Account, way: Way) -> None:
    profile.mkdir()
    preferences = {**QUIET, **_account(account, way)}
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in preferences.items()]
    (profile / "user.js").write_text("".join(lines))
    _trust(profile, account.server, (way.imap, way.submission))


def _trust(profile: Path, server: Server, services: Sequence[str]) -> None:
    """What "Confirm Security Exception" writes: host:port:, digest's OID, fingerprint."""
    digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(server.certificate.read_text())).hexdigest().upper()
    fingerprint = ":".join(digest[at : at + 2] for at in range(0, len(digest), 2))
    lines = [f"localhost:{server.port(each)}:\t{SHA256_OID}\t{fingerprint}\t\n" for each in services]
    (profile / "cert_override.txt").write_text("".join(lines))


def _account(account: Account, way: Way) -> Mapping[str, Preference]:
    server, identity, smtp = "mail.server.server1", "mail.identity.id1", "mail.smtpserver.smtp1"
    return {
        "mail.accountmanager.accounts": "account1,account2",
        "mail.accountmanager.defaultaccount": "account1",
        "mail.accountmanager.localfoldersserver": "server2",
        "mail.account.account1.server": "server1",
        "mail.account.account1.identities": "id1",
        "mail.account.account2.server": "server2",
        f"{server}.type": "imap",
        f"{server}.hostname": "localhost",
        f"{server}.port": account.server.port(way.imap),
        f"{server}.socketType": way.imap_socket,
        f"{server}.userName": account.address,
        f"{server}.name": account.address,
        f"{server}.login_at_startup": False,
        f"{server}.check_new_mail": False,
        f"{server}.authMethod": 3,
        "mail.server.server2.type": "none",
        "mail.server.server2.hostname": "Local Folders",
        "mail.server.server2.userName": "nobody",
        "mail.server.server2.name": "Local Folders",
        f"{identity}.fullName": "A User",
        f"{identity}.useremail": account.address,
        f"{identity}.valid": True,
        f"{identity}.compose_html": False,
        f"{identity}.smtpServer": "smtp1",
        "mail.smtpservers": "smtp1",
        "mail.smtp.defaultserver": "smtp1",
        f"{smtp}.hostname": "localhost",
        f"{smtp}.port": account.server.port(way.submission),
        f"{smtp}.try_ssl": way.submission_socket,
        f"{smtp}.username": account.address,
        f"{smtp}.authMethod": 3,
        "mailnews.smtp.loglevel": "All",
    }
