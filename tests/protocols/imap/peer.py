"""A listener that fits into a test: one user, a few mailboxes in memory, answers at once."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from protocols.fault import Fault
from protocols.imap import event as events
from protocols.imap import listing, response
from protocols.imap.answer import Answer, Challenge, GoOn, Greeting, No, Ok, refusal
from protocols.imap.capability import Policy
from protocols.imap.command import withholds_expunge
from protocols.imap.event import Event, StoreMode
from protocols.imap.fetch import Attribute, Plan
from protocols.imap.flags import SYSTEM, FlagNames
from protocols.imap.limits import ImapLimits
from protocols.imap.render import Columns, fetched
from protocols.imap.sequence import ranges_of
from protocols.imap.server import Session
from protocols.imap.view import View

LIMITS = ImapLimits(
    line_octets_max=1000,
    command_octets_max=2000,
    message_octets_max=500,
    swallow_octets_max=300,
    chunk_octets_max=64,
    events_open_max=3,
    errors_max=50,
    depth_max=10,
    sequence_ranges_max=20,
    list_patterns_max=5,
    search_keys_max=20,
    keyword_octets_max=30,
)
IMPATIENT = replace(LIMITS, errors_max=3)
CLEAR = Policy(tls=False, starttls=True, plaintext_login=True, mechanisms=("PLAIN", "LOGIN"))
STRICT = Policy(tls=False, starttls=True, plaintext_login=False, mechanisms=())
TLS = Policy(tls=True, starttls=True, plaintext_login=True, mechanisms=("PLAIN", "LOGIN"))

SUBSCRIBED = frozenset({"Work", "Gone"})
FLAG_CHANGES = Plan((Attribute.UID, Attribute.FLAGS))
NAMES = FlagNames((*SYSTEM, "$Forwarded"))
ENVELOPE = b'("Mon, 7 Feb 1994 21:52:25 -0800" "terms" NIL NIL NIL NIL NIL NIL NIL "<a@b>")'
BODY = b'("TEXT" "PLAIN" NIL NIL NIL "7BIT" 5 1)'
STRUCTURE = b'("TEXT" "PLAIN" NIL NIL NIL "7BIT" 5 1 NIL NIL NIL NIL)'


@dataclass(frozen=True)
class Part:
    header: int
    body: int
    end: int
    type: str
    parts: tuple[Part, ...] = ()
    encoding: str = ""
    decoded: int = 0


@dataclass(frozen=True)
class Mail:
    size: int
    header: int
    part: Part
    thread: int = 0x77
    preview: str = "terms"


def mail_of(octets: bytes) -> Mail:
    """A message of one part."""
    header = octets.find(b"\r\n\r\n") + 4
    return Mail(len(octets), header, Part(0, header, len(octets), "text/plain"))


@dataclass
class Mailbox:
    uids: array[int] = field(default_factory=lambda: array("I"))
    flags: list[int] = field(default_factory=list)
    octets: list[bytes] = field(default_factory=list)
    uid_next: int = 4

    def add(self, octets: bytes, flags: Iterable[str] = ()) -> int:
        self.uids.append(self.uid_next)
        self.flags.append(bits(flags))
        self.octets.append(octets)
        self.uid_next += 1
        return self.uid_next - 1


def bits(flags: Iterable[str]) -> int:
    return sum(1 << NAMES.names.index(flag) for flag in flags if flag in NAMES.names)


@dataclass
class Peer:
    """Knows "ann" with "sesame"; INBOX has three messages, their UIDs are 4 to 6."""

    enabled: Callable[[], frozenset[str]] = frozenset
    given: list[Event | str] = field(default_factory=list)
    mailboxes: dict[str, Mailbox] = field(default_factory=dict)
    received: list[bytes] = field(default_factory=list)
    position: int = 0
    selected: Mailbox = field(default_factory=Mailbox)
    view: View | None = None

    def __post_init__(self) -> None:
        self.mailboxes = {
            "INBOX": Mailbox(),
            "Sent": Mailbox(),
            "Work": Mailbox(),
            "Work/Ideen über": Mailbox(),
        }
        for subject in (b"one", b"two", b"three"):
            self.mailboxes["INBOX"].add(b"Subject: %b\r\nFrom: a@b\r\n\r\nbody\r\n" % subject)

    def __call__(self, event: Event | str) -> Iterable[Answer]:
        self.given.append(event)
        if isinstance(event, str):
            return [Greeting("ready")]
        try:
            return list(self._answers(event))
        except Fault as fault:
            return [refusal(fault)]

    def _answers(self, event: Event) -> Iterator[Answer]:
        match event:
            case events.Reply() | events.Goodbye() | events.AppendBroken():
                yield event.answer
            case events.Login():
                right = event.user == "ann" and event.password == "sesame"
                yield Ok("Welcome") if right else No("Wrong", "AUTHENTICATIONFAILED")
            case events.Authenticate(initial=None):
                yield Challenge(b"")
            case events.Authenticate() | events.AuthenticateResponse():
                octets = event.octets if isinstance(event, events.AuthenticateResponse) else event.initial
                right = octets == b"\0ann\0sesame"
                yield Ok("Welcome") if right else No("Wrong", "AUTHENTICATIONFAILED")
            case events.Append():
                self.received = [b""]
                yield GoOn() if event.mailbox in self.mailboxes else No("No such mailbox", "TRYCREATE")
            case events.NextMessage():
                self.received.append(b"")
                yield GoOn()
            case events.Chunk():
                self.received[-1] += event.octets
            case events.LastChunk():
                self.received[-1] += event.octets
                mailbox = self.mailboxes[event.append.mailbox]
                uids = [mailbox.add(octets, event.append.flags) for octets in self.received]
                yield from self._end(event, Ok("Appended", response.append_uid(7, ranges_of(uids))))
            case events.Idle():
                yield GoOn("idling")
            case events.Select():
                yield from self._select(event)
            case events.Close() | events.Unselect():
                self.view = None
                yield Ok("Done")
            case events.Logout() | events.StartTls():
                yield Ok("Done")
            case _:
                yield from self._rest(event)

    def _rest(self, event: Event) -> Iterator[Answer]:
        names = response.mailbox_utf8 if "UTF8=ACCEPT" in self.enabled() else response.mailbox
        match event:
            case events.Fetch():
                yield self._fetch(event)
            case events.Store():
                yield self._store(event)
            case events.Search():
                assert self.view is not None
                bound = self.view.bind(event.key)
                uids = [u for a, b in bound.numbers.ranges for u in self.selected.uids if a <= u <= b]
                yield response.found(event, uids if event.by_uid else self.view.numbers(uids))
            case events.Expunge():
                self._expunge()
            case events.List():
                rows = listing.answer(event, dict.fromkeys(self.mailboxes, ()), SUBSCRIBED, names)
                yield b"".join(row.octets for row in rows)
            case events.Lsub():
                yield listing.subscriptions(event, dict.fromkeys(self.mailboxes, ()), SUBSCRIBED, names)
            case events.Namespace():
                yield response.namespace()
            case events.Status():
                if event.mailbox not in self.mailboxes:
                    yield No("No such mailbox", "NONEXISTENT")
                    return
                yield response.status(names(event.mailbox), dict.fromkeys(event.items, 3))
            case events.Id():
                yield response.identified({"name": "peer"})
        yield from self._end(event, Ok("Done"))

    def _end(self, event: Event, answer: Answer) -> Iterator[Answer]:
        yield self._news(expunges=not withholds_expunge(event))
        yield answer

    def _news(self, *, expunges: bool) -> bytes:
        view = self.view
        if view is None:
            return b""
        said = view.expunges() if expunges else b""
        arrivals = view.arrivals(self.selected.uids, len(self.selected.uids))
        said += arrivals and arrivals + response.recent(view.within(view.recent))
        changed = view.changed
        view.told_changes()
        columns = self._columns([u for a, b in changed for u in self.selected.uids if a <= u <= b])
        return said + fetched(FLAG_CHANGES, columns, NAMES)

    def _columns(self, uids: list[int]) -> Columns:
        assert self.view is not None
        at = [self.selected.uids.index(uid) for uid in uids]
        octets = [self.selected.octets[i] for i in at]
        return Columns(
            numbers=self.view.numbers(uids),
            uids=uids,
            flags=[self.selected.flags[i] for i in at],
            sizes=[len(o) for o in octets],
            dates=[837596665 for _ in at],
            mails=[mail_of(o) for o in octets],
            octets=octets,
            modseqs=[uid + 100 for uid in uids],
            email_ids=[uid + 0x1000 for uid in uids],
            saved=[837596666 for _ in at],
            envelopes=[ENVELOPE for _ in at],
            bodies=[BODY for _ in at],
            structures=[STRUCTURE for _ in at],
        )

    def _select(self, event: events.Select) -> Iterator[Answer]:
        self.view = None
        if event.mailbox not in self.mailboxes:
            yield No("No such mailbox", "NONEXISTENT")
            return
        self.selected = self.mailboxes[event.mailbox]
        count = len(self.selected.uids)
        self.view = View(self.selected.uids, count)
        unseen, uid_next = 1 if count else 0, self.selected.uid_next
        told = response.Selected(SYSTEM, SYSTEM, True, count, 0, unseen, b"", 7, uid_next, 9, "M1")
        yield response.selected(told)
        yield Ok("Selected", "READ-ONLY" if event.examine else "READ-WRITE")

    def _told(self, event: events.Fetch | events.Store) -> list[int]:
        assert self.view is not None
        ranges = self.view.ranges(event.numbers, event.by_uid)
        return [u for a, b in ranges for u in self.selected.uids if a <= u <= b]

    def _fetch(self, event: events.Fetch) -> bytes:
        return fetched(event.plan, self._columns(self._told(event)), NAMES)

    def _store(self, event: events.Store) -> bytes:
        assert self.view is not None
        self.position += 1
        asked = bits(event.flags)
        uids = self._told(event)
        for index in map(self.selected.uids.index, uids):
            old = self.selected.flags[index]
            add, remove = old | asked, old & ~asked
            new = {StoreMode.REPLACE: asked, StoreMode.ADD: add, StoreMode.REMOVE: remove}
            self.selected.flags[index] = new[event.mode]
        self.view.answered(self.position, self.position, ranges_of(uids))
        self.view.note(self.position, [], ranges_of(uids), [])
        return b"" if event.silent else fetched(FLAG_CHANGES, self._columns(uids), NAMES)

    def _expunge(self) -> None:
        deleted = bits(["\\Deleted"])
        self.expunge(
            [uid for uid, f in zip(self.selected.uids, self.selected.flags, strict=True) if f & deleted]
        )

    def expunge(self, uids: list[int]) -> None:
        """They go, and the view is told."""
        box = self.selected
        for uid in uids:
            index = box.uids.index(uid)
            box.uids = box.uids[:index] + box.uids[index + 1 :]
            del box.flags[index], box.octets[index]
        self.position += 1
        if self.view is not None:
            self.view.note(self.position, [], [], ranges_of(uids))

    def news(self, words: str) -> bytes:
        """Of an N: line: `ARRIVES` tells of a message, `EXPUNGES 5` and `CHANGES 5` only let it happen."""
        word, _, uid = words.partition(" ")
        if word == "ARRIVES":
            self.selected.add(b"Subject: new\r\n\r\nnew\r\n")
            return self._news(expunges=True)
        if word == "EXPUNGES":
            self.expunge([int(uid)])
        else:
            self.selected.flags[self.selected.uids.index(int(uid))] ^= 1
            self.position += 1
            assert self.view is not None
            self.view.note(self.position, [], [(int(uid), int(uid))], [])
        return b""


class Greeted:
    """A session that asks for its greeting first, as a listener says it."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.greeted = False

    def feed(self, octets: bytes) -> None:
        self.session.feed(octets)

    def next(self) -> Event | str | None:
        if not self.greeted:
            self.greeted = True
            return "greeting"
        return self.session.next()

    def send(self, event: Event | str | None, answer: Answer) -> bytes:
        return self.session.send(None if isinstance(event, str) else event, answer)
