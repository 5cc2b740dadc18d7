"""Plays a conversation written down as text against a session of any protocol, cut in any way.

A dialogue is a text file:

    # a remark; empty lines are skipped
    C: EHLO client.example          the peer sends this line and CRLF
    C\\ first\\n.\\r\\n\\x00             the peer sends exactly these octets (escapes as in a Python literal)
    C* 300 A                        the peer sends 300 times "A", without a line end
    S: 250-mx.example               we answer with this line and CRLF
    S: 220 mx.example ...           " ..." at the end stands for any rest of the line
    T:                              both sides change to TLS: a new session, what the old one held is lost
    N: EXISTS 5                     we say something unasked, as `news` words it

Peer's lines that stand together are one segment, and what we say until the peer speaks again must be exactly
the S: lines that follow. Octets are Latin-1 in the file, so that a dialogue may hold any of them.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol


class Session(Protocol):
    def feed(self, octets: bytes) -> None: ...

    def next(self) -> Any | None: ...

    def send(self, event: Any | None, answer: Any) -> bytes: ...


SessionFactory = Callable[[bool], Session]
"""Makes the session; the argument says whether TLS is up, which it is after a T: line."""

Answers = Callable[[Any], Iterable[Any]]
"""The parts we answer an event with, in order; none for an event that asks nothing."""

News = Callable[[str], Any]
"""What an N: line says, as an answer to no event."""

Cut = Callable[[bytes], Iterable[bytes]]


@dataclass(slots=True)
class Turn:
    """One segment of the peer's, or a change to TLS, or news, and the lines that must follow."""

    line: int
    segment: bytes = b""
    tls: bool = False
    news: str = ""
    expected: list[str] = field(default_factory=list)


def whole(segment: bytes) -> Iterable[bytes]:
    return (segment,)


def octet_by_octet(segment: bytes) -> Iterable[bytes]:
    return (segment[at : at + 1] for at in range(len(segment)))


def cut_at(share: float) -> Cut:
    """Two pieces, cut at that share of the segment."""

    def cut(segment: bytes) -> Iterable[bytes]:
        at = int(len(segment) * share)
        return (segment[:at], segment[at:])

    return cut


CUTS: tuple[Cut, ...] = (whole, octet_by_octet, *(cut_at(at / 17) for at in range(1, 17)))


def no_news(words: str) -> Any:
    raise AssertionError(f"this dialogue has no N: lines: {words}")


def play(session_factory: SessionFactory, text: str, answers: Answers, news: News = no_news) -> None:
    """The dialogue must go as written: whole, one octet at a time, and cut in two at many places."""
    turns = list(read(text))
    for cut in CUTS:
        _play_once(session_factory, turns, cut, answers, news)


def play_file(session_factory: SessionFactory, path: Path, answers: Answers, news: News = no_news) -> None:
    play(session_factory, path.read_text("latin-1"), answers, news)


def read(text: str) -> Iterator[Turn]:
    """The turns of a dialogue; the first one is ours, before the peer has said anything."""
    turn = Turn(0)
    for number, line in enumerate(text.splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        mark, rest = line[:2], line[3:]
        if mark == "S:":
            turn.expected.append(rest)
        elif mark in ("T:", "N:"):
            yield turn
            turn = Turn(number, tls=mark == "T:", news=rest)
        else:
            if turn.expected or turn.tls or turn.news or turn.line == 0:
                yield turn
                turn = Turn(number)
            turn.segment += octets(mark, rest, number)
    yield turn


def octets(mark: str, rest: str, number: int) -> bytes:
    if mark == "C:":
        return rest.encode("latin-1") + b"\r\n"
    if mark == "C\\":
        value: str = ast.literal_eval('"' + rest.replace('"', '\\"') + '"')
        return value.encode("latin-1")
    if mark == "C*":
        count, _, piece = rest.partition(" ")
        return piece.encode("latin-1") * int(count)
    raise ValueError(f"line {number}: expected C:, C\\, C*, S:, T:, N: or #, found {mark!r}")


def _play_once(factory: SessionFactory, turns: list[Turn], cut: Cut, answers: Answers, news: News) -> None:
    session = factory(False)
    for turn in turns:
        said = b""
        if turn.tls:
            session = factory(True)
        if turn.news:
            said += session.send(None, news(turn.news))
        for piece in cut(turn.segment):
            session.feed(piece)
            said += drain(session, answers)
        said += drain(session, answers)
        _compare(turn, said, cut)


def drain(session: Session, answers: Answers) -> bytes:
    """Answer every event the session has to give; what leaves meanwhile."""
    said = bytearray()
    while (event := session.next()) is not None:
        for answer in answers(event):
            said += session.send(event, answer)
    return bytes(said)


def _compare(turn: Turn, said: bytes, cut: Cut) -> None:
    lines = said.decode("latin-1").split("\r\n")
    assert lines.pop() == "", f"after line {turn.line}: what we say does not end with CRLF: {said!r}"
    same = len(lines) == len(turn.expected) and all(map(_matches, turn.expected, lines))
    where = f"after line {turn.line}, octets fed by {getattr(cut, '__qualname__', cut)}"
    assert same, "\n".join([where, "expected:", *turn.expected, "said:", *lines])


def _matches(expected: str, line: str) -> bool:
    return line.startswith(expected[:-4]) if expected.endswith(" ...") else line == expected
