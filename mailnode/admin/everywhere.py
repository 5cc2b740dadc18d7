"""What an operator asks, of all nodes: here alone is decided who does it.

Most is done by whichever node was asked, for each reaches every account. What lies at each node by itself is
asked of all of them, and their answers are put together; a node that does not answer makes that a refusal,
except of `Status`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any, Protocol

from mailnode.admin.operator import Operator, asked
from mailnode.admin.promotion import promote
from mailnode.admin.refusal import Away, Refusal
from mailnode.admin.restoring import Elsewhere
from mailnode.pb import admin_pb2 as pb


class Other(Protocol):
    """Another node."""

    @property
    def name(self) -> str: ...

    async def ask(self, request: Any) -> Any:
        """What it answers by itself; raises Refusal and Away."""


class Everywhere:
    def __init__(
        self,
        name: str,
        operator: Operator,
        others: Callable[[], Sequence[Other]] = lambda: (),
        other: Callable[[str], Other] | None = None,
    ) -> None:
        """`name` is this node's; `others`: those that should answer now; `other`: any, by its name."""
        self.operator = operator
        self._name = name
        self._others = others
        self._other = other
        self._spread: Mapping[str, Callable[[Any], Awaitable[Any]]] = {
            "AccountList": self._accounts,
            "AccountUndelete": self._undelete,
            "AccountRestore": self._restore,
            "QueueList": self._items,
            "QueueChange": self._items,
            "DomainAdd": self._domains,
            "DomainRemove": self._domains,
            "DomainChange": self._domains,
            "Scrub": self._scrub,
            "Verify": self._verify,
            "Status": self._status,
            "Checkpoint": self._checkpoints,
            "CheckpointDrop": self._first,
            "ClusterStatus": self._cluster,
        }
        self._alone_too: Mapping[str, Callable[[Any], Awaitable[Any]]] = {
            "ClusterPromote": self._promote,
        }

    async def asked(self, name: str, request: Any) -> Any:
        """The answer to a row of the Admin service; raises Refusal."""
        spread = self._alone_too.get(name)
        if spread is None and self._others():
            spread = self._spread.get(name)
        try:
            return await (asked(self.operator, name, request) if spread is None else spread(request))
        except Away as away:
            raise Refusal(f"{away} does not answer: try again") from None

    async def _here(self, request: Any) -> Any:
        return await asked(self.operator, type(request).__name__.removesuffix("Request"), request)

    async def _everywhere(self, request: Any) -> list[Any]:
        """Of this node first; an exception in place of an answer."""
        return await self._with(self._others(), request)

    async def _with(self, others: Sequence[Other], request: Any) -> list[Any]:
        """The same, of these others."""
        asking = (self._here(request), *(other.ask(request) for other in others))
        return await asyncio.gather(*asking, return_exceptions=True)

    async def _first(self, request: Any) -> Any:
        """Of the node that does not refuse; the first refusal where all do."""
        return _answers(await self._everywhere(request))[0]

    # -- accounts

    async def _accounts(self, request: pb.AccountListRequest) -> pb.AccountListAnswer:
        """Each node knows all that are active, and those of its own that were removed."""
        try:
            answer: pb.AccountListAnswer = await self._here(request)
        except Refusal:  # it may have been removed elsewhere
            answer = await self._removed(request.address)
            if not answer.accounts:
                raise
            return answer
        if not request.address:
            answer.MergeFrom(await self._removed(""))
        return answer

    async def _removed(self, address: str) -> pb.AccountListAnswer:
        asking = (other.ask(pb.AccountListRequest(address=address, removed=True)) for other in self._others())
        found: list[Any] = [
            account for answer in await asyncio.gather(*asking) for account in answer.accounts
        ]
        return pb.AccountListAnswer(accounts=sorted(found, key=attrgetter("removed")))

    async def _undelete(self, request: pb.AccountUndeleteRequest) -> pb.AddressAnswer:
        """At the node that has the one which was removed last."""
        others = self._others()
        found = await self._with(others, pb.AccountListRequest(address=request.address, removed=True))
        last = [max((each.removed for each in answer.accounts), default=0) for answer in _all(found)]
        at = last.index(max(last))
        asked = self._here(request) if at == 0 else others[at - 1].ask(request)
        answer: pb.AddressAnswer = await asked
        return answer

    async def _restore(self, request: pb.AccountRestoreRequest) -> pb.AccountRestoreAnswer:
        """At the node that has it."""
        answer: pb.AccountRestoreAnswer
        try:
            answer = await self._here(request)
        except Elsewhere as elsewhere:
            other = next((each for each in self._others() if each.name == elsewhere.node), None)
            if other is None:
                raise Away(elsewhere.node) from None
            answer = await other.ask(request)
        return answer

    # -- the queue

    async def _items(self, request: pb.QueueListRequest | pb.QueueChangeRequest) -> pb.QueueListAnswer:
        answers = _answers(await self._everywhere(request))
        items: list[Any] = [item for answer in answers for item in answer.items]
        return pb.QueueListAnswer(items=sorted(items, key=attrgetter("queued")))

    # -- domains

    async def _domains(
        self, request: pb.DomainAddRequest | pb.DomainRemoveRequest | pb.DomainChangeRequest
    ) -> pb.DomainListAnswer:
        """Files are written here; one that is away reads them when it starts."""
        answer: pb.DomainListAnswer = await self._here(request)
        asking = (other.ask(pb.DomainsTakeRequest()) for other in self._others())
        for took in await asyncio.gather(*asking, return_exceptions=True):
            if isinstance(took, BaseException) and not isinstance(took, Away):
                raise took
        return answer

    # -- the nodes

    async def _scrub(self, request: pb.ScrubRequest) -> pb.ScrubAnswer:
        answers = _all(await self._everywhere(request))
        whole = pb.ScrubAnswer(
            running=any(each.running for each in answers),
            started=min(each.started for each in answers),
            finished=max(each.finished for each in answers),
            last_finished=min(each.last_finished for each in answers),
        )
        for each in answers:
            for name in ("accounts", "mails", "octets", "fault_count"):
                setattr(whole, name, getattr(whole, name) + getattr(each, name))
            whole.faults.extend(each.faults)
        return whole

    async def _verify(self, request: pb.VerifyRequest) -> pb.VerifyAnswer:
        """Each compares what it leads; what one that is away leads, another soon does."""
        others = self._others()
        whole = pb.VerifyAnswer()
        for name, answer in zip(
            [self._name, *(other.name for other in others)], await self._with(others, request), strict=True
        ):
            if isinstance(answer, Away):
                whole.not_compared += 1
                whole.failures.append(f"{name} does not answer")
                continue
            if isinstance(answer, BaseException):
                raise answer
            whole.running |= answer.running
            for counted in ("partitions", "rows", "octets", "differences", "mended", "not_compared"):
                setattr(whole, counted, getattr(whole, counted) + getattr(answer, counted))
            whole.told.extend(answer.told)
            whole.failures.extend(answer.failures)
        return whole

    async def _status(self, request: pb.StatusRequest) -> pb.StatusAnswer:
        others = self._others()
        names = [self._name, *(other.name for other in others)]
        nodes = []
        for name, answer in zip(names, await self._with(others, request), strict=True):
            if isinstance(answer, Away):
                answer = pb.StatusAnswer()
            elif isinstance(answer, BaseException):
                raise answer
            answer.node = name
            nodes.append(answer)
        nodes.sort(key=lambda each: each.node)
        return _together(nodes)

    async def _cluster(self, request: pb.ClusterStatusRequest) -> pb.ClusterStatusAnswer:
        """One that does not answer is in it as the map knows it."""
        others = self._others()
        names = [self._name, *(other.name for other in others)]
        found = await self._with(others, pb.ClusterSeenRequest())
        there = zip(names, (None if isinstance(each, Away) else each for each in found), strict=True)
        seen = {name: _all([each])[0] for name, each in there if each is not None}
        return self.operator.clustering.status(seen)

    async def _promote(self, request: pb.ClusterPromoteRequest) -> pb.ClusterPromoteAnswer:
        """Nodes are asked that stand in a registry, whether they have a lease or not."""
        clustering = self.operator.clustering
        return await promote(clustering.joined.source, self._at, clustering.shard.parent, request)

    async def _at(self, name: str, request: Any) -> Any:
        if name == self._name:
            return await self._here(request)
        if self._other is None:
            raise Away(name)
        return await self._other(name).ask(request)

    async def _checkpoints(self, request: pb.CheckpointRequest) -> pb.CheckpointAnswer:
        """One that cannot be made leaves none."""
        found = await self._everywhere(request)
        made = [each for each in found if isinstance(each, pb.CheckpointAnswer)]
        if len(made) < len(found):
            for each in made:
                await self._first(pb.CheckpointDropRequest(path=each.path))
        answer: pb.CheckpointAnswer = _all(found)[0]
        answer.others.extend(made[1:])
        return answer


def _all(found: Iterable[Any]) -> list[Any]:
    """Raises the first exception."""
    answers = []
    for each in found:
        if isinstance(each, BaseException):
            raise each
        answers.append(each)
    return answers


def _answers(found: Sequence[Any]) -> list[Any]:
    """Those that are none of a refusal; raises where all are, and any other exception."""
    for each in found:
        if isinstance(each, BaseException) and not isinstance(each, Refusal):
            raise each
    answers = [each for each in found if not isinstance(each, Refusal)]
    return answers or _all(found)


def _together(nodes: Sequence[pb.StatusAnswer]) -> pb.StatusAnswer:
    running = [each for each in nodes if each.running]
    oldest = [each.queue_oldest for each in nodes if each.queue_oldest]
    of = running or list(nodes)
    whole = pb.StatusAnswer(
        hostname=of[0].hostname,
        version=of[0].version,
        running=bool(running),
        started=min((each.started for each in running), default=0),
        queue_oldest=min(oldest, default=0),
        disk_free_octets=min(each.disk_free_octets for each in of),
        last_scrub=min(each.last_scrub for each in nodes),
        nodes=nodes,
    )
    for each in nodes:
        for name in ("messages_in", "messages_in_rate", "messages_out", "queue_items", "shard_octets"):
            setattr(whole, name, getattr(whole, name) + getattr(each, name))
    services = {one.service: 0 for each in nodes for one in each.sessions}
    for each in nodes:
        for one in each.sessions:
            services[one.service] += one.open
    whole.sessions.extend(
        [pb.StatusAnswer.Sessions(service=service, open=count) for service, count in services.items()]
    )
    return whole
