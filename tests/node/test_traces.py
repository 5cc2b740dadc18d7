"""A message's way as an OpenTelemetry collector sees it: from the socket to a mailbox and another server."""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from mailnode.config import FILE
from tests.node.test_node import ALICE, PASSWORD
from tests.relay.host import HOST, Scripted
from tests.relay.test_over_the_wire import NAMES, submit, world
from tests.wire.nameserver import Nameserver
from tests.wire.node import Node
from tests.wire.server import free_base_port

UNUSED = """
import sys
import mailnode.cli, mailnode.node
assert not [name for name in sys.modules if name.startswith("opentelemetry")]
"""


class Collector:
    """What came over OTLP, in order."""

    def __init__(self) -> None:
        self.spans: list[Any] = []
        self.authorizations: set[str | None] = set()
        collector = self

        class Answering(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                octets = self.rfile.read(int(self.headers["content-length"]))
                collector.authorizations.add(self.headers["authorization"])
                for resource in ExportTraceServiceRequest.FromString(octets).resource_spans:
                    for scope in resource.scope_spans:
                        collector.spans.extend(scope.spans)
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        self._server = HTTPServer((HOST, 0), Answering)
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def collector() -> Iterator[Collector]:
    made = Collector()
    yield made
    made.close()


def test_a_messages_parts_are_one_trace(tmp_path: Path, collector: Collector) -> None:
    options = ("--allow-plaintext-auth",)
    node = Node(tmp_path / "node", free_base_port(random.Random()), {ALICE: PASSWORD}, options=options)
    node.init()
    file = node.directory / FILE
    endpoint = f"http://{HOST}:{collector.port}/v1/traces"
    traces = f'[traces]\nendpoint = "{endpoint}"\nauthorization = {{ file = "token" }}\n'
    file.write_text(file.read_text().replace('log_format = "text"', 'log_format = "json"') + traces)
    (node.directory / "token").write_text("Bearer sesame\n")
    host = Scripted()

    async def work(nameserver: Nameserver) -> None:
        async with asyncio.timeout(60), world(host, node, nameserver):
            await asyncio.to_thread(submit, node, "bob@there.test", ALICE)
            while '"message": "sent"' not in await asyncio.to_thread(node.log.read_text):
                assert node.is_running

    with Nameserver(NAMES) as nameserver:
        asyncio.run(work(nameserver))  # what was told is sent before the node ends
    spans = {span.name: span for span in collector.spans}
    assert set(spans) == {"message", "apply to a mailbox", "apply to the queue", "relay"}
    whole = spans.pop("message")
    assert not whole.parent_span_id
    assert all((s.trace_id, s.parent_span_id) == (whole.trace_id, whole.span_id) for s in spans.values())
    lines = [json.loads(line) for line in node.log.read_text().splitlines()]
    (name,) = {line["transaction"] for line in lines if "transaction" in line}
    assert name == whole.trace_id.hex()[4:24]
    begins = [spans[part].start_time_unix_nano for part in ("apply to a mailbox", "relay")]
    assert whole.start_time_unix_nano <= begins[0] <= begins[1] <= spans["relay"].end_time_unix_nano
    assert collector.authorizations == {"Bearer sesame"}


def test_nothing_of_it_is_loaded_where_it_is_not_configured() -> None:
    subprocess.run([sys.executable, "-c", UNUSED], check=True, timeout=60)
