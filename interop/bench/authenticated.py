"""SMTP ingest with authentication on: as the row `ingest`, with a DNS server that knows the sender.

SPF with two includes of twelve networks each, DMARC and iprev, all of which pass; answers are kept after the
first message. The peers have nothing of it in the box, so there is none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from interop.bench.cpu import Meter
from interop.bench.ingest import COUNT, QUICK_COUNT, SHARES, WARM_UP_COUNT, Ingest
from interop.bench.row import Benched, Row, Scale, accounts
from mailnode.config import FILE
from tests.wire.nameserver import HOST, Nameserver
from tests.wire.node import Node

SENDER = "client.example.test"
NETWORKS = " ".join(f"ip4:198.51.{number}.0/24" for number in range(12))
NAMES: Mapping[str, Mapping[str, Sequence[str]]] = {
    "1.0.0.127.in-addr.arpa": {"PTR": [f"mx.{SENDER}."]},
    f"mx.{SENDER}": {"A": [HOST]},
    SENDER: {"TXT": [f'"v=spf1 include:_spf1.{SENDER} include:_spf2.{SENDER} a:mx.{SENDER} -all"']},
    f"_spf1.{SENDER}": {"TXT": [f'"v=spf1 {NETWORKS} ~all"']},
    f"_spf2.{SENDER}": {"TXT": [f'"v=spf1 {NETWORKS} ~all"']},
    f"_dmarc.{SENDER}": {"TXT": ['"v=DMARC1\\; p=reject"']},
}


class Authenticated(Ingest):
    @property
    def label(self) -> str:
        return f"authenticated {self.size} C={self.connections}"


class Authenticating(Node):
    """Our own server, which asks a DNS server of the bench while it runs."""

    def __init__(
        self, directory: Path, base_port: int, accounts: Mapping[str, str], prefix: Sequence[str] = ()
    ) -> None:
        super().__init__(directory, base_port, accounts, prefix)
        self._running_beside = ExitStack()

    def start(self) -> None:
        nameserver = self._running_beside.enter_context(Nameserver(NAMES))
        if not self.directory.exists():
            self.init()
        file = self.directory / FILE
        text = (
            file.read_text()
            .replace("\n# [mailauth]", "\n[mailauth]")
            .replace("\n# exempt = ", "\nexempt = [] # ")
        )
        file.write_text(text.replace("\nservers = [] ", f'\nservers = ["{HOST}:{nameserver.port}"] '))
        super().start()

    def stop(self) -> None:
        super().stop()
        self._running_beside.close()


def row(scale: Scale) -> Row:
    def warmed(server: Benched, meter: Meter) -> None:
        Ingest("2k", 10, WARM_UP_COUNT).run(server, meter)

    count = QUICK_COUNT if scale.quick else COUNT
    workloads = [Authenticated(size, 10, count // share) for size, share in SHARES.items()]
    return Row((), accounts(20), warmed, workloads, ours=Authenticating, fresh=True)
