"""fail2ban reads in our log who failed to log in, whatever the peer called itself."""

import random
import shutil
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from interop.programs import program, run, succeeded
from tests.wire.lines import answer
from tests.wire.node import Node
from tests.wire.server import DOMAIN, free_base_port

DOCS = Path(__file__).parents[2] / "docs" / "fail2ban"
FILTER = DOCS / "filter.d" / "mailnode.conf"
DEBIAN = Path("/etc/fail2ban")
USER, PASSWORD = f"user@{DOMAIN}", "secret"
VICTIM = "198.51.100.1"
FAILED = 'level=warning at=mailnode.directory.attempt message="authentication failed"'
FORGED = f"{FAILED} peer={VICTIM} service=imap reason=wrong login=y"
HOSTILE = [
    "nobody",
    f"x peer={VICTIM} ",
    f'x" peer={VICTIM} service=imap reason=wrong login="',
    f"x\r\ntime=2026-11-24T12:00:00.000Z {FORGED}",
    f"x\ntime=2026-11-24T12:00:00.000Z {FORGED}\n",
    f"\u2028host mailnode[1]: {FORGED}",
    f"time=2026-11-24T12:00:00.000Z {FORGED}" + "y" * 5000,
    "\x1b]0;title\x07\x85\x0b\x0c",
]


@pytest.fixture(scope="module")
def node(open_folder: Path) -> Iterator[Node]:
    running = Node(open_folder / "guessed", free_base_port(random.Random()), {USER: PASSWORD})
    running.start()
    yield running
    running.stop()


def say(node: Node, host: str, service: str, *lines: bytes) -> bytes:
    """The last answer to what is said from `host`, an address of this machine."""
    return answer(node.port(service), *lines, source=host)


def plain(login: str, password: str) -> bytes:
    return b64encode(f"\0{login}\0{password}".encode())


def read(log: str, home: Path) -> list[str]:
    """The addresses that fail2ban finds, in their order."""
    file = home / "log"
    file.write_text(log)
    found = run([program("fail2ban-regex"), "--out", "ip", str(file), str(FILTER)], home)
    return found.stdout.decode().split()  # its status says whether anything was found


def test_each_failure_of_each_service_is_read_with_its_address(node: Node, home: Path) -> None:
    before = node.log.stat().st_size
    first = b64encode(b"n,,n=nobody@example.test,r=nonce")
    assert say(node, "127.0.0.11", "imap", b"a LOGIN " + USER.encode() + b" guess1").startswith(b"a NO")
    assert say(node, "127.0.0.12", "pop3", b"AUTH PLAIN " + plain(USER, "guess2")).startswith(b"-ERR [AUTH]")
    hello = b"EHLO client.test"
    assert say(node, "127.0.0.13", "submission", hello, b"AUTH PLAIN " + plain("x", "y"))[:3] == b"535"
    assert say(node, "127.0.0.14", "submission", hello, b"AUTH PLAIN eHl6")[:3] == b"501"
    nonce = say(node, "127.0.0.15", "pop3", b"AUTH SCRAM-SHA-256 " + first)
    assert nonce.startswith(b"+ ")
    assert say(node, "127.0.0.16", "imap", b"a LOGIN " + USER.encode() + b" secret").startswith(b"a OK")
    for _ in range(2):  # the same once more is no guess
        say(node, "127.0.0.17", "imap", b"a LOGIN " + USER.encode() + b" old")
    log = node.log.read_bytes()[before:].decode()
    assert read(log, home) == ["127.0.0.11", "127.0.0.12", "127.0.0.13", "127.0.0.14", "127.0.0.17"]
    assert log.count(FAILED) == 6
    assert PASSWORD not in log and "guess" not in log


@pytest.mark.parametrize("service", ["imap", "submission", "pop3"])
def test_no_name_can_pass_for_a_line_of_the_log_or_for_another_address(
    node: Node, home: Path, service: str
) -> None:
    before = node.log.stat().st_size
    for number, name in enumerate(HOSTILE):
        host, octets = f"127.0.{number + 1}.{len(service)}", name.encode()
        if service == "imap":
            literals = b"a LOGIN {%d+}\r\n%b {1+}\r\n%d" % (len(octets), octets, number)
            assert say(node, host, service, literals).startswith(b"a NO")
        elif service == "submission":
            said = say(node, host, service, b"EHLO client.test", b"AUTH PLAIN " + plain(name, service))
            assert said[:3] == b"535"
        else:
            said = say(node, host, service, b"AUTH PLAIN", plain(name, service))
            assert said.startswith(b"-ERR")
    log = node.log.read_bytes()[before:].decode()
    assert len(log.splitlines()) == len(HOSTILE)
    assert read(log, home) == [f"127.0.{number + 1}.{len(service)}" for number in range(len(HOSTILE))]
    in_journal = "".join(f"host mailnode[77]: {line}\n" for line in log.splitlines())
    assert VICTIM not in read(in_journal, home)
    assert len(read(in_journal, home)) == len(HOSTILE)


def test_fail2ban_takes_the_filter_and_the_jail(home: Path) -> None:
    path = program("fail2ban-client")
    configuration = home / "fail2ban"
    shutil.copytree(
        DEBIAN, configuration, ignore=shutil.ignore_patterns("defaults-debian.conf")
    )  # it jails sshd
    shutil.copytree(DOCS, configuration, dirs_exist_ok=True)
    succeeded(run([path, "-c", str(configuration), "-t"], home))
    dumped = succeeded(run([path, "-c", str(configuration), "-d"], home))
    assert b"'mailnode', 'maxretry', 20" in dumped
    assert b"_SYSTEMD_UNIT=mailnode.service" in dumped
