"""A full backup that the archive directory knows, and the destination has lost."""

from __future__ import annotations

from datetime import datetime

import pytest
from check_duplicity.destination.read import _with_lost
from check_duplicity.duplicity.names import Archive, Prefixes, read_names
from samples import ago, full, inc, unfinished

WEEK, DAY, HOUR = ago(days=7), ago(days=1), ago(hours=1)


def manifests(*times: datetime) -> list[str]:
    return [name for time in times for name in full(time) if name.endswith(".manifest")]


@pytest.mark.parametrize(
    ("there", "known", "lost"),
    [
        # Nothing is wrong: old backups were removed on purpose.
        (full(WEEK), [WEEK, DAY], None),
        (full(WEEK) + inc(DAY, HOUR), [WEEK], None),  # orphaned, but there is no newer full backup
        (full(WEEK) + inc(DAY, HOUR), [WEEK, DAY], DAY),
        ([], [], None),
        ([], [WEEK, DAY], DAY),
        (inc(DAY, HOUR), [DAY], DAY),
        (inc(DAY, HOUR), [], None),
        # A newer one is on its way.
        (unfinished(full(HOUR)), [DAY], None),
        (unfinished(full(DAY)), [DAY], None),
        (unfinished(full(WEEK)), [DAY], DAY),
    ],
)
def test_which_full_backup_is_lost(
    there: list[str], known: list[datetime], lost: datetime | None
) -> None:
    names = frozenset(manifests(*known))
    found = _with_lost(read_names(there), Archive(settled=names), Prefixes())
    assert found.lost_full == lost
    # One that has just been made may not be in the listing.
    fresh = Archive(tuple(names), fresh=names)
    assert _with_lost(read_names(there), fresh, Prefixes()).lost_full is None
