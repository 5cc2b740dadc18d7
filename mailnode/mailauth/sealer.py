"""What we forward says whose it was when it came: ARC, RFC 8617 §5.1."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mailnode.clock import Clock
from mailnode.mailauth.signer import Key, Octets, read
from protocols.arc.seal import message_signature, names_of, next_instance, results_field, seal
from protocols.dkim.head import Head

Names = Callable[[Head], Sequence[bytes]]


class Sealer:
    """`identity` is our authserv-id, `domain` has the key."""

    def __init__(self, key: Key, domain: str, identity: str, clock: Clock, names: Names = names_of) -> None:
        self._key = key
        self._domain = domain
        self._identity = identity
        self._clock = clock
        self._names = names

    async def fields(self, octets: Octets, validation: str) -> bytes:
        """The set to put before a message that bears our Authentication-Results; it is read once.

        `validation` is the status of its chain, as an ArcResult has it. Empty where nothing may be added.
        """
        found = await read(octets)
        if found is None:
            return b""
        head, body_hash = Head(found[0]), found[1]
        instance = next_instance(head)
        if not instance:
            return b""
        seconds, key = self._clock.now_microseconds() // 1_000_000, self._key
        results = results_field(instance, self._identity, head)
        waiting = message_signature(
            instance=instance,
            algorithm=key.algorithm,
            domain=self._domain,
            selector=key.selector,
            seconds=seconds,
            names=self._names(head),
            body_hash=body_hash,
            head=head,
        )
        message = waiting.signed(key.sign(waiting.header))
        waiting = seal(
            instance=instance,
            algorithm=key.algorithm,
            domain=self._domain,
            selector=key.selector,
            seconds=seconds,
            validation=validation,
            results=results,
            message=message,
            head=head,
        )
        return waiting.signed(key.sign(waiting.header)) + message + results
