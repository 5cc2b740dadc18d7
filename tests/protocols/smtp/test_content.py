"""What ends content, and what becomes of it: the end-of-data look-alikes, however they are cut."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.smtp import reply
from protocols.smtp.content import Counted, Dotted, Text
from protocols.smtp.event import Mail
from protocols.smtp.profile import BareNewline, Profile
from protocols.smtp.reply import Reply
from tests.dialogues.runner import CUTS, drain
from tests.protocols.smtp.peer import LMTP, MX, Peer, opened

VECTORS = Path(__file__).parents[4] / "shared" / "vectors" / "smtp" / "smuggling_sequences.json"

# name, sequence; those of the vectors that are not CRLF.CRLF, so that a clone without them has them too
OURS = [
    ("LF.LF", b"\n.\n"),
    ("LF.CR", b"\n.\r"),
    ("LF.CRLF", b"\n.\r\n"),
    ("CR.CRLF", b"\r.\r\n"),
    ("CR.LF", b"\r.\n"),
    ("CR.CR", b"\r.\r"),
    ("CRLF.LF", b"\r\n.\n"),
    ("CRLF.CR", b"\r\n.\r"),
    ("CRLF NUL . CRLF", b"\r\n\0.\r\n"),
    ("CRLF.NUL CRLF", b"\r\n.\0\r\n"),
    ("CRLF.CRCRLF", b"\r\n.\r\r\n"),
    ("CRLF..CRLF", b"\r\n..\r\n"),
    ("CRLF.SP CRLF", b"\r\n. \r\n"),
    ("CRLF SP.CRLF", b"\r\n .\r\n"),
    ("NEL.NEL", "\x85.\x85".encode()),
    ("VT.VT", b"\v.\v"),
]


def sequences() -> list[tuple[str, bytes]]:
    if not VECTORS.exists():
        return OURS
    found = json.loads(VECTORS.read_text())["sequences"]
    ends = [one for one in found if one["inside_data_is_end_of_data"]]
    assert [one["bytes_hex"] for one in ends] == ["0d0a2e0d0a"]
    theirs = [(one["name"], bytes.fromhex(one["bytes_hex"])) for one in found if one not in ends]
    return OURS + [pair for pair in theirs if pair not in OURS]


SECOND = b"MAIL FROM:<admin@victim.example>\r\nRCPT TO:<bob@here.example>\r\nDATA\r\nsmuggled"
ENVELOPE = b"HELO c\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<bob@here.example>\r\nDATA\r\n"


@pytest.mark.parametrize("profile", [MX, LMTP], ids=["reject", "normalize"])
@pytest.mark.parametrize(("name", "sequence"), sequences(), ids=lambda value: str(value)[:24])
def test_no_look_alike_ends_content(name: str, sequence: bytes, profile: Profile) -> None:
    content = b"Subject: x\r\n\r\nfirst" + sequence + SECOND + b"\r\n.\r\n"
    hello = ENVELOPE.replace(b"HELO", b"LHLO") if profile is LMTP else ENVELOPE
    said = set()
    for cut in CUTS:
        peer = Peer()
        session = opened(profile)
        session.feed(hello)
        drain(session, peer)
        answers = b""
        for piece in cut(content + b"NOOP\r\n"):
            session.feed(piece)
            answers += drain(session, peer)
        assert sum(isinstance(event, Mail) for event in peer.events) == 1
        assert answers.count(b"\r\n") == 2 and answers.endswith(b"250 2.0.0 OK\r\n")
        assert all(b"smuggled" in content for content in peer.contents)
        said.add((answers, *peer.contents))
    assert len(said) == 1


# bare_newline, octets before the end, and what is stored of them or how they are refused
N, R = BareNewline.NORMALIZE, BareNewline.REJECT
CONTENTS: list[tuple[BareNewline, bytes, bytes | Reply]] = [
    (R, b"", b""),
    (R, b"a\r\n", b"a\r\n"),
    (R, b"..\r\n", b".\r\n"),
    (R, b"...\r\n", b"..\r\n"),
    (R, b".a\r\n", b"a\r\n"),
    (R, b"a\r\n..\r\n..b\r\n", b"a\r\n.\r\n.b\r\n"),
    (R, b"a.\r\n", b"a.\r\n"),
    (R, b"\r\n\r\n", b"\r\n\r\n"),
    (R, b"\xff\xfe\x80\r\n", b"\xff\xfe\x80\r\n"),
    (R, b"x" * 5000 + b"\r\n", b"x" * 5000 + b"\r\n"),
    (R, b"a\n\r\n", reply.BARE_LF),
    (R, b"\n\r\n", reply.BARE_LF),
    (R, b"a\rb\r\n", reply.BARE_CR),
    (R, b"a\r\r\n", reply.BARE_CR),
    (R, b"a\rb\nc\r\n", reply.BARE_CR),
    (R, b"a\0\r\n", reply.HAS_NUL),
    (N, b"a\nb\r\n", b"a\r\nb\r\n"),
    (N, b"\n\n\r\n", b"\r\n\r\n\r\n"),
    (N, b"a\n.\nb\r\n", b"a\r\n.\r\nb\r\n"),
    (N, b"a\n..\nb\r\n", b"a\r\n..\r\nb\r\n"),
    (N, b"a\r\n.\nb\r\n", b"a\r\n.\r\nb\r\n"),
    (N, b"a\r\n..\nb\r\n", b"a\r\n..\r\nb\r\n"),
    (N, b"a\r\n..b\nc\r\n", b"a\r\n.b\r\nc\r\n"),
    (N, b"a\n..b\r\n", b"a\r\n..b\r\n"),
    (N, b"..b\nc\r\n", b".b\r\nc\r\n"),
    (N, b"a\r\r\n", reply.BARE_CR),
    (N, b"a\n\rb\r\n", reply.BARE_CR),
    (N, b"a\n\0\r\n", reply.HAS_NUL),
    (N, b"x" * 200 + b"\r\n" + b"y" * 200 + b"\r\n", b"x" * 200 + b"\r\n" + b"y" * 200 + b"\r\n"),
    (N, b"y" * 1001 + b"\r\n", reply.MESSAGE_TOO_BIG),
]


def taken(content: Dotted | Counted, pieces: list[bytes]) -> list[bytes]:
    slices = []
    for piece in pieces:
        content.feed(piece)
        while not content.ended and (octets := content.next()) is not None:
            slices.append(octets)
    return slices


@pytest.mark.parametrize(("bare_newline", "sent", "kept"), CONTENTS)
@pytest.mark.parametrize("slice_octets", [16, 128 * 1024])
def test_content_is_kept_or_refused_as_the_table_says(
    bare_newline: BareNewline, sent: bytes, kept: bytes | Reply, slice_octets: int
) -> None:
    octets_max = 1000 if kept is reply.MESSAGE_TOO_BIG else 10_000
    stream = sent + b".\r\nQUIT\r\n"
    for cut in CUTS:
        content = Dotted(Text(bare_newline, octets_max), slice_octets)
        slices = taken(content, list(cut(stream)))
        assert content.ended
        assert content.rest() == b"QUIT\r\n"
        assert content.fault == (kept if isinstance(kept, Reply) else None)
        if isinstance(kept, bytes):
            assert b"".join(slices) == kept


TRICKY = st.lists(st.sampled_from([b"\r", b"\n", b".", b"\r\n", b"\r\n.", b"ab", b"\0"]), max_size=40).map(
    b"".join
)


def by_definition(sent: bytes) -> bytes | None:
    """Stored octets under NORMALIZE, line by line as the RFC words it; None for what is refused."""
    if b"\0" in sent or b"\r" in sent.replace(b"\r\n", b""):
        return None
    stored = []
    for line in sent.split(b"\r\n")[:-1]:
        one_dot_before_a_bare_newline = line.startswith((b".\n", b"..\n"))
        stuffed = line.startswith(b".") and not one_dot_before_a_bare_newline
        stored.append((line[1:] if stuffed else line).replace(b"\n", b"\r\n") + b"\r\n")
    return b"".join(stored)


@given(sent=TRICKY, size=st.integers(8, 40), cuts=st.lists(st.integers(0, 120), max_size=6))
def test_slices_and_cuts_change_nothing(sent: bytes, size: int, cuts: list[int]) -> None:
    sent = (b"\r\n" + sent + b"\r\n").split(b"\r\n.\r\n")[0] + b"\r\n"
    stream = sent + b".\r\nrest"
    marks = sorted({min(cut, len(stream)) for cut in cuts} | {0, len(stream)})
    pieces = [stream[start:end] for start, end in pairwise(marks)]
    content = Dotted(Text(N, 10_000), size)
    slices = taken(content, pieces)
    stored = b"".join(slices)
    assert content.ended and content.rest() == b"rest"
    assert slices == taken(Dotted(Text(N, 10_000), size), [stream])
    assert (None if content.fault else stored) == by_definition(sent)


@given(sent=TRICKY, size=st.integers(8, 40), at=st.integers(0, 120))
def test_chunks_are_counted_whatever_they_hold(sent: bytes, size: int, at: int) -> None:
    first, second = sent[:at], sent[at:]
    content = Counted(Text(N, 10_000), size)
    content.begin(len(first), False)
    slices = taken(content, [first])
    content.begin(len(second), True)
    slices += taken(content, [second])
    assert content.ended
    refused = b"\0" in sent or b"\r" in sent.replace(b"\r\n", b"")
    normalized = sent.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    assert (None if content.fault else b"".join(slices)) == (None if refused else normalized)


def test_a_slice_is_given_before_content_ends() -> None:
    content = Dotted(Text(R, 10_000), 16)
    content.feed(b"0123456789\r\n" * 4)
    assert content.next() == b"0123456789\r\n0123"
    assert content.next() == b"456789\r\n01234567"
    assert content.next() is None
