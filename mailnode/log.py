"""The log: one line a record to standard error, `key=value` throughout, or a JSON object.

What a record says beside its message stands in `extra`: `log.info("account created", extra={"address": a})`.
Passwords and contents of mail are never given to it.
"""

import datetime
import json
import logging
import re
import sys

_PLAIN = re.compile(r"[^\s\"'=\\\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
VALUE_CHARACTERS_MAX = 2000


def set_up(level: str, format: str, node: str = "") -> None:
    """As of configuration: "info", "text". `node` is in each line, where there are several."""
    handler = logging.StreamHandler(sys.stderr)
    if node:
        handler.addFilter(_Named(node))
    handler.setFormatter(Json() if format == "json" else KeyValue())
    root = logging.getLogger()
    root.handlers = [handler]
    set_level(level)


def set_level(level: str) -> None:
    logging.getLogger().setLevel(level.upper())


class _Named(logging.Filter):
    def __init__(self, node: str) -> None:
        super().__init__()
        self._node = node

    def filter(self, record: logging.LogRecord) -> bool:
        record.node = self._node
        return True


class KeyValue(logging.Formatter):
    """Octets that a peer chose cannot begin a line or a key: what is not plain stands in a JSON string."""

    def format(self, record: logging.LogRecord) -> str:
        return " ".join(f"{key}={_value(value)}" for key, value in _fields(self, record).items())


class Json(logging.Formatter):
    """The same fields. Numbers stay numbers; all else is a string, in ASCII."""

    def format(self, record: logging.LogRecord) -> str:
        fields = _fields(self, record)
        return json.dumps({key: _json(value) for key, value in fields.items()})


def _fields(formatter: logging.Formatter, record: logging.LogRecord) -> dict[str, object]:
    when = datetime.datetime.fromtimestamp(record.created, datetime.UTC)
    fields = {
        "time": when.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "level": record.levelname.lower(),
        "at": record.name,
        "message": record.getMessage(),
        **{key: value for key, value in vars(record).items() if key not in _OWN},
    }
    if record.exc_info:
        fields["traceback"] = formatter.formatException(record.exc_info)
    return fields


def _json(value: object) -> object:
    return value if isinstance(value, int | float) else _short(value)


def _short(value: object) -> str:
    text = str(value)
    if len(text) > VALUE_CHARACTERS_MAX:
        text = text[: VALUE_CHARACTERS_MAX // 2] + " ... " + text[-VALUE_CHARACTERS_MAX // 2 :]
    return text


def _value(value: object) -> str:
    text = _short(value)
    if _PLAIN.fullmatch(text):
        return text
    return json.dumps(text)
