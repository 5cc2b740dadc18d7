"""The cluster's own authority: it says who is a node of the cluster, by certificates that name the node.

Every node holds the cluster's secret, which opens the authority's key where etcd keeps it (admission.py), so
a node signs its own certificate, and anew before it ends: no machine is needed to which that key belongs.

Invariants: a node's certificate has the node's name as its one DNS name; both ends of a connection show one;
a renewed certificate keeps the node's key, which is its claim to the name.
"""

from __future__ import annotations

import datetime
import logging
import os
from dataclasses import dataclass, field
from pathlib import Path

import grpc
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from mailnode.clock import Clock
from mailnode.cluster.secret import Secret
from mailnode.config import Config
from mailnode.durable import sync
from mailnode.table import ConfigError

log = logging.getLogger(__name__)

FOLDER = "cluster"
"""Of a node's directory: what it is in its cluster by."""
DAYS = 365  # of a node's certificate
RENEWED_BEFORE = datetime.timedelta(days=120)  # a third: months in which renewing may fail
EXPIRES_SOON = datetime.timedelta(days=30)  # then an operator hears of it
_AUTHORITY_DAYS = 30 * 365  # longer than a cluster lives
_SKEW = datetime.timedelta(days=1)  # a node's clock may be behind
_COMMON_NAME_OCTETS_MAX = 64  # RFC 5280 §A.1: ub-common-name


@dataclass(frozen=True, slots=True)
class Files:
    """In FOLDER; all for their owner alone."""

    folder: Path

    @property
    def authority(self) -> Path:
        return self.folder / "authority.pem"

    @property
    def certificate(self) -> Path:
        return self.folder / "node.pem"

    @property
    def key(self) -> Path:
        return self.folder / "node-key.pem"

    @property
    def secret(self) -> Path:
        """Of the whole cluster."""
        return self.folder / "secret"


def files_of(config: Config) -> Files:
    return Files(config.directory / FOLDER)


@dataclass(frozen=True, slots=True)
class Authority:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey = field(repr=False)

    def issue(self, name: str, key: ec.EllipticCurvePublicKey, clock: Clock) -> x509.Certificate:
        """For both ends of a connection, as the node `name`."""
        uses = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        builder = _builder(_subject(name), self.certificate.subject, key, clock, DAYS)
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage(uses), critical=False)
        own = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        return builder.add_extension(own, critical=False).sign(self.key, hashes.SHA256())


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def new_authority(cluster: bytes, clock: Clock) -> Authority:
    """Of the cluster with this id."""
    key, subject = new_key(), _subject(f"mailnode cluster {cluster.hex()}")
    builder = _builder(subject, subject, key.public_key(), clock, _AUTHORITY_DAYS)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    return Authority(builder.sign(key, hashes.SHA256()), key)


def write(
    files: Files,
    secret: Secret,
    authority: Authority,
    key: ec.EllipticCurvePrivateKey,
    node: x509.Certificate,
) -> None:
    """Make the folder, durable, with a node's certificate of that key last. Raises OSError."""
    files.folder.mkdir(0o700)
    for path, octets in (
        (files.secret, secret.octets),
        (files.authority, pem_of(authority.certificate)),
        (files.key, key_pem(key)),
        (files.certificate, pem_of(node)),
    ):
        with open(path, "xb", opener=_private) as file:
            file.write(octets)
            file.flush()
            os.fsync(file.fileno())
    sync(files.folder)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def name_in(files: Files) -> str:
    """Of the node whose certificate it is. Raises OSError and ValueError."""
    certificate = x509.load_pem_x509_certificate(files.certificate.read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    (name,) = names.get_values_for_type(x509.DNSName)
    return name


def pem_of(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def key_of(pem: bytes) -> ec.EllipticCurvePrivateKey:
    """Raises ValueError."""
    key = serialization.load_pem_private_key(pem, None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError("no key of an elliptic curve")
    return key


def digest_of(key: ec.EllipticCurvePublicKey) -> bytes:
    """SHA-256 of its SubjectPublicKeyInfo."""
    digest = hashes.Hash(hashes.SHA256())
    digest.update(
        key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    return digest.finalize()


def ends(files: Files) -> datetime.datetime:
    """When the node's certificate does. Raises OSError and ValueError."""
    return x509.load_pem_x509_certificate(files.certificate.read_bytes()).not_valid_after_utc


def now(clock: Clock) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(clock.now_microseconds() / 1e6, datetime.UTC)


def secret_of(config: Config) -> Secret | None:
    """The cluster's; None: the node is in none. Raises ConfigError."""
    file = files_of(config).secret
    try:
        return Secret(file.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise ConfigError(f"{file}: not the cluster's secret: {error}: `mailnode cluster join`") from None


def credentials(config: Config) -> tuple[grpc.ServerCredentials, grpc.ChannelCredentials] | None:
    """None: there is no certificate, and only unix sockets are spoken at. Raises ConfigError."""
    files = files_of(config)
    return credentials_in(files) if files.certificate.exists() else None


def credentials_in(files: Files) -> tuple[grpc.ServerCredentials, grpc.ChannelCredentials]:
    """The server shows a renewed certificate from its next connection on, a channel what it was made with.

    Raises ConfigError.
    """
    try:
        shown = _Shown(files)
        own = files.key.read_bytes(), files.certificate.read_bytes()
        channel = grpc.ssl_channel_credentials(files.authority.read_bytes(), *own)
    except (OSError, ValueError) as error:
        right = "node.pem, node-key.pem and authority.pem: `mailnode cluster join` makes them"
        raise ConfigError(f"{files.folder}: {error}, expected {right}") from None
    return grpc.dynamic_ssl_server_credentials(shown.first, shown.now, True), channel


class _Shown:
    """What a server shows, read anew where the file is another one."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._read_at = 0
        self.first = self._last = self._read()

    def now(self) -> grpc.ServerCertificateConfiguration:
        """From a thread of gRPC."""
        try:
            if self._files.certificate.stat().st_mtime_ns != self._read_at:
                self._last = self._read()
        except (OSError, ValueError) as error:
            log.warning("the node's certificate cannot be read anew", extra={"reason": error})
        return self._last

    def _read(self) -> grpc.ServerCertificateConfiguration:
        files = self._files
        self._read_at = files.certificate.stat().st_mtime_ns
        key, certificate = files.key.read_bytes(), files.certificate.read_bytes()
        authority = files.authority.read_bytes()
        _check(key_of(key), x509.load_pem_x509_certificate(certificate), authority)
        return grpc.ssl_server_certificate_configuration([(key, certificate)], authority)


def _check(key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate, authority: bytes) -> None:
    """Raises ValueError."""
    if key.public_key() != certificate.public_key():
        raise ValueError("node.pem is not of node-key.pem")
    try:
        certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(authority))
    except InvalidSignature:
        raise ValueError("node.pem is not signed by authority.pem") from None


def _subject(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:_COMMON_NAME_OCTETS_MAX])])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, clock: Clock, days: int
) -> x509.CertificateBuilder:
    begins = now(clock)
    own = x509.SubjectKeyIdentifier.from_public_key(key)
    return (
        x509.CertificateBuilder(issuer, subject, key, x509.random_serial_number())
        .not_valid_before(begins - _SKEW)
        .not_valid_after(begins + datetime.timedelta(days=days))
        .add_extension(own, critical=False)
    )
