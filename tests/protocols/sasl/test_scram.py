import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.fault import Fault
from protocols.sasl import scram
from protocols.sasl.scram_client import Client
from protocols.sasl.step import Challenge, KeysWanted, Proven, Step, decoded, encoded

VECTORS = Path(__file__).parents[4] / "shared" / "vectors" / "sasl" / "scram.json"
SALT = b"salt of the test"
KEYS = scram.keys(b"pencil", SALT, 4096)

# RFC 7677 §3
CLIENT_FIRST = b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
SERVER_FIRST = b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
CLIENT_FINAL = (
    b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
    b"p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
)
SERVER_FINAL = b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
SERVER_NONCE = b"%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"


def rfc_keys() -> scram.Keys:
    salt = decoded(b"W22ZaJ0SNY7soEsUEjb6gQ==")
    assert salt is not None
    return scram.keys(b"pencil", salt, 4096)


def test_the_exchange_of_rfc_7677_goes_as_printed() -> None:
    server = scram.Server(SERVER_NONCE, {})
    client = Client("user", "pencil", b"rOprNGfwEbeRWgbNEkqO", 10_000)
    assert server.start() == Challenge(b"")
    assert client.step(b"") == CLIENT_FIRST
    assert server.step(CLIENT_FIRST) == KeysWanted("user")
    assert server.keys([rfc_keys()]) == Challenge(SERVER_FIRST)
    assert client.step(SERVER_FIRST) == CLIENT_FINAL
    assert server.step(CLIENT_FINAL) == Challenge(SERVER_FINAL)
    assert not client.is_mutual
    assert client.step(SERVER_FINAL) == b""
    assert client.is_mutual
    assert server.step(b"") == Proven("", "user", 0)


def test_keys_are_those_of_the_vectors() -> None:
    if not VECTORS.exists():
        pytest.skip("the shared vectors are not here")
    for vector in json.loads(VECTORS.read_text()):
        if vector["mechanism"] == "SCRAM-SHA-256":
            salt = decoded(vector["salt_b64"].encode()) or b""
            keys = scram.keys(vector["password_saslprep"].encode(), salt, vector["iterations"])
            assert keys.stored_key == decoded(vector["stored_key_b64"].encode())
            assert keys.server_key == decoded(vector["server_key_b64"].encode())


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (b"", "invalid-encoding"),
        (b"n,,n=user", "invalid-encoding"),
        (b"n,,r=nonce,n=user", "invalid-encoding"),
        (b"x,,n=user,r=nonce", "invalid-encoding"),
        (b"p=tls-unique,,n=user,r=nonce", "channel-binding-not-supported"),
        (b"n,,m=ext,n=user,r=nonce", "extensions-not-supported"),
        (b"n,,n=us=2Der,r=nonce", "invalid-username-encoding"),
        (b"n,,n=us=,r=nonce", "invalid-username-encoding"),
        (b"n,,n=,r=nonce", "invalid-encoding"),
        (b"n,,n=\xff,r=nonce", "invalid-encoding"),
        (b"n,,n=a\0b,r=nonce", "invalid-encoding"),
        (b"n,,n=user,r=", "invalid-encoding"),
        (b"n,,n=user,r=no nce", "invalid-encoding"),
        (b"n,b=x,n=user,r=nonce", "invalid-encoding"),
    ],
)
def test_a_wrong_first_message_is_a_fault(message: bytes, code: str) -> None:
    fault = scram.Server(b"nonce", {}).step(message)
    assert isinstance(fault, Fault)
    assert fault.code == code


@pytest.mark.parametrize(
    ("first", "final", "code"),
    [
        (b"n,,", b"c=biws,r=cs,p=AAAA", "invalid-proof"),
        (b"n,,", b"c=eSws,r=cs,p=AAAA", "channel-bindings-dont-match"),
        (b"y,,", b"c=biws,r=cs,p=AAAA", "channel-bindings-dont-match"),
        (b"n,,", b"c=biws,r=cx,p=AAAA", "other-error"),
        (b"n,,", b"c=biws,r=cs,p=A", "invalid-encoding"),
        (b"n,,", b"c=biws,r=cs", "invalid-encoding"),
        (b"n,,", b"c=biws,r=cs,p=" + b"A" * 43 + b"=", "invalid-proof"),
        (b"n,,", b"", "invalid-encoding"),
    ],
)
def test_a_wrong_final_message_is_a_fault(first: bytes, final: bytes, code: str) -> None:
    server = scram.Server(b"s", {})
    assert isinstance(server.step(first + b"n=user,r=c"), KeysWanted)
    server.keys([KEYS])
    fault = server.step(final)
    assert isinstance(fault, Fault)
    assert fault.code == code


@pytest.mark.parametrize("which", [0, 1, 2])
def test_any_of_several_keys_is_proven_and_named(which: int) -> None:
    server = scram.Server(b"server", {})
    passwords = ("paper", "pencil", "eraser")
    client = Client("user", passwords[which], b"client", 10_000)
    server.step(client.initial())
    challenge = server.keys([scram.keys(password.encode(), SALT, 4096) for password in passwords])
    final = server.step(client.step(challenge.octets))
    assert isinstance(final, Challenge)
    client.step(final.octets)
    assert client.is_mutual
    assert server.step(b"") == Proven("", "user", which)


BINDINGS = {b"tls-exporter": b"what both see", b"tls-server-end-point": b"a certificate"}


def bound(server: scram.Server, gs2_header: bytes, data: bytes) -> Step:
    """What is answered to a proof that is right, by a client that binds to `data`."""
    bare = b"n=user,r=client"
    wanted = server.step(gs2_header + bare)
    if not isinstance(wanted, KeysWanted):
        return wanted
    first = server.keys([KEYS]).octets
    without_proof = b"c=" + encoded(gs2_header + data) + b",r=clientserver"
    salted = scram.salted_password(b"pencil", SALT, 4096)
    key = scram.client_key(salted)
    signature = scram.signature(scram.digest(key), b",".join((bare, first, without_proof)))
    return server.step(without_proof + b",p=" + encoded(scram.exclusive_or(key, signature)))


@pytest.mark.parametrize("name", BINDINGS)
def test_with_plus_the_proof_is_bound_to_the_channel(name: bytes) -> None:
    server = scram.PlusServer(b"server", BINDINGS)
    assert isinstance(bound(server, b"p=" + name + b",,", BINDINGS[name]), Challenge)
    assert server.step(b"") == Proven("", "user", 0)


@pytest.mark.parametrize(
    ("plus", "gs2_header", "data", "code"),
    [
        (True, b"p=tls-exporter,,", b"what another sees", "channel-bindings-dont-match"),
        (True, b"p=tls-exporter,,", b"", "channel-bindings-dont-match"),
        (True, b"p=tls-exporter,,", b"a certificate", "channel-bindings-dont-match"),
        (True, b"p=tls-unique,,", b"", "unsupported-channel-binding-type"),
        (True, b"p=,,", b"", "unsupported-channel-binding-type"),
        (True, b"n,,", b"", "invalid-encoding"),
        (True, b"y,,", b"", "invalid-encoding"),
        (True, b"tls-exporter,,", b"", "invalid-encoding"),
        (False, b"p=tls-exporter,,", b"what both see", "channel-binding-not-supported"),
        (False, b"y,,", b"", "server-does-support-channel-binding"),
    ],
)
def test_a_channel_that_is_another_or_was_made_to_seem_so_is_a_fault(
    plus: bool, gs2_header: bytes, data: bytes, code: str
) -> None:
    server = (scram.PlusServer if plus else scram.Server)(b"server", BINDINGS)
    fault = bound(server, gs2_header, data)
    assert isinstance(fault, Fault)
    assert fault.code == code


def test_a_client_that_cannot_bind_may_still_come_without_plus() -> None:
    server = scram.Server(b"server", BINDINGS)
    assert isinstance(bound(server, b"n,,", b""), Challenge)


def test_a_final_message_before_the_keys_is_a_fault() -> None:
    server = scram.Server(b"s", {})
    server.step(b"n,,n=user,r=c")
    assert isinstance(server.step(b"c=biws,r=cs,p=AAAA"), Fault)


@given(
    st.text(min_size=1).filter(lambda name: "\0" not in name and name.isprintable()), st.sampled_from("ny")
)
def test_any_name_and_either_flag_pass_through(name: str, flag: str) -> None:
    server = scram.Server(b"server", {})
    client = Client(name, "pencil", b"client", 10_000)
    assert server.step(client.initial()) == KeysWanted(name)
    challenge = server.keys([KEYS])
    final = server.step(client.step(challenge.octets))
    assert isinstance(final, Challenge)
    client.step(final.octets)
    assert server.step(b"") == Proven("", name, 0)


@given(st.lists(st.binary(max_size=60), max_size=4), st.booleans())
def test_any_octets_end_in_a_step(responses: list[bytes], with_keys: bool) -> None:
    server = scram.Server(b"server", {})
    for response in responses:
        if isinstance(server.step(response), KeysWanted) and with_keys:
            server.keys([KEYS])


@pytest.mark.parametrize(
    "challenge",
    [
        b"r=other,s=AAAA,i=4096",
        b"r=client,s=AAAA,i=4096",
        b"r=clientserver,s=AAAA,i=4095",
        b"r=clientserver,s=AAAA,i=10001",
        b"r=clientserver,s=AAAA,i=-1",
        b"r=clientserver,s=A,i=4096",
        b"r=clientserver",
        b"e=other-error",
    ],
)
def test_a_client_refuses_a_server_that_is_not_sound(challenge: bytes) -> None:
    client = Client("user", "pencil", b"client", 10_000)
    with pytest.raises(Fault):
        client.step(challenge)


def test_a_client_refuses_a_server_that_does_not_know_the_password() -> None:
    client = Client("user", "pencil", b"client", 10_000)
    client.step(b"r=clientserver,s=AAAA,i=4096")
    with pytest.raises(Fault):
        client.step(b"v=AAAA")
    assert not client.is_mutual
