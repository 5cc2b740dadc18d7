"""The preview of a message: RFC 8970 §3.3."""

import html
import re

from protocols.mime.charset import decode
from protocols.mime.transfer import decode_transfer

# What a browser would not show: comments, style sheets, scripts, the title, then every other tag.
_HIDDEN = re.compile(
    r"<!--.*?(?:-->|\Z)|<(style|script|title)\b.*?(?:</\1\s*+>|\Z)|<[A-Za-z/!?][^>]*+(?:>|\Z)",
    re.DOTALL | re.IGNORECASE,
)
_QUOTED_LINE = re.compile(r"^>[^\n]*+\n?", re.MULTILINE)
_FILLERS = {
    ord(character): None for character in "\u00ad\u034f\u061c\u180e\u200b\u200e\u200f\u2060\ufeff\x00"
}
_MARKUP = (b"text/html", b"text/enriched", b"text/richtext")
PREVIEWED = (b"text/plain", *_MARKUP)


def preview(octets: bytes, media_type: bytes, charset: bytes, encoding: bytes, characters_max: int) -> str:
    """The beginning of a text part, given the beginning of its body: no markup, quoted lines only if
    there are no others, every run of white space one space."""
    text = decode(decode_transfer(octets, encoding), charset)
    if media_type in _MARKUP:
        text = html.unescape(_HIDDEN.sub(" ", text))
    elif ">" in text:
        text = _QUOTED_LINE.sub("", text) or text
    if not text.isascii():
        text = text.translate(_FILLERS)
    # That many words have at least that many characters: the rest need not be split.
    words = text.split(None, characters_max)[:characters_max]
    return " ".join(words)[:characters_max].rstrip()
