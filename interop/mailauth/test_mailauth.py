"""mailauth, by which programs of Node.js sign and verify: it verifies ours, and we what it signs."""

import json
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from interop.programs import cached, program, run, succeeded
from interop.signatures import DOMAIN, MESSAGES, RECORDS, SELECTORS, altered, ours, pem, results

SCRIPT = Path(__file__).with_name("dkim.js")
FORMS = ("simple/simple", "relaxed/relaxed", "relaxed/simple", "simple/relaxed")
ALGORITHMS = {"s1": "rsa-sha256", "e1": "ed25519-sha256"}
OTHERWISE = {
    "l=": ["pass"],  # what anybody added behind the signed octets goes with it; we say policy
    "rsa-sha1": ["pass"],  # RFC 8301 has made it none
}


def asked(home: Path, sign: Sequence[Any] = (), verify: Sequence[bytes] = ()) -> Any:
    node, package = program("node"), cached("mailauth/node_modules/mailauth")
    messages = [b64encode(message).decode() for message in verify]
    words = json.dumps({"records": RECORDS, "sign": sign, "verify": messages}).encode()
    return json.loads(succeeded(run([node, str(SCRIPT), str(package)], home, words)))


def test_it_verifies_what_we_sign(tmp_path: Path) -> None:
    told = asked(tmp_path, verify=[ours(message) for message in MESSAGES.values()])
    assert told["verified"] == [[["s1", "pass"], ["e1", "pass"]]] * len(MESSAGES)


@pytest.mark.parametrize("forms", FORMS)
def test_we_verify_what_it_signs(forms: str, tmp_path: Path) -> None:
    keys = [
        {
            "signingDomain": DOMAIN,
            "selector": name,
            "privateKey": pem(name).decode(),
            "algorithm": ALGORITHMS[name],
        }
        for name in SELECTORS
    ]
    sign = [
        {"message": b64encode(message).decode(), "keys": keys, "canonicalization": forms}
        for message in MESSAGES.values()
    ]
    signed = asked(tmp_path, sign=sign)["signed"]
    for fields, message in zip(signed, MESSAGES.values(), strict=True):
        found = results(fields.encode() + message)
        assert [each.result for each in found] == ["pass", "pass"], found


@pytest.mark.parametrize("name", altered())
def test_what_is_altered_is_to_it_what_it_is_to_us(name: str, tmp_path: Path) -> None:
    """Its words for what is not good are others; that it is not, both say, but for OTHERWISE."""
    message = altered()[name]
    (told,) = asked(tmp_path, verify=[message])["verified"]
    theirs = [word for _, word in told]
    if name in OTHERWISE:
        assert theirs == OTHERWISE[name]
        assert not [each for each in results(message) if each.result == "pass"]
        return
    assert [each.result == "pass" for each in results(message)] == [word == "pass" for word in theirs]
