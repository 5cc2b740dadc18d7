"""The domains that a command is about, and their keys: no node need run for them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from mailnode.cli.failure import Failure
from mailnode.config import Config, Domain, load
from mailnode.mailauth.keyfiles import KeyFiles
from mailnode.mailauth.keyring import Keyrings


@dataclass(frozen=True, slots=True)
class Domains:
    config: Config
    keyrings: Keyrings

    def named(self, name: str) -> Domain:
        """Raises Failure."""
        for domain in self.config.domains:
            if domain.name == name.lower():
                return domain
        names = ", ".join(each.name for each in self.config.domains)
        raise Failure(f"{name!a} is none of this node's domains: {names}")


@asynccontextmanager
async def domains(directory: Path) -> AsyncIterator[Domains]:
    """Raises ConfigError."""
    config = load(directory)
    yield Domains(config, KeyFiles(config))
