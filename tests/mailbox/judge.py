"""Whether everything that was told and shown of an account agrees with what its shard says was done."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Protocol

from mailnode.mailbox.rows import DELETED, ENTRY, OVERFLOW, SEEN, SYSTEM_FLAGS
from mailnode.mailbox.verbs import Mailboxes, Messages, UidRanges, Want
from mailnode.pb.change_pb2 import Intent, Result, Touched, TouchedMailbox
from mailnode.store import keys
from mailnode.store.shard import Shard
from tests.mailbox.found import Entry, Found, check, compare
from tests.mailbox.reference import Effect, Reference


class Judge:
    """Of one account, through all processes."""

    def __init__(self) -> None:
        self.position = 0
        """Of the last judgement."""
        self.tags: list[bytes] = []
        self.asked: dict[bytes, Intent] = {}
        self.asked_at: dict[bytes, int] = {}
        """The position when it was asked first."""
        self.slices: dict[int, Intent] = {}
        """What was asked, by position, where the change has no id: a slice of a long STORE, not the last."""
        self.mails: dict[int, bytes] = {}
        """Which mail id any reader saw to mean which mail."""
        self.recent: dict[tuple[int, int], int] = {}
        """By mailbox: what the last SELECT left to the next."""
        self._reference = Reference()
        self._effects: dict[int, Effect] = {}
        self._told: dict[bytes, list[Result]] = {}
        self._seen: list[Seen] = []
        self._validities: dict[tuple[int, int], int] = {}

    def told(self, intent: Intent, result: Result) -> None:
        """A caller was answered."""
        if result.refused:
            return
        if not result.first_position:
            self._seen.append(NothingDone(result.position))
            return
        self._told.setdefault(intent.id, []).append(result)

    def saw(self, seen: Seen) -> None:
        self._seen.append(seen)

    def judge(self, shard: Shard, account: int) -> None:
        """A process has ended, and this is what the disk has kept."""
        found = check(shard, account)
        assert found.row.position >= self.position
        for intent_id, results in self._told.items():
            self._judge_told(self.asked[intent_id], results, found)
        at: dict[int, list[Seen]] = defaultdict(list)
        for seen in self._seen:
            assert seen.position <= found.row.position, f"{seen} was shown, and is lost"
            at[seen.position].append(seen)
        self._replay(found, at)
        compare(found, self._reference)
        for kind, key in self._reference.rows:
            value = shard.get("state", keys.state(account, kind, key)) or b""
            assert value == self._reference.rows[kind, key]
        self.recent.clear()
        for seen in self._seen:
            seen.afterwards(self)
        self._judge_validities(found)
        self._seen.clear()

    def _judge_told(self, intent: Intent, results: list[Result], found: Found) -> None:
        """Everyone was told what is kept."""
        kept = found.results.get(intent.id)
        assert all(result == kept for result in results), "an answer is forgotten"

    def _replay(self, found: Found, at: dict[int, list[Seen]]) -> None:
        touched = {each.position: each for each in found.touched}
        done = {result.position: intent_id for intent_id, result in found.results.items()}
        assert len(done) == len(found.results), "two intents at one position"
        for position in range(self.position, found.row.position + 1):
            if position > self.position:
                result = found.results.get(done.get(position, b""), Result())
                self._take(position, done.get(position, b""), result, touched.get(position, Touched()))
            for seen in at[position]:
                seen.judge(self._reference, self)
        self.position = found.row.position

    def _take(self, position: int, intent_id: bytes, result: Result, touched: Touched) -> None:
        modified = _uids(touched, "modified").get(
            touched.mailboxes[0].mailbox if touched.mailboxes else 0, set()
        )
        intent = self.asked[intent_id] if intent_id else self.slices[position]
        effect = self._reference.take(intent, position, modified, result)
        self._effects[position] = effect
        if intent_id and intent.HasField("store"):
            self._judge_stored(intent, result)
        assert touched.list == effect.listed
        for name in ("created", "modified"):
            assert _uids(touched, name) == getattr(effect, name), f"{touched} is not what was {name}"
        _check_destroyed(touched, effect, self._reference)

    def _judge_stored(self, intent: Intent, result: Result) -> None:
        """A STORE is done in whole, but for what others did to its messages since it was asked."""
        mailbox = intent.store.mailbox
        slices = list(result.slices) or [result.position]
        others: set[int] = set()
        for position in range(self.asked_at[intent.id] + 1, result.position):
            if position not in slices:
                effect = self._effects[position]
                others |= effect.created.get(mailbox, set()) | effect.modified.get(mailbox, set())
        assert self._reference.stored(intent.store).keys() <= others, f"{intent} is done in part"
        for position in slices:
            assert self._effects[position].modified.keys() == {mailbox}, "a slice that is none"

    def effects(self, after: int, upto: int, mailbox: int) -> dict[int, Effect]:
        """Of positions in (after, upto] that concern a reader of the mailbox, or of all."""
        return {
            position: self._effects[position]
            for position in range(after + 1, upto + 1)
            if _concerns(self._effects[position], mailbox)
        }

    def _judge_validities(self, found: Found) -> None:
        for number, row in found.mailboxes.items():
            made = self._reference.mailboxes[number].made
            assert self._validities.setdefault((number, made), row.uid_validity) == row.uid_validity
        assert len(set(self._validities.values())) == len(self._validities), "a UIDVALIDITY came back"


def _uids(touched: Touched, name: str) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {}
    for mailbox in touched.mailboxes:
        for each in getattr(mailbox, name):
            found.setdefault(mailbox.mailbox, set()).update(range(each.first, each.last + 1))
    return found


def _check_destroyed(touched: Touched, effect: Effect, reference: Reference) -> None:
    """At least what went, and nothing that is there."""
    destroyed = _uids(touched, "destroyed")
    for number, uids in effect.destroyed.items():
        assert uids <= destroyed.get(number, set())
    for number, uids in destroyed.items():
        box = reference.mailboxes.get(number)
        assert box is None or not uids & box.messages.keys()


def _concerns(effect: Effect, mailbox: int) -> bool:
    """Whether a reader should be told: of all, of anything that is not a small row."""
    parts = (effect.created, effect.modified, effect.destroyed)
    return any(mailbox in part for part in parts) if mailbox else effect.listed or any(parts)


# -- what is seen --------------------------------------------------------------------------------------------


class Seen(Protocol):
    position: int

    def judge(self, reference: Reference, judge: Judge) -> None:
        """The reference is at its position."""

    def afterwards(self, judge: Judge) -> None:
        """The whole of the process has been replayed."""


@dataclass
class NothingDone:
    """An intent that found nothing to do rested on this position."""

    position: int

    def judge(self, reference: Reference, judge: Judge) -> None: ...

    def afterwards(self, judge: Judge) -> None: ...


class ListSeen:
    def __init__(self, listed: Mailboxes) -> None:
        self.position = listed.position
        self.listed = listed

    def judge(self, reference: Reference, judge: Judge) -> None:
        assert dict(self.listed.names) == reference.names()
        assert self.listed.subscribed == reference.subscribed
        assert self.listed.rows.keys() == reference.mailboxes.keys()
        for number, row in self.listed.rows.items():
            box = reference.mailboxes[number]
            messages = box.messages.values()
            assert row.messages == len(messages)
            assert row.unseen == sum(not message.flags & SEEN for message in messages)
            assert row.deleted == sum(message.flags & DELETED != 0 for message in messages)
            assert row.size == sum(message.size for message in messages)
            assert (row.uid_next, row.highest_modseq) == (box.uid_next, box.modseq)
            assert row.noselect == box.noselect
            known = judge._validities.setdefault((number, box.made), row.uid_validity)
            assert known == row.uid_validity

    def afterwards(self, judge: Judge) -> None: ...


class MessagesSeen:
    """A run; its keywords wait for the mailbox row, so only those without a bit are looked at here."""

    def __init__(self, mailbox: int, uids: UidRanges, want: Want, run: Messages) -> None:
        self.position = run.position
        self.mailbox, self.asked, self.want, self.run = mailbox, uids, want, run
        self.uids = run.uids[: run.count].tolist()
        self.missing: set[bytes] = set()
        """Mails that were collected while the run was read."""
        self.overflow = {uid: list(run.overflow[uid].names) for uid in self.uids if uid in run.overflow}

    def judge(self, reference: Reference, judge: Judge) -> None:
        messages = reference.mailboxes[self.mailbox].messages
        asked = [uid for uid in sorted(messages) if any(a <= uid <= b for a, b in self.asked)]
        if self.want == Want.UIDS:
            assert self.uids == asked
            unseen = [uid for uid in sorted(messages) if not messages[uid].flags & SEEN]
            assert self.run.first_unseen == (unseen[0] if unseen else 0)
            return
        if not self.uids:
            return  # all of the run was collected meanwhile
        first, last = self.uids[0], self.uids[-1]
        missing = {uid for uid in asked if first <= uid <= last} - set(self.uids)
        assert not missing or self.want != Want.ENTRIES
        self.missing = {messages[uid].tag for uid in missing}
        for entry in map(Entry._make, ENTRY.iter_unpack(self.run.entries)):
            message = messages[entry.uid]
            assert entry.flags & SYSTEM_FLAGS == message.flags
            assert entry.modified == message.modified
            assert judge.mails.setdefault(entry.mail, message.tag) == message.tag
            over = self.overflow.get(entry.uid, [])
            assert bool(over) == bool(entry.flags & OVERFLOW)
            assert {name.lower() for name in over} <= message.keywords
        for uid, mail in zip(self.uids, self.run.mails, strict=False):
            assert mail.message_id == messages[uid].tag
        for uid, head in zip(self.uids, self.run.heads, strict=False):
            assert messages[uid].tag in head

    def afterwards(self, judge: Judge) -> None:
        """What a session holds of the shared UIDs never changes."""
        assert self.run.uids[: self.run.count].tolist() == self.uids
        assert not self.missing & judge._reference.kept()


@dataclass
class RecentSeen:
    """A SELECT: messages in [first, uid_next) are \\Recent to it, and to nobody after it.

    That is known in memory and written with what is written next: an account put away may forget it.
    """

    mailbox: int
    first: int
    uid_next: int
    opened: int
    position: int = 0

    def judge(self, reference: Reference, judge: Judge) -> None: ...

    def afterwards(self, judge: Judge) -> None:
        assert self.first >= judge.recent.get((self.opened, self.mailbox), 0), "recent to two"
        judge.recent[self.opened, self.mailbox] = self.uid_next


@dataclass
class WatchSeen:
    """A reader from the position `since` on, who had everything up to `upto`."""

    since: int
    mailbox: int
    came: list[Touched] = field(default_factory=list)
    upto: int = 0
    lost: bool = False
    position: int = 0

    def judge(self, reference: Reference, judge: Judge) -> None: ...

    def afterwards(self, judge: Judge) -> None:
        positions = [touched.position for touched in self.came]
        assert positions == sorted(set(positions)), "told twice, or out of order"
        if self.upto:
            told = {p for p in positions if p <= self.upto}
            concerning = judge.effects(self.since, self.upto, self.mailbox).keys()
            assert concerning <= told, f"never told of {concerning - told}"
        assert all(position > self.since for position in positions)
        for touched in self.came:
            assert _tells(touched, self.mailbox)


def _tells(touched: Touched, mailbox: int) -> bool:
    parts: list[TouchedMailbox] = list(touched.mailboxes)
    return not mailbox or mailbox in {part.mailbox for part in parts}
