"""The verdicts on several jobs, and the report of one, word by word."""

from __future__ import annotations

from datetime import timedelta
from typing import cast

import pytest
from check_duplicity.duplicity.catalogue import SENTENCES
from check_duplicity.jobs.model import Fact, Known
from check_duplicity.nagios.commands import Job
from check_duplicity.nagios.findings import Finding, Kind, State
from check_duplicity.secrets import Secrets
from check_duplicity.triage.judge import Verdict, answer, as_values, judge, timeline, worst
from check_duplicity.triage.model import BackupSet, Picture
from check_duplicity.triage.see import as_it_is_there
from check_duplicity.triage.tell import Report
from samples import NOW, ago

GOOD = Verdict("good", State.OK, "", ())
BAD = Verdict("failed", State.CRITICAL, "no space", ("Make room:\n  rm x",))
UNSEEN = Verdict("can't be seen", State.UNKNOWN, "no answer", ())
STALE = Verdict("stale", State.WARNING, "old", ())


def picture(name: str = "web", *found: Finding, unseen: Kind | None = None) -> Picture:
    return Picture(name, Job("bk", job=name), findings=found, unseen=unseen)


@pytest.mark.parametrize(
    ("verdicts", "state", "summary"),
    [
        ({}, State.OK, "0 of 0 jobs are good"),
        ({"a": GOOD}, State.OK, "1 of 1 job is good"),
        ({"a": GOOD, "b": GOOD}, State.OK, "2 of 2 jobs are good"),
        ({"a": UNSEEN}, State.UNKNOWN, "a: can't be seen; 0 of 1 job is good"),
        (
            {"d": UNSEEN, "c": STALE, "z": BAD, "b": GOOD},
            State.CRITICAL,
            "z: failed; c: stale; d: can't be seen; 1 of 4 jobs are good",
        ),
        (
            {"d": UNSEEN, "e": BAD, "c": STALE, "b": BAD},
            State.CRITICAL,
            "b: failed; e: failed; c: stale; 0 of 4 jobs are good (and 1 more)",
        ),
        (
            {"a": GOOD, "d": UNSEEN, "c": STALE, "b": STALE, "e": STALE, "f": STALE},
            State.WARNING,
            "b: stale; c: stale; e: stale; 1 of 6 jobs are good (and 2 more)",
        ),
    ],
)
def test_many_jobs_are_one_answer(verdicts: dict[str, Verdict], state: State, summary: str) -> None:
    seen = [(picture(name), verdict) for name, verdict in verdicts.items()]
    said = answer("TRIAGE", seen, NOW)
    assert (said.state, said.summary) == (state, summary)


def test_the_findings_of_jobs_have_their_names() -> None:
    stale = Finding(Kind.STALE, State.WARNING, "old")
    seen = [
        (picture("a", stale), STALE),
        (picture("b", stale, unseen=Kind.TIMEOUT), UNSEEN),
        (picture("c"), GOOD),
    ]
    said = answer("TRIAGE", seen, NOW)
    assert said.found == (
        stale._replace(job="a"),
        stale._replace(job="b"),
        Finding(Kind.TIMEOUT, State.UNKNOWN, "no answer", "b"),
    )
    assert list(cast("dict[str, Job]", said.jobs)) == ["a", "b", "c"]
    assert [values["job"] for values in said.values] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("states", "state"),
    [
        ([], State.OK),
        ([State.OK, State.UNKNOWN], State.UNKNOWN),
        ([State.WARNING, State.UNKNOWN], State.WARNING),
        ([State.WARNING, State.CRITICAL, State.UNKNOWN], State.CRITICAL),
    ],
)
def test_unknown_is_only_worse_than_good(states: list[State], state: State) -> None:
    assert worst(states) is state


def test_a_picture_as_values() -> None:
    seen = picture("web", Finding(Kind.STALE, State.WARNING, "old", quote="q"))._replace(
        facts=(("user", "bk", "/x:1"),), doubts=("d",), destination="where", proof="proof",
        runs="runs", now="now", sets=(BackupSet(NOW, True, False),),
    )  # fmt: skip
    assert as_values(seen, BAD) == {
        "job": "web", "verdict": "failed", "state": "CRITICAL", "why": "no space",
        "facts": {"user": {"value": "bk", "from": "/x:1"}}, "doubts": ["d"],
        "destination": "where", "restore": "proof", "runs": "runs", "now": "now",
        "sets": [{"time": "2026-11-24T12:00:00+00:00", "full": True, "complete": False}],
        "findings": [{"kind": Kind.STALE.value, "state": "WARNING", "text": "old", "quote": "q"}],
        "steps": ["Make room:\n  rm x"],
    }  # fmt: skip


def test_four_weeks_have_a_character_for_each_day() -> None:
    sets = [
        BackupSet(ago(days=27), False, True),
        BackupSet(ago(days=28), True, True),
        BackupSet(ago(days=3), True, True), BackupSet(ago(days=3, hours=-1), False, True),
        BackupSet(ago(days=2), True, False), BackupSet(ago(days=2, hours=-1), True, True),
        BackupSet(ago(days=1), False, True), BackupSet(ago(days=1, hours=-1), False, False),
        BackupSet(NOW + timedelta(days=1), True, True),
    ]  # fmt: skip
    assert timeline(sets, NOW) == f"2026-10-28 i{'·' * 23}FF!· 2026-11-24"
    assert timeline(sets[1:2], NOW) == f"2026-10-28 {'·' * 28} 2026-11-24"


def test_why_says_what_was_seen() -> None:
    seen = picture()._replace(now="runs", destination="fresh")
    assert judge(seen).why == "fresh"
    assert judge(seen._replace(running=True)).why == "runs"
    assert judge(seen._replace(unseen=Kind.TIMEOUT)).why == "fresh"
    other = Finding(Kind.HIDDEN, State.UNKNOWN, "hidden")
    assert judge(picture("web", other))[:3] == (Kind.HIDDEN.value, State.UNKNOWN, "hidden")
    late = Finding(Kind.NOT_STARTED, State.CRITICAL, "off")
    assert judge(picture("web", late)).state is State.WARNING
    assert judge(picture("web", late, unseen=Kind.TIMEOUT)).state is State.CRITICAL
    for kind in (Kind.STALE, Kind.NO_BACKUP, Kind.FULL_GONE):
        found = Finding(kind, State.WARNING, "late")
        assert judge(picture("web", found, late)).state is State.CRITICAL


@pytest.mark.parametrize(
    ("kind", "waits"), [(Kind.STALLED, ""), (Kind.STALE, " Wait for its end.")]
)
def test_while_a_backup_runs_nothing_is_cleaned_up(kind: Kind, waits: str) -> None:
    found = [Finding(k, State.WARNING, "x") for k in (kind, Kind.ORPHANED)]
    first, *others = judge(picture("web", *found)._replace(running=True)).steps
    text = "Don't clean up now: cleanup would remove what the running backup has made so far."
    assert first == text + waits
    assert others
    (*_, alone) = judge(picture("web", found[0])._replace(running=True)).steps
    assert "Don't clean up" not in alone


def test_the_report_of_a_job(capsys: pytest.CaptureFixture[str]) -> None:
    found = (
        Finding(Kind.NO_SPACE, State.CRITICAL, "no space"),
        Finding(Kind.STALE, State.WARNING, "old\nline", quote="a quote"),
    )
    seen = picture("web", *found)._replace(
        facts=(("name", "n", ""), ("user", "bk", "/x:1"), ("lookback", "8d", "/x:2")),
        doubts=("its host",), destination="last backup 1h ago", now="nothing",
    )  # fmt: skip
    Report().job(seen, BAD, NOW)
    Report().job(picture("good")._replace(proof="p"), GOOD._replace(why="unsaid"), NOW)
    lines = capsys.readouterr().out.split("\n")
    assert [line.rstrip() for line in lines] == [
        "web: CRITICAL, failed", "  no space", "  user         bk  (/x:1)", "  name         n",
        "  backups      last backup 1h ago", "  now          nothing", "  WARNING: old?line",
        "    It said: a quote", "  not known: its host", "  What to do:", "  Make room:",
        "    rm x", "", "good: OK, good", "  restore      p", "", "",
    ]  # fmt: skip


def test_the_list_of_jobs(capsys: pytest.CaptureFixture[str]) -> None:
    facts = {"user": "bk", "encryption": "yes", "name": "", "script": "/s"}
    known = Known("web", {key: Fact(value, "/x") for key, value in facts.items()})
    Report().known([known, known._replace(job="db")], Secrets({}))
    rows = ["  user         bk  (/x)", "  script       /s  (/x)", ""]
    assert capsys.readouterr().out.split("\n") == ["web", *rows, "db", *rows, ""]


def test_a_destination_that_was_seen_is_not_missing() -> None:
    gone = SENTENCES[Kind.NO_DESTINATION]
    stale = Finding(Kind.STALE, State.WARNING, gone)
    one = Finding(Kind.NO_DESTINATION, State.CRITICAL, f"failed 1h ago, {gone}", quote="errno 2")
    other = Finding(Kind.NO_DESTINATION, State.CRITICAL, f"failed 2h ago, {gone}")
    seen = picture("web", stale, one, other)._replace(runs=f"{one.text}; {other.text}; {gone}")
    there = as_it_is_there(seen)
    _, first, second = there.findings
    assert there.findings[0] == stale
    assert (first.kind, first.text) == (Kind.RUN_FAILED, "failed 1h ago, errno 2")
    assert second.kind is Kind.RUN_FAILED
    assert second.text.startswith("failed 2h ago, ")
    assert gone not in second.text
    assert there.runs == f"{first.text}; {second.text}; {gone}"
