"""Domains come and go while a node serves, and are there after a restart; what the operator wrote stays."""

from __future__ import annotations

import smtplib
import subprocess
import sys
from pathlib import Path

from mailnode.config import FILE
from tests.node.test_node import HOST, node
from tests.wire.node import Node

__all__ = ["node"]


def type_in(node: Node, *words: str, typed: str = "") -> tuple[int, str]:
    """Exit status, and what was said."""
    command = [str(Path(sys.executable).with_name("mailnode")), *words, "--dir", str(node.directory)]
    done = subprocess.run(command, input=typed, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout + done.stderr


def answer_for(node: Node, recipient: str) -> int:
    with smtplib.SMTP(HOST, node.port("smtp")) as client:
        client.ehlo()
        client.mail("a@client.example")
        return client.rcpt(recipient)[0]


def test_a_domain_is_added_and_removed_while_the_node_serves(node: Node) -> None:
    file = node.directory / FILE
    file.write_text("# precious\n" + file.read_text())
    before = file.read_text()
    assert answer_for(node, "carol@second.test") == 550
    status, said = type_in(node, "domain", "add", "Second.test")
    assert (status, said.split()[:3]) == (0, ["second.test", "was", "added;"])
    assert (node.directory / "dkim" / "second.test.m1.pem").stat().st_mode & 0o777 == 0o600
    assert type_in(node, "domain", "add", "second.test")[0] == 1
    assert type_in(node, "account", "add", "carol@second.test", typed="secret\n")[0] == 0
    assert answer_for(node, "carol@second.test") == 250
    assert "m1._domainkey.second.test." in type_in(node, "dns", "second.test")[1]
    assert type_in(node, "domain", "set", "second.test", "separator=", "scram=false")[0] == 0
    assert answer_for(node, "carol+tag@second.test") == 550
    status, said = type_in(node, "domain", "set", "second.test", "min_insync=2")
    assert status == 1 and "min_insync: found 2, expected 0 or 1" in said
    assert type_in(node, "domain", "set", "example.test", "separator=")[0] == 1
    node.kill()
    node.start()
    assert answer_for(node, "carol@second.test") == 250
    assert answer_for(node, "carol+tag@second.test") == 550
    assert "scram = false" in type_in(node, "domain", "show", "second.test")[1]
    assert answer_for(node, "postmaster@second.test") == 250
    status, said = type_in(node, "domain", "remove", "second.test")
    assert status == 1 and "second.test has 1 accounts: carol@second.test" in said
    assert type_in(node, "domain", "remove", "second.test", "--keep-accounts")[0] == 0
    assert answer_for(node, "carol@second.test") == 550
    status, said = type_in(node, "domain", "remove", "example.test")
    assert status == 1 and f"example.test stands in {FILE}" in said
    assert file.read_text() == before
    assert type_in(node, "domain", "add", "second.test")[0] == 0
    assert answer_for(node, "carol@second.test") == 250


def test_while_the_file_has_a_mistake_no_domain_is_added(node: Node) -> None:
    file = node.directory / FILE
    text = file.read_text()
    file.write_text(text.replace("log_level", "loglevel"))
    status, said = type_in(node, "domain", "add", "third.test")
    assert status == 1 and "loglevel" in said
    assert not (node.directory / "domains.d" / "third.test.toml").exists()
    file.write_text(text)
