"""SCRAM-SHA-256 and SCRAM-SHA-256-PLUS, RFC 5802 with RFC 7677: the server's side, its keys, the messages."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from protocols.fault import Fault
from protocols.sasl.step import Challenge, KeysWanted, Proven, Step, decoded, encoded, text

HASH = "sha256"
ITERATIONS_MIN = 4096  # RFC 7677 §4


@dataclass(frozen=True, slots=True)
class Keys:
    """What a server keeps instead of a password, RFC 5802 §3."""

    salt: bytes
    iterations: int
    stored_key: bytes = field(repr=False)
    server_key: bytes = field(repr=False)


def keys(password: bytes, salt: bytes, iterations: int) -> Keys:
    """Of a password as prepared, in UTF-8. Slow by intent."""
    salted = salted_password(password, salt, iterations)
    stored_key = digest(client_key(salted))
    return Keys(salt, iterations, stored_key, server_key(salted))


def salted_password(password: bytes, salt: bytes, iterations: int) -> bytes:
    """SaltedPassword := Hi(Normalize(password), salt, i); Hi is PBKDF2, RFC 5802 §2.2."""
    return hashlib.pbkdf2_hmac(HASH, password, salt, iterations)


def client_key(salted: bytes) -> bytes:
    return signature(salted, b"Client Key")


def server_key(salted: bytes) -> bytes:
    return signature(salted, b"Server Key")


def signature(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, HASH)


def digest(octets: bytes) -> bytes:
    return hashlib.new(HASH, octets).digest()


def exclusive_or(one: bytes, other: bytes) -> bytes:
    """Of equal length; as numbers, since octet by octet takes ten times as long."""
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).to_bytes(len(one), "big")


class Server:
    """One exchange: client-first, keys, client-final, an empty response to server-final.

    `nonce` is the server's part: at least 18 random octets as printable ASCII without a comma. `bindings`:
    what the channel can be bound to, by its cb-name (RFC 5056); none where -PLUS is not offered.
    """

    __slots__ = ("_bindings", "_client_first", "_keys", "_nonce", "_proven", "_server_first", "_server_nonce")

    def __init__(self, nonce: bytes, bindings: Mapping[bytes, bytes]) -> None:
        self._server_nonce = nonce
        self._bindings = bindings
        self._nonce = b""
        self._client_first: ClientFirst | None = None
        self._keys: Sequence[Keys] = ()
        self._server_first = b""
        self._proven: int | None = None

    def start(self) -> Challenge:
        return Challenge(b"")

    def step(self, response: bytes) -> Step:
        try:
            return self._step(response)
        except Fault as fault:
            return fault

    def keys(self, found: Sequence[Keys]) -> Challenge:
        """The keys wanted: one for each password that the user may have, with the same salt and iterations.

        For a user who has none, as many made-up ones as others have, which look the same (RFC 5802 §9).
        """
        salt, iterations = encoded(found[0].salt), str(found[0].iterations).encode()
        self._keys = found
        self._server_first = b"r=%s,s=%s,i=%s" % (self._nonce, salt, iterations)
        return Challenge(self._server_first)

    def _step(self, response: bytes) -> Step:
        first = self._client_first
        if first is None:
            first = self._client_first = client_first(response)
            self._binding(first)
            self._nonce = first.nonce + self._server_nonce
            return KeysWanted(first.username)
        if self._proven is None:
            return self._final(first, response)
        if response:
            raise Fault("other-error", "Expected an empty response at the end")
        return Proven(first.authzid, first.username, self._proven)

    def _final(self, first: ClientFirst, response: bytes) -> Challenge:
        """Costs the same whichever keys it proves, and if it proves none."""
        if not self._keys:
            raise Fault("other-error", "The keys are not known yet")
        final = client_final(response)
        if final.channel_binding != first.gs2_header + self._binding(first):
            raise Fault("channel-bindings-dont-match", "The first message was tampered with")
        if final.nonce != self._nonce:
            raise Fault("other-error", "The nonce is not ours")
        message = b",".join((first.bare, self._server_first, final.without_proof))
        matching = [at for at, keys in enumerate(self._keys) if proves(final.proof, keys, message)]
        if not matching:
            raise Fault("invalid-proof", "The proof does not match")
        self._proven = matching[0]
        return Challenge(b"v=" + encoded(signature(self._keys[self._proven].server_key, message)))

    def _binding(self, first: ClientFirst) -> bytes:
        """What c= has behind the header; raises Fault. RFC 5802 §6: "y" is said by a client that was not told
        of -PLUS, though it is offered, so somebody between us took it out."""
        if first.flag == b"y" and self._bindings:
            raise Fault("server-does-support-channel-binding", "Channel binding was offered")
        if first.flag not in (b"n", b"y"):
            raise Fault("channel-binding-not-supported", "Channel binding is what -PLUS is for")
        return b""


class PlusServer(Server):
    """SCRAM-SHA-256-PLUS: the channel is the one that the client sees, or the proof is for another."""

    __slots__ = ()

    def _binding(self, first: ClientFirst) -> bytes:
        name = first.flag.removeprefix(b"p=")
        if name == first.flag:
            raise Fault("invalid-encoding", "Expected a channel binding")
        if name not in self._bindings:
            raise Fault("unsupported-channel-binding-type", "The channel cannot be bound like that")
        return self._bindings[name]


def proves(proof: bytes, keys: Keys, message: bytes) -> bool:
    """ClientKey := ClientProof XOR ClientSignature must be what StoredKey is the digest of, RFC 5802 §3."""
    if len(proof) != len(keys.stored_key):
        return False
    claimed = exclusive_or(proof, signature(keys.stored_key, message))
    return hmac.compare_digest(digest(claimed), keys.stored_key)


@dataclass(frozen=True, slots=True)
class ClientFirst:
    flag: bytes
    gs2_header: bytes
    authzid: str
    username: str
    nonce: bytes
    bare: bytes


@dataclass(frozen=True, slots=True)
class ClientFinal:
    channel_binding: bytes
    nonce: bytes
    proof: bytes
    without_proof: bytes


def client_first(message: bytes) -> ClientFirst:
    """client-first-message = gs2-header client-first-message-bare, RFC 5802 §7

    gs2-header = ("n" / "y" / "p=" cb-name) "," [ "a=" saslname ] ","
    client-first-message-bare = [reserved-mext ","] username "," nonce ["," extensions]
    """
    fields = message.split(b",")
    if len(fields) < 4:
        raise Fault("invalid-encoding", "Expected a client-first-message")
    flag, authzid, username, nonce = fields[:4]
    if flag not in (b"n", b"y") and not flag.startswith(b"p="):
        raise Fault("invalid-encoding", "Expected a gs2-header")
    return ClientFirst(
        flag,
        b"%s,%s," % (flag, authzid),
        saslname(attribute(b"a", authzid)) if authzid else "",
        saslname(attribute(b"n", username)),
        printable(attribute(b"r", nonce)),
        message[len(flag) + len(authzid) + 2 :],
    )


def client_final(message: bytes) -> ClientFinal:
    """channel-binding "," nonce ["," extensions] "," proof, RFC 5802 §7"""
    without_proof, _, proof = message.rpartition(b",")
    fields = without_proof.split(b",")
    if len(fields) < 2:
        raise Fault("invalid-encoding", "Expected a client-final-message")
    binding = base64(attribute(b"c", fields[0]))
    nonce = printable(attribute(b"r", fields[1]))
    return ClientFinal(binding, nonce, base64(attribute(b"p", proof)), without_proof)


def attribute(name: bytes, field: bytes) -> bytes:
    """The value of `name=value`; "m=" in its place is an extension that must be understood: it is not."""
    if not field.startswith(name + b"="):
        unsupported = field.startswith(b"m=")
        code = "extensions-not-supported" if unsupported else "invalid-encoding"
        raise Fault(code, f"Expected attribute {name.decode()}")
    return field[2:]


def saslname(octets: bytes) -> str:
    """ "," and "=" are written as =2C and =3D, RFC 5802 §5.1"""
    for escape in octets.split(b"=")[1:]:
        if not escape.startswith((b"2C", b"3D")):
            raise Fault("invalid-username-encoding", "Expected =2C or =3D")
    return text(octets.replace(b"=2C", b",").replace(b"=3D", b"="))


def printable(octets: bytes) -> bytes:
    """%x21-2B / %x2D-7E"""
    if not octets or not all(0x21 <= octet <= 0x7E for octet in octets):
        raise Fault("invalid-encoding", "The nonce is not printable")
    return octets


def base64(octets: bytes) -> bytes:
    value = decoded(octets)
    if value is None:
        raise Fault("invalid-encoding", "Expected base64")
    return value
