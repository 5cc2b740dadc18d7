"""A node on a file system of its own, which fills up."""

import contextlib
import imaplib
import os
import random
import smtplib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.wire.node import Node
from tests.wire.server import free_base_port

HOST = "127.0.0.1"
ALICE, PASSWORD = "alice@example.test", "open sesame"
MiB = 1024 * 1024
DISK_OCTETS = 96 * MiB
RESERVE_OCTETS = 32 * MiB
SHARD_FAILED = 74
CONFIGURATION_OCTETS = 64 * 1024


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_OCTETS}", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("a file system can be mounted by root only")
    try:
        made = Node(disk / "node", free_base_port(random.Random()), {ALICE: PASSWORD})
        made.log = tmp_path / "log"
        made.init()
        say(made, memory_octets=16 * MiB, disk_reserve_octets=RESERVE_OCTETS, disk_reserve_percent_max=50)
        yield made
        if made.is_running:
            made.stop()
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def say(node: Node, **values: int) -> None:
    """Into the node's configuration."""
    file = node.directory / "mailnode.toml"
    lines = file.read_text().splitlines()
    for name, value in values.items():
        at = next(i for i, line in enumerate(lines) if line.removeprefix("# ").startswith(f"{name} ="))
        lines[at] = f"{name} = {value}"
    file.write_text("\n".join(lines) + "\n")


def fill(node: Node, left: int) -> Path:
    """All of the disk but so many octets. The node may take some meanwhile: then it is looked at again."""
    filler = node.directory.parent / "filler"
    with filler.open("wb") as file:
        while True:
            found = os.statvfs(node.directory)
            with contextlib.suppress(OSError):
                os.posix_fallocate(file.fileno(), 0, found.f_bavail * found.f_frsize - left)
                return filler


def send(node: Node, service: str = "smtp", octets: int = 100) -> int:
    """The code of the last reply."""
    with smtplib.SMTP(HOST, node.port(service)) as client:
        client.ehlo()
        if service == "submission":
            client.login(ALICE, PASSWORD)
        code = client.mail(ALICE)[0]
        if code == 250 and (code := client.rcpt(ALICE)[0]) == 250:
            code = client.data(b"Subject: x\r\n\r\n" + random.randbytes(octets).hex().encode() + b"\r\n")[0]
        client.rset()
        return code


def login(node: Node) -> imaplib.IMAP4:
    client = imaplib.IMAP4(HOST, node.port("imap"))
    client.login(ALICE, PASSWORD)
    client.select()
    return client


def test_below_the_reserve_no_mail_is_taken_all_else_goes_on_and_it_heals_by_itself(node: Node) -> None:
    node.start()
    assert [send(node) for _ in range(3)] == [250, 250, 250]
    client = login(node)
    filler = fill(node, RESERVE_OCTETS * 3 // 4)
    eventually_full(node)
    assert [send(node), send(node, "submission")] == [452, 452]
    status, [text] = client.append("INBOX", "", "", b"Subject: x\r\n\r\n" + b"x" * 1000)
    assert status == "NO" and text.startswith(b"[UNAVAILABLE] The server's disk is full")
    status, [text] = client.append("INBOX", "", "", b"x" * 10_000_000)  # comes in chunks
    assert status == "NO" and b"UNAVAILABLE" in text
    status, [text] = client.copy("1", "INBOX")
    assert status == "NO" and b"UNAVAILABLE" in text
    assert client.store("1", "+FLAGS", "\\Deleted")[0] == "OK"
    assert client.expunge() == ("OK", [b"1"])
    assert client.create("Folder")[0] == "OK"
    assert client.fetch("1:2", "(BODY[])")[0] == "OK"
    client.logout()
    login(node).logout()
    filler.unlink()
    assert [send(node), send(node, "submission")] == [250, 250]


def eventually_full(node: Node) -> None:
    """It looks now and then: what it takes until then, it takes well."""
    while send(node) == 250:
        pass


def test_a_write_that_finds_no_room_ends_the_node_and_it_starts_on_the_full_disk(node: Node) -> None:
    say(node, disk_reserve_octets=0)
    node.start()
    while not (node.directory / "shard.ballast").exists():
        assert send(node) == 250
    filler = fill(node, 2 * MiB)
    taken = messages(node)
    process = node._running()
    with contextlib.suppress(smtplib.SMTPException, OSError):
        while send(node, octets=50_000) == 250:
            taken += 1
    assert process.wait(30) == SHARD_FAILED
    node._forget()
    found = os.statvfs(node.directory)
    assert found.f_bavail * found.f_frsize < MiB

    os.truncate(filler, filler.stat().st_size - CONFIGURATION_OCTETS)  # it is written anew
    say(node, disk_reserve_octets=RESERVE_OCTETS)
    node.start()
    assert not (node.directory / "shard.ballast").exists()
    assert send(node) == 452
    client = login(node)
    count = int(client.select()[1][0])
    assert taken <= count <= taken + 1, "what was not answered may be there"
    assert client.fetch(f"1:{count}", "(BODY.PEEK[])")[0] == "OK"
    assert client.store("1:2", "+FLAGS", "\\Deleted")[0] == "OK"
    assert client.expunge()[0] == "OK"
    client.logout()
    filler.unlink()
    assert send(node) == 250


def messages(node: Node) -> int:
    client = login(node)
    count = int(client.select()[1][0])
    client.logout()
    return count
