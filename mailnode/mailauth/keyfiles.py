"""Keys of domains in files of the node's directory: DIR/dkim/DOMAIN.SELECTOR.pem, and the list of those of a
domain, DIR/dkim/DOMAIN.json.

A domain without that list has the one key that its `dkim` names. The command line and the node both write:
each under the folder's lock, and whole.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from mailnode.config import Config, ConfigError
from mailnode.domain import Domain
from mailnode.durable import sync, unlink, write_whole
from mailnode.mailauth import key
from mailnode.mailauth.keyring import Held, Keyring, KeysError, State, Step
from mailnode.mailauth.signer import Key


@dataclass(frozen=True, slots=True)
class KeyFiles:
    """Of all domains of a directory."""

    config: Config

    def of(self, domain: Domain) -> Keyring:
        return Keyring(self.kept(domain))

    def kept(self, domain: Domain) -> KeyFilesOf:
        return KeyFilesOf(self.config.directory / "dkim", domain)

    def signing(self, domain: Domain) -> Sequence[Key]:
        return self.of(domain).signing()

    def may_turn(self) -> bool:
        return self.config.node == 0


class KeyFilesOf:
    """Of one domain."""

    def __init__(self, folder: Path, domain: Domain) -> None:
        self._folder = folder
        self._domain = domain
        self._file = folder / f"{domain.name}.json"

    def all(self) -> list[Held]:
        try:
            rows = json.loads(self._file.read_text())
            return [Held(row["selector"], row["kind"], State(row["state"]), row["since"]) for row in rows]
        except FileNotFoundError:
            selector = self._domain.dkim
            return [Held(selector, "rsa", State.SIGNING, self._made(selector))] if selector else []
        except (ValueError, KeyError, TypeError) as error:
            raise KeysError(f"{self._file}: is no list of keys: {error}") from None
        except OSError as error:
            raise KeysError(f"{self._file}: cannot be read: {error.strerror}") from None

    def private(self, selector: str) -> key.Private:
        try:
            return key.read(self._path(selector))
        except ConfigError as error:
            raise KeysError(str(error)) from None

    def pem(self, selector: str) -> bytes:
        try:
            return key.read_pem(self._path(selector))
        except ConfigError as error:
            raise KeysError(str(error)) from None

    def is_free(self, selector: str) -> bool:
        return not self._path(selector).exists()

    async def change(self, step: Step, pem: bytes = b"") -> list[Held]:
        try:
            with self._locked():
                return self._change(step, pem)
        except OSError as error:
            raise KeysError(str(error)) from None

    def _change(self, step: Step, pem: bytes) -> list[Held]:
        before = self.all()
        after = step(before)
        changed = [held for held in after if held not in before]
        if not changed:
            return []
        known = {held.selector for held in before}
        for held in changed:
            if held.selector not in known:
                key.write(self._path(held.selector), pem)
        write_whole(self._file, json.dumps([asdict(held) for held in after], indent=1))
        for held in changed:
            if held.state is State.REVOKED:
                unlink(self._path(held.selector))
        return changed

    @contextmanager
    def _locked(self) -> Iterator[None]:
        if not self._folder.exists():
            self._folder.mkdir(mode=0o700)
            sync(self._folder.parent)
        with open(self._folder / ".lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _made(self, selector: str) -> int:
        path = self._path(selector)
        return int(path.stat().st_mtime) if path.exists() else 0

    def _path(self, selector: str) -> Path:
        return self._folder / f"{self._domain.name}.{selector}.pem"
