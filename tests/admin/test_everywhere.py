"""What is asked of one node and answered by all."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mailnode.admin.everywhere import Everywhere
from mailnode.admin.refusal import Away, Refusal
from mailnode.admin.restoring import Elsewhere
from mailnode.pb import admin_pb2 as pb

LISTED = pb.AccountListAnswer
ACCOUNT = pb.AccountListAnswer.Account
ITEM = pb.QueueListAnswer.Item


class Told:
    """A node that answers what it is told to, by the request's name; and as the node that is asked."""

    def __init__(self, name: str, **answers: Any) -> None:
        self.name = name
        self.answers = answers
        self.asked: list[Any] = []

    async def ask(self, request: Any) -> Any:
        self.asked.append(request)
        answer = self.answers[type(request).__name__.removesuffix("Request")]
        if isinstance(answer, Exception):
            raise answer
        return answer(request) if callable(answer) else answer

    def __getattr__(self, name: str) -> Any:
        return self.ask


def asked(request: Any, *nodes: Told) -> Any:
    operator: Any = nodes[0]
    everywhere = Everywhere(nodes[0].name, operator, lambda: nodes[1:])
    return asyncio.run(everywhere.asked(type(request).__name__.removesuffix("Request"), request))


def test_accounts_are_all_that_are_active_and_each_nodes_removed_ones() -> None:
    here = Told("node0", AccountList=LISTED(accounts=[ACCOUNT(address="a"), ACCOUNT(address="b", removed=1)]))
    other = Told("node1", AccountList=LISTED(accounts=[ACCOUNT(address="c", removed=2)]))
    answer = asked(pb.AccountListRequest(), here, other)
    assert [each.address for each in answer.accounts] == ["a", "b", "c"]
    assert other.asked == [pb.AccountListRequest(removed=True)]


def test_what_was_removed_elsewhere_is_found_there() -> None:
    here = Told("node0", AccountList=Refusal("no account"))
    other = Told("node1", AccountList=LISTED(accounts=[ACCOUNT(address="c", removed=2)]))
    assert len(asked(pb.AccountListRequest(address="c"), here, other).accounts) == 1
    none = Told("node1", AccountList=LISTED())
    with pytest.raises(Refusal, match="no account"):
        asked(pb.AccountListRequest(address="c"), here, none)


@pytest.mark.parametrize(("times", "at"), (((5, 9), 1), ((9, 5), 0), ((0, 3), 1), ((0, 0), 0)))
def test_of_two_that_were_removed_the_last_comes_back(times: tuple[int, int], at: int) -> None:
    nodes = [
        Told(
            f"node{node}",
            AccountList=LISTED(accounts=[ACCOUNT(removed=time)] if time else []),
            AccountUndelete=pb.AddressAnswer(address=f"at {node}"),
        )
        for node, time in enumerate(times)
    ]
    assert asked(pb.AccountUndeleteRequest(address="a"), *nodes).address == f"at {at}"


def test_the_queue_is_that_of_all_by_time() -> None:
    here = Told(
        "node0", QueueList=pb.QueueListAnswer(items=[ITEM(item="1", queued=3), ITEM(item="2", queued=7)])
    )
    other = Told("node1", QueueList=pb.QueueListAnswer(items=[ITEM(item="3", queued=5)]))
    assert [each.item for each in asked(pb.QueueListRequest(), here, other).items] == ["1", "3", "2"]


def test_an_item_is_changed_where_it_is_and_refused_where_it_is_nowhere() -> None:
    here = Told("node0", QueueChange=Refusal("does not wait"))
    other = Told("node1", QueueChange=pb.QueueListAnswer(items=[ITEM(item="3")]))
    assert len(asked(pb.QueueChangeRequest(item="3"), here, other).items) == 1
    with pytest.raises(Refusal, match="does not wait"):
        asked(pb.QueueChangeRequest(item="3"), here, here)


def test_a_node_that_does_not_answer_makes_a_list_a_refusal_and_is_shown_by_status() -> None:
    one = pb.StatusAnswer(
        running=True, messages_in=3, sessions=[pb.StatusAnswer.Sessions(service="imap", open=2)]
    )
    here = Told("node0", QueueList=pb.QueueListAnswer(), Status=one)
    gone = Told("node1", QueueList=Away("node1"), Status=Away("node1"))
    with pytest.raises(Refusal, match="node1 does not answer"):
        asked(pb.QueueListRequest(), here, gone)
    answer = asked(pb.StatusRequest(), here, gone)
    assert [(each.node, each.running) for each in answer.nodes] == [("node0", True), ("node1", False)]
    assert (answer.running, answer.messages_in, answer.sessions[0].open) == (True, 3, 2)


def test_status_is_the_sum() -> None:
    ones = [
        Told(
            f"node{node}",
            Status=pb.StatusAnswer(
                running=True,
                started=10 + node,
                messages_in=3,
                queue_items=node,
                queue_oldest=node and 4,
                disk_free_octets=9 - node,
                last_scrub=node,
                sessions=[pb.StatusAnswer.Sessions(service="imap", open=2)],
            ),
        )
        for node in (0, 1, 2)
    ]
    answer = asked(pb.StatusRequest(), *ones)
    assert (answer.started, answer.messages_in, answer.queue_items, answer.queue_oldest) == (10, 9, 3, 4)
    assert (answer.disk_free_octets, answer.last_scrub, answer.sessions[0].open) == (7, 0, 6)


def test_domains_are_written_once_and_taken_by_all() -> None:
    here = Told("node0", DomainAdd=pb.DomainListAnswer())
    other = Told("node1", DomainsTake=pb.DomainsTakeAnswer())
    asked(pb.DomainAddRequest(domain="d"), here, other, Told("node2", DomainsTake=Away("node2")))
    assert other.asked == [pb.DomainsTakeRequest()]


def test_an_account_is_restored_by_the_node_that_has_it() -> None:
    here = Told("node0", AccountRestore=Elsewhere("node2"))
    other, right = Told("node1"), Told("node2", AccountRestore=pb.AccountRestoreAnswer(messages=4))
    assert asked(pb.AccountRestoreRequest(), here, other, right).messages == 4


def test_of_checkpoints_all_are_made_or_none_is_left() -> None:
    here = Told("node0", Checkpoint=pb.CheckpointAnswer(path="a"), CheckpointDrop=pb.CheckpointDropAnswer())
    other = Told("node1", Checkpoint=pb.CheckpointAnswer(path="b"))
    answer = asked(pb.CheckpointRequest(), here, other)
    assert [answer.path, *(each.path for each in answer.others)] == ["a", "b"]
    full = Told("node1", Checkpoint=Refusal("disk full"), CheckpointDrop=Refusal("no checkpoint"))
    with pytest.raises(Refusal, match="disk full"):
        asked(pb.CheckpointRequest(), here, full)
    assert here.asked[-1] == pb.CheckpointDropRequest(path="a")


def test_a_scrub_runs_until_the_last_one_ended() -> None:
    here = Told("node0", Scrub=pb.ScrubAnswer(mails=2, started=5, finished=7, fault_count=1, last_finished=7))
    other = Told("node1", Scrub=pb.ScrubAnswer(running=True, mails=3, started=4, last_finished=1))
    answer = asked(pb.ScrubRequest(), here, other)
    assert (answer.running, answer.mails, answer.started, answer.fault_count) == (True, 5, 4, 1)
    assert answer.last_finished == 1
