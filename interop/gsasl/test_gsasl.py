"""GNU SASL's own program binds its proof to the TLS channel, by tls-exporter."""

from dataclasses import replace
from pathlib import Path

import pytest

from interop.programs import Done, program, run
from interop.witness import Account
from tests.wire.server import Server


def login(server: Server, account: Account, home: Path, *options: str) -> Done:
    """To IMAP, by STARTTLS."""
    command = [program("gsasl"), "--client", "--imap", "--starttls", "--no-client-first", *options]
    command += ["--connect", f"localhost:{server.port('imap')}", "--x509-ca-file", str(server.certificate)]
    command += ["--authentication-id", account.address, "--authorization-id", account.address]
    return run([*command, "--password", account.password], home)


def test_by_itself_it_takes_the_mechanism_that_is_bound_to_the_channel(
    server: Server, account: Account, home: Path
) -> None:
    dialogue = login(server, account, home).stdout
    assert b". AUTHENTICATE SCRAM-SHA-256-PLUS\n" in dialogue
    assert b". OK [CAPABILITY " in dialogue.partition(b"AUTHENTICATE")[2]


@pytest.mark.parametrize(
    ("mechanism", "options"),
    [("SCRAM-SHA-256-PLUS", []), ("SCRAM-SHA-256", ["--no-cb"]), ("PLAIN", [])],
)
def test_each_mechanism_admits_the_right_password_and_no_other(
    server: Server, account: Account, home: Path, mechanism: str, options: list[str]
) -> None:
    wrong = replace(account, password="guess")
    options = [*options, "--mechanism", mechanism]
    assert b". OK [CAPABILITY " in login(server, account, home, *options).stdout.partition(b"AUTHENTICATE")[2]
    assert b". NO [AUTHENTICATIONFAILED]" in login(server, wrong, home, *options).stdout
