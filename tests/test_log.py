import json
import logging
import re
from collections.abc import Iterator
from io import StringIO

import pytest

from mailnode.log import Json, KeyValue

START = re.compile(r"time=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z level=(\w+) at=mailnode\.test ")


@pytest.fixture
def lines() -> Iterator[tuple[logging.Logger, StringIO]]:
    written = StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(KeyValue())
    logger = logging.getLogger("mailnode.test")
    logger.addHandler(handler)
    logger.propagate = False
    yield logger, written
    logger.removeHandler(handler)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("alice@example.test", "alice@example.test"),
        (7, "7"),
        ("", '""'),
        ("two words", '"two words"'),
        ("a\r\ntime=forged", '"a\\r\\ntime=forged"'),
        ('say "x"', '"say \\"x\\""'),
        ("\u2028\x85\ud800", '"\\u2028\\u0085\\ud800"'),
        ("jürgen", "jürgen"),
    ],
)
def test_a_value_never_ends_its_line_or_begins_another_key(
    lines: tuple[logging.Logger, StringIO], value: object, written: str
) -> None:
    logger, out = lines
    logger.warning("refused %s", "it", extra={"address": value})
    line = out.getvalue()
    assert line.endswith("\n") and len(line.splitlines()) == 1
    start = START.match(line)
    assert start is not None and start[1] == "warning"
    assert line[start.end() :] == f'message="refused it" address={written}\n'


def test_a_traceback_is_one_value(lines: tuple[logging.Logger, StringIO]) -> None:
    logger, out = lines
    try:
        raise ValueError("of our own")
    except ValueError:
        logger.exception("session ended")
    (line,) = out.getvalue().splitlines()
    assert 'traceback="Traceback (most recent call last):\\n' in line
    assert line.endswith('ValueError: of our own"')


def test_a_long_value_keeps_its_ends(lines: tuple[logging.Logger, StringIO]) -> None:
    logger, out = lines
    logger.warning("long", extra={"line": "begin" + "x" * 100_000 + "end"})
    assert len(out.getvalue()) < 3000
    assert "line=" in out.getvalue() and "begin" in out.getvalue() and 'end"\n' in out.getvalue()


def test_a_line_of_json_is_one_object_whatever_a_peer_chose() -> None:
    record = logging.makeLogRecord({"name": "mailnode.test", "levelno": 30, "levelname": "WARNING"})
    record.msg, record.size, record.login = "failed", 7, 'a"\n\u2028b'
    line = Json().format(record)
    assert line.isascii() and len(line.splitlines()) == 1
    fields = json.loads(line)
    assert START.fullmatch(f"time={fields['time']} level={fields['level']} at={fields['at']} ")
    assert (fields["message"], fields["size"], fields["login"]) == ("failed", 7, 'a"\n\u2028b')
