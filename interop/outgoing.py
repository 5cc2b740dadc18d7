"""A node whose user writes to another domain, which a foreign program serves."""

import random
import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from interop.witness import Account
from tests.relay.test_over_the_wire import point
from tests.wire.imap import trust
from tests.wire.nameserver import Nameserver
from tests.wire.node import Node
from tests.wire.server import DOMAIN, HOST, free_base_port

THERE = "there.test"
BOB, CAROL, UNKNOWN = f"bob@{THERE}", f"carolä@{THERE}", f"nobody@{THERE}"
NAMES = {THERE: {"MX": [f"10 mx.{THERE}."]}, f"mx.{THERE}": {"A": [HOST]}}


@dataclass(frozen=True, slots=True)
class Sender:
    """Our user."""

    account: Account

    def submit(self, message: bytes, *recipients: str, utf8: bool = False) -> None:
        server, options = self.account.server, ["BODY=8BITMIME"]
        port, context = server.port("submissions"), trust(server.certificate)
        with smtplib.SMTP_SSL(HOST, port, context=context) as connection:
            connection.login(self.account.address, self.account.password)
            options += ["SMTPUTF8"] if utf8 else []
            refused = connection.sendmail(self.account.address, recipients, message, options)
            assert refused == {}


def made(directory: Path) -> Node:
    """A node with one user and its certificate; it is not started."""
    accounts = {f"alice@{DOMAIN}": "wonder land"}
    node = Node(directory, free_base_port(random.Random()), accounts, options=())
    node.init()
    node.take_any_author()
    return node


@contextmanager
def sender(node: Node, port: int) -> Iterator[Sender]:
    """The node runs, and DNS says that the server of THERE is at this port."""
    with Nameserver(NAMES) as nameserver:
        point(node, port, nameserver.port)
        node.start()
        ((address, password),) = node.accounts.items()
        yield Sender(Account(node, address, password))
        node.stop()
