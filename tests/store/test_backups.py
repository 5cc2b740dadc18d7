"""Backups of files, without a node."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailnode.store.backups import Backup, BackupError, Backups, Source

INCARNATION = "abcd"


def nothing(octets: int) -> None:
    pass


def make(backups: Backups, node: Path, made: int) -> Backup:
    sources = [
        Source(file, str(file.relative_to(node))) for file in sorted(node.rglob("*")) if file.is_file()
    ]
    return backups.make(sources, INCARNATION, made, nothing)


@pytest.fixture
def node(tmp_path: Path) -> Path:
    made = tmp_path / "node"
    (made / "shard").mkdir(parents=True)
    (made / "shard" / "1.sst").write_bytes(b"one" * 1000)
    (made / "mailnode.toml").write_bytes(b"# configuration")
    (made / "key.pem").write_bytes(b"secret")
    (made / "key.pem").chmod(0o640)
    return made


@pytest.fixture
def backups(tmp_path: Path) -> Backups:
    return Backups(tmp_path / "backups")


def kept(tmp_path: Path) -> set[str]:
    return {file.name for file in (tmp_path / "backups" / "files").iterdir()}


def test_what_was_kept_is_given_back_with_its_permissions(
    tmp_path: Path, node: Path, backups: Backups
) -> None:
    backup = make(backups, node, 1)
    backups.lay_out(backup, tmp_path / "again", nothing)
    for file in ("shard/1.sst", "mailnode.toml", "key.pem"):
        assert (tmp_path / "again" / file).read_bytes() == (node / file).read_bytes()
    assert (tmp_path / "again" / "key.pem").stat().st_mode & 0o777 == 0o640
    assert all(
        file.stat().st_mode & 0o077 == 0 for file in (tmp_path / "backups").rglob("*") if file.is_file()
    )
    assert list(backups.faults(backup, nothing)) == []


def test_a_further_backup_copies_what_is_new_alone(tmp_path: Path, node: Path, backups: Backups) -> None:
    first = make(backups, node, 1)
    before = kept(tmp_path)
    (node / "shard" / "1.sst").chmod(0o200)  # it is not even read
    (node / "shard" / "2.sst").write_bytes(b"two")
    second = make(backups, node, 2)
    assert len(kept(tmp_path) - before) == 1 and before < kept(tmp_path)
    assert [one.name for one in backups.all()] == [first.name, second.name]
    assert {file.path for file in second.files} - {file.path for file in first.files} == {"shard/2.sst"}


def test_pruning_keeps_the_last_and_every_file_that_they_need(
    tmp_path: Path, node: Path, backups: Backups
) -> None:
    gone = make(backups, node, 1)
    (node / "shard" / "1.sst").unlink()
    (node / "shard" / "2.sst").write_bytes(b"two")
    last = make(backups, node, 2)
    (tmp_path / "backups" / "files" / ".part").write_bytes(b"of one that was cut short")
    assert backups.prune(1) == [gone.name]
    assert backups.all() == [last] and list(backups.faults(last, nothing)) == []
    assert kept(tmp_path) == {file.checksum for file in last.files}


def test_a_backup_that_is_cut_short_is_none_and_leaves_the_others(
    tmp_path: Path, node: Path, backups: Backups
) -> None:
    first = make(backups, node, 1)
    (node / "shard" / "2.sst").write_bytes(b"two" * 1_000_000)

    def cut(octets: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        backups.make([Source(node / "shard" / "2.sst", "shard/2.sst")], INCARNATION, 2, cut)
    assert backups.all() == [first] and list(backups.faults(first, nothing)) == []
    assert len(make(backups, node, 3).files) == 4


@pytest.mark.parametrize("harm", ["cut", "flip", "lose"])
def test_a_harmed_file_is_found_and_nothing_is_made_of_it(
    tmp_path: Path, node: Path, backups: Backups, harm: str
) -> None:
    backup = make(backups, node, 1)
    file = backups.kept(next(each for each in backup.files if each.path == "shard/1.sst"))
    octets = file.read_bytes()
    if harm == "lose":
        file.unlink()
    else:
        file.write_bytes(octets[:-1] if harm == "cut" else octets[:-1] + b"?")
    [fault] = backups.faults(backup, nothing)
    assert fault.startswith(f"{backup.name}: shard/1.sst: {file} ")
    with pytest.raises(BackupError, match=f"{backup.name} is not whole.*shard/1.sst"):
        backups.lay_out(backup, tmp_path / "again", nothing)
    if harm != "flip":
        make(backups, node, 2)  # has it from the node again
        assert list(backups.faults(backup, nothing)) == []


@pytest.mark.parametrize("text", ["", "{}", '{"format": 9, "checksum": ""}', "[1]"])
def test_a_harmed_list_is_named_hides_no_other_and_keeps_files_from_being_pruned(
    tmp_path: Path, node: Path, backups: Backups, text: str
) -> None:
    first, second = make(backups, node, 1), make(backups, node, 2)
    (tmp_path / "backups" / f"{first.name}.json").write_text(text)
    assert backups.all() == [second]
    assert len(backups.unreadable()) == 1 and first.name in backups.unreadable()[0]
    with pytest.raises(BackupError, match=first.name):
        backups.prune(1)


def test_a_list_whose_paths_lead_elsewhere_is_refused(tmp_path: Path, node: Path, backups: Backups) -> None:
    backups.make([Source(node / "key.pem", "../../key.pem")], INCARNATION, 1, nothing)
    assert backups.all() == [] and len(backups.unreadable()) == 1


def test_what_is_asked_of_a_directory_without_backups_is_refused(tmp_path: Path, backups: Backups) -> None:
    with pytest.raises(BackupError, match="no directory of backups"):
        backups.all()
    (tmp_path / "backups").mkdir()
    with pytest.raises(BackupError, match="has no backup"):
        backups.named("")
