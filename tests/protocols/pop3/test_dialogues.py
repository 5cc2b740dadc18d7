"""Every dialogue goes as written, however its octets are cut."""

from pathlib import Path

import pytest

from protocols.pop3.server import Session
from tests.dialogues.runner import play, read
from tests.protocols.pop3.peer import IMPATIENT, POLICY, STRICT, Greeted, Peer

DIALOGUES = sorted((Path(__file__).parents[2] / "dialogues" / "pop3").glob("*.txt"))
SPECIAL = {"stls": STRICT, "limits": IMPATIENT}


@pytest.mark.parametrize("path", DIALOGUES, ids=lambda path: path.stem)
def test_a_dialogue_goes_as_written(path: Path) -> None:
    policy = SPECIAL.get(path.stem, POLICY)

    def factory(tls: bool) -> Greeted | Session:
        return Session(policy, True) if tls else Greeted(Session(policy, False))

    play(factory, path.read_text("latin-1"), Peer())


def test_there_are_dialogues_and_each_says_something() -> None:
    assert len(DIALOGUES) >= 9
    assert all(sum(len(turn.expected) for turn in read(path.read_text("latin-1"))) for path in DIALOGUES)
