"""Several things at once: none hides another, and the page says which of them decides."""

from __future__ import annotations

import os
import re
from argparse import Namespace
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
from check_duplicity.secrets import Secrets
from check_duplicity.system.user import current
from check_duplicity.triage import see, sidebyside
from check_duplicity.triage.judge import judge
from check_duplicity.triage.model import Picture
from plugin import ROOT
from samples import CAPTURES, full

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


def test_what_runs_and_the_destination_and_the_runs_are_all_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A backup that waits for a person, an old one before it, and one that has failed."""
    now = datetime.now(timezone.utc)
    archive = tmp_path / "archive" / "web"
    archive.mkdir(parents=True)
    for name in full(now - timedelta(days=9)):
        (archive / name).write_text("Volume 1:\n" if name.endswith(".manifest") else "")
    log = tmp_path / "web.log"
    log.write_text((CAPTURES / "runs/3.2.1/archive-unwritable.out").read_text())
    waiting = Process(
        os.getpid(), Invocation("full"), now - timedelta(hours=30), current(), waits_for="gpg"
    )
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(sidebyside, "die_with_parent", lambda: None)
    monkeypatch.setattr(see_processes, "look", lambda wanted: Sight((waiting,), sure=True))
    facts = {
        "destination": "file:///srv/none",
        "archive_dir": str(archive.parent),
        "name": "web",
        "mail": str(log),
    }
    known = Known("web", {key: Fact(value, "here") for key, value in facts.items()})
    limits: dict[str, Any] = {
        key: judged.read(key, text) if text else None
        for key, text in judged.defaults(judged.DESTINATION).items()
    }
    options = Namespace(from_archive=True, require_encryption=False, **limits)
    picture = see.look(known, options, now, Secrets({}), Job("bk"))
    kinds = {finding.kind for finding in picture.findings}
    assert kinds >= {Kind.WAITING, Kind.TOO_LONG, Kind.STALE, Kind.PERMISSION}
    assert judge(picture).word == "waiting for a passphrase"
