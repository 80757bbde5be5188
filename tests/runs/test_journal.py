"""systemd's journal: invocations of a unit are runs, and so are the lines of a tag."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path

import journals
import pytest
from check_duplicity.nagios.findings import CannotSee
from check_duplicity.runs.files import Look
from check_duplicity.runs.journal import _Stream as journal_of_tags
from check_duplicity.runs.journal import place_of
from check_duplicity.secrets import Secrets
from check_duplicity.system.journal import Place
from journals import needs_journal, of_tag, of_unit
from plugin import Result, ageless, run_plugin
from samples import CAPTURES

RUNS = CAPTURES / "runs"
GOOD = (RUNS / "3.2.1/good-full.out").read_text()
FAILED = (RUNS / "3.2.1/nospace-dest.out").read_text()
BEGUN = "Local and Remote metadata are synchronized, no sync needed.\n"
NOW = time.time()
HOUR = 3600
# Whatever runs on this machine is not its backup.
NOBODYS = ("-d", "sftp://nobodys.invalid/x")


def check(
    what: str, where: Path, *, state: Path | None = None, more: tuple[object, ...] = ()
) -> Result:
    memory = state or where.with_name("forgotten")
    result = run_plugin(
        "check_duplicity_log",
        [*NOBODYS, "--state-file", memory, "-v", *more, f"journal:{what},{where}"],
    )
    if state is None:
        memory.unlink(missing_ok=True)
    return result


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    tmp_path.chmod(0o700)
    return tmp_path / "test.journal"


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("journal:bk", Place("bk")),
        ("journal:backup@web.service", Place("backup@web.service")),
        ("journal:backup@web,/var/log/journal", Place("backup@web", "", "/var/log/journal")),
        ("journal:tag=bk", Place("", "bk")),
        ("journal:tag=bk,/a/b,/c", Place("", "bk", "/a/b,/c")),
    ],
)
def test_what_is_read_of_which_journal(path: str, place: Place) -> None:
    assert place_of(path) == place


@pytest.mark.parametrize("path", ["journal:", "journal:tag=", "journal:,/x", "journal:a\nb"])
def test_what_names_nothing_is_refused(path: str) -> None:
    with pytest.raises(CannotSee, match="write journal:UNIT"):
        place_of(path)
    result = run_plugin("check_duplicity_log", [path])
    assert result.status == 3
    assert "write journal:UNIT" in result.first_line


@needs_journal
def test_a_good_invocation_is_good_at_the_journals_time(journal: Path) -> None:
    journals.write(journal, of_unit(GOOD, NOW - 3 * HOUR, invocation=1))
    found = check("bk", journal)
    assert found.status == 0
    assert found.first_line.startswith("DUPLICITY LOG OK - bk on h: good 3h")
    assert found.value("runs") == 1


ENDS: dict[str, dict[str, str]] = {
    "status": {"result": "exit-code", "EXIT_CODE": "exited", "EXIT_STATUS": "50"},
    "oom": {"result": "oom-kill", "EXIT_CODE": "killed", "EXIT_STATUS": "9"},
    "signal": {"result": "signal", "EXIT_CODE": "killed", "EXIT_STATUS": "15"},
    "timeout": {"result": "timeout", "EXIT_CODE": "killed", "EXIT_STATUS": "15"},
}


@needs_journal
@pytest.mark.parametrize("text", [GOOD, BEGUN, "", "what the script says\n"])
@pytest.mark.parametrize("end", ENDS)
def test_what_systemd_calls_failed_has_failed(end: str, text: str, journal: Path) -> None:
    """Whatever duplicity has said, and after a good run of yesterday."""
    records = of_unit(GOOD, NOW - 26 * HOUR, invocation=1)
    records += of_unit(text, NOW - HOUR, invocation=2, **ENDS[end])
    journals.write(journal, records)
    found = check("bk", journal)
    assert found.status == 2
    assert "bk on h: failed 1h " in found.first_line
    if end != "status":
        assert "it was ended before it was done" in found.first_line
    result = ENDS[end]["result"]
    assert f"It said: bk.service: Failed with result '{result}'." in found.out
    journals.write(journal, of_unit(GOOD, NOW - 60, invocation=3))
    assert check("bk", journal).status == 0


@needs_journal
def test_duplicitys_own_reason_is_told(journal: Path) -> None:
    end = ENDS["status"]
    journals.write(journal, of_unit(FAILED, NOW - HOUR, invocation=1, **end))
    assert "no space left at the destination" in check("bk", journal).first_line


@needs_journal
def test_an_exit_status_that_the_unit_takes_for_good_is_good(journal: Path) -> None:
    """SuccessExitStatus=: systemd says so."""
    records = of_unit(
        GOOD, NOW - HOUR, invocation=1, EXIT_CODE="exited", EXIT_STATUS="1"
    )  # fmt: skip
    journals.write(journal, records)
    assert check("bk", journal).status == 0


@needs_journal
def test_a_quiet_unit_that_ended_well_is_without_complaint(journal: Path) -> None:
    journals.write(journal, of_unit("", NOW - HOUR, invocation=1))
    found = check("bk", journal)
    assert found.status == 0
    assert "ended without complaint" in found.first_line


@needs_journal
def test_an_invocation_that_never_ended_was_killed_if_another_has_begun(journal: Path) -> None:
    """The machine went down."""
    records = of_unit(GOOD, NOW - 50 * HOUR, invocation=1)
    records += of_unit(BEGUN, NOW - 26 * HOUR, invocation=2, result=None)
    journals.write(journal, records)
    assert check("bk", journal).status == 2
    journals.write(journal, of_unit(GOOD, NOW - HOUR, invocation=3))
    assert check("bk", journal).status == 0


@needs_journal
@pytest.mark.parametrize("what", ["bk", "tag=bk"])
def test_a_cursor_changes_no_answer(what: str, journal: Path, tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    steps = [
        (GOOD, "success", 90), (FAILED, "exit-code", 70), ("", "success", 60), (BEGUN, None, 50),
        (GOOD, "success", 40), (BEGUN, "oom-kill", 30), (GOOD, "success", 20),
    ]  # fmt: skip
    for number, (text, result, hours) in enumerate(steps, start=1):
        when = NOW - hours * HOUR
        records = (
            of_tag(text, when)
            if what == "tag=bk"
            else of_unit(text, when, invocation=number, result=result)
        )
        for part in (records[: len(records) // 2], records[len(records) // 2 :]):
            if part:
                journals.write(journal, part)
                expected = check(what, journal)
                for _ in range(2):
                    found = check(what, journal, state=state)
                    # The minute may be another one by then.
                    said = ageless(found.out)
                    assert (found.status, said) == (expected.status, ageless(expected.out))
    assert "cursor" in state.read_text()


@needs_journal
def test_a_cursor_that_is_nonsense_is_forgotten(journal: Path, tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    journals.write(journal, of_unit(FAILED, NOW - HOUR, invocation=1, result="exit-code"))
    first = check("bk", journal, state=state)
    from check_duplicity.system import memory

    for nonsense in ("x", 3, None, ["--vacuum-size=1"]):
        kept = memory.recall(str(state))
        for path in kept["paths"]:
            kept["paths"][path]["cursor"] = nonsense
        memory.remember(str(state), kept, make_directory=False)
        assert check("bk", journal, state=state).status == first.status == 2


@needs_journal
def test_lines_of_a_tag_are_runs(journal: Path) -> None:
    journals.write(journal, of_tag(GOOD, NOW - 50 * HOUR) + of_tag(FAILED, NOW - 2 * HOUR, pid=78))
    found = check("tag=bk", journal)
    assert found.status == 2
    assert "bk on h: failed 2h " in found.first_line
    journals.write(journal, of_tag(GOOD, NOW - HOUR, pid=79))
    found = check("tag=bk", journal)
    assert found.status == 0
    assert "good 1h" in found.first_line


@needs_journal
def test_anybody_can_use_a_tag_and_it_says_nothing(journal: Path) -> None:
    journals.write(journal, of_tag(FAILED, NOW - 2 * HOUR))
    journals.write(journal, of_tag(GOOD, NOW - HOUR, uid=65534))
    found = check("tag=bk", journal)
    assert found.status == 2
    assert "Passed over: " in found.out


@needs_journal
def test_what_only_systemd_may_say_counts_of_systemd_only(journal: Path) -> None:
    """A script can write any field that has no underscore in front."""
    records = of_unit(FAILED, NOW - HOUR, invocation=1, result=None)
    forged = {**records[-1], "UNIT": "bk.service", "MESSAGE_ID": journals.SUCCEEDED}
    journals.write(journal, [*records, forged])
    assert check("bk", journal).status == 2


@needs_journal
def test_hosts_and_units_in_one_journal_are_jobs_of_their_own(journal: Path) -> None:
    records = of_unit(FAILED, NOW - 2 * HOUR, invocation=1, result="exit-code", host="a")
    records += of_unit(GOOD, NOW - HOUR, invocation=2, host="b")
    journals.write(journal, records)
    found = check("bk", journal)
    assert found.status == 2
    assert "bk on a: failed" in found.first_line
    assert found.value("runs") == 2
    journals.write(journal, of_unit(GOOD, NOW - 60, invocation=3, unit="backup@x.service"))
    assert check("backup@*", journal).status == 0


@needs_journal
def test_a_journals_directory_is_read(journal: Path, tmp_path: Path) -> None:
    (tmp_path / "journal").mkdir()
    journals.write(
        tmp_path / "journal/a.journal",
        of_unit(FAILED, NOW - HOUR, invocation=1, result="exit-code"),
    )
    assert check("bk", tmp_path / "journal").status == 2


@needs_journal
def test_bytes_and_long_lines_are_read(journal: Path) -> None:
    records = of_unit(FAILED, NOW - HOUR, invocation=1, result="exit-code")
    odd = [
        {**records[1], "MESSAGE": b"caf\xe9 \x1b[1m\0"},
        {**records[1], "MESSAGE": "x" * 2_000_000},
    ]
    journals.write(journal, [*records[:1], *odd, *records[1:]])
    assert check("bk", journal).status == 2


@needs_journal
def test_an_unknown_unit_is_unknown_with_what_to_do(journal: Path) -> None:
    journals.write(journal, of_unit(GOOD, NOW - HOUR, invocation=1))
    found = check("nosuch", journal)
    assert found.status == 3
    assert f"journal:nosuch,{journal}: not a line in the journal; " in found.first_line
    assert "systemctl list-units" in found.first_line
    found = check("bk", journal, more=("--lookback", "10m"))
    assert found.status == 3
    assert "no run of duplicity" in found.first_line


@needs_journal
def test_a_journal_that_is_not_there_is_unknown(tmp_path: Path) -> None:
    found = check("bk", tmp_path / "nosuch.journal")
    assert found.status == 3
    assert "No such file" in found.first_line


def test_without_journalctl_it_is_unknown(tmp_path: Path) -> None:
    found = run_plugin("check_duplicity_log", ["journal:bk"], environment={"PATH": str(tmp_path)})
    assert found.status == 3
    assert "there is no journalctl on this machine" in found.first_line


@pytest.mark.parametrize(
    "said",
    [
        # systemd 252 and 239.
        "Hint: You are currently not seeing messages from other users and the system.",
        "No journal files were opened due to insufficient permissions.",
    ],
)
def test_who_may_not_read_the_journal_is_told_what_to_do(said: str, tmp_path: Path) -> None:
    """Even if there are records: those of others, which say how it ended, are not among them."""
    tmp_path.chmod(0o755)
    program = tmp_path / "journalctl"
    program.write_text(f"#!/bin/sh\necho '{said}' >&2\necho '{json.dumps({})}'\n")
    program.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    found = run_plugin("check_duplicity_log", ["journal:bk"], environment={"PATH": path})
    assert found.status == 3
    assert "may not read the journal: usermod -aG systemd-journal " in found.first_line


def test_a_journalctl_that_writes_anything_ends_in_one_valid_output(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    program = tmp_path / "journalctl"
    for text in (
        "{",
        "{}",
        '{"__REALTIME_TIMESTAMP": "x"}',
        "[]",
        '{"MESSAGE": [1, 999, "x"]}',
        "\0",
    ):
        (tmp_path / "text").write_text(text + "\n")
        program.write_text(f"#!/bin/sh\ncat {tmp_path}/text\n")
        program.chmod(0o755)
        path = f"{tmp_path}:{os.environ['PATH']}"
        for what in ("bk", "tag=bk"):
            found = run_plugin(
                "check_duplicity_log", [f"journal:{what}"], environment={"PATH": path}
            )
            assert found.status == 3
            assert "error in the plugin" not in found.out


@needs_journal
def test_a_jobs_file_may_name_a_unit(journal: Path, tmp_path: Path) -> None:
    assert shutil.which("journalctl")
    journals.write(journal, of_unit(FAILED, NOW - HOUR, invocation=1, result="exit-code"))
    jobs = tmp_path / "jobs"
    jobs.mkdir()
    jobs.chmod(0o755)
    (jobs / "test-of-journal.ini").write_text(f"[job]\nmail = journal:bk,{journal}\n")
    (jobs / "test-of-journal.ini").chmod(0o644)
    found = run_plugin("check_duplicity_log", ["-j", "test-of-journal", "--jobs-dir", jobs])
    assert found.status == 2
    assert "failed 1h " in found.first_line


def test_a_unit_is_no_password() -> None:
    """Though it is written like a user and a password without a scheme."""
    for path in ("journal:duplicity", "journal:backup@web.service", "journal:tag=bk,/var/log/x"):
        assert Secrets({}, [path]).hide(f"{path}: not a line") == f"{path}: not a line"
    assert "hunter2" not in Secrets({}, ["me:hunter2@host"]).hide("me:hunter2@host")


@pytest.mark.parametrize("pause", [11, 3600])
def test_a_run_of_a_tag_ends_with_its_last_line(pause: int) -> None:
    stream = journal_of_tags(Look(NOW, 0, str))
    ends, now = [], 0.0
    for _ in range(3):
        for line in GOOD.rstrip("\n").split("\n"):
            now += 1
            stream.add({"MESSAGE": line, "__REALTIME_TIMESTAMP": str(int(now * 1e6))})
        ends.append(now)
        now += pause
    found = list(stream.logged("journal:tag=bk", Place("", "bk"), "h"))
    assert [run.time for run in found] == ends
    assert [(run.job, run.name, run.whole) for run in found] == [("journal:tag=bk", "bk", True)] * 3
