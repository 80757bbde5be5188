"""Several things at once: none hides another, and the page says which of them decides."""

from __future__ import annotations

import os
import re
from argparse import Namespace
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from check_duplicity.duplicity.invocation import Invocation
from check_duplicity.jobs.model import Fact, Known
from check_duplicity.nagios import judged
from check_duplicity.nagios.commands import Job
from check_duplicity.nagios.findings import Finding, Kind, State
from check_duplicity.processes import see as see_processes
from check_duplicity.processes.model import Process, Sight
from check_duplicity.restore import history
from check_duplicity.restore.history import History, Past
from check_duplicity.secrets import Secrets
from check_duplicity.system.user import current
from check_duplicity.triage import see, sidebyside
from check_duplicity.triage.judge import judge
from check_duplicity.triage.model import Picture
from plugin import ROOT
from samples import CAPTURES, full

NOW = datetime.now(timezone.utc).replace(microsecond=0)
# What is found of a job that has each verdict.
FOUND = {
    "waiting for a passphrase": Kind.WAITING,
    "hung": Kind.STALLED,
    "destination missing": Kind.NO_DESTINATION,
    "the full backup is gone": Kind.FULL_GONE,
    "missing volumes": Kind.MISSING_VOLUMES,
    "can't be restored": Kind.ROTTEN,
    "not started": Kind.NOT_STARTED,
    "failed": Kind.LOGIN,
    "interrupted": Kind.INTERRUPTED,
    "never backed up": Kind.NO_BACKUP,
    "source shrunk": Kind.SHRUNK,
    "stale": Kind.STALE,
    "not encrypted": Kind.NOT_ENCRYPTED,
    "orphaned leftovers": Kind.ORPHANED,
    "restore not proved": Kind.DRILL_STALE,
}


def in_order() -> list[str]:
    """The verdicts in the order of the page, without those that nothing found has."""
    page = (ROOT / "docs" / "duplicity_triage.rst").read_text().partition("Verdicts\n---")[2]
    words = re.findall(r"^``(.+)``$", page, re.M)
    return [word for word in words if word in FOUND]


def test_the_page_has_all_verdicts() -> None:
    assert sorted(in_order()) == sorted(FOUND)


@pytest.mark.parametrize("word", FOUND)
def test_the_first_on_the_page_decides_whatever_else_was_found(word: str) -> None:
    order = in_order()
    behind = order[order.index(word) :]
    found = tuple(Finding(FOUND[one], State.CRITICAL, one) for one in behind[::-1])
    assert judge(Picture("web", Job("bk"), findings=found)).word == word


Look = Callable[..., Picture]


@pytest.fixture
def look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Look:
    """Look at a job with an old backup, in this process, with such processes and drills."""
    archive = tmp_path / "archive" / "web"
    archive.mkdir(parents=True)
    for name in full(NOW - timedelta(days=9)):
        (archive / name).write_text("Volume 1:\n" if name.endswith(".manifest") else "")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(sidebyside, "die_with_parent", lambda: None)
    place = {"destination": "file:///srv/none", "archive_dir": str(archive.parent), "name": "web"}
    limits: dict[str, Any] = {
        key: judged.read(key, text) if text else None
        for key, text in judged.defaults(judged.DESTINATION).items()
    }
    options = Namespace(from_archive=True, require_encryption=False, **limits)

    def looked(*processes: Process, drills: History | None = None, **facts: str) -> Picture:
        monkeypatch.setattr(see_processes, "look", lambda wanted: Sight(processes, sure=True))
        if drills is not None:
            assert (
                history.kept(
                    history.path_of("file:///srv/none", str(archive.parent), "web", ()), drills
                )
                == ""
            )
        given = {"mail": "/dev/null", **place, **facts}
        known = Known("web", {key: Fact(value, "here") for key, value in given.items()})
        return see.look(known, options, NOW, Secrets({}), Job("bk"))

    return looked


def states(picture: Picture, *kinds: Kind) -> list[State]:
    return [finding.state for finding in picture.findings if finding.kind in kinds]


def running(since: timedelta, **more: str) -> Process:
    return Process(os.getpid(), Invocation("full"), NOW - since, current(), **more)  # type: ignore[arg-type]


def test_what_runs_and_the_destination_and_the_runs_are_all_told(
    look: Look, tmp_path: Path
) -> None:
    """A backup that waits for a person, an old one before it, and one that has failed."""
    log = tmp_path / "web.log"
    log.write_text((CAPTURES / "runs/3.2.1/archive-unwritable.out").read_text())
    picture = look(running(timedelta(hours=30), waits_for="gpg"), mail=str(log))
    kinds = {finding.kind for finding in picture.findings}
    assert kinds >= {Kind.WAITING, Kind.TOO_LONG, Kind.STALE, Kind.PERMISSION}
    assert judge(picture).word == "waiting for a passphrase"


@pytest.mark.parametrize(
    ("days", "facts", "state"),
    [
        (8, {}, []),
        (9, {}, [State.WARNING]),
        (16, {}, [State.CRITICAL]),
        (4, {"restore_warning": "3d"}, [State.WARNING]),
        (4, {"restore_critical": "3d"}, [State.CRITICAL]),
        (4, {"warning": "3d", "critical": "3d", "full_warning": "1h"}, []),
    ],
)
def test_a_drill_has_its_own_limits(
    look: Look, days: int, facts: dict[str, str], state: list[State]
) -> None:
    """They are those of check_duplicity_restore, and of the job's file."""
    good = Past(NOW - timedelta(days=days), volumes=1, files=1, size=1)
    drills = History(good.time, good, (good,))
    assert states(look(drills=drills, **facts), Kind.DRILL_STALE) == state


@pytest.mark.parametrize(
    ("facts", "state"), [({}, []), ({"proved_warning": "50:"}, [State.WARNING])]
)
def test_so_has_the_share_of_what_is_proved(
    look: Look, facts: dict[str, str], state: list[State]
) -> None:
    good = Past(NOW - timedelta(hours=1), volumes=1, files=1, size=1)
    picture = look(drills=History(good.time, good, (good,)), **facts)
    assert states(picture, Kind.NOT_PROVED) == state


@pytest.mark.parametrize(
    ("hours", "facts", "state"),
    [
        (12, {}, []),
        (13, {}, [State.WARNING]),
        (25, {}, [State.CRITICAL]),
        (2, {"process_critical": "1h"}, [State.CRITICAL]),
        (2, {"critical": "1h", "duration_critical": "1h", "stalled_critical": "1h"}, []),
    ],
)
def test_so_has_what_runs(
    look: Look, hours: int, facts: dict[str, str], state: list[State]
) -> None:
    assert states(look(running(timedelta(hours=hours)), **facts), Kind.TOO_LONG) == state
