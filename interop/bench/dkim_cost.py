"""What it costs to sign a message and to verify it again, in microseconds of CPU of the loop's thread.

    python -m interop.bench.dkim_cost

Keys are kept, as those of the DNS are. Targets of a message of 20 KB with one RSA signature: 600 to sign, 500
to verify.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from statistics import median

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mailnode.clock import SystemClock
from mailnode.limits import Limits
from mailnode.mailauth.dkim import Verifier
from mailnode.mailauth.key import BITS, record
from mailnode.mailauth.resolver import Resolver
from mailnode.mailauth.signer import Key, Signer
from tests.mailauth.verifying import quoted
from tests.mailauth.zone import Zone

DOMAIN = "here.test"
ROUNDS = 300
SIZES = {"2 KB": 2_000, "20 KB": 20_000, "200 KB": 200_000}
HEAD = (
    b"From: Alice Example <alice@here.test>\r\nTo: Bob Example <bob@there.test>\r\nSubject: the plan\r\n"
    b"Date: Mon, 5 Jan 2026 10:00:00 +0000\r\nMessage-ID: <20260105100000.1234@here.test>\r\n"
    b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
)
LINE = b"The quick brown fox jumps over the lazy dog, again and again.\r\n"


def main() -> None:
    private, ed25519 = rsa.generate_private_key(65537, BITS), Ed25519PrivateKey.generate()
    both = [Key("s1", private), Key("e1", ed25519)]
    kinds = {"RSA": both[:1], "Ed25519": both[1:], "both": both}
    names = {f"{key.selector}._domainkey.{DOMAIN}": {"TXT": [quoted(record(key.private))]} for key in both}
    print(f"{'':<16}{'sign':>8}{'verify':>8}  µs, median of {ROUNDS}")
    for kind, keys in kinds.items():
        for size, octets in SIZES.items():
            message = HEAD + LINE * (octets // len(LINE))
            sign, verify = asyncio.run(_measured(message, keys, names))
            print(f"{kind + ', ' + size:<16}{sign:>8.0f}{verify:>8.0f}")


async def _measured(
    message: bytes, keys: Sequence[Key], names: Mapping[str, Mapping[str, Sequence[str]]]
) -> tuple[float, float]:
    clock, limits = SystemClock(), Limits()
    signer = Signer({DOMAIN: keys}, clock)
    verifier = Verifier(Resolver(Zone(names), clock, limits), clock, limits)
    signed = await signer.field(lambda: _octets(message)) + message
    results = await verifier.verify(lambda: _octets(signed))
    assert [each.result for each in results] == ["pass"] * len(keys)
    sign = await _median(lambda: signer.field(lambda: _octets(message)))
    return sign, await _median(lambda: verifier.verify(lambda: _octets(signed)))


async def _octets(message: bytes) -> AsyncIterator[bytes]:
    yield message


async def _median(work: Callable[[], Awaitable[object]]) -> float:
    costs = []
    for _ in range(ROUNDS):
        start = time.thread_time_ns()
        await work()
        costs.append((time.thread_time_ns() - start) / 1000)
    return median(costs)


if __name__ == "__main__":
    main()
