"""Answers for people, as a table, and for scripts, as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message


@dataclass(frozen=True, slots=True)
class Column:
    """`cell` gives the text of a row."""

    title: str
    cell: Callable[[Any], str]
    right: bool = False


def number(title: str, cell: Callable[[Any], object]) -> Column:
    """A column of numbers stands at the right."""
    return Column(title, lambda row: str(cell(row)), right=True)


def show(rows: Sequence[Any], columns: Sequence[Column], as_json: bool) -> None:
    """JSON has every field of every row under its name; numbers of 64 bits are numbers."""
    if as_json:
        print_json([plain(row) for row in rows])
    else:
        show_rows(rows, columns)


def print_json(values: Any) -> None:
    print(json.dumps(values, indent=2, ensure_ascii=False))


def show_rows(rows: Sequence[Any], columns: Sequence[Column]) -> None:
    lines = [[column.title for column in columns], *([c.cell(row) for c in columns] for row in rows)]
    widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)]
    for line in lines:
        print("  ".join(map(_padded, line, columns, widths)).rstrip())


def _padded(cell: str, column: Column, width: int) -> str:
    return cell.rjust(width) if column.right else cell.ljust(width)


def plain(row: Any) -> Any:
    """An answer's fields, or a row's."""
    fields = MessageToDict(row, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)
    return {name: _plain(getattr(row, name), value) for name, value in fields.items()}


def _plain(field: Any, value: Any) -> Any:
    """Protobuf's own JSON writes numbers of 64 bits as strings, for readers that have only floats."""
    if isinstance(field, Message):
        return plain(field)
    if isinstance(value, list):
        return [_plain(each, known) for each, known in zip(field, value, strict=True)]
    return field if isinstance(field, int) and not isinstance(field, bool) else value


def text(value: str) -> str:
    """What a user or a foreign server chose cannot play with the terminal."""
    return "".join(character if character.isprintable() else "?" for character in value)


def octets(value: int) -> str:
    size = float(value)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def time(microseconds: int) -> str:
    return datetime.fromtimestamp(microseconds / 1e6, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
