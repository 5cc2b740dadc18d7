"""Signed messages that others have published, with what shall come of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mailauth.vectors import VECTORS
from tests.mailauth.verifying import Texts, crlf, verified
from tests.mailauth.zone import FAILS

CHASQUID = sorted((VECTORS / "dkim" / "chasquid").glob("*.result"))
MIMEKIT = VECTORS / "dkim" / "mimekit"

_ENTRY = re.compile(r"^(\S+): *(.*)$", re.MULTILINE)
WORDS = {"SUCCESS": {"pass"}, "TEMPFAIL": {"temperror"}, "PERMFAIL": {"fail", "permerror", "neutral"}}
"""Of that suite; it has one word for all that will not hold later either."""


def zone(text: str) -> Texts:
    """The lookups of a test; what is not there does not exist."""
    found: dict[str, list[str] | str] = {}
    for name, data in _ENTRY.findall(text.replace("\\\n", "")):
        if data == "TEMPERROR":
            found[name] = FAILS
        elif data != "PERMERROR":
            texts = found.setdefault(name, [])
            assert isinstance(texts, list)
            texts.append(data.strip())
    return found


def content(path: Path) -> str:
    """Some files are the name of another."""
    text = path.read_bytes().decode() if path.exists() else ""
    return content(path.parent / text) if text and "\n" not in text else text


def expected(result: Path) -> Iterator[set[str]]:
    """RFC 6376 lets a verifier take what l= leaves unsigned; here it is policy."""
    told = json.loads(content(result))
    if result.stem == "09-limited_body":
        yield from ({"policy"}, {"pass"}, {"pass"})
        return
    yield from (WORDS[each["State"]] for each in told["Results"])


@pytest.mark.parametrize("result", CHASQUID, ids=[each.stem for each in CHASQUID])
def test_the_suite_of_chasquid_has_its_results(result: Path) -> None:
    texts = zone(content(result.with_suffix(".dns")))
    message = crlf(content(result.with_suffix(".msg")).encode())
    found = verified(message, texts).signatures
    words = list(expected(result))
    assert len(found) >= len(words)  # it looks at five, we at ten
    assert all(each.result in word for each, word in zip(found, words, strict=False))


@pytest.mark.skipif(not CHASQUID, reason="the vectors are not here")
def test_the_one_message_of_that_suite_without_results_has_none() -> None:
    """Its header begins with a continuation; the suite refuses such a message, we read the rest of it."""
    messages = {each.stem for each in CHASQUID[0].parent.glob("*.msg")}
    assert len(messages) == 11
    (rest,) = messages - {each.stem for each in CHASQUID}
    message = crlf((CHASQUID[0].parent / f"{rest}.msg").read_bytes())
    assert message[:1] == b" " and verified(message, {}).signatures == ()


@pytest.mark.skipif(not MIMEKIT.exists(), reason="the vectors are not here")
@pytest.mark.parametrize("cut", [1, 1000])
def test_mail_of_another_site_as_it_came_has_a_good_signature(cut: int) -> None:
    key = "".join((MIMEKIT / "gmail.pub").read_text().splitlines()[1:-1])
    message = crlf((MIMEKIT / "gmail.msg").read_bytes())
    (found,) = verified(message, {"20120113._domainkey.gmail.com": [f"k=rsa; p={key}"]}, cut).signatures
    assert (found.result, found.domain, found.algorithm) == ("pass", "gmail.com", "rsa-sha256")
