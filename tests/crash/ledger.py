"""What was promised to clients, and whether what is found keeps it.

A message is known by its account and its Message-ID, which is used for one attempt only. What the server may
hold of it is a set of worlds: one world when every answer came, two while an answer is missing. An
observation must show one of them; from then on it is the only one.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field

from tests.crash.tree import Rearrangement, Tree

STANDARD = ("INBOX", "Drafts", "Sent", "Junk", "Trash", "Archive")
"""Mailboxes that every account has for good."""


@dataclass(frozen=True, slots=True)
class Copy:
    """One entry of a message in a mailbox."""

    mailbox: str
    flags: frozenset[str] = frozenset()


World = frozenset[Copy]  # never two copies in one mailbox: the load does not make them
NOWHERE: World = frozenset()


@dataclass(frozen=True, slots=True)
class Change:
    """What one command does to one message: a copy is taken away, a copy is put."""

    taken: World
    put: World

    def applied(self, world: World) -> World:
        return (world - self.taken) | self.put

    def brings_to(self, mailbox: str) -> bool:
        """There was no copy in this mailbox, and now there is."""
        return _is_in(self.put, mailbox) and not _is_in(self.taken, mailbox)


@dataclass(frozen=True, slots=True)
class Key:
    account: str
    message_id: str


@dataclass(slots=True)
class Message:
    """An attempt to bring a message in, and what became of it."""

    content: bytes  # as sent; what is stored ends with it
    exact: bool  # what is stored is `content`, without trace fields before it
    worlds: frozenset[World]
    pending: "Promise | None" = None
    stored_digest: bytes = b""  # of the stored octets, once they were seen

    @property
    def world(self) -> World:
        (world,) = self.worlds
        return world


@dataclass(slots=True)
class Promise:
    """A command under way: until it is answered each message may be as before or as after."""

    kind: str  # for the report: deliver, append, store, copy, move, expunge
    changes: Mapping[Key, Change]
    atomic: bool  # all of its messages change or none: COPY (RFC 3501 §6.4.7) and our MOVE
    rearrangement: Rearrangement | None = None  # what it does to the names of mailboxes


@dataclass(frozen=True, slots=True)
class Entry:
    """A message as observed; `octets` is empty where only its header was read."""

    message_id: str
    flags: frozenset[str]
    octets: bytes = b""


@dataclass(frozen=True, slots=True)
class Seen:
    """A mailbox as observed: UID -> entry."""

    uid_validity: int
    uid_next: int
    entries: Mapping[int, Entry]


@dataclass(slots=True)
class _Mailbox:
    """What any client ever saw of a mailbox."""

    uid_validity: int = 0
    uid_next: int = 0  # the highest that was seen
    observed_uid_next: int = 0  # at the last whole observation: all below were seen then
    message_ids: dict[int, str] = field(default_factory=dict)  # by UID, gone ones too
    newest_uids: dict[str, int] = field(default_factory=dict)  # by Message-ID: it may have come twice


Observation = Mapping[str, Mapping[str, Seen]]  # account -> mailbox -> what it shows


class Ledger:
    """Every promise of one run."""

    def __init__(self) -> None:
        self.acknowledged: Counter[str] = Counter()  # by kind of promise
        self.unanswered: Counter[str] = Counter()  # by kind and outcome, e.g. "move: done"
        self.verified = 0  # messages judged, all observations together
        self.violations: list[str] = []
        self.messages: dict[Key, Message] = {}
        self.tree = Tree()
        self._mailboxes: dict[tuple[str, str], _Mailbox] = {}
        self._rearranged_after_all: list[Rearrangement] = []  # cut off, and the names say that they are done
        self._validities_gone: set[tuple[str, str, int]] = set()  # under names that went
        self._open: list[Promise] = []

    # Promises

    def attempt(self, kind: str, keys: Iterable[Key], content: bytes, copy: Copy, *, exact: bool) -> Promise:
        """A new message is on its way to `copy` of each account."""
        keys = tuple(keys)
        for key in keys:
            assert key not in self.messages, "a Message-ID is used once"
            self.messages[key] = Message(content, exact, frozenset({NOWHERE}))
        change = Change(NOWHERE, frozenset({copy}))
        return self.begin(Promise(kind, dict.fromkeys(keys, change), atomic=False))

    def begin(self, promise: Promise) -> Promise:
        """The command is about to be written."""
        for key, change in promise.changes.items():
            message = self.messages[key]
            assert message.pending is None, "one command a message at a time"
            message.pending = promise
            message.worlds |= {change.applied(world) for world in message.worlds}
        if promise.rearrangement is not None:
            self.tree.begin(promise.rearrangement)
        self._open.append(promise)
        return promise

    def acknowledge(self, promise: Promise) -> None:
        """The server said that it is done."""
        for key, change in promise.changes.items():
            message = self.messages[key]
            message.worlds = frozenset(change.applied(world) for world in message.worlds)
            message.pending = None
        if promise.rearrangement is not None:
            self.tree.acknowledge(promise.rearrangement)
            self._rearranged(promise.rearrangement)
        self._open.remove(promise)
        self.acknowledged[promise.kind] += 1

    def undone(self, promise: Promise) -> None:
        """The server said that it did nothing."""
        for key, change in promise.changes.items():
            message = self.messages[key]
            message.worlds -= {change.applied(world) for world in message.worlds}
            message.pending = None
        self._open.remove(promise)

    def copy(self, key: Key, mailbox: str, uid: int) -> Copy | None:
        """The copy under this UID, if it is there and no command is under way for its message."""
        message = self.messages[key]
        if message.pending is not None:
            return None
        if self._mailbox(key.account, mailbox).newest_uids.get(key.message_id) != uid:
            return None
        return next((copy for copy in message.world if copy.mailbox == mailbox), None)

    def is_in(self, key: Key, mailbox: str) -> bool:
        return _is_in(self.messages[key].world, mailbox)

    def saw(self, account: str, mailbox: str, uid: int, message_id: str) -> None:
        """Some client was shown this message under this UID: from now on it means nothing else."""
        known = self._mailbox(account, mailbox)
        before = known.message_ids.setdefault(uid, message_id)
        if before != message_id:
            self._fault(account, mailbox, f"UID {uid} was <{before}>, now it is <{message_id}>")
        known.uid_next = max(known.uid_next, uid + 1)
        known.newest_uids[message_id] = max(known.newest_uids.get(message_id, 0), uid)

    def saw_arrival(self, account: str, mailbox: str, uid: int, message_id: str) -> None:
        """Some client fetched it: if that is the fruit of a command under way, it is there for good."""
        new = uid not in self._mailbox(account, mailbox).message_ids
        self.saw(account, mailbox, uid, message_id)
        key = Key(account, message_id)
        message = self.messages.get(key)
        if message is None:
            self._fault(account, mailbox, f"<{message_id}> was never sent")
        elif new and message.pending is not None and message.pending.changes[key].brings_to(mailbox):
            message.worlds = frozenset(world for world in message.worlds if _is_in(world, mailbox))

    def saw_status(self, account: str, mailbox: str, uid_validity: int, uid_next: int) -> None:
        """Some client was shown UIDVALIDITY and UIDNEXT."""
        known = self._mailbox(account, mailbox)
        if known.uid_validity not in (0, uid_validity):
            self._fault(account, mailbox, f"UIDVALIDITY was {known.uid_validity}, now it is {uid_validity}")
        if (account, mailbox, uid_validity) in self._validities_gone:
            self._fault(account, mailbox, f"UIDVALIDITY {uid_validity} came back with the name")
        if uid_next < known.uid_next:
            self._fault(account, mailbox, f"UIDNEXT fell from {known.uid_next} to {uid_next}")
        known.uid_validity = uid_validity
        known.uid_next = max(known.uid_next, uid_next)

    def refused(self, what: str) -> None:
        """The server said no to what should have worked."""
        self.violations.append(f"refused: {what}")

    # Judgement

    def judge(self, observation: Observation) -> None:
        """After a restart, before anything else is asked: add what is wrong to `violations`."""
        for account, mailboxes in observation.items():
            self._judge_tree(account, mailboxes)
            for mailbox, seen in mailboxes.items():
                self._judge_mailbox(account, mailbox, seen)
        found = _worlds(observation, self._fault)
        self._judge_open(found)
        for key in found.keys() - self.messages.keys():
            self._fault(key.account, "", f"<{key.message_id}> was never sent")
        for key, message in self.messages.items():
            self._judge_message(key, message, found.get(key, NOWHERE))

    def _judge_tree(self, account: str, mailboxes: Collection[str]) -> None:
        own = [name for name in mailboxes if name not in STANDARD]
        done, wrong = self.tree.judge(account, own)
        if done is not None:
            self._rearranged_after_all.append(done)
            self._rearranged(done)
        for what in wrong:
            self._fault(account, "", what)

    def _rearranged(self, change: Rearrangement) -> None:
        """What is known of a mailbox goes with it; another of its name has another UIDVALIDITY."""
        account = change.account
        taken = {
            name: self._mailboxes.pop((account, name), _Mailbox()) for name in (*change.moved, *change.gone)
        }
        for old, new in change.moved.items():
            self._mailboxes[account, new] = taken[old]
        for name in change.gone:
            self._validities_gone.add((account, name, taken[name].uid_validity))

    def _judge_mailbox(self, account: str, mailbox: str, seen: Seen) -> None:
        known = self._mailbox(account, mailbox)
        for uid, entry in seen.entries.items():
            if uid not in known.message_ids and uid < known.observed_uid_next:
                self._fault(account, mailbox, f"UID {uid} is new below {known.observed_uid_next}")
            self.saw(account, mailbox, uid, entry.message_id)
            if entry.octets:
                self._judge_octets(Key(account, entry.message_id), entry.octets)
        self.saw_status(account, mailbox, seen.uid_validity, seen.uid_next)
        known.observed_uid_next = seen.uid_next

    def _judge_octets(self, key: Key, octets: bytes) -> None:
        message = self.messages.get(key)
        if message is None:
            return
        digest = hashlib.sha256(octets).digest()
        if message.stored_digest:
            right = digest == message.stored_digest
        else:
            right = octets == message.content if message.exact else octets.endswith(message.content)
            message.stored_digest, message.content = digest, b""
        if not right:
            self._fault(key.account, "", f"<{key.message_id}> has other octets: {octets[:80]!r}...")

    def _judge_open(self, found: Mapping[Key, World]) -> None:
        """Commands that were cut off: each is done or not done; an atomic one as a whole."""
        for promise in self._open:
            done = {
                found.get(key, NOWHERE) == change.applied(found.get(key, NOWHERE))
                for key, change in promise.changes.items()
                if change.taken != change.put  # a STORE of flags that are there says nothing
            }
            if promise.rearrangement is not None:
                done.add(promise.rearrangement in self._rearranged_after_all)
            outcome = "torn" if len(done) > 1 else "not done" if done == {False} else "done"
            self.unanswered[f"{promise.kind}: {outcome}"] += 1
            if promise.atomic and outcome == "torn":
                self.violations.append(
                    f"{promise.kind} was done in part: {', '.join(map(str, promise.changes))}"
                )
        self._open.clear()
        self._rearranged_after_all.clear()

    def _judge_message(self, key: Key, message: Message, found: World) -> None:
        self.verified += 1
        message.pending = None
        if found not in message.worlds:
            allowed = " or ".join(_told(world) for world in message.worlds)
            self._fault(key.account, "", f"<{key.message_id}> is {_told(found)}; promised: {allowed}")
        message.worlds = frozenset({found})

    def _mailbox(self, account: str, mailbox: str) -> _Mailbox:
        return self._mailboxes.setdefault((account, mailbox), _Mailbox())

    def _fault(self, account: str, mailbox: str, what: str) -> None:
        self.violations.append(f"{account} {mailbox}: {what}")


def _worlds(observation: Observation, fault: Callable[[str, str, str], None]) -> dict[Key, World]:
    """Each message's copies; two in one mailbox are a fault."""
    found: dict[Key, World] = {}
    for account, mailboxes in observation.items():
        for mailbox, seen in mailboxes.items():
            counts = Counter(entry.message_id for entry in seen.entries.values())
            for entry in seen.entries.values():
                key = Key(account, entry.message_id)
                found[key] = found.get(key, NOWHERE) | {Copy(mailbox, entry.flags)}
            for message_id, count in counts.items():
                if count > 1:
                    fault(account, mailbox, f"<{message_id}> is there {count} times")
    return found


def _is_in(world: World, mailbox: str) -> bool:
    return any(copy.mailbox == mailbox for copy in world)


def _told(world: World) -> str:
    copies = sorted(f"{copy.mailbox} ({' '.join(sorted(copy.flags))})" for copy in world)
    return " and ".join(copies) or "nowhere"
