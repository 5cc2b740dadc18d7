"""One IMAP session an account that makes, fills, renames and deletes mailboxes that are its alone."""

from collections.abc import Awaitable

from tests.crash.ledger import NOWHERE, Change, Copy, Key, Promise
from tests.crash.load import APPENDUID, Load, Writer, logged_in
from tests.crash.tree import Rearrangement, moved, with_parents
from tests.wire import imap

OWN = "Own"
"""Where its mailboxes' names begin; no other client goes there."""
NAMES = [f"{OWN}{letter}" for letter in "abcd"]
"""Few, so that what was deleted comes again."""
MAILBOXES_MAX = 8


def arrangers(load: Load, seed: int) -> list[Awaitable[None]]:
    """One for each account."""
    return [_arranger(load, account, seed) for account in load.server.accounts]


async def _arranger(load: Load, account: str, seed: int) -> None:
    name = f"{account.partition('@')[0]}-own.{load.tag}"

    async def work(connection: imap.ImapConnection) -> None:
        arranger = Arranger(load, account, connection, Writer(name, seed))
        while True:
            await arranger.step()

    await logged_in(load, account, work)


class Arranger:
    def __init__(self, load: Load, account: str, connection: imap.ImapConnection, writer: Writer) -> None:
        self._load = load
        self._ledger = load.ledger
        self._account = account
        self._connection = connection
        self._writer = writer

    async def step(self) -> None:
        names = sorted(self._ledger.tree.of(self._account))
        acts = [self.create] if len(names) < MAILBOXES_MAX else []
        if names:
            acts += [self.append, self.append, self.append, self.rename, self.delete]
        await self._writer.random.choice(acts)()

    def _some(self) -> str:
        return self._writer.random.choice(sorted(self._ledger.tree.of(self._account)))

    def _free(self) -> str:
        """A name that is not there, of one or two levels."""
        there = self._ledger.tree.of(self._account)
        names = [*NAMES, *(f"{parent}/{leaf}" for parent in NAMES for leaf in "xy")]
        return self._writer.random.choice([name for name in names if name not in there])

    async def create(self) -> None:
        name = self._free()
        come = with_parents(name) - self._ledger.tree.of(self._account)
        await self._rearrange(Rearrangement("create", self._account, come=come), {}, f'CREATE "{name}"')

    async def rename(self) -> None:
        old, new = self._some(), self._free()
        if new.startswith(old + "/"):
            return
        there = self._ledger.tree.of(self._account)
        names = moved(there, old, new)
        if there & frozenset(names.values()):
            return
        come = with_parents(new) - there - {new}
        changes = {
            key: Change(world, frozenset(Copy(names[copy.mailbox], copy.flags) for copy in world))
            for key, world in self._messages(names)
        }
        rearrangement = Rearrangement("rename", self._account, come=come, moved=names)
        await self._rearrange(rearrangement, changes, f'RENAME "{old}" "{new}"')

    async def delete(self) -> None:
        name = self._some()
        if any(other.startswith(name + "/") for other in self._ledger.tree.of(self._account)):
            return  # it would stay as \Noselect (RFC 9051 §6.3.5)
        changes = {key: Change(world, NOWHERE) for key, world in self._messages({name: ""})}
        rearrangement = Rearrangement("delete", self._account, gone=frozenset({name}))
        await self._rearrange(rearrangement, changes, f'DELETE "{name}"')

    async def append(self) -> None:
        message_id, content = self._writer.message()
        name, flags = self._some(), self._writer.flags()
        key = Key(self._account, message_id)
        promise = self._ledger.attempt("append", [key], content, Copy(name, flags), exact=True)
        command = f'APPEND "{name}" ({" ".join(sorted(flags))})'.encode()
        answer = await self._connection.ok(command, content)
        self._load.acknowledge(promise)
        if uid := APPENDUID.search(answer.text):
            self._ledger.saw(self._account, name, int(uid[2]), message_id)

    def _messages(self, names: dict[str, str]) -> list[tuple[Key, frozenset[Copy]]]:
        """Those that lie in these mailboxes; they lie nowhere else."""
        messages = self._ledger.messages.items()
        calm = [(key, message) for key, message in messages if message.pending is None]
        mine = [(key, message.world) for key, message in calm if key.account == self._account]
        return [(key, world) for key, world in mine if any(copy.mailbox in names for copy in world)]

    async def _rearrange(self, change: Rearrangement, messages: dict[Key, Change], command: str) -> None:
        promise = Promise(change.kind, messages, atomic=True, rearrangement=change)
        self._ledger.begin(promise)
        await self._connection.ok(command.encode())
        self._load.acknowledge(promise)
