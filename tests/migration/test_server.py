"""A server that answers what is no IMAP ends an import with a sentence, not with a traceback."""

from __future__ import annotations

import socketserver
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest

from mailnode.migration.server import Login, Security, ServerSource
from mailnode.migration.source import SourceError

USUAL: Mapping[str, str] = {
    "CAPABILITY": "* CAPABILITY IMAP4rev1\r\n",
    "LIST": '* LIST () "/" INBOX\r\n',
    "STATUS": "* STATUS INBOX (UIDVALIDITY 7 UIDNEXT 3 MESSAGES 1)\r\n",
    "EXAMINE": "* 1 EXISTS\r\n* OK [UIDVALIDITY 7] valid\r\n* OK [UIDNEXT 3] next\r\n",
    "UID SEARCH": "* SEARCH 2\r\n",
    "UID FETCH": "* 1 FETCH (UID 2 FLAGS (\\Seen) RFC822.SIZE 9)\r\n",
}


@contextmanager
def server(says: Mapping[str, str]) -> Iterator[ServerSource]:
    class Talk(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"* OK ready\r\n")
            for line in self.rfile:
                tag, _, command = line.decode().rstrip().partition(" ")
                verb = next((each for each in USUAL if command.upper().startswith(each)), "")
                self.wfile.write(f"{(USUAL | says).get(verb, '')}{tag} OK done\r\n".encode())

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Talk) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        port = listening.server_address[1]
        context = ssl.create_default_context()
        login = Login("127.0.0.1", port, Security.PLAIN, "ann", "", "secret", context)
        source = ServerSource(login, "there", "")
        try:
            yield source
        finally:
            source.close()
            listening.shutdown()


def test_what_a_server_has_is_listed_and_described() -> None:
    with server({}) as source:
        (box,) = source.boxes()
        (item,) = source.items(box)
        assert (box.uid_validity, box.uid_next, item.uid, item.size) == (7, 3, 2, 9)


@pytest.mark.parametrize(
    "says",
    [
        {"STATUS": ""},
        {"STATUS": "* STATUS INBOX (MESSAGES 1)\r\n"},
        {"STATUS": "* STATUS INBOX (UIDVALIDITY 99999999999 UIDNEXT 3 MESSAGES 1)\r\n"},
        {"STATUS": "* STATUS INBOX (UIDVALIDITY 7 UIDNEXT NIL MESSAGES 1)\r\n"},
        {"EXAMINE": "* 1 EXISTS\r\n"},
        {"UID SEARCH": "* SEARCH 99999999999\r\n"},
        {"UID FETCH": "* 1 FETCH (UID 2 FLAGS (1 2) RFC822.SIZE 9)\r\n"},
        {"UID FETCH": "* 1 FETCH ((((\r\n"},
    ],
)
def test_what_is_no_imap_is_said(says: Mapping[str, str]) -> None:
    with server(says) as source, pytest.raises(SourceError):
        for box in source.boxes():
            list(source.items(box))
