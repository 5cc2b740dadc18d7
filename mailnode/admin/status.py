"""How the node is at this moment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from mailnode.mailbox.accounts import Accounts
from mailnode.mailbox.scrub import Scrub
from mailnode.metrics import Metrics
from mailnode.pb import admin_pb2 as pb
from mailnode.pulse import Pulse
from mailnode.relay.waiting import oldest_microseconds
from mailnode.store.keys import Due
from mailnode.store.space import free_and_whole


@dataclass(frozen=True, slots=True)
class Status:
    """`sessions`: those that are open, by service; None while nobody is served. Times in microseconds."""

    hostname: str
    shard: Path
    accounts: Accounts
    metrics: Metrics
    pulse: Pulse
    scrub: Scrub
    started: int
    sessions: Callable[[], Mapping[str, int]] | None

    def answer(self) -> pb.StatusAnswer:
        free, _ = free_and_whole(self.shard)
        answer = pb.StatusAnswer(
            hostname=self.hostname,
            version=version("mailnode"),
            queue_items=len(self.accounts.dues.all(Due.QUEUE)),
            queue_oldest=oldest_microseconds(self.accounts.dues),
            shard_octets=sum(path.stat().st_size for path in self.shard.glob("*")),
            disk_free_octets=free,
            last_scrub=self.scrub.last.finished,
        )
        if self.sessions is not None:
            self._add_work(answer, self.sessions())
        return answer

    def _add_work(self, answer: pb.StatusAnswer, sessions: Mapping[str, int]) -> None:
        answer.running = True
        answer.started = self.started
        for service, count in sessions.items():
            answer.sessions.add(service=service, open=count)
        answer.messages_in = self.metrics.messages.total
        answer.messages_in_rate = self.pulse.messages_rate
        answer.messages_out = self.metrics.relayed.counts.get(("sent",), 0)
