"""The base subject: RFC 5256 §2.1."""

import re
from typing import NamedTuple


class BaseSubject(NamedTuple):
    """What SORT and THREAD compare, and whether something of a reply or forward was removed to get it."""

    text: str
    is_reply: bool


_SPACES = re.compile(r"[ \t\r\n]+")
# *subj-blob and subj-refwd, white space being single here: RFC 5256 §5
_BLOB = r"\[[^\[\]]*+\] *+"
_BLOBS = re.compile(rf"(?:{_BLOB}| )*")
_REFWD = re.compile(rf"(?:re|fwd?) *+(?:{_BLOB})?:", re.IGNORECASE)
_FORWARD = re.compile(r"\[fwd:", re.IGNORECASE)


def base_subject(subject: str) -> BaseSubject:
    """The base subject of a decoded Subject."""
    text = _SPACES.sub(" ", subject)
    start, end, is_reply = 0, len(text), False
    while True:
        end, trailed = _without_trailers(text, start, end)
        start, led = _without_leaders(text, start, end)
        is_reply = is_reply or trailed or led
        if end - start < 6 or text[end - 1] != "]" or not _FORWARD.match(text, start, end):
            return BaseSubject(text[start:end], is_reply)
        start, end, is_reply = start + 5, end - 1, True


def _without_trailers(text: str, start: int, end: int) -> tuple[int, bool]:
    """Step 2; the new end, and whether a `(fwd)` was removed."""
    found = False
    while end > start:
        if text[end - 1] == " ":
            end -= 1
        elif text[max(start, end - 5) : end].lower() == "(fwd)":
            end, found = end - 5, True
        else:
            break
    return end, found


def _without_leaders(text: str, start: int, end: int) -> tuple[int, bool]:
    """Steps 3 to 5; the new start, and whether a `Re:` or `Fwd:` was removed."""
    found = False
    while True:
        blobs_end = _end_of_blobs(text, start, end)
        refwd = _REFWD.match(text, blobs_end, end)
        if refwd is None:
            break
        start, found = refwd.end(), True
    if blobs_end == end > start:  # the last blob is the base: step 4
        return text.rindex("[", start, end), found
    return blobs_end, found


def _end_of_blobs(text: str, start: int, end: int) -> int:
    blobs = _BLOBS.match(text, start, end)
    return blobs.end() if blobs else start
