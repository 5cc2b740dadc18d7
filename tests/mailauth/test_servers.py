"""DNS over real sockets."""

import asyncio
import socket

import dns.flags
import dns.message
import dns.rrset
import pytest

from mailnode.mailauth.resolver import Answer, Unavailable
from mailnode.mailauth.servers import EDNS_OCTETS, asking
from tests.wire.nameserver import HOST, TTL_SECONDS, Nameserver

MANY = [f"10 mx{number}.example.test." for number in range(60)]
NAMES = {
    "example.test": {"MX": ["5 mx.example.test."]},
    "many.test": {"MX": MANY},
    "alias.test": {"CNAME": ["other.test."]},
    "other.test": {"CNAME": ["example.test."]},
    "loop.test": {"CNAME": ["back.test."]},
    "back.test": {"CNAME": ["loop.test."]},
    "self.test": {"CNAME": ["self.test."]},
    "huge.test": {"TXT": [f'"{number:0250}"' for number in range(200)]},
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


def test_aliases_are_followed_and_their_loops_are_no_answer() -> None:
    with Nameserver(NAMES) as server:
        (followed,) = asked(server.port, "alias.test")
        assert [str(record) for record in followed.records] == ["5 mx.example.test."]
        for name in ("loop.test", "self.test"):
            with pytest.raises(Unavailable):
                asked(server.port, name)


def test_an_answer_of_fifty_kilobytes_comes_whole() -> None:
    async def work(port: int) -> Answer:
        return await asking([(HOST, port)], 10.0)("huge.test", "TXT")

    with Nameserver(NAMES) as server:
        assert len(asyncio.run(work(server.port)).records) == 200


class Validating(Nameserver):
    """It vouches for DNSSEC, and says how long there is nothing: RFC 2308 §3."""

    soa = "ns.test. hostmaster.test. 1 3600 600 86400 120"

    def _answer(self, octets: bytes) -> dns.message.Message:
        self.query = dns.message.from_wire(octets)
        answer = super()._answer(octets)
        if self.query.flags & dns.flags.AD:  # RFC 6840 §5.7: only for who asks for it
            answer.flags |= dns.flags.AD
        if not answer.answer and self.soa:
            answer.authority.append(dns.rrset.from_text("test.", 600, "IN", "SOA", self.soa))
        return answer


def test_a_question_says_how_much_may_come_by_udp_and_asks_for_dnssec() -> None:
    with Validating(NAMES) as server:
        (found,) = asked(server.port, "example.test")
        query = server.query
    assert (query.edns, query.payload) == (0, EDNS_OCTETS)
    assert query.flags & dns.flags.RD and query.flags & dns.flags.AD
    assert found.authenticated


def test_what_no_server_vouches_for_is_not_authenticated() -> None:
    with Nameserver(NAMES) as server:
        found = asked(server.port, "example.test", "none.test")
    assert not any(each.authenticated for each in found)


def test_that_there_is_nothing_holds_for_as_long_as_the_zone_says() -> None:
    """RFC 2308 §5: the least of the SOA's TTL and its last number. Without an SOA five minutes spare the next
    messages the same question."""
    with Validating({"example.test": {}}) as server:
        no_type, no_name = asked(server.port, "example.test", "none.test")
        server.soa = ""
        unsaid = asked(server.port, "example.test", "none.test")
    assert (no_type.exists, no_type.seconds) == (True, 120) and no_type.authenticated
    assert (no_name.exists, no_name.seconds) == (False, 120) and no_name.authenticated
    assert [each.seconds for each in unsaid] == [300, 300]


def test_the_next_server_is_asked_when_one_does_not_answer() -> None:
    async def work(silent: int, port: int) -> Answer:
        return await asking([(HOST, silent), (HOST, port)], 10.0)("example.test", "MX")

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent, Nameserver(NAMES) as server:
        silent.bind((HOST, 0))
        found = asyncio.run(work(silent.getsockname()[1], server.port))
    assert [str(record) for record in found.records] == ["5 mx.example.test."]
