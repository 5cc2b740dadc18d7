"""RFC 2047 encoded words, and raw 8-bit header text (RFC 6532, or older and unlabelled)."""

import re
from binascii import a2b_base64, a2b_qp, b2a_base64
from collections.abc import Iterator

from protocols.mime.charset import decode, guess

# encoded-word = "=?" charset ["*" language] "?" encoding "?" encoded-text "?=": RFC 2047 §2, RFC 2231 §5.
# Leniency: spaces inside the text, and words that touch other text; both seen from old mailers.
_WORD = re.compile(rb"=\?([^?*\s]++)(?:\*[^?]*+)?\?([bBqQ])\?([^?]*+)\?=")
_NOT_BASE64 = bytes(
    set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
)
_SPACES = re.compile(r"([ \t]+)")
_WORD_OCTETS = 45  # of text in one encoded word: 60 of base64 and 12 around are below the 75 of RFC 2047 §2

_PIECEMEAL_CHARACTERS_MAX = 2000  # longer text is hostile: encoded as a whole, not word by word


def decode_words(value: bytes) -> str:
    """Header text: encoded words decoded, white space between adjacent ones dropped, 8-bit text guessed."""
    if b"=?" not in value:
        return value.decode("ascii") if value.isascii() else guess(value)
    return "".join(_pieces(value))


def _pieces(value: bytes) -> Iterator[str]:
    """Plain text and encoded words; adjacent words of one charset are decoded together, since some mailers
    cut a character in two."""
    end, charset, held = 0, b"", list[bytes]()
    for word in _WORD.finditer(value):
        between = value[end : word.start()]
        adjacent = end > 0 and not between.strip(b" \t")
        if held and not (adjacent and word[1].lower() == charset):
            yield decode(b"".join(held), charset)
            held = []
        if not adjacent:
            yield guess(between)
        charset = word[1].lower()
        held.append(_decode_q(word[3]) if word[2] in b"qQ" else _decode_b(word[3]))
        end = word.end()
    yield decode(b"".join(held), charset)
    yield guess(value[end:])


def _decode_q(text: bytes) -> bytes:
    """RFC 2047 §4.2."""
    return a2b_qp(text, header=True)


def _decode_b(text: bytes) -> bytes:
    """RFC 2047 §4.1; whatever is no base64 is left out."""
    text = text.translate(None, _NOT_BASE64)
    tail = len(text) % 4
    return a2b_base64(text[:-1] if tail == 1 else text + b"==="[: -tail % 4])


def encode_words(text: str) -> bytes:
    """ASCII for header text: each run of words that are not ASCII becomes encoded words (RFC 2047 §2).

    So does what only looks like an encoded word: `decode_words` gives the text again.
    """
    if len(text) > _PIECEMEAL_CHARACTERS_MAX:
        return encode_phrase(text)
    pieces: list[str] = []
    run: list[str] = []
    for piece in _SPACES.split(text):
        if piece.isascii() and "=?" not in piece and not (run and piece.isspace()):
            pieces += _encoded(run)
            run = []
            pieces.append(piece)
        else:
            run.append(piece)
    pieces += _encoded(run)
    return "".join(pieces).encode("ascii")


def encode_phrase(text: str) -> bytes:
    """All of a text as encoded words: as part of a phrase they may touch nothing else (RFC 2047 §5)."""
    return "".join(_encoded([text])).encode("ascii")


def _encoded(run: list[str]) -> Iterator[str]:
    """The encoded words of a run; white space at its end stands outside."""
    spaces = run.pop() if run and not run[-1].strip(" \t") else ""
    octets = "".join(run).encode("utf-8", "replace")
    start, separator = 0, ""
    while start < len(octets):
        end = start + _WORD_OCTETS
        while end < len(octets) and octets[end] & 0xC0 == 0x80:
            end -= 1
        yield f"{separator}=?utf-8?b?{b2a_base64(octets[start:end], newline=False).decode('ascii')}?="
        start, separator = end, " "
    yield spaces
