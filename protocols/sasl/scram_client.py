"""SCRAM-SHA-256, the client's side: proves the password and has the server prove that it knew it."""

from __future__ import annotations

import hmac

from protocols.fault import Fault
from protocols.sasl.scram import (
    ITERATIONS_MIN,
    attribute,
    base64,
    client_key,
    digest,
    exclusive_or,
    printable,
    salted_password,
    server_key,
    signature,
)
from protocols.sasl.step import encoded

GS2_HEADER = b"n,,"  # no channel binding, nobody else to act as


class Client:
    """`nonce` as for `scram.Server`. More iterations than `iterations_max` are refused: they are our work."""

    __slots__ = ("_bare", "_iterations_max", "_nonce", "_password", "_steps", "_verifier", "is_mutual")

    def __init__(self, authcid: str, password: str, nonce: bytes, iterations_max: int) -> None:
        name = authcid.replace("=", "=3D").replace(",", "=2C").encode()
        self._bare = b"n=%s,r=%s" % (name, nonce)
        self._password = password.encode()
        self._nonce = nonce
        self._iterations_max = iterations_max
        self._verifier = b""
        self._steps = 0
        self.is_mutual = False  # the server has proved itself; before that its "yes" is worth nothing

    def initial(self) -> bytes:
        return GS2_HEADER + self._bare

    def step(self, challenge: bytes) -> bytes:
        """An empty challenge before server-first asks for the initial response; raises Fault."""
        self._steps += bool(challenge)
        if not self._steps:
            return self.initial()
        if self._steps == 1:
            return self._final(challenge)
        if self._steps > 2 or not hmac.compare_digest(base64(attribute(b"v", challenge)), self._verifier):
            raise Fault("other-error", "The server does not know the password")
        self.is_mutual = True
        return b""

    def _final(self, server_first: bytes) -> bytes:
        """nonce "," salt "," iteration-count; ClientProof := ClientKey XOR ClientSignature: RFC 5802 §3"""
        fields = server_first.split(b",")
        if len(fields) < 3:
            raise Fault("invalid-encoding", "Expected a server-first-message")
        nonce = printable(attribute(b"r", fields[0]))
        if not nonce.startswith(self._nonce) or nonce == self._nonce:
            raise Fault("other-error", "The nonce does not continue ours")
        salt = base64(attribute(b"s", fields[1]))
        salted = salted_password(self._password, salt, self._iterations(attribute(b"i", fields[2])))
        without_proof = b"c=%s,r=%s" % (encoded(GS2_HEADER), nonce)
        message = b",".join((self._bare, server_first, without_proof))
        key = client_key(salted)
        proof = exclusive_or(key, signature(digest(key), message))
        self._verifier = signature(server_key(salted), message)
        return without_proof + b",p=" + encoded(proof)

    def _iterations(self, text: bytes) -> int:
        if not text.isdigit() or len(text) > 10:
            raise Fault("invalid-encoding", "Expected an iteration count")
        iterations = int(text)
        if not ITERATIONS_MIN <= iterations <= self._iterations_max:
            raise Fault("other-error", f"{iterations} iterations are too few or too many")
        return iterations
