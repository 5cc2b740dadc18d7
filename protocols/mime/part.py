"""The part tree of a message, and its addressing by IMAP sections: RFC 9051 §6.4.5.1."""

from dataclasses import dataclass

from protocols.mime.fields import Header
from protocols.mime.parameters import ContentType

# What was not read further: over a limit, or a nested message hidden in base64.
OPAQUE = ContentType(b"APPLICATION", b"OCTET-STREAM", (), b"application/octet-stream", b"", b"")


@dataclass(frozen=True, slots=True)
class Part:
    """A body part, or the whole message as the root; offsets are absolute in the message, in octets."""

    header: Header  # its octets with the empty line; of a nested message's root: that message's header
    content_type: (
        ContentType  # the default where the header gives none; `OPAQUE` where it was not read further
    )
    encoding: bytes  # Content-Transfer-Encoding in lower case, b"7bit" by default
    body_start: int
    body_end: int
    lines: int  # LFs in the body as it stands
    decoded_size: int  # octets of the body after base64 or quoted-printable, else as it stands
    children: tuple["Part", ...]  # of a multipart, its parts; of a nested message, its root alone

    @property
    def header_start(self) -> int:
        return self.header.start

    @property
    def is_message(self) -> bool:
        """A nested message: RFC 2046 §5.2.1, RFC 6532 §3.7."""
        return self.content_type.type.lower() == b"message" and bool(self.children)

    @property
    def is_multipart(self) -> bool:
        return bool(self.children) and not self.is_message


@dataclass(frozen=True, slots=True)
class Message:
    size: int
    root: Part
    preview: str  # RFC 8970: the beginning of the text; empty where none was found


def find_part(root: Part, numbers: tuple[int, ...]) -> Part | None:
    """The part whose body is BODY[numbers]; None where there is none. No numbers: the root."""
    part, scope = root, root
    for depth, number in enumerate(numbers):
        if depth:
            scope = part.children[0] if part.is_message else part
            if not (scope.children or part.is_message):
                return None
        if scope.is_multipart:
            if not 1 <= number <= len(scope.children):
                return None
            part = scope.children[number - 1]
        elif number == 1:
            part = scope
        else:
            return None
    return part


def section_range(root: Part, numbers: tuple[int, ...], text: str) -> tuple[int, int] | None:
    """Octets (start, end) of BODY[numbers.text], `text` being "", HEADER, TEXT or MIME; None: there are none.

    HEADER is the whole header with its empty line: HEADER.FIELDS picks from the fields of `section_header`.
    """
    if not text:
        part = find_part(root, numbers)
        if part is None:
            return None
        return (part.body_start if numbers else root.header_start, part.body_end)
    if text == "TEXT":
        message = _message(root, numbers)
        return None if message is None else (message.body_start, message.body_end)
    header = section_header(root, numbers, text)
    return None if header is None else (header.start, header.start + len(header.octets))


def section_header(root: Part, numbers: tuple[int, ...], text: str) -> Header | None:
    """The header that BODY[numbers.text] speaks of, `text` being HEADER or MIME; None where there is none."""
    part = _message(root, numbers) if text == "HEADER" else find_part(root, numbers) if numbers else None
    return None if part is None else part.header


def _message(root: Part, numbers: tuple[int, ...]) -> Part | None:
    """The message whose HEADER and TEXT the numbers mean: the whole one, or the one nested in a part."""
    if not numbers:
        return root
    part = find_part(root, numbers)
    return part.children[0] if part is not None and part.is_message else None
