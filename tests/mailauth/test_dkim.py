"""What others sign, we verify as another implementation does; what does not hold has its word."""

from __future__ import annotations

from base64 import b64encode

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailnode.limits import Limits
from mailnode.mailauth.publickey import PublicKey
from tests.mailauth.verifying import verified
from tests.mailauth.zone import FAILS

RSA = rsa.generate_private_key(65537, 2048)
SHORT = rsa.generate_private_key(65537, 1024)
ED25519 = Ed25519PrivateKey.generate()
NAME = "s._domainkey.here.test"


def pem(private: rsa.RSAPrivateKey) -> bytes:
    return private.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())


def spki(private: rsa.RSAPrivateKey) -> str:
    public = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return b64encode(public).decode()


RECORD = f"v=DKIM1; k=rsa; p={spki(RSA)}"
ED_RECORD = f"v=DKIM1; k=ed25519; p={b64encode(ED25519.public_key().public_bytes_raw()).decode()}"
ED_PEM = b64encode(ED25519.private_bytes_raw())
HEAD = (
    b"From: Alice\r\n <alice@here.test>\r\nTo: bob@there.test\r\nSubject: a  b\r\nX-Two: first\r\n"
    b"X-Two: second \r\nDate: Mon, 5 Jan 2026 10:00:00 +0000\r\n"
)
MESSAGE = HEAD + b"\r\n hello \t world  \r\n\r\nend\r\n\r\n\r\n"
NAMES = [b"from", b"to", b"subject", b"date", b"x-two"]


def signed(message: bytes = MESSAGE, **options: object) -> bytes:
    chosen = {"include_headers": NAMES, "identity": None, **options}
    forms = chosen.pop("canonicalize", (b"relaxed", b"simple"))
    private = chosen.pop("private", pem(RSA))
    field: bytes = dkim.sign(message, b"s", b"here.test", private, canonicalize=forms, **chosen)
    return field + message


def word(message: bytes, *records: str, seconds: int = 1000) -> str:
    (found,) = verified(message, {NAME: records or (RECORD,)}, seconds=seconds).signatures
    return found.result


FORMS = [(a, b) for a in (b"simple", b"relaxed") for b in (b"simple", b"relaxed")]
# RSA of 768 bits, which cryptography makes no more; openssl does.
TOO_SHORT = (
    "MHwwDQYJKoZIhvcNAQEBBQADawAwaAJhAJ+bA4okXVKJrOGMiMamstvR0zKf8tx5JJgjIcrJ74hj13+yMwwm2/AkQ851cV6Q+xwd"
    "WlutULnLLVrGUsj5JOSmEchJVPmGnfMLUjWfH1v885LE7M3ljFNKSt9q5eoPWwIDAQAB"
)
BODY = st.lists(st.sampled_from([b"\r\n", b" ", b"\ta", b"line\r\n", b".", b"\r\n\r\n", b" \t\r\n"])).map(
    b"".join
)


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=40, deadline=None)
@given(BODY, st.sampled_from(FORMS), st.integers(1, 60), st.booleans())
def test_a_signature_of_another_implementation_holds_in_each_form_and_any_cut(
    body: bytes, forms: tuple[bytes, bytes], cut: int, by_ed25519: bool
) -> None:
    message = HEAD + b"\r\n" + body + b"\r\n"
    if by_ed25519:
        whole = signed(message, canonicalize=forms, private=ED_PEM, signature_algorithm=b"ed25519-sha256")
    else:
        whole = signed(message, canonicalize=forms)
    (found,) = verified(whole, {NAME: (RECORD, ED_RECORD)}, cut).signatures
    assert (found.result, found.domain, found.selector) == ("pass", "here.test", "s")


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=60, deadline=None)
@given(st.data())
def test_a_changed_message_holds_only_where_it_does_for_another(
    data: st.DataObject,
) -> None:
    whole = signed(canonicalize=data.draw(st.sampled_from(FORMS)))
    at = data.draw(st.integers(0, len(whole) - 1))
    octet = data.draw(st.sampled_from([b"", b" ", b"x", b";", b"=", b"\r\n ", b"\r\n\r\n", b":"]))
    changed = whole[:at] + octet + whole[at + data.draw(st.integers(0, 1)) :]
    if b"\n" in changed.replace(b"\r\n", b"") or b"\r" in changed.replace(b"\r\n", b""):
        return  # what comes by SMTP has none
    found = verified(changed, {NAME: [RECORD]}).signatures
    ours = any(each.result == "pass" for each in found)
    try:  # IndexError: of a header that begins with a blank
        theirs = dkim.verify(changed, dnsfunc=lambda name, timeout=5: RECORD.encode())
    except (dkim.DKIMException, AssertionError, ValueError, IndexError):
        theirs = False
    assert not ours or theirs or _lax(changed), changed


def _lax(changed: bytes) -> bool:
    """dkimpy refuses a header with a line that is no field: we skip it, as readers do."""
    head = changed.partition(b"\r\n\r\n")[0]
    lines = head.split(b"\r\n")
    return any(b":" not in line for line in lines if line[:1] not in (b" ", b"\t"))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (b"hello", b"Hello", "fail"),
        (b"a  b", b"c", "fail"),
        (b"X-Two: second", b"X-Two: third", "fail"),
        (b"X-Two: first", b"X-Two: zero", "pass"),  # named once: the last one is signed
        (b"\r\nX-Two: second", b"\r\nX-Two: second\r\nX-Two: third", "fail"),
        (b"a=rsa-sha256", b"a=rsa-sha1", "permerror"),
        (b"a=rsa-sha256", b"a=rsa-sha512", "permerror"),
        (b"v=1", b"v=2", "permerror"),
        (b"v=1; ", b"", "neutral"),
        (b"v=1", b"v=1; v=1", "neutral"),
        (b"bh=", b"bh=!", "neutral"),
        (b"i=@here.test", b"i=@there.test", "permerror"),
        (b"i=@here.test", b"i=@nothere.test", "permerror"),
        (b"i=@here.test", b"i=@here.test; z=x=y", "fail"),
        (b"q=dns/txt", b"q=dns/other", "permerror"),
        (b"i=@here.test", b"b=AAAA; i=@here.test", "neutral"),
        (b"h=from", b"h=form", "permerror"),
        (b"c=relaxed/simple", b"c=nowsp", "neutral"),
        (b"c=relaxed/simple", b"c=relaxed/simple; l=10000", "permerror"),
        (b"c=relaxed/simple", b"c=relaxed/simple; l=x", "neutral"),
        (b"c=relaxed/simple", b"c=relaxed/simple; x=999", "neutral"),
        (b"c=relaxed/simple", b"c=relaxed/simple; x=9999999999", "fail"),
        (b"c=relaxed/simple", b"c=relaxed/simple; \xff", "neutral"),
    ],
)
def test_what_was_changed_has_its_word(old: bytes, new: bytes, expected: str) -> None:
    whole = signed(identity=b"@here.test")
    assert old in whole
    assert word(whole.replace(old, new, 1)) == expected


def test_what_expired_is_no_longer_good() -> None:
    class Later(dkim.DKIM):  # type: ignore[misc]
        def gen_header(self, fields: list[tuple[bytes, bytes]], *rest: object) -> object:
            return super().gen_header([*fields[:-1], (b"x", b"2000000000"), fields[-1]], *rest)

    field = Later(MESSAGE).sign(b"s", b"here.test", pem(RSA), include_headers=NAMES)
    assert word(field + MESSAGE, seconds=1999999999) == "pass"
    assert word(field + MESSAGE, seconds=2000000001) == "permerror"


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ([], "permerror"),
        (["v=DKIM1; p="], "permerror"),
        (["v=DKIM2; p=" + spki(RSA)], "permerror"),
        (["p=" + spki(RSA)], "pass"),
        (["v=DKIM1; g=nobody; p=" + spki(RSA)], "pass"),
        (["v=DKIM1; h=sha1; p=" + spki(RSA)], "permerror"),
        (["v=DKIM1; h=sha1 : sha256; p=" + spki(RSA)], "pass"),
        (["v=DKIM1; s=other; p=" + spki(RSA)], "permerror"),
        (["v=DKIM1; s=email; t=y:s; p=" + spki(RSA)], "pass"),
        (["v=DKIM1; k=dsa; p=" + spki(RSA)], "permerror"),
        (["v=DKIM1; p=AAAA"], "permerror"),
        (["v=DKIM1; p=" + spki(SHORT)], "fail"),
        (["v=DKIM1; p=" + TOO_SHORT], "policy"),
        (["v=DKIM1; t=y; p=" + spki(SHORT)], "neutral"),
        (["v=spf1 -all", ED_RECORD, RECORD], "pass"),
        (["v=DKIM1; n=" + "x" * Limits().dkim_record_octets_max + "; p=" + spki(RSA)], "permerror"),
    ],
)
def test_what_the_dns_says_of_a_key_has_its_word(records: list[str], expected: str) -> None:
    (found,) = verified(signed(), {NAME: records} if records else {}).signatures
    assert found.result == expected, found.reason


def test_who_cannot_be_asked_now_is_a_temporary_error() -> None:
    (found,) = verified(signed(), {NAME: FAILS}).signatures
    assert found.result == "temperror"


def test_a_strict_key_is_not_for_a_domain_below() -> None:
    whole = signed(identity=b"@sub.here.test")
    assert word(whole) == "pass"
    assert word(whole, RECORD.replace("k=rsa", "t=s")) == "permerror"


@pytest.mark.parametrize("body", [b"\r\n hello\r\n", b"\r\n hello\r\nmore\r\n"])
def test_what_leaves_the_end_of_the_body_unsigned_is_policy(body: bytes) -> None:
    whole = signed(HEAD + b"\r\n hello\r\n", length=True)
    assert b"l=8" in whole
    assert word(whole) == "pass"
    assert word(whole + b"added\r\n") == "policy"
    assert word(whole.replace(b"hello", b"hullo") + b"added\r\n") == "fail"


def test_another_from_breaks_what_is_oversigned() -> None:
    whole = signed(include_headers=[b"from", b"from", b"subject"])
    assert word(whole) == "pass"
    assert word(b"From: eve@there.test\r\n" + whole) == "fail"


def test_a_signature_longer_than_any_is_none_and_the_others_count() -> None:
    field = signed().removesuffix(MESSAGE)
    long = field.replace(b"v=1;", b"v=1; z=" + b"x" * Limits().dkim_signature_octets_max + b";")
    found = verified(long + field + MESSAGE, {NAME: [RECORD]}).signatures
    assert [each.result for each in found] == ["neutral", "pass"]


def test_all_signatures_count_up_to_the_limit() -> None:
    whole = signed()
    field = whole.removesuffix(MESSAGE)
    found = verified(field.replace(b"bh=", b"bh=A") * 3 + field * 20 + MESSAGE, {NAME: [RECORD]}).signatures
    assert [each.result for each in found] == ["neutral"] * 3 + ["pass"] * (Limits().dkim_signatures_max - 3)
    assert all(len(each.signature) == 8 for each in found)


def test_a_message_without_end_of_header_or_with_an_endless_one_is_read() -> None:
    assert verified(b"", {}).signatures == ()
    assert verified(b"\r\nbody", {}).signatures == ()
    assert verified(signed()[:200], {NAME: [RECORD]}).signatures[0].result == "neutral"
    long = b"X: " + b"y" * Limits().dkim_head_octets_max + b"\r\n" + signed()
    assert verified(long, {NAME: [RECORD]}, 1000).signatures == ()


def test_a_signature_need_not_fit_its_key() -> None:
    assert not PublicKey(RSA.public_key(), False, False).verifies(b"", b"x")
    assert not PublicKey(ED25519.public_key(), False, False).verifies(b"short", b"x")
