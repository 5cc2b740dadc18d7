"""The pump over real sockets: order, back-pressure, ends of all kinds."""

from __future__ import annotations

import asyncio
import logging
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.error import CannotListenError

from mailnode.limits import KiB, Limits
from mailnode.listeners.listener import Peer
from tests.listeners.door import (
    CONTENTS_MAX,
    PIECE,
    RESET,
    SILENCE_SECONDS,
    Caller,
    Door,
    call,
    greeted,
    opened,
    until,
)
from tests.listeners.loop import run

MORE = b"more".ljust(900, b".")


def test_answers_leave_in_order_and_those_of_one_turn_in_one_write() -> None:
    async def test() -> None:
        async with opened(Door()) as door:
            caller = await greeted(door)
            caller.say(b"one", b"two", b"three")
            assert await caller.reader.read(64 * KiB) == b"one\r\ntwo\r\nthree\r\n"

    run(test())


def test_octets_cut_anywhere_are_the_same_lines() -> None:
    async def test() -> None:
        async with opened(Door()) as door:
            caller = await greeted(door)
            for at, octet in enumerate(b"one\r\ntwo\r\n"):
                fed = door.conversations[0].session
                caller.writer.write(bytes([octet]))
                await until(lambda at=at, fed=fed: fed.fed > at)  # type: ignore[misc]
            assert [await caller.hear(), await caller.hear()] == [b"one", b"two"]

    run(test())


def test_a_waiting_row_holds_back_what_follows() -> None:
    async def test() -> None:
        async with opened(Door()) as door:
            caller = await greeted(door)
            caller.say(b"first", b"wait a", b"last")
            assert await caller.hear() == b"first"
            door.gate(b"a").set()
            assert [await caller.hear(), await caller.hear()] == [b"wait a", b"last"]

    run(test())


def test_rows_beside_each_other_end_in_any_order_and_answer_in_theirs() -> None:
    async def test() -> None:
        async with opened(Door()) as door:
            caller = await greeted(door)
            caller.say(b"beside a", b"beside b", b"last")
            await until(lambda: b"b" in door.gates)
            door.gate(b"b").set()
            await until(lambda: len(door.done) == 2)
            assert door.done == [b"last", b"beside b"]
            door.gate(b"a").set()
            assert [await caller.hear() for _ in range(3)] == [b"beside a", b"beside b", b"last"]

    run(test())


def test_what_comes_beyond_the_contents_allowed_waits_within_bounds() -> None:
    async def test() -> None:
        async with opened(Door()) as door:
            caller = await greeted(door)
            caller.say(*[b"beside a"] * (CONTENTS_MAX + 2), *[MORE] * 2000, b"quit")
            await until(lambda: door.conversations and door.conversations[0]._paused)
            held = door.conversations[0]
            assert held.session.fed + held._inlet.octets <= 3 * 64 * KiB  # type: ignore[attr-defined]
            door.gate(b"a").set()
            heard = await caller.rest()
            assert heard.count(b"beside a") == CONTENTS_MAX + 2
            assert heard.count(MORE) == 2000

    run(test())


def test_more_rows_beside_than_a_connection_may_have_wait() -> None:
    async def test() -> None:
        async with opened(Door(Limits(connection_rows_open_max=1))) as door:
            caller = await greeted(door)
            caller.say(b"beside a", b"beside b")
            caller.say(*[MORE] * 2000, b"quit")
            await until(lambda: door.conversations[0]._paused)
            assert b"b" not in door.gates
            door.gate(b"a").set()
            assert await caller.hear() == b"beside a"
            door.gate(b"b").set()
            heard = await caller.rest()
            assert heard.startswith(b"beside b\r\nmore")
            assert heard.count(MORE) == 2000

    run(test())


def test_reading_stops_while_a_row_is_busy() -> None:
    async def test() -> None:
        async with opened(Door()) as door:
            caller = await greeted(door)
            caller.say(b"wait a", *[MORE] * 2000, b"quit")
            await until(lambda: door.conversations[0]._paused)
            held = door.conversations[0]
            assert held.session.fed + held._inlet.octets <= 3 * 64 * KiB  # type: ignore[attr-defined]
            door.gate(b"a").set()
            assert (await caller.rest()).count(MORE) == 2000

    run(test())


def test_a_row_waits_for_a_peer_that_reads_slowly() -> None:
    async def test() -> None:
        async with opened(Door()) as door:
            caller = await greeted(door)
            caller.say(b"big 1000", b"quit")
            await until(lambda: door.conversations[0]._outlet.awaited)
            assert door.pieces < 500
            heard = await caller.rest()
            assert heard == (PIECE + b"\r\n") * 1000 + b"big 1000\r\nquit\r\n"

    run(test())


def test_a_long_answer_lets_others_be_answered_in_between() -> None:
    async def test() -> None:
        limits = replace(Limits(), loop_held_seconds_max=0.0, write_high_water_octets=1000 * len(PIECE))
        async with opened(Door(limits)) as door:
            caller, other = await greeted(door), await greeted(door)
            caller.say(b"big 500")
            await until(lambda: door.pieces)
            assert door.pieces < 500
            assert await other.ask(b"short") == b"short"
            assert door.done == [b"short"]
            caller.leave()

    run(test())


def test_news_come_unasked() -> None:
    async def test() -> None:
        async with opened(Door()) as door:
            caller = await greeted(door)
            assert await caller.ask(b"watch") == b"watch"
            door.gate(b"news").set()
            assert await caller.hear() == b"news"

    run(test())


# -- ends


def test_a_task_of_the_connection_ends_with_it_and_closing_is_told_once() -> None:
    async def test() -> None:
        async with opened(Door()) as door:
            caller = await greeted(door)
            await caller.ask(b"watch")
            caller.leave()
            await until(lambda: door.closed)
        assert (door.cancelled, door.closed) == (1, 1)

    run(test())


def test_a_row_runs_to_its_end_although_the_peer_went_away() -> None:
    async def test() -> None:
        async with opened(Door()) as door:
            caller = await greeted(door)
            caller.say(b"wait a")
            await until(lambda: b"a" in door.gates)
            caller.leave()
            await until(lambda: door.conversations[0]._gone)
            assert not door.closed
            door.gate(b"a").set()
            await until(lambda: door.closed)
            assert door.done == [b"wait a"]

    run(test())


def test_a_long_answer_ends_when_the_peer_went_away() -> None:
    async def test() -> None:
        async with opened(Door()) as door:
            caller = await greeted(door)
            caller.say(b"big 100000")
            await until(lambda: door.conversations[0]._outlet.awaited)
            caller.leave()
            await until(lambda: door.closed)
            assert door.pieces < 500
            assert door.done == []

    run(test())


def test_a_peer_that_says_no_more_hears_its_answers() -> None:
    async def test() -> None:
        async with opened(Door()) as door:
            caller = await greeted(door)
            caller.say(b"one", b"wait a", b"beside b")
            caller.writer.write_eof()
            await until(lambda: b"a" in door.gates)
            door.gate(b"a").set()
            door.gate(b"b").set()
            assert await caller.rest() == b"one\r\nwait a\r\nbeside b\r\n"

    run(test())


@pytest.mark.parametrize("line", [b"fail", b"broken"])
def test_our_own_mistake_is_logged_and_ends_only_its_conversation(
    line: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async def test() -> None:
        async with opened(Door()) as door:
            other, caller = await greeted(door), await greeted(door)
            caller.say(b"one", line, b"never")
            assert await caller.rest() == b"one\r\ngoodbye FAILED\r\n"
            assert await other.ask(b"still here") == b"still here"
            await until(lambda: door.closed)

    with caplog.at_level(logging.ERROR):
        run(test())
    assert [record.exc_info is not None for record in caplog.records] == [True]
    assert "a mistake in" in caplog.text


# -- time


def test_a_silent_peer_hears_goodbye() -> None:
    async def test() -> None:
        async with opened(Door()) as door:
            caller = await greeted(door)
            door.pass_seconds(SILENCE_SECONDS - 1)
            assert await caller.ask(b"one") == b"one"
            door.pass_seconds(SILENCE_SECONDS - 1)
            assert await caller.ask(b"two") == b"two"
            door.pass_seconds(SILENCE_SECONDS + 1)
            assert await caller.rest() == b"goodbye SILENT\r\n"

    run(test())


def test_a_peer_that_says_a_line_octet_by_octet_is_silent_but_not_one_that_says_much() -> None:
    async def test() -> None:
        async with opened(Door()) as door:
            caller = await greeted(door)
            session: Any = door.conversations[0].session
            much = Limits().silence_octets_max
            door.pass_seconds(SILENCE_SECONDS - 20)
            caller.writer.write(b"x" * much)
            await until(lambda: session.fed == much)
            door.pass_seconds(SILENCE_SECONDS - 20)
            assert not door.conversations[0]._closing
            caller.writer.write(b"x")
            await until(lambda: session.fed == much + 1)
            door.pass_seconds(20 + 1)
            assert await caller.rest() == b"goodbye SILENT\r\n"

    run(test())


def test_a_peer_that_waits_for_us_is_not_silent() -> None:
    async def test() -> None:
        async with opened(Door()) as door:
            caller = await greeted(door)
            caller.say(b"wait a")
            await until(lambda: b"a" in door.gates)
            door.pass_seconds(10 * SILENCE_SECONDS)
            door.gate(b"a").set()
            assert await caller.hear() == b"wait a"
            door.pass_seconds(SILENCE_SECONDS + 1)
            assert await caller.rest() == b"goodbye SILENT\r\n"

    run(test())


@pytest.mark.parametrize("seconds", [5, 10 * SILENCE_SECONDS])
def test_patience_is_what_a_row_says(seconds: int) -> None:
    async def test() -> None:
        async with opened(Door()) as door:
            caller = await greeted(door)
            line = b"patience %d" % seconds
            assert await caller.ask(line) == line
            door.pass_seconds(seconds - 1)
            assert not door.conversations[0]._closing
            door.pass_seconds(2)
            assert await caller.rest() == b"goodbye SILENT\r\n"

    run(test())


def test_a_peer_that_reads_nothing_is_cut_off() -> None:
    async def test() -> None:
        async with opened(Door()) as door:
            caller = await greeted(door)
            caller.say(b"big 100000")
            await until(lambda: door.conversations[0]._outlet.awaited)
            door.pass_seconds(3 * SILENCE_SECONDS)
            await until(lambda: door.closed)
            assert door.done == []

    run(test())


def test_a_peer_that_reads_nothing_is_cut_off_although_there_are_news_for_it() -> None:
    async def test() -> None:
        async with opened(Door()) as door:
            caller = await greeted(door)
            caller.say(b"big 100000")
            conversation = door.conversations[0]
            await until(lambda: conversation._outlet.awaited)
            for _ in range(6):
                door.pass_seconds(SILENCE_SECONDS // 2)
                conversation.send(None, b"news")
            await until(lambda: door.closed)

    run(test())


def test_a_peer_that_reads_on_is_waited_for() -> None:
    async def test() -> None:
        async with opened(Door()) as door:
            caller = await greeted(door)
            caller.say(b"big 500", b"quit")
            heard = 0
            while heard < 490 * len(PIECE):
                await until(lambda: door.conversations[0]._outlet.awaited)
                door.pass_seconds(SILENCE_SECONDS - 1)
                heard += len(await caller.reader.readexactly(10 * len(PIECE)))
            assert (await caller.rest()).endswith(b"quit\r\n")

    run(test())


def test_the_last_octets_are_waited_for_only_so_long() -> None:
    async def test() -> None:
        async with opened(Door()) as door:
            caller = await greeted(door)
            caller.say(b"big 20", b"quit")
            await until(lambda: door.conversations[0]._closing or door.conversations[0]._outlet.awaited)
            await until(lambda: door.pieces == 20 or door.conversations[0]._outlet.awaited)
            door.pass_seconds(SILENCE_SECONDS + Limits().connection_linger_seconds_max + 2)
            await until(lambda: door.closed)

    run(test())


# -- limits and stopping


def test_connections_are_refused_beyond_the_limit_and_taken_again_below() -> None:
    async def test() -> None:
        async with opened(Door(Limits(connections_per_address_max=2))) as door:
            first, _second = await greeted(door), await greeted(door)
            assert await (await call(door)).rest() == b"too many\r\n"
            await first.ask(b"quit")
            await until(lambda: door.admission.total == 1)
            await greeted(door)

    run(test())


def test_stopping_says_goodbye_and_finishes_what_is_under_way() -> None:
    async def test() -> None:
        async with opened(Door()) as door:
            idle, busy = await greeted(door), await greeted(door)
            busy.say(b"wait a", b"never")
            await until(lambda: b"a" in door.gates)
            for conversation in door.conversations:
                conversation.stop()
            assert await idle.rest() == b"goodbye STOPPING\r\n"
            door.gate(b"a").set()
            assert await busy.rest() == b"wait a\r\ngoodbye STOPPING\r\n"
        assert (door.closed, door.admission.total, len(door.listening)) == (2, 0, 0)

    run(test())


def test_stopping_is_bounded() -> None:
    async def test() -> None:
        limits = replace(Limits(), stop_seconds_max=0, connection_linger_seconds_max=0)
        async with opened(Door(limits)) as door:
            caller = await greeted(door)
            caller.say(b"wait a")
            await until(lambda: b"a" in door.gates)
            await door.listening.stop()
            assert await caller.rest() == b""
            door.gate(b"a").set()
            await until(lambda: door.closed)

    run(test())


def test_a_unix_socket_is_served_and_the_one_of_a_killed_process_replaced(tmp_path: Path) -> None:
    async def test() -> None:
        path = tmp_path / "door.sock"
        left_behind = socket.socket(socket.AF_UNIX)
        left_behind.bind(str(path))
        left_behind.close()
        door = Door()
        door.listening.open_unix(path)
        assert path.stat().st_mode & 0o777 == 0o660
        caller = Caller(*await asyncio.open_unix_connection(str(path)))
        assert await caller.hear() == b"hello"
        assert await caller.ask(b"one") == b"one"
        assert [conversation.peer for conversation in door.conversations] == [Peer("", 0)]
        await door.listening.stop()
        assert await caller.rest() == b"goodbye STOPPING\r\n"
        assert not path.exists()

    run(test())


def test_a_unix_socket_that_somebody_has_and_a_file_are_left_alone(tmp_path: Path) -> None:
    async def test() -> None:
        taken, file = tmp_path / "taken.sock", tmp_path / "file"
        file.write_text("precious")
        door = Door()
        door.listening.open_unix(taken)
        for path in (taken, file):
            with pytest.raises(CannotListenError):
                Door().listening.open_unix(path)
        caller = Caller(*await asyncio.open_unix_connection(str(taken)))
        assert await caller.hear() == b"hello"
        assert file.read_text() == "precious"
        await door.listening.stop()

    run(test())


async def _say_and_reset(door: Door, said: bytes) -> None:
    """Both are there before the listener looks."""
    loop = asyncio.get_running_loop()
    with socket.socket() as peer:
        peer.setblocking(False)
        await loop.sock_connect(peer, ("127.0.0.1", door.port))
        assert await loop.sock_recv(peer, 1000) == b"hello\r\n"
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        peer.send(said)


@pytest.mark.parametrize("said", [b"one\r\n", b"half a l", b"wait a\r\n", MORE * 200, b"big 100\r\n"])
def test_a_connection_reset_together_with_its_last_octets_ends(said: bytes) -> None:
    """uvloop runs its reader once then, and that read finds octets and no error."""

    async def test() -> None:
        async with opened(Door()) as door:
            for _ in range(5):
                await _say_and_reset(door, said)
                door.gate(b"a").set()
                await until(lambda: not len(door.listening))
            assert door.closed == 5

    run(test())
