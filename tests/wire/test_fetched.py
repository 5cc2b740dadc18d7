"""Our reading of FETCH responses."""

from tests.wire.fetched import fetched


def test_every_kind_of_value_is_read_and_what_follows_it() -> None:
    (answer,) = fetched(
        [
            b"* 3 EXISTS",
            b'* 7 FETCH (FLAGS (\\Seen \\Recent $Junk) ENVELOPE ("a\\")" NIL ((NIL NIL "x" {3}\r\n)"()))'
            b' BODY[HEADER.FIELDS (MESSAGE-ID)] {21}\r\nMessage-ID: <a@b>\r\n\r\n BODY[1]<0> "q\\"q" UID 42)',
        ]
    )
    assert (answer.number, answer.uid, answer.message_id) == (7, 42, "a@b")
    assert answer.flags == {"\\Seen", "$Junk"}
    assert answer.items[b"ENVELOPE"] == b'("a\\")" NIL ((NIL NIL "x" {3}\r\n)"()))'
    assert answer.items[b"BODY[1]<0>"] == b'q"q'


def test_content_that_looks_like_items_is_not_read_as_such() -> None:
    (answer,) = fetched([b"* 1 FETCH (BODY[] {17}\r\nUID 9 FLAGS (x)\r\n UID 2 FLAGS ())"])
    assert answer.uid == 2
    assert answer.flags == frozenset()
