"""OpenDKIM, the milter of most Postfix servers, in its test mode: it verifies ours, and we what it signs."""

import re
from pathlib import Path

import pytest

from interop import signatures
from interop.programs import program, run, succeeded
from interop.signatures import DOMAIN, MESSAGES, RECORDS, altered, key_file, ours, results

VERIFYING = "Mode v\nSyslog no\nTestPublicKeys {keys}\n"
SIGNING = """\
Mode s
Syslog no
Domain {domain}
Selector {selector}
KeyFile {key}
SignatureAlgorithm {algorithm}
Canonicalization {forms}
InternalHosts {hosts}
OversignHeaders From
RequireSafeKeys no
"""
_RESULT = re.compile(rb"dkim=(\w+)[^;]*?header\.s=(\w+)")
OTHERWISE = {
    "l=": ["pass"],  # what anybody added behind the signed octets goes with it; we say policy
    "rsa-sha1": ["pass"],  # it was written before RFC 8301, by which such a signature is none
}


def verify(message: bytes, home: Path) -> dict[bytes, str]:
    """What it says of each selector's signature."""
    keys, settings, file = home / "keys", home / "verify.conf", home / "message"
    keys.write_text("".join(f"{name} {text}\n" for name, text in RECORDS.items()))
    settings.write_text(VERIFYING.format(keys=keys))
    file.write_bytes(message)
    told = succeeded(run([program("opendkim"), "-x", str(settings), "-v", "-v", "-t", str(file)], home))
    return {selector: result.decode() for result, selector in _RESULT.findall(told)}


def sign(message: bytes, selector: str, forms: str, home: Path) -> bytes:
    settings, hosts, file = home / "sign.conf", home / "hosts", home / "message"
    hosts.write_text("0.0.0.0/0\n")
    file.write_bytes(message)
    algorithm = {"s1": "rsa-sha256", "e1": "ed25519-sha256"}[selector]
    key = key_file(selector, home)
    settings.write_text(
        SIGNING.format(
            domain=DOMAIN, selector=selector, key=key, algorithm=algorithm, forms=forms, hosts=hosts
        )
    )
    said = succeeded(run([program("opendkim"), "-x", str(settings), "-t", str(file)], home))
    field = said[said.index(b"DKIM-Signature:") :].strip()
    return field.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") + b"\r\n" + message


@pytest.mark.parametrize("name", MESSAGES)
def test_it_verifies_what_we_sign(name: str, tmp_path: Path) -> None:
    assert verify(ours(MESSAGES[name]), tmp_path) == {b"s1": "pass", b"e1": "pass"}


@pytest.mark.parametrize("forms", ["simple/simple", "relaxed/relaxed", "relaxed/simple", "simple/relaxed"])
@pytest.mark.parametrize("selector", signatures.SELECTORS)
@pytest.mark.parametrize("name", MESSAGES)
def test_we_verify_what_it_signs(name: str, selector: str, forms: str, tmp_path: Path) -> None:
    """What it makes with Ed25519 over a simple header holds for nobody, itself included."""
    message = sign(MESSAGES[name], selector, forms, tmp_path)
    expected = "fail" if selector == "e1" and forms.startswith("simple/") else "pass"
    (found,) = results(message)
    assert (found.result, found.selector) == (expected, selector), found.reason
    assert verify(message, tmp_path) == {selector.encode(): expected}


@pytest.mark.parametrize("name", altered())
def test_what_is_altered_is_to_it_what_it_is_to_us(name: str, tmp_path: Path) -> None:
    """Its words for what is not good are others; that it is not, both say, but for OTHERWISE."""
    message = altered()[name]
    theirs = list(verify(message, tmp_path).values())
    if name in OTHERWISE:
        assert theirs == OTHERWISE[name]
        assert not [each for each in results(message) if each.result == "pass"]
        return
    assert [each.result == "pass" for each in results(message)] == [word == "pass" for word in theirs]
