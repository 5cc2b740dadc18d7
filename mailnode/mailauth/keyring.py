"""The keys of a domain through their lives, in the file DIR/dkim/DOMAIN.json beside the private keys.

A key waits until the DNS shows it, signs, retires when a newer one of its kind signs (its record stays, for
mail that is under way), and is revoked: its record says so with an empty `p=`, and the private key is gone. A
domain without that file has the one key that its `dkim` names. The command line and the node both write: each
under the file's lock, and whole.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path

from mailnode.config import Config, ConfigError, Domain
from mailnode.mailauth import key
from mailnode.mailauth.signer import Key

REVOKED = "v=DKIM1; p="  # RFC 6376 §3.6.1
DAY_SECONDS = 86_400
RETIRED_SECONDS = 14 * DAY_SECONDS
"""Mail waits five days in queues (RFC 5321 §4.5.4.1), and a reader may verify later still."""


class State(StrEnum):
    WAITING = "waiting"
    SIGNING = "signing"
    RETIRED = "retired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Held:
    """A key; `since` is when it came into its state, in seconds since 1970."""

    selector: str
    kind: str  # of key.KINDS
    state: State
    since: int


class Keyring:
    """Of one domain. Each verb raises ConfigError or OSError."""

    def __init__(self, config: Config, domain: Domain) -> None:
        self._folder = config.directory / "dkim"
        self._domain = domain
        self._file = self._folder / f"{domain.name}.json"

    def all(self) -> list[Held]:
        """In the order in which they were made."""
        try:
            rows = json.loads(self._file.read_text())
            return [Held(row["selector"], row["kind"], State(row["state"]), row["since"]) for row in rows]
        except FileNotFoundError:
            selector = self._domain.dkim
            return [Held(selector, "rsa", State.SIGNING, self._made(selector))] if selector else []
        except (ValueError, KeyError, TypeError) as error:
            raise ConfigError(f"{self._file}: is no list of keys: {error}") from None

    def signing(self) -> tuple[Key, ...]:
        return tuple(
            Key(held.selector, key.read(self._path(held.selector)))
            for held in self.all()
            if held.state is State.SIGNING
        )

    def record(self, held: Held) -> str:
        """The text of its TXT record."""
        return REVOKED if held.state is State.REVOKED else key.record(key.read(self._path(held.selector)))

    def records(self) -> list[tuple[str, str]]:
        """Selectors and texts of all records that the domain's zone shall have."""
        return [(held.selector, self.record(held)) for held in self.all()]

    def generate(self, kind: str, now: int) -> Held:
        """A key that waits for its record."""
        with self._changing() as keys:
            number = len(keys) + 1
            while any(held.selector == f"m{number}" for held in keys) or self._path(f"m{number}").exists():
                number += 1
            made = Held(f"m{number}", kind, State.WAITING, now)
            key.write_new(self._path(made.selector), kind)
            keys.append(made)
        return made

    def revoke(self, selector: str, now: int) -> Held | None:
        """None: there is no such key. Its private part goes."""
        with self._changing() as keys:
            for at, held in enumerate(keys):
                if held.selector == selector:
                    keys[at] = replace(held, state=State.REVOKED, since=now)
                    break
            else:
                return None
        self._path(selector).unlink(missing_ok=True)
        return keys[at]

    def turn(self, seen: Sequence[str], now: int) -> list[Held]:
        """What is due: keys whose selectors are `seen` in the DNS sign, whom they follow retire, and who has
        been retired for long is revoked. Gives what has changed."""
        before = self.all()
        after = _turned(before, frozenset(seen), now)
        changed = [held for held in after if held not in before]
        if not changed:
            return []
        with self._changing() as keys:
            keys[:] = after if keys == before else keys
        for held in changed:
            if held.state is State.REVOKED:
                self._path(held.selector).unlink(missing_ok=True)
        return changed

    def due(self, days: int, now: int) -> list[str]:
        """Kinds of which a new key shall be made, for the one that signs is older than so many days."""
        keys = self.all()
        waiting = {held.kind for held in keys if held.state is State.WAITING}
        return [
            held.kind
            for held in keys
            if held.state is State.SIGNING
            and now - held.since >= days * DAY_SECONDS
            and held.kind not in waiting
        ]

    def _made(self, selector: str) -> int:
        path = self._path(selector)
        return int(path.stat().st_mtime) if path.exists() else 0

    def _path(self, selector: str) -> Path:
        return self._folder / f"{self._domain.name}.{selector}.pem"

    @contextmanager
    def _changing(self) -> Iterator[list[Held]]:
        """The list, to be changed by nobody else; written when the block ends well."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        with open(self._folder / ".lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            keys = self.all()
            yield keys
            new = self._file.with_suffix(".new")
            with open(new, "w") as file:
                json.dump([asdict(held) for held in keys], file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            new.replace(self._file)


def _turned(keys: Sequence[Held], seen: frozenset[str], now: int) -> list[Held]:
    """Of a kind the newest that is seen signs."""
    newest = {held.kind: held for held in keys if held.state is State.WAITING and held.selector in seen}
    after = []
    for held in keys:
        follower = newest.get(held.kind)
        if held is follower:
            held = replace(held, state=State.SIGNING, since=now)
        elif held.state is State.SIGNING and follower is not None:
            held = replace(held, state=State.RETIRED, since=now)
        elif held.state is State.RETIRED and now - held.since >= RETIRED_SECONDS:
            held = replace(held, state=State.REVOKED, since=now)
        after.append(held)
    return after
