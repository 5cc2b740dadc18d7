"""The runner itself: it must fail where a dialogue goes otherwise."""

import pytest

from tests.dialogues.runner import play, read


class Echo:
    """Says every whole line back; forgets half a line when it is made anew."""

    def __init__(self, tls: bool) -> None:
        self.mark = b"tls " if tls else b""
        self.buffer = b""

    def feed(self, octets: bytes) -> None:
        self.buffer += octets

    def next(self) -> bytes | None:
        line, end, rest = self.buffer.partition(b"\n")
        if not end:
            return None
        self.buffer = rest
        return line

    def send(self, event: bytes | None, answer: bytes) -> bytes:
        return self.mark + answer + b"\r\n"


def test_lines_octets_and_repetitions_make_one_segment() -> None:
    turns = list(read("# remark\n\nC: a\nC\\ b\\x00\\r\\n\nC* 3 xy\nS: 1\nS: 2\nC: c\n"))
    assert [turn.segment for turn in turns] == [b"", b"a\r\nb\0\r\nxyxyxy", b"c\r\n"]
    assert turns[1].expected == ["1", "2"]


def test_a_dialogue_that_goes_as_written_passes_in_all_cuts() -> None:
    text = "C: hello\nS: hello\nC\\ lost\nT:\nC: new\nS: tls ne ...\nN: five\nS: tls five\n"
    play(Echo, text, lambda line: [line.rstrip(b"\r")], lambda words: words.encode())


@pytest.mark.parametrize("text", ["C: a\nS: b\n", "C: a\n", "C: a\nS: a\nS: a\n", "S: a\n"])
def test_a_dialogue_that_goes_otherwise_fails(text: str) -> None:
    with pytest.raises(AssertionError, match="after line"):
        play(Echo, text, lambda line: [line.rstrip(b"\r")])
