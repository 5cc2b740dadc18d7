"""What is kept of the deepest message can be read again."""

import pytest

from mailnode.mailbox.content import mail_row
from mailnode.pb.change_pb2 import Add, Intent
from protocols.mime.digest import digest_of
from protocols.mime.scan import Scanner

WITHIN = {
    "message": lambda level: b"Content-Type: message/rfc822\r\n\r\n",
    "multipart": lambda level: (
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (level, level)
    ),
}


@pytest.mark.parametrize("kind", WITHIN)
def test_a_message_of_many_levels_is_read_as_it_was_written(kind: str) -> None:
    scanner = Scanner()
    scanner.feed(b"".join(WITHIN[kind](level) for level in range(150)) + b"Subject: x\r\n\r\nx")
    intent = Intent(add=Add(messages=[Add.Message(mail=mail_row(digest_of(scanner.close())))]))
    assert Intent.FromString(intent.SerializeToString()) == intent
