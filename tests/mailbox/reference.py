"""What a user's mail should be, said as naively as possible: dictionaries, names and sets.

It is given the intents that took a position, in the order of their positions, and knows after each what must
be there. Refusals and what changes nothing are not its matter.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from mailnode.mailbox.rows import DELETED, SYSTEM_FLAGS
from mailnode.pb.change_pb2 import (
    Add,
    Collect,
    Copy,
    Create,
    CreateMailbox,
    DeleteMailbox,
    Expunge,
    Intent,
    PutRow,
    RemoveAccount,
    RenameMailbox,
    Result,
    Store,
    Subscribe,
    UidRange,
    Undelete,
    UndeleteAccount,
)

INBOX = "INBOX"


@dataclass(frozen=True)
class Message:
    tag: bytes
    """Its Message-ID, which in tests no other mail has."""
    size: int
    flags: int
    keywords: frozenset[str]
    """Folded."""
    modified: int


@dataclass
class Mailbox:
    name: tuple[str, ...]
    made: int
    """The position of its making: another means another UIDVALIDITY."""
    noselect: bool = False
    uid_next: int = 1
    modseq: int = 0
    messages: dict[int, Message] = field(default_factory=dict)


@dataclass
class Gone:
    """What one position expunged from a mailbox."""

    number: int
    name: tuple[str, ...]
    messages: list[Message]


@dataclass
class Effect:
    """What one position did, by mailbox."""

    created: dict[int, set[int]] = field(default_factory=dict)
    modified: dict[int, set[int]] = field(default_factory=dict)
    destroyed: dict[int, set[int]] = field(default_factory=dict)
    listed: bool = False


class Reference:
    def __init__(self) -> None:
        self.position = 0
        self.mailbox_last = 0
        self.mailboxes: dict[int, Mailbox] = {}
        self.subscribed: set[str] = set()
        self.removed = False
        self.rows: dict[tuple[int, bytes], bytes] = {}
        self.threads: dict[bytes, bytes] = {}
        """The tag of the thread's first mail, by each Message-ID ever named."""
        self.thread_of: dict[bytes, bytes] = {}
        """The same by tag."""
        self.mails: dict[bytes, int] = {}
        """The mail id of each tag that ever was."""
        self.expunged: dict[int, Gone] = {}
        """By position, what can be brought back."""

    def named(self, name: str) -> int:
        """The id of a mailbox, 0 for none."""
        levels = _levels(name)
        return next((number for number, box in self.mailboxes.items() if box.name == levels), 0)

    def names(self) -> dict[str, int]:
        return {"/".join(box.name): number for number, box in self.mailboxes.items()}

    def kept(self) -> set[bytes]:
        """The tags of mails that lie somewhere, or can be brought back."""
        boxes = [box.messages.values() for box in self.mailboxes.values()]
        gone = [each.messages for each in self.expunged.values()]
        return {message.tag for messages in (*boxes, *gone) for message in messages}

    def take(self, intent: Intent, position: int, modified: Iterable[int], result: Result) -> Effect:
        """An intent became the change at `position`; `modified` are the UIDs that a STORE stamped."""
        self.position = position
        self._effect = Effect()
        ask = intent.WhichOneof("ask")
        assert not self.removed or ask in ("undelete_account", "collect"), "a removed account took something"
        if ask == "store":
            if modified := set(modified):  # else it keeps the result of slices alone
                self._store(intent.store, modified)
        elif ask == "add":
            self._add(intent.add, result)
        else:
            getattr(self, f"_{ask}")(getattr(intent, ask or ""), result)
        return self._effect

    # -- messages

    def _add(self, ask: Add, result: Result) -> None:
        for message, added in zip(ask.messages, result.added, strict=True):
            number = message.mailbox if message.mailbox in self.mailboxes else 0
            if not message.mailbox:
                number = self.named(message.name)
            if not number or self.mailboxes[number].noselect:
                assert message.inbox_stands_in
                number = self.named(INBOX)
            keywords = frozenset(name.lower() for name in message.keywords)
            tag, flags = message.mail.message_id, message.flags & SYSTEM_FLAGS
            uid = self._enter(number, Message(tag, message.mail.size, flags, keywords, self.position))
            assert (added.mailbox, added.uid) == (number, uid)
            self.mails[tag] = added.mail
            self._join(tag, [*reversed(message.references), tag])

    def _join(self, tag: bytes, related: list[bytes]) -> None:
        known = [self.threads[each] for each in related if each in self.threads]
        thread = known[0] if known else tag
        self.thread_of[tag] = thread
        for each in related:
            self.threads.setdefault(each, thread)

    def _enter(self, number: int, message: Message) -> int:
        box = self.mailboxes[number]
        uid, box.uid_next = box.uid_next, box.uid_next + 1
        box.messages[uid] = message
        box.modseq = self.position
        self._effect.created.setdefault(number, set()).add(uid)
        return uid

    def _leave(self, number: int, uids: Iterable[int]) -> list[Message]:
        box = self.mailboxes[number]
        gone = [(uid, box.messages.pop(uid)) for uid in uids]
        if gone:
            box.modseq = self.position
            self._effect.destroyed.setdefault(number, set()).update(uid for uid, _ in gone)
        return [message for _, message in gone]

    def stored(self, ask: Store) -> dict[int, Message]:
        """What a STORE would make, now, of the messages that it changes."""
        found = {}
        since = ask.unchanged_since if ask.HasField("unchanged_since") else self.position
        for uid, old in self.mailboxes[ask.mailbox].messages.items():
            if _within(uid, ask.uids) and old.modified <= since:
                flags, keywords = _stored(old, ask)
                if (flags, keywords) != (old.flags, old.keywords):
                    found[uid] = Message(old.tag, old.size, flags, keywords, self.position)
        return found

    def _store(self, ask: Store, stamped: set[int]) -> None:
        box = self.mailboxes[ask.mailbox]
        new = self.stored(ask)
        asked = {uid for uid in box.messages if _within(uid, ask.uids)}
        assert stamped <= asked, "a message that nobody asked for was stamped"
        for uid in stamped:
            # A keyword may have moved to a bit of its own: stamped, though nothing else is to be seen.
            box.messages[uid] = new.get(uid) or replace(box.messages[uid], modified=self.position)
        box.modseq = self.position
        self._effect.modified[ask.mailbox] = stamped

    def _copy(self, ask: Copy, result: Result) -> None:
        source = self.mailboxes[ask.mailbox].messages
        messages = {uid: source[uid] for uid in sorted(source) if _within(uid, ask.uids)}
        if ask.move:
            self._leave(ask.mailbox, messages)
        self._enter_all(ask.target, messages.values())

    def _enter_all(self, number: int, messages: Iterable[Message]) -> None:
        for message in messages:
            self._enter(number, replace(message, modified=self.position))

    def _expunge(self, ask: Expunge, result: Result) -> None:
        messages = self.mailboxes[ask.mailbox].messages
        going = [uid for uid in sorted(messages) if _within(uid, ask.uids)]
        if not ask.whatever_flags:
            going = [uid for uid in going if messages[uid].flags & DELETED]
        self._let_go(ask.mailbox, going)

    def _let_go(self, number: int, uids: list[int]) -> None:
        """What leaves can be brought back."""
        name = self.mailboxes[number].name
        messages = self._leave(number, uids)
        if messages:
            self.expunged[self.position] = Gone(number, name, messages)

    def _taken(self, expunged: Iterable[bytes]) -> list[Gone]:
        """In the order of their keys' naming; each once."""
        positions = dict.fromkeys(int.from_bytes(key[8:16], "big") for key in expunged)
        return [self.expunged.pop(position) for position in positions if position in self.expunged]

    def _collect(self, ask: Collect, result: Result) -> None:
        self._taken(ask.expunged)

    def _undelete(self, ask: Undelete, result: Result) -> None:
        gone = self._taken(ask.expunged)
        assert result.undeleted == sum(len(each.messages) for each in gone)
        for each in gone:
            messages = [replace(message, flags=message.flags & ~DELETED) for message in each.messages]
            self._enter_all(self._home(each), messages)

    def _home(self, gone: Gone) -> int:
        number = gone.number if gone.number in self.mailboxes else self.named("/".join(gone.name))
        if number and not self.mailboxes[number].noselect:
            return number
        self._effect.listed = True
        return self._make(gone.name)

    # -- the tree

    def _create(self, ask: Create, result: Result) -> None:
        for name in (INBOX, *(mailbox.name for mailbox in ask.mailboxes)):
            if not self.named(name):
                self._make(_levels(name))
            self.subscribed.add(name)
        self._effect.listed = True

    def _create_mailbox(self, ask: CreateMailbox, result: Result) -> None:
        assert self._make(_levels(ask.name)) == result.mailbox
        self._effect.listed = True

    def _make(self, levels: tuple[str, ...]) -> int:
        """The mailbox, with its parents; one that could not be selected can be now."""
        number = self.named("/".join(levels))
        if not number:
            self._make_parents(levels)
            self.mailbox_last = number = self.mailbox_last + 1
            self.mailboxes[number] = Mailbox(levels, self.position)
        box = self.mailboxes[number]
        box.noselect, box.made, box.modseq = False, self.position, self.position
        return number

    def _make_parents(self, levels: tuple[str, ...]) -> None:
        if levels[:-1] and not self.named("/".join(levels[:-1])):
            self._make(levels[:-1])

    def _delete_mailbox(self, ask: DeleteMailbox, result: Result) -> None:
        box = self.mailboxes[ask.mailbox]
        self._let_go(ask.mailbox, sorted(box.messages))
        if any(_lies_below(other.name, box.name) for other in self.mailboxes.values()):
            box.noselect, box.modseq = True, self.position
        else:
            del self.mailboxes[ask.mailbox]
        self._effect.listed = True

    def _rename_mailbox(self, ask: RenameMailbox, result: Result) -> None:
        box, levels = self.mailboxes[ask.mailbox], _levels(ask.name)
        assert not self.named(ask.name)
        self._effect.listed = True
        if box.name == (INBOX,):
            target = self._make(levels)
            self._enter_all(target, self._leave(ask.mailbox, sorted(box.messages)))
            return
        below = [other for other in self.mailboxes.values() if _lies_below(other.name, box.name)]
        self._make_parents(levels)
        for other in below:
            other.name = levels + other.name[len(box.name) :]
        box.name = levels

    def _subscribe(self, ask: Subscribe, result: Result) -> None:
        (self.subscribed.add if ask.subscribed else self.subscribed.discard)("/".join(_levels(ask.name)))
        self._effect.listed = True

    # -- the account

    def _remove_account(self, ask: RemoveAccount, result: Result) -> None:
        self.removed = True

    def _undelete_account(self, ask: UndeleteAccount, result: Result) -> None:
        self.removed = False

    # -- small rows

    def _put_row(self, ask: PutRow, result: Result) -> None:
        key = ask.kind, ask.key
        assert not (ask.if_absent and self.rows.get(key)), "it was there"
        self.rows[key] = ask.value


def _stored(old: Message, ask: Store) -> tuple[int, frozenset[str]]:
    flags, keywords = ask.flags & SYSTEM_FLAGS, frozenset(name.lower() for name in ask.keywords)
    if ask.mode == Store.ADD:
        return old.flags | flags, old.keywords | keywords
    if ask.mode == Store.REMOVE:
        return old.flags & ~flags, old.keywords - keywords
    return flags, keywords


def _within(uid: int, ranges: Iterable[UidRange]) -> bool:
    return any(each.first <= uid <= each.last for each in ranges)


def _levels(name: str) -> tuple[str, ...]:
    first, *rest = name.split("/")
    return (INBOX if first.upper() == INBOX else first, *rest)


def _lies_below(name: tuple[str, ...], root: tuple[str, ...]) -> bool:
    return len(name) > len(root) and name[: len(root)] == root
