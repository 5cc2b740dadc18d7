"""Names of mailboxes with every legal character, said by sessions of both revisions (RFC 9051 §5.1)."""

from __future__ import annotations

from pathlib import Path
from unicodedata import normalize

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailnode.limits import Limits
from protocols.imap import utf7
from tests.listeners.imap_dialogue import Wire, house, logged_in
from tests.listeners.loop import run

UNUSUAL = st.sampled_from('"%*\\&~ ()[]{}$;,+-ÅåΩé\u0301\u0308한😀\u200d\xa0.')
LETTERS = st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp"), exclude_characters="/")
LEVEL = st.text(UNUSUAL | LETTERS, min_size=1, max_size=12)
NAMES = st.lists(st.lists(LEVEL, min_size=1, max_size=3).map("/".join), min_size=1, max_size=5)


async def answer(wire: Wire, command: bytes) -> list[str]:
    """The untagged lines of an answer that is OK."""
    wire.write(b"t " + command + b"\r\n")
    lines = []
    while not (line := await wire.line()).startswith("t "):
        lines.append(line)
    assert line.startswith("t OK "), (command, line)
    return lines


def quoted(name: bytes) -> bytes:
    return b'"%b"' % name.replace(b"\\", b"\\\\").replace(b'"', b'\\"')


def unquoted(line: str) -> str:
    """The name at the end of a LIST response."""
    name = line.partition(' "/" ')[2]
    return name[1:-1].replace('\\"', '"').replace("\\\\", "\\") if name.startswith('"') else name


def with_parents(names: list[str]) -> set[str]:
    """In NFC, INBOX in capitals, with what CREATE makes above them."""
    made = {"INBOX"}
    for name in names:
        levels = normalize("NFC", name).split("/")
        levels[0] = "INBOX" if levels[0].upper() == "INBOX" else levels[0]
        made |= {"/".join(levels[:count]) for count in range(1, len(levels) + 1)}
    return made


@given(NAMES)
@settings(max_examples=40, deadline=None)
def test_a_name_is_the_same_to_sessions_of_both_revisions(
    tmp_path_factory: pytest.TempPathFactory, names: list[str]
) -> None:
    async def body(directory: Path) -> None:
        async with house(directory, Limits()) as served:
            newer, older = await logged_in(served.port), await logged_in(served.port)
            await answer(newer, b"ENABLE IMAP4rev2")
            made = {"INBOX"}
            for name in names:
                if not with_parents([name]) <= made:
                    newer.write(b"c CREATE " + quoted(name.encode()) + b"\r\n")
                    while not (line := await newer.line()).startswith("c "):
                        assert line.startswith("* LIST ")
                    assert line.startswith("c OK "), (name, line)
                    made |= with_parents([name])
            listed = await answer(newer, b'LIST "" *')
            assert {unquoted(line) for line in listed} == made
            in_utf7 = {utf7.encode(name).decode() for name in made}
            listed = await answer(older, b'LIST "" *')
            assert {unquoted(line) for line in listed} == in_utf7
            for name in sorted(in_utf7):
                await answer(older, b"STATUS " + quoted(name.encode()) + b" (MESSAGES)")

    run(body(tmp_path_factory.mktemp("names")))
