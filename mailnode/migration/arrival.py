"""What a source has enters an account, in batches that are durable whole.

Each message carries its origin, and the account leaves out what came before: so an import may be stopped
anywhere and run again. A batch that is refused is asked again one by one, so that one message stops no other.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from itertools import islice

from mailnode.mailbox.content import Content, UploadIds
from mailnode.mailbox.names import SEPARATOR, canonical_name
from mailnode.migration.lines import with_crlf
from mailnode.migration.source import Box, Item, Source, SourceError, Unstorable, origin_of
from mailnode.pb import admin_pb2 as pb
from mailnode.pb.change_pb2 import Add, Adopt, CreateMailbox, Intent, Result, Subscribe, Upload
from mailnode.pb.row_pb2 import MailboxRow

Ask = Callable[[pb.ImportRequest], Awaitable[pb.ImportAnswer]]
"""To one node, each answered in order; raises Refusal, and what else ends an import."""

_BATCH_OCTETS = 1 << 20
_BATCH_MESSAGES = 100
"""Deciding them holds the node's loop for some milliseconds."""
_ITEMS = 500
"""Origins asked about at once."""
_OPEN_MAX = 2
"""Batches on their way: one is synced while the next is read."""
_UINT32_MAX = 0xFFFFFFFF
_KEYWORD = re.compile(r"[!#$&\'+-Z^-z|}~\[]{1,128}")
"""An atom (RFC 9051 §9) of no more octets than a client may set."""
_REASONS = {
    "OVERQUOTA": "the account is full",
    "LIMIT": "the mailbox has no UIDs left for it",
    "TRYCREATE": "the mailbox was removed meanwhile",
    "UIDTAKEN": "its UID was given to another message, or passed over",
}
_NOT_NOW = {"DISKFULL": "its disk is nearly full", "UNAVAILABLE": "the account has too much to do"}


@dataclass(frozen=True, slots=True)
class Failed:
    message: str
    mailbox: str
    reason: str


@dataclass(slots=True)
class Counts:
    """What became of the messages so far."""

    imported: int = 0
    present: int = 0
    octets: int = 0
    mailboxes: int = 0
    failed: list[Failed] = field(default_factory=list)
    keywords_left_out: set[str] = field(default_factory=set)
    """Names that IMAP could not say."""
    total: int = 0
    """Messages there, 0: not known."""
    told: Callable[[Counts], None] = lambda counts: None

    def fail(self, item: Item, mailbox: str, reason: str) -> None:
        self.failed.append(Failed(_plain(item.label), mailbox, reason))
        self.told(self)


class _Ids(UploadIds):
    """Ids that the node gives along with its answers, each for one content."""

    def __init__(self) -> None:
        self.offered = 0

    def take(self) -> int:
        taken, self.offered = self.offered, 0
        assert taken, "each answer offers one, and a content takes one"
        return taken


class Arrival:
    """`into`: below which mailbox all goes, empty: below none. `patterns`: which mailboxes, none: all."""

    def __init__(
        self, ask: Ask, source: Source, into: str, patterns: Sequence[str], keep_uids: bool, counts: Counts
    ) -> None:
        self._ask = ask
        self._source = source
        self._into = into
        self._patterns = patterns
        self._keep_uids = keep_uids
        self._counts = counts
        self._ids = _Ids()
        self._rows: dict[str, MailboxRow] = {}
        self._octets_max = 0
        self._open: deque[asyncio.Task[None]] = deque()
        self._batch: list[tuple[Item, Add.Message]] = []
        self._batch_octets = 0

    async def run(self, address: str) -> None:
        """All of it; raises SourceError, and Refusal where nothing was changed yet or the node stops."""
        account = (await self._asked(pb.ImportRequest(address=address))).account
        self._octets_max = account.message_octets_max
        self._rows = {each.name: each.row for each in account.mailboxes}
        boxes = [box for box in self._source.boxes() if self._is_wanted(box.name)]
        if not boxes:
            raise SourceError("no mailbox there has such a name")
        if self._keep_uids:
            for box in boxes:
                self._check(box)
        self._counts.total = sum(box.messages for box in boxes)
        try:
            for box in boxes:
                await self._take(box)
            await self._subscribe({box.name for box in boxes})
        finally:
            for task in self._open:
                task.cancel()
            await asyncio.gather(*self._open, return_exceptions=True)

    def _is_wanted(self, name: str) -> bool:
        return not self._patterns or any(fnmatchcase(name, pattern) for pattern in self._patterns)

    def _target(self, name: str) -> str:
        return canonical_name(_plain(self._into + SEPARATOR + name if self._into else name))

    def _check(self, box: Box) -> None:
        row = self._rows.get(self._target(box.name))
        if row is None or not box.uid_validity or row.uid_validity == box.uid_validity or row.uid_next <= 1:
            return
        raise SourceError(
            f"{self._target(box.name)!a} gave UIDs of its own already (UIDVALIDITY {row.uid_validity}, next "
            f"{row.uid_next}), so it cannot keep those of {box.name!a} (UIDVALIDITY {box.uid_validity})"
        )

    async def _asked(self, request: pb.ImportRequest) -> pb.ImportAnswer:
        answer = await self._ask(request)
        self._ids.offered = answer.upload or self._ids.offered
        return answer

    async def _apply(self, intent: Intent) -> Result:
        return (await self._asked(pb.ImportRequest(intent=intent))).result

    # -- mailboxes

    async def _take(self, box: Box) -> None:
        name = self._target(box.name)
        refused = await self._make(name, box)
        if refused:
            self._counts.failed.append(Failed("all messages", name, f"it cannot be made: {refused.lower()}"))
            return
        mailbox = self._rows[name].mailbox
        self._counts.mailboxes += 1
        keeps = self._keep_uids and box.uid_validity > 0
        if keeps:
            await self._adopt(name, Adopt(mailbox=mailbox, uid_validity=box.uid_validity))
        items = self._source.items(box)
        while some := list(islice(items, _ITEMS)):
            new = await self._new(some)
            if keeps and not all(item.uid for item in new):
                await self._contents(box, name, mailbox, [item for item in new if item.uid], keeps)
                # Those without a UID come behind all that were ever given there.
                await self._settle()
                await self._adopt(name, Adopt(mailbox=mailbox, uid_next=box.uid_next))
                keeps, new = False, [item for item in new if not item.uid]
            await self._contents(box, name, mailbox, new, keeps)
        await self._settle()
        if self._keep_uids and box.uid_validity:
            await self._adopt(name, Adopt(mailbox=mailbox, uid_next=box.uid_next))

    async def _make(self, name: str, box: Box) -> str:
        """Why there is no such mailbox; empty: there is."""
        row = self._rows.get(name)
        if row is None or row.noselect:
            made = await self._apply(Intent(create_mailbox=CreateMailbox(name=name)))
            if made.refused:
                return made.refused
            row = self._rows[name] = MailboxRow(mailbox=made.mailbox)
        if box.special_use:
            # Refused where another mailbox has the use, and messages: then it stays there.
            adopt = Adopt(mailbox=row.mailbox, special_use=box.special_use)
            await self._apply(Intent(adopt=adopt))
        return ""

    async def _adopt(self, name: str, adopt: Adopt) -> None:
        refused = (await self._apply(Intent(adopt=adopt))).refused
        if refused:
            raise SourceError(f"{name!a} cannot keep UIDs: {_REASONS.get(refused, refused.lower())}")

    async def _subscribe(self, taken: set[str]) -> None:
        names = {canonical_name(name): name for name in self._source.subscribed()}
        for name in sorted(names):
            if name in taken or (self._is_wanted(name) and not self._patterns):
                await self._apply(Intent(subscribe=Subscribe(name=self._target(name), subscribed=True)))

    # -- messages

    async def _new(self, items: Sequence[Item]) -> list[Item]:
        known = pb.ImportRequest.Known(origins=[self._origin(item) for item in items])
        answer = await self._asked(pb.ImportRequest(known=known))
        present = sum(answer.known)
        if present:
            self._counts.present += present
            self._counts.told(self._counts)
        return [item for item, came in zip(items, answer.known, strict=True) if not came]

    def _origin(self, item: Item) -> bytes:
        """What goes below another mailbox is another import."""
        return origin_of(item.origin, self._into) if self._into else item.origin

    async def _contents(self, box: Box, name: str, mailbox: int, items: Sequence[Item], keeps: bool) -> None:
        for item, pieces in self._source.contents(box, items):
            try:
                message = await self._message(item, pieces)
            except (Unstorable, OSError) as error:
                self._counts.fail(item, name, _line(error))
                continue
            message.mailbox = mailbox
            if keeps:
                message.uid = item.uid
            self._batch.append((item, message))
            self._batch_octets += len(message.octets) + len(message.head) + len(message.forms)
            if self._batch_octets >= _BATCH_OCTETS or len(self._batch) >= _BATCH_MESSAGES:
                await self._flush()

    async def _message(self, item: Item, pieces: Iterator[bytes]) -> Add.Message:
        """Raises Unstorable and OSError."""
        content = Content(self._upload, self._ids)
        octets = 0
        for piece in with_crlf(pieces):
            octets += len(piece)
            if octets > self._octets_max:
                raise Unstorable(f"it is longer than {self._octets_max} octets")
            if b"\0" in piece:
                raise Unstorable("it has a NUL")
            await content.write(piece)
        arrived = await content.finish()
        return Add.Message(
            flags=item.flags,
            keywords=self._keywords(item.keywords),
            internal_date=min(item.internal_date, _UINT32_MAX),
            mail=arrived.mail,
            octets=arrived.octets,
            head=arrived.head if arrived.mail.upload else b"",
            forms=arrived.forms,
            references=arrived.references,
            unique_id=item.unique_id,
            origin=self._origin(item),
        )

    def _keywords(self, names: Sequence[str]) -> list[str]:
        good = [name for name in names if _KEYWORD.fullmatch(name)]
        if len(good) < len(names):
            self._counts.keywords_left_out |= set(names) - set(good)
        return good

    async def _upload(self, upload: Upload) -> None:
        refused = (await self._stored(Intent(upload=upload))).refused
        if refused:
            raise Unstorable(_REASONS.get(refused, refused.lower()))

    async def _stored(self, intent: Intent) -> Result:
        result = await self._apply(intent)
        if result.refused in _NOT_NOW:
            raise SourceError(f"the node takes no mail now, {_NOT_NOW[result.refused]}: run it again later")
        return result

    async def _flush(self) -> None:
        if not self._batch:
            return
        while len(self._open) >= _OPEN_MAX:
            await self._open.popleft()
        batch, self._batch, self._batch_octets = self._batch, [], 0
        self._open.append(asyncio.create_task(self._store(batch)))
        await asyncio.sleep(0)  # it is on its way before the next is read

    async def _settle(self) -> None:
        await self._flush()
        while self._open:
            await self._open.popleft()

    async def _store(self, batch: Sequence[tuple[Item, Add.Message]]) -> None:
        """All at once, or where that is refused one by one."""
        result = await self._stored(Intent(add=Add(messages=[message for _, message in batch])))
        if not result.refused:
            self._count(batch, len(result.added))
        elif len(batch) > 1:
            for each in batch:
                await self._store((each,))
        else:
            item = batch[0][0]
            name = next(name for name, row in self._rows.items() if row.mailbox == batch[0][1].mailbox)
            self._counts.fail(item, name, _REASONS.get(result.refused, result.refused.lower()))

    def _count(self, batch: Sequence[tuple[Item, Add.Message]], added: int) -> None:
        self._counts.imported += added
        self._counts.present += len(batch) - added
        self._counts.octets += sum(message.mail.size for _, message in batch)
        self._counts.told(self._counts)


def _plain(text: str) -> str:
    """Without octets of a file's name that are no UTF-8."""
    return text.encode("utf-8", "replace").decode()


def _line(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return " ".join(str(error).split())
