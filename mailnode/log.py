"""The log: one line a record to standard error, `key=value` throughout.

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


def set_up(level: str) -> None:
    """`level` as of configuration: "info"."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(KeyValue())
    root = logging.getLogger()
    root.handlers = [handler]
    set_level(level)


def set_level(level: str) -> None:
    logging.getLogger().setLevel(level.upper())


class KeyValue(logging.Formatter):
    """Octets that a peer chose cannot begin a line or a key: what is not plain stands in a JSON string."""

    def format(self, record: logging.LogRecord) -> str:
        when = datetime.datetime.fromtimestamp(record.created, datetime.UTC)
        fields = {
            "time": when.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "at": record.name,
            "message": record.getMessage(),
            **{key: value for key, value in vars(record).items() if key not in _OWN},
        }
        if record.exc_info:
            fields["traceback"] = self.formatException(record.exc_info)
        return " ".join(f"{key}={_value(value)}" for key, value in fields.items())


def _value(value: object) -> str:
    text = str(value)
    if len(text) > VALUE_CHARACTERS_MAX:
        text = text[: VALUE_CHARACTERS_MAX // 2] + " ... " + text[-VALUE_CHARACTERS_MAX // 2 :]
    if _PLAIN.fullmatch(text):
        return text
    return json.dumps(text)
