"""An aggregate report as others write it: RFC 7489, Appendix C, and its successor's (RFC 9990), whose new
elements are passed over.

expat is told nothing of documents elsewhere, and what declares a document type or an entity is refused before
anything of it is expanded: then memory is what the octets themselves take, and depth and texts are bounded.
Leniency: namespaces, letter case of words, missing elements and unknown ones, as large receivers send them.
"""

from __future__ import annotations

import heapq
from ipaddress import ip_address
from xml.parsers import expat

from protocols.reports.values import (
    Aggregate,
    DkimAuth,
    Malformed,
    Metadata,
    Override,
    PolicyPublished,
    Record,
    SpfAuth,
)

DEPTH_MAX = 20  # the schema has six levels
TEXT_CHARACTERS_MAX = 1000  # of one element: a domain has 253
OF_RECORD_MAX = 20  # signatures, SPF results, reasons of one record
RECORDS_READ_MAX = 200_000  # a day of a large receiver; more is made up
COUNT_DIGITS_MAX = 12
_DISPOSITIONS = ("none", "quarantine", "reject", "pass")
_PIECE = 64 * 1024

Path = tuple[str, ...]


def read(octets: bytes, records_max: int) -> Aggregate:
    """Of the records those are kept that fail, then those of most messages; raises Malformed."""
    reader = _Reader(records_max)
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = _refused
    parser.EntityDeclHandler = _refused
    try:
        for at in range(0, len(octets), _PIECE):
            parser.Parse(octets[at : at + _PIECE], False)
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise Malformed(f"no XML: {error}") from None
    except (LookupError, ValueError) as error:  # of an encoding that Python does not have
        raise Malformed(f"no XML: {error}") from None
    return reader.report()


def _refused(*_: object) -> None:
    raise Malformed("it declares a document type")


class _Reader:
    """Collects the texts of elements by where they stand below `feedback`."""

    def __init__(self, records_max: int) -> None:
        self._path: list[str] = []
        self._text: list[str] = []
        self._text_size = 0
        self._head: dict[Path, str] = {}
        self._record: dict[Path, str] = {}
        self._groups: dict[Path, list[dict[str, str]]] = {}
        self._group: dict[str, str] = {}
        self._records: list[tuple[bool, int, int, Record]] = []
        self._records_max = records_max
        self._read = 0
        self._messages = 0
        self._failed = 0

    def start(self, name: str, _: dict[str, str]) -> None:
        local = name.rpartition(" ")[2].lower()
        if not self._path and local != "feedback":
            raise Malformed("it is no feedback")
        if len(self._path) >= DEPTH_MAX:
            raise Malformed("its elements are nested too deeply")
        self._path.append(local)
        self._text, self._text_size = [], 0

    def text(self, data: str) -> None:
        left = TEXT_CHARACTERS_MAX - self._text_size
        if left > 0:
            self._text.append(data[:left])
            self._text_size += len(data)

    def end(self, _: str) -> None:
        path = tuple(self._path[1:])
        self._path.pop()
        text = "".join(self._text).strip()
        self._text, self._text_size = [], 0
        if path == ("record",):
            self._keep()
        elif path[:1] == ("record",):
            self._note(path[1:], text)
        elif path[:1] in (("report_metadata",), ("policy_published",)):
            self._head.setdefault(path, text)

    def _note(self, path: Path, text: str) -> None:
        """Of an element of a record; the first counts, but for those of _GROUPS."""
        if path in _GROUPS:
            found = self._groups.setdefault(path, [])
            if len(found) < OF_RECORD_MAX:
                found.append(self._group)
            self._group = {}
        elif path[:-1] in _GROUPS:
            self._group.setdefault(path[-1], text)
        else:
            self._record.setdefault(path, text)

    def _keep(self) -> None:
        self._read += 1
        if self._read > RECORDS_READ_MAX:
            raise Malformed("it has too many records")
        record = _record(self._record, self._groups)
        self._record, self._groups, self._group = {}, {}, {}
        if record is None:
            return
        self._messages += record.count
        self._failed += 0 if record.passes else record.count
        entry = (not record.passes, record.count, -self._read, record)
        if len(self._records) < self._records_max:
            heapq.heappush(self._records, entry)
        else:
            heapq.heappushpop(self._records, entry)

    def report(self) -> Aggregate:
        head = self._head
        begin = _number(head.get(("report_metadata", "date_range", "begin"), ""))
        end = _number(head.get(("report_metadata", "date_range", "end"), ""))
        domain = head.get(("policy_published", "domain"), "").lower().removesuffix(".")
        if not domain or not end:
            raise Malformed("it lacks its domain or its time")
        records = tuple(entry[3] for entry in sorted(self._records, reverse=True))
        left_out = self._messages - sum(record.count for record in records)
        return Aggregate(
            Metadata(
                head.get(("report_metadata", "org_name"), ""),
                head.get(("report_metadata", "email"), ""),
                head.get(("report_metadata", "report_id"), ""),
                min(begin, end),
                max(begin, end),
            ),
            self._policy(domain),
            records,
            self._messages,
            self._failed,
            left_out,
        )

    def _policy(self, domain: str) -> PolicyPublished:
        def word(name: str, otherwise: str) -> str:
            return self._head.get(("policy_published", name), "").lower() or otherwise

        p = word("p", "none")
        return PolicyPublished(
            domain, word("adkim", "r"), word("aspf", "r"), p, word("sp", p), word("fo", "0")
        )


_DKIM: Path = ("auth_results", "dkim")
_SPF: Path = ("auth_results", "spf")
_REASON: Path = ("row", "policy_evaluated", "reason")
_GROUPS = frozenset((_DKIM, _SPF, _REASON))


def _record(texts: dict[Path, str], groups: dict[Path, list[dict[str, str]]]) -> Record | None:
    """None: it has no messages, or no address that they came from."""

    def one(*path: str) -> str:
        return texts.get(path, "")

    count, source = _number(one("row", "count")), _address(one("row", "source_ip"))
    if not count or not source:
        return None
    disposition = one("row", "policy_evaluated", "disposition").lower()
    return Record(
        source=source,
        count=count,
        disposition=disposition if disposition in _DISPOSITIONS else "none",
        dkim=one("row", "policy_evaluated", "dkim").lower() == "pass",
        spf=one("row", "policy_evaluated", "spf").lower() == "pass",
        header_from=one("identifiers", "header_from").lower(),
        envelope_from=one("identifiers", "envelope_from"),
        reasons=tuple(
            Override(each.get("type", ""), each.get("comment", "")) for each in groups.get(_REASON, ())
        ),
        dkim_auth=tuple(map(_dkim, groups.get(_DKIM, ()))),
        spf_auth=tuple(map(_spf, groups.get(_SPF, ()))),
    )


def _dkim(group: dict[str, str]) -> DkimAuth:
    return DkimAuth(
        group.get("domain", "").lower(), group.get("selector", ""), group.get("result", "none").lower()
    )


def _spf(group: dict[str, str]) -> SpfAuth:
    scope = "helo" if group.get("scope", "").lower() == "helo" else "mfrom"
    return SpfAuth(group.get("domain", "").lower(), scope, group.get("result", "none").lower())


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= COUNT_DIGITS_MAX else 0


def _address(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        return ""
