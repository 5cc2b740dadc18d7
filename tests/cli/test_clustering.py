"""`mailnode cluster init`, `token` and `join`, as an operator types them, with a real etcd."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from cryptography import x509

from mailnode import certificate
from mailnode.cli import main
from mailnode.cli.findings import Level, trust_findings
from mailnode.cli.newcomer import BASE_PORTS, free_base_port
from mailnode.clock import SystemClock
from mailnode.cluster import etcd_rows as rows
from mailnode.cluster.authority import (
    DAYS,
    Authority,
    Files,
    credentials,
    ends,
    files_of,
    key_of,
    name_in,
    new_authority,
    pem_of,
    secret_of,
)
from mailnode.cluster.etcd import Drop, Etcd, Pair, Put
from mailnode.cluster.etcd_rows import Keys, Registered
from mailnode.cluster.map import Peer
from mailnode.cluster.replica_messages import Member as Shard
from mailnode.cluster.replica_messages import Row
from mailnode.cluster.tokens import text_of, token_of
from mailnode.clustered import cluster_lines
from mailnode.config import FILE, STANDARD_PORTS, load
from mailnode.domain import domain_text
from mailnode.mailauth.sealedkeys import about
from mailnode.store.keys import Family
from mailnode.store.shard import open_shard
from tests.cluster.by_hand import HandClock
from tests.cluster.members import Member, free_ports, members

Said = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def member() -> Iterator[Member]:
    with members(1) as made:
        yield made[0]


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As `init` makes it."""
    made = tmp_path_factory.mktemp("fresh") / "node"
    assert main(["init", str(made), "--domain", "example.org", "--local-only"]) == 0
    return made


class Operator:
    """Types commands about directories below `where`."""

    def __init__(self, where: Path, fresh: Path, said: Said, etcd: str) -> None:
        self.where = where
        self.prefix = f"test-{secrets.token_hex(4)}"
        self.etcd = etcd
        self.fresh = fresh
        self.said = said

    def copy(self, name: str) -> Path:
        made = self.where / name
        shutil.copytree(self.fresh, made)
        return made

    def done(self, *words: str) -> str:
        """What it prints."""
        self.said.readouterr()
        status = main(["cluster", *words])
        told = self.said.readouterr()
        assert (status, told.err) == (0, "")
        return told.out

    def typed(self, *words: str) -> str:
        """What another command prints."""
        self.said.readouterr()
        status = main(words)
        told = self.said.readouterr()
        assert (status, told.err) == (0, "")
        return told.out

    def refused(self, *words: str) -> str:
        self.said.readouterr()
        assert main(["cluster", *words]) == 1
        told = self.said.readouterr()
        assert told.out == "" and told.err.startswith("mailnode: ") and told.err.count("\n") == 1
        return told.err

    def init_words(self, directory: Path) -> list[str]:
        return ["init", "--dir", str(directory), "--etcd", self.etcd, "--prefix", self.prefix]

    def begun(self) -> Path:
        directory = self.copy("n1")
        self.done(*self.init_words(directory))
        return directory

    def token(self) -> str:
        return self.done("token", "--dir", str(self.where / "n1")).strip()

    def join_words(self, name: str, token: str = "") -> list[str]:
        return ["join", token or self.token(), "--dir", str(self.where / name)]


@pytest.fixture
def operator(tmp_path: Path, fresh: Path, capsys: Said, member: Member) -> Operator:
    return Operator(tmp_path, fresh, capsys, member.endpoint)


def test_three_nodes_of_one_machine_come_in_by_their_tokens_with_ports_of_their_own(
    operator: Operator,
) -> None:
    directories = [operator.begun()]
    for name in ("n2", "n3"):
        out = operator.done(*operator.join_words(name))
        directories.append(operator.where / name)
        assert f"mailnode up {directories[-1]}\n" in out
    configs = [load(each) for each in directories]
    assert [config.cluster and config.cluster.name for config in configs] == ["node1", "node2", "node3"]
    ports = [at.port for config in configs for at in config.listeners]
    assert len(ports) == len(set(ports)) == 3 * len(STANDARD_PORTS)
    assert len({secret_of(config) for config in configs}) == 1
    assert len({files_of(config).authority.read_bytes() for config in configs}) == 1
    for config in configs:
        assert config.cluster is not None and config.cluster.prefix == operator.prefix
        assert name_in(files_of(config)) == config.cluster.name
        assert [domain.name for domain in config.domains] == (["example.org"] if config is configs[0] else [])
        assert (config.hostname == "mail.example.org" and config.relay is not None) or config is configs[0]
        assert credentials(config) is not None
        folder = files_of(config).folder
        assert folder.stat().st_mode & 0o777 == 0o700
        assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert sorted(path.name for path in operator.where.iterdir()) == ["n1", "n2", "n3"]


def test_keys_of_the_first_directory_are_all_nodes(operator: Operator) -> None:
    first = operator.copy("n1")
    assert main(["dkim", "generate", "example.org", "--kind", "ed25519", "--dir", str(first)]) == 0
    public = operator.typed("dkim", "publish", "example.org", "--dir", str(first))
    operator.done(*operator.init_words(first))
    operator.done(*operator.join_words("n2"))
    shutil.rmtree(first / "dkim")
    for name in ("n1", "n2"):
        there = ["--dir", str(operator.where / name)]
        assert operator.typed("dkim", "publish", "example.org", *there) == public
        assert public in operator.typed("dns", "example.org", *there)
    made = operator.typed("dkim", "rotate", "example.org", "--dir", str(first))
    assert made.startswith("m3._domainkey.example.org.")
    assert operator.typed("dkim", "publish", "example.org", *there) == public + made


def test_the_words_of_a_command_stand_in_the_configuration_and_what_was_written_there_stays(
    operator: Operator,
) -> None:
    directory = operator.copy("n1")
    file = directory / FILE
    before = file.read_text().replace("[limits]", "# ours\n[limits]  # not theirs")
    file.write_text(before)
    words = ["--name", "a1", "--host", "h1", "--rack", "r1", "--dc", "dc1", "--listen", "127.0.0.1:7420"]
    operator.done(*operator.init_words(directory), *words)
    told, remarks = file.read_text(), cluster_lines(directory, None)[1:]
    gone = [line for line in before.splitlines() if line not in told.splitlines()]
    assert gone == remarks[: len(gone)] and len(gone) == 10
    assert [line for line in told.splitlines() if line in before.splitlines()] == [
        line for line in before.splitlines() if line not in gone
    ]
    operator.done(*operator.join_words("n2"), "--listen", "127.0.0.1:7421", "--hostname", "b.example.org")
    for name, wanted in (
        ("n1", ("a1", "h1", "r1", "dc1", "127.0.0.1:7420")),
        ("n2", ("node1", "", "", "dc1", "127.0.0.1:7421")),
    ):
        at = load(operator.where / name).cluster
        assert at is not None and (at.name, at.host, at.rack, at.dc, at.listen) == wanted
    assert load(operator.where / "n2").hostname == "b.example.org"


def test_a_directory_that_init_made_comes_in_too_and_keeps_its_ports(operator: Operator) -> None:
    operator.begun()
    directory = operator.copy("n2")
    ports = [at.port for at in load(directory).listeners]
    operator.done(*operator.join_words("n2"), "--name", "second")
    config = load(directory)
    assert config.cluster is not None and config.cluster.name == "second"
    assert [at.port for at in config.listeners] == ports


def test_a_command_typed_again_renews_the_certificate_and_changes_nothing_else(operator: Operator) -> None:
    first = operator.begun()
    operator.done(*operator.join_words("n2"))
    for directory, words in (
        (first, operator.init_words(first)),
        (operator.where / "n2", operator.join_words("n2")),
    ):
        files = files_of(load(directory))
        kept = {path: path.read_bytes() for path in (files.key, files.secret, directory / FILE)}
        serial = x509.load_pem_x509_certificate(files.certificate.read_bytes()).serial_number
        out = operator.done(*words)
        assert (
            f"is {name_in(files)} of this cluster already: a new certificate, until {ends(files):%Y}" in out
        )
        assert x509.load_pem_x509_certificate(files.certificate.read_bytes()).serial_number != serial
        assert {path: path.read_bytes() for path in kept} == kept
        assert credentials(load(directory)) is not None


def test_what_was_killed_before_its_end_goes_on_where_the_same_is_typed_again(operator: Operator) -> None:
    """Once etcd has given the name, a token that is used is no hindrance."""
    first = operator.copy("n1")
    told = (first / FILE).read_text()
    operator.done(*operator.init_words(first))
    for staged in (".cluster.making", "cluster"):  # before its rename, or before the table was written
        certificate = files_of(load(first)).certificate.read_bytes()
        (first / "cluster").rename(first / staged)
        (first / FILE).write_text(told)
        operator.done(*operator.init_words(first))
        assert files_of(load(first)).certificate.read_bytes() == certificate
    token = operator.token()
    operator.done(*operator.join_words("n2", token))
    (operator.where / "n2").rename(operator.where / ".n2.making")
    operator.done(*operator.join_words("n2", token))
    assert name_in(files_of(load(operator.where / "n2"))) == "node2"
    second, token = operator.copy("n3"), operator.token()
    operator.done(*operator.join_words("n3", token))
    (second / "cluster").rename(second / ".cluster.making")
    (second / FILE).write_text(told)
    operator.done(*operator.join_words("n3", token))
    assert name_in(files_of(load(second))) == "node3"


def test_what_was_killed_before_etcd_had_it_is_begun_anew(operator: Operator, tmp_path: Path) -> None:
    operator.begun()
    (tmp_path / "elsewhere").mkdir()
    strange = (
        Operator(tmp_path / "elsewhere", operator.fresh, operator.said, operator.etcd).begun() / "cluster"
    )
    operator.copy("n3")
    shutil.copytree(strange, operator.where / ".n2.making" / "cluster")
    shutil.copytree(strange, operator.where / "n3" / ".cluster.making")
    for name in ("n2", "n3"):
        operator.done(*operator.join_words(name))
        assert not (operator.where / f".{name}.making").exists()
        assert not (operator.where / name / ".cluster.making").exists()
        assert secret_of(load(operator.where / name)) == secret_of(load(operator.where / "n1"))
    assert name_in(files_of(load(operator.where / "n3"))) == "node3"


def test_etcd_that_is_away_is_named_and_nothing_is_left(operator: Operator) -> None:
    (port,) = free_ports(1)
    first = operator.copy("n1")
    away = f"127.0.0.1:{port}"
    words = ["init", "--dir", str(first), "--etcd", away]
    assert f"etcd at {away}: " in operator.refused(*words)
    operator.done(*operator.init_words(first))
    assert f"etcd at {away}: " in operator.refused(*operator.join_words("n2"), "--etcd", away)
    assert [path.name for path in operator.where.iterdir()] == ["n1"]


def test_a_token_that_is_used_over_mangled_or_of_no_cluster_is_told_apart(operator: Operator) -> None:
    operator.begun()
    token = operator.token()
    operator.done(*operator.join_words("n2", token))
    assert "it was used" in operator.refused(*operator.join_words("n3", token))
    for mangled in (token[:-3], token[:-9] + token[-8:], "node1", "mailnode-"):
        assert "that is no token" in operator.refused(*operator.join_words("n3", mangled))
    given = token_of(token)
    nowhere = text_of(type(given)(given.endpoints, "nowhere", given.secret, given.ends))
    complaint = operator.refused(*operator.join_words("n3", nowhere))
    assert "hold no cluster under 'nowhere': `mailnode cluster init` makes one" in complaint
    over = text_of(type(given)(given.endpoints, given.prefix, secrets.token_bytes(16), 1))
    assert "its time is over" in operator.refused(*operator.join_words("n3", over))
    assert not (operator.where / "n3").exists()


def test_a_name_that_is_taken_or_none_is_refused_and_the_token_stays_good(operator: Operator) -> None:
    operator.begun()
    words = operator.join_words("n2")
    assert "the name node1 is taken: choose another --name" in operator.refused(*words, "--name", "node1")
    assert "name: found 'No!', expected a name such as node1" in operator.refused(*words, "--name", "No!")
    operator.done(*words, "--name", "other")


def test_a_node_whose_disk_is_lost_comes_back_under_its_name_once_it_is_dead(operator: Operator) -> None:
    operator.begun()
    operator.done(*operator.join_words("n2"))
    before, lost = load(operator.where / "n2"), Shard("node2", 2)
    shutil.rmtree(operator.where / "n2")
    words = [*operator.join_words("n2"), "--replace", "node2"]
    assert "no node is named node7: `join --name node7`" in operator.refused(*words[:-1], "node7")
    assert "a node keeps its name" in operator.refused(*words, "--name", "node7")
    keys = Keys(operator.prefix)
    peer = Peer("node2", "h", "", "dc1", 1.0, 2, "")
    row = Row(0, 5, lost, 1, (lost,), ("node2", "node1"))

    async def put(*puts: Put | Drop) -> None:
        etcd = Etcd([operator.etcd])
        await etcd.transact([], puts)
        await etcd.close()

    lease = Put(keys.lease(lost), rows.lease_octets(1))
    node = Put(keys.node("node2"), rows.node_octets(Registered(peer, 1, False, "")))
    asyncio.run(put(lease, node, Put(keys.row(7), rows.row_octets(row))))
    assert "node2 runs: stop it first" in operator.refused(*words)
    assert not (operator.where / "n2").exists()
    asyncio.run(put(Drop(lease.key)))
    assert main(["cluster", *words]) == 0
    assert "node2 had the only copy in sync of 1 partitions" in operator.said.readouterr().err
    config = load(operator.where / "n2")
    assert name_in(files_of(config)) == "node2" and config.cluster and config.cluster.name == "node2"
    assert [at.port for at in config.listeners] == [at.port for at in before.listeners]
    assert "it was used" in operator.refused("join", words[1], "--dir", str(operator.where / "n3"))


def test_a_directory_of_another_cluster_or_with_mail_of_its_own_is_refused_before_anything_is_written(
    operator: Operator, fresh: Path, capsys: Said, tmp_path: Path, member: Member
) -> None:
    first = operator.begun()
    (tmp_path / "other").mkdir()
    other = Operator(tmp_path / "other", fresh, capsys, member.endpoint)
    theirs = other.begun()
    complaint = "is a node of another cluster already"
    assert complaint in operator.refused(*other.init_words(first))
    assert complaint in operator.refused("join", operator.token(), "--dir", str(theirs))
    second = operator.copy("n2")
    assert "there is a cluster under" in operator.refused(*operator.init_words(second))
    with closing(open_shard(load(second).shard, 16 << 20, SystemClock().random(16))) as shard:
        shard.write([(Family.STATE, b"\0" * 9, b"a row")], sync=True)
    before = (second / FILE).read_text()
    words = operator.join_words("n2")
    assert "has accounts of its own" in operator.refused(*words)
    assert (second / FILE).read_text() == before and not (second / "cluster").exists()
    operator.done("join", words[1], "--dir", str(operator.where / "n3"))  # the token is good yet
    with closing(open_shard(load(operator.copy("n4")).shard, 16 << 20, SystemClock().random(16))) as shard:
        shard.join(b"elsewhere")
    (operator.where / "n4" / "cluster").mkdir()
    assert "in another cluster by" in operator.refused(*operator.join_words("n4"))
    (operator.where / "n4" / "cluster").rmdir()
    complaint = f"belongs to cluster {b'elsewhere'.hex()} already"
    assert complaint in operator.refused(*operator.join_words("n4"))


def test_a_node_that_is_in_no_cluster_makes_no_token(operator: Operator) -> None:
    alone = operator.copy("n1")
    complaint = operator.refused("token", "--dir", str(alone))
    assert "is in no cluster: `mailnode cluster init` begins one" in complaint
    assert "--min-insync 2: there are 1 copies" in operator.refused(
        *operator.init_words(alone), "--copies", "1"
    )


def test_ports_are_those_that_no_node_of_the_machine_has_and_nobody_listens_at() -> None:
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        first = free_base_port([])
        listening.bind(("127.0.0.1", first + STANDARD_PORTS[next(iter(STANDARD_PORTS))]))
        listening.listen()
        second = free_base_port([])
        third = free_base_port([second])
    assert first < second < third and third in BASE_PORTS
    assert first + 1000 <= free_base_port([first + 1])


def test_an_etcd_with_users_and_tls_is_asked_as_the_words_say_and_by_the_node_later(
    tmp_path: Path, fresh: Path, capsys: Said
) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    certificate.write_self_signed(cert, key, ["localhost"], SystemClock())
    options = ("--cert-file", str(cert), "--key-file", str(key))
    with members(1, *options, scheme="https") as made:
        made[0].ctl(cert, "user", "add", "root:secret")
        made[0].ctl(cert, "user", "grant-role", "root", "root")
        made[0].ctl(cert, "auth", "enable")
        (tmp_path / "nodes").mkdir()
        endpoint = made[0].endpoint.replace("127.0.0.1", "localhost")
        operator = Operator(tmp_path / "nodes", fresh, capsys, endpoint)
        (tmp_path / "password").write_text("secret\n")
        words = ["--etcd-user", "root", "--etcd-password-file", str(tmp_path / "password")]
        words += ["--etcd-authority", str(cert)]
        first = operator.copy("n1")
        assert "etcd at localhost" in operator.refused(*operator.init_words(first))
        operator.done(*operator.init_words(first), *words)
        operator.done(*operator.join_words("n2"), *words)
    at = load(operator.where / "n2").cluster
    assert at is not None and (at.user, at.password) == ("root", "secret")
    assert at.authority is not None and at.authority.read_text() == cert.read_text()
    assert at.authority.parent == operator.where / "n2" / "cluster"


def test_the_doctor_says_how_long_the_certificate_is_good_and_who_else_may_read_the_secret(
    operator: Operator,
) -> None:
    config = load(operator.begun())
    files = files_of(config)
    (well,) = trust_findings(config)
    assert well.level is Level.OK and f"of node1 is valid until {ends(files):%Y-%m-%d}" in well.found
    for days, level in ((29, Level.WARNING), (-1, Level.ERROR)):
        ago = HandClock(SystemClock().now_microseconds() - (DAYS - days) * 86_400_000_000)
        key = key_of(files.key.read_bytes()).public_key()
        files.certificate.write_bytes(pem_of(authority_here(files).issue("node1", key, ago)))
        (found,) = trust_findings(config)
        assert (found.level, found.advice[:22]) == (level, "`mailnode cluster init")
    files.secret.chmod(0o640)
    assert [each.advice for each in trust_findings(config)][1:] == [f"chmod 600 {files.secret}"]
    files.authority.unlink()
    (broken,) = trust_findings(config)
    assert broken.level is Level.ERROR and "authority.pem" in broken.found
    files.certificate.unlink()
    (bare,) = trust_findings(config)
    assert bare.level is Level.WARNING and "is not whole" in bare.found


def authority_here(files: Files) -> Authority:
    """One of our own, put in the place of the cluster's."""
    made = new_authority(b"id", SystemClock())
    files.authority.write_bytes(pem_of(made.certificate))
    return made


def test_the_clusters_domains_and_their_sealed_keys_are_those_of_its_first_node(operator: Operator) -> None:
    config = load(operator.begun())
    secret, keys = secret_of(config), Keys(operator.prefix)
    assert secret is not None

    async def stored() -> list[Pair | None]:
        etcd = Etcd([operator.etcd])
        try:
            return [
                await etcd.get(each) for each in (keys.domain("example.org"), keys.key("example.org", "m1"))
            ]
        finally:
            await etcd.close()

    domain, key = asyncio.run(stored())
    assert domain is not None and key is not None
    assert rows.domain_of(domain.value, 0).text == domain_text(config.domains[0])
    sealed = rows.key_of(key.value, 0).sealed
    assert secret.open(sealed, about("example.org", "m1")) == config.dkim_key(config.domains[0]).read_bytes()
    assert b"PRIVATE" not in key.value


def test_how_many_copies_there_are_is_shown_and_changed(operator: Operator) -> None:
    n1 = operator.begun()
    for name in ("n2", "n3"):
        operator.done(*operator.join_words(name))
    _register(operator, ("node1", "node2", "node3"))
    at = ("copies", "--dir", str(n1))
    assert operator.done(*at).splitlines()[1].split() == ["0", "dc1", "3", "2", "-"]
    assert operator.done(*at, "--copies", "2", "--min-insync", "1").splitlines()[1].split()[2:4] == ["2", "1"]
    again = operator.done("copies", "--dir", str(operator.where / "n3"), "--json")
    assert '"copies": 2' in again and '"min_insync": 1' in again
    assert "2 copies" not in operator.done(*at, "--copies", "3")
    assert "4 copies need as many hosts, and there are 3" in operator.refused(*at, "--copies", "4")
    assert "expected 1 to 3" in operator.refused(*at, "--min-insync", "4")
    assert "none of the other data centres: none" in operator.refused(*at, "--sync-dcs", "dc9")


def _register(operator: Operator, names: tuple[str, ...]) -> None:
    """As nodes do when they start."""

    async def put() -> None:
        etcd, keys = Etcd((operator.etcd,)), Keys(operator.prefix)
        for name in names:
            peer = Peer(name, name, "", "dc1", 100.0, 1, f"unix:/{name}")
            await etcd.transact([], [Put(keys.node(name), rows.node_octets(rows.Registered(peer, 1)))])
        await etcd.close()

    asyncio.run(put())
