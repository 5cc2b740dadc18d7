"""A certificate authority as the world has them: a root that clients know, and an intermediate that signs."""

from __future__ import annotations

import datetime
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.wire.server import HOST

DAY = datetime.timedelta(days=1)
NOT_EXPIRED, EXPIRED = 30 * DAY, -DAY


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


class Authority:
    """`root` is the file that a client trusts."""

    def __init__(self, directory: Path) -> None:
        root_key, self._key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        root = _signed("Root", root_key, "Root", root_key, 60 * DAY, is_authority=True)
        self._intermediate = _signed("Intermediate", self._key, "Root", root_key, 60 * DAY, is_authority=True)
        self.root = directory / "root.pem"
        self.root.write_bytes(root.public_bytes(serialization.Encoding.PEM))

    def write(self, chain: Path, key: Path, ends: datetime.timedelta) -> None:
        """A new certificate for HOST that ends so long from now, with the intermediate behind it."""
        private = ec.generate_private_key(ec.SECP256R1())
        leaf = _signed("localhost", private, "Intermediate", self._key, ends, is_authority=False)
        chain.write_bytes(
            b"".join(each.public_bytes(serialization.Encoding.PEM) for each in (leaf, self._intermediate))
        )
        pem = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        key.write_bytes(private.private_bytes(*pem))


def _signed(
    subject: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: str,
    issuer_key: ec.EllipticCurvePrivateKey,
    ends: datetime.timedelta,
    *,
    is_authority: bool,
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    issued_by = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    usage = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only"),
        False,
    ) | {"decipher_only": False, "digital_signature": not is_authority}
    usage |= {"key_cert_sign": is_authority, "crl_sign": is_authority}
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 90 * DAY)
        .not_valid_after(now + ends)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(**usage), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(issued_by, critical=False)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HOST))]), critical=False
        )
        .sign(issuer_key, hashes.SHA256())
    )
