"""One TOML table, read key by key: the error names file, key, what was found and what would be right."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")


class ConfigError(Exception):
    """The configuration cannot be used; the text is one line for whoever wrote it."""


class Table:
    """One TOML table, read key by key, each with what would be right."""

    __slots__ = ("_at", "_file", "_known", "_values")

    def __init__(self, file: str, at: str, values: Mapping[str, object]) -> None:
        self._file = file
        self._at = at
        self._values = values
        self._known: dict[str, None] = {}

    def error(self, key: str, found: object, right: str) -> ConfigError:
        where = ".".join(part for part in (self._at, key) if part)
        what = "nothing" if found is None else repr(found)
        return ConfigError(f"{self._file}: {where}: found {what}, expected {right}")

    def has(self, key: str) -> bool:
        self._known[key] = None
        return key in self._values

    def text(self, key: str, default: str) -> str:
        value = self._take(key, default)
        if not isinstance(value, str):
            raise self.error(key, value, "a string")
        return value

    def secret(self, key: str, directory: Path) -> str:
        """Not written here, but in a file, or in the environment; empty where there is none."""
        if not self.has(key):
            return ""
        value = self._take(key, {})
        right = '{ file = "NAME" } or { env = "NAME" }'
        if not isinstance(value, dict) or len(value) != 1:
            raise self.error(key, "a value that is not shown", right)
        ((where, name),) = ((str(where), str(name)) for where, name in value.items())
        if where == "env" and name in os.environ:
            return os.environ[name]
        if where == "file":
            try:
                return (directory / name).read_text().strip()
            except (OSError, ValueError) as error:
                raise self.error(key, f"{directory / name}, which cannot be read", right) from error
        raise self.error(key, f"{where} {name!a}, which is not set", right)

    def name(self, key: str) -> str:
        """A domain name; there must be one."""
        if not self.has(key):
            raise self.error(key, None, 'a domain name such as "example.org"')
        value = self.text(key, "")
        if not NAME.fullmatch(value):
            raise self.error(key, value, 'a domain name in lower-case A-labels such as "example.org"')
        return value

    def texts(self, key: str) -> list[str]:
        value = self._take(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.error(key, value, "a list of strings")
        return value

    def numbers(self, key: str, count: int, below: int) -> list[int]:
        value = self._take(key, [])
        right = f"{count} numbers from 0 to {below - 1}"
        if not isinstance(value, list) or len(value) != count:
            raise self.error(key, f"{len(value)} of them" if isinstance(value, list) else value, right)
        for each in value:
            if not isinstance(each, int) or isinstance(each, bool) or not 0 <= each < below:
                raise self.error(key, each, right)
        return value

    def one_of(self, key: str, default: str, values: Sequence[str]) -> str:
        value = self.text(key, default)
        if value not in values:
            raise self.error(key, value, f"one of {', '.join(values)}")
        return value

    def truth(self, key: str, default: bool) -> bool:
        value = self._take(key, default)
        if not isinstance(value, bool):
            raise self.error(key, value, "true or false")
        return value

    def number(self, key: str, default: int, least: int) -> int:
        value = self._take(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise self.error(key, value, f"a number, {least} or more")
        return value

    def port(self, key: str) -> int:
        value = self._take(key, 0)
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 65535:
            raise self.error(key, value, "a port from 1 to 65535")
        return value

    def table(self, key: str) -> Table:
        value = self._take(key, {})
        if not isinstance(value, dict):
            raise self.error(key, value, f"a table [{key}]")
        return Table(self._file, key, value)

    def tables(self, key: str, least: int) -> list[Table]:
        value = self._take(key, [])
        if isinstance(value, list) and len(value) >= least and all(isinstance(one, dict) for one in value):
            return [Table(self._file, f"{key}[{at}]", one) for at, one in enumerate(value)]
        raise self.error(key, value, f"one or more tables [[{key}]]")

    def refuse_others(self) -> None:
        """What nobody asked for is a mistake of whoever wrote it."""
        for key, value in self._values.items():
            if key not in self._known:
                raise self.error(key, value, f"only {', '.join(self._known)} here")

    def _take(self, key: str, default: object) -> object:
        self._known[key] = None
        return self._values.get(key, default)


def quoted(text: str) -> str:
    """A value as it is read from a table; as `truth`."""
    return json.dumps(text)  # a JSON string is a TOML string


def truth(value: bool) -> str:
    return "true" if value else "false"
