"""Replies: RFC 5321 §4.2, with enhanced status codes of RFC 3463 as RFC 2034 sends them."""

from __future__ import annotations

from dataclasses import dataclass

from protocols.fault import Fault


@dataclass(frozen=True, slots=True)
class Reply:
    """`enhanced` is empty where RFC 2034 §3 allows none: greetings, EHLO, HELO and 3xx. Lines are ASCII."""

    code: int
    enhanced: str
    text: str
    more: tuple[str, ...] = ()

    @property
    def positive(self) -> bool:
        return self.code < 400

    def octets(self) -> bytes:
        """As on the wire; every line of a multiline reply has both codes, RFC 2034 §4."""
        status = f" {self.enhanced} " if self.enhanced else " "
        if not self.more:
            return f"{self.code}{status}{self.text}\r\n".encode("ascii", "replace")
        first = f"{self.code}-{status[1:]}"
        lines = [first + line for line in (self.text, *self.more[:-1])]
        lines.append(f"{self.code}{status}{self.more[-1]}")
        return ("\r\n".join(lines) + "\r\n").encode("ascii", "replace")


def of_fault(fault: Fault) -> Reply:
    """A Fault of this package: its code is `501 5.5.2`."""
    code, _, enhanced = fault.code.partition(" ")
    return Reply(int(code), enhanced, fault.text)


OK = Reply(250, "2.0.0", "OK")
GO_ON = Reply(354, "", "End data with <CR><LF>.<CR><LF>")
SENDER_OK = Reply(250, "2.1.0", "Sender OK")
RECIPIENT_OK = Reply(250, "2.1.5", "Recipient OK")
AUTHENTICATED = Reply(235, "2.7.0", "Authentication successful")
GOODBYE = Reply(221, "2.0.0", "Goodbye")
READY_FOR_TLS = Reply(220, "2.0.0", "Ready to start TLS")
CANNOT_VERIFY = Reply(252, "2.1.5", "Cannot VRFY user, but will accept message and attempt delivery")
TOO_MANY_ERRORS = Reply(421, "4.7.0", "Too many errors, closing")
TOO_MANY_UNKNOWN = Reply(421, "4.7.0", "Too many refused recipients, closing")
LINE_TOO_LONG = Reply(500, "5.5.2", "Line too long")
NOT_CRLF = Reply(500, "5.5.2", "A command ends with CRLF")  # RFC 5321 §2.3.8
UNKNOWN = Reply(500, "5.5.2", "Command not recognized")
AUTH_LINE_TOO_LONG = Reply(500, "5.5.6", "Authentication exchange line is too long")  # RFC 4954 §6
AUTH_CANCELLED = Reply(501, "5.7.0", "Authentication cancelled")  # RFC 4954 §4
AUTH_NOT_BASE64 = Reply(501, "5.5.2", "Cannot decode base64")  # RFC 4954 §4
BAD_CHUNK = Reply(501, "5.5.4", "Expected BDAT size [LAST]")
CHUNK_WITHOUT_SIZE = Reply(421, "4.5.4", "Cannot tell where this chunk ends, closing")
NOT_HTTP = Reply(421, "4.7.0", "This is a mail server, closing")

MESSAGE_TOO_BIG = Reply(552, "5.3.4", "Message is larger than the limit")  # RFC 1870 §6.3
ENDLESS = Reply(552, "5.3.4", "Message is far larger than the limit, closing")
BARE_LF = Reply(550, "5.6.11", "Message has a line end that is not CRLF")
BARE_CR = Reply(550, "5.6.11", "Message has a CR that ends no line")
HAS_NUL = Reply(550, "5.6.11", "Message has a NUL octet")
