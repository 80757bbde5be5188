"""Read the statistics that ``--jsonstat`` writes for each set; the same in every language.

Seen on 2.1.5, 3.0.7 and 3.2.1. ``TotalDestinationSizeChange`` is null in all of them, and
``backup_meta`` has the destination with its password: neither is used.
"""

from __future__ import annotations

from check_duplicity.values import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Any

_LARGEST = 10**18


class Statistics(NamedTuple):
    """The source of a set by its statistics: entries (directories, too), and size in bytes."""

    entries: int
    size: int
    deleted: int


def read(text: bytes) -> Statistics | None:
    """Return the statistics in the text of a ``.jsonstat`` file; ``None`` if it has none."""
    import json  # slow to load, and rarely needed

    try:
        values = json.loads(text)
        numbers = [values[name] for name in ("SourceFiles", "SourceFileSize", "DeletedFiles")]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return Statistics(*map(int, numbers)) if all(map(_is_count, numbers)) else None


def _is_count(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < _LARGEST
