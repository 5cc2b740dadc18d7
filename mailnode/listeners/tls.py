"""Certificates and the OpenSSL contexts made of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from OpenSSL import SSL
from twisted.internet import interfaces
from zope.interface import implementer

# TLS 1.2 with forward secrecy and AEAD only (RFC 9325 §4.2); the suites of TLS 1.3 are all fine.
CIPHERS = b"ECDHE+AESGCM:ECDHE+CHACHA20"
RELEASE_BUFFERS = 0x10  # SSL_MODE_RELEASE_BUFFERS: an idle connection keeps no 34 KiB of record buffers


@implementer(interfaces.IOpenSSLServerConnectionCreator)
class Certificate:
    """A certificate chain and its key, from PEM files; `reload` takes what is in the files now.

    Twisted asks it for each connection; those that have begun keep what they have.
    """

    __slots__ = ("_chain", "_context", "_key")

    def __init__(self, chain: Path, key: Path) -> None:
        self._chain = chain
        self._key = key
        self._context = _context(chain, key)

    def serverConnectionForTLS(self, tlsProtocol: Any) -> SSL.Connection:
        return SSL.Connection(self._context, None)

    def reload(self) -> None:
        """Raises OpenSSL.SSL.Error and changes nothing when the files are not a matching pair."""
        self._context = _context(self._chain, self._key)


def _context(chain: Path, key: Path) -> SSL.Context:
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_cipher_list(CIPHERS)
    context.set_options(
        SSL.OP_NO_COMPRESSION | SSL.OP_NO_RENEGOTIATION | SSL.OP_CIPHER_SERVER_PREFERENCE | SSL.OP_NO_TICKET
    )
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_mode(RELEASE_BUFFERS)
    context.use_certificate_chain_file(str(chain))
    context.use_privatekey_file(str(key))
    context.check_privatekey()
    return context
