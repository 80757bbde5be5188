"""Facts of a job's file, of its script and of several lines become one job."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from check_duplicity.jobs import by_name, entries, running, see
from check_duplicity.jobs.job_file import names
from check_duplicity.jobs.model import Fact, Known
from check_duplicity.jobs.search import Search
from check_duplicity.nagios.findings import CannotSee, Kind
from check_duplicity.shell.model import Command
from check_duplicity.shell.reading import read_commands
from check_duplicity.system import rights
from check_duplicity.system.user import current
from found import JOBS_D, Files, write

BK = frozenset(["bk"])
COMMENTED_OUT = "/c:1: is commented out"


def known(environment: str = "", by: frozenset[str] = rights.NOBODY, **facts: str) -> Known:
    variables = {"A": environment} if environment else {}
    given = {key: Fact(value, "/w", by) for key, value in facts.items()}
    return Known("web", given, variables, environment_by=by)


def told(job: Known) -> tuple[dict[str, str], dict[str, str], frozenset[str]]:
    facts = {key: fact.value for key, fact in job.facts.items()}
    return facts, dict(job.environment), job.environment_by


@pytest.mark.parametrize(
    ("filed", "found", "whole"),
    [
        (known("f", user="a", destination="x"), known("s", BK, user="a", name="n"),
         ({"user": "a", "destination": "x"}, {"A": "f"}, rights.NOBODY)),
        (known("f", user="bk", destination="x"), known("s", BK, user="bk", name="n"),
         ({"user": "bk", "destination": "x", "name": "n"}, {"A": "f"}, rights.NOBODY)),
        (known(user="bk", destination="x"), known("s", BK, user="bk", name="n"),
         ({"user": "bk", "destination": "x", "name": "n"}, {"A": "s"}, BK)),
        (known(user="a", destination="x"), known("s", BK, user="a", destination="x"),
         ({"user": "a", "destination": "x"}, {}, rights.NOBODY)),
        (known(user="a", destination="x"), known("s", user="a", destination="y"),
         ({"user": "a", "destination": "x"}, {}, rights.NOBODY)),
        (known(user="a"), known("s", user="b", destination="y"),
         ({"user": "a"}, {}, rights.NOBODY)),
        (known(warning="1D"), known("s", BK, user="bk", destination="y"),
         ({"warning": "1D", "user": "bk", "destination": "y"}, {"A": "s"}, BK)),
        (known(script="x"), known("s", user="bk", destination="y"),
         ({"script": "x"}, {}, rights.NOBODY)),
        (known(script="x"), known("s", user="root", destination="y"),
         ({"script": "x", "user": "root", "destination": "y"}, {"A": "s"}, rights.NOBODY)),
        (known(destination="y"), known("s", user="root", destination="y"),
         ({"destination": "y"}, {}, rights.NOBODY)),
    ],
)  # fmt: skip
def test_a_file_and_what_is_found(
    filed: Known, found: Known,
    whole: tuple[dict[str, str], dict[str, str], frozenset[str]],
) -> None:  # fmt: skip
    assert told(see.merged(filed, found)) == whole
    assert see.merged(filed, None) == filed


def test_the_files_doubts_count_if_it_has_the_destination() -> None:
    found = known(user="a")._replace(doubts=("other", COMMENTED_OUT), starter="root")
    filed = known(user="a", destination="x")._replace(doubts=("own",))
    assert see.merged(filed, found).doubts == ("own", COMMENTED_OUT)
    assert see.merged(filed.without(["destination"]), found).doubts == found.doubts
    assert see.merged(filed, found).starter == "root"


def test_both_who_decide_a_schedule_of_two_lines_count(tmp_path: Path) -> None:
    files: Files = {
        "/etc/cron.d/a": "0 1 * * * root duplicity / file:///b\n",
        "/etc/cron.d/b": "0 2 * * * root duplicity full / file:///b\n",
    }
    for anybodys in ("a", "b"):
        write(tmp_path, files)
        (tmp_path / "etc").chmod(0o755)
        (tmp_path / f"etc/cron.d/{anybodys}").chmod(0o646)
        (job,) = see.find(str(tmp_path) + JOBS_D, str(tmp_path)).jobs
        schedule = job.facts["schedule"]
        assert schedule.value == "0 1 * * *; 0 2 * * *"
        assert schedule.by == {"any user"}


def test_of_one_name_the_first_found_job_is_taken() -> None:
    jobs = (Known("a", {}), known(name="1"), known(name="2"))
    assert by_name.among(jobs, "web", JOBS_D) is jobs[1]
    with pytest.raises(CannotSee) as refused:
        by_name.among(jobs, "x", JOBS_D)
    assert refused.value.kind is Kind.NO_JOB
    assert refused.value.reason == (
        f"no job x: there is no {JOBS_D}/x.ini, and nothing starts it (found: a, web, web)"
    )
    with pytest.raises(CannotSee, match=r"\(found: none\)$"):
        by_name.among((), "x", JOBS_D)


def test_what_a_script_exports_is_its_jobs(tmp_path: Path) -> None:
    script = tmp_path / "b.sh"
    script.write_text("export A=1\nduplicity / file:///a\nexport A=2\nduplicity / file:///b\n")
    script.chmod(0o644)
    facts = {"user": current(), "script": str(script), "destination": "file:///b"}

    def job_with(environment: str = "", **other: str) -> Known:
        return known(environment, rights.NOBODY, **{**facts, **other})

    job = job_with()
    assert by_name.with_environment(job).environment == {"A": "2"}
    for changed in (
        job_with("own"),
        job_with(script=f"nice {script}"),
        job_with(destination="file:///c"),
        job_with(script=f"{script};"),
        job_with(script=""),
    ):
        assert by_name.with_environment(changed) == changed
    script.chmod(0o646)
    who = rights.named({"any user", current()} - {"root"})
    doubt = f"{who} can change {script}, so nothing that it exports goes to {current()}"
    assert by_name.with_environment(job) == job._replace(doubts=(doubt,))
    script.chmod(0o644)
    script.write_text("duplicity / 'file:///b\n")
    assert by_name.with_environment(job) == job


def test_a_file_with_a_destination_is_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(see, "find", lambda jobs_dir: see.Found((known(name=jobs_dir),), ()))
    jobs_dir = str(tmp_path)
    assert told(by_name.job("web", jobs_dir))[0] == {"name": jobs_dir}
    (tmp_path / "web.ini").write_text("[job]\nname = n\n")
    (tmp_path / "web.ini").chmod(0o644)
    assert told(by_name.job("web", jobs_dir))[0] == {"name": jobs_dir}
    (tmp_path / "web.ini").write_text("[job]\ndestination = file:///b\n")
    assert told(by_name.job("web", jobs_dir))[0] == {"destination": "file:///b"}
    (tmp_path / "-x.ini").touch()
    (tmp_path / "a.ini").touch()
    (tmp_path / "b.ini~").touch()
    assert names(jobs_dir) == ["a", "web"]
    assert names(f"{jobs_dir}/none") == []


@pytest.mark.parametrize(
    ("status", "output", "jobs"), [(0, b"@daily a\xff\n", ["a\ufffd"]), (1, b"@daily a\n", [])]
)
def test_the_own_crontab_is_asked_of_crontab(
    monkeypatch: pytest.MonkeyPatch, status: int, output: bytes, jobs: list[str]
) -> None:
    done = subprocess.CompletedProcess([], status, output)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: done)
    monkeypatch.setattr(Search, "glob", lambda *_: [])
    found = list(entries.started(Search("/")))
    assert [entry.command for entry in found] == jobs
    origin = ("crontab -l:1", current(), frozenset({current()} - {"root"}))
    assert [(e.origin, e.user, e.by) for e in found] == [origin] * len(jobs)


@pytest.mark.parametrize("error", [OSError(), subprocess.TimeoutExpired("crontab", 5)])
def test_without_crontab_there_is_no_own_crontab(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def run(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(Search, "glob", lambda *_: [])
    assert list(entries.started(Search("/"))) == []


NO_BACKUP = [
    *("purge", "prune", "delete", "remove", "clean", "forget", "expire", "rotate", "wipe"),
    *("restore", "fetch", "verify", "check", "status", "list", "help", "usage", "version"),
    *("dryrun", "dry-run", "--remove-older-than", "-LIST"),
]


@pytest.mark.parametrize(
    ("line", "may"),
    [
        *((f"/s/b.sh x {word}", True) for word in NO_BACKUP), ("remove", False),
        ("/s/b.sh backup", False), ("/s/b.sh ---list", False), ("/s/b.sh a/list", False),
    ],
)  # fmt: skip
def test_arguments_about_something_else_than_a_backup(line: str, *, may: bool) -> None:
    assert running.may_delete(line) is may


@pytest.mark.parametrize(
    ("line", "again"),
    [
        ("/s/b.sh a", "/s/b.sh a"), ("duplicity / file:///b; x", "duplicity / file:///b; x"),
        *(
            (f"duplicity / file:///b; duplicity {action} file:///b", "duplicity / file:///b")
            for action in ("remove-older-than 1M", "cleanup", "ro 1M", "ra 2", "ri 2", "cl")
        ),
        ("duplicity cleanup file:///b", ""),
        ("duplicity / file:///a; duplicity / file:///b; duplicity cleanup file:///b", ""),
        ("duplicity / 'file:///a b'; duplicity cleanup file:///b", ""),
        ("duplicity / $X; duplicity cleanup file:///b", ""),
        ("duply web backup_purge", "duply web backup"), ("duply web purge", ""),
        ("duply web full --x; duply web cleanup", "duply web full --x"),
        ("duply web backup_CLEANUP --force", "duply web backup"),
    ],
)  # fmt: skip
def test_what_deletes_is_not_run_again(line: str, again: str) -> None:
    commands: list[Command] = read_commands(line)
    assert running.without_deleting(line, commands) == again
