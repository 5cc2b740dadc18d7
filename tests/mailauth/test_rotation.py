"""A key's life: it waits for the DNS, signs, retires and is revoked; whatever stands beside it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from mailnode.cli import main
from mailnode.config import Config, load
from mailnode.limits import Limits
from mailnode.mailauth.keyfiles import KeyFiles
from mailnode.mailauth.keyring import DAY_SECONDS, RETIRED_SECONDS, REVOKED, KeysError
from mailnode.mailauth.resolver import Resolver
from mailnode.mailauth.rotation import Rotation
from mailnode.mailauth.signer import Key
from tests.mailauth.test_resolver import Still
from tests.mailauth.verifying import quoted
from tests.mailauth.zone import FAILS, Zone

NAME = "here.test"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    made = tmp_path / "node"
    words = ["init", str(made), "--domain", NAME, "--account", f"a@{NAME}:secret-of-a"]
    assert main(words) == 0
    return load(made)


class Site:
    """A node's rotation, its clock and the zone that its owner publishes."""

    def __init__(self, config: Config, days: int = 0) -> None:
        self.domain = replace(config.domains[0], dkim_rotate_days=days)
        self.ring = KeyFiles(config).of(self.domain)
        self.signing: dict[str, tuple[Key, ...]] = {}
        self.clock, self.zone = Still(), Zone({})
        self.clock.seconds = self.ring.all()[0].since + 10
        resolver = Resolver(self.zone, self.clock, Limits())
        self.rotation = Rotation(KeyFiles(config), {NAME: self.domain}, self.signing, resolver, self.clock)  # type: ignore[arg-type]

    def look(self, seconds: int = 2 * DAY_SECONDS) -> list[tuple[str, str]]:
        self.clock.seconds += seconds
        asyncio.run(self.rotation.look())
        return [(held.selector, str(held.state)) for held in self.ring.all()]

    def publish(self) -> None:
        records = {f"{selector}._domainkey.{NAME}": text for selector, text in self.ring.records()}
        self.zone.names = {name: {"TXT": [quoted(text)]} for name, text in records.items()}

    @property
    def selectors(self) -> list[str]:
        return [key.selector for key in self.signing[NAME]]


def test_a_key_signs_once_it_is_seen_and_the_old_one_is_revoked_in_time(config: Config) -> None:
    site = Site(config)
    assert (site.look(), site.selectors) == ([("m1", "signing")], ["m1"])
    assert main(["dkim", "rotate", NAME, "--dir", str(config.directory)]) == 0
    assert (site.look(), site.selectors) == ([("m1", "signing"), ("m2", "waiting")], ["m1"])
    site.publish()
    assert (site.look(), site.selectors) == ([("m1", "retired"), ("m2", "signing")], ["m2"])
    assert site.look(RETIRED_SECONDS - 1) == [("m1", "retired"), ("m2", "signing")]
    assert site.look(1) == [("m1", "revoked"), ("m2", "signing")]
    assert dict(site.ring.records())["m1"] == REVOKED
    assert [path.name for path in (config.directory / "dkim").glob("*.pem")] == [f"{NAME}.m2.pem"]


def test_a_key_of_another_kind_signs_beside_the_first(config: Config) -> None:
    site = Site(config)
    assert main(["dkim", "generate", NAME, "--kind", "ed25519", "--dir", str(config.directory)]) == 0
    site.publish()
    site.look()
    assert [key.algorithm for key in site.signing[NAME]] == ["rsa-sha256", "ed25519-sha256"]


def test_an_old_key_has_one_follower_by_itself(config: Config) -> None:
    site = Site(config, days=90)
    assert site.look(89 * DAY_SECONDS) == [("m1", "signing")]
    assert site.look() == [("m1", "signing"), ("m2", "waiting")]
    assert site.look() == [("m1", "signing"), ("m2", "waiting")]


def test_another_key_under_the_name_or_a_silent_dns_changes_nothing(config: Config) -> None:
    site = Site(config)
    asyncio.run(site.ring.generate("rsa", 0))
    name = f"m2._domainkey.{NAME}"
    for records in (FAILS, ['"v=DKIM1; k=rsa; p=AAAA"']):
        site.zone.names = {name: {"TXT": records}}
        assert site.look() == [("m1", "signing"), ("m2", "waiting")]


def test_what_is_revoked_by_hand_signs_no_more(config: Config, capsys: pytest.CaptureFixture[str]) -> None:
    site = Site(config)
    site.look()
    capsys.readouterr()
    assert main(["dkim", "revoke", NAME, "m1", "--dir", str(config.directory)]) == 0
    assert capsys.readouterr().out == f'm1._domainkey.{NAME}.\tIN\tTXT\t"v=DKIM1; p="\n'
    assert site.look() == [("m1", "revoked")]
    assert site.signing[NAME] == ()
    assert main(["dkim", "revoke", NAME, "m9", "--dir", str(config.directory)]) == 1
    assert "'m9' is no key of here.test: m1" in capsys.readouterr().err


def test_keys_are_listed_and_records_printed(config: Config, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    for words in (["list", NAME], ["list", NAME, "--json"], ["publish", NAME], ["publish", NAME, "--json"]):
        assert main(["dkim", *words, "--dir", str(config.directory)]) == 0
        assert "m1" in capsys.readouterr().out
    assert main(["dkim", "list", "other.test", "--dir", str(config.directory)]) == 1


def test_private_keys_are_their_owners_alone_and_a_broken_list_is_told(config: Config) -> None:
    ring = KeyFiles(config).of(config.domains[0])
    asyncio.run(ring.generate("ed25519", 0))
    for path in (config.directory / "dkim").glob("*.pem"):
        assert path.stat().st_mode & 0o777 == 0o600
    (config.directory / "dkim" / f"{NAME}.json").write_text('[{"selector": 1}]')
    with pytest.raises(KeysError, match="is no list of keys"):
        ring.all()
    resolver = Resolver(Zone({}), Still(), Limits())
    site = Rotation(KeyFiles(config), {NAME: config.domains[0]}, {}, resolver, Still())
    asyncio.run(site.look())
