"""What an operator may ask, done: by a running node for its Admin service, or by the CLI while none runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from mailnode.admin import domains, exporting, importing, reporting
from mailnode.admin.clusterdomains import ClusterDomains
from mailnode.admin.clustering import Clustering
from mailnode.admin.domains import Domains
from mailnode.admin.importing import Inlet
from mailnode.admin.keeping import Checkpoints
from mailnode.admin.promotion import copies
from mailnode.admin.refusal import Refusal
from mailnode.admin.restoring import NotRestored, Restoring
from mailnode.admin.status import Status
from mailnode.cluster.passes import Passes
from mailnode.config import ConfigError
from mailnode.directory.address import Address, canonical, slot
from mailnode.directory.attempt import Scope
from mailnode.directory.creation import Created, Creation, Refused
from mailnode.directory.credential import Credentials, Unfit
from mailnode.directory.lookup import Lookup, Owner
from mailnode.directory.removal import Removal, Removed
from mailnode.directory.renaming import Renaming
from mailnode.directory.rows import Rows
from mailnode.directory.turns import Busy
from mailnode.limits import Limits
from mailnode.mailbox.accounts import Accounts
from mailnode.mailbox.content import UploadIds
from mailnode.mailbox.scrub import Scrub
from mailnode.mailbox.undeletion import undelete
from mailnode.mailbox.verbs import NotKnown, Unavailable, decided
from mailnode.pb import admin_pb2 as pb
from mailnode.pb.change_pb2 import Intent
from mailnode.pb.row_pb2 import DirectoryRow
from mailnode.relay import waiting
from mailnode.relay.waiting import Waiting
from mailnode.reports.kept import Kept
from mailnode.store import keys
from mailnode.store.backups import BackupError, Backups
from mailnode.store.damage import Unreadable

_CHANGES: Mapping[int, waiting.Change] = {
    pb.QueueChangeRequest.RETRY: waiting.retry,
    pb.QueueChangeRequest.HOLD: waiting.hold,
    pb.QueueChangeRequest.RELEASE: waiting.release,
    pb.QueueChangeRequest.REMOVE: waiting.remove,
}

APP_PASSWORD_NAME_MAX = 100  # characters: a line of a table


@dataclass(frozen=True, slots=True)
class Operator:
    """One method a row of the Admin service (protos/admin.proto), by its name; each may raise Refusal."""

    accounts: Accounts
    rows: Rows
    lookup: Lookup
    credentials: Credentials
    creation: Creation
    removal: Removal
    waiting: Waiting
    upload_ids: UploadIds
    limits: Limits
    domains: Domains | ClusterDomains
    checkpoints: Checkpoints
    restoring: Restoring
    scrub: Scrub
    status: Status
    renaming: Renaming
    reports: Kept
    cluster: Clustering | None = None
    """Of a node of a directory there is none."""
    passes: Passes | None = None
    """As `cluster`."""

    async def AccountAdd(self, request: pb.AccountAddRequest) -> pb.AddressAnswer:
        return _answer(await self.creation.create(request.address, request.password, request.dc))

    async def AccountList(self, request: pb.AccountListRequest) -> pb.AccountListAnswer:
        answer = pb.AccountListAnswer()
        if request.removed:
            found = self.removal.removed_of(request.address) if request.address else self.removal.removed()
            answer.accounts.extend([await self._removed(each) for each in found])
            return answer
        if request.address:
            answer.accounts.extend(await self._of_address(request.address))
            return answer
        for address, row in (await self.rows.all()).items():
            if row.kind == DirectoryRow.ACCOUNT and row.state == DirectoryRow.ACTIVE:
                owner = await self.lookup.owner(str(address))
                if owner is not None:
                    answer.accounts.append(await self._account(str(address), owner))
        for each in self.removal.removed():
            answer.accounts.append(await self._removed(each))
        return answer

    async def AccountPassword(self, request: pb.AccountPasswordRequest) -> pb.AddressAnswer:
        owner = await self._owner(request.address)
        prepared = self.credentials.prepare(request.password)
        if prepared is None:
            raise Refusal("the password is empty, too long or has characters that none may have")
        await self.credentials.write(owner, prepared)
        return pb.AddressAnswer(address=request.address)

    async def AccountSuspend(self, request: pb.AccountSuspendRequest) -> pb.AddressAnswer:
        await self.credentials.suspend(await self._owner(request.address), request.suspended)
        return pb.AddressAnswer(address=request.address)

    async def AccountRename(self, request: pb.AccountRenameRequest) -> pb.AddressAnswer:
        return _answer(await self.renaming.rename(request.address, request.to, request.alias))

    async def AccountQuota(self, request: pb.AccountQuotaRequest) -> pb.AddressAnswer:
        owner = await self._owner(request.address)
        account = await self.accounts.open(owner.account)
        if decided(await account.apply(Intent(set_quota=request.quota))).refused:
            raise Refusal(f"{request.address!a} is no account of this node any more")
        return pb.AddressAnswer(address=request.address)

    async def AppPasswordAdd(self, request: pb.AppPasswordAddRequest) -> pb.AppPasswordAddAnswer:
        owner, name = await self._owner(request.address), request.name
        if not name.isprintable() or not 0 < len(name) <= APP_PASSWORD_NAME_MAX:
            raise Refusal(f"{name!a}: a name has 1 to {APP_PASSWORD_NAME_MAX} printable characters")
        scopes = [_scope(text) for text in request.scopes] or list(Scope)
        password = await self.credentials.add_application_password(owner, name, scopes, request.expires)
        return pb.AppPasswordAddAnswer(password=password)

    async def AppPasswordList(self, request: pb.AppPasswordListRequest) -> pb.AppPasswordListAnswer:
        answer = pb.AppPasswordListAnswer()
        for each, used in await self.credentials.application_passwords(await self._owner(request.address)):
            answer.app_passwords.add(
                name=each.name, scopes=each.scopes, created=each.created, expires=each.expires, used=used
            )
        return answer

    async def AppPasswordRevoke(self, request: pb.AppPasswordRevokeRequest) -> pb.AddressAnswer:
        await self.credentials.revoke(await self._owner(request.address), request.name)
        return pb.AddressAnswer(address=request.address)

    async def AccountRemove(self, request: pb.AccountRemoveRequest) -> pb.AccountRemoveAnswer:
        outcome = await self.removal.remove(request.address)
        if isinstance(outcome, Refused):
            raise Refusal(outcome.reason)
        aliases = await self.removal.named_by(outcome.address)
        return pb.AccountRemoveAnswer(address=outcome.address, until=outcome.until, aliases=aliases)

    async def AccountUndelete(self, request: pb.AccountUndeleteRequest) -> pb.AddressAnswer:
        return _answer(await self.removal.undelete(request.address))

    async def AliasAdd(self, request: pb.AliasAddRequest) -> pb.AddressAnswer:
        return _answer(await self.creation.create_alias(request.address, request.targets))

    async def AliasList(self, request: pb.AliasListRequest) -> pb.AliasListAnswer:
        return pb.AliasListAnswer(aliases=_aliases(await self.rows.all()))

    async def AliasRemove(self, request: pb.AliasRemoveRequest) -> pb.AddressAnswer:
        return _answer(await self.creation.remove_alias(request.address))

    async def MailboxList(self, request: pb.MailboxListRequest) -> pb.MailboxListAnswer:
        owner = await self._owner(request.address)
        mailboxes = await (await self.accounts.open(owner.account)).mailboxes()
        answer = pb.MailboxListAnswer()
        for name, mailbox in sorted(mailboxes.names.items()):
            row = mailboxes.rows[mailbox]
            answer.mailboxes.add(
                name=name,
                special_use=row.special_use,
                subscribed=name in mailboxes.subscribed,
                messages=row.messages,
                unseen=row.unseen,
                octets=row.size,
            )
        return answer

    async def MailboxExpunged(self, request: pb.MailboxExpungedRequest) -> pb.MailboxExpungedAnswer:
        owner = await self._owner(request.address)
        kept = self.limits.expunged_kept_seconds * 1_000_000
        answer = pb.MailboxExpungedAnswer()
        for gone in await (await self.accounts.open(owner.account)).expunged():
            last = answer.expunged[-1] if answer.expunged else None
            if last is None or (last.mailbox, last.time) != (gone.name, gone.time_microseconds):
                time = gone.time_microseconds
                last = answer.expunged.add(mailbox=gone.name, time=time, until=time + kept)
            last.messages += gone.messages
            last.octets += gone.octets
        return answer

    async def MailboxUndelete(self, request: pb.MailboxUndeleteRequest) -> pb.MailboxUndeleteAnswer:
        owner = await self._owner(request.address)
        account = await self.accounts.open(owner.account)
        entries_max = self.limits.undeleted_entries
        messages = await undelete(account, request.mailbox, request.since, entries_max)
        return pb.MailboxUndeleteAnswer(messages=messages)

    async def Import(self, requests: AsyncIterator[pb.ImportRequest]) -> AsyncIterator[pb.ImportAnswer]:
        first = await anext(requests, pb.ImportRequest())
        async for answer in importing.answers(await self.inlet(first.address), requests):
            yield answer

    async def inlet(self, address: str) -> Inlet:
        account = await self.accounts.open((await self._owner(address)).account)
        return Inlet(account, self.upload_ids, self.limits.imap_message_octets_max)

    async def Export(self, request: pb.ExportRequest) -> AsyncIterator[pb.ExportAnswer]:
        account = await self.accounts.open((await self._owner(request.address)).account)
        if not request.mailbox:
            yield await exporting.listed(account)
            return
        row = (await account.mailboxes()).named(request.mailbox)
        if row is None:
            raise Refusal(f"there is no mailbox {request.mailbox!a}")
        async for answer in exporting.messages(account, row, request.present):
            yield answer

    async def QueueList(self, request: pb.QueueListRequest) -> pb.QueueListAnswer:
        return _items(request.item, await self.waiting.items(request.item))

    async def QueueChange(self, request: pb.QueueChangeRequest) -> pb.QueueListAnswer:
        return _items(request.item, await self.waiting.change(request.item, _CHANGES[request.what]))

    async def Status(self, request: pb.StatusRequest) -> pb.StatusAnswer:
        return self.status.answer()

    async def ReportList(self, request: pb.ReportListRequest) -> pb.ReportListAnswer:
        return await reporting.listed(self.reports, request)

    async def ReportShow(self, request: pb.ReportShowRequest) -> pb.ReportShowAnswer:
        return await reporting.shown(self.reports, request)

    async def ReportSources(self, request: pb.ReportSourcesRequest) -> pb.ReportSourcesAnswer:
        return await reporting.sources(self.reports, request)

    async def DomainAdd(self, request: pb.DomainAddRequest) -> pb.DomainListAnswer:
        return await self.domains.add(request.domain)

    async def DomainList(self, request: pb.DomainListRequest) -> pb.DomainListAnswer:
        return await self.domains.listed()

    async def DomainRemove(self, request: pb.DomainRemoveRequest) -> pb.DomainListAnswer:
        return await self.domains.remove(request.domain, request.keep_accounts)

    async def DomainChange(self, request: pb.DomainChangeRequest) -> pb.DomainListAnswer:
        return await self.domains.change(request.domain, dict(request.settings))

    async def DomainsTake(self, request: pb.DomainsTakeRequest) -> pb.DomainsTakeAnswer:
        self.domains.take()
        return pb.DomainsTakeAnswer()

    async def ClusterStatus(self, request: pb.ClusterStatusRequest) -> pb.ClusterStatusAnswer:
        """Of this node alone, where no other one answers."""
        clustering = self.clustering
        return clustering.status({clustering.core.me.node: clustering.seen()})

    async def ClusterSeen(self, request: pb.ClusterSeenRequest) -> pb.ClusterSeenAnswer:
        return self.clustering.seen()

    async def ClusterMap(self, request: pb.ClusterMapRequest) -> pb.ClusterMapAnswer:
        return await self.clustering.map(request)

    async def ClusterMove(self, request: pb.ClusterMoveRequest) -> pb.ClusterMapAnswer:
        return await self.clustering.move(request)

    async def ClusterDrain(self, request: pb.ClusterDrainRequest) -> pb.ClusterDrainAnswer:
        return await self.clustering.drain(request)

    async def ClusterRemove(self, request: pb.ClusterRemoveRequest) -> pb.ClusterRemoveAnswer:
        return await self.clustering.remove(request)

    async def ClusterCopies(self, request: pb.ClusterCopiesRequest) -> pb.ClusterCopiesAnswer:
        answer = copies(self.clustering.core, request.home)
        await self.clustering.written()  # what is said to be here stays
        return answer

    async def ClusterPromote(self, request: pb.ClusterPromoteRequest) -> pb.ClusterPromoteAnswer:
        """All nodes of a data centre are asked what they have (`everywhere`)."""
        raise Refusal("a node that runs in its cluster must be asked")

    @property
    def clustering(self) -> Clustering:
        if self.cluster is None:
            raise Refusal("this node is of no cluster: mailnode.toml has no table [cluster]")
        return self.cluster

    async def Scrub(self, request: pb.ScrubRequest) -> pb.ScrubAnswer:
        if request.begin:
            self.scrub.begin()
        return _scrubbed(self.scrub)

    async def Verify(self, request: pb.VerifyRequest) -> pb.VerifyAnswer:
        if self.passes is None:
            raise Refusal("this node is in no cluster: there is one copy of everything")
        if request.begin:
            self.passes.ask(await self._partitions(request), mends=request.repair)
        return _verified(self.passes)

    async def _partitions(self, request: pb.VerifyRequest) -> list[int] | None:
        """None: all."""
        if not request.address:
            return list(request.partitions) or None
        owner, address = await self._owner(request.address), canonical(request.address)
        assert isinstance(address, Address)
        return sorted({slot(address), keys.partition(owner.account)})

    async def Checkpoint(self, request: pb.CheckpointRequest) -> pb.CheckpointAnswer:
        own = self.checkpoints
        try:
            path, made = await asyncio.get_running_loop().run_in_executor(own.pool, own.make)
        except OSError as error:
            raise Refusal(str(error)) from None
        folder = str(own.shard_path.relative_to(own.whole))
        return pb.CheckpointAnswer(
            path=str(path), incarnation=own.shard.incarnation, made=made, folder=folder
        )

    async def CheckpointDrop(self, request: pb.CheckpointDropRequest) -> pb.CheckpointDropAnswer:
        own = self.checkpoints
        if not await asyncio.get_running_loop().run_in_executor(own.pool, own.drop, Path(request.path)):
            raise Refusal(f"{request.path!a} is no checkpoint")
        return pb.CheckpointDropAnswer()

    async def AccountRestore(self, request: pb.AccountRestoreRequest) -> pb.AccountRestoreAnswer:
        backups = Backups(Path(request.backups))
        try:
            backup, restored = await self.restoring.restore(
                backups, request.backup, request.address, request.into
            )
        except (BackupError, NotRestored) as error:
            raise Refusal(str(error)) from None
        return pb.AccountRestoreAnswer(
            address=restored.address,
            backup=backup.name,
            whole=restored.whole,
            messages=restored.messages,
            present=restored.present,
        )

    async def _owner(self, address: str) -> Owner:
        owner = await self.lookup.owner(address)
        if owner is None:
            raise Refusal(f"{address!a} is no account of this node")
        return owner

    async def _of_address(self, address: str) -> list[pb.AccountListAnswer.Account]:
        """The account that has it; else those that were removed under it."""
        owner = await self.lookup.owner(address)
        if owner is not None:
            return [await self._account(address, owner)]
        removed = self.removal.removed_of(address)
        if not removed:
            raise Refusal(f"{address!a} is no account of this node")
        return [await self._removed(each) for each in removed]

    async def _account(self, address: str, owner: Owner) -> pb.AccountListAnswer.Account:
        account = await self._shown(address, owner.account)
        account.suspended = await self.credentials.is_suspended(owner)
        return account

    async def _removed(self, removed: Removed) -> pb.AccountListAnswer.Account:
        account = await self._shown(removed.address, removed.account)
        account.removed, account.until = removed.removed, removed.until
        return account

    async def _shown(self, address: str, account: int) -> pb.AccountListAnswer.Account:
        usage = await (await self.accounts.open(account)).usage()
        row, quota = usage.row, usage.quota
        return pb.AccountListAnswer.Account(
            address=address,
            account=account,
            mailboxes=usage.mailboxes,
            messages=row.messages,
            octets=row.octets,
            quota_octets=quota.octets,
            quota_messages=quota.messages,
            quota_own=row.HasField("quota_octets") or row.HasField("quota_messages"),
        )


async def asked(operator: Operator, name: str, request: object) -> object:
    """The answer to a row of the service; raises Refusal."""
    with _refusing():
        return await getattr(operator, name)(request)


async def answers(operator: Operator, name: str, asked: object) -> AsyncIterator[object]:
    """Those to a row that streams; raises Refusal."""
    with _refusing():
        async for answer in getattr(operator, name)(asked):
            yield answer


@contextmanager
def _refusing() -> Iterator[None]:
    """Refusal in place of what an operator is to be told."""
    try:
        yield
    except Unfit as unfit:
        raise Refusal(str(unfit)) from None
    except Unreadable:
        raise Refusal("what is stored of it cannot be read: a new password makes it anew") from None
    except Busy:
        raise Refusal("too many logins wait: try again") from None
    except (NotKnown, Unavailable):
        raise Refusal("it is not known whether all of it was stored: try again") from None
    except (domains.Refused, ConfigError) as error:
        raise Refusal(str(error)) from None


def _scope(text: str) -> Scope:
    try:
        return Scope(text)
    except ValueError:
        raise Refusal(f"{text!a}: the scopes are {', '.join(Scope)}") from None


def _scrubbed(scrub: Scrub) -> pb.ScrubAnswer:
    going = scrub.now
    faults = [pb.ScrubAnswer.Fault(**asdict(fault)) for fault in going.faults]
    return pb.ScrubAnswer(
        running=scrub.is_running,
        started=going.started,
        finished=going.finished,
        accounts=going.accounts,
        mails=going.mails,
        octets=going.octets,
        fault_count=going.fault_count,
        faults=faults,
        last_finished=scrub.last.finished,
    )


def _verified(passes: Passes) -> pb.VerifyAnswer:
    found = passes.asked
    names = ("partitions", "rows", "octets", "differences", "mended", "not_compared")
    return pb.VerifyAnswer(
        running=passes.is_asked,
        told=[pb.VerifyAnswer.Difference(**asdict(each)) for each in found.told],
        failures=found.failures,
        **{name: getattr(found, name) for name in names},
    )


def _answer(outcome: Created | Refused) -> pb.AddressAnswer:
    if isinstance(outcome, Refused):
        raise Refusal(outcome.reason)
    return pb.AddressAnswer(address=outcome.address)


def _aliases(rows: Mapping[Address, DirectoryRow]) -> Iterator[pb.AliasListAnswer.Alias]:
    for address, row in rows.items():
        if row.kind == DirectoryRow.ALIAS:
            yield pb.AliasListAnswer.Alias(address=str(address), targets=row.targets)


def _items(name: str, items: list[waiting.Item]) -> pb.QueueListAnswer:
    if name and not items:
        raise Refusal(f"{name!a} does not wait in the queue, or is being tried now")
    return pb.QueueListAnswer(items=[_item(item) for item in items])


def _item(item: waiting.Item) -> pb.QueueListAnswer.Item:
    row = item.row
    recipients = [
        pb.QueueListAnswer.Recipient(address=one.forward_path.decode("utf-8", "replace"), reply=one.reply)
        for one in row.recipients
    ]
    return pb.QueueListAnswer.Item(
        item=item.name,
        sender=row.reverse_path.decode("utf-8", "replace"),
        octets=row.size - row.start,
        queued=row.queued,
        due=row.due,
        attempts=row.attempts,
        held=row.held,
        recipients=recipients,
    )
