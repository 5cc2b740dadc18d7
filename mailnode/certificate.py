"""The node's certificate: whether it can be used, and one that the node makes for itself.

The latter serves until its owner has one from an authority.
"""

import datetime
import ipaddress
import os
import ssl
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from mailnode.clock import Clock
from mailnode.config import ConfigError

DAYS = 825  # the longest that all common clients accept of a certificate their user trusts
SKEW = datetime.timedelta(days=1)  # a client's clock may be behind


def check(chain: Path, key: Path, password: str) -> None:
    """Raises ConfigError when these files are not a certificate chain and its key, in PEM.

    `password`: of a key that is encrypted.
    """
    for path in (chain, key):
        if not path.is_file():
            raise ConfigError(f"{path}: there is none; [tls] names a certificate chain and its key, in PEM")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(chain, key, password=password)
    except (OSError, ValueError) as error:  # SSLError is an OSError; an encrypted key is a ValueError
        raise ConfigError(f"{chain}, {key}: no certificate chain and its key, in PEM: {error}") from None


def write_self_signed(chain: Path, key: Path, names: Sequence[str], clock: Clock) -> None:
    """Make key and certificate for these host names and for this machine; PEM, the key for its owner only."""
    private = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.fromtimestamp(clock.now_microseconds() / 1e6, datetime.UTC)
    certificate = _certificate(private, names, now)
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with open(os.open(key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(pem)
    chain.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def _certificate(
    private: ec.EllipticCurvePrivateKey, names: Sequence[str], now: datetime.datetime
) -> x509.Certificate:
    subject = x509.Name(
        [x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])]
    )  # RFC 5280 §A.1: ub-common-name
    hosts = [x509.DNSName(name) for name in (*names, "localhost")]
    addresses = [x509.IPAddress(ipaddress.ip_address(text)) for text in ("127.0.0.1", "::1")]
    public = private.public_key()
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SKEW)
        .not_valid_after(now + datetime.timedelta(days=DAYS) - SKEW)
        .add_extension(x509.SubjectAlternativeName([*hosts, *addresses]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .sign(private, hashes.SHA256())
    )


def key_digest(chain: Path) -> str:
    """SHA-256 of its SubjectPublicKeyInfo in hex, for a record of RFC 6698 §2.1; empty: there is none."""
    try:
        public = x509.load_pem_x509_certificates(chain.read_bytes())[0].public_key()
    except (OSError, ValueError):
        return ""
    octets = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return sha256(octets).hexdigest()
