"""Why Python's `email` reads real mail differently, aspect by aspect: reasons, with what makes ours right.

The first reason that explains a difference counts. `whole` and `sample` are the most that it may explain in
the whole corpus and in every eighth message of it: one more is a new difference.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from tests.protocols.mime.compared import Compared, Mailbox


class Reason(NamedTuple):
    name: str
    right: str  # why ours is
    explains: Callable[[Compared], bool]
    whole: int
    sample: int


_RAW = re.compile("[\udc80-\udcff]")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_SPACE_AT_LINE_END = re.compile(rb"[ \t]+(?=\r?\n|\Z)")


def ascii_of(text: str) -> str:
    """What of a text no charset is needed for."""
    return _NOT_ASCII.sub("", text)


# -- fields ------------------------------------------------------------------------------------------------


def named(fields: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    return [field for field in fields if field[0]]


def is_from_line(one: Compared) -> bool:
    return bool(one.ours[0][1].startswith("From ") and named(one.ours) == one.theirs)


def goes_on(one: Compared) -> bool:
    theirs = len(one.theirs)
    return named(one.ours) != one.ours and named(one.ours)[:theirs] == one.theirs


def has_unusual_name(one: Compared) -> bool:
    """The first field that they have not: they end the header there, or leave it out."""
    missing = next((name for name, value in named(one.ours) if (name, value) not in one.theirs), "")
    spaced = re.search(rf"(?m)^{re.escape(missing)}[ \t]+:", one.source) is not None
    return bool(missing) and (spaced or not missing.isascii())


# -- dates -------------------------------------------------------------------------------------------------


def is_dashed(one: Compared) -> bool:
    return re.match(r"\d+-[A-Za-z]+-\d+", one.source) is not None and one.theirs is None


def has_no_such_hour(one: Compared) -> bool:
    return one.ours is None and " 59:" in one.source


# -- subjects and addresses --------------------------------------------------------------------------------


def is_unlabelled(one: Compared) -> bool:
    return bool(_RAW.search(one.source)) and ascii_of(one.ours) == ascii_of(one.theirs)


def is_superset(one: Compared) -> bool:
    return re.search("gb2312|ks_c_5601", one.source.lower()) is not None


def alike(one: Compared, form: Callable[[Mailbox], object]) -> bool:
    return isinstance(one.theirs, list) and [*map(form, one.ours)] == [*map(form, one.theirs)]


def different_names(one: Compared) -> list[tuple[str, str]]:
    """Our and their display names where they differ; empty where more does."""
    if not alike(one, lambda mailbox: (mailbox[0], *mailbox[2:])):
        return []
    return [(own[1], other[1]) for own, other in zip(one.ours, one.theirs, strict=True) if own != other]


def has_raw_names(one: Compared) -> bool:
    raw = any(_RAW.search(text) for mailbox in one.theirs for text in mailbox)
    return raw and alike(one, lambda mailbox: [ascii_of(text).replace(" ", "") for text in mailbox])


def is_name_in_comment(one: Compared) -> bool:
    names = different_names(one)
    return bool(names) and all(own and not other and "(" in one.source for own, other in names)


def is_space_between_words(one: Compared) -> bool:
    return "=?" in one.source and alike(one, lambda mailbox: [text.replace(" ", "") for text in mailbox])


def is_space_around_name(one: Compared) -> bool:
    names = different_names(one)
    return bool(names) and all(own == other.strip() for own, other in names)


def is_glued_word(one: Compared) -> bool:
    return any("=?" in other and "=?" not in own for own, other in different_names(one))


def is_name_with_at(one: Compared) -> bool:
    return any("@" in own[1] for own in one.ours) and not any("@" in other[1] for other in one.theirs)


def is_name_behind(one: Compared) -> bool:
    names = different_names(one)
    return bool(names) and all(own and not other for own, other in names)


def is_name_alone(one: Compared) -> bool:
    """One name where they see a local part."""
    return any(own[1] and not own[2] and not own[3] for own in one.ours)


def is_name_before_bare(one: Compared) -> bool:
    return [own[1] + " " + own[2] for own in one.ours] == [other[2] for other in one.theirs]


def has_specials_in_angle(one: Compared) -> bool:
    return re.search(r"<[^<>]*[:;,][^<>]*>", one.source) is not None


def has_no_local_part(one: Compared) -> bool:
    """A domain alone, or a domain literal for a local part: they drop it all."""
    return any(not any(other) for other in one.theirs) and all(own[3] for own in one.ours)


def has_raised(one: Compared) -> bool:
    return isinstance(one.theirs, AttributeError)


# -- parts -------------------------------------------------------------------------------------------------


def has_no_subtype(one: Compared) -> bool:
    return "/" not in one.source.partition(";")[0]


def has_no_semicolon(one: Compared) -> bool:
    return re.search(r'"\s+charset=', one.source) is not None


def is_encoded_token(one: Compared) -> bool:
    return one.ours == "" and one.source.startswith("=?")


def is_raw_name(one: Compared) -> bool:
    return ascii_of(one.ours) == ascii_of(one.theirs)


def is_quoted_pair(one: Compared) -> bool:
    return bool(one.ours == re.sub(r"\\(.)", r"\1", one.theirs))


def is_folded(one: Compared) -> bool:
    return bool(one.ours == re.sub(r"\r\n", "", one.theirs))


def keeps_space(one: Compared) -> bool:
    return (
        one.source.endswith("quoted-printable")
        and one.ours != one.theirs
        and _SPACE_AT_LINE_END.sub(b"", one.ours) == _SPACE_AT_LINE_END.sub(b"", one.theirs)
    )


def lacks_end(one: Compared) -> bool:
    return bool(one.ours == one.theirs + b"\r\n" and one.octets.endswith(b"\r\n"))


def has_equals(one: Compared) -> bool:
    return re.search(rb"=[^0-9A-Fa-f\r\n \t]|==", one.octets) is not None and "quoted" in one.source


def gave_up(one: Compared) -> bool:
    return b"".join(one.theirs.split()) == b"".join(one.octets.split()) and one.ours != one.octets


def begins_later(one: Compared) -> bool:
    return bool(one.theirs.rstrip().endswith(one.ours.rstrip()))


def is_uuencoded(one: Compared) -> bool:
    return one.source.endswith("x-uuencode") and one.ours == len(one.octets)


def is_without_charset(one: Compared) -> bool:
    return one.source in ("", "us-ascii") and ascii_of(one.ours) == ascii_of(one.theirs)


def is_unknown_charset(one: Compared) -> bool:
    return isinstance(one.theirs, LookupError)


# -- trees -------------------------------------------------------------------------------------------------


def reads_into_others(one: Compared) -> bool:
    others = [each for each in one.theirs if each.startswith("message/") and each != "message/rfc822"]
    return bool(others) and len(one.theirs) > len(one.ours)


def reads_through_encoding(one: Compared) -> bool:
    return "message/rfc822" in one.theirs and "application/octet-stream" in one.ours


def sees_no_delimiter(one: Compared) -> bool:
    return len(one.ours) > len(one.theirs) and bool(re.search("StartBoundary|NoBoundary", one.source))


def has_part_without_octets(one: Compared) -> bool:
    return re.search(rb"\n(--[^\r\n]+)\r\n(?:\r\n)*\1", one.octets) is not None


def has_more_behind(one: Compared) -> bool:
    boundaries = re.findall(rb'boundary="?([^"\r\n;]+)', one.octets)
    more = rb"(?m)^--%b(?!(?:--)?[ \t]*\r?$)"
    return any(re.search(more % re.escape(each.rstrip()), one.octets) for each in boundaries)


def ends_header_early(one: Compared) -> bool:
    return one.theirs == ["text/plain"] and "MissingHeaderBodySeparator" in one.source


GUESSED = "RFC 6532: UTF-8 where it is that, else the most frequent; they show U+FFFD"
SUPERSET = "what mail labels with a standard is written in its superset"
NO_TYPE = "no subtype is no media type: RFC 2045 §5.2 then has the default, its parameters with it"
HEADER_END = "a header ends at its empty line: RFC 5322 §2.1"
SPACE_BEFORE_COLON = "obs-optional has white space before the colon: RFC 5322 §4.5.8; 8-bit names are seen"

REASONS: dict[str, tuple[Reason, ...]] = {
    "fields": (
        Reason("the From line of a mailbox file", "BODY[] is what was stored", is_from_line, 1624, 203),
        Reason("a line that is no field", HEADER_END, goes_on, 13, 2),
        Reason("an unusual field name", SPACE_BEFORE_COLON, has_unusual_name, 4, 2),
    ),
    "subject": (
        Reason("octets without a charset", GUESSED, is_unlabelled, 40, 5),
        Reason("a charset's superset", SUPERSET, is_superset, 3, 1),
    ),
    "date": (
        Reason("no day of the week", "RFC 5322 §3.3 has it optional; Leniency: dashes", is_dashed, 1, 0),
        Reason("a time that is none", "RFC 5322 §3.3: there is no hour 59", has_no_such_hour, 1, 0),
    ),
    "addresses": (
        Reason("they fail", "any octets are an address list", has_raised, 5, 0),
        Reason("octets without a charset", GUESSED, has_raw_names, 32, 3),
        Reason("a name in a comment", "RFC 5322 §3.4, its note on old software", is_name_in_comment, 144, 20),
        Reason("white space between encoded words", "RFC 2047 §6.2: not shown", is_space_between_words, 5, 1),
        Reason("white space around a name", "a phrase has none: RFC 5322 §3.2.5", is_space_around_name, 7, 1),
        Reason("an encoded word that touches text", "Leniency: decoded all the same", is_glued_word, 1, 0),
        Reason("a name with an @", "Leniency: what stands before the < is a name", is_name_with_at, 8, 0),
        Reason("a name alone", "no @: words are a name, one word is a local part", is_name_alone, 2, 1),
        Reason("a name before a bare address", "Leniency: as in angle brackets", is_name_before_bare, 1, 0),
        Reason("specials in angle brackets", "Leniency: only > ends them", has_specials_in_angle, 6, 1),
        Reason("half an address", "shown with the half that is there", has_no_local_part, 3, 0),
        Reason("a name behind its address", "Leniency: kept as a name", is_name_behind, 3, 0),
    ),
    "charset": (
        Reason("no subtype", NO_TYPE, has_no_subtype, 1, 0),
        Reason("no semicolon before it", "Leniency: white space is enough", has_no_semicolon, 4, 1),
    ),
    "boundary": (),
    "disposition": (
        Reason("an encoded word", "no token: RFC 2183 §2", is_encoded_token, 1, 1),
    ),
    "filename": (
        Reason("octets without a charset", "kept as they stand", is_raw_name, 5, 1),
        Reason("a folded value", "folding is no part of it: RFC 5322 §2.2.3", is_folded, 2, 1),
        Reason("a quoted-pair", "any character may be quoted: RFC 5322 §3.2.1", is_quoted_pair, 5, 0),
        Reason("no subtype", NO_TYPE, has_no_subtype, 2, 1),
    ),
    "size": (
        Reason("uuencode", "no encoding of RFC 2045: BINARY counts it as it stands", is_uuencoded, 6, 2),
    ),
    "octets": (
        Reason("white space at a line's end", "transport added it: RFC 2045 §6.7 (3)", keeps_space, 63, 5),
        Reason("no delimiter behind", "a delimiter would own it: RFC 2046 §5.1.1", lacks_end, 13, 1),
        Reason("an = that begins nothing", "it stands for itself: RFC 2045 §6.7, notes", has_equals, 3, 2),
        Reason("broken base64", "what is decodable is: RFC 2045 §6.8", gave_up, 7, 2),
        Reason("a line that is no field", HEADER_END, begins_later, 17, 3),
    ),
    "text": (
        Reason("no charset, or octets that it has not", GUESSED, is_without_charset, 131, 11),
        Reason("an unknown charset", "guessed: there is something to show", is_unknown_charset, 19, 1),
        Reason("a charset's superset", SUPERSET, is_superset, 14, 2),
    ),
    "tree": (
        Reason("other message types", "they hold no messages: RFC 2046 §5.2", reads_into_others, 81, 8),
        Reason("a message in an encoding", "RFC 2046 §5.2.1 forbids it", reads_through_encoding, 5, 0),
        Reason("a multipart without delimiters", "1*body: RFC 9051 §9", sees_no_delimiter, 42, 6),
        Reason("a part without octets", "body-part: RFC 2046 §5.1.1", has_part_without_octets, 5, 0),
        Reason("a delimiter with more behind", "a prefix decides: RFC 2046 §5.1.1", has_more_behind, 3, 1),
        Reason("a line that is no field", HEADER_END, ends_header_early, 3, 0),
    ),
}  # fmt: skip
