"""What an import does with what no account could hold, and an export when it is run again."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from mailnode.cli import main

ALICE = "alice@example.test"
Told = pytest.CaptureFixture[str]


@pytest.fixture
def node(tmp_path: Path) -> Path:
    words = ["--domain", "example.test", "--local-only", "--account", f"{ALICE}:secret"]
    assert main(["init", str(tmp_path / "node"), *words]) == 0
    return tmp_path / "node"


def maildir(root: Path, *names: str) -> Path:
    for name in ("cur", "new", "tmp"):
        (root / name).mkdir(parents=True, exist_ok=True)
    for name in names:
        (root / "cur" / name).write_bytes(b"Subject: %b\n\nx\n" % os.fsencode(name))
    return root


def imported(node: Path, source: Path, capsys: Told, *words: str) -> tuple[int, Any]:
    capsys.readouterr()
    status = main(["import", "maildir", ALICE, str(source), "--json", "--dir", str(node), *words])
    return status, json.loads(capsys.readouterr().out)


def listed(node: Path, capsys: Told) -> dict[str, int]:
    assert main(["mailbox", "list", ALICE, "--json", "--dir", str(node)]) == 0
    return {each["name"]: each["messages"] for each in json.loads(capsys.readouterr().out)}


def test_a_name_that_no_mailbox_may_have_stops_no_other(node: Path, tmp_path: Path, capsys: Told) -> None:
    source = maildir(tmp_path / "source", "1.a.h:2,")
    maildir(source / ".a\nb", "2.a.h:2,")
    maildir(source / ".Work", "3.a.h:2,")
    status, told = imported(node, source, capsys)
    assert (status, told["imported"]) == (3, 2)
    assert [each["reason"] for each in told["failed"]] == ["it cannot be made: cannot"]


def test_names_and_dates_that_are_none_do_no_harm(node: Path, tmp_path: Path, capsys: Told) -> None:
    source = maildir(tmp_path / "source", "1.\udcff.h:2,ab")
    (source / "cur" / "2.\udcff.h:2,").write_bytes(b"\0")
    (source / "dovecot-keywords").write_text("0 good\n1 b(ad\n")
    os.utime(source / "cur" / "1.\udcff.h:2,ab", (2**33, 2**33))
    status, told = imported(node, source, capsys)
    assert (status, told["imported"], told["keywords_left_out"]) == (3, 1, ["b(ad"])
    assert told["failed"][0]["message"].endswith("2.?.h:2,")


def test_some_mailboxes_go_below_another(node: Path, tmp_path: Path, capsys: Told) -> None:
    source = maildir(tmp_path / "source", "1.a.h:2,")
    for name in (".Work", ".Work.Old", ".Play"):
        maildir(source / name, "2.a.h:2,")
    words = ("--mailbox", "Work*", "--into", "From home")
    assert imported(node, source, capsys, *words)[1]["imported"] == 2
    assert imported(node, source, capsys, *words)[1]["present"] == 2
    assert imported(node, source, capsys)[1]["imported"] == 4
    messages = {name: count for name, count in listed(node, capsys).items() if count}
    below = {"From home/Work": 1, "From home/Work/Old": 1}
    assert messages == {"INBOX": 1, "Play": 1, "Work": 1, "Work/Old": 1, **below}


def test_an_export_goes_on_and_takes_no_folder_of_another(node: Path, tmp_path: Path, capsys: Told) -> None:
    imported(node, maildir(tmp_path / "source", "1.a.h:2,", "2.a.h:2,S", "3.a.h:2,"), capsys)
    words = ["export", "maildir", ALICE, str(tmp_path / "out"), "--dir", str(node), "--json"]
    assert main(words) == 0
    before = sorted((tmp_path / "out" / "cur").iterdir())
    uids = (tmp_path / "out" / "dovecot-uidlist").read_text()
    before[0].unlink()
    (seen,) = (path for path in before if path.name.endswith(":2,S"))
    seen.rename(seen.with_name(seen.name.replace(":2,S", ":2,FT")))
    capsys.readouterr()
    assert main(words) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["exported"], told["present"]) == (1, 2)
    assert sorted((tmp_path / "out" / "cur").iterdir()) == before
    assert (tmp_path / "out" / "dovecot-uidlist").read_text() == uids

    maildir(tmp_path / "other", "1.theirs.h:2,")
    assert main(["export", "maildir", ALICE, str(tmp_path / "other"), "--dir", str(node)]) == 1
    assert "has messages that are not of 'INBOX', such as '1.theirs.h:2,'" in capsys.readouterr().err


def test_what_is_not_there_is_said_in_one_line(node: Path, tmp_path: Path, capsys: Told) -> None:
    none = str(tmp_path / "none")
    for words in (
        ["import", "maildir", ALICE, none],
        ["import", "mbox", ALICE, none],
        ["import", "maildir", "nobody@example.test", str(maildir(tmp_path / "source"))],
        ["export", "mbox", ALICE, none, "--mailbox", "No*"],
    ):
        assert main([*words, "--dir", str(node)]) == 1
        assert capsys.readouterr().err.count("\n") == 1


def test_mailboxes_whose_names_no_file_may_have_get_each_a_file_of_their_own(
    node: Path, tmp_path: Path, capsys: Told
) -> None:
    names = [".a", "_a", "%2ea", "..", "A", "A.mbox/B", "A%2embox/B"]
    for name in names:
        words = ("--into", name)
        assert imported(node, maildir(tmp_path / "source", "1.a.h:2,"), capsys, *words)[0] == 0
    out = tmp_path / "out" / "mbox"
    out.mkdir(parents=True)
    assert main(["export", "mbox", ALICE, str(out), "--dir", str(node)]) == 0
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert len(files) == len(names)
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
