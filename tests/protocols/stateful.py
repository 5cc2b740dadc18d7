"""A conversation of any commands in any order, cut anywhere, answered in any order that the session allows.

What a protocol says of its own is a subclass: the words of a peer, and what a listener answers to an event.
Answers carry numbers in the order in which their events were given, so that what left can be judged.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from tests.dialogues.runner import Session

_NUMBER = re.compile(rb"#(\d+)#")


def mark(number: int) -> str:
    return f"answer #{number}#"


class Conversation(RuleBasedStateMachine):
    """`open` are the events that were given and not answered, oldest first, each with its number."""

    session: Session

    def __init__(self) -> None:
        super().__init__()
        self.open: list[tuple[Any, int]] = []
        self.given = 0
        self.marked: list[int] = []
        self.said = b""

    def asks(self, event: Any) -> bool:
        """Whether the event has an answer at all."""
        raise NotImplementedError

    def answers(self, event: Any, text: str, yes: bool) -> Sequence[Any]:
        """What a listener says to it, in parts; an answer of the listener's own words carries `text`."""
        raise NotImplementedError

    def is_marked(self, event: Any, answers: Sequence[Any], text: str) -> bool:
        return any(text in repr(answer) for answer in answers)

    def hear(self, octets: bytes, at: int) -> None:
        cut = at % (len(octets) + 1)
        for piece in (octets[:cut], octets[cut:]):
            self.session.feed(piece)

    @rule()
    def take(self) -> None:
        """Every event that the session gives now."""
        while (event := self.session.next()) is not None:
            if self.asks(event):
                self.given += 1
                self.open.append((event, self.given))

    @precondition(lambda self: self.open)
    @rule(which=st.integers(0, 9), yes=st.integers(0, 4).map(bool))
    def answer(self, which: int, yes: bool) -> None:
        event, number = self.open.pop(which % len(self.open))
        text = mark(number)
        answers = self.answers(event, text, yes)
        if self.is_marked(event, answers, text):
            self.marked.append(number)
        for answer in answers:
            self.said += self.session.send(event, answer)
        self.in_order()

    def in_order(self) -> None:
        numbers = [int(number) for number in _NUMBER.findall(self.said)]
        assert numbers == sorted(set(numbers)), f"answers left in the order {numbers}"

    def teardown(self) -> None:
        """Once everything is answered, every answer has left."""
        self.take()
        while self.open:
            self.answer(0, True)
            self.take()
        assert {int(number) for number in _NUMBER.findall(self.said)} == set(self.marked)
