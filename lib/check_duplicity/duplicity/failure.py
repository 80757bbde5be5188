"""Explain a failure of duplicity by its exit status and the end of its machine log. Pure.

The machine log is the same from 0.8.23 to 3.2.1; the exit status is not: for a bucket that doesn't
exist it is 23 up to 2.2, and 50 from 3.0 on.
"""

from __future__ import annotations

import re
import signal

_LONGEST_REASON = 240  # characters
_LONGEST_LINE = 600  # characters; the rest is ignored

# duplicity.log.ErrorCode: "these values should never change, as frontends rely upon them".
_MEANINGS = {
    2: "wrong usage",
    8: "bad URL",
    9: "bad archive directory",
    23: "user error",
    30: "internal error",
    31: "GPG failed",
    38: "connection failed",
    43: "lftp is not installed",
    50: "backend error",
    51: "permission denied at the destination",
    52: "not found at the destination",
    53: "no space at the destination",
    54: "backend command failed",
    55: "backend code error",
    56: "backend validation failed",
}


def failure(status: int, by_itself: bool, log: str) -> str:
    """Return how duplicity failed, and the reason, if its machine log gives one.

    ``status`` is its exit status, or the number of the signal that killed it.
    """
    if by_itself:
        meaning = _MEANINGS.get(status)
        how = f"failed with {status}" + (f" ({meaning})" if meaning else "")
    else:
        how = f"was killed by {_signal_name(status)}"
    reason = last_words(log)
    return f"duplicity {how}" + (f": {reason}" if reason else "")


def no_destination(log: str) -> str:
    """Return the message by which a machine log's last error proves that there is no destination.

    Empty if there is any doubt: the destination may exist and only be out of reach.
    """
    from check_duplicity.duplicity.catalogue import GONE  # not needed if all goes well

    for line in _last_block("ERROR", log):
        for pattern in GONE:
            if said := re.search(pattern, line[:_LONGEST_LINE]):
                return " ".join(said[1].split())
    return ""


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def last_words(log: str) -> str:
    """Return the last error or warning of a machine log, else its last plain line, in one line.

    Of a traceback, only its last line is returned.
    """
    lines = _last_block("(?:ERROR|WARNING)", log)
    if not lines:
        lines = [line.strip() for line in log.splitlines() if _plain(line)][-1:]
    lines = [line for line in lines if line and not line.startswith("Enter 'duplicity --help'")]
    if any(line.startswith("Traceback (") for line in lines):
        lines = lines[-1:]
    reason = " ".join(" ".join(lines).split())
    return reason if len(reason) <= _LONGEST_REASON else reason[: _LONGEST_REASON - 1] + "…"


def _last_block(level: str, log: str) -> list[str]:
    """Return the lines of the last record of a level; none if there is no such record."""
    blocks = re.findall(rf"^{level} .*\n((?:\. .*\n?)+)", log, re.M)
    return [line[2:].strip() for line in blocks[-1].splitlines()] if blocks else []


def _plain(line: str) -> bool:
    """Whether a line is plain output, not part of a machine log record."""
    return bool(line.strip()) and not re.match(r"\. |\.$|[A-Z]+ \d+( |$)", line)
