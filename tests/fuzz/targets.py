"""Every target by name, with the inputs that its search begins from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from protocols.deflate import Deflate
from protocols.reports import aggregate, tls
from protocols.reports.packed import packed
from tests.dialogues.runner import read
from tests.fuzz import reports, sessions, texts, zones
from tests.fuzz.cutting import whole
from tests.protocols.imap.test_arguments import COMMANDS_AND_VALUES
from tests.protocols.mime.test_hostile import HOSTILE
from tests.protocols.reports import samples
from tests.protocols.reports.test_packed import zipped
from tests.protocols.smtp.peer import LMTP, MX, SUBMISSION

DIALOGUES = Path(__file__).parents[1] / "dialogues"
SEED_OCTETS_MAX = 4096

Target = Callable[[bytes], None]
"""Raises nothing whatever the octets are: AssertionError, or any other exception, is a finding."""


@dataclass(frozen=True, slots=True)
class Fuzzed:
    run: Target
    seeds: Callable[[], Iterable[bytes]]


def _dialogues(protocol: str) -> Iterator[bytes]:
    for path in sorted((DIALOGUES / protocol).glob("*.txt")):
        turns = list(read(path.read_text("latin-1")))
        yield whole(b"".join(turn.segment for turn in turns))
        yield from (whole(turn.segment) for turn in turns if turn.segment)


def _replies() -> Iterator[bytes]:
    for path in sorted((DIALOGUES / "smtp").glob("*.txt")):
        for turn in read(path.read_text("latin-1")):
            yield whole("\r\n".join([*turn.expected, ""]).encode("latin-1"))


def _imap_commands() -> Iterator[bytes]:
    for octets, _ in COMMANDS_AND_VALUES:
        yield whole(b"t " + octets + b"\r\n")


def _messages() -> Iterator[bytes]:
    for pattern in HOSTILE.values():
        yield whole(pattern.message(300))


def _values() -> Iterator[bytes]:
    for pattern in HOSTILE.values():
        yield pattern.message(200)[:300]
    yield from (
        b'"J. Doe" <joe(comment)@example.org>, group: a@b, =?utf-8?q?=C3=A9?= <c@d>;',
        b"Fri, 21 Nov 1997 09:55:06 -0600 (CST)",
        b'text/plain; charset*0="us-"; charset*1*=\'\'ascii%20; name="a\\"b"',
        b"iso-2022-jp\n\x1b$B$3$s\x1b(B",
    )


TARGETS = {
    "smtp-mx": Fuzzed(sessions.same_in_any_cut(sessions.smtp_start(MX)), lambda: _dialogues("smtp")),
    "smtp-lmtp": Fuzzed(sessions.same_in_any_cut(sessions.smtp_start(LMTP)), lambda: _dialogues("smtp")),
    "smtp-submission": Fuzzed(
        sessions.same_in_any_cut(sessions.smtp_start(SUBMISSION)), lambda: _dialogues("smtp")
    ),
    "smtp-client": Fuzzed(sessions.smtp_client, _replies),
    "imap-greeted": Fuzzed(sessions.same_in_any_cut(sessions.imap_start()), lambda: _dialogues("imap")),
    "imap-selected": Fuzzed(
        sessions.same_in_any_cut(sessions.imap_start(b"a LOGIN ann sesame\r\nb SELECT INBOX\r\n")),
        _imap_commands,
    ),
    "pop3-greeted": Fuzzed(sessions.same_in_any_cut(sessions.pop3_start()), lambda: _dialogues("pop3")),
    "pop3-transaction": Fuzzed(
        sessions.same_in_any_cut(sessions.pop3_start(b"USER ann\r\nPASS open sesame\r\n")),
        lambda: _dialogues("pop3"),
    ),
    "message": Fuzzed(texts.message, _messages),
    "header": Fuzzed(texts.header, _values),
    "mailbox-name": Fuzzed(texts.mailbox_name, lambda: [b"INBOX", b"&AOk-t&AOk-", b"&Jjo-!", b"a&-b%*/c"]),
    "paths": Fuzzed(
        texts.paths, lambda: [b"<a@b.example> SIZE=1", b'<"a b"@[IPv6:::1]>', b"<@a,@b:c@d>", b"a+2Bb"]
    ),
    "exchange": Fuzzed(
        texts.exchange,
        lambda: [b"\0ann\0pencil", b"n,,n=user,r=fyko\nc=biws,r=fyko,p=dHzb\n", b"y,a=x,n=u=2C=3D,r=r"],
    ),
    "zones": Fuzzed(
        zones.judgement,
        lambda: [
            b"a:%{l1r-}.%{d2} mx ptr include:b.test exp=c.test\0ip4:192.0.2.0/9 ?all\0redirect=fails.test",
            b"p=reject; psd=y\0 exists:%{ir}.%{v}.none.test ip6:::/0 ~a//64\0 include:%{h} include:%{o}",
        ],
    ),
    "verdict": Fuzzed(
        zones.verdict,
        lambda: [
            b"From: a@sub.a.test\r\nDKIM-Signature: v=1; a=rsa-sha256; d=a.test; s=c; h=from; b=AA==; bh="
            + b"A" * 43
            + b"=\0v=DKIM1; p=AA==\0p=reject\0ip4:192.0.2.9 -all",
            b"ARC-Seal: i=1; a=rsa-sha256; cv=none; d=b.test; s=c; b=AA==\r\nFrom: (x) <a@fails.test>\0mx",
        ],
    ),
    "dns-answer": Fuzzed(zones.answer, zones.answers),
    "sts": Fuzzed(
        texts.sts,
        lambda: [
            b"version: STSv1\r\nmode: enforce\r\nmx: *.a.test\r\nmx: b.test\r\nmax_age: 86400\r\n",
            b"v=STSv1; id=20160831085700Z;\0v=STSv1",
        ],
    ),
    "policy": Fuzzed(
        texts.policy,
        lambda: [b"v=DMARC1; p=reject; sp=none; np=quarantine; psd=n; t=y; rua=mailto:a@b.c!10m", b"a.b.c.d"],
    ),
    "unforged": Fuzzed(
        texts.unforged,
        lambda: [whole(b"A: b\r\nAuthentication-Results: (c)\r\n mx.test; none\r\n d\r\n\r\nbody")],
    ),
    "author": Fuzzed(
        texts.author_and_results, lambda: [b"a@b.example, c@d.example", b'(c) "mx.test" 1; none']
    ),
    "signatures": Fuzzed(
        texts.signature_and_chain,
        lambda: [
            b"From: a@b\r\nDKIM-Signature: v=1; a=rsa-sha256; d=b; s=c; h=from:to; bh="
            + b"A" * 43
            + b"=; b=AA==;\r\n l=1; x=9; i=@d.b; c=simple\r\n",
            b"ARC-Seal: i=1; a=rsa-sha256; cv=none; d=b; s=c; b=AA==\r\n"
            b"ARC-Authentication-Results: i=1; b; none\r\nARC-Message-Signature: i=1; a=rsa-sha256;"
            b" d=b; s=c; h=; b=AA==; bh=" + b"A" * 43 + b"=\r\n",
            b"v=DKIM1; k=ed25519; h=sha256; s=email; t=y:s; p=AA==",
        ],
    ),
    "reports-aggregate": Fuzzed(
        reports.aggregate, lambda: [aggregate.write(samples.AGGREGATE), samples.SUCCESSOR]
    ),
    "reports-tls": Fuzzed(reports.tls_json, lambda: [tls.write(samples.TLS)]),
    "reports-failure": Fuzzed(reports.feedback, lambda: [samples.FAILURE]),
    "reports-packed": Fuzzed(
        reports.packed, lambda: [packed(b"<a/>" * 99), zipped(8, b"<a/>" * 99), zipped(0, b"<a/>")]
    ),
    "deflated": Fuzzed(texts.deflated, lambda: [whole(Deflate(13, 6).deflate(b"a NOOP\r\n" * 20))]),
    "signed": Fuzzed(
        texts.signed, lambda: [whole(b"a  b \t\r\n\r\n\r\n"), whole(b"Subject : a\r\n  b \r\n")]
    ),
}


def seeds_of(name: str) -> Iterator[bytes]:
    return (octets for octets in TARGETS[name].seeds() if len(octets) <= SEED_OCTETS_MAX)


def found_of(name: str) -> list[Path]:
    """What broke a target once, by the digest of its octets."""
    folder = Path(__file__).parent / "found" / name
    return sorted(folder.iterdir()) if folder.is_dir() else []
