"""What is read out of messages, names and arguments: total, linear, and true to itself."""

from __future__ import annotations

from contextlib import suppress

from protocols.arc.chain import read_chain, sealed
from protocols.deflate import Deflate
from protocols.dkim.canonical import BodyHash, relaxed_field
from protocols.dkim.head import Head, without_signature
from protocols.dkim.read import Refused, read_signature, tags_of
from protocols.dkim.record import read_record
from protocols.dkim.tags import Malformed
from protocols.dmarc.author import CANDIDATES_MAX, author
from protocols.dmarc.record import Policy, only_record
from protocols.dmarc.walk import QUERIES_MAX, applied, organisational, walk
from protocols.fault import Fault
from protocols.imap import listing, utf7
from protocols.mime.address import read_addresses
from protocols.mime.charset import decode
from protocols.mime.date import read_date
from protocols.mime.digest import digest, digest_of
from protocols.mime.limits import MIME_LIMITS
from protocols.mime.parameters import read_content_type
from protocols.mime.scan import Scanner
from protocols.pop3.surrogate import surrogate
from protocols.results import Result, authserv_id, field, received_spf
from protocols.sasl import scram
from protocols.sasl.plain import LoginServer, PlainServer
from protocols.sasl.step import KeysWanted
from protocols.smtp import grammar
from protocols.sts import read_id, read_policy
from protocols.unforged import Unforged
from tests.fuzz.cutting import pieces_of

INFLATED_PIECE_OCTETS, INFLATED_OCTETS_MAX = 1000, 100_000
KEYS = scram.keys(b"pencil", b"salt" * 4, scram.ITERATIONS_MIN)


def message(octets: bytes) -> None:
    """A message in pieces is the message, and what IMAP says of it is ASCII in one line."""
    pieces = pieces_of(octets)
    scanner = Scanner(MIME_LIMITS)
    for piece in pieces:
        scanner.feed(piece)
    found = digest_of(scanner.close())
    assert found == digest(b"".join(pieces))
    for said in (found.envelope, found.body, found.body_structure):
        assert said.startswith(b"(") and said.endswith(b")")
        assert said.isascii()


def header(octets: bytes) -> None:
    """The values of fields, each read as each kind."""
    read_addresses(octets)
    read_date(octets)
    read_content_type(octets, MIME_LIMITS.parameters_max)
    charset, _, text = octets.partition(b"\n")
    decode(text, charset)
    surrogate(octets + b"\r\n\r\n")


def mailbox_name(octets: bytes) -> None:
    name = utf7.decode(octets)
    if name is not None:
        assert utf7.encode(name) == octets
        assert listing.matcher("", [name.replace("%", "*")])(name) or name.upper().startswith("INBOX")


def paths(octets: bytes) -> None:
    for production in (grammar.reverse_path, grammar.forward_path, grammar.hello_name, grammar.xtext):
        try:
            production(octets)
        except Fault as fault:
            assert fault.text.isprintable()


def exchange(octets: bytes) -> None:
    """A SASL exchange, a response a line."""
    responses = octets.split(b"\n")
    plain, login, server = PlainServer(), LoginServer(), scram.Server(b"server-nonce-of-some-length", {})
    for response in responses[:4]:
        plain.step(response)
        login.step(response)
        if isinstance(server.step(response), KeysWanted):
            server.keys((KEYS,))


def signed(octets: bytes) -> None:
    """A body has one hash in any cuts; a field is relaxed once."""
    pieces = pieces_of(octets)
    cut, whole = BodyHash(), BodyHash()
    for piece in pieces:
        cut.feed(piece)
    stream = b"".join(pieces)
    whole.feed(stream)
    cut.end()
    whole.end()
    assert cut.digest() == whole.digest()
    relaxed = relaxed_field(b"Name :" + stream.replace(b"\r", b"").replace(b"\n", b"\r\n"))
    assert relaxed == relaxed_field(relaxed)
    assert relaxed.index(b"\r\n") == len(relaxed) - 2


def signature_and_chain(octets: bytes) -> None:
    """A header with signatures is read to the end; what one is made over has no b= of its own."""
    head = Head(octets)
    with suppress(Malformed):
        assert read_record(octets).kind is not None
    for each in head.all(b"dkim-signature"):
        bare = without_signature(each)
        assert without_signature(bare) == bare
        with suppress(Malformed, Refused):
            signature = read_signature(each, tags_of(each))
            head.signed(signature.names, signature.header_form, each)
    with suppress(Malformed, Refused):
        sets = read_chain(head)
        assert not sets or sealed(head, sets)


def policy(octets: bytes) -> None:
    """A record is read or is none, and a walk ends at the domain or above it."""
    text = octets.decode("latin-1")
    found = only_record([text])
    assert found is None or found.p in Policy
    names = walk(text)
    assert 0 < len(names) <= QUERIES_MAX
    everywhere = dict.fromkeys(names, found)
    assert text == (organisation := organisational(text, everywhere)) or text.endswith(f".{organisation}")
    holds = applied(text, everywhere, exists=False)
    assert holds is None or holds.domain in names


def sts(octets: bytes) -> None:
    """A policy reads as it is written, or is none."""
    found = read_policy(octets)
    if found is not None:
        assert read_policy(found.text().encode()) == found
        assert read_id([found.record()]) == found.id()
    assert len(read_id(octets.decode("latin-1").split("\0"))) <= 32


def unforged(octets: bytes) -> None:
    """A header loses the same fields however it is cut, and none of the others; then it has none to lose."""
    pieces = pieces_of(octets)
    cut, whole, again = (Unforged({"mx.test"}) for _ in range(3))
    found = b"".join(map(cut.feed, pieces)) + cut.end()
    stream = b"".join(pieces)
    assert found == whole.feed(stream) + whole.end()
    assert again.feed(found) + again.end() == found
    assert len(found) <= len(stream)


def author_and_results(octets: bytes) -> None:
    """Somebody has written it or nobody, and what is said of that is one field of ours."""
    found = author(octets.split(b"\0"))
    assert bool(found.domain) != bool(found.why)
    assert len(found.candidates) <= CANDIDATES_MAX
    authserv_id(octets)
    text = octets.decode("latin-1")
    made = field("mx.test", [Result("dmarc", "fail", text, (("header.from", text),))])
    _, *folded, end = made.split(b"\r\n")
    assert folded and end == b"" and made.count(b"\n") == made.count(b"\r") == len(folded) + 1
    assert all(line[:1] in (b"\t", b" ") and line.strip() and len(line) <= 998 for line in folded)
    assert authserv_id(made.partition(b":")[2]) == b"mx.test"
    assert received_spf("none", text, [("helo", text)]).count(b"\n") == 2


def deflated(octets: bytes) -> None:
    """What a peer deflated is inflated in bounded pieces, or is no DEFLATE; the same in any cuts."""
    pieces = pieces_of(octets)
    assert _inflated(pieces) == _inflated([b"".join(pieces)])


def _inflated(pieces: list[bytes]) -> bytes | None:
    layer, said = Deflate(13, 6), b""
    try:
        for piece in pieces:
            layer.feed(piece)
            while layer.pending and len(said) < INFLATED_OCTETS_MAX:
                taken = layer.take(INFLATED_PIECE_OCTETS)
                assert len(taken) <= INFLATED_PIECE_OCTETS
                said += taken
    except Fault:
        return None
    return said[:INFLATED_OCTETS_MAX]
