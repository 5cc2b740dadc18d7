"""A delivery status notification (RFC 3464), taken apart."""

import email
import email.policy
from dataclasses import dataclass
from email.message import EmailMessage


@dataclass(frozen=True, slots=True)
class Notification:
    recipients: tuple[dict[str, str], ...]  # the fields of each, by lower-case name
    returned: EmailMessage  # what came back: a message/rfc822 or text/rfc822-headers part


def notification(octets: bytes) -> Notification:
    """The three parts of a multipart/report, RFC 6522 §3."""
    message = email.message_from_bytes(octets, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    assert message.get_content_type() == "multipart/report"
    assert message["Auto-Submitted"].startswith("auto-")  # RFC 3834 §5
    _, status, returned = message.iter_parts()
    assert status.get_content_type() == "message/delivery-status"
    _, *blocks = status.iter_parts()
    recipients = tuple({name.lower(): str(value) for name, value in block.items()} for block in blocks)
    assert isinstance(returned, EmailMessage)
    return Notification(recipients, returned)
