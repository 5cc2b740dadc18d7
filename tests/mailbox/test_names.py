"""Full names and the tree of rows behind them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailnode.limits import Limits
from mailnode.mailbox.names import canonical_name, full_names, is_valid, names_after
from mailnode.pb.row_pb2 import MailboxRow


@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        ("inbox", "INBOX"),
        ("InBoX/Sub", "INBOX/Sub"),
        ("inbox/inbox", "INBOX/inbox"),
        ("Work/inbox", "Work/inbox"),
        ("inboxes", "inboxes"),
        ("ınbox", "ınbox"),
        ("Inbox/u\u0308ber", "INBOX/über"),
    ],
)
def test_inbox_is_one_name_in_any_case_at_the_top_alone(name: str, canonical: str) -> None:
    assert canonical_name(name) == canonical


@pytest.mark.parametrize(
    "name", ["", "/", "a//b", "a/", "/a", "a\0", "a\x1fb", "a\x80b", "a\ud800", "a\u2028b"]
)
def test_names_that_no_mailbox_may_have(name: str) -> None:
    assert not is_valid(name, Limits())


def test_names_are_bounded_in_octets_and_levels() -> None:
    limits = Limits()
    assert is_valid("ü" * (limits.mailbox_name_octets_max // 2), limits)
    assert not is_valid("ü" * (limits.mailbox_name_octets_max // 2) + "x", limits)
    assert is_valid("/".join("x" * limits.mailbox_depth_max), limits)
    assert not is_valid("/".join("x" * (limits.mailbox_depth_max + 1)), limits)


@given(st.text(max_size=20))
def test_any_text_is_a_name_or_not(name: str) -> None:
    if is_valid(name, Limits()):
        assert name.encode() and "\r" not in name and "\n" not in name


def rows(*mailboxes: tuple[int, int, str]) -> dict[int, MailboxRow]:
    return {n: MailboxRow(mailbox=n, parent=parent, name=name) for n, parent, name in mailboxes}


def test_inbox_comes_first_and_parents_before_children() -> None:
    found = full_names(
        rows((5, 4, "z"), (2, 0, "Zoo"), (4, 0, "A"), (1, 0, "INBOX"), (3, 1, "Sub"), (6, 0, "A!"))
    )
    assert list(found) == ["INBOX", "INBOX/Sub", "A", "A/z", "A!", "Zoo"]
    assert found["A/z"] == 5


@given(st.lists(st.integers(0, 30), min_size=1, max_size=30), st.data())
def test_names_that_follow_a_change_are_those_read_anew(parents: list[int], data: st.DataObject) -> None:
    made = [(n, parent % n, f"m{n}") for n, parent in enumerate(parents, start=1)]
    before = rows(*made[: data.draw(st.integers(0, len(made)))])
    after = rows(*made)
    leaves = [n for n, _, _ in made if all(parent != n for _, parent, _ in made)]
    dropped = data.draw(st.sets(st.sampled_from(leaves))) & before.keys()
    left = {number: row for number, row in after.items() if number not in dropped}
    found = names_after(full_names(before), left.values(), dropped)
    assert found == full_names(left)


@given(st.lists(st.integers(0, 30), min_size=1, max_size=30), st.data())
def test_a_name_that_moves_takes_those_below_it_along(parents: list[int], data: st.DataObject) -> None:
    before = rows(*((n, parent % n, f"m{n}") for n, parent in enumerate(parents, start=1)))
    moved = data.draw(st.sampled_from(sorted(before)))
    above = MailboxRow(mailbox=100, parent=0, name="new")
    row = MailboxRow(mailbox=moved, parent=data.draw(st.sampled_from((0, 100))), name="other")
    found = names_after(full_names(before), (above, row), ())
    assert found == full_names({**before, 100: above, moved: row})
    seen = {""}
    for name in found:
        assert name.rpartition("/")[0] in seen
        seen.add(name)


@given(st.lists(st.integers(0, 30), max_size=30))
def test_every_mailbox_has_one_full_name_behind_its_parents(parents: list[int]) -> None:
    made = [(n, parent % n, f"m{n}") for n, parent in enumerate(parents, start=1)]
    found = list(full_names(rows(*made)).items())
    assert sorted(number for _, number in found) == [n for n, _, _ in made]
    seen = {""}
    for name, _ in found:
        assert name.rpartition("/")[0] in seen
        seen.add(name)
