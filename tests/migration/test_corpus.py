"""In and out again: the octets of every message are those that came, of real mail and of small samples."""

import gzip
import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mailnode.cli import main

CORPUS = Path(__file__).parents[3] / "shared" / "corpus"
ALICE, BOB, CAROL = (f"{name}@example.test" for name in ("alice", "bob", "carol"))
SAMPLES = {
    "lf.eml": b"A: 1\n\nFrom here\n>From there\n.\n",
    "crlf.eml": b"A: 2\r\n\r\nx\r\n",
    "mixed.eml": b"A: 3\r\n\r\nx\ny\r\n",
    "bare-cr.eml": b"A: 4\n\nx\ry\r\rz\n",
    "header-alone.eml": b"A: 5\n",
    "no-line-end.eml": b"A: 6\n\nlast",
    "8-bit.eml": b"A: \xfc\n\n\xff\xfe\n",
    "status.eml": b"Status: RO\nX-UID: 9\nContent-Length: 1\n\nx\n",
    "body-alone.eml": b"\nx\n",
    "empty.eml": b"",
    "nul.eml": b"A: 9\n\n\0\n",
    "empty-lines.eml": b"A: 7\n\nx\n\n\n",
    "long.eml": b"A: 8\n\n" + (b"From x" * 12 + b"\n") * 8_000 + b"From the last",
}

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """A command for a new node's directory: its status, and what it printed."""
    words = ["init", str(tmp_path / "node"), "--domain", "example.test", "--local-only"]
    for address in (ALICE, BOB, CAROL):
        words += ["--account", f"{address}:secret"]
    assert main(words) == 0
    capsys.readouterr()

    def command(*words: str | Path) -> tuple[int, str]:
        status = main([*map(str, words), "--dir", str(tmp_path / "node")])
        return status, capsys.readouterr().out

    return command


def maildir(root: Path, messages: dict[str, bytes]) -> Path:
    for name in ("cur", "new", "tmp"):
        (root / name).mkdir(parents=True)
    for at, octets in enumerate(messages.values(), 1):
        path = root / "cur" / f"{1_000_000_000 + at}.{at}.host:2,{'FS'[: at % 3]}"
        path.write_bytes(octets)
        os.utime(path, (1_000_000_000 + at, 1_000_000_000 + at))
    return root


def filed(root: Path) -> Counter[tuple[str, str, int, bytes]]:
    """Folder, flags, date and octets of each message of a Maildir."""
    return Counter(
        (
            str(path.parent.relative_to(root)),
            path.name.rpartition(":2,")[2],
            int(path.stat().st_mtime),
            path.read_bytes(),
        )
        for path in root.rglob("cur/*")
    )


def stored(octets: bytes) -> bytes:
    return re.sub(rb"(?<!\r)\n", b"\r\n", octets)


def there_and_back(run: Run, tmp_path: Path, files: dict[str, bytes]) -> None:
    """Into an account from a Maildir; out as both kinds; each of them in again, and out again."""
    source = maildir(tmp_path / "source", files)
    refused = sum(b"\0" in octets for octets in files.values())
    status, told = run("import", "maildir", ALICE, source, "--json")
    assert status == (3 if refused else 0)
    counts = json.loads(told)
    assert (counts["imported"], len(counts["failed"])) == (len(files) - refused, refused)
    assert all(each["reason"] == "it has a NUL" for each in counts["failed"])

    came = Counter({key: n for key, n in filed(source).items() if b"\0" not in key[3]})
    as_stored = Counter[tuple[str, str, int, bytes]]()
    for (folder, flags, date, octets), n in came.items():
        as_stored[folder, flags, date, stored(octets)] += n
    assert run("export", "maildir", ALICE, tmp_path / "crlf", "--crlf")[0] == 0
    assert filed(tmp_path / "crlf") == as_stored
    assert run("export", "maildir", ALICE, tmp_path / "lf")[0] == 0
    with_lf = Counter({key: n for key, n in came.items() if b"\r\n" not in key[3]})
    assert with_lf and with_lf <= filed(tmp_path / "lf")

    assert run("import", "maildir", BOB, tmp_path / "lf", "--keep-uids")[0] == 0
    assert run("export", "mbox", BOB, tmp_path / "mbox")[0] == 0
    assert run("import", "mbox", CAROL, tmp_path / "mbox", "--keep-uids")[0] == 0
    assert run("export", "maildir", CAROL, tmp_path / "again", "--crlf")[0] == 0
    assert filed(tmp_path / "again") == as_stored
    lists = {(tmp_path / each / "dovecot-uidlist").read_text() for each in ("crlf", "lf", "again")}
    assert len({re.sub(r",S=\d+", "", each) for each in lists}) == 1


def test_small_samples_come_back_as_they_were(run: Run, tmp_path: Path) -> None:
    there_and_back(run, tmp_path, SAMPLES)


def test_the_corpus_comes_back_as_it_was(run: Run, tmp_path: Path) -> None:
    if not CORPUS.is_dir():
        pytest.skip(f"{CORPUS} is not there: the small samples stand in")
    files = {str(path): path.read_bytes() for path in sorted(CORPUS.rglob("*.eml"))}
    there_and_back(run, tmp_path, files)


def mboxes(folder: Path) -> Iterator[tuple[str, int]]:
    """The mboxes of the corpus, copied below a folder: a name, and how many messages the manifest counts."""
    for line in (CORPUS / "MANIFEST.tsv").read_text().splitlines():
        path, kind, *rest = line.split("\t")
        if kind != "mbox" or rest[8] == "0":
            continue
        octets = (CORPUS / path).read_bytes()
        octets = gzip.decompress(octets) if path.endswith(".gz") else octets
        if octets.startswith(b"From "):
            name = path.removesuffix(".gz").removesuffix(".mbox")
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(octets)
            yield name, int(rest[8])


MISCOUNTED = {"dovecot-list/dovecot-crlf": 3}
"""Lines of text that begin with "From ", which the manifest takes for messages."""


def test_the_mboxes_of_the_corpus_come_back_as_they_were(run: Run, tmp_path: Path) -> None:
    if not CORPUS.is_dir():
        pytest.skip(f"{CORPUS} is not there: tests/migration/test_mbox.py stands in")
    (tmp_path / "mboxes").mkdir()
    counts = dict(mboxes(tmp_path / "mboxes"))
    status, told = run("import", "mbox", ALICE, tmp_path / "mboxes", "--json")
    failed = json.loads(told)["failed"]
    expected = sum(counts.values()) - sum(MISCOUNTED.values()) - len(failed)
    assert json.loads(told)["imported"] == expected > 3_000 and status == (3 if failed else 0)
    assert run("export", "mbox", ALICE, tmp_path / "out")[0] == 0
    assert run("import", "mbox", BOB, tmp_path / "out", "--keep-uids")[0] == 0
    for address in (ALICE, BOB):
        assert run("export", "maildir", address, tmp_path / address, "--crlf")[0] == 0
    assert filed(tmp_path / BOB) == filed(tmp_path / ALICE)
