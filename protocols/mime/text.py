"""The text of a part, decoded on demand."""

from protocols.mime.charset import decode
from protocols.mime.transfer import decode_transfer


def decode_text(body: bytes, charset: bytes, encoding: bytes, characters_max: int) -> str:
    """The first characters of a text part, from (the beginning of) its body; the rest as in `Part`.

    Never fails: what a charset cannot say becomes U+FFFD, an unknown charset is guessed, an unknown encoding
    is the identity.
    """
    return decode(decode_transfer(body, encoding), charset)[:characters_max]
