"""The selected mailbox: what its client knows of it, and what has happened since."""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence

from mailnode.listeners.imap.refusal import Refused
from mailnode.mailbox.rows import (
    FLAGS,
    INTERNAL_DATE,
    KEYWORD_BITS,
    MAIL,
    MODIFIED,
    SAVE_DATE,
    SIZE,
    longs,
    words,
)
from mailnode.mailbox.verbs import (
    ALL_UIDS,
    Account,
    Messages,
    NotKnown,
    Resync,
    UidRanges,
    Unavailable,
    Want,
    Watch,
)
from mailnode.pb.change_pb2 import Result, UidRange
from mailnode.pb.row_pb2 import MailboxRow
from protocols.imap import response
from protocols.imap.capability import REV2
from protocols.imap.fetch import Attribute, Plan
from protocols.imap.flags import SYSTEM, FlagNames
from protocols.imap.render import Columns, fetched
from protocols.imap.sequence import Ranges, common, normalise, ranges_of, without
from protocols.imap.view import View

_FLAG_ITEMS = (Attribute.UID, Attribute.FLAGS)


class Selected:
    """Made by SELECT or EXAMINE. `view` is what the client was told; the watch knows what it was not."""

    __slots__ = (
        "_account",
        "_enabled",
        "_missed",
        "_watch",
        "is_behind",
        "mailbox",
        "modseq_told",
        "names",
        "read_only",
        "row",
        "telling",
        "view",
    )

    def __init__(
        self,
        account: Account,
        row: MailboxRow,
        view: View,
        watch: Watch,
        read_only: bool,
        enabled: Callable[[], frozenset[str]],
    ) -> None:
        """`enabled`: the extensions that the client has enabled, at this moment."""
        self.mailbox = row.mailbox
        self.row = row
        self.names = _flag_names(row)
        self.view = view
        self.read_only = read_only
        self._account = account
        self._watch = watch
        self._enabled = enabled
        self.modseq_told = self.condstore  # HIGHESTMODSEQ since the client wants to know it
        self._missed = False  # changes, and what was read instead did not come yet
        self.is_behind = False
        """There is news that could not be read: it is told the next time."""
        self.telling = asyncio.Lock()  # held while news is told: two APPENDs may end at the same time

    def close(self) -> None:
        self._watch.close()

    async def runs(self, uids: UidRanges, want: Want) -> AsyncIterator[Messages]:
        """`Account.messages` of this mailbox; raises Refused when it was deleted."""
        try:
            async for run in self._account.messages(self.mailbox, uids, want):
                yield run
        except KeyError:
            raise Refused("NONEXISTENT") from None

    @property
    def condstore(self) -> bool:
        """Whether the client is told of mod-sequences (RFC 7162 §3.1)."""
        return "CONDSTORE" in self._enabled()

    @property
    def qresync(self) -> bool:
        """Whether it is told of expunges by VANISHED, and of the mod-sequences of its own (RFC 7162 §3.2)."""
        return "QRESYNC" in self._enabled()

    @property
    def rev2(self) -> bool:
        return REV2 in self._enabled()

    def highest_modseq(self) -> bytes:
        """HIGHESTMODSEQ, of no later than what the client was told."""
        return response.ok(f"HIGHESTMODSEQ {self.row.highest_modseq}", "Highest mod-sequence")

    def departed(self, uids: UidRanges, want: Want) -> AsyncIterator[Messages]:
        """Messages that are gone, but the client was not told so."""
        return self._account.departed(self.mailbox, uids, want)

    async def has_all(self, uids: UidRanges) -> bool:
        """Whether every message of `uids` that the client knows of is there."""
        there = await anext(self.runs(uids, Want.UIDS))
        return there.count >= self.view.within(uids)

    # -- flags

    def flags(self) -> list[str]:
        """Every flag that messages here may have."""
        return [*SYSTEM, *(name for name in self.row.keywords if name)]

    def has_room_for_keywords(self) -> bool:
        return sum(map(bool, self.row.keywords)) < KEYWORD_BITS

    def permanent_flags(self) -> list[str]:
        return [] if self.read_only else self.flags()

    async def renamed(self) -> bytes:
        """FLAGS and PERMANENTFLAGS when there are new keywords; before any FETCH that names them."""
        row = (await self._account.mailboxes()).rows.get(self.mailbox)
        if row is None or row is self.row:
            return b""
        before, self.row = self.row, row
        if row.keywords == before.keywords:
            return b""
        self.names = _flag_names(row)
        more = not self.read_only and self.has_room_for_keywords()
        return response.flags(self.flags()) + response.permanent_flags(self.permanent_flags(), more)

    @property
    def flag_items(self) -> tuple[Attribute, ...]:
        """What is said of a message whose flags have changed; the UID too (RFC 7162 §3.2.4)."""
        return (*_FLAG_ITEMS, Attribute.MODSEQ) if self.condstore else _FLAG_ITEMS

    async def changed_since(self, ranges: Ranges, since: int) -> Ranges:
        """Of ranges of UIDs the messages with a mod-sequence above `since` (RFC 7162 §3.1.4.1)."""
        changed = array("I")
        async for run in self.runs(ranges, Want.ENTRIES):
            modseqs = longs(run.entries, MODIFIED)
            changed.extend(uid for uid, modseq in zip(run.uids, modseqs, strict=False) if modseq > since)
        return ranges_of(changed)

    async def vanished_since(self, uids: Ranges, since: int) -> Ranges:
        """Of ranges of UIDs those that went since a mod-sequence; where that is forgotten, all that are not
        there (RFC 7162 §3.2.5.1)."""
        there = ranges_of(self.view.uids[: self.view.count])
        watch = await self._account.watch(since, self.mailbox)
        try:
            happened = watch.pending()
        except Resync:
            return tuple(without(uids, there))
        finally:
            watch.close()
        gone = normalise(
            pair
            for touched in happened
            for here in touched.mailboxes
            if here.mailbox == self.mailbox
            for pair in _pairs(here.destroyed)
        )
        return tuple(without(common(uids, gone), there))

    async def told(self, uids: UidRanges, plan: Plan) -> AsyncIterator[bytes]:
        """FETCH of messages that the client knows of, by a plan that needs entries only."""
        async for run in self.runs(uids, Want.ENTRIES):
            yield await self.renamed()
            yield fetched(plan, self.columns(plan, run, 0, run.count), self.names)

    def columns(self, plan: Plan, run: Messages, start: int, end: int) -> Columns:
        """The messages [start, end) of a run, with what the plan shows."""
        items, entries = plan.items, run.entries

        def column(item: Attribute, cut: Callable[[bytes, int], memoryview[int]], at: int) -> Sequence[int]:
            return cut(entries, at)[start:end].tolist() if item in items else ()

        sizes = words(entries, SIZE)[start:end] if plan.needs_octets else column(Attribute.SIZE, words, SIZE)

        return Columns(
            numbers=self.view.numbers(run.uids[start:end]),
            uids=run.uids[start:end],
            flags=column(Attribute.FLAGS, longs, FLAGS),
            sizes=sizes,
            dates=column(Attribute.INTERNALDATE, words, INTERNAL_DATE),
            modseqs=column(Attribute.MODSEQ, longs, MODIFIED),
            email_ids=column(Attribute.EMAILID, longs, MAIL),
            saved=column(Attribute.SAVEDATE, words, SAVE_DATE),
            mails=run.mails[start:end],
            heads=run.heads[start:end],
            envelopes=run.forms.envelopes[start:end],
            bodies=run.forms.bodies[start:end],
            structures=run.forms.structures[start:end],
            octets=run.octets[start:end],
            recent=self.view.recent,
            overflow=_overflow(run),
        )

    def answered(self, result: Result, uids: Ranges) -> None:
        """A STORE of this client's changed the flags of `uids`, and the client knows."""
        for position in result.slices or ((result.position,) if result.first_position else ()):
            self.view.answered(position, position, uids)

    # -- news

    def news(self) -> AsyncIterator[bytes]:
        """Untagged responses for what happened since the last news; pieces to be said in one go."""
        return self._news(self.view.vanished if self.qresync else self.view.expunges)

    def news_keeping_numbers(self) -> AsyncIterator[bytes]:
        return self._news(bytes)

    def wait(self) -> Awaitable[None]:
        """Done when there may be news."""
        return self._watch.wait()

    async def _news(self, expunges: Callable[[], bytes]) -> AsyncIterator[bytes]:
        async with self.telling:
            changed: Ranges = ()
            self.is_behind = False
            try:
                await self._take_notes()
                yield expunges()
                if not self.view.has_expunged:
                    self._watch.told()
                if self.view.has_grown:
                    yield await self._arrivals()
                changed = self.view.changed
                if changed:
                    self.view.told_changes()
                    async for piece in self.told(changed, Plan(self.flag_items)):
                        yield piece
            except (NotKnown, Unavailable):
                self.view.untold(changed)
                self.is_behind = True
            except Refused:
                return  # deleted: its messages went as any others do, and there is nothing more to say

    async def _take_notes(self) -> None:
        try:
            happened = self._watch.pending()
        except Resync:
            self._missed = True
            happened = []
        if self._missed:
            now = await self._uids()
            self.view.note_unknown(now.uids, now.count)
            self._missed = False
            return
        for touched in happened:
            for here in touched.mailboxes:
                if here.mailbox == self.mailbox:
                    self.view.note(
                        touched.position, _pairs(here.created), _pairs(here.modified), _pairs(here.destroyed)
                    )

    async def _arrivals(self) -> bytes:
        now = await self._uids()
        await self.claim_recent()
        exists = self.view.arrivals(now.uids, now.count)
        if not exists or self.rev2:
            return exists
        return exists + response.recent(self.view.within(self.view.recent))

    async def claim_recent(self) -> None:
        """What nobody was told of is \\Recent to this client, and to no other if it may write (RFC 3501
        §2.3.2); raises Refused when the mailbox was deleted."""
        if self.rev2:
            return  # it has no word for them (RFC 9051 appendix E.12): they stay so to who has
        if not self.read_only:
            try:
                self.view.claim(*await self._account.claim_recent(self.mailbox))
            except KeyError:
                raise Refused("NONEXISTENT") from None
            return
        row = (await self._account.mailboxes()).rows.get(self.mailbox)
        if row is not None:
            self.view.claim(row.recent_uid, row.uid_next)

    async def _uids(self) -> Messages:
        return await anext(self.runs(ALL_UIDS, Want.UIDS))


def _overflow(run: Messages) -> dict[int, list[str]]:
    """Keywords without a bit, of the messages of the run."""
    if not run.overflow or not run.count:
        return {}
    first, last = run.uids[0], run.uids[run.count - 1]
    return {uid: list(k.names) for uid, k in run.overflow.items() if first <= uid <= last}


def _flag_names(row: MailboxRow) -> FlagNames:
    return FlagNames((*SYSTEM, *row.keywords))


def _pairs(ranges: Iterable[UidRange]) -> list[tuple[int, int]]:
    return [(each.first, each.last) for each in ranges]
