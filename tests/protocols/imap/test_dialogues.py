"""Every dialogue goes as written, however its octets are cut."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from protocols.imap.answer import Answer
from protocols.imap.server import Session
from tests.dialogues.runner import play, read
from tests.protocols.imap.peer import CLEAR, IMPATIENT, LIMITS, STRICT, TLS, Greeted, Peer

DIALOGUES = sorted((Path(__file__).parents[2] / "dialogues" / "imap").glob("*.txt"))
POLICIES = {"starttls": STRICT, "literal-minus": replace(CLEAR, literal_minus=True)}
BOUNDS = {"mistakes-too-many": IMPATIENT}


@pytest.mark.parametrize("path", DIALOGUES, ids=lambda path: path.stem)
def test_a_dialogue_goes_as_written(path: Path) -> None:
    limits = BOUNDS.get(path.stem, LIMITS)
    peers: list[Peer] = []

    def factory(tls: bool) -> Greeted | Session:
        session = Session(limits, TLS if tls else POLICIES.get(path.stem, CLEAR))
        peers.append(Peer(lambda: session.enabled))
        return session if tls else Greeted(session)

    def answers(event: Any) -> Iterable[Answer]:
        return peers[-1](event)

    play(factory, path.read_text("latin-1"), answers, lambda words: peers[-1].news(words))


def test_there_are_dialogues_and_each_says_something() -> None:
    assert len(DIALOGUES) >= 12
    assert all(sum(len(turn.expected) for turn in read(path.read_text("latin-1"))) for path in DIALOGUES)
