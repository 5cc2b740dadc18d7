"""What `doctor` and `status` say of a node, well and not, running and not."""

from __future__ import annotations

import json
import random
import re
import socket
from pathlib import Path

import pytest

from mailnode import certificate
from mailnode.cli import main
from mailnode.clock import SystemClock
from mailnode.config import FILE
from tests.node.test_node import ALICE, HOST, PASSWORD, deliver
from tests.wire.nameserver import Nameserver
from tests.wire.node import Node
from tests.wire.server import free_base_port

NAME = "mail.example.test"
ADDRESS = "192.0.2.7"


@pytest.fixture
def node(tmp_path: Path) -> Node:
    options = ("--allow-plaintext-auth",)
    made = Node(tmp_path / "node", free_base_port(random.Random()), {ALICE: PASSWORD}, options=options)
    made.init()
    return made


def said(capsys: pytest.CaptureFixture[str], status: int, *words: str) -> str:
    capsys.readouterr()
    assert main(words) == status
    return capsys.readouterr().out


def examined(node: Node, capsys: pytest.CaptureFixture[str], status: int) -> dict[tuple[str, str], str]:
    """What is to be done, by what it is about and its level."""
    findings = json.loads(said(capsys, status, "doctor", "--dir", str(node.directory), "--json"))
    return {(each["about"], each["level"]): each["advice"] for each in findings}


def published(node: Node, capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, list[str]]]:
    """What `dns` says, and the host forwards and backwards."""
    names = {NAME: {"A": [ADDRESS]}, "7.2.0.192.in-addr.arpa": {"PTR": [f"{NAME}."]}}
    told = json.loads(said(capsys, 0, "dns", "example.test", "--dir", str(node.directory), "--json"))
    for record in told["records"]:
        names.setdefault(record["name"].rstrip("."), {}).setdefault(record["kind"], []).append(record["data"])
    return names


def ask_at(node: Node, nameserver: Nameserver) -> None:
    file = node.directory / FILE
    file.write_text(file.read_text().replace("\nservers = [] ", f'\nservers = ["{HOST}:{nameserver.port}"] '))


def test_a_node_that_is_well_has_no_errors_whether_it_runs_or_not(
    node: Node, capsys: pytest.CaptureFixture[str]
) -> None:
    with Nameserver(published(node, capsys)) as nameserver:
        ask_at(node, nameserver)
        still = examined(node, capsys, 0)
        assert ("shard", "ok") in still and (NAME, "ok") in still and ("MX example.test.", "ok") in still
        assert ("TXT m1._domainkey.example.test.", "ok") in still
        assert ("SPF of example.test", "ok") in still and ("SRV _imaps._tcp.example.test.", "ok") in still
        assert ("TXT _mta-sts.example.test.", "ok") in still and (
            "TLSA _25._tcp." + NAME + ".",
            "ok",
        ) in still
        assert ("https://mta-sts.example.test/.well-known/mta-sts.txt", "warning") in still
        assert (f"port {node.port('smtp')} (smtp)", "ok") in still
        node.start()
        try:
            running = examined(node, capsys, 0)
        finally:
            node.stop()
        assert {key for key in running if key[0] != "clock"} == {key for key in still if key[0] != "clock"}


def test_what_is_wrong_is_said_with_what_to_do(node: Node, capsys: pytest.CaptureFixture[str]) -> None:
    names = published(node, capsys)
    names["7.2.0.192.in-addr.arpa"]["PTR"] = ["pool-7.isp.example."]
    names["example.test"]["MX"] = ["10 elsewhere.example."]
    names["m1._domainkey.example.test"]["TXT"] = ['"v=DKIM1; k=rsa; p=AAAA"']
    del names["_dmarc.example.test"]
    names["_mta-sts.example.test"]["TXT"] = ['"v=STSv1; id=old;"']
    names["_imaps._tcp.example.test"]["SRV"] = ["0 1 993 elsewhere.example."]
    names[f"_25._tcp.{NAME}"]["TLSA"] = ["3 1 1 " + "ab" * 32]
    names["example.test"]["TXT"] = ['"v=spf1 ip4:198.51.100.0/24 -all"']
    tls = node.directory / "tls"
    for path in tls.iterdir():
        path.unlink()
    certificate.write_self_signed(tls / "cert.pem", tls / "key.pem", ["other.test"], SystemClock())
    (tls / "key.pem").chmod(0o644)
    with socket.create_server((HOST, node.port("imap"))), Nameserver(names) as nameserver:
        ask_at(node, nameserver)
        found = examined(node, capsys, 1)
    assert found["certificate", "error"] == f"chmod 600 {tls / 'key.pem'}"
    assert found[f"port {node.port('imap')} (imap)", "error"] == "stop what has it, or take another port"
    assert f"publish a PTR record that says {NAME}" in found[NAME, "warning"]
    assert found["MX example.test.", "error"] == f"publish: 10 {NAME}."
    assert found["TXT m1._domainkey.example.test.", "error"].startswith('publish: "v=DKIM1; k=rsa; p=MII')
    assert found["TXT _dmarc.example.test.", "warning"].startswith('publish: "v=DMARC1;')
    assert ("TXT example.test.", "ok") in found
    assert found["TXT _mta-sts.example.test.", "warning"].startswith('publish: "v=STSv1; id=')
    assert found["SRV _imaps._tcp.example.test.", "warning"].startswith("publish: 0 1 ")
    assert found[f"TLSA _25._tcp.{NAME}.", "error"].startswith("publish: 3 1 1 ")
    assert f"allow {ADDRESS}" in found["SPF of example.test", "warning"]


def test_what_a_zone_lacks_is_told_by_what_it_costs(node: Node, capsys: pytest.CaptureFixture[str]) -> None:
    """A TLSA record nobody would believe in a zone that is not signed."""
    names = published(node, capsys)
    for name in [each for each in names if each.startswith("_")]:
        del names[name]
    file = node.directory / FILE
    with Nameserver(names) as nameserver:
        ask_at(node, nameserver)
        found = examined(node, capsys, 0)
        assert ("TXT _smtp._tls.example.test.", "warning") in found
        assert ("TXT _mta-sts.example.test.", "warning") in found
        assert ("SRV _imaps._tcp.example.test.", "warning") in found
        assert (f"TLSA _25._tcp.{NAME}.", "ok") in found
        assert not [about for about, _ in found if about.startswith("https:")]
        names["_pop3._tcp.example.test"] = {"SRV": [f"30 1 110 {NAME}."]}
        text = re.sub(r"\npop3 = \d+", "", file.read_text())
        file.write_text(text.replace('mta_sts = "testing"', 'mta_sts = "none"'))
        found = examined(node, capsys, 0)
        assert ("TXT _mta-sts.example.test.", "ok") in found
        advice = found["SRV _pop3._tcp.example.test.", "warning"]
        assert advice == "this node does not offer it; if nobody does, publish: 0 0 0 ."


def test_a_mistake_in_the_configuration_and_a_shard_that_does_not_open_are_errors(
    node: Node, capsys: pytest.CaptureFixture[str]
) -> None:
    with Nameserver({}) as nameserver:
        ask_at(node, nameserver)
        (node.directory / "shard" / "CURRENT").write_text("MANIFEST-999999\n")
        assert ("shard", "error") in examined(node, capsys, 1)
    file = node.directory / FILE
    file.write_text(file.read_text().replace("log_level", "loglevel"))
    assert list(examined(node, capsys, 1)) == [("configuration", "error")]


def test_status_says_what_the_node_does(node: Node, capsys: pytest.CaptureFixture[str]) -> None:
    at = ("--dir", str(node.directory))
    assert "running    no" in said(capsys, 0, "status", *at)
    node.start()
    try:
        deliver(node, b"counted")
        with socket.create_connection((HOST, node.port("imap"))) as open_session:
            assert open_session.recv(4) == b"* OK"
            answer = json.loads(said(capsys, 0, "status", *at, "--json"))
            table = said(capsys, 0, "status", *at)
    finally:
        node.stop()
    assert answer["running"] and answer["hostname"] == NAME and answer["messages_in"] == 1
    assert {"service": "imap", "open": 1} in answer["sessions"]
    assert answer["shard_octets"] > 0 and answer["disk_free_octets"] > 0 and answer["queue_items"] == 0
    assert re.search(r"^imap +1$", table, re.MULTILINE) and "1 came in" in table
