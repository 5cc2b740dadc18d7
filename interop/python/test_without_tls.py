"""A node as `mailnode init` makes it takes no password outside TLS, and says so before one is sent."""

import imaplib
import poplib
import random
import smtplib
from collections.abc import Iterator

import pytest

from interop.witness import WAIT_SECONDS_MAX, Account
from tests.wire.imap import trust
from tests.wire.node import Node
from tests.wire.server import DOMAIN, HOST, free_base_port


@pytest.fixture(scope="module")
def careful(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """The one account of a node without --allow-plaintext-auth."""
    accounts = {f"careful@{DOMAIN}": "wonder land"}
    node = Node(
        tmp_path_factory.mktemp("careful") / "node", free_base_port(random.Random()), accounts, (), ()
    )
    node.start()
    ((address, password),) = accounts.items()
    yield Account(node, address, password)
    node.stop()


def test_imap_disables_login_until_tls(careful: Account) -> None:
    with imaplib.IMAP4(HOST, careful.server.port("imap"), WAIT_SECONDS_MAX) as session:
        assert "LOGINDISABLED" in session.capabilities
        assert not any(name.startswith("AUTH=") for name in session.capabilities)
        with pytest.raises(imaplib.IMAP4.error, match="PRIVACYREQUIRED"):
            session.login(careful.address, careful.password)
        session.starttls(trust(careful.server.certificate))
        assert "LOGINDISABLED" not in session.capabilities
        assert session.login(careful.address, careful.password)[0] == "OK"


def test_pop3_offers_no_user_until_tls(careful: Account) -> None:
    drop = poplib.POP3(HOST, careful.server.port("pop3"), WAIT_SECONDS_MAX)
    assert not {"USER", "SASL"} & set(drop.capa())
    with pytest.raises(poplib.error_proto, match="-ERR"):
        drop.user(careful.address)
        drop.pass_(careful.password)
    drop.stls(trust(careful.server.certificate))
    assert {"USER", "SASL"} <= set(drop.capa())
    drop.user(careful.address)
    assert drop.pass_(careful.password).startswith(b"+OK")
    drop.quit()


def test_submission_offers_no_auth_until_tls(careful: Account) -> None:
    port = careful.server.port("submission")
    with smtplib.SMTP(HOST, port, "client.test", WAIT_SECONDS_MAX) as connection:
        connection.ehlo()
        assert not connection.has_extn("auth")
        assert connection.docmd("AUTH", "PLAIN AHgAeA==")[0] in (503, 530, 538)
        connection.starttls(context=trust(careful.server.certificate))
        connection.ehlo()
        assert connection.has_extn("auth")
        assert connection.login(careful.address, careful.password)[0] == 235
