"""`mailnode cluster promote`: nodes of a data centre say what they have, and lead what another one led."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from google.protobuf.json_format import MessageToDict

from mailnode.admin.refusal import Away, Refusal
from mailnode.cluster.etcd import EtcdError
from mailnode.cluster.etcd_map import EtcdMap
from mailnode.cluster.etcd_rows import Home
from mailnode.cluster.promoting import Copy, Promoting, best, copies_of
from mailnode.cluster.replica_messages import Position
from mailnode.cluster.replicas import Replicas
from mailnode.cluster.ring import SLOTS
from mailnode.cluster.wishes import Refused
from mailnode.durable import write_whole
from mailnode.pb import admin_pb2 as pb

log = logging.getLogger(__name__)

Ask = Callable[[str, Any], Awaitable[Any]]
"""What a node answers, by its name. Raises Refusal and Away."""

ALIVE_SECONDS_MAX = 5.0
"""Until a node of a data centre that is to be given up says that it is there."""


def copies(core: Replicas, home: int) -> pb.ClusterCopiesAnswer:
    """What this node has of a home."""
    answer = pb.ClusterCopiesAnswer()
    for copy in copies_of(core, home):
        answer.copies.add(
            partition=copy.partition,
            epoch=copy.last.epoch,
            seq=copy.last.seq,
            told=copy.told,
            age=copy.age,
            epochs=[number for first in copy.epochs for number in first],
        )
    return answer


async def promote(
    source: EtcdMap, ask: Ask, folder: Path, request: pb.ClusterPromoteRequest
) -> pb.ClusterPromoteAnswer:
    """Raises Refusal."""
    try:
        return await _Promotion(source, ask, request).done(folder)
    except (Refused, EtcdError) as error:
        raise Refusal(str(error)) from None


class _Promotion:
    def __init__(self, source: EtcdMap, ask: Ask, request: pb.ClusterPromoteRequest) -> None:
        self._source = source
        self._ask = ask
        self._request = request
        self._promoting = Promoting(source)
        self._answer = pb.ClusterPromoteAnswer(dc=request.dc)

    async def done(self, folder: Path) -> pb.ClusterPromoteAnswer:
        """Each step may raise Refused, EtcdError or Refusal."""
        self._check_dc()
        lost = await self._lost()
        wanted, found = self._request.homes, self._promoting.homes(lost)
        homes = {number: home for number, home in found.items() if not wanted or number in wanted}
        if not homes:
            which = f"home {', '.join(map(str, wanted))}" if wanted else "all homes"
            raise Refused(f"{', '.join(sorted(lost)) or 'nobody that is lost'} leads none of it: {which}")
        try:
            for number, home in sorted(homes.items()):
                await self._take(number, home)
        finally:  # of those that came before one that did not
            if self._answer.homes:
                self._answer.file = str(await asyncio.to_thread(_kept, folder, self._answer))
        return self._answer

    def _check_dc(self) -> None:
        own, wanted = self._promoting.dc, self._request.dc
        if wanted != own:
            raise Refused(f"this node is in {own!a}: ask a node of {wanted!a}, which shall lead")
        if self._source.ailment:
            raise Refused(f"the etcd of {own} does not answer: {self._source.ailment}")

    async def _lost(self) -> set[str]:
        """The data centres whose homes come here. Raises Refused where one is alive."""
        source, own = self._source, self._promoting.dc
        others = sorted({home.dc for home in source.latest_homes().values()} - {own})
        is_half_done = bool(self._promoting.homes(()))
        if self._request.lost and self._request.lost not in others and not is_half_done:
            raise Refused(f"{self._request.lost!a} leads no home; {', '.join(others) or 'nobody'} does")
        alive = dict(zip(others, await asyncio.gather(*map(self._alive, others)), strict=True))
        lost = {self._request.lost} if self._request.lost else {dc for dc in others if not alive[dc]}
        living = {dc: by for dc, by in alive.items() if dc in lost and by}
        if living and not self._request.although_alive:
            raise Refused(_alive_said(living))
        self._answer.alive.extend(sorted(living))
        if not lost and not is_half_done:
            raise Refused(_alive_said(alive) if others else f"{own} leads all homes")
        return lost

    async def _alive(self, dc: str) -> str:
        """Who of it answers; empty: nobody."""
        other = self._source.others.get(dc)
        names = sorted(other.nodes) if other is not None else []
        found = await asyncio.gather(*map(self._answers, names))
        said = [name for name, answers in zip(names, found, strict=True) if answers]
        if not said and other is not None and other.revision and not other.ailment:
            return "its etcd"
        return ", ".join(said)

    async def _answers(self, name: str) -> bool:
        try:
            async with asyncio.timeout(ALIVE_SECONDS_MAX):
                await self._ask(name, pb.ClusterSeenRequest())
        except (Away, TimeoutError):
            return False
        except Refusal:
            pass
        return True

    async def _take(self, number: int, home: Home) -> None:
        found = await self._copies(number)
        had = best(found)
        places = range(number * SLOTS, (number + 1) * SLOTS)
        without = [at for at in places if at not in had]
        empty = self._promoting.empty(number, without) if self._request.empty else {}
        if not had and not empty:
            raise Refused(f"nobody in {self._request.dc} has a copy of anything of home {number}")
        taken = await self._promoting.take(number, home)
        was = home.dc if home.dc != taken.dc else self._request.lost
        written = await self._promoting.write(number, was, taken, {**had, **empty})
        log.warning("a home is led here now", extra={"home": number, "was": was, "rows": written})
        self._answer.homes.add(home=number, was=was, generation=taken.generation, written=written)
        for at in places:
            copy = had.get(at)
            _add(self._answer.partitions.add(partition=at), copy or empty.get(at), is_empty=copy is None)

    async def _copies(self, number: int) -> list[Copy]:
        """Of all nodes here; who does not answer is named in the answer."""
        nodes = sorted(self._source.nodes.items())
        request = pb.ClusterCopiesRequest(home=number)
        answers = await asyncio.gather(
            *(self._ask(name, request) for name, _ in nodes), return_exceptions=True
        )
        found = list[Copy]()
        for (name, node), answer in zip(nodes, answers, strict=True):
            if isinstance(answer, Away):
                if name not in self._answer.away:
                    self._answer.away.append(name)
            elif isinstance(answer, BaseException):
                raise answer
            else:
                found += [_copy(each, node.member) for each in answer.copies]
        return found


def _copy(said: pb.ClusterCopiesAnswer.Copy, member: Any) -> Copy:
    age = said.age if said.HasField("age") else None
    epochs = tuple(Position(*pair) for pair in zip(said.epochs[::2], said.epochs[1::2], strict=True))
    return Copy(said.partition, member, Position(said.epoch, said.seq), said.told, age, epochs)


def _add(row: pb.ClusterPromoteAnswer.Partition, copy: Copy | None, *, is_empty: bool) -> None:
    row.empty = is_empty
    if copy is None:
        return
    row.node = copy.member.node
    row.epoch, row.seq, row.told = copy.last.epoch, copy.last.seq, copy.told
    if copy.age is not None:
        row.age = copy.age


def _alive_said(living: Mapping[str, str]) -> str:
    said = "; ".join(f"{dc} is alive: {by} answers" for dc, by in sorted(living.items()) if by)
    return (
        f"{said}. It acknowledges mail until it hears that it leads no more, and what the other has not got "
        "yet by then is not there at first. If that is meant: --lost DC --although-alive"
    )


def _kept(folder: Path, answer: pb.ClusterPromoteAnswer) -> Path:
    generations = "-".join(f"{each.home}.{each.generation}" for each in answer.homes)
    numbers = ("", *(f"-{again}" for again in range(2, 1000)))
    paths = (folder / f"promoted-{generations}{number}.json" for number in numbers)
    path = next(each for each in paths if not each.exists())
    write_whole(path, json.dumps(MessageToDict(answer, preserving_proto_field_name=True), indent=1))
    return path
