"""What a data centre took before it heard that another one leads: it comes to who leads now (design §5.10).

The copy of a partition that has more than a later generation of its home began with is set aside by the core.
Its messages and what waits for other servers are asked of the accounts as they are now, under the ids that
they came by, so that nothing comes twice: neither from another copy, nor from a client that tried again. All
else (flags, expunges, mailboxes, passwords) is told in a file, a line of JSON each, for nobody can say which
of two is right. Only then the copy goes, and learns anew. What is killed half-way is done again.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any, Protocol, TypeVar

from mailnode.clock import Clock
from mailnode.cluster.append import NotKnown, Unavailable
from mailnode.cluster.replica_messages import Entry
from mailnode.mailbox.accounts import Accounts
from mailnode.mailbox.keywords import names_of
from mailnode.mailbox.names import full_names
from mailnode.mailbox.queue import item_key
from mailnode.mailbox.reads import Reads
from mailnode.mailbox.rows import ENTRY, LIVE, MAIL, SYSTEM_FLAGS, UID, longs, words
from mailnode.mailbox.verbs import Expunged
from mailnode.pb.change_pb2 import Add, Change, Intent, Submit
from mailnode.pb.row_pb2 import Keywords, MailRow, QueueRow
from mailnode.store import keys
from mailnode.store.damage import readable
from mailnode.store.keys import Family, Kind
from mailnode.store.shard import Shard

log = logging.getLogger(__name__)

T = TypeVar("T")

LOOK_SECONDS = 1.0
"""Between two looks at what is set aside: it is there after a disaster alone."""

_ROWS = {Kind.CREDENTIAL: "credentials", Kind.DIRECTORY: "address"}


@dataclass(slots=True)
class _Came:
    """What an intent brought, of one account."""

    account: int
    intent: bytes
    mails: list[int]


@dataclass(slots=True)
class Tail:
    """What a copy has beyond, as far as it matters to others."""

    came: list[_Came] = field(default_factory=list)
    told: list[dict[str, Any]] = field(default_factory=list)
    """A line of the file each."""

    def take(self, entry: Entry) -> None:
        if not entry.data:
            return
        change = Change.FromString(entry.data)
        if change.HasField("upload"):
            return
        if mails := [mail.row.mail for mail in change.mails]:
            self.came.append(_Came(change.account, change.intent, mails))
        at = {"epoch": entry.position.epoch, "seq": entry.position.seq, "account": f"{change.account:016x}"}
        self.told += [{**at, **each} for each in _told(change)]


def _told(change: Change) -> Iterator[dict[str, Any]]:
    """What is not asked of anybody again."""
    new = {mail.row.mail for mail in change.mails}
    for entries in change.entries:
        if not new.issuperset(longs(entries.entries, MAIL)):
            what = "copied" if entries.placed else "flags"
            yield {"what": what, "mailbox": entries.mailbox, "uids": list(words(entries.entries, UID))}
    for gone in change.entries_dropped:
        what = "expunged" if gone.expunged else "moved"
        yield {"what": what, "mailbox": gone.mailbox, "uids": list(words(gone.entries, UID))}
    if change.touched.list:
        names = {row.mailbox: row.name for row in change.mailboxes}
        yield {"what": "mailboxes", "now": names, "dropped": list(change.mailboxes_dropped)}
    for row in change.rows:
        if row.kind in _ROWS:
            yield {"what": _ROWS[row.kind], "key": row.key.decode(errors="replace")}
    if change.purged:
        yield {"what": "account purged"}


class Copies(Protocol):
    """Those of this node that were set aside (`cluster/set_aside`)."""

    def beyond(self) -> dict[int, int]: ...

    def last(self, partition: int) -> int: ...

    def generation_told(self, partition: int) -> int: ...

    async def tail(self, partition: int, after: int) -> tuple[Entry, ...]: ...

    async def let_go(self, partition: int) -> None: ...


class Returning:
    """Lives on the loop."""

    def __init__(
        self,
        copies: Copies,
        shard: Shard,
        accounts: Accounts,
        loads: Executor,
        clock: Clock,
        file: Path,
        checkpoint: Callable[[Path], None],
    ) -> None:
        """`file`: what is told; beside it, in a folder, what nobody takes. `checkpoint` keeps the shard as it
        is now."""
        self._checkpoint = checkpoint
        self._kept: dict[int, Path] = {}
        """By generation, the shard as it was when part of a log was found to be gone."""
        self._copies = copies
        self._shard = shard
        self._accounts = accounts
        self._loads = loads
        self._clock = clock
        self._file = file

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Whatever is set aside now, once; what cannot be given back yet is tried at the next look."""
        for partition, after in self._copies.beyond().items():
            try:
                await self._return(partition, after)
            except (Unavailable, NotKnown, OSError) as error:
                log.debug("a copy waits to be given back", extra={"reason": error})

    async def _return(self, partition: int, after: int) -> None:
        tail, last = Tail(), after
        while entries := await self._copies.tail(partition, last):
            if entries[0].position.seq > last + 1:
                tail.told.append(await self._gap(partition, last + 1, entries[0].position.seq - 1))
            for entry in entries:
                tail.take(entry)
            last = entries[-1].position.seq
        if last < (end := self._copies.last(partition)):
            tail.told.append(await self._gap(partition, last + 1, end))
        for came in tail.came:
            await self._bring(came, tail.told)
        await self._in_pool(self._tell, partition, tail.told)
        sent = sum(len(came.mails) for came in tail.came)
        fields = {"partition": partition, "entries": last - after, "messages": sent, "told": len(tail.told)}
        log.warning("what another data centre had not got was given to it", extra=fields)
        await self._copies.let_go(partition)

    async def _gap(self, partition: int, first: int, last: int) -> dict[str, Any]:
        """Of entries that are not in the log any more: the rows that they made are kept, with all others."""
        generation = self._copies.generation_told(partition)
        if generation not in self._kept:
            path = self._file.with_suffix("") / f"shard-{generation}"
            await self._in_pool(self._keep_shard, path)
            self._kept[generation] = path
        return {
            "what": "not in the log any more",
            "first": first,
            "last": last,
            "shard": str(self._kept[generation]),
        }

    def _keep_shard(self, path: Path) -> None:
        """The first one, if it is there, has more."""
        path.parent.mkdir(mode=0o700, exist_ok=True)
        if not path.exists():
            self._checkpoint(path)

    # -- messages

    async def _bring(self, came: _Came, told: list[dict[str, Any]]) -> None:
        """Raises Unavailable and NotKnown."""
        reads = Reads(self._shard, came.account)
        account = await self._accounts.open(came.account)
        adding = await self._in_pool(self._messages, reads, came)
        if adding:
            asked = Intent(id=_id(came, came.mails[0]), retry=True, add=Add(messages=adding))
            result = await account.apply(asked)
            what = "refused" if result.refused else "brought"
            line = {"account": f"{came.account:016x}", "what": what, "messages": len(adding)}
            if result.refused:
                kept = [await self._in_pool(self._keep, came, each.octets) for each in adding]
                line |= {"why": result.refused, "files": kept}
            told.append(line)
        for mail in came.mails:
            item = await self._in_pool(self._item, reads, came.account, mail)
            if item is not None:
                result = await account.apply(Intent(id=_id(came, mail), retry=True, submit=item))
                what = "not queued" if result.refused else "queued"
                told.append({"account": f"{came.account:016x}", "what": what, "why": result.refused})

    def _messages(self, reads: Reads, came: _Came) -> list[Add.Message]:
        """As they lie at last: what was expunged since does not come back."""
        head = reads.head()
        names = {mailbox: name for name, mailbox in full_names(head.mailboxes).items()}
        found = []
        for mail in came.mails:
            for mailbox, uid in self._places(came.account, mail):
                entry = self._shard.get(Family.STATE, keys.entry(came.account, mailbox, uid))
                if entry is None or mailbox not in names:
                    continue
                message = self._message(reads, entry)
                if message is not None:
                    message.name, message.inbox_stands_in = names[mailbox], True
                    message.keywords.extend(
                        names_of(head.mailboxes[mailbox].keywords, ENTRY.unpack(entry)[3])
                    )
                    message.keywords.extend(self._keywords(came.account, mailbox, uid))
                    message.origin = _origin(came.account, mail, mailbox)
                    found.append(message)
        return found

    def _places(self, account: int, mail: int) -> list[tuple[int, int]]:
        start, end = keys.place(account, mail, 0, 0), keys.place(account, mail + 1, 0, 0)
        rows = readable(self._shard, Family.STATE, start, end)
        return [keys.place_of(key) for key, value in rows if value == LIVE]

    def _keywords(self, account: int, mailbox: int, uid: int) -> Sequence[str]:
        """Those for which an entry has no bit."""
        return Keywords.FromString(
            self._shard.get(Family.STATE, keys.overflow(account, mailbox, uid)) or b""
        ).names

    def _message(self, reads: Reads, entry: bytes) -> Add.Message | None:
        _, _, _, flags, _, _, date, _ = ENTRY.unpack(entry)
        try:
            mail, head, forms = reads.kept(entry)
            octets = reads.octets(mail, 0, mail.size)
        except Expunged:
            return None
        return Add.Message(
            flags=flags & SYSTEM_FLAGS,
            internal_date=date,
            mail=_bare(mail),
            octets=octets,
            head=head,
            forms=forms,
        )

    def _item(self, reads: Reads, account: int, mail: int) -> Submit | None:
        """What still waits for other servers."""
        stored = reads.small_row(Kind.QUEUE, item_key(mail))
        if not stored:
            return None
        try:
            row = reads.mail(mail)
            octets = reads.octets(row, 0, row.size)
        except Expunged:
            return None
        head = self._shard.get(Family.HEAD, keys.mail(account, mail)) or b""
        forms = self._shard.get(Family.FORM, keys.mail(account, mail)) or b""
        item = QueueRow.FromString(stored)
        return Submit(mail=_bare(row), octets=octets, head=head, forms=forms, item=item)

    # -- files

    def _keep(self, came: _Came, octets: bytes) -> str:
        """A message that nobody takes, whole."""
        folder = self._file.with_suffix("")
        folder.mkdir(mode=0o700, exist_ok=True)
        name = f"{came.account:016x}-{blake2b(octets, digest_size=8).hexdigest()}.eml"
        path = folder / name
        _write(path, "wb", octets)
        return str(path)

    def _tell(self, partition: int, told: Iterable[dict[str, Any]]) -> None:
        at = {"time": self._clock.now_microseconds(), "partition": partition}
        lines = "".join(json.dumps({**at, **each}) + "\n" for each in told)
        if lines:
            _write(self._file, "ab", lines.encode())

    async def _in_pool(self, work: Callable[..., T], *arguments: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._loads, work, *arguments)


def _write(path: Path, mode: str, octets: bytes) -> None:
    with open(path, mode, opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(octets)
        file.flush()
        os.fsync(file.fileno())


def _bare(mail: MailRow) -> MailRow:
    """Without what its account gives it."""
    bare = MailRow()
    bare.CopyFrom(mail)
    for name in ("mail", "received", "thread", "upload"):
        bare.ClearField(name)
    return bare


def _id(came: _Came, mail: int) -> bytes:
    """Under which it came; of what had none, the same at each copy."""
    return came.intent or mail.to_bytes(8, "big") + _digest(came.account, mail)[:8]


def _origin(account: int, mail: int, mailbox: int) -> bytes:
    """What came is left out by it for good, intents' ids are forgotten after some days."""
    return _digest(account, mail, mailbox)


def _digest(*numbers: int) -> bytes:
    return blake2b(b"".join(number.to_bytes(8, "big") for number in numbers), digest_size=16).digest()
