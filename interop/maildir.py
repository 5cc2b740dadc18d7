"""A tree of Maildirs, as the programs that copy an account to the disk keep it."""

import re
from dataclasses import dataclass
from pathlib import Path

# Header fields by which a program marks what it copies.
MARK = re.compile(rb"^(?:X-TUID|X-OfflineIMAP): \S+\r\n", re.MULTILINE)


def without_mark(octets: bytes) -> bytes:
    return MARK.sub(b"", octets)


@dataclass(frozen=True, slots=True)
class Maildir:
    root: Path

    def files(self, mailbox: str = "INBOX") -> list[Path]:
        folder = self.root / mailbox
        return sorted(path for name in ("cur", "new") for path in (folder / name).iterdir())

    def octets(self, mailbox: str = "INBOX") -> set[bytes]:
        """With CRLF for the LF that a Maildir has, and without the program's mark."""
        files = [path.read_bytes().replace(b"\n", b"\r\n") for path in self.files(mailbox)]
        return {without_mark(octets) for octets in files}

    def about(self, subject: str, mailbox: str = "INBOX") -> Path:
        """The one message with that subject."""
        line = f"Subject: {subject}\n".encode()
        (path,) = [path for path in self.files(mailbox) if line in path.read_bytes()]
        return path

    def flags(self, subject: str, mailbox: str = "INBOX") -> str:
        return self.about(subject, mailbox).name.rpartition(":2,")[2]

    def set_flags(self, subject: str, flags: str) -> None:
        """What a mail reader does: rename."""
        path = self.about(subject)
        name = path.name.partition(":2,")[0]
        path.rename(path.parent.parent / "cur" / f"{name}:2,{''.join(sorted(flags))}")

    def add(self, name: str, message: bytes, mailbox: str = "INBOX") -> None:
        r"""File a message, \Seen; the mailbox is made."""
        folder = self.root / mailbox
        for each in ("cur", "new", "tmp"):
            (folder / each).mkdir(parents=True, exist_ok=True)
        (folder / "cur" / f"{name}:2,S").write_bytes(message.replace(b"\r\n", b"\n"))
