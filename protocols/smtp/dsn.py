"""What a sender is told of mail that did not arrive, or not yet: RFC 3464 within RFC 6522, and RFC 6533.

A report goes out with the null reverse-path: nothing is ever reported about it.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from textwrap import wrap

from protocols.smtp.envelope import Path
from protocols.smtp.reply import Reply
from protocols.smtp.trace import date_time

TEXT_COLUMNS = 72


class Action(enum.Enum):
    """RFC 3464 §2.3.3."""

    FAILED = "failed"
    DELAYED = "delayed"


@dataclass(frozen=True, slots=True)
class Undelivered:
    """A recipient, and the last that was said about it. `reply.enhanced` may be empty."""

    recipient: Path
    reply: Reply


@dataclass(frozen=True, slots=True)
class Report:
    """`host` reports; `identity` makes Message-ID and boundary, so it is new for each report. Seconds."""

    host: str
    identity: str
    action: Action
    arrived_seconds: int
    now_seconds: int

    def octets(self, sender: Path, undelivered: Sequence[Undelivered], head: bytes) -> bytes:
        """The whole message; `head` is the header of the mail it is about, raw."""
        utf8 = not all(path.mailbox.isascii() for path in (sender, *(one.recipient for one in undelivered)))
        boundary = f"report-{self.identity}"
        parts = (self._text(undelivered), self._status(undelivered, utf8), _about(head))
        opened = f"--{boundary}\r\n".encode()
        body = b"".join(opened + part.removesuffix(b"\r\n") + b"\r\n" for part in parts)
        return self._fields(sender, boundary) + body + f"--{boundary}--\r\n".encode()

    def _fields(self, sender: Path, boundary: str) -> bytes:
        late = self.action is Action.DELAYED
        subject = "Your message has not been delivered yet" if late else "Your message could not be delivered"
        return (
            f"From: Mail delivery <postmaster@{self.host}>\r\nTo: {sender}\r\nSubject: {subject}\r\n"
            f"Date: {date_time(self.now_seconds)}\r\nMessage-ID: <{self.identity}@{self.host}>\r\n"
            "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"  # RFC 3834 §5
            'Content-Type: multipart/report; report-type="delivery-status";\r\n'
            f' boundary="{boundary}"\r\n\r\n'
        ).encode()

    def _text(self, undelivered: Sequence[Undelivered]) -> bytes:
        """For people."""
        late = self.action is Action.DELAYED
        end = (
            "No server has taken it yet. It is tried again; you need not do anything."
            if late
            else "It was given up; nothing more is tried."
        )
        lines = [f"This is {self.host}. Your message did not reach:", ""]
        for one in undelivered:
            lines += [
                f"  {one.recipient}",
                *(f"    {line}" for line in wrap(_said(one.reply), TEXT_COLUMNS - 4)),
            ]
        text = "\r\n".join([*lines, "", *wrap(end, TEXT_COLUMNS), ""])
        return _header("text/plain; charset=utf-8", text.isascii()) + text.encode()

    def _status(self, undelivered: Sequence[Undelivered], utf8: bool) -> bytes:
        """Fields of the message, then of each recipient: RFC 3464 §2."""
        of_message = f"Reporting-MTA: dns; {self.host}\r\nArrival-Date: {date_time(self.arrived_seconds)}\r\n"
        groups = [of_message, *("".join(self._of_recipient(one, utf8)) for one in undelivered)]
        kind = "message/global-delivery-status" if utf8 else "message/delivery-status"
        return _header(kind, not utf8) + "\r\n".join(groups).encode()

    def _of_recipient(self, one: Undelivered, utf8: bool) -> Iterator[str]:
        yield f"Final-Recipient: {'utf-8' if utf8 else 'rfc822'}; {one.recipient}\r\n"
        yield f"Action: {self.action.value}\r\n"
        yield f"Status: {_status_code(one.reply, self.action)}\r\n"
        yield f"Diagnostic-Code: smtp; {_said(one.reply)}\r\n"


def _status_code(reply: Reply, action: Action) -> str:
    """status-code, RFC 3463 §2, in the class of the action; a 4xx that was given up for its age is 5.4.7."""
    if action is Action.DELAYED:
        return reply.enhanced if reply.enhanced.startswith("4") else "4.0.0"
    if reply.code < 500:
        return "5.4.7"
    return reply.enhanced or "5.0.0"


def _about(head: bytes) -> bytes:
    """The header of the mail that did not arrive, RFC 6522 §4."""
    kind = "text/rfc822-headers" if head.isascii() else "message/global-headers"
    return _header(kind, head.isascii()) + head


def _said(reply: Reply) -> str:
    """A reply as one line of ASCII."""
    words = f"{reply.code} {reply.enhanced} {' '.join((reply.text, *reply.more))}".split()
    return " ".join(words).encode("ascii", "replace").decode()


def _header(content_type: str, ascii_only: bool) -> bytes:
    encoding = "" if ascii_only else "Content-Transfer-Encoding: 8bit\r\n"
    return f"Content-Type: {content_type}\r\n{encoding}\r\n".encode()
