"""Convert JSON log records of journald, docker and other loggers to plain lines. Pure.

Known are ``journalctl -o json``, docker's json-file (``/var/lib/docker/containers``, formerly also
kubernetes'), and records with a ``message`` or ``msg``. Each becomes the line that journalctl or
``docker logs -t`` would print, so that both can be read in one way.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from check_duplicity.values import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

_MESSAGES = ("MESSAGE", "log", "message", "msg")
_TIMES = ("time", "@timestamp", "timestamp", "ts")
_NOT_IN_NAMES = re.compile(r"[\s\[\]():|<>{}\"']")
_LONGEST_NAME = 64


def lines_of(line: str) -> Sequence[str]:
    """Return the lines of a record, each behind its time and program, if known.

    A line that isn't a record with a message is returned unchanged.
    """
    if not (line.startswith("{") and line.rstrip().endswith("}")):
        return (line,)
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return (line,)
    said = next((key for key in _MESSAGES if isinstance(record.get(key), (str, list))), None)
    if said is None:
        return (line,)
    front = _front(record)
    return [front + text for text in text_in(record, said).rstrip("\n").split("\n")]


def _front(record: dict[str, Any]) -> str:
    """Return the prefix that journalctl or ``docker logs -t`` would print before a message."""
    times = (text_in(record, key) for key in _TIMES)
    micro = text_in(record, "__REALTIME_TIMESTAMP")
    time = f"{micro[:-6]}.{micro[-6:]}" if micro else next(filter(None, times), "")
    program = _name(record, "SYSLOG_IDENTIFIER") or _name(record, "_COMM")
    whose = f"{_name(record, '_HOSTNAME') or 'host'} {program}[1]: " if program else ""
    return f"{time} {whose}" if time else whose


def _name(record: dict[str, Any], field: str) -> str:
    return _NOT_IN_NAMES.sub("-", text_in(record, field))[:_LONGEST_NAME]


def text_in(record: dict[str, Any], field: str) -> str:
    """Return the text of a field; journald writes bytes as numbers, repeated fields as a list."""
    value = record.get(field)
    if isinstance(value, list) and value:
        if not isinstance(value[0], int):
            return text_in({field: value[0]}, field)
        value = bytes(byte & 255 for byte in value if isinstance(byte, int)).decode(
            "utf-8", "replace"
        )
    return value if isinstance(value, str) else ""
