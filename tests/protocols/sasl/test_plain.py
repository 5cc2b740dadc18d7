import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.fault import Fault
from protocols.sasl.plain import PASSWORD, USERNAME, LoginClient, LoginServer, PlainClient, PlainServer
from protocols.sasl.step import Challenge, Credentials, Step, decoded, encoded, initial_response

VECTORS = Path(__file__).parents[4] / "shared" / "vectors" / "sasl" / "other_mechanisms.json"

CASES = [
    (b"\0tim\0tanstaaftanstaaf", Credentials("", "tim", "tanstaaftanstaaf")),  # RFC 4616 §4
    (b"Ursel\0Kurt\0xipj3plmq", Credentials("Ursel", "Kurt", "xipj3plmq")),
    ("\0jörg\0pässwörd".encode(), Credentials("", "jörg", "pässwörd")),
    (b"user\0pass", None),
    (b"\0\0pass", None),
    (b"\0user\0", None),
    (b"\0user\0pa\0ss", None),
    (b"\0j\xf6rg\0x", None),
    (b"\xff\0jo\0x", None),
    (b"", None),
]


@pytest.mark.parametrize(("message", "expected"), CASES)
def test_plain_is_read_as_rfc_4616_says(message: bytes, expected: Credentials | None) -> None:
    step = PlainServer().step(message)
    assert isinstance(step, Fault) if expected is None else step == expected


def test_the_shared_vectors_are_read_as_they_say() -> None:
    if not VECTORS.exists():
        pytest.skip("the shared vectors are not here")
    vectors = [vector for vector in json.loads(VECTORS.read_text()) if vector["mechanism"] == "PLAIN"]
    assert vectors
    for vector in vectors:
        message = decoded(vector["message_b64"].encode())
        step: Step | None = None if message is None else PlainServer().step(message)
        if vector["valid"]:
            assert step == Credentials(vector["authzid"], vector["authcid"], vector["password"])
        else:
            assert step is None or isinstance(step, Fault)


def test_login_asks_for_the_name_then_for_the_password() -> None:
    server = LoginServer()
    client = LoginClient("tim", "secret")
    assert client.initial() is None
    assert server.start() == USERNAME
    assert server.step(client.step(USERNAME.octets)) == PASSWORD
    assert server.step(client.step(PASSWORD.octets)) == Credentials("", "tim", "secret")
    with pytest.raises(Fault):
        client.step(b"more?")


def test_login_takes_the_name_as_an_initial_response() -> None:
    server = LoginServer()
    assert server.step(b"tim") == PASSWORD
    assert server.step(b"secret") == Credentials("", "tim", "secret")


@pytest.mark.parametrize("answer", [b"", b"a\0b", b"\xff"])
def test_login_refuses_what_is_no_name(answer: bytes) -> None:
    assert isinstance(LoginServer().step(answer), Fault)


def test_a_plain_client_says_all_at_once_or_when_asked() -> None:
    client = PlainClient("tim", "secret")
    assert PlainServer().start() == Challenge(b"")
    assert client.step(b"") == client.initial()
    assert PlainServer().step(client.initial()) == Credentials("", "tim", "secret")
    with pytest.raises(Fault):
        client.step(b"what?")


@given(st.binary(max_size=80))
def test_any_octets_end_in_a_step(octets: bytes) -> None:
    PlainServer().step(octets)
    login = LoginServer()
    login.step(octets)
    login.step(octets)
    assert decoded(encoded(octets)) == octets


@pytest.mark.parametrize("text", [b"*", b"A", b"AAAA=", b"AA=A", b"AA AA", b"AA\nAA", b"\xff"])
def test_what_is_no_base64_is_none(text: bytes) -> None:
    assert decoded(text) is None


def test_a_password_is_not_shown() -> None:
    assert "secret" not in repr(Credentials("", "tim", "secret"))


@pytest.mark.parametrize(
    ("word", "octets"),
    [(b"AGE=", b"\0a"), (b"=", b""), (b"", b""), (b"AGE", None), (b"A GE=", None), (b"AGE=A", None)],
)
def test_base64_of_an_initial_response_is_strict(word: bytes, octets: bytes | None) -> None:
    assert initial_response(word) == octets
