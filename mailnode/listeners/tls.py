"""Certificates and the OpenSSL contexts made of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from OpenSSL import SSL
from twisted.internet import interfaces
from zope.interface import implementer

# TLS 1.2 with forward secrecy and AEAD only (RFC 9325 §4.2); the suites of TLS 1.3 are all fine.
CIPHERS = b"ECDHE+AESGCM:ECDHE+CHACHA20"
RELEASE_BUFFERS = 0x10  # SSL_MODE_RELEASE_BUFFERS: an idle connection keeps no 34 KiB of record buffers

BOUND_VERSION = "TLSv1.3"
"""In TLS 1.2 tls-exporter needs the extended master secret (RFC 9266 §3), which the library does not tell."""
EXPORTER = b"EXPORTER-Channel-Binding", 32, b""  # RFC 9266 §2: label, octets, context


@implementer(interfaces.IOpenSSLServerConnectionCreator)
class Certificate:
    """A certificate chain and its key, from PEM files; `reload` takes what is in the files now.

    Twisted asks it for each connection; those that have begun keep what they have.
    """

    __slots__ = ("_chain", "_context", "_key")

    def __init__(self, chain: Path, key: Path, password: str = "") -> None:
        """`password`: of a key that is encrypted."""
        self._chain = chain
        self._key = key
        self._context = _context(chain, key, password)

    def serverConnectionForTLS(self, tlsProtocol: Any) -> SSL.Connection:
        return SSL.Connection(self._context, None)

    def reload(self, password: str = "") -> None:
        """Raises SSL.Error or ValueError, and changes nothing, when the files are no matching pair."""
        self._context = _context(self._chain, self._key, password)


def channel_bindings(connection: SSL.Connection) -> dict[bytes, bytes]:
    """Of BOUND_VERSION: what both ends of the channel see alike, and nobody between them, by cb-name."""
    bindings = {b"tls-exporter": connection.export_keying_material(*EXPORTER)}
    certificate = connection.get_certificate()
    if certificate is not None and (end_point := _end_point(certificate.to_cryptography())):
        bindings[b"tls-server-end-point"] = end_point
    return bindings


def _end_point(certificate: x509.Certificate) -> bytes:
    """RFC 5929 §4.1: by the hash of its signature, but SHA-256 for the broken ones; empty: it has none."""
    algorithm = certificate.signature_hash_algorithm
    if algorithm is None:
        return b""
    if isinstance(algorithm, hashes.MD5 | hashes.SHA1):
        algorithm = hashes.SHA256()
    return certificate.fingerprint(algorithm)


def _context(chain: Path, key: Path, password: str) -> SSL.Context:
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_cipher_list(CIPHERS)
    context.set_options(
        SSL.OP_NO_COMPRESSION | SSL.OP_NO_RENEGOTIATION | SSL.OP_CIPHER_SERVER_PREFERENCE | SSL.OP_NO_TICKET
    )
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_mode(RELEASE_BUFFERS)
    context.use_certificate_chain_file(str(chain))
    private: Any = load_pem_private_key(key.read_bytes(), password.encode() or None)
    context.use_privatekey(private)
    context.check_privatekey()
    return context
