"""Messages of known size, made of words: the same octets for every server, but for the Message-ID."""

import random
from base64 import encodebytes
from dataclasses import dataclass

TEXT = """\
the of and a to in is you that it he was for on are as with his they at be this have from or one had by word
but not what all were we when your can said there use an each which she do how their if will up other about
"""
LINE_OCTETS = 72
SEED = 20

HEAD = (
    b"From: Sender Name <sender@client.example.test>\r\n"
    b"To: Some Body <user@example.test>\r\n"
    b"Subject: Minutes of the meeting, and what is to be done\r\n"
    b"Date: Tue, 24 Nov 2026 10:00:00 +0000\r\n"
    b"Message-ID: <%s>\r\n"
    b"MIME-Version: 1.0\r\n"
)
PLAIN = b"Content-Type: text/plain; charset=utf-8\r\n\r\n%s"
BOUNDARY = b"=_part_of_the_bench"
ALTERNATIVE = (
    b"Content-Type: multipart/alternative; boundary=%s\r\n\r\n"
    b"--%s\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n%s"
    b"--%s\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<html><body>\r\n%s</body></html>\r\n"
    b"--%s--\r\n"
)
MIXED = (
    b"Content-Type: multipart/mixed; boundary=%s\r\n\r\n"
    b"--%s\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n%s"
    b"--%s\r\nContent-Type: application/octet-stream; name=data.bin\r\n"
    b"Content-Disposition: attachment; filename=data.bin\r\nContent-Transfer-Encoding: base64\r\n\r\n%s"
    b"--%s--\r\n"
)


@dataclass(frozen=True, slots=True)
class Template:
    """A message with a hole for its Message-ID."""

    before: bytes
    after: bytes

    def message(self, message_id: bytes) -> bytes:
        return self.before + message_id + self.after


def plain(octets: int) -> Template:
    """text/plain of about `octets`."""
    return _template(PLAIN % _prose(octets - len(HEAD) - len(PLAIN)))


def alternative(octets: int) -> Template:
    """multipart/alternative of about `octets`: a third plain text, two thirds HTML."""
    rest = octets - len(HEAD) - len(ALTERNATIVE)
    text, html = _prose(rest // 3), _prose(rest - rest // 3)
    return _template(ALTERNATIVE % (BOUNDARY, BOUNDARY, text, BOUNDARY, html, BOUNDARY))


def attached(octets: int) -> Template:
    """multipart/mixed of about `octets`: 2 KB of text and an attachment in base64."""
    data = random.Random(SEED).randbytes((octets - len(HEAD) - len(MIXED) - 2048) * 57 // 78)
    encoded = encodebytes(data).replace(b"\n", b"\r\n")
    return _template(MIXED % (BOUNDARY, BOUNDARY, _prose(2048), BOUNDARY, encoded, BOUNDARY))


def _template(rest: bytes) -> Template:
    before, _, after = (HEAD + rest).partition(b"%s")
    return Template(before, after)


def _prose(octets: int) -> bytes:
    """Lines of words, CRLF included; no line begins with a dot."""
    randomness = random.Random(SEED)
    words = TEXT.split()
    lines: list[str] = []
    while len(lines) * (LINE_OCTETS + 2) < octets:
        line = " ".join(randomness.choices(words, k=24))
        lines.append(line[:LINE_OCTETS])
    return "".join(line + "\r\n" for line in lines).encode()
