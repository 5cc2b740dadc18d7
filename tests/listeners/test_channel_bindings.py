"""What a connection can be bound to is what its client sees (RFC 9266, RFC 5929)."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from OpenSSL import SSL

from mailnode.listeners.tls import Certificate, channel_bindings

NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mx.example.test")])


def signed(directory: Path, key: Any, algorithm: Any) -> Certificate:
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(NAME, NAME, key.public_key(), 1, now, now + timedelta(days=1))
    chain, secret = directory / "cert.pem", directory / "key.pem"
    chain.write_bytes(builder.sign(key, algorithm).public_bytes(serialization.Encoding.PEM))
    pem = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    secret.write_bytes(key.private_bytes(*pem))
    return Certificate(chain, secret)


def handshaken(certificate: Certificate) -> tuple[SSL.Connection, SSL.Connection]:
    """The server's end and the client's, over memory."""
    server = certificate.serverConnectionForTLS(None)
    client = SSL.Connection(SSL.Context(SSL.TLS_CLIENT_METHOD), None)
    server.set_accept_state()
    client.set_connect_state()
    for _ in range(4):
        for end, other in ((client, server), (server, client)):
            with contextlib.suppress(SSL.WantReadError):
                end.do_handshake()
            with contextlib.suppress(SSL.WantReadError):
                other.bio_write(end.bio_read(65536))
    return server, client


@pytest.mark.parametrize("digest", [hashes.SHA256(), hashes.SHA384()], ids=["sha256", "sha384"])
def test_both_ends_see_the_same(tmp_path: Path, digest: Any) -> None:
    server, client = handshaken(signed(tmp_path, ec.generate_private_key(ec.SECP256R1()), digest))
    peer = client.get_peer_certificate(as_cryptography=True)
    assert channel_bindings(server) == {
        b"tls-exporter": client.export_keying_material(b"EXPORTER-Channel-Binding", 32, b""),
        b"tls-server-end-point": peer.fingerprint(digest),
    }


class Broken:
    """A certificate that nobody signs any more: by SHA-1."""

    signature_hash_algorithm = hashes.SHA1()

    def to_cryptography(self) -> Broken:
        return self

    def fingerprint(self, algorithm: hashes.HashAlgorithm) -> bytes:
        return algorithm.name.encode()


class Presenting:
    def get_certificate(self) -> Broken:
        return Broken()

    def export_keying_material(self, label: bytes, octets: int, context: bytes) -> bytes:
        return label


def test_a_certificate_of_a_broken_hash_is_taken_by_sha256() -> None:
    presenting: Any = Presenting()
    assert channel_bindings(presenting)[b"tls-server-end-point"] == b"sha256"


def test_a_certificate_without_a_hash_is_no_end_point(tmp_path: Path) -> None:
    server, _ = handshaken(signed(tmp_path, ed25519.Ed25519PrivateKey.generate(), None))
    assert set(channel_bindings(server)) == {b"tls-exporter"}


def test_each_connection_is_bound_by_itself(tmp_path: Path) -> None:
    certificate = signed(tmp_path, ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    one, other = (channel_bindings(handshaken(certificate)[0]) for _ in range(2))
    assert one[b"tls-exporter"] != other[b"tls-exporter"]
    assert one[b"tls-server-end-point"] == other[b"tls-server-end-point"]
