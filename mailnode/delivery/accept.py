"""Mail from the open net, or over LMTP: for our users only, with nothing added but trace fields."""

from mailnode.delivery.examined import Authentication, Examined
from mailnode.delivery.replies import RELAYING_DENIED
from mailnode.delivery.transaction import Delivery, Sender, Terms, Transaction
from protocols.smtp.reply import Reply
from protocols.smtp.trace import Came


def _nothing(first: bytes, identity: str, seconds: int) -> bytes:
    return b""


TERMS = Terms(RELAYING_DENIED, _nothing)


class Accept:
    """Begins transactions; any reverse-path is accepted, the null one too."""

    __slots__ = ("_authentication", "_delivery")

    def __init__(self, delivery: Delivery, authentication: Authentication | None = None) -> None:
        """`authentication` where it is to be found out who has sent something: not within our own site."""
        self._delivery = delivery
        self._authentication = authentication

    async def begin(self, came: Came, sender: Sender) -> Transaction | Reply:
        refused = self._delivery.refusal(sender.parameters)
        if refused is not None:
            return refused
        if self._authentication is None or self._authentication.is_exempt(came.address):
            return Transaction(self._delivery, TERMS, came, sender)
        examined = Examined(self._authentication, came, str(sender.reverse_path))
        return Transaction(self._delivery, TERMS, came, sender, examined)
