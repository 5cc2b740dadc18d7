"""DNS over real sockets."""

import asyncio
import socket

import pytest

from mailnode.mailauth.resolver import Answer, Unavailable
from mailnode.mailauth.servers import asking
from tests.wire.nameserver import HOST, TTL_SECONDS, Nameserver

MANY = [f"10 mx{number}.example.test." for number in range(60)]
NAMES = {
    "example.test": {"MX": ["5 mx.example.test."]},
    "many.test": {"MX": MANY},
}


def asked(port: int, *names: str, seconds_max: float = 10.0) -> list[Answer]:
    async def work() -> list[Answer]:
        ask = asking([(HOST, port)], seconds_max)
        return [await ask(name, "MX") for name in names]

    return asyncio.run(work())


def test_a_server_is_asked_by_udp_and_by_tcp_when_the_answer_is_cut() -> None:
    with Nameserver(NAMES) as server:
        one, many = asked(server.port, "example.test", "many.test")
    assert ([str(record) for record in one.records], one.seconds) == (["5 mx.example.test."], TTL_SECONDS)
    assert sorted(str(record) for record in many.records) == sorted(MANY)


def test_no_such_name_no_such_record_and_no_name_at_all_are_answers() -> None:
    with Nameserver({"example.test": {}}) as server:
        answers = asked(server.port, "example.test", "none.test", "a" * 64 + ".test", "a..test")
    assert [answer.exists for answer in answers] == [True, False, False, False]
    assert all(answer.records == () for answer in answers)
    assert answers[1].seconds > 0


def test_a_server_that_does_not_answer_is_not_taken_for_no() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind((HOST, 0))
        with pytest.raises(Unavailable, match=r"MX of example\.test"):
            asked(silent.getsockname()[1], "example.test", seconds_max=0.2)
