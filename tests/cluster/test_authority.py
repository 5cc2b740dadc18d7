"""Certificates of nodes, as files and as values; test_peers has them over real sockets."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from mailnode.cluster.authority import (
    DAYS,
    RENEWED_BEFORE,
    Files,
    credentials_in,
    digest_of,
    ends,
    key_of,
    key_pem,
    new_authority,
    new_key,
    now,
    pem_of,
)
from mailnode.table import ConfigError
from tests.cluster.by_hand import HandClock

CLOCK = HandClock()


def files(folder: Path) -> Files:
    """Of node1."""
    made = Files(folder)
    authority, key = new_authority(b"id", CLOCK), new_key()
    made.authority.write_bytes(pem_of(authority.certificate))
    made.key.write_bytes(key_pem(key))
    made.certificate.write_bytes(pem_of(authority.issue("node1", key.public_key(), CLOCK)))
    return made


def test_a_certificate_names_its_node_alone_for_both_ends_of_a_connection_and_a_year() -> None:
    authority, key = new_authority(b"id", CLOCK), new_key()
    made = authority.issue("node1", key.public_key(), CLOCK)
    extensions = made.extensions
    names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert list(names) == [x509.DNSName("node1")]
    uses = set(extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    assert uses == {x509.ExtendedKeyUsageOID.SERVER_AUTH, x509.ExtendedKeyUsageOID.CLIENT_AUTH}
    assert not extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert made.not_valid_after_utc == (now(CLOCK) + timedelta(days=DAYS)).replace(microsecond=0)
    assert made.not_valid_before_utc < now(CLOCK)
    assert timedelta(days=DAYS) / 2 > RENEWED_BEFORE
    made.verify_directly_issued_by(authority.certificate)
    with pytest.raises(InvalidSignature):
        made.verify_directly_issued_by(new_authority(b"id", CLOCK).certificate)


def test_an_authority_signs_nodes_and_no_other_authorities_and_outlives_them() -> None:
    made = new_authority(b"id", CLOCK)
    constraints = made.certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    assert constraints.value == x509.BasicConstraints(ca=True, path_length=0) and constraints.critical
    assert made.certificate.not_valid_after_utc - now(CLOCK) > 20 * timedelta(days=DAYS)
    assert b"id".hex() in made.certificate.subject.rfc4514_string()
    assert "key" not in repr(made)


def test_a_name_longer_than_a_common_name_may_be_is_whole_where_it_counts() -> None:
    name = ".".join(["n" * 60] * 3)
    made = new_authority(b"id", CLOCK).issue(name, new_key().public_key(), CLOCK)
    assert list(made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value) == [
        x509.DNSName(name)
    ]


def test_a_renewed_certificate_keeps_the_key_by_which_the_node_is_known(tmp_path: Path) -> None:
    authority, key = new_authority(b"id", CLOCK), new_key()
    first = authority.issue("node1", key.public_key(), CLOCK)
    later = HandClock(CLOCK.microseconds + 300 * 86_400_000_000)
    second = authority.issue("node1", key_of(key_pem(key)).public_key(), later)
    assert second.public_key() == first.public_key() and second.serial_number != first.serial_number
    assert second.not_valid_after_utc - first.not_valid_after_utc == timedelta(days=300)
    assert digest_of(key.public_key()) != digest_of(new_key().public_key())
    (tmp_path / "node.pem").write_bytes(pem_of(second))
    assert ends(Files(tmp_path)) == second.not_valid_after_utc


@pytest.mark.parametrize("broken", ["node.pem", "node-key.pem", "authority.pem"])
def test_a_file_that_is_missing_or_no_pem_is_named(tmp_path: Path, broken: str) -> None:
    made = files(tmp_path)
    credentials_in(made)
    (tmp_path / broken).unlink()
    with pytest.raises(ConfigError, match=broken):
        credentials_in(made)
    (tmp_path / broken).write_bytes(b"none")
    with pytest.raises(ConfigError, match=r"expected node\.pem"):
        credentials_in(made)


def test_what_belongs_to_another_certificate_is_refused(tmp_path: Path) -> None:
    made = files(tmp_path)
    made.authority.write_bytes(pem_of(new_authority(b"id", CLOCK).certificate))
    with pytest.raises(ConfigError, match=r"node\.pem is not signed by authority\.pem"):
        credentials_in(made)
    made.key.write_bytes(key_pem(new_key()))
    with pytest.raises(ConfigError, match=r"node\.pem is not of node-key\.pem"):
        credentials_in(made)
    other = ed25519.Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with pytest.raises(ValueError, match="elliptic curve"):
        key_of(other)
