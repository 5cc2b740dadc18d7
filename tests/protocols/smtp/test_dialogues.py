"""Every dialogue goes as written, however its octets are cut."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from protocols.smtp.event import Answer, Event
from protocols.smtp.profile import Channel
from protocols.smtp.server import Session
from tests.dialogues.runner import play, read
from tests.protocols.smtp.peer import LMTP, MX, SUBMISSION, Peer

DIALOGUES = sorted((Path(__file__).parents[2] / "dialogues" / "smtp").glob("*.txt"))
SPECIAL = {"lmtp": LMTP, "submission": SUBMISSION}


class Greeted:
    """A session that says its greeting by itself, as the first thing a listener does."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.greeted = False

    def feed(self, octets: bytes) -> None:
        self.session.feed(octets)

    def next(self) -> Event | str | None:
        if not self.greeted:
            self.greeted = True
            return "greeting"
        return self.session.next()

    def send(self, event: Event | str | None, answer: Answer) -> bytes:
        return self.session.send(None if isinstance(event, str) else event, answer)


@pytest.mark.parametrize("path", DIALOGUES, ids=lambda path: path.stem)
def test_a_dialogue_goes_as_written(path: Path) -> None:
    profile = SPECIAL.get(path.stem, MX)
    peer = Peer()

    def factory(tls: bool) -> Greeted | Session:
        if tls:
            return Session(profile, Channel.TLS)
        return Greeted(Session(profile, Channel.PLAIN))

    greeting = Session(profile, Channel.PLAIN).greeting

    def answers(event: Event | str) -> Iterable[Answer]:
        return [greeting] if isinstance(event, str) else peer(event)

    play(factory, path.read_text("latin-1"), answers)


def test_there_are_dialogues_and_each_says_something() -> None:
    assert len(DIALOGUES) >= 10
    assert all(sum(len(turn.expected) for turn in read(path.read_text("latin-1"))) for path in DIALOGUES)
