"""UTF8=ACCEPT (RFC 6855) over the whole way: names, APPEND, ENVELOPE and BODYSTRUCTURE."""

from pathlib import Path

from tests.listeners.imap_dialogue import play

INTERNATIONAL = (
    "From: Jürgen <jürgen@example.test>\r\nSubject: Grüße\r\n"
    'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n\r\ntext\r\n'
    "--b\r\nContent-Type: image/png; name*=utf-8''Z%C3%BCge.png\r\n\r\nx\r\n--b--\r\n"
).encode()
MESSAGES = {"one": INTERNATIONAL, "two": b"Subject: plain\r\n\r\nHello\r\n"}


def test_envelope_and_bodystructure_are_in_utf8_for_those_who_enabled_it(tmp_path: Path) -> None:
    play(
        tmp_path,
        r"""
        A= a APPEND INBOX <one>
        A= b APPEND INBOX <two>
        A= c SELECT INBOX
        A: d FETCH 1 ENVELOPE
        A> * 1 FETCH (ENVELOPE (NIL "=?utf-8?b?R3LDvMOfZQ==?=" (("=?utf-8?b?SsO8cmdlbg==?=" NIL "...
        A> d OK ...
        B= a ENABLE UTF8=ACCEPT
        B= b EXAMINE INBOX
        B: c FETCH 1:2 ENVELOPE
        B> * 1 FETCH (ENVELOPE (NIL "Grüße" (("Jürgen" NIL "jürgen" "example.test")) ...
        B> * 2 FETCH (ENVELOPE (NIL "plain" ...
        B> c OK ...
        B: d FETCH 1 (BODYSTRUCTURE)
        B> * 1 FETCH (BODYSTRUCTURE (("TEXT" "PLAIN" ...)("image" "png" ("name*" "Züge.png") ...
        B> d OK ...
        B: e FETCH 1:2 BODY
        B> * 1 FETCH (BODY (...("image" "png" ("name*" "Züge.png") ...
        B> * 2 FETCH (BODY ("TEXT" "PLAIN" ...
        B> e OK ...
        B: f FETCH 1 BODY.PEEK[HEADER.FIELDS (Subject)]
        B> * 1 FETCH (BODY[HEADER.FIELDS (Subject)] {20}
        B> Subject: Grüße
        B>
        B> )
        B> f OK ...
        B: g SEARCH SUBJECT "grüß"
        B> * SEARCH 1
        B> g OK ...
        B: h SEARCH CHARSET UTF-8 SUBJECT "grüß"
        B> h BAD ...
        """,
        MESSAGES,
    )


def test_one_name_is_said_in_the_words_of_each_session(tmp_path: Path) -> None:
    """A client that writes decomposed letters means the same mailbox (RFC 5198 §2)."""
    decomposed = "u\u0308ber"
    play(
        tmp_path,
        rf"""
        A= a ENABLE UTF8=ACCEPT
        A= b CREATE "{decomposed}/a&b"
        A: c LIST "" *ber* RETURN (STATUS (MESSAGES))
        A> * LIST (\HasChildren) "/" "über"
        A> * STATUS "über" (MESSAGES 0)
        A> * LIST (\HasNoChildren) "/" "über/a&b"
        A> * STATUS "über/a&b" (MESSAGES 0)
        A> c OK ...
        A= d SUBSCRIBE "über"
        A: e LSUB "" %
        A> * LSUB () "/" INBOX
        A> * LSUB () "/" "über"
        A> e OK ...
        A: f CREATE "{decomposed}"
        A> f NO [ALREADYEXISTS] ...
        B: a LIST "" &APw-*
        B> * LIST (\HasChildren) "/" &APw-ber
        B> * LIST (\HasNoChildren) "/" &APw-ber/a&-b
        B> a OK ...
        B: b STATUS &APw-ber/a&-b (MESSAGES)
        B> * STATUS &APw-ber/a&-b (MESSAGES 0)
        B> b OK ...
        B: c SELECT &AHUDCA-ber
        B> c NO [CANNOT] ...
        B: d STATUS u&Awg-ber (MESSAGES)
        B> * STATUS &APw-ber (MESSAGES 0)
        B> d OK ...
        """,
    )
