"""Which runs and files are found, and in which order."""

from __future__ import annotations

import os
from datetime import datetime, timezone
from pathlib import Path

import pytest
from check_duplicity import __version__
from check_duplicity.duplicity.run import FAILED, GOOD, OPEN, OTHER, UNREAD, Run
from check_duplicity.nagios.findings import CannotSee, Kind
from check_duplicity.runs import beside, model, paths, see
from check_duplicity.runs.model import Logged
from check_duplicity.system import memory, proc
from check_duplicity.system.user import current, name_of_uid

DAY = 86400.0


def run(time: float | None = 1, outcome: str = GOOD, job: str = "a", **others: object) -> Logged:
    logged = Logged(job, job, "u", "", "c", time, False, True, Run(outcome))
    return logged._replace(**others)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("date", "delivered", "time"),
    [
        (None, None, None), (None, 5.0, 5.0), (5.0, None, 5.0), (0.0, 0.0, 0.0),
        (DAY - 1, 0.0, DAY - 1), (DAY, 0.0, 0.0),
        (-30 * DAY, 0.0, 0.0), (1 - 30 * DAY, 0.0, 1 - 30 * DAY),
        (5e9, None, 4e9), (-5e9, None, -4e9),
    ],
)  # fmt: skip
def test_the_time_of_a_mail(date: float | None, delivered: float | None, time: object) -> None:
    assert model.when(date, delivered) == time


@pytest.mark.parametrize(
    ("logged", "job", "script", "is_of"),
    [
        (run(), "z", "", True),
        (run(host="h"), "a", "", True),
        (run(host="h"), "z", "c", True),
        (run(host="h"), "z", "d", False),
        (run(host="h", command=""), "z", "", False),
    ],
)
def test_whose_run_it_is(logged: Logged, job: str, script: str, is_of: bool) -> None:
    assert logged.is_of(job, script) == is_of
    assert model.known_as([logged], job, script) == ([logged] if is_of else [])


def test_a_known_jobs_results_are_surely_duplicitys() -> None:
    runs = [run(0, outcome, sure=False) for outcome in (GOOD, FAILED, UNREAD, OTHER, OPEN)]
    runs.append(run(0, OPEN))
    assert [r.decisive for r in runs] == [True, True, True, False, False, False]
    assert [r.sure for r in model.known_as(runs, "a", "")] == [True, True, True, False, False, True]


@pytest.mark.parametrize(
    ("runs", "kept"),
    [
        ([], []),
        ([run(1), run(2)], [1, 2]),
        ([run(1), run(2), run(3)], [2, 3]),
        ([run(3), run(2), run(1)], [2, 3]),
        ([run(n, sure=n in (1, 2)) for n in (1, 2, 3, 4)], [2, 3, 4]),
        ([run(n, GOOD if n < 3 else OPEN) for n in (1, 2, 3, 4, 5)], [2, 4, 5]),
        ([run(1), run(2, OPEN), *(run(n, sure=False) for n in (3, 4, 5))], [1, 2, 4, 5]),
        ([run(1), run(1, job="b"), run(2), run(3)], [1, 2, 3]),
        ([run(1), run(2), run(9)], [1, 2]),
        ([run(1), run(2), run(8)], [2, 8]),
    ],
)
def test_the_newest_runs_matter(runs: list[Logged], kept: list[float]) -> None:
    assert [logged.time for logged in model.newest(runs, 8)] == kept


def test_runs_are_in_order() -> None:
    runs = [run(2, job="b"), run(2), run(2, OPEN), run(9), run(8), run(None, job="c")]
    order = [(r.time, r.job, r.run.outcome) for r in model.in_order(runs, 8)]
    assert order == [
        (9, "a", GOOD), (None, "c", GOOD), (2, "a", GOOD), (2, "a", OPEN), (2, "b", GOOD),
        (8, "a", GOOD),
    ]  # fmt: skip


def test_a_saved_run_is_the_same() -> None:
    for logged in (run(4e9), run(-4e9), run(None), run(1, whole=True, sure=False)):
        assert model.logged_of(model.values_of_logged(logged)) == logged
    values = model.values_of_logged(run(1))
    for wrong in (
        None, values[:-1], [*values, 1], tuple(values), [1, *values[1:]],
        [*values[:5], 4e9 + 1, *values[6:]], [*values[:5], "x", *values[6:]],
        [*values[:4], 1, *values[5:]],
    ):  # fmt: skip
        with pytest.raises(ValueError, match=r"^not a (run|time)$"):
            model.logged_of(wrong)


@pytest.mark.parametrize(
    ("name", "log"),
    [
        ("b.log", "b.log"), ("b.log.1", "b.log"), ("b.log.9999", "b.log"), ("b.1.gz", "b"),
        ("b.log.12345", "b.log.12345"), ("b-20261128", "b"), ("b-2026112", "b-2026112"),
        ("b.20261128020304", "b"), ("b.202611280203045", "b.202611280203045"),
        ("b-20261128-1", "b"), ("b-20261128-1234567890", "b"), ("b.old", "b"), ("b-old", "b"),
        ("b.bz2", "b"), ("b.xz", "b"), ("b.old.xz", "b"), ("b-1", "b-1"), ("b.zip", "b.zip"),
    ],
)  # fmt: skip
def test_a_rotated_file(name: str, log: str, tmp_path: Path) -> None:
    assert beside.unrotated(f"/x/{name}") == f"/x/{log}"
    for each in {name, log}:
        (tmp_path / each).touch()
    expected = [f"{tmp_path}/{name}"] if name != log else []
    assert beside.rotated(f"{tmp_path}/{log}") == beside.of(f"{tmp_path}/{log}") == expected


def test_rotated_files_with_the_date_before_the_extension(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["b-20261128.log", "b-20261128-17.log.gz", "b-20261128.log.xz", "b.log.1"]
    for name in ["b.log", "b-2026.log", "b-20261128xlog", "c-20261128.log", *names]:
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    assert beside.rotated("b.log") == sorted(names)
    assert beside.rotated("/nosuch/b.log") == beside.of("/nosuch/b.log") == []
    assert beside.rotated(".log") == []


def test_messages_on_files_that_are_passed_over() -> None:
    root = [(name, 0) for name in "abcde"]
    said = [f"Passed over: {name}, it is root's" for name in "abc"]
    assert beside.passed_over([]) == []
    assert beside.passed_over(root[:3]) == said
    assert beside.passed_over(root[:4]) == [*said, "Passed over: 1 more"]
    assert beside.passed_over(root) == [*said, "Passed over: 2 more"]


def test_whose_files_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path.stat().st_uid
    (tmp_path / "b.1").touch()
    monkeypatch.setattr(os, "geteuid", lambda: 4321)
    assert beside.owners_with(77) == {77, 4321, 0}
    for mode, owners in ((0o755, {own, 4321, 0}), (0o775, {4321, 0}), (0o757, {4321, 0})):
        tmp_path.chmod(mode)
        assert beside.owners_without(f"{tmp_path}/b") == owners
    said = f"Passed over: {tmp_path}/b.1, it is {name_of_uid(own)}'s"
    assert beside.that_count(f"{tmp_path}/b", {own + 1}) == ([], [said])
    assert beside.that_count(f"{tmp_path}/b", {own}) == ([f"{tmp_path}/b.1"], [])


def together(*names: str) -> dict[str, list[str]]:
    return paths.together(names)


@pytest.mark.parametrize(
    ("name", "log"),
    [
        ("b-tues.x", "b-*.x"), ("b-wednesday", "b-*"), ("b-thu", "b-*"), ("b-thurs", "b-*"),
        ("b-fri", "b-*"), ("b-saturday", "b-*"), ("sun.b", "*.b"), ("b-1.2.26.x", "b-*.x"),
        ("b-11_12_2026", "b-*"), ("b-2026T02:03Z", "b-*"), ("b-123", "b-123"), ("b-1234", "b-*"),
        ("sunny", "sunny"), ("asun", "asun"), ("marx", "marx"),
        *((f"b-{month}", "b-*") for month in (
            "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "sept", "oct", "nov",
            "DEC")),
    ],
)  # fmt: skip
def test_a_name_without_its_time(name: str, log: str) -> None:
    assert together(name) == {log: [name]}


def test_the_logs_of_a_directory(tmp_path: Path) -> None:
    for name, changed in (("a.log", 100), ("a.log.1", 99), ("b.log", 100), (".c", 200)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (changed, changed))
    for folder in ("new", "cur"):
        (tmp_path / "m" / folder).mkdir(parents=True)
    (tmp_path / "d").mkdir()
    at = f"{tmp_path}/"

    def found(path: str, horizon: float) -> list[tuple[str, tuple[str, ...] | None, str]]:
        return [(log.path, log.files, log.newest) for log in paths.logs_of(path, horizon)[0]]

    a = (f"{at}a.log", (f"{at}a.log", f"{at}a.log.1"), f"{at}a.log")
    b = (f"{at}b.log", (f"{at}b.log",), f"{at}b.log")
    mail = (f"{at}m", None, f"{at}m")
    assert found(str(tmp_path), 99) == [a, b]
    assert found(f"{at}*", 99) == [a, b, mail]
    assert found(f"{at}*", 101) == [mail]
    assert found(f"{at}*", 100) == [(a[0], (a[0],), a[0]), b, mail]
    assert found(f"{at}a.*g", 99) == [a]
    assert found("-", 0) == [("-", None, "-")]
    assert found("journal:*", 0) == [("journal:*", None, "journal:*")]
    assert found(f"{at}m", 0) == [mail]
    assert found(f"{at}none", 0) == [(f"{at}none", None, f"{at}none")]


def test_too_many_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in "abc":
        (tmp_path / name).touch()
    monkeypatch.setattr(paths, "_MOST", 3)
    assert len(paths.logs_of(str(tmp_path), 0)[0]) == 3
    monkeypatch.setattr(paths, "_MOST", 2)
    with pytest.raises(CannotSee) as reason:
        paths.logs_of(str(tmp_path), 0)
    assert reason.value.kind is Kind.NOT_READABLE
    assert reason.value.reason == f"{tmp_path}: 3 files, more than 2"


def test_what_is_read_of_a_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAIL", str(tmp_path))
    assert see.to_read([]) == [str(tmp_path)]
    assert see.to_read(["/dev/null", "b", "a"]) == ["b", "a"]
    with pytest.raises(CannotSee) as reason:
        see.to_read(["/dev/null"])
    assert (reason.value.kind, reason.value.reason) == (Kind.NO_NEWS, paths.THROWN_AWAY)
    monkeypatch.setenv("MAIL", f"{tmp_path}/x")
    with pytest.raises(CannotSee) as reason:
        see.to_read([])
    assert reason.value.reason == f"{current()} has no mail: there is no {tmp_path}/x"


def test_runs_in_progress(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log, other = f"{tmp_path}/a", f"{tmp_path}/b"
    for path in (log, other):
        Path(path).touch()
    answers = {log: True, other: False}
    monkeypatch.setattr(proc, "is_written", lambda file, *_: answers[file])
    runs = [
        run(1, job=f"{log}: old"), run(2, job=log), run(2, job=f"{log}: x"), run(2, job=f"{log}x"),
        run(2, job=other), run(9, job=f"{log}: whole", whole=True), run(None, job=f"{log}: no"),
    ]  # fmt: skip

    def found(since: float) -> tuple[set[str], set[str]]:
        return see.in_progress(runs, ["/nosuch/*", log, log, other], "", since, lambda *_: None)

    assert found(2) == ({log, f"{log}: x"}, set())
    assert found(0) == ({log, f"{log}: x", f"{log}: old", f"{log}: no"}, set())


NOW = datetime(2026, 11, 28, 12, tzinfo=timezone.utc)


def look(state: Path, *given: Path) -> see.Seen:
    return see.look([str(path) for path in given], str(state), NOW, 0, lambda text: text.upper())


def test_what_could_not_be_read_is_said(tmp_path: Path) -> None:
    state = tmp_path / "state"
    (tmp_path / "a").write_text("Giving up after 5 attempts. OSError: x\n")
    seen = look(state, tmp_path / "x*", tmp_path / "a", tmp_path / "y*")
    said = [f"{tmp_path}/{name}*: no file matches".upper() for name in "xy"]
    assert [logged.job for logged in seen.runs] == [f"{tmp_path}/a"]
    assert seen.problems == [f"Not read: {reason}" for reason in said]
    assert seen.unread is not None
    assert (seen.unread.kind, seen.unread.reason) == (Kind.NOT_READABLE, said[-1])
    kept = memory.recall(str(state))
    assert (kept["version"], list(kept["paths"])) == (__version__, [f"{tmp_path}/a"])
    again = look(state, tmp_path / "a")
    assert (again.runs, again.problems, again.unread) == (seen.runs, [], None)


@pytest.mark.parametrize(
    "changed",
    [{"version": "0"}, {"paths": 1}, {"paths": {"a": 1}}],
)
def test_memory_of_another_kind_does_not_count(changed: dict[str, object], tmp_path: Path) -> None:
    state, log = tmp_path / "state", tmp_path / "a"
    log.write_text("Giving up after 5 attempts. OSError: x\n")
    seen = look(state, log)
    first = memory.recall(str(state))
    memory.remember(str(state), {**first, **changed})
    assert look(state, log) == seen
    assert memory.recall(str(state)) == first


def test_memory_that_is_damaged_or_cannot_be_kept(tmp_path: Path) -> None:
    log = tmp_path / "a"
    log.write_text("")
    (tmp_path / "state").write_text("{")
    (read,) = look(tmp_path / "state", log).problems
    assert read.startswith("All was read anew: ")
    (kept,) = look(tmp_path / "none/state", log).problems
    assert kept.startswith("The next check reads all anew: ")


def test_a_rotated_file_of_another_log_is_read_once(tmp_path: Path) -> None:
    for name in ("a", "a.1", "b"):
        (tmp_path / name).write_text("Giving up after 5 attempts. OSError: x\n")
    for given in (["a", "a.1", "b", "b"], ["a.1", "b", "a"], ["a.*", "a", "b"]):
        seen = look(tmp_path / "state", *(tmp_path / name for name in given))
        assert {logged.job for logged in seen.runs} == {f"{tmp_path}/a", f"{tmp_path}/b"}
    seen = look(tmp_path / "state", tmp_path / "a.1")
    assert {logged.job for logged in seen.runs} == {f"{tmp_path}/a.1"}
