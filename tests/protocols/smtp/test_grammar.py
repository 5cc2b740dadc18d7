"""Arguments of commands: what is read from them, and how they are refused."""

from __future__ import annotations

import pytest

from protocols.fault import Fault
from protocols.smtp import extension, grammar
from protocols.smtp.envelope import Body, MailParameters, Path
from protocols.smtp.profile import Channel
from tests.protocols.smtp.peer import MX, SUBMISSION

PATHS = [
    (b"<a@b.example>", b"a@b.example"),
    (b"<A.B+c=d@B.Example>", b"A.B+c=d@B.Example"),
    (b"<!#$%&'*+-/=?^_`{|}~@b.example>", b"!#$%&'*+-/=?^_`{|}~@b.example"),
    (b'<"a b"@b.example>', b'"a b"@b.example'),
    (b'<"a\\"@\\\\>"@b.example>', b'"a\\"@\\\\>"@b.example'),
    (b'<""@b.example>', b'""@b.example'),
    (b"<@relay.example:a@b.example>", b"a@b.example"),
    (b"<@one.example,@two.example:a@b.example>", b"a@b.example"),
    (b"<a@[192.0.2.1]>", b"a@[192.0.2.1]"),
    (b"<a@[IPv6:2001:db8::1]>", b"a@[IPv6:2001:db8::1]"),
    (b"<a@[ipv6:::ffff:192.0.2.1]>", b"a@[ipv6:::ffff:192.0.2.1]"),
    (b"<a@localhost>", b"a@localhost"),
    (b"<a@1.example>", b"a@1.example"),
    (b"<a@xn--bcher-kva.example>", b"a@xn--bcher-kva.example"),
    (b"<a@my_host.example>", b"a@my_host.example"),
    ("<é@bücher.example>".encode(), "é@bücher.example".encode()),
    (b"<" + b"a" * 64 + b"@b.example>", b"a" * 64 + b"@b.example"),
    (b"<" + b"a" * 100 + b"@b.example>", b"a" * 100 + b"@b.example"),
]
BROKEN = [
    b"",
    b"a@b.example",
    b"<a@b.example",
    b"<a>",
    b"<@b.example>",
    b"<a@>",
    b"<.a@b.example>",
    b"<a.@b.example>",
    b"<a..b@b.example>",
    b"<a b@b.example>",
    b"<a@b@c.example>",
    b"<a@-b.example>",
    b"<a@b-.example>",
    b"<a@b..example>",
    b"<a@b.example.>",
    b"<a@[192.0.2]>",
    b"<a@[192.0.2.256]>",
    b"<a@[IPv6:2001:db8::g]>",
    b"<a@[tag:content]>",
    b"<a@[192.0.2.1>",
    b'<"a@b.example>',
    b'<"a"b@b.example>',
    b"<a\0@b.example>",
    b"<a\r@b.example>",
    b"<\xe9@b.example>",
    b"<" + b"a" * 320 + b"@b.example>",
]


@pytest.mark.parametrize(("octets", "mailbox"), PATHS)
def test_a_path_is_read_without_brackets_and_route(octets: bytes, mailbox: bytes) -> None:
    assert grammar.forward_path(octets + b" X") == (Path(mailbox), b" X")
    assert grammar.reverse_path(octets) == (Path(mailbox), b"")


@pytest.mark.parametrize("octets", BROKEN)
def test_what_is_no_path_is_501(octets: bytes) -> None:
    with pytest.raises(Fault, match=r"501 5\.1\.3"):
        grammar.forward_path(octets)
    with pytest.raises(Fault, match=r"501 5\.1\.7"):
        grammar.reverse_path(octets)


def test_the_null_path_is_a_reverse_path_only() -> None:
    assert grammar.reverse_path(b"<> SIZE=1") == (Path(b""), b" SIZE=1")
    with pytest.raises(Fault, match=r"501 5\.1\.3"):
        grammar.forward_path(b"<>")


def test_postmaster_needs_no_domain_as_a_forward_path() -> None:
    assert grammar.forward_path(b"<PostMaster>") == (Path(b"PostMaster"), b"")
    with pytest.raises(Fault, match=r"501 5\.1\.7"):
        grammar.reverse_path(b"<postmaster>")


def test_a_path_knows_its_parts() -> None:
    path = Path(b'"a@b"@[192.0.2.1]')
    assert (path.local_part, path.domain, path.null) == (b'"a@b"', b"[192.0.2.1]", False)
    assert (Path(b"postmaster").local_part, Path(b"postmaster").domain) == (b"postmaster", b"")
    assert (Path(b"").local_part, Path(b"").domain, Path(b"").null) == (b"", b"", True)


def test_paths_are_read_in_linear_time() -> None:
    for octets in (b"<" + b"a." * 150_000, b"<a@" + b"a-" * 150_000, b'<"' + b"\\\\" * 150_000):
        with pytest.raises(Fault):
            grammar.forward_path(octets)


PARAMETERS = [
    (b"", MailParameters()),
    (b" SIZE=1000", MailParameters(size=1000)),
    (b" size=0  body=8BitMime ", MailParameters(body=Body.EIGHT_BIT_MIME)),
    (b" BODY=7BIT SMTPUTF8", MailParameters(smtputf8=True)),
]
BROKEN_PARAMETERS = [
    (b"SIZE=1", "501 5.5.4"),
    (b" SIZE", "501 5.5.4"),
    (b" SIZE=", "501 5.5.4"),
    (b" SIZE=-1", "501 5.5.4"),
    (b" SIZE=123456789012345678901", "501 5.5.4"),
    (b" SIZE=1 SIZE=1", "501 5.5.4"),
    (b" SIZE=99999999999999999999", "552 5.3.4"),
    (b" BODY=BINARYMIME", "501 5.5.4"),
    (b" BODY", "501 5.5.4"),
    (b" =1", "501 5.5.4"),
    (b" A==1", "501 5.5.4"),
    (b" RET=FULL", "555 5.5.4"),
    (b" AUTH=<>", "555 5.5.4"),
]


@pytest.mark.parametrize(("octets", "parameters"), PARAMETERS)
def test_mail_parameters_are_read(octets: bytes, parameters: MailParameters) -> None:
    assert extension.mail_parameters(octets, MX, Channel.PLAIN) == parameters


@pytest.mark.parametrize(("octets", "code"), BROKEN_PARAMETERS)
def test_broken_and_unknown_parameters_are_refused(octets: bytes, code: str) -> None:
    with pytest.raises(Fault, match=code):
        extension.mail_parameters(octets, MX, Channel.PLAIN)


@pytest.mark.parametrize("value", [b"<>", b"a+2Bb@c.example"])
def test_auth_is_a_parameter_where_auth_is_offered(value: bytes) -> None:
    assert extension.mail_parameters(b" AUTH=" + value, SUBMISSION, Channel.TLS) == MailParameters()
    for broken in (b" AUTH", b" AUTH=a+2b@c.example"):
        with pytest.raises(Fault, match=r"501 5\.5\.4"):
            extension.mail_parameters(broken, SUBMISSION, Channel.TLS)


def test_rcpt_has_no_parameters() -> None:
    extension.rcpt_parameters(b"  ")
    with pytest.raises(Fault, match=r"555 5\.5\.4"):
        extension.rcpt_parameters(b" NOTIFY=NEVER")


@pytest.mark.parametrize(
    ("argument", "name"),
    [
        (b"client.example", b"client.example"),
        (b"[192.0.2.1]", b"[192.0.2.1]"),
        (b"my_pc", b"my_pc"),
        (b"my pc", b"my"),
        ("bücher.example".encode(), "bücher.example".encode()),
    ],
)
def test_any_visible_word_is_a_name_in_ehlo(argument: bytes, name: bytes) -> None:
    assert grammar.hello_name(argument) == name


@pytest.mark.parametrize("argument", [b"", b"a\0b", b"a\tb", b"a" * 256])
def test_ehlo_without_a_name_is_refused(argument: bytes) -> None:
    with pytest.raises(Fault, match=r"501 5\.5\.4"):
        grammar.hello_name(argument)
