"""Every option for a limit, and every key of a job's file, applies to the right number.

The tests use the table of all kinds, so a new kind is tested automatically if its number has the
same name.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import NamedTuple
from unittest import mock

import pytest
from chains import manifest
from check_duplicity.nagios.judged import DESTINATION, JUDGED, PROCESS, RESTORE, RUNS, keys
from check_duplicity.restore import history
from check_duplicity.restore.history import History, Past
from check_duplicity.restore.model import Volume
from plugin import Result, run_plugin, write_job
from samples import good_run, stamp

KINDS = {
    "check_duplicity_freshness": DESTINATION,
    "check_duplicity_log": RUNS,
    "check_duplicity_process": PROCESS,
    "check_duplicity_restore": RESTORE,
}
CASES = [(plugin, kind) for plugin, kinds in KINDS.items() for kind in kinds]
# Those of which a check has only one: -w and -c.
PLAIN = ("", "process_", "restore_")
# What the number is called that isn't called as its kind.
LABELS = {
    "": "age", "full_": "full_age", "chain_": "chain_length", "process_": "elapsed",
    "restore_": "age",
}  # fmt: skip
OF_THE_CLOCK = ("age", "full_age", "history")  # which go on while a test runs
HOUR = 3600
URL = "file:///srv/none"


def label(kind: str) -> str:
    return LABELS.get(kind, kind.rstrip("_"))


class Site(NamedTuple):
    """A job with something to see for each check."""

    directory: Path
    environment: dict[str, str]

    def words(self, plugin: str) -> list[object]:
        """Return the arguments for a check of the job without a job's file."""
        place: list[object] = ["-d", URL, "-a", self.directory / "archive", "-n", "web"]
        more: dict[str, list[object]] = {
            "check_duplicity_freshness": ["--from-archive"],
            "check_duplicity_log": [self.directory / "web.log"],
        }
        return [*more.get(plugin, []), *place]

    def check(self, plugin: str, limits: Mapping[str, str]) -> Result:
        """Check with limits, given by their keys in a job's file."""
        words = self.words(plugin)
        for key, text in limits.items():
            state = "warning" if key.endswith("warning") else "critical"
            kind = key.removesuffix(state)
            words += [f"--{'' if kind in PLAIN else kind.replace('_', '-')}{state}", text]
        return run_plugin(plugin, words, environment=self.environment)

    def check_by_file(self, plugin: str, limits: Mapping[str, str]) -> Result:
        """Do the same with the limits in a job's file."""
        jobs = self.directory / "jobs"
        jobs.mkdir(exist_ok=True)
        text = "".join(f"{key} = {text}\n" for key, text in limits.items())
        place = f"destination = {URL}\narchive_dir = {self.directory}/archive\nname = web\n"
        write_job(jobs, "web", f"[job]\n{place}mail = {self.directory}/web.log\n{text}")
        more = ["--from-archive"] if plugin == "check_duplicity_freshness" else []
        words = ["-j", "web", "--jobs-dir", jobs, *more]
        return run_plugin(plugin, words, environment=self.environment)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    directory = tmp_path_factory.mktemp("site")
    now = datetime.now(timezone.utc)
    _backups(directory / "archive" / "web", now)
    _runs(directory / "web.log")
    state = directory / "state"
    state.mkdir(mode=0o700)
    environment = {"XDG_STATE_HOME": str(state)}
    with mock.patch.dict(os.environ, environment):
        path = history.path_of(URL, str(directory / "archive"), "web", ())
    good = Past(now - timedelta(hours=5), None, "", 2, 3, 5000, 12)
    full = (now - timedelta(days=2)).replace(microsecond=0)
    proved = {Volume(full, 1): int(time.time())}
    known = History(good.time, good, (good,), {full: 1, now.replace(microsecond=0): 1}, proved, ())
    assert history.kept(path, known) == ""
    return Site(directory, environment)


def _backups(archive: Path, now: datetime) -> None:
    """Make two chains of two sets; 80 of 200 files are left in the newest."""
    archive.mkdir(parents=True)
    for first, second, files in ((20, 19, 200), (2, 1, 80)):
        full, inc = (now - timedelta(days=days) for days in (first, second))
        listed = {f"f{number}": "new" for number in range(files)}
        text = manifest("/srv", [("f0", "f9")], listed)
        (archive / f"duplicity-full.{stamp(full)}.manifest").write_bytes(text)
        name = f"duplicity-inc.{stamp(full)}.to.{stamp(inc)}.manifest"
        (archive / name).write_bytes(manifest("/srv", [("f0", "f9")], {"f0": "changed"}))


def _runs(log: Path) -> None:
    """Write a run of yesterday, and one of now: smaller, a minute long, with unreadable files."""
    now = time.time()
    runs = []
    for ago, seconds, size, entries, errors in (
        (86400, 60, 10 << 20, 200, 0),
        (0, 90, 4 << 20, 80, 2),
    ):
        text = good_run()
        for name, value in (
            ("StartTime", now - ago - seconds), ("EndTime", now - ago), ("SourceFileSize", size),
            ("SourceFiles", entries), ("Errors", errors),
        ):  # fmt: skip
            text = re.sub(rf"(?m)^{name} [^ \n]*", f"{name} {value}", text)
        runs.append(text)
    log.write_text("".join(runs))


@pytest.fixture(scope="module")
def values(site: Site) -> dict[str, dict[str, int]]:
    """The numbers of each check on the site, by their labels."""
    seen = {}
    for plugin, kinds in KINDS.items():
        result = site.check(plugin, {"errors_warning": "2"} if "errors_" in kinds else {})
        seen[plugin] = {name: result.value(name) for name in result.performance}
    return seen


def within(kind: str, value: int) -> str:
    """Return the limit that a number just doesn't pass."""
    if JUDGED[kind].metavar == "PERCENT":
        return str(value + 1)
    return str(value + HOUR if label(kind) in OF_THE_CLOCK else value)


def passed(kind: str, value: int) -> str:
    """Return the limit that a number just passes."""
    if JUDGED[kind].metavar == "PERCENT":
        return str(value)
    if not value:
        return "1:"  # Below 0 is nothing: at least one.
    return str(value - HOUR if label(kind) in OF_THE_CLOCK else value - 1)


def all_within(plugin: str, values: Mapping[str, Mapping[str, int]]) -> dict[str, str]:
    """Return limits of all kinds of a check, none of which is passed."""
    found = ((kind, within(kind, values[plugin][label(kind)])) for kind in KINDS[plugin])
    return {key: text for kind, text in found for key in keys([kind])}


def test_every_kind_has_a_check() -> None:
    assert {kind for _, kind in CASES} == set(JUDGED)


def test_each_number_is_that_of_the_site(values: dict[str, dict[str, int]]) -> None:
    """So that no limit below is one of another number, or of 0 for the wrong reason."""
    freshness, log = values["check_duplicity_freshness"], values["check_duplicity_log"]
    assert [freshness[name] // 86400 for name in OF_THE_CLOCK] == [1, 2, 20]
    assert [freshness[name] for name in ("chain_length", "fulls", "shrunk")] == [2, 2, 60]
    sizes = {"source_size": 4 << 20, "backup_size": 108994, "duration": 90}
    assert {name: log[name] for name in sizes} == sizes
    assert (log["shrunk"], log["errors"]) == (60, 2)
    assert values["check_duplicity_process"] == {"elapsed": 0, "processes": 0, "stalled": 0}
    restore = values["check_duplicity_restore"]
    assert (restore["age"] // HOUR, restore["proved"]) == (5, 50)


@pytest.mark.parametrize("plugin", KINDS)
def test_nothing_is_wrong_at_the_limits_themselves(
    plugin: str, site: Site, values: dict[str, dict[str, int]]
) -> None:
    result = site.check(plugin, all_within(plugin, values))
    assert result.status == 0, result.out


@pytest.mark.parametrize("plugin", KINDS)
def test_each_key_of_a_jobs_file_is_a_limit_of_its_own_number(plugin: str, site: Site) -> None:
    limits = {key: str(71 + n) for n, key in enumerate(keys(KINDS[plugin]))}
    expected = {}
    for kind in KINDS[plugin]:
        less = JUDGED[kind].metavar == "PERCENT"  # What is reached counts: the range ends below.
        bounds = (int(limits[key]) - less for key in keys([kind]))
        expected[label(kind)] = ";".join(map(str, bounds))
    for result in (site.check_by_file(plugin, limits), site.check(plugin, limits)):
        given = {name: text.split(";", 1)[1][:-2] for name, text in result.performance.items()}
        assert {name: text for name, text in given.items() if text != ";"} == expected


@pytest.mark.parametrize(("plugin", "kind"), CASES)
def test_one_beside_it_is_a_warning_or_critical(
    plugin: str, kind: str, site: Site, values: dict[str, dict[str, int]]
) -> None:
    """Of two equal limits the critical one counts."""
    beside = passed(kind, values[plugin][label(kind)])
    for states, status in ((["warning"], 1), (["warning", "critical"], 2)):
        limits = {**all_within(plugin, values), **{f"{kind}{state}": beside for state in states}}
        result = site.check(plugin, limits)
        assert result.status == status, result.out
        assert f"(limit {beside})" in result.first_line


@pytest.mark.parametrize(("plugin", "kind"), CASES)
def test_a_critical_limit_below_the_warning_one_is_wrong_usage(
    plugin: str, kind: str, site: Site
) -> None:
    result = site.check(plugin, {f"{kind}warning": "8", f"{kind}critical": "7"})
    name = "" if kind in PLAIN else kind.replace("_", "-")
    assert result.status == 3
    assert f"wrong usage: --{name}critical is below the warning limit" in result.first_line
