"""What reading a message costs on the way in: `digest` over the corpus, in microseconds of CPU a message.

    python -m interop.bench.mime_cost [--profile]

The corpus is ../shared/corpus beside the project; its LF line ends become CRLF first.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import pstats
import time
from statistics import median

from protocols.mime import digest
from tests.protocols.mime.real_mail import real_messages

ROUNDS = 5  # the best of them counts: the machine is shared

SIMPLE = (
    b"Return-Path: <alice@example.org>\r\n"
    b"Received: from mail.example.org (mail.example.org [192.0.2.1])\r\n"
    b"\tby mx.example.net with ESMTPS id 4XyZ; Mon, 3 Mar 2025 10:00:01 +0100\r\n"
    b"Date: Mon, 3 Mar 2025 10:00:00 +0100\r\n"
    b"From: Alice Example <alice@example.org>\r\n"
    b"To: Bob Example <bob@example.net>, carol@example.net\r\n"
    b"Subject: Re: [project] the plan for next week\r\n"
    b"Message-ID: <20250303100000.1234@example.org>\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\n"
    b"\r\n" + b"The quick brown fox jumps over the lazy dog, again and again.\r\n" * 25
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profile", action="store_true", help="print where the time goes")
    messages = [message.octets for message in real_messages()]
    if parser.parse_args().profile:
        _profile(messages)
        return
    costs = sorted(cost(message) for message in messages)
    whole = sum(costs)
    print(f"simple text/plain of {len(SIMPLE)} octets: {cost(SIMPLE, 2000):.0f} µs")
    print(f"{len(costs)} messages, {sum(map(len, messages)) / 1e6:.0f} MB")
    print(
        f"median {median(costs):.0f} µs, p95 {costs[len(costs) * 95 // 100]:.0f} µs, worst {costs[-1]:.0f} µs"
    )
    print(f"mean {whole / len(costs):.0f} µs, {sum(map(len, messages)) / whole:.0f} MB/s")


def cost(message: bytes, rounds: int = ROUNDS) -> float:
    """Microseconds of the fastest round."""
    gc.disable()
    best = float("inf")
    for _ in range(rounds):
        start = time.perf_counter_ns()
        digest(message)
        best = min(best, time.perf_counter_ns() - start)
    gc.enable()
    return best / 1000


def _profile(messages: list[bytes]) -> None:
    profiler = cProfile.Profile()
    profiler.enable()
    for message in messages:
        digest(message)
    profiler.disable()
    pstats.Stats(profiler).sort_stats("tottime").print_stats(25)


if __name__ == "__main__":
    main()
