"""What we seal: the sets of the ValiMail suite, and chains that we verify again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import pytest
import yaml
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from mailnode.mailauth.sealer import Sealer
from mailnode.mailauth.signer import Key
from protocols.arc.chain import MESSAGE, RESULTS, SEAL
from protocols.dkim.head import Head, value_of
from protocols.dkim.read import tags_of
from protocols.dkim.tags import tag_list
from tests.mailauth.test_dkim import ED25519, ED_RECORD, NAME, RECORD, RSA, signed
from tests.mailauth.test_resolver import Still
from tests.mailauth.vectors import VECTORS
from tests.mailauth.verifying import crlf, verified

SUITE = VECTORS / "arc" / "arc-draft-sign-tests.yml"


class Case(NamedTuple):
    name: str
    scenario: Mapping[str, Any]
    test: Mapping[str, Any]


def _cases() -> Iterator[Case]:
    for scenario in yaml.safe_load_all(SUITE.read_text()) if SUITE.exists() else ():
        for name, test in scenario["tests"].items():
            yield Case(name, scenario, test)


CASES = list(_cases())


def sealed(sealer: Sealer, message: bytes, validation: str) -> bytes:
    async def octets() -> AsyncIterator[bytes]:
        for at in range(0, len(message), 100):
            yield message[at : at + 100]

    return asyncio.run(sealer.fields(octets, validation))


def bare(tags: Mapping[str, str]) -> dict[str, str]:
    return {name: "".join(value.split()) for name, value in tags.items()}


def words(value: bytes) -> list[bytes]:
    return [b" ".join(each.split()) for each in value.split(b";")]


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_set_is_as_the_suite_has_it(case: Case) -> None:
    message, test = crlf(case.test["message"].encode()), case.test
    clock = Still()
    clock.seconds = test["t"]
    names = test["sig-headers"].encode().split(b":")
    private = load_pem_private_key(case.scenario["privatekey"].encode(), None)
    key = Key(case.scenario["sel"], private)  # type: ignore[arg-type]
    sealer = Sealer(key, case.scenario["domain"], test["srv-id"], clock, lambda head: names)
    texts = {name: [" ".join(text.split())] for name, text in case.scenario["txt-records"].items()}
    validation = verified(message, texts).arc.result
    made = sealed(sealer, message, validation)
    head = Head(made)
    assert tags(head, MESSAGE) == expected(test["AMS"])
    # A seal covers the white space of the message signature, whose b= the suite has in one line and we fold.
    assert without_b(tags(head, SEAL)) == without_b(expected(test["AS"]))
    assert [words(value_of(field)) for field in head.all(RESULTS)] == (
        [words(test["AAR"].encode())] if made else []
    )
    if made:
        after = verified(made + message, texts).arc
        assert after.result == ("fail" if validation == "fail" else "pass"), after.reason


def tags(head: Head, name: bytes) -> list[dict[str, str]]:
    return [bare(tags_of(field)) for field in head.all(name)]


def expected(text: str) -> list[dict[str, str]]:
    return [bare(tag_list(text.encode()))] if text.strip() else []


def without_b(fields: list[dict[str, str]]) -> list[dict[str, str]]:
    return [{name: value for name, value in each.items() if name != "b"} for each in fields]


@pytest.mark.skipif(not SUITE.exists(), reason="the vectors are not here")
def test_the_suite_is_whole() -> None:
    assert len(CASES) == 17


@pytest.mark.parametrize("selector", ["s", "e"])
def test_a_chain_that_we_have_sealed_three_times_passes_and_fails_for_good_once_broken(selector: str) -> None:
    key = Key(selector, RSA if selector == "s" else ED25519)
    sealer = Sealer(key, "here.test", "mx.here.test", Still())
    texts: dict[str, Sequence[str]] = {NAME: [RECORD], "e._domainkey.here.test": [ED_RECORD]}
    message = b"Authentication-Results: mx.here.test; spf=pass\r\n" + signed()
    for count in range(3):
        found = verified(message, texts).arc
        assert (found.result, found.sets) == ("pass" if count else "none", count), found.reason
        message = sealed(sealer, message, found.result) + message
    assert verified(message, texts).arc.result == "pass"
    broken = message.replace(b"hello", b"Hello")
    assert verified(broken, texts).arc.result == "fail"
    told = sealed(sealer, broken, "fail") + broken
    assert b"cv=fail" in told.partition(b"ARC-Message")[0]
    assert verified(told, texts).arc.result == "fail"
    assert sealed(sealer, told, "fail") == b""


def test_the_oldest_set_whose_message_still_stands_is_told() -> None:
    """RFC 8617 §5.2: the first of them all, the second one after a change, and what is broken has none."""
    sealer = Sealer(Key("s", RSA), "here.test", "mx.here.test", Still())
    texts = {NAME: [RECORD]}
    message = b"Authentication-Results: mx.here.test; spf=pass\r\n" + signed()
    message = sealed(sealer, message, "none") + message
    message = sealed(sealer, message, "pass") + message
    assert verified(message, texts).arc.oldest_pass == 0
    message = message.replace(b"hello", b"Hello")
    message = sealed(sealer, message, "pass") + message
    message = sealed(sealer, message, "pass") + message
    found = verified(message, texts).arc
    assert (found.result, found.sets, found.oldest_pass) == ("pass", 4, 3)
    assert verified(message.replace(b"Hello", b"hello"), texts).arc.oldest_pass == 0
