"""Learn a site's own prefix of log lines. Pure.

A *shape* is a prefix in which numbers, levels and names of days stand for any others. It is learned
from a line that duplicity prints in every run, and counts as soon as another known line has the
same prefix: a program may quote duplicity once, but it does not print the rest of its output.
"""

from __future__ import annotations

import re
from functools import lru_cache

# Texts that duplicity prints in every run.
ANCHORS = (
    "Last full backup date: ",
    "Local and Remote metadata are ",
    "-[ Backup Statistics ]-",
    "StartTime 1",
    "SourceFileSize ",
)
_LONGEST = 200  # characters of a prefix
_TOKEN = re.compile(r"(\s+)|(\w+)|([^\w\s]+)")
_CHANGING = re.compile(
    r"(?i)(?:mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6}"
    r"|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}|utc|gmt|ces?t|am|pm"
    r"|debug|info(?:rmation)?|notice|warn(?:ing)?|err(?:or)?|crit(?:ical)?|alert|emerg|fatal"
    r"|stdout|stderr"
)


def prefix(line: str) -> str:
    """Return the prefix of a line of duplicity's; empty for any other line."""
    for anchor in ANCHORS:
        at = line.find(anchor)
        if at > 0:
            before = line[:at].rstrip("-") if anchor.startswith("-") else line[:at]
            before = before.removesuffix(". ")  # The machine log's mark of a text line.
            return before if before.strip() and len(before) <= _LONGEST else ""
    return ""


@lru_cache(maxsize=16)
def shape(prefix: str) -> re.Pattern[str]:
    """Return the pattern of all prefixes of the same shape."""
    return re.compile("".join(_pattern(*found.groups()) for found in _TOKEN.finditer(prefix)))


def _pattern(blank: str | None, word: str | None, other: str | None) -> str:
    if blank:
        return r"\s+"
    if word is None:
        return re.escape(other or "")
    if any(c.isdigit() for c in word):
        return r"\d+" if word.isdigit() else r"\w+"
    return r"\w+" if _CHANGING.fullmatch(word) else re.escape(word)
