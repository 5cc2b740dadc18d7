"""Mail from the open net, or over LMTP: for our users only, with nothing added but trace fields."""

from mailnode.delivery.replies import RELAYING_DENIED
from mailnode.delivery.transaction import Delivery, Terms, Transaction
from protocols.smtp.envelope import Path
from protocols.smtp.trace import Came


def _nothing(first: bytes, identity: str, seconds: int) -> bytes:
    return b""


TERMS = Terms(RELAYING_DENIED, _nothing)


class Accept:
    """Begins transactions; any reverse-path is accepted, the null one too."""

    __slots__ = ("_delivery",)

    def __init__(self, delivery: Delivery) -> None:
        self._delivery = delivery

    def begin(self, came: Came, reverse_path: Path) -> Transaction:
        return Transaction(self._delivery, TERMS, came, reverse_path)
