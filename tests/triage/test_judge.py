"""One verdict, from everything that was seen."""

from __future__ import annotations

from datetime import timedelta

import pytest
from check_duplicity.nagios.commands import Job
from check_duplicity.nagios.findings import Finding, Kind, State
from check_duplicity.triage.judge import as_values, judge, timeline
from check_duplicity.triage.model import BackupSet, Picture
from samples import NOW, ago

JOB = Job("backup", url="file:///x", archive_dir="/a", script="/s/assets.sh", encrypted=False)


def found(*kinds: Kind) -> tuple[Finding, ...]:
    weak = (Kind.ORPHANED, Kind.INCOMPLETE, Kind.INTERRUPTED, Kind.WAITING, Kind.STALLED)
    return tuple(
        Finding(kind, State.WARNING if kind in weak else State.CRITICAL, kind.value)
        for kind in kinds
    )


def picture(*kinds: Kind, running: bool = False, unseen: Kind | None = None) -> Picture:
    return Picture("assets", JOB, findings=found(*kinds), running=running, unseen=unseen)


def unknown(*kinds: Kind, running: bool) -> Picture:
    """A picture in which it isn't known whether the backup gets on."""
    finding = Finding(Kind.NO_MEMORY, State.UNKNOWN, "it is not known whether it makes progress")
    return picture()._replace(findings=(finding, *found(*kinds)), running=running)


@pytest.mark.parametrize(
    ("seen", "word", "state"),
    [
        (picture(), "good", State.OK),
        (picture(running=True), "in progress", State.OK),
        (picture(Kind.STALLED, running=True), "hung", State.WARNING),
        (unknown(running=True), "in progress", State.UNKNOWN),
        (unknown(Kind.WAITING, running=True), "waiting for a passphrase", State.WARNING),
        (unknown(Kind.NO_DESTINATION, running=True), "in progress", State.CRITICAL),
        (picture(Kind.WAITING, running=True), "waiting for a passphrase", State.WARNING),
        (picture(Kind.NO_SPACE, Kind.STALE), "failed", State.CRITICAL),
        (picture(Kind.STALE, Kind.RUN_FAILED), "failed", State.CRITICAL),
        (picture(Kind.INTERRUPTED), "interrupted", State.WARNING),
        (picture(Kind.INTERRUPTED, Kind.ORPHANED), "interrupted", State.WARNING),
        (picture(Kind.ORPHANED), "orphaned leftovers", State.WARNING),
        (picture(Kind.INCOMPLETE), "orphaned leftovers", State.WARNING),
        (picture(Kind.MISSING_VOLUMES, Kind.STALE), "missing volumes", State.CRITICAL),
        (picture(Kind.SPOILED, Kind.STALE), "missing volumes", State.CRITICAL),
        (picture(Kind.NO_BACKUP), "never backed up", State.CRITICAL),
        (picture(Kind.FULL_GONE, Kind.ORPHANED), "the full backup is gone", State.CRITICAL),
        (picture(Kind.STALE), "stale", State.CRITICAL),
        (picture(Kind.STALE, Kind.NOT_STARTED), "not started", State.CRITICAL),
        (picture(Kind.NOT_STARTED), "not started", State.WARNING),
        (picture(Kind.NO_DESTINATION), "destination missing", State.CRITICAL),
        (picture(unseen=Kind.DUPLICITY_FAILED), "can't be seen", State.UNKNOWN),
        (picture(Kind.ORPHANED, unseen=Kind.TIMEOUT), "orphaned leftovers", State.UNKNOWN),
        (picture(Kind.NO_SPACE, unseen=Kind.TIMEOUT), "failed", State.CRITICAL),
    ],
)
def test_the_first_verdict_that_fits_decides(seen: Picture, word: str, state: State) -> None:
    verdict = judge(seen)
    assert (verdict.word, verdict.state) == (word, state)
    assert as_values(seen, verdict)["verdict"] == word


@pytest.mark.parametrize("kind", list(Kind))
def test_every_finding_gets_a_verdict_and_steps(kind: Kind) -> None:
    verdict = judge(picture(kind))
    assert verdict.word
    assert verdict.why or verdict.state is State.OK
    if kind not in (Kind.USAGE, Kind.INTERNAL):
        assert verdict.steps


def test_nothing_is_cleaned_up_while_a_backup_runs_and_that_is_said() -> None:
    steps = "\n".join(judge(picture(Kind.ORPHANED, running=True)).steps)
    assert " cleanup --force" not in steps
    assert "Don't clean up now" in steps
    assert " cleanup --force" in "\n".join(judge(picture(Kind.ORPHANED)).steps)


@pytest.mark.parametrize("kind", [Kind.STALLED, Kind.WAITING, Kind.TOO_LONG])
def test_nobody_is_told_to_wait_for_what_hangs(kind: Kind) -> None:
    for kinds in ((kind,), (kind, Kind.ORPHANED, Kind.STALE)):
        steps = "\n".join(judge(picture(*kinds, running=True)).steps)
        assert "Wait for" not in steps
        assert "sudo kill PID" in steps
        assert " cleanup --force" not in steps


def test_what_is_gone_is_put_back_before_anything_is_cleaned_up_or_run() -> None:
    steps = "\n".join(judge(picture(Kind.FULL_GONE, Kind.ORPHANED, Kind.STALE)).steps)
    assert steps.startswith("Run neither the job nor any other duplicity command now")
    assert "duplicity cleanup" not in steps
    assert "duplicity full" not in steps
    assert JOB.script not in steps
    assert "put the files back" in steps


def test_the_chain_is_drawn_over_four_weeks() -> None:
    sets = [
        BackupSet(ago(days=40), True, True),
        BackupSet(ago(days=3), True, True),
        BackupSet(ago(days=2), False, True),
        BackupSet(NOW, False, False),
    ]
    line = timeline(sets, NOW)
    first = (NOW - timedelta(days=27)).date()
    assert line == f"{first} {'·' * 24}Fi·! {NOW.date()}"
    assert timeline([], NOW) == ""
