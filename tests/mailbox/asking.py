"""Draws what callers ask of an account: what makes sense, and a part of what does not."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, Protocol

from mailnode.mailbox.rows import SYSTEM_FLAGS
from mailnode.pb.change_pb2 import Intent, Store
from mailnode.store.keys import Kind
from tests.mailbox import asks

KEYWORDS = [f"K{number}" for number in range(90)]
"""More than there are bits."""
NAMES = (
    "Sent",
    "Trash",
    "Work",
    "Work/Old",
    "Work/Old/Older",
    "inbox/Sub",
    "Play",
    "Play/Work",
    "a/b/c",
    "Inbox",
)


class Known(Protocol):
    position: int
    tags: list[bytes]


class Asking:
    def __init__(self, dice: Random, known: Known, expunged: Callable[[], list[bytes]]) -> None:
        """`expunged`: what can be brought back at this moment."""
        self._dice = dice
        self._known = known
        self._expunged = expunged
        self._made = False

    def draw(self, number: int) -> Intent:
        """The intent number `number` of all."""
        if not self._made or self._dice.random() < 0.02:
            self._made = True
            return self._intent(number, asks.create("Sent", "Trash"))
        if self._dice.random() < 0.04:
            comes_or_goes = (asks.remove_account, *[asks.undelete_account] * 3)
            return self._intent(number, self._dice.choice(comes_or_goes)())
        draws = (
            [self._add] * 8
            + [self._store] * 8
            + [self._copy] * 5
            + [self._expunge] * 3
            + [self._create_mailbox] * 2
            + [self._undelete, self._collect] * 2
            + [self._delete_mailbox, self._rename_mailbox, self._subscribe, self._put_row]
        )
        return self._intent(number, self._dice.choice(draws)(number))

    def _intent(self, number: int, ask: Any) -> Intent:
        return asks.intent(ask, number.to_bytes(16, "big"))

    def _add(self, number: int) -> Any:
        return asks.add(*(self._message(number, part) for part in range(self._dice.choice((1, 1, 1, 2, 4)))))

    def _message(self, number: int, part: int) -> Any:
        dice, tag = self._dice, b"<%d.%d@x>" % (number, part)
        tags = self._known.tags
        references = [
            dice.choice((tag, b"<elsewhere@x>", *tags[-6:])) for _ in range(dice.choice((0, 0, 1, 3)))
        ]
        tags.append(tag)
        return asks.message(
            dice.choice((1, 1, self._mailbox(), "inbox", dice.choice(NAMES), "Nowhere")),
            flags=dice.getrandbits(64) & dice.choice((0, SYSTEM_FLAGS, 2**64 - 1)),
            keywords=self._keywords(),
            message_id=tag,
            references=references,
            body=bytes(dice.choice((0, 10, 90, 200))),
            inbox_stands_in=dice.random() < 0.7,
        )

    def _keywords(self) -> list[str]:
        count = self._dice.choice((0, 0, 0, 1, 2, 30))
        return [
            self._dice.choice((str.lower, str.upper))(name) for name in self._dice.choices(KEYWORDS, k=count)
        ]

    def _store(self, number: int) -> Any:
        dice = self._dice
        since = dice.choice((None, None, dice.randint(0, self._known.position + 5)))
        return asks.store(
            self._mailbox(),
            self._uids(),
            dice.choice((Store.REPLACE, Store.ADD, Store.REMOVE)),
            dice.choice((8, 4, 2, 12, 0, dice.getrandbits(64))),
            self._keywords(),
            since,
        )

    def _copy(self, number: int) -> Any:
        how = self._dice.choice((asks.copy, asks.move))
        return how(self._mailbox(), self._uids(), self._mailbox())

    def _expunge(self, number: int) -> Any:
        return asks.expunge(self._mailbox(), self._uids(), self._dice.random() < 0.3)

    def _undelete(self, number: int) -> Any:
        return asks.undelete(self._some_expunged())

    def _collect(self, number: int) -> Any:
        return asks.collect(self._some_expunged())

    def _some_expunged(self) -> list[bytes]:
        """Often the first ones; now and then what was taken long ago, or was never there."""
        found = self._expunged()
        count = self._dice.randint(0, len(found))
        made_up = [bytes(20)] if self._dice.random() < 0.1 else []
        return self._dice.choice((found[:count], self._dice.sample(found, count))) + made_up

    def _create_mailbox(self, number: int) -> Any:
        return asks.create_mailbox(self._dice.choice(NAMES), self._dice.choice(("", "", "\\Sent")))

    def _delete_mailbox(self, number: int) -> Any:
        return asks.delete_mailbox(self._mailbox())

    def _rename_mailbox(self, number: int) -> Any:
        return asks.rename_mailbox(self._mailbox(), self._dice.choice((*NAMES, f"New{number}", "Work/x/y")))

    def _subscribe(self, number: int) -> Any:
        return asks.subscribe(self._dice.choice(NAMES), self._dice.random() < 0.5)

    def _put_row(self, number: int) -> Any:
        dice = self._dice
        value = dice.choice((b"", b"%d" % number))
        return asks.put_row(Kind.CREDENTIAL, dice.choice((b"a", b"b")), value, dice.random() < 0.5)

    def _mailbox(self) -> int:
        return self._dice.choice((1, 1, 1, 2, 3, self._dice.randint(1, 12)))

    def _uids(self) -> list[tuple[int, int]]:
        dice = self._dice
        first = dice.randint(1, 15)
        narrow = [(first, first + dice.randint(0, 2))]
        return dice.choice((narrow, narrow, [(1, 2**32 - 1)], [(9, 12), (first, first + 5), (3, 2)]))
