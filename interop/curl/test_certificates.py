"""What a client thinks of our certificate: signed by an authority, run out, renewed while we serve."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from interop.authority import EXPIRED, NOT_EXPIRED, Authority
from interop.curl.conftest import login
from interop.outgoing import made
from interop.programs import Done, program, run, succeeded
from interop.witness import Account
from tests.node.test_reload import hang_up
from tests.wire.node import Node
from tests.wire.server import HOST

NOT_TRUSTED = 60  # curl(1), EXIT CODES
SERVICES = pytest.mark.parametrize(
    ("scheme", "service"),
    [("imaps", "imaps"), ("imap", "imap"), ("pop3s", "pop3s"), ("pop3", "pop3"), ("smtps", "submissions")],
)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def node(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """It begins with a certificate that has run out: it serves, for who does not look."""
    node = made(tmp_path_factory.mktemp("certified") / "node")
    authority.write(node.certificate, node.certificate.with_name("key.pem"), EXPIRED)
    node.start()
    yield node
    node.stop()


def asked(node: Node, scheme: str, service: str, home: Path, *options: str) -> Done:
    """curl logs in, within TLS."""
    ((address, password),) = node.accounts.items()
    url = f"{scheme}://{HOST}:{node.port(service)}/"
    curl = [program("curl"), "--silent", "--show-error", "--ssl-reqd", *options]
    return run([*curl, *login(Account(node, address, password)), url], home)


@SERVICES
def test_a_client_refuses_what_has_run_out(
    node: Node, authority: Authority, home: Path, scheme: str, service: str
) -> None:
    done = asked(node, scheme, service, home, "--cacert", str(authority.root))
    assert done.returncode == NOT_TRUSTED
    assert b"certificate has expired" in done.stderr
    succeeded(asked(node, scheme, service, home, "--insecure"))


@SERVICES
def test_a_renewed_one_counts_without_a_restart_and_its_chain_leads_to_the_root(
    node: Node, authority: Authority, home: Path, scheme: str, service: str
) -> None:
    authority.write(node.certificate, node.certificate.with_name("key.pem"), NOT_EXPIRED)
    hang_up(node, "the configuration was taken")
    succeeded(asked(node, scheme, service, home, "--cacert", str(authority.root)))
