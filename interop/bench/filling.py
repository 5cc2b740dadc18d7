"""Fill a mailbox with the same messages on every server, by APPEND.

85 % are 2 KB of plain text, 14 % 20 KB of text and HTML, 1 % 200 KB with an attachment: 6.5 KB in the mean.
"""

from collections.abc import Iterator, Sequence
from itertools import islice

from interop.bench.messages import alternative, attached, plain
from interop.bench.session import logged_in
from tests.wire.server import Server

MIX = (*[plain(2048)] * 85, *[alternative(20480)] * 14, attached(204800))
TOGETHER = 100  # messages sent before an answer is awaited


def mixed(count: int) -> Iterator[bytes]:
    """The order is the same each time, with sizes spread evenly."""
    for number in range(count):
        yield MIX[number * 37 % len(MIX)].message(b"%d@client.example.test" % number)


def fill(server: Server, address: str, messages: Iterator[bytes], mailbox: bytes = b"INBOX") -> None:
    session = logged_in(server, address)
    capable = b"MULTIAPPEND" in session.ask(b"CAPABILITY").tail
    while together := list(islice(messages, TOGETHER)):
        if capable:
            session.ask(multiappend(mailbox, together))
        else:
            session.ask_all([b"APPEND %b%b" % (mailbox, _literal(message)) for message in together])
    session.close()


def multiappend(mailbox: bytes, messages: Sequence[bytes]) -> bytes:
    """RFC 3502 §6.3.11."""
    return b"APPEND " + mailbox + b"".join(map(_literal, messages))


def _literal(octets: bytes) -> bytes:
    return b" {%d+}\r\n%b" % (len(octets), octets)
