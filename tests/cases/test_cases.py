"""The runner itself: it reads what a file says, and fails where the dialogue goes otherwise."""

from __future__ import annotations

import socketserver
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cases.playing import play
from tests.cases.reading import Case, cases_of
from tests.cases.wire import Wire


class Echo(socketserver.StreamRequestHandler):
    """Says every line back; `many A` says `A 1`, `A 2`, `B 7`; `bye` ends; `twice` answers once too often."""

    def handle(self) -> None:
        for line in self.rfile:
            words = line.split()
            if words[0] == b"bye":
                return
            if words[0] == b"many":
                self.wfile.write(b"%b 1\r\n%b 2\r\nB 7\r\n" % (words[1], words[1]))
            else:
                self.wfile.write(line * (2 if words[0] == b"twice" else 1))


class EchoHouse:
    probe = "C: probe\nS: probe"
    tls = ssl.create_default_context()

    def __init__(self, port: int) -> None:
        self.port = port

    def reset(self) -> None:
        pass

    def open(self, scene: str) -> Wire:
        return Wire(self.port)

    def settled(self, wire: Wire, line: str) -> None:
        assert wire.line() == line.encode()


@pytest.fixture(scope="module")
def house() -> Iterator[EchoHouse]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Echo) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield EchoHouse(server.server_address[1])
        server.shutdown()


def case(tmp_path: Path, text: str) -> Case:
    path = tmp_path / "some.cases"
    path.write_text(text)
    (only,) = cases_of(path)
    return only


HEAD = "@ open\n== It holds (RFC 1 §1)\n"


@pytest.mark.parametrize(
    "steps",
    [
        "C: a\nS: a\n",
        "C: a b c\nS: a ... c\n",
        "C= a\nC\\ b\\r\\n\nC* 3 x\nC:\nS: b\nS: xxx\n",
        "C: one\nC: two\nS& two\nS& one\n",
        "C: many A\nS* A ...\nS: B 7\n",
        "C: many B\nS* B ...\nS: B 7\n",
        "C: many A\nS: A $(x)\nS: A $(y)\nS: B 7\nC: $(x)$(y)\nS: 12\n",
        "C: ab\nS\\ a\nS: b\n",
        "C: bye\nE:\n",
        "X:\n",
        "@2 open\nC2: a\nC: b\nS: b\nS2: a\n",
    ],
)
def test_a_case_that_goes_as_written_passes(steps: str, tmp_path: Path, house: EchoHouse) -> None:
    play(case(tmp_path, HEAD + steps), house)


@pytest.mark.parametrize(
    "steps",
    [
        "C: a\nS: b\n",
        "C: a\n",
        "C= twice\n",
        "C: twice\nS: twice\n",
        "C: a\nC: b\nS: b\nS: a\n",
        "C: many A\nS* A ...\n",
        "C: many A\nS: A $(x)\nS: A $(x)\nS: B 7\n",
        "C: many A\nS& A 1\nS& A 3\nS: B 7\n",
        "C: ab\nS\\ a\nS: c\n",
        "C: a\nC: bye\nE:\n",
        "C: bye\n",
    ],
)
def test_a_case_that_goes_otherwise_fails(steps: str, tmp_path: Path, house: EchoHouse) -> None:
    with pytest.raises(AssertionError, match="It holds"):
        play(case(tmp_path, HEAD + steps), house)


@pytest.mark.parametrize(
    "text", ["== No section\nC: a\n", HEAD + "Q: a\n", HEAD + "E* a\n", HEAD + "something\n"]
)
def test_what_is_no_case_is_not_read(text: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"not|no line"):
        case(tmp_path, text)


def test_a_scene_of_the_file_holds_where_the_case_names_none(tmp_path: Path) -> None:
    path = tmp_path / "some.cases"
    path.write_text("@ one\n== A (RFC 1 §1)\n@2 three\nC: a\n== B (RFC 2 §2, RFC 3 §3)\n@ two\n")
    first, second = cases_of(path)
    assert (first.scenes, second.scenes) == ({1: "one", 2: "three"}, {1: "two"})
    assert (second.sentence, second.sections) == ("B", "RFC 2 §2, RFC 3 §3")


def test_no_two_cases_prove_the_same_sentence() -> None:
    files = Path(__file__).parent.rglob("*.cases")
    headings = [(path.parent.name, each.sentence) for path in files for each in cases_of(path)]
    assert len(set(headings)) == len(headings), [h for h in headings if headings.count(h) > 1]
