"""Verdicts on runs: which run counts, under which name, and what is said of it."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from check_duplicity.duplicity.run import (
    FAILED,
    GOOD,
    NOTHING,
    OPEN,
    OTHER,
    UNREAD,
    Run,
    Sitting,
    Statistics,
    Told,
)
from check_duplicity.nagios.findings import Kind
from check_duplicity.runs import judge
from check_duplicity.runs.model import Logged

HOUR = 3600.0
NOW = datetime(2026, 11, 28, 12, tzinfo=timezone.utc)
CLOCK = NOW.timestamp()
STATISTICS = Statistics(start=100.0, end=160.0, entries=7, new=1, changed=2, deleted=3, deltas=4)
KINDS = tuple[Kind, ...]


def run(
    hours: float | None = 0,
    outcome: str = GOOD,
    kinds: tuple[Kind, ...] = (),
    job: str = "a",
    **others: object,
) -> Logged:
    """A run of so many hours ago; ``others`` are fields of the run or of its output."""
    fields = {name: others.pop(name) for name in list(others) if name in Logged._fields}
    made = Run(outcome, tuple(Told(kind, f"line {kind.name}") for kind in kinds))
    time = None if hours is None else CLOCK - hours * HOUR
    logged = Logged(job, job, "u", "", "", time, True, True, made._replace(**others))  # type: ignore[arg-type]
    return logged._replace(**fields)  # type: ignore[arg-type]


def kinds_of(verdict: judge.Verdict) -> list[str]:
    return [item.kind.name for item in verdict.told]


FAILURE = (Kind.RUN_FAILED,)


@pytest.mark.parametrize(
    ("runs", "hours", "kinds"),
    [
        ([run(2, FAILED, FAILURE), run(1)], 1, []),
        ([run(2), run(1, FAILED, FAILURE)], 1, ["RUN_FAILED"]),
        ([run(2, FAILED, FAILURE), run(1, OTHER)], 2, ["RUN_FAILED"]),
        ([run(2, UNREAD), run(1, OPEN)], 2, []),
        ([run(2), run(1, OTHER)], 2, []),
        ([run(2), run(1, OPEN)], 1, ["UNCLEAR"]),
        ([run(2), run(1, NOTHING)], 1, ["UNCLEAR"]),
        ([run(2), run(1, OPEN, uploading=True)], 1, ["KILLED"]),
        ([run(2, statistics=STATISTICS), run(1, OPEN)], 1, ["KILLED"]),
        ([run(2, statistics=STATISTICS), run(1, NOTHING)], 1, ["UNCLEAR"]),
        ([run(1, OPEN, statistics=STATISTICS)], 1, ["UNCLEAR"]),
        ([run(2, OPEN), run(1, OTHER)], 1, None),
        ([run(1, GOOD, (Kind.ORPHANED, Kind.ORPHANED_SIGNATURES))], 1, ["ORPHANED"]),
        ([run(1, GOOD, (Kind.ORPHANED_SIGNATURES,))], 1, ["ORPHANED_SIGNATURES"]),
        ([run(1, GOOD, (Kind.INCOMPLETE, Kind.UNMATCHED_SIGNATURES))], 1, ["INCOMPLETE"]),
        ([run(1, sitting=Sitting(1, 0, "x"))], 1, []),
        ([run(1, sitting=Sitting(2, 0, "x"))], 1, ["SEVERAL_JOBS"]),
        ([run(1, sitting=Sitting(2, 2, "x"))], 1, []),
        ([run(1, sitting=Sitting(1, 2, "x"))], 1, ["SEVERAL_JOBS"]),
        ([run(2, sitting=Sitting(2)), run(1, sitting=Sitting(1, 0, "x"))], 1, ["SEVERAL_JOBS"]),
        ([run(1, FAILED, sitting=Sitting(2, 0, "x"))], 1, []),
    ],
)  # fmt: skip
def test_the_verdict_on_a_job(runs: list[Logged], hours: float, kinds: list[str] | None) -> None:
    (verdict,) = judge.verdicts(runs, 0)
    if kinds is not None:
        assert (verdict.run.time, kinds_of(verdict)) == (CLOCK - hours * HOUR, kinds)


def test_runs_since_a_time_of_jobs_not_in_progress_the_newest_first() -> None:
    runs = [
        run(9, job="old"), run(5, job="edge"), run(4, FAILED, job="b"), run(3, job="c"),
        run(3, job="unsure", sure=False), run(2, job="b"), run(1, job="only"), run(None, job="n"),
    ]  # fmt: skip
    found = judge.verdicts(runs, CLOCK - 5 * HOUR, {"b", "only"})
    assert [(v.run.job, v.run.run.outcome) for v in found] == [
        ("c", GOOD), ("b", FAILED), ("edge", GOOD)
    ]  # fmt: skip
    assert [v.run.job for v in judge.verdicts([run(None), run(1, job="z")], 0)] == ["z", "a"]


LONG = "x" * 36


@pytest.mark.parametrize(
    ("jobs", "names"),
    [
        ([("n", "", ""), ("m", "", "")], ["n", "m"]),
        ([("n", "", ""), ("n", "", "")], ["0", "1"]),
        ([("n", "h", "c"), ("n", "i", "c"), ("m", "h", "")], ["n on h", "n on i", "m"]),
        ([("n", "h", "c 1 2"), ("n", "h", "c 3")], ["n 1 2", "n 3"]),
        ([("n", "h", f"c {LONG}12"), ("n", "h", f"c {LONG}123")], [f"n {LONG}12", f"n {LONG}1…"]),
    ],
)
def test_names_are_unique(jobs: list[tuple[str, str, str]], names: list[str]) -> None:
    runs = [
        run(0, job=str(number), name=name, host=host, command=command)
        for number, (name, host, command) in enumerate(jobs)
    ]
    assert [verdict.run.name for verdict in judge.verdicts(runs, 0)] == names


def after(seconds: float) -> datetime:
    return datetime.fromtimestamp(CLOCK + seconds, timezone.utc)


@pytest.mark.parametrize(
    ("outcome", "kinds", "within"),
    [
        (FAILED, FAILURE, 0),
        (NOTHING, (), -3600),
        (GOOD, (Kind.ORPHANED,), 6 * 3600),
        (OTHER, (), 0),
    ],
)
def test_a_later_set_makes_good(outcome: str, kinds: KINDS, within: int) -> None:
    found = [judge.Verdict(run(0, outcome, kinds), run(0, outcome, kinds).run.told)]
    assert judge.restored(found, after(within)) == found
    assert judge.restored(found, None) == found
    assert judge.restored(found * 2, after(within + 1)) == found * 2
    (good,) = judge.restored(found, after(within + 1))
    assert good == judge.Verdict(run(-(within + 1) / HOUR, GOOD), ())


NOTHING_NEW = STATISTICS._replace(deltas=0)


@pytest.mark.parametrize(
    ("logged", "by_mail", "vouches", "time"),
    [
        (run(1, statistics=NOTHING_NEW), False, True, True),
        (run(1, statistics=STATISTICS), False, False, True),
        (run(1, statistics=NOTHING_NEW, host="h"), False, False, True),
        (run(1, statistics=NOTHING_NEW, host="h"), True, True, True),
        (run(1, GOOD, FAILURE, statistics=NOTHING_NEW), True, False, False),
        (run(1, GOOD, (Kind.KILLED,), statistics=NOTHING_NEW), True, False, None),
        (run(1, GOOD, (Kind.UNCLEAR,), statistics=NOTHING_NEW), True, False, None),
        (run(1, OTHER, statistics=STATISTICS), True, False, False),
        (run(1), True, False, False),
    ],
)
def test_what_a_newest_run_proves(
    logged: Logged, by_mail: bool, vouches: bool, time: bool | None
) -> None:
    found = [judge.Verdict(logged, logged.run.told)]
    assert judge.vouching(found, by_mail=by_mail) == (after(-HOUR) if vouches else None)
    assert judge.vouching(found * 2, by_mail=by_mail) is None
    assert judge.backed_up(found * 2) is None
    if time is not None:
        assert judge.backed_up(found) == (CLOCK - HOUR if time else None)


def test_an_archive_alone_tells_of_a_run() -> None:
    said = judge.Verdict(Logged("a", "a", "", "", "", CLOCK, True, True, Run(GOOD)), ())
    assert judge.by_archive(NOW, CLOCK, "a") == [said]
    assert judge.by_archive(NOW, CLOCK + 1, "a") == []
    assert judge.by_archive(None, 0, "a") == []
    assert judge.last_runs([], CLOCK, (), NOW, "a") == [said]
    assert judge.last_runs([run(1)], 0, (), None, "a") == [judge.Verdict(run(1), ())]


@pytest.mark.parametrize(
    ("runs", "running", "reason"),
    [
        ([], ["z", "b"], "the first run in b is in progress, so nothing is known yet"),
        ([run(30), run(48), run(1, sure=False), run(None)], [],
         "no run of duplicity within 1d, the newest was 1d 6h ago"),
        ([run(1, sure=False), run(None)], [], "no run of duplicity in what was read"),
    ],
)  # fmt: skip
def test_no_news(runs: list[Logged], running: list[str], reason: str) -> None:
    said = judge.no_news(runs, running, NOW, "1d")
    assert (said.kind, said.reason) == (Kind.NO_NEWS, reason)


def test_last_words_that_cannot_be_understood() -> None:
    good, failed, unread = (
        judge.Verdict(logged, logged.run.told)
        for logged in (
            run(1),
            run(1, FAILED, FAILURE),
            run(1, UNREAD, (Kind.ORPHANED, Kind.NOT_RECOGNISED)),
        )
    )
    said = judge.not_made_out([good, unread])
    assert said is not None
    assert said.kind is Kind.NOT_RECOGNISED
    assert said.reason == "a: the last words can't be understood: line NOT_RECOGNISED"
    assert judge.not_made_out([good]) is None
    assert judge.not_made_out([unread, failed]) is None


ALL = Statistics(100.0, 160.0, 2048, 1024, 0, 7, 1, 2, 3, 4)


def measured(found: list[judge.Verdict], runs: list[Logged], since: float = 0) -> list[object]:
    return [
        (m.name, m.value, m.unit, m.text, m.said, m.job, m.graphed)
        for m in judge.measure(found, runs, since, NOW)
    ]


def test_the_numbers_of_runs() -> None:
    runs = [
        run(9, job="b", statistics=ALL),
        run(3, job="a", statistics=ALL._replace(end=50.0, errors=1)),
        run(2, FAILED, (*FAILURE, Kind.ORPHANED), job="c"),
        run(1, GOOD, (Kind.INCOMPLETE, Kind.ORPHANED_SIGNATURES), job="b",
            statistics=Statistics(entries=5, errors=2)),
    ]  # fmt: skip
    assert measured(judge.verdicts(runs, 0), runs) == [
        ("runs", 3, "", "", "3 jobs good, the last run of each 1h to 3h ago", "", True),
        ("failed", 1, "", "", None, "", True),
        ("orphaned", 2, "", "", None, "", True),
        ("incomplete", 1, "", "", None, "", True),
        ("errors", 3, "", "b: 2 files could not be read", "", "b", True),
        ("files", 5, "", "", None, "b", True),
        ("duration", 0, "s", "a: the run took 0s", "", "a", False),
        ("source_size", 2048, "B", "a: the source has 2.0 KiB", "", "a", False),
        ("backup_size", 1024, "B", "a: the run has backed up 1.0 KiB", "", "a", False),
        ("files", 7, "", "", None, "a", False),
        ("new", 1, "", "", None, "a", False),
        ("changed", 2, "", "", None, "a", False),
        ("deleted", 3, "", "", None, "a", False),
    ]
    assert measured(judge.verdicts(runs, CLOCK - HOUR), runs, CLOCK - HOUR) == [
        ("runs", 1, "", "", "b: good 1h ago", "", True),
        ("failed", 0, "", "", None, "", True),
        ("orphaned", 1, "", "", None, "", True),
        ("incomplete", 1, "", "", None, "", True),
        ("errors", 2, "", "b: 2 files could not be read", "", "b", True),
        ("files", 5, "", "", None, "b", True),
    ]
    assert measured([], runs) == [
        ("runs", 0, "", "", "", "", True),
        ("failed", 0, "", "", None, "", True),
        ("orphaned", 0, "", "", None, "", True),
        ("incomplete", 0, "", "", None, "", True),
        ("errors", 0, "", "no file was unreadable", "", "", True),
    ]
    shrunk = [
        run(3, statistics=ALL._replace(end=100.0, entries=1000, source_size=10**9)),
        run(2, statistics=ALL._replace(end=150.0, entries=1000, source_size=10**9)),
        run(1, statistics=ALL._replace(entries=100, source_size=10**8)),
    ]
    assert measured(judge.verdicts(shrunk, 0), shrunk)[5:] == [
        ("duration", 60, "s", "a: the run took 1m", "", "a", True),
        ("source_size", 100000000, "B", "a: the source has 95.4 MiB", "", "a", True),
        ("backup_size", 1024, "B", "a: the run has backed up 1.0 KiB", "", "a", True),
        ("files", 100, "", "", None, "a", True),
        ("new", 1, "", "", None, "a", True),
        ("changed", 2, "", "", None, "a", True),
        ("deleted", 3, "", "", None, "a", True),
        (
            "shrunk",
            90,
            "%",
            "a: the newest run found only 100 files and directories of the source, 1000 before",
            "",
            "a",
            True,
        ),
    ]


SKIPPED_SAID = (
    "SKIPPED",
    "WARNING",
    "a: some files could not be read, 2h ago",
    "a",
    "line SKIPPED",
)
ORPHANED_SAID = (
    "ORPHANED",
    "WARNING",
    "a: orphaned backup sets found, 2h ago",
    "a",
    "line ORPHANED",
)


@pytest.mark.parametrize(
    ("logged", "limits", "texts"),
    [
        (
            run(2, FAILED, FAILURE),
            False,
            [
                (
                    "RUN_FAILED",
                    "CRITICAL",
                    "a: failed 2h ago, line RUN_FAILED",
                    "a",
                    "line RUN_FAILED",
                )
            ],
        ),
        (
            run(2, FAILED, FAILURE, backed_up=True),
            False,
            [
                (
                    "RUN_FAILED",
                    "CRITICAL",
                    "a: failed 2h ago, line RUN_FAILED; the backup of the same run is good",
                    "a",
                    "line RUN_FAILED",
                )
            ],
        ),
        (
            run(2, FAILED, FAILURE, aside="verify"),
            False,
            [
                (
                    "RUN_FAILED",
                    "CRITICAL",
                    "a: failed (verify) 2h ago, line RUN_FAILED",
                    "a",
                    "line RUN_FAILED",
                )
            ],
        ),
        (
            run(2, OPEN, (Kind.KILLED,)),
            False,
            [
                (
                    "KILLED",
                    "CRITICAL",
                    "a: failed 2h ago, it was ended before it was done",
                    "a",
                    "line KILLED",
                )
            ],
        ),
        (
            run(2, GOOD, FAILURE),
            False,
            [
                (
                    "RUN_FAILED",
                    "CRITICAL",
                    "a: for a reason that is not known here, 2h ago",
                    "a",
                    "line RUN_FAILED",
                )
            ],
        ),
        (
            run(2, FAILED, (Kind.NOT_RECOGNISED, Kind.ORPHANED)),
            False,
            [ORPHANED_SAID],
        ),
        (
            run(-1, GOOD, (Kind.SKIPPED, Kind.ORPHANED)),
            False,
            [
                (
                    "SKIPPED",
                    "WARNING",
                    "a: some files could not be read, 0s ago",
                    "a",
                    "line SKIPPED",
                ),
                (
                    "ORPHANED",
                    "WARNING",
                    "a: orphaned backup sets found, 0s ago",
                    "a",
                    "line ORPHANED",
                ),
            ],
        ),
        (
            run(2, GOOD, (Kind.SKIPPED, Kind.ORPHANED), statistics=ALL),
            True,
            [
                SKIPPED_SAID,
                ORPHANED_SAID,
            ],
        ),
        (
            run(2, GOOD, (Kind.SKIPPED, Kind.ORPHANED), statistics=ALL._replace(errors=1)),
            True,
            [ORPHANED_SAID],
        ),
        (
            run(2, GOOD, (Kind.SKIPPED, Kind.ORPHANED), statistics=ALL._replace(errors=1)),
            False,
            [
                SKIPPED_SAID,
                ORPHANED_SAID,
            ],
        ),
    ],
)
def test_what_is_said_of_a_run(logged: Logged, limits: bool, texts: object) -> None:
    found = [judge.Verdict(logged, logged.run.told)]
    said = judge.judge(found, NOW, errors_have_limits=limits)
    assert [(f.kind.name, f.state.name, f.text, f.job, f.quote) for f in said] == texts


def test_lines_on_each_run() -> None:
    runs = [
        run(4, job="e", user="x", host="h"),
        run(3, OTHER, job="d"),
        run(2, GOOD, (Kind.ORPHANED,), job="c"),
        run(1, FAILED, FAILURE, job="b"),
        run(0, GOOD, FAILURE, job="a"),
    ]
    found = judge.verdicts(runs, 0)
    assert list(judge.details(found, 0)) == [
        "a, 2026-11-28 12:00 UTC: failed",
        "b, 2026-11-28 11:00 UTC: failed",
        "c, 2026-11-28 10:00 UTC: good, with warnings",
    ]
    assert list(judge.details(found, 1)) == [
        "a, 2026-11-28 12:00 UTC: failed",
        "b, 2026-11-28 11:00 UTC: failed",
        "c, 2026-11-28 10:00 UTC: good, with warnings",
        "d, 2026-11-28 09:00 UTC: ended",
        "e (x@h), 2026-11-28 08:00 UTC: good",
    ]
    assert list(judge.details(found[:1], 0)) == []
    assert list(judge.details(found[:1], 1)) == ["a, 2026-11-28 12:00 UTC: failed"]
