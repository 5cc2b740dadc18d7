"""The commands that clients choose from, and what each makes known to the world."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from tests.checker.ask import Ask
from tests.checker.client import Client
from tests.checker.told import Known, Lie, numbers_of
from tests.wire.imap import Answer

MAILBOXES = ("box", "other")
FLAGS = ("\\Seen", "\\Flagged", "\\Answered", "\\Draft", "\\Deleted", "one", "two")
COPIED = re.compile(rb"\[COPYUID \d+ (\S+) (\S+)\]")
MODIFIED = re.compile(rb"\[MODIFIED (\S+)\]")
ALL = re.compile(rb" ALL (\S+)")
APPENDED = re.compile(rb"\[APPENDUID \d+ (\d+)\]")

Command = Callable[[Client], Ask | None]
"""None: it cannot be sent as things are."""


# ---- which messages


def _some(client: Client) -> list[tuple[int, Known]]:
    """Messages whose UID the client knows, in order, with their numbers: a few, or a run of them."""
    assert client.told is not None
    known = [(n, message) for n, message in enumerate(client.told.messages, 1) if message.uid]
    if not known:
        return []
    start = client.random.randrange(len(known))
    if client.random.random() < RUN_SHARE:
        return known[start : start + client.random.randint(1, len(known))]
    count = min(len(known), client.random.choice((1, 1, 2, 3, 8)))
    return [known[index] for index in sorted(client.random.sample(range(len(known)), count))]


def _named(client: Client, messages: Sequence[tuple[int, Known]]) -> tuple[bytes, bytes, bool]:
    """ "UID " or nothing, the set, and whether it is of numbers."""
    if client.random.random() < 0.5:
        return b"UID ", _set(messages, [message.uid for _, message in messages]), False
    return b"", _set(messages, [number for number, _ in messages]), True


def _set(messages: Sequence[tuple[int, Known]], names: list[int]) -> bytes:
    """Neighbours in the mailbox as a range, by number or by UID: the client knows of nothing between."""
    pieces: list[bytes] = []
    start = 0
    for index in range(1, len(names) + 1):
        if index == len(names) or messages[index][0] != messages[index - 1][0] + 1:
            first, last = names[start], names[index - 1]
            pieces.append(b"%d" % first if first == last else b"%d:%d" % (first, last))
            start = index
    return b",".join(pieces)


def _places(client: Client, messages: Sequence[tuple[int, Known]]) -> list[tuple[str, int]]:
    return [(client.mailbox, message.uid) for _, message in messages]


def _is_full(client: Client) -> bool:
    return client.told is not None and len(client.told.messages) >= client.world.messages_max


def _statuses(by_number: bool) -> tuple[bytes, ...]:
    """Who names a message by a number that another client expunged may be told NO (RFC 5530 §3,
    EXPUNGEISSUED); UIDs that are gone are passed over."""
    return (b"OK", b"NO") if by_number else (b"OK",)


# ---- commands


def append(client: Client) -> Ask | None:
    world = client.world
    if _is_full(client):
        return None
    mailbox = client.random.choice(MAILBOXES)
    flags = frozenset(client.random.sample(FLAGS, client.random.choice((0, 0, 1, 2))))
    sent = world.tick()
    identity = b"%b-%d" % (client.name.encode(), sent)

    def done(answer: Answer) -> None:
        found = APPENDED.search(answer.text)
        if found is None:
            raise Lie(f"APPEND without APPENDUID: {answer.text!r}")
        place = (mailbox, int(found[1]))
        world.create(place, sent, flags, f"APPEND {identity.decode()}")
        world.identify(place, identity)

    message = b"X-Id: %b\r\nSubject: checked\r\n\r\nHello\r\n" % identity
    text = b"APPEND %b (%b)" % (mailbox.encode(), " ".join(sorted(flags)).encode())
    return Ask((text, message), sent, done=done)


def store(client: Client) -> Ask | None:
    messages = _some(client)
    if not messages or client.read_only:
        return None
    add = client.random.random() < 0.6
    silent = client.random.random() < 0.3
    flags = client.random.sample(FLAGS, client.random.choice((1, 1, 2)))
    uid, named, by_number = _named(client, messages)
    sent = client.world.tick()
    writes = client.world.write(_places(client, messages), flags, add)

    def begun() -> None:
        for _, message in messages if silent else ():
            if message.flags is not None:  # the client has to know by itself
                message.flags = message.flags | set(flags) if add else message.flags - set(flags)

    def done(answer: Answer) -> None:
        for _, message in messages if answer.status == b"NO" else ():
            message.flags = None  # some are gone, and what became of the others was not said

    sign, how = b"+" if add else b"-", b".SILENT" if silent else b""
    text = b"%bSTORE %b %bFLAGS%b (%b)" % (uid, named, sign, how, " ".join(flags).encode())
    statuses = _statuses(by_number)
    return Ask((text,), sent, by_number, by_number, statuses=statuses, writes=writes, begun=begun, done=done)


def replace_flags(client: Client) -> Ask | None:
    messages = _some(client)
    if not messages or client.read_only:
        return None
    flags = client.random.sample(FLAGS, client.random.choice((0, 1, 3)))
    uid, named, by_number = _named(client, messages)
    sent = client.world.tick()
    places = _places(client, messages)
    writes = client.world.write(places, flags, True)
    writes += client.world.write(places, [flag for flag in FLAGS if flag not in flags], False)
    text = b"%bSTORE %b FLAGS (%b)" % (uid, named, " ".join(flags).encode())
    return Ask((text,), sent, by_number, by_number, statuses=_statuses(by_number), writes=writes)


def store_unchanged(client: Client) -> Ask | None:
    """UNCHANGEDSINCE (RFC 7162 §3.1.3): what MODIFIED names was not stored."""
    messages = [each for each in _some(client)[:8] if each[1].mod_sequence]
    if not messages or client.read_only:
        return None
    world, flag = client.world, client.random.choice(FLAGS)
    since = client.random.choice([message.mod_sequence for _, message in messages])
    uid, named, by_number = _named(client, messages)
    names = [number if by_number else message.uid for number, message in messages]
    sent = world.tick()
    writes = world.write(_places(client, messages), [flag], True)

    def done(answer: Answer) -> None:
        found = MODIFIED.search(answer.text)
        modified = set(numbers_of(found[1])) if found else set()
        if not modified <= set(names):
            raise Lie(f"MODIFIED of {modified}, asked were {names}")
        for place, name, write in zip(_places(client, messages), names, writes, strict=True):
            if name in modified:
                world.withdraw(place, [write])

    text = b"%bSTORE %b (UNCHANGEDSINCE %d) +FLAGS (%b)" % (uid, named, since, flag.encode())
    return Ask((text,), sent, by_number, by_number, statuses=(b"OK", b"NO"), writes=writes, done=done)


def fetch(client: Client) -> Ask | None:
    messages = _some(client)
    if not messages:
        return None
    uid, named, by_number = _named(client, messages)
    what = client.random.choice(
        (
            b"FLAGS",
            b"(UID FLAGS)",
            b"(UID INTERNALDATE RFC822.SIZE)",
            b"(UID FLAGS BODY.PEEK[HEADER])",
            b"FAST",
        )
    )
    text = b"%bFETCH %b %b" % (uid, named, what)
    return Ask((text,), client.world.tick(), by_number, by_number, statuses=_statuses(by_number))


def fetch_all(client: Client) -> Ask | None:
    """What a client does to know what it does not: all by numbers, those without UID too."""
    assert client.told is not None
    if not client.told.messages:
        return None
    text = b"FETCH 1:%d (UID FLAGS)" % len(client.told.messages)
    return Ask((text,), client.world.tick(), True, True, statuses=_statuses(True))


def fetch_body(client: Client) -> Ask | None:
    r"""Sets \Seen, where it may."""
    messages = _some(client)[:2]
    if not messages:
        return None
    uid, named, by_number = _named(client, messages)
    sent = client.world.tick()
    places = [] if client.read_only else _places(client, messages)
    writes = client.world.write(places, ["\\Seen"], True)
    text = b"%bFETCH %b (UID BODY[TEXT])" % (uid, named)
    return Ask((text,), sent, by_number, by_number, statuses=_statuses(by_number), writes=writes)


def search(client: Client) -> Ask | None:
    """The flag of every message that the client knows, read at once."""
    assert client.told is not None
    told, mailbox, world = client.told, client.mailbox, client.world
    flag = client.random.choice(FLAGS)
    key = flag[1:].upper() if flag.startswith("\\") else f"KEYWORD {flag}"
    by_uid = client.random.random() < 0.5
    uids = told.uids()
    sent = world.tick()

    def done(answer: Answer) -> None:
        count = len(told.messages)
        found = _found(answer)
        if not by_uid and any(not 1 <= number <= count for number in found):
            raise Lie(f"SEARCH found {found} of {count}")
        said = set(found) if by_uid else {told.messages[number - 1].uid for number in found}
        for uid in uids:
            world.read_one((mailbox, uid), flag, uid in said, sent, f"{client.name} SEARCH {key}")

    text = f"{'UID ' if by_uid else ''}SEARCH {key}".encode()
    return Ask((text,), sent, not by_uid, not by_uid, done=done)


def _found(answer: Answer) -> list[int]:
    """Of SEARCH, or of ESEARCH, which one that enabled IMAP4rev2 hears."""
    (line,) = [line for line in answer.untagged if line.startswith((b"* SEARCH", b"* ESEARCH"))]
    if line.startswith(b"* SEARCH"):
        return [int(word) for word in line.split()[2:]]
    every = ALL.search(line)
    return numbers_of(every[1]) if every else []


def expunge(client: Client) -> Ask | None:
    return None if client.read_only else Ask((b"EXPUNGE",), client.world.tick())


def uid_expunge(client: Client) -> Ask | None:
    messages = _some(client)
    if not messages or client.read_only:
        return None
    uids = _set(messages, [message.uid for _, message in messages])
    return Ask((b"UID EXPUNGE " + uids,), client.world.tick())


def copy(client: Client) -> Ask | None:
    return _transfer(client, move=False)


def move(client: Client) -> Ask | None:
    return None if client.read_only else _transfer(client, move=True)


def _transfer(client: Client, move: bool) -> Ask | None:
    messages = _some(client)
    assert client.told is not None
    if not messages or (not move and _is_full(client)):
        return None
    world, mailbox, told = client.world, client.mailbox, client.told
    target = client.random.choice(MAILBOXES)
    uid, named, by_number = _named(client, messages)
    verb = b"MOVE" if move else b"COPY"
    sent = world.tick()
    if move:
        world.mortal.update(_places(client, messages))

    def done(answer: Answer) -> None:
        found = COPIED.search(b"".join((*answer.untagged, answer.text)))
        if found is None:
            return  # all of them are gone
        sources, targets = numbers_of(found[1]), numbers_of(found[2])
        if len(sources) != len(targets) or targets != sorted(set(targets)):
            raise Lie(f"{found[0]!r}: not as many, or not ascending")
        for source, new in zip(sources, targets, strict=True):
            world.create((target, new), sent, None, f"{verb.decode()} of {mailbox} {source}")
            if (mailbox, source) in world.identities:
                world.identify((target, new), world.identities[mailbox, source])
            if move and told.number(source):
                raise Lie(f"MOVE of UID {source} without its EXPUNGE")

    text = b"%b%b %b %b" % (uid, verb, named, target.encode())
    return Ask((text,), sent, uses_numbers=by_number, statuses=_statuses(by_number), done=done)


def status(client: Client) -> Ask | None:
    mailbox = client.random.choice(MAILBOXES).encode()
    return Ask((b"STATUS %b (MESSAGES UIDNEXT UNSEEN RECENT)" % mailbox,), client.world.tick())


def noop(client: Client) -> Ask | None:
    return Ask((b"NOOP",), client.world.tick())


def check(client: Client) -> Ask | None:
    return Ask((b"CHECK",), client.world.tick())


def select(client: Client) -> Ask | None:
    return _select(client, b"SELECT", read_only=False)


def examine(client: Client) -> Ask | None:
    return _select(client, b"EXAMINE", read_only=True)


def _select(client: Client, verb: bytes, read_only: bool) -> Ask:
    mailbox = client.random.choice(MAILBOXES)
    text = b"%b %b" % (verb, mailbox.encode())
    return Ask((text,), client.world.tick(), last=True, select=mailbox, read_only=read_only)


def close(client: Client) -> Ask | None:
    return _leave(client, b"CLOSE")


def unselect(client: Client) -> Ask | None:
    return _leave(client, b"UNSELECT")


def _leave(client: Client, verb: bytes) -> Ask:
    return Ask((verb,), client.world.tick(), last=True, done=lambda answer: client.deselected())


# How often each is chosen. `idle` is the client's own.
SELECTED: dict[Command, int] = {
    append: 9,
    store: 20,
    replace_flags: 3,
    store_unchanged: 4,
    fetch: 12,
    fetch_all: 12,
    fetch_body: 4,
    search: 6,
    expunge: 4,
    uid_expunge: 4,
    copy: 4,
    move: 4,
    status: 3,
    noop: 8,
    check: 2,
    select: 3,
    examine: 1,
    close: 1,
    unselect: 1,
}
UNSELECTED: dict[Command, int] = {append: 3, status: 1, noop: 1, select: 10, examine: 2}
RUN_SHARE = 0.15
IDLE_SHARE = 0.06
NAP_SHARE = (
    0.02  # how often a client says nothing while others work: it falls behind, and is told all at once
)
NAPS = (5, 50)  # commands of others
SLEEP = 3_000  # of one client at a time
PIPELINE_SHARE = 0.25
PIPELINED_MAX = 5
