"""A client that asks for much and reads nothing fills no memory, and holds up nobody."""

import asyncio
import random
from pathlib import Path

from tests.limits.bystander import resident_octets
from tests.wire import imap
from tests.wire.node import Node
from tests.wire.server import DOMAIN, HOST, free_base_port

ANN, BOB = f"ann@{DOMAIN}", f"bob@{DOMAIN}"
MESSAGE = b"Subject: large\r\n\r\n" + b"x" * 200_000 + b"\r\n"
MESSAGES, TIMES = 40, 20  # 160 MB asked for
GROWTH_OCTETS_MAX = 40 << 20
NOOPS = 400  # turns enough for a node that does not wait to have said it all


def test_a_client_that_reads_nothing_fills_no_memory(tmp_path: Path) -> None:
    node = Node(tmp_path / "node", free_base_port(random.Random()), {ANN: "secret", BOB: "secret"})
    node.start()
    try:
        asyncio.run(_asks_and_does_not_read(node))
    finally:
        node.stop()


async def _asks_and_does_not_read(node: Node) -> None:
    filler, other = [await imap.connect(HOST, node.port("imap"), None) for _ in range(2)]
    await filler.login(ANN, "secret")
    await other.login(BOB, "secret")
    for _ in range(MESSAGES):
        await filler.ok(b"APPEND INBOX", MESSAGE)
    reader, writer = await asyncio.open_connection(HOST, node.port("imap"), limit=1024)
    fetches = b"".join(b"f%d FETCH 1:* (BODY.PEEK[])\r\n" % at for at in range(TIMES))
    writer.write(b"a LOGIN " + ANN.encode() + b" secret\r\nb SELECT INBOX\r\n" + fetches + b"z LOGOUT\r\n")
    before = resident_octets(node)
    for _ in range(NOOPS):
        await other.ok(b"NOOP")
    assert resident_octets(node) - before < GROWTH_OCTETS_MAX
    said = 0
    tail = b""
    while part := await reader.read(1 << 20):
        said += len(part)
        tail = (tail + part)[-100:]
    assert said > MESSAGES * TIMES * len(MESSAGE) and b"\r\nz OK " in tail
    writer.close()
    for connection in (filler, other):
        connection.close()
