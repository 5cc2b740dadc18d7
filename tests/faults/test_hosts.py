"""The hosts that faults are tried on do what the faults say."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.faults.hosts import Host, Hosts, hosts, missing

LISTEN = "import socket; s = socket.create_server(('0.0.0.0', 7000)); print('up', flush=True); s.listen()\n"
LISTEN += "while True: s.accept()[0].close()"
HEAR = "import socket; s = socket.socket(type=socket.SOCK_DGRAM); s.bind(('0.0.0.0', 7000))\n"
HEAR += "print('up', flush=True); print(s.recvfrom(9)[1][0])"
SAY = "import socket, sys; socket.socket(type=socket.SOCK_DGRAM).sendto(b'', (sys.argv[1], 7000))"
ASK = "import socket, sys; socket.create_connection((sys.argv[1], 7000), 0.3)"


@pytest.fixture(scope="module")
def three() -> Iterator[Hosts]:
    if why := missing():
        pytest.skip(why)
    with hosts(("a", "b", "c")) as made:
        listening = [
            subprocess.Popen([*host.prefix, sys.executable, "-c", LISTEN], stdout=subprocess.PIPE, text=True)
            for host in made.hosts.values()
        ]
        for process in listening:
            assert process.stdout is not None and process.stdout.readline() == "up\n"
        yield made
        for process in listening:
            process.kill()
            process.communicate()


def reach(made: Hosts) -> set[tuple[str, str]]:
    """Who gets an answer of whom."""
    asking = {pair: _ask(made[pair[0]], made[pair[1]]) for pair in made.pairs()}
    return {pair for pair, process in asking.items() if process.wait() == 0}


def _ask(client: Host, server: Host) -> subprocess.Popen[bytes]:
    command = [*client.prefix, sys.executable, "-c", ASK, server.address]
    return subprocess.Popen(command, stderr=subprocess.DEVNULL)


def test_hosts_see_each_other_until_they_are_cut_and_again_when_healed(three: Hosts) -> None:
    everybody = set(three.pairs())
    assert reach(three) == everybody
    three.cut(["a"], ["b", "c"])
    assert reach(three) == {("b", "c"), ("c", "b")}
    three.heal()
    assert reach(three) == everybody


def test_one_who_is_muted_still_hears(three: Hosts) -> None:
    three.mute("a", "b")
    assert reach(three) == set(three.pairs()) - {("a", "b"), ("b", "a")}  # an answer needs both ways
    hearing = subprocess.Popen([*three["a"].prefix, sys.executable, "-c", HEAR], stdout=subprocess.PIPE)
    assert hearing.stdout is not None and hearing.stdout.readline() == b"up\n"
    subprocess.run([*three["b"].prefix, sys.executable, "-c", SAY, three["a"].address], check=True)
    assert hearing.communicate()[0] == three["b"].address.encode() + b"\n"
    three.heal()
