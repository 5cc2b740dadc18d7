"""Who reports, and the reports as mail: one to each destination, in parts where one takes no more at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from mailnode.limits import Limits
from protocols.reports.letter import Letter, Part, write
from protocols.reports.uri import Destination
from protocols.smtp.trace import date_time

T = TypeVar("T")
ENCODED_SHARE = 1.4  # base64 with its line ends, of the octets that it encodes
AROUND_OCTETS = 2000  # of a message beside its file


@dataclass(frozen=True, slots=True)
class Reporting:
    """Who we are in reports. `contact` is a mail address; `host` stands in identities."""

    organization: str
    contact: str
    host: str

    @property
    def submitter(self) -> str:
        """RFC 8460 §5.3: the domain of the contact."""
        return self.contact.rpartition("@")[2]

    def message(
        self,
        recipient: str,
        subject: str,
        identity: str,
        seconds: int,
        text: str,
        parts: Sequence[Part],
        kind: tuple[str, tuple[tuple[str, str], ...]] = ("", ()),
    ) -> bytes:
        """`kind` is a report-type and further fields."""
        letter = Letter(
            self.contact, recipient, subject, date_time(seconds), identity, self.host, kind[0], kind[1]
        )
        return write(letter, text, parts)


def octets_max(destination: Destination, limits: Limits) -> int:
    """Of a file for it: what it takes is meant with all encodings, RFC 7489 §7.2.1."""
    most = min(destination.octets_max or limits.report_octets_max, limits.report_octets_max)
    return int((most - AROUND_OCTETS) / ENCODED_SHARE)


def fitting(
    records: Sequence[T], size: Callable[[Sequence[T]], int], octets_max: int, parts_max: int
) -> Iterator[Sequence[T]]:
    """All records, or halves of them until the file of each is small enough; beyond `parts_max` the rest,
    which are the rarest, is left out, as is a record that does not fit alone."""
    waiting, parts = [records], 0
    while waiting and parts < parts_max:
        some = waiting.pop(0)
        if size(some) <= octets_max:
            parts += 1
            yield some
        elif len(some) > 1:
            waiting[:0] = [some[: len(some) // 2], some[len(some) // 2 :]]
