"""Trace fields, written as RFC 5321 §4.4 has them."""

import pytest

from protocols.smtp.envelope import Path
from protocols.smtp.profile import Flavour
from protocols.smtp.trace import Came, date_time, received, return_path, with_protocol

MX, SUBMISSION, LMTP = Flavour.MX, Flavour.SUBMISSION, Flavour.LMTP


@pytest.mark.parametrize(
    ("flavour", "extended", "secure", "authenticated", "smtputf8", "word"),
    [
        (MX, False, False, False, False, "SMTP"),
        (MX, False, True, False, False, "SMTP"),
        (MX, True, False, False, False, "ESMTP"),
        (MX, True, True, False, False, "ESMTPS"),
        (MX, True, True, False, True, "UTF8SMTPS"),
        (SUBMISSION, True, False, True, False, "ESMTPA"),
        (SUBMISSION, True, True, True, False, "ESMTPSA"),
        (SUBMISSION, True, True, True, True, "UTF8SMTPSA"),
        (LMTP, True, False, False, False, "LMTP"),
        (LMTP, True, True, False, False, "LMTPS"),
        (LMTP, True, False, False, True, "UTF8LMTP"),
    ],
)
def test_the_protocol_has_its_registered_word(
    flavour: Flavour, extended: bool, secure: bool, authenticated: bool, smtputf8: bool, word: str
) -> None:
    assert with_protocol(flavour, extended, secure, authenticated, smtputf8) == word


def test_received_names_a_single_recipient() -> None:
    came = Came(b"client.example", "192.0.2.1", "mx.example", "ESMTPS")
    assert received(came, "1a2b", Path(b"bob@here.example"), 1785571445) == (
        b"Received: from client.example ([192.0.2.1])\r\n by mx.example with ESMTPS id 1a2b\r\n"
        b" for <bob@here.example>; Sat, 1 Aug 2026 08:04:05 +0000\r\n"
    )


@pytest.mark.parametrize(
    "name", [b"my(pc", b"a;b", "bücher.example".encode(), b"a..b", b"[192.0.2.1", b"x\x7f", b"-, -"]
)
def test_a_name_that_is_no_domain_gives_way_to_the_address(name: bytes) -> None:
    came = Came(name, "2001:db8::1", "mx.example", "SMTP")
    assert received(came, "1", None, 0) == (
        b"Received: from [IPv6:2001:db8::1] ([IPv6:2001:db8::1])\r\n"
        b" by mx.example with SMTP id 1; Thu, 1 Jan 1970 00:00:00 +0000\r\n"
    )


def test_return_path_is_the_reverse_path() -> None:
    assert return_path(Path(b"")) == b"Return-Path: <>\r\n"
    assert return_path(Path(b"a@b.example")) == b"Return-Path: <a@b.example>\r\n"


def test_a_date_is_in_utc() -> None:
    assert date_time(951782400) == "Tue, 29 Feb 2000 00:00:00 +0000"


@pytest.mark.parametrize(("name", "said"), [(b"mta.example", "mta.example"), (b"my(pc", "localhost")])
def test_a_client_without_an_address_is_known_by_its_name(name: bytes, said: str) -> None:
    came = Came(name, "", "mx.example", "LMTP")
    assert received(came, "1a2b", None, 0).startswith(f"Received: from {said}\r\n by mx.example".encode())
