"""Plays a case against a running server."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Protocol

from tests.cases.reading import Case, Step, read_step
from tests.cases.wire import Wire
from tests.dialogues.runner import octets

_PIECE = re.compile(r"\.\.\.|\$\((\w+)\)")
SENDING = frozenset({"C:", "C\\", "C*"})


class House(Protocol):
    """What a protocol's cases stand on. `probe`: lines of a case, played where a connection is still open."""

    @property
    def probe(self) -> str: ...

    @property
    def tls(self) -> ssl.SSLContext: ...

    def reset(self) -> None:
        """Before each case: nothing of the one before is left."""

    def open(self, scene: str) -> Wire:
        """Connect and bring it so far; raises ValueError for a scene that there is not."""

    def settled(self, wire: Wire, line: str) -> None:
        """Read until the command `line` has gone well; AssertionError when it has not."""


class _Play:
    """One case on its way: its connections, and the words that stand for its $(names)."""

    def __init__(self, case: Case, house: House) -> None:
        self._house = house
        self.words: dict[str, str] = {}
        self.wires: dict[int, Wire] = {}
        for connection, scene in sorted(case.scenes.items()):
            self.wires[connection] = house.open(scene)

    def step(self, group: list[Step]) -> None:
        """Steps of one connection and kind that stand together."""
        wire = self.wires[group[0].connection]
        mark = group[0].mark
        if mark in SENDING:
            wire.send(b"".join(octets(s.mark, self._said(s.text), s.line) for s in group))
        elif mark == "S&":
            self._unordered(wire, group)
        else:
            for step in group:
                self._one(wire, step)

    def _one(self, wire: Wire, step: Step) -> None:
        if step.mark == "C=":
            line = self._said(step.text)
            wire.send(line.encode("latin-1") + b"\r\n")
            self._house.settled(wire, line)
        elif step.mark == "S:":
            line = wire.line().decode("latin-1")
            assert self._matches(step.text, line), f"line {step.line}: expected {step.text!r}, said {line!r}"
        elif step.mark == "S\\":
            expected = octets("C\\", step.text, step.line)
            said = wire.exactly(len(expected))
            assert said == expected, f"line {step.line}: expected {expected!r}, said {said!r}"
        elif step.mark == "T:":
            wire.start_tls(self._house.tls)
        else:
            self._leave(wire, step)

    def _leave(self, wire: Wire, step: Step) -> None:
        if step.mark == "E:":
            rest = wire.rest()
            assert not rest, f"line {step.line}: said before it closed: {rest!r}"
        wire.close()
        del self.wires[step.connection]

    def skip(self, step: Step, until: Step | None) -> None:
        """Lines like `step`, until one is what must follow."""
        wire = self.wires[step.connection]
        while True:
            octets_read = wire.line()
            line = octets_read.decode("latin-1")
            ends = until is not None and self._matches(until.text, line)
            if ends or not self._matches(step.text, line):
                wire.unread(octets_read)
                return

    def _unordered(self, wire: Wire, group: list[Step]) -> None:
        left = list(group)
        while left:
            line = wire.line().decode("latin-1")
            found = next((step for step in left if self._matches(step.text, line)), None)
            expected = [step.text for step in left]
            assert found is not None, f"line {group[0].line}: expected one of {expected}, said {line!r}"
            left.remove(found)

    def _said(self, text: str) -> str:
        return _PIECE.sub(lambda piece: self.words[piece[1]] if piece[1] else piece[0], text)

    def _matches(self, expected: str, line: str) -> bool:
        found = re.fullmatch(self._pattern(expected), line, re.DOTALL)
        if found:
            self.words |= found.groupdict()
        return found is not None

    def _pattern(self, expected: str) -> str:
        pattern, at, new = "", 0, set[str]()
        for piece in _PIECE.finditer(expected):
            name = piece[1]
            pattern += re.escape(expected[at : piece.start()])
            at = piece.end()
            if name is None:
                pattern += ".*?"
            elif name in self.words:
                pattern += re.escape(self.words[name])
            else:
                pattern += f"(?P={name})" if name in new else rf"(?P<{name}>[^\s()\[\]]+?)"
                new.add(name)
        return pattern + re.escape(expected[at:])


def play(case: Case, house: House) -> None:
    """The case must go as written; AssertionError tells where it did not, and what was said till then."""
    house.reset()
    game = _Play(case, house)
    wires = dict(game.wires)
    try:
        _play(game, case.steps)
        for connection, wire in list(game.wires.items()):
            _probe(game, connection, wire, house.probe)
    except (AssertionError, EOFError, TimeoutError) as fault:
        raise AssertionError(_told(case, fault, wires)) from None
    finally:
        for wire in wires.values():
            wire.close()


def _play(game: _Play, steps: Iterable[Step]) -> None:
    groups = list(_groups(steps))
    for group, after in zip(groups, [*groups[1:], None], strict=True):
        if group[0].mark == "S*":
            follows = after is not None and after[0].mark == "S:"
            game.skip(group[0], after[0] if after is not None and follows else None)
        else:
            game.step(group)


def _groups(steps: Iterable[Step]) -> Iterator[list[Step]]:
    """Steps that go as one: what leaves in one piece, what comes in any order; else one alone."""

    def kind(step: Step) -> tuple[int, str, int]:
        together = "C" if step.mark in SENDING else step.mark
        return step.connection, together, 0 if together in ("C", "S&") else step.line

    for _, group in groupby(steps, kind):
        yield list(group)


def _probe(game: _Play, connection: int, wire: Wire, probe: str) -> None:
    steps = (read_step(0, line) for line in probe.splitlines())
    _play(game, [Step(0, s.mark, connection, s.text) for s in steps])
    left = "" if connection not in game.wires else wire.left_over
    assert not left, f"after the end of the case: {left!r}"


def _told(case: Case, fault: BaseException, wires: dict[int, Wire]) -> str:
    said = [f"{case.path.name}:{case.line}: {case.sentence} ({case.sections})", str(fault)]
    for connection, wire in wires.items():
        said += [f"connection {connection}:", *wire.transcript[-30:]]
    return "\n".join(said)
