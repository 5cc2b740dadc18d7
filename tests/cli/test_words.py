"""What is made of the commands' definition: completion for shells, and the manual page."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from mailnode.cli import main
from mailnode.cli.manual import commands, page
from mailnode.cli.words import parser

MANUAL = Path(__file__).parents[2] / "docs" / "mailnode.1"
ASKED = """
source /dev/stdin
COMP_WORDS=(mailnode account "") COMP_CWORD=2
_shtab_mailnode
printf '%s\\n' "${COMPREPLY[@]}"
"""


def test_bash_completes_the_words_of_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "bash"]) == 0
    script = capsys.readouterr().out
    done = subprocess.run(["bash", "-c", ASKED], input=script, capture_output=True, text=True, timeout=60)
    accounts = {words.split()[2] for words, _, _ in commands(parser()) if words.split()[1] == "account"}
    assert {"add", "list", "remove"} <= accounts <= set(done.stdout.split())


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_every_command_can_be_completed_in_other_shells(
    shell: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert "mailnode" in script and all(words.split()[-1] in script for words, _, _ in commands(parser()))
    if program := shutil.which(shell):
        (tmp_path / "script").write_text(script)
        subprocess.run([program, "-n", str(tmp_path / "script")], check=True, timeout=60)


def test_the_manual_page_has_every_command() -> None:
    for text in (page(parser()), MANUAL.read_text()):
        lines = text.replace("\\-", "-").splitlines()
        missing = [
            words
            for words, _, _ in commands(parser())
            if not any(line.startswith(f".B {words}") for line in lines)
        ]
        assert not missing, "`make man` makes it anew"
