import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from precis_i18n import get_profile

from mailnode.directory.address import (
    Address,
    Malformed,
    canonical,
    directory_account,
    draw_account_id,
    slot,
    without_tag,
)
from tests.directory.memory import StillClock

ATEXT = "abcXYZ019!#$%&'*+/=?^_`{|}~-"


@pytest.mark.parametrize(
    ("received", "stored"),
    [
        ("Alice@Example.TEST", "alice@example.test"),
        ('"alice"@example.test', "alice@example.test"),
        (r'"\a\l\i\c\e"@example.test', "alice@example.test"),
        ('"a,b"@example.test', "a,b@example.test"),
        ('"a@b"@example.test', "a@b@example.test"),
        ("user+Tag@example.test", "user+tag@example.test"),
        ("Jürgen@example.test", "jürgen@example.test"),
        ("JU\u0308RGEN@example.test", "jürgen@example.test"),
        ("ｊｏｈｎ@example.test", "john@example.test"),
        ("straße@example.test", "straße@example.test"),
        ("Σίσυφος@example.test", "σίσυφος@example.test"),
        ("用户@例え.テスト", "用户@xn--r8jz45g.xn--zckzah"),
        ("a@BÜCHER.test", "a@xn--bcher-kva.test"),
        ("a@xn--bcher-kva.test", "a@xn--bcher-kva.test"),
        ("a@faß.de", "a@xn--fa-hia.de"),
    ],
)
def test_an_address_has_one_canonical_form(received: str, stored: str) -> None:
    assert str(canonical(received)) == stored


@pytest.mark.parametrize(
    "received",
    [
        "",
        "alice",
        "@example.test",
        "alice@",
        "alice@[127.0.0.1]",
        "alice@example.test.",
        "alice@exa_mple.test",
        "alice@-example.test",
        "alice@xn--a.test",
        "al ice@example.test",
        "alice.@example.test",
        ".alice@example.test",
        "al..ice@example.test",
        '"alice@example.test',
        'a"b"@example.test',
        '"a b"@example.test',
        '""@example.test',
        "a\x00b@example.test",
        "a\r\nb@example.test",
        "\ud800@example.test",
        "a@\ud800.test",
        "\u200b@example.test",
        "a" * 250 + "@example.test",
        "a@" + "ü" * 250 + ".test",
        "a@" + "a" * 64 + ".test",
    ],
)
def test_what_no_address_of_ours_can_be_is_a_value(received: str) -> None:
    assert isinstance(canonical(received), Malformed)


@given(st.text(max_size=300))
@example("\u0130@\u0130.test")
def test_any_text_is_an_address_or_malformed(text: str) -> None:
    found = canonical(text)
    if isinstance(found, Address):
        assert found.domain.isascii() and found.domain == found.domain.lower()
        assert 0 <= slot(found) < 4096


@given(st.text(ATEXT, min_size=1))
def test_the_short_cut_for_ascii_agrees_with_precis(local_part: str) -> None:
    found = canonical(local_part + "@example.test")
    assert isinstance(found, Address)
    assert found.local == get_profile("UsernameCaseMapped").enforce(local_part)


@pytest.mark.parametrize(
    ("local", "separator", "user", "tag"),
    [
        ("alice+lists", "+", "alice", "lists"),
        ("alice+a+b", "+", "alice", "a+b"),
        ("alice+", "+", "alice", ""),
        ("alice-x+y", "-", "alice", "x+y"),
    ],
)
def test_the_leftmost_separator_begins_the_tag(local: str, separator: str, user: str, tag: str) -> None:
    split = without_tag(Address(local, "example.test"), separator)
    assert split == (Address(user, "example.test"), tag)


@pytest.mark.parametrize(("local", "separator"), [("alice", "+"), ("+lists", "+"), ("alice+lists", "")])
def test_no_user_or_no_separator_means_no_tag(local: str, separator: str) -> None:
    assert without_tag(Address(local, "example.test"), separator) is None


def test_the_slot_of_an_address_never_changes() -> None:
    """What BLAKE2b gave when the first address was stored."""
    assert slot(Address("alice", "example.test")) == 0x601
    assert slot(Address("jürgen", "example.test")) == 0x61B


def test_an_account_id_is_home_slot_and_48_random_bits() -> None:
    alice = Address("alice", "example.test")
    clock = StillClock()
    first, second = draw_account_id(alice, 9, clock), draw_account_id(alice, 9, clock)
    assert first >> 60 == second >> 60 == 9
    assert first >> 48 & 0xFFF == second >> 48 & 0xFFF == slot(alice)
    assert first != second
    assert {first & (1 << 48) - 1, second & (1 << 48) - 1}.isdisjoint({0, 1}), "reserved"


def test_a_directory_row_belongs_to_the_directory_account_of_its_slot() -> None:
    alice = Address("alice", "example.test")
    assert directory_account(alice) == slot(alice) << 48
