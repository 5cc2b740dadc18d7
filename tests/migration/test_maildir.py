"""What a Maildir says of its messages."""

import os
from pathlib import Path

import pytest

from mailnode.mailbox.rows import FLAGGED, SEEN
from mailnode.migration.maildir import MaildirSource
from mailnode.migration.source import SourceError, unique_id_of


def made(root: Path, *names: str) -> Path:
    for name in ("cur", "new", "tmp"):
        (root / name).mkdir(parents=True, exist_ok=True)
    for name in names:
        (root / name).write_bytes(b"A: 1\n\nx\n")
        os.utime(root / name, (1_500_000_000, 1_500_000_000))
    return root


def test_folders_are_found_as_maildir_plus_plus_and_in_one_another(tmp_path: Path) -> None:
    made(tmp_path)
    for name in (".Work", ".Work.Gr&APw-n", ".v1%2e0", "Lists/python", ".&broken"):
        made(tmp_path / name)
    names = [box.name for box in MaildirSource(tmp_path, "", "").boxes()]
    assert sorted(names) == sorted(["INBOX", "Work", "Work/Grün", "v1.0", "Lists/python", "&broken"])


def test_flags_keywords_dates_uids_and_unique_ids(tmp_path: Path) -> None:
    made(tmp_path, "cur/2.M.h,S=8:2,FSPac", "cur/1.M.h:2,", "new/3.M.h")
    (tmp_path / "dovecot-keywords").write_text("0 $Label1\n2 work\n")
    (tmp_path / "dovecot-uidlist").write_text("3 V77 N12 Gabc\n4 Pold-4 W9 :1.M.h\n9 :2.M.h,S=8\n")
    source = MaildirSource(tmp_path, "", "%08Xu-%v-%f")
    (box,) = source.boxes()
    one, two, three = source.items(box)
    assert (box.uid_validity, box.uid_next) == (77, 12)
    assert (one.uid, one.unique_id, one.flags, one.internal_date) == (4, "old-4", 0, 1_500_000_000)
    assert (two.uid, two.flags, two.unique_id) == (9, SEEN | FLAGGED, "00000009-77-2.M.h,S=8")
    assert two.keywords == ("$Label1", "work", "$Forwarded")
    assert (three.uid, three.unique_id) == (0, "")


def test_couriers_list_of_uids_is_read_too(tmp_path: Path) -> None:
    made(tmp_path, "cur/1.M.h:2,S")
    (tmp_path / "courierimapuiddb").write_text("1 77 12\n5 1.M.h\n")
    source = MaildirSource(tmp_path, "", "")
    (box,) = source.boxes()
    assert (box.uid_validity, box.uid_next, [item.uid for item in source.items(box)]) == (77, 12, [5])


@pytest.mark.parametrize("text", ["nonsense\n", "3 V77 N12\n-4 :1.M.h\n", "3 V-7 N12\n", ""])
def test_a_broken_list_of_uids_is_named(tmp_path: Path, text: str) -> None:
    made(tmp_path)
    (tmp_path / "dovecot-uidlist").write_text(text)
    with pytest.raises(SourceError, match="dovecot-uidlist is no list of UIDs"):
        MaildirSource(tmp_path, "", "").boxes()


@pytest.mark.parametrize("text", ["Work\nWork.Gr&APw-n\n", "V\t2\n\nWork\nWork\tGr&APw-n\n"])
def test_subscriptions_are_read_in_both_forms(tmp_path: Path, text: str) -> None:
    made(tmp_path)
    (tmp_path / "subscriptions").write_text(text)
    assert list(MaildirSource(tmp_path, "", "").subscribed()) == ["Work", "Work/Grün"]


def test_a_message_is_the_same_whatever_its_flags_and_folder_of_new_or_cur(tmp_path: Path) -> None:
    made(tmp_path, "new/1.M.h")
    source = MaildirSource(tmp_path, "", "")
    (box,) = source.boxes()
    before = [item.origin for item in source.items(box)]
    (tmp_path / "new/1.M.h").rename(tmp_path / "cur/1.M.h:2,S")
    assert [item.origin for item in source.items(box)] == before
    assert [item.origin for item in MaildirSource(tmp_path, "other", "").items(box)] != before


def test_a_unique_id_that_pop3_could_not_say_is_none() -> None:
    assert unique_id_of("%08Xu%08Xv", 10, 255, "") == "0000000a000000ff"
    assert unique_id_of("%5u%%", 10, 255, "") == ""
    assert unique_id_of("%u%%", 10, 255, "") == "10%"
    assert unique_id_of("x" * 71, 10, 255, "") == ""


def test_no_symbolic_link_leads_to_what_others_have(tmp_path: Path) -> None:
    theirs = made(tmp_path / "theirs", "cur/1.secret.h:2,")
    for name in ("subscriptions", "dovecot-keywords", "dovecot-uidlist"):
        (theirs / name).write_text("3 V77 N12\n")
    root = made(tmp_path / "root", "cur/1.own.h:2,a")
    (root / "cur" / "2.link.h:2,").symlink_to(theirs / "cur" / "1.secret.h:2,")
    (root / ".Theirs").mkdir()
    (root / ".Theirs" / "cur").symlink_to(theirs / "cur")
    (root / ".Whole").symlink_to(theirs)
    for name in ("subscriptions", "dovecot-keywords", "dovecot-uidlist"):
        (root / name).symlink_to(theirs / name)
    source = MaildirSource(root, "", "")
    (box,) = source.boxes()
    (item,) = source.items(box)
    assert (box.name, box.uid_validity, item.keywords) == ("INBOX", 0, ())
    assert item.place == root / "cur" / "1.own.h:2,a"
    assert list(source.subscribed()) == []
    item.place.unlink()
    item.place.symlink_to(theirs / "cur" / "1.secret.h:2,")  # since it was listed
    with pytest.raises(OSError, match="symbolic links"):
        b"".join(*(pieces for _, pieces in source.contents(box, [item])))
