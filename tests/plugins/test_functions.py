"""The plugins' own functions, in this process: what they ask and answer, without a machine."""

from __future__ import annotations

import os
import signal
from argparse import Namespace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from check_duplicity import commandline
from check_duplicity.duplicity.invocation import Invocation
from check_duplicity.jobs.model import Fact, Known
from check_duplicity.nagios.answer import Answer
from check_duplicity.nagios.commands import Job
from check_duplicity.nagios.findings import CannotSee, Kind, State
from check_duplicity.nagios.limits import age_limit
from check_duplicity.processes import see
from check_duplicity.processes.model import Process, Progress, Sight, Wanted
from check_duplicity.runs import see as runs
from check_duplicity.secrets import Secrets
from check_duplicity.system import proc
from check_duplicity.system.user import current
from plugin import BIN
from samples import NOW, ago

HIDDEN = "no backup to be seen, but the processes of others are hidden (hidepid)"


def load(name: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a plugin's names. It blocks signals, and starts anew if Python's variables are set."""
    for variable in [one for one in os.environ if one.startswith("PYTHON")]:
        monkeypatch.delenv(variable)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    names: dict[str, Any] = {"__name__": "plugin"}
    try:
        exec(compile((BIN / name).read_text(), BIN / name, "exec"), names)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return SimpleNamespace(**{key: value for key, value in names.items() if key != "__name__"})


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("8d", 691200), ("36h", 129600), ("1s", 1), ("0", None), ("0s", None), ("1d:8d", None),
        (":8d", None), ("", None), ("soon", None),
    ],
)  # fmt: skip
def test_a_time_to_look_back_is_one_age(
    text: str, seconds: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = load("check_duplicity_log", monkeypatch)
    if seconds is not None:
        assert log.lookback(text).upper == seconds
        return
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - the whole text is compared
        log.lookback(text)
    assert str(refused.value) == f"not a time to look back: {text!r} (write 8d or 36h)"


@pytest.mark.parametrize(
    ("hidden", "why"),
    [(True, "hidden (hidepid)"), (False, "not known: a backup runs; name its job (-j or -d)")],
)
def test_why_it_is_not_known_whether_a_run_goes_on(
    hidden: bool, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = load("check_duplicity_log", monkeypatch)
    monkeypatch.setattr(proc, "hides_others", lambda: hidden)
    reason = log.goes_on("/a.log")
    assert (reason.kind, reason.reason) == (
        Kind.HIDDEN, f"the last run in /a.log has no end, whether it goes on is {why}",
    )  # fmt: skip


def test_a_job_that_is_not_named_has_no_archive_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    log = load("check_duplicity_log", monkeypatch)
    for which in (("", "", ""), ("", "/a", ""), ("", "", "n")):
        assert log.newest_complete(*which, NOW) is None


class Check:
    """The process check's functions, on a machine with these processes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, state: Path) -> None:
        self.plugin = load("check_duplicity_process", monkeypatch)
        self.state = state
        self.sight = Sight((), sure=True)
        self.asked: list[Wanted] = []
        monkeypatch.setattr(see, "look", self.look)

    def look(self, wanted: Wanted) -> Sight:
        self.asked.append(wanted)
        return self.sight

    def answer(self, *words: str, minutes: int = 0) -> tuple[State, str] | tuple[Kind, str]:
        argv = [*words, "--state-file", str(self.state)]
        now = NOW + timedelta(minutes=minutes)
        options, _ = self.plugin.parse(argv, Secrets({}, argv), now)
        try:
            found: Answer = self.plugin.check(options, Job("backup"), now)
        except CannotSee as reason:
            return reason.kind, reason.reason
        return found.state, ""


BACKUP = Process(
    7, Invocation("full", "file:///x"), ago(hours=1), "backup", progress=Progress(1, 1, 1)
)


def test_what_is_not_seen_of_processes_is_unknown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    check = Check(monkeypatch, tmp_path / "state")
    check.sight = Sight((), sure=False)
    assert check.answer() == (Kind.HIDDEN, HIDDEN)
    check.sight = Sight((), sure=False, left_out={"root": 1})
    many = "too many processes of root look like duplicity"
    assert check.answer() == (Kind.HIDDEN, many)
    check.sight = Sight((), sure=True, left_out={"root": 1})
    assert check.answer() == (Kind.HIDDEN, many)
    check.sight = Sight((BACKUP,), sure=False, left_out={"root": 1})
    assert check.answer() == (Kind.HIDDEN, many)
    check.sight = Sight((BACKUP,), sure=False, left_out={"somebody": 1})
    assert check.answer()[0] is State.OK
    assert check.answer("-c", "30m", "-w", "20m")[0] is State.CRITICAL
    assert check.plugin.whose(None) == (current(), "root")
    assert check.plugin.whose("bk") == ("bk", "root")


def test_what_is_asked_of_the_machine_is_what_is_given(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    check = Check(monkeypatch, tmp_path / "state")
    check.answer()
    check.answer("-d", "file:///x", "-a", "/a", "-n", "web", "-u", "root")
    assert check.asked == [Wanted(), Wanted("file:///x", "/a", "web", "root")]
    assert not check.state.exists()


def test_progress_is_compared_with_what_an_earlier_check_saw(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tmp_path.chmod(0o700)
    check = Check(monkeypatch, tmp_path / "state")
    sight, wanted = Sight((BACKUP,), sure=True), Wanted(url="file:///x")
    state, progress = str(check.state), check.plugin.progress
    assert progress(state, wanted, sight, NOW) == ({7: 0.0}, [], "")
    assert progress(state, wanted, sight, NOW + timedelta(minutes=5)) == ({7: 300.0}, [], "")
    assert progress(state, wanted, Sight((), sure=True), NOW) == ({}, [], "")
    check.state.write_text("damaged")
    assert progress(state, wanted, sight, NOW) == (
        {7: 0.0}, [f"Progress is not known yet: {state}: is damaged, begun anew"], "",
    )  # fmt: skip
    gone = f"{tmp_path}/none/state"
    reason = f"it is not known whether it makes progress: {gone}: No such file or directory"
    assert progress(gone, wanted, sight, NOW) == ({}, [reason], reason)
    check.state, check.sight = Path(gone), sight
    kind, said = check.answer()
    assert kind is Kind.NO_MEMORY
    assert said.endswith(f", but {reason}; give it a --state-file")
    assert check.answer("-c", "30m", "-w", "20m")[0] is State.CRITICAL


@pytest.mark.parametrize(
    ("limit", "days"), [("8d", 8), ("192h", 8), ("7d", 8), ("9d", 9), ("2d:", 8)]
)
def test_a_freshness_check_reads_no_older_runs_than_it_needs(
    limit: str, days: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    def look(paths: object, memory: str, now: object, since: float, hide: object) -> object:
        asked.append((paths, memory, NOW.timestamp() - since))
        return SimpleNamespace(unread=["one"], runs=[])

    plugin = load("check_duplicity_freshness", monkeypatch)
    monkeypatch.setattr(runs, "to_read", lambda paths: paths)
    monkeypatch.setattr(runs, "look", look)
    options = Namespace(log=["/l"], job=None, critical=age_limit(limit))
    assert plugin.vouched(options, Job("backup"), NOW, Secrets({})) is None
    assert asked == [(["/l"], os.devnull, days * 86400)]


@pytest.mark.parametrize("text", ["0.1", "1", "86400", "1e3"])
def test_a_timeout_is_up_to_a_day(text: str) -> None:
    assert commandline._positive(text) == float(text)


@pytest.mark.parametrize("text", ["0", "-1", "86400.1", "86401", "nan", "inf", "", "1h"])
def test_no_other_timeout_is_taken(text: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - the whole text is compared
        commandline._positive(text)
    said = f"not a number of seconds: {text!r} (write a number up to 86400)"
    assert str(refused.value) == said


def test_without_a_job_there_is_nothing_on_the_output(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is printed goes into a job's file."""
    plugin = load("duplicity_triage", monkeypatch)
    known = Known("web", {"destination": Fact("file:///b", "/c:1"), "mail": Fact("/l", "/c:2")})
    options = Namespace(ini=True, jobs_dir="/j")
    for wanted, problems, out, said in (
        ([], ["one"], "", "one\nno job was found\n"),
        (
            [known],
            ["one"],
            "# /j/web.ini\n[job]\n# /c:1\ndestination = file:///b\n# /c:2\nmail = /l\n\n",
            "one\n",
        ),
    ):
        plugin.list_jobs(wanted, problems, options, None, Secrets({}))
        assert capsys.readouterr() == (out, said)


@pytest.mark.parametrize(
    ("text", "seconds"), [("1", 1), ("90", 90), ("20m", 1200), ("7d", 604800), ("168h", 604800)]
)
def test_a_time_to_wait_is_up_to_a_week(text: str, seconds: float) -> None:
    assert commandline._duration(text) == seconds


@pytest.mark.parametrize("text", ["0", "0s", "604801", "8d", "1:2", "", "soon", "-1", "~:5"])
def test_no_other_time_to_wait_is_taken(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a time to wait|not an age"):
        commandline._duration(text)
