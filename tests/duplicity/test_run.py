"""Runs joined, grouped, remembered and kept as plain values."""

from __future__ import annotations

from typing import Any

import pytest
from check_duplicity.duplicity.run import (
    Past,
    Run,
    Sitting,
    Statistics,
    Told,
    extents_of,
    grouped,
    is_number,
    joined,
    last_of,
    remembering,
    run_of,
    text_of,
    values_of,
)
from check_duplicity.nagios.findings import Kind

DAY = 86400
LOGIN, SKIPPED = Told(Kind.LOGIN, "refused"), Told(Kind.SKIPPED, "Errors 1")
ORPHANED = Told(Kind.ORPHANED, "orphaned")
UNREAD = Told(Kind.NOT_RECOGNISED, "what")


def good(start: float, end: float, label: str = "", entries: int = 5) -> Run:
    return Run("good", statistics=Statistics(start, end, 9, entries=entries), label=label)


@pytest.mark.parametrize(
    ("outcomes", "outcome"),
    [
        (["good", "failed"], "failed"),
        (["unread", "good"], "unread"),
        (["failed", "unread"], "failed"),
        (["open", "good"], "good"),
        (["nothing", "open"], "open"),
        (["other", "nothing"], "nothing"),
        (["other"], "other"),
        ([], "other"),
    ],
)
def test_the_worst_outcome_counts(outcomes: list[str], outcome: str) -> None:
    assert joined([Run(outcome) for outcome in outcomes]).outcome == outcome


@pytest.mark.parametrize(
    ("calls", "whole"),
    [
        ([Run("good", (LOGIN,)), Run("good", (Told(Kind.LOGIN, "again"), SKIPPED))],
         Run("good", (LOGIN, SKIPPED))),
        ([Run("good", (ORPHANED, LOGIN)), Run("other", cleaned=True)],
         Run("good", (LOGIN,), cleaned=True)),
        ([Run("good", (ORPHANED,)), Run("other")], Run("good", (ORPHANED,))),
        ([Run("other", cleaned=True), Run("good", (ORPHANED,))],
         Run("good", (ORPHANED,), cleaned=True)),
        ([Run("unread", (UNREAD,)), Run("other")], Run("unread", (UNREAD,))),
        ([Run("unread", (UNREAD,)), Run("failed", (LOGIN,))], Run("failed", (LOGIN,))),
        ([Run("open", uploading=True), Run("other")], Run("open", uploading=True)),
        ([Run("open", uploading=True), Run("good")], Run("good")),
        ([Run("good", time=1.0), Run("good", time=2.0), Run("other")], Run("good", time=2.0)),
        ([Run("failed", aside="purge"), Run("failed", aside="cleanup"), Run("good", aside="x")],
         Run("failed", aside="cleanup")),
        ([Run("good"), Run("failed")], Run("failed", backed_up=True)),
        ([Run("failed"), Run("good")], Run("failed")),
        ([Run("other"), Run("failed", backed_up=True)], Run("failed", backed_up=True)),
        ([Run("good"), Run("good", label="a"), Run("good", label="b")], Run("good", label="a")),
        ([good(1, 2), good(3, 4)._replace(label="a"), Run("other")], good(3, 4, "a")),
    ],
)  # fmt: skip
def test_calls_are_joined(calls: list[Run], whole: Run) -> None:
    assert joined(calls) == whole


def test_a_call_without_a_backup_belongs_to_the_run_before_it() -> None:
    a, b = good(1, 2, "a"), good(3, 4, "b")
    other, aside = Run("other", (SKIPPED,)), Run("failed", (LOGIN,), aside="purge")
    assert grouped([], [other]) == [other]
    assert grouped([a, b], [other]) == [a, joined([b, other])]
    assert grouped([a, b], [other._replace(label="a")]) == [joined([a, other]), b]
    assert grouped([a, b], [other._replace(label="c")]) == [a, b, other._replace(label="c")]
    assert grouped([a, b], [aside]) == [a, joined([b, aside])]
    failed = Run("failed", label="a")
    assert grouped([failed], [aside])[1:] == [aside]
    assert grouped([a], [failed]) == [a, failed]


@pytest.mark.parametrize(
    ("calls", "sitting"),
    [
        ([good(1000, 1010)], Sitting(1, 0, "", 1010)),
        ([good(1000, 1010), good(1610, 1620)], Sitting(2, 0, "", 1620)),
        ([good(1000, 1010), good(1611, 1620)], Sitting(1, 1, "", 1620)),
        ([good(1000, 1010), good(1000, 1010)], Sitting(1, 0, "", 1010)),
        ([good(DAY, DAY + 9), good(10, 20)], Sitting(2, 0, "", 20)),
        ([good(DAY, DAY + 9), good(9, 20)], Sitting(1, 1, "", 20)),
        ([good(1000, 1010), Run("failed", (LOGIN,)), good(1020, 1030)],
         Sitting(2, 0, "refused", 1030)),
        ([Run("failed", (LOGIN,), time=400.0), good(1000, 1030)], Sitting(1, 0, "refused", 1030)),
        ([Run("failed", (LOGIN,), time=399.0), good(1000, 1030)], Sitting(1, 0, "", 1030)),
        ([Run("open"), good(1000, 1030)], Sitting(1, 0, "", 1030)),
        ([Run("unread", (Told(Kind.LOGIN, ""), UNREAD)), good(1000, 1030)],
         Sitting(1, 0, "what", 1030)),
        ([good(1000, 1010), Run("open")], Sitting(1, 0, "", 1010)),
        ([good(1000, 1010, "a"), good(1020, 1030)], Sitting(1, 0, "", 1030)),
    ],
)  # fmt: skip
def test_good_runs_within_minutes_are_of_several_jobs(calls: list[Run], sitting: Sitting) -> None:
    assert grouped([], calls)[-1].sitting == sitting


@pytest.mark.parametrize(
    ("sitting", "usual"),
    [(Sitting(3, 2), 3), (Sitting(2, 3), 3), (Sitting(3, 2, "x"), 2), (Sitting(), 0)],
)
def test_a_sitting_with_a_failure_does_not_count(sitting: Sitting, usual: int) -> None:
    assert sitting.usual == usual


def test_a_run_remembers_the_last_size_of_each_day_of_a_month() -> None:
    ends = [0.0, DAY - 1.0, DAY, 31 * DAY + 5.0, 31 * DAY + 6.0]
    runs = [good(end, end, entries=n) for n, end in enumerate(ends)]
    assert [past.entries for past in extents_of([*runs[::-1], Run("failed")])] == [0, 1, 2, 3, 4]
    assert remembering(Run("good"), runs).past == (
        Past(DAY - 1.0, 1, 9),
        Past(DAY, 2, 9),
        Past(ends[4], 4, 9),
    )
    edge = [good(5.0, 5.0), good(31 * DAY + 5.0, 31 * DAY + 5.0)]
    assert [past.end for past in remembering(Run("good"), edge).past] == [31 * DAY + 5.0]
    sitting = Run("good", sitting=Sitting(1, 2))
    others = [Run("good", sitting=Sitting(3, 0)), Run("good", sitting=Sitting(1, 0))]
    assert remembering(sitting, others).sitting == Sitting(1, 3)
    assert remembering(sitting, []).sitting == Sitting(1, 2)


def test_the_last_runs_of_each_job_are_kept() -> None:
    runs = [good(n, n, label) for n, label in enumerate("abaab")]
    kept = last_of(runs, 2)
    assert [run.label for run in kept] == ["b", "a", "a", "b"]
    assert kept == [runs[1], remembering(runs[2], [runs[0]]), runs[3], runs[4]]
    many = [Run("good", label=str(n)) for n in range(51)]
    assert last_of(many, 1) == many[1:]


@pytest.mark.parametrize(
    ("deltas", "outcome", "skipped"),
    [(0, "good", True), (1, "good", False), (None, "good", False), (0, "failed", False)],
)
def test_a_good_run_without_deltas_had_nothing_to_do(
    deltas: int | None, outcome: str, skipped: bool
) -> None:
    assert Run(outcome, statistics=Statistics(deltas=deltas)).skipped is skipped
    assert not Run(outcome).skipped


WHOLE = Run(
    "failed", (LOGIN, SKIPPED), Statistics(1.0, 2.0, 3, 4, 5, 6, 7, 8, 9, 10), True, False,
    (Past(1.0, None, 3), Past(2.0, 4, None)), 4e9, "purge", True, "web", Sitting(1, 2, "x", 3.0),
)  # fmt: skip
VALUES: list[Any] = [
    "failed", [["LOGIN", "refused"], ["SKIPPED", "Errors 1"]], [1.0, 2.0, 3, 4, 5, 6, 7, 8, 9, 10],
    True, False, [[1.0, None, 3], [2.0, 4, None]], 4e9, "purge", True, "web", [1, 2, "x", 3.0],
]  # fmt: skip


def test_a_run_is_kept_as_plain_values() -> None:
    assert values_of(WHOLE) == VALUES
    assert run_of(VALUES) == WHOLE
    for plain in (Run("open", cleaned=True), *map(Run, ("good", "other", "nothing", "unread"))):
        assert run_of(values_of(plain)) == plain


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (0, "fine"), (1, [["NIX", "x"]]), (1, [["LOGIN", 1]]), (1, [["LOGIN"]]), (2, [1.0] * 11),
        (2, [1, 2, 3, 4, None]), (2, ["x"]), (5, [[None, 1, 1]]), (5, [[1, "x", 1]]), (5, 1),
        (6, 4e9 + 1), (6, "x"), (7, None), (9, 1), (10, [True, 1, "", 1]), (10, [1, "x", "", 1]),
        (10, [1, 1, 1, 1]), (10, [1, 1, "", None]), (10, [1, 1, ""]),
    ],
)  # fmt: skip
def test_other_values_are_no_run(place: int, value: object) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        run_of([*VALUES[:place], value, *VALUES[place + 1 :]])


def test_too_few_or_too_many_values_are_no_run() -> None:
    for values in (VALUES[:-1], [*VALUES, 1], None, []):
        with pytest.raises(ValueError):  # noqa: PT011
            run_of(values)


@pytest.mark.parametrize(
    ("value", "is_one"),
    [(0, True), (1e18, True), (-1e18, True), (1.1e18, False), (-1.1e18, False), (True, False),
     ("1", False), (None, False), (float("inf"), False), (float("nan"), False)],
)  # fmt: skip
def test_a_number_is_finite_and_within_the_limit(value: object, is_one: bool) -> None:
    assert is_number(value) is is_one


def test_a_limit_of_a_number_is_within_it() -> None:
    assert [is_number(value, 5) for value in (-6, -5, 5, 6)] == [False, True, True, False]
    assert text_of("x") == "x"
    with pytest.raises(ValueError, match="1"):
        text_of(1)
