"""Logs as on real hosts: a prefix of the lines doesn't change the verdict."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from check_duplicity.duplicity.run import Run
from check_duplicity.nagios.findings import State
from check_duplicity.runs.judge import judge, not_made_out, verdicts
from check_duplicity.runs.read import of_log
from check_duplicity.runs.reader import LogReader
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from samples import CAPTURES, NOW

RUNS = CAPTURES / "runs"
CAPTURED = sorted(path for path in RUNS.glob("*/*.*") if path.suffix in (".out", ".log"))
TEXTS = {path: path.read_text(errors="replace") for path in CAPTURED}
GOOD = (RUNS / "3.2.1/good-full.out").read_text()
LATEST = NOW.timestamp() + 86400
# What stands in front of a line, as these programs print it.
PREFIXES = {
    "ts": "Nov 25 02:00:01 ",
    "ts, a time of one digit": "Nov  5 02:00:01 ",
    "ts %.s": "1795566669.123456 ",
    "ts -i": "02:00:01 ",
    "journalctl short": "Nov 25 02:00:01 web1 duplicity[77]: ",
    "journalctl short-iso": "2026-11-25T02:00:01+0100 web1 bk.sh[77]: ",
    "journalctl short-iso-precise": "2026-11-25T02:00:01.123456+01:00 web1 bk.sh[77]: ",
    "journalctl short-precise": "Nov 25 02:00:01.123456 web1 bk.sh[77]: ",
    "journalctl short-full": "Wed 2026-11-25 02:00:01 CET web1 bk.sh[77]: ",
    "journalctl short-unix": "1795566669.123456 web1 bk[77]: ",
    "journalctl short-monotonic": "[   12.345678] web1 bk[77]: ",
    "journalctl export": "MESSAGE=",
    "logger -t": "Nov 25 02:00:01 web1 backup: ",
    "logger -s": "<13>Nov 25 02:00:01 root: ",
    "syslog, RFC 3164": "<13>Nov 25 02:00:01 web1 root: ",
    "syslog, RFC 5424": '<13>1 2026-11-25T02:00:01.123456+01:00 web1 bk 77 - [timeQuality k="1"] ',
    "syslog, RFC 5424, no data": "<13>1 2026-11-25T02:00:01Z web1 bk - - - ",
    "rsyslog": "2026-11-25T02:00:01.123456+01:00 web1 bk: ",
    "docker logs -t": "2026-11-25T02:00:01.123456789Z ",
    "docker compose": "web-1  | ",
    "docker compose -t": "web-1  | 2026-11-25T02:00:01.123456789Z ",
    "docker service": "backup.1.x7k@node1    | ",
    "the kubelet": "2026-11-25T02:00:01.123456789Z stdout F ",
    "backupninja": "Nov 25 02:00:01 Info: ",
    "duplicity --log-timestamp": "2026-11-25 02:00:01,123 NOTICE   ",
    "Python's logging": "2026-11-25 02:00:01,123 - backup - INFO - ",
    "loguru": "2026-11-25 02:00:01.123 | INFO     | main:run:12 - ",
    "date": "Wed Nov 25 02:00:01 CET 2026: ",
    "date in brackets": "[Wed Nov 25 02:00:01 CET 2026] ",
    "date in German": "Mi 25. Nov 02:00:01 CET 2026 ",
    "date -I": "2026-11-25T02:00:01+01:00 ",
    "ISO": "2026-11-25 02:00:01 ",
    "ISO and level": "[2026-11-25 02:00:01] [INFO] ",
    "ISO and a level in small": "2026-11-25 02:00:01 [info]: ",
    "level": "[INFO] ",
    "level and colon": "INFO: ",
    "systemd's level": "<6>",
    "epoch": "1795566669 ",
    "epoch in brackets": "[1795566669] ",
    "rsync": "2026/11/25 02:00:01 [77] ",
    "web server": "[25/Nov/2026:02:00:01 +0100] ",
    "German date": "25.11.2026 02:00:01 ",
    "compact date": "20261125-020001 ",
    "a site's own": "backup@web1> ",
    "a site's own, with a number": "#17 job=web | ",
    "a site's own, long": "** [web1/backup (nightly)] 2026-11-25 02h00 ** ",
}  # fmt: skip
LEARNED = {name for name in PREFIXES if name.startswith("a site") or name in (
    "loguru", "journalctl short-monotonic", "journalctl export", "date in German")}  # fmt: skip
SOME = sorted(TEXTS)[:: max(1, len(TEXTS) // 60)]


def runs_of(text: str) -> list[Run]:
    reader = LogReader(str, LATEST)
    for line in text.split("\n"):
        reader.read(line)
    return reader.runs()


def verdict(text: str) -> tuple[object, ...] | None:
    """State and kinds for a log in which only this is; nothing if no run is found."""
    runs = of_log("web", "web", "backup", runs_of(text))
    found = verdicts([run._replace(time=NOW.timestamp()) for run in runs], 0)
    if not found:
        return None
    if not_made_out(found):
        return (State.UNKNOWN,)
    findings = list(judge(found, NOW))
    state = max((finding.state for finding in findings), default=State.OK)
    return state, sorted(finding.kind.name for finding in findings)


def behind(prefix: str, text: str) -> str:
    return "\n".join(prefix + line for line in text.split("\n"))


@pytest.mark.parametrize("name", PREFIXES)
def test_a_prefix_changes_no_verdict(name: str) -> None:
    for path in SOME:
        found = verdict(behind(PREFIXES[name], TEXTS[path]))
        bare = verdict(TEXTS[path])
        # In some there is too little to know the prefix by.
        assert found == bare or (name in LEARNED and found in (None, (State.UNKNOWN,))), path


@pytest.mark.parametrize("name", PREFIXES)
def test_a_good_run_is_good_behind_each(name: str) -> None:
    assert verdict(behind(PREFIXES[name], GOOD)) == (State.OK, [])


@pytest.mark.parametrize("name", PREFIXES)
def test_a_failure_after_a_good_run_is_not_lost(name: str) -> None:
    failure = "BackendException: Could not initialize backend: No module named 'paramiko'"
    same, bare = behind(PREFIXES[name], GOOD), GOOD
    assert verdict(f"{same}\n{PREFIXES[name]}{failure}") == (State.CRITICAL, ["MODULE"])
    found = verdict(f"{bare}\n{PREFIXES[name]}{failure}")
    assert found in ((State.CRITICAL, ["MODULE"]), (State.UNKNOWN,))
    assert found != (State.UNKNOWN,) or name in LEARNED


@given(
    st.sampled_from(sorted(PREFIXES)),
    st.sampled_from(CAPTURED),
    st.dates(date(2001, 9, 9)),
)
def test_any_known_prefix_in_front_of_any_run_gives_the_bare_runs_verdict(
    name: str, path: Path, day: date
) -> None:
    assume(name not in LEARNED)
    prefix = PREFIXES[name].replace("2026-11-25", str(day))
    assert verdict(behind(prefix, TEXTS[path])) == verdict(TEXTS[path])


def means_nothing(text: str) -> bool:
    return not any(runs_of(text + end) for end in ("", " ", "x", "\n"))


WORDS = st.one_of(
    st.text(max_size=30),
    st.lists(
        st.sampled_from(
            ["web1", "backup", "[", "]", ": ", "> ", " ", "INFO", "ERROR", "12", "02:00:01", "Nov",
             "2026-11-25", "T", "|", "duplicity", "gpg: ", "Warning, ", "Error: ", "--- ", ". "]
        ),
        max_size=6,
    ).map("".join),
)  # fmt: skip


@settings(max_examples=400)
@given(WORDS, st.sampled_from(CAPTURED))
def test_any_text_in_front_gives_the_bare_runs_verdict_or_unknown(prefix: str, path: Path) -> None:
    assume("\n" not in prefix and means_nothing(prefix))
    found = verdict(behind(prefix, TEXTS[path]))
    assert found in (None, (State.UNKNOWN,)) or found == verdict(TEXTS[path])


@settings(max_examples=300)
@given(WORDS, st.sampled_from(CAPTURED))
def test_any_text_in_front_of_a_failure_after_a_good_run_is_no_ok(prefix: str, path: Path) -> None:
    bare = verdict(TEXTS[path])
    assume("\n" not in prefix and means_nothing(prefix))
    assume(bare is not None and bare[0] == State.CRITICAL and bare[1] != ["RUN_FAILED"])
    assert verdict(GOOD + behind(prefix, TEXTS[path])) not in (None, (State.OK, []))


@given(st.sampled_from(sorted(PREFIXES)), st.lists(st.sampled_from(SOME), max_size=3), st.data())
def test_reading_can_be_left_and_gone_on_with_behind_any_prefix(
    name: str, paths: list[Path], data: st.DataObject
) -> None:
    lines = [PREFIXES[name] + line for path in paths for line in TEXTS[path].split("\n")]
    at = data.draw(st.integers(0, len(lines)))
    whole, first = LogReader(str, LATEST), LogReader(str, LATEST)
    for line in lines[:at]:
        first.read(line)
    second = LogReader(str, LATEST, json.loads(json.dumps(first.keep())))
    for line in lines[at:]:
        second.read(line)
    for line in lines:
        whole.read(line)
    assert second.runs()[-2:] == whole.runs()[-2:]


def of_journald(line: str, message: object = None, **more: str) -> str:
    record = {
        "__REALTIME_TIMESTAMP": "1795566669123456", "_HOSTNAME": "web1", "PRIORITY": "6",
        "SYSLOG_IDENTIFIER": "bk.sh", "_PID": "77", "MESSAGE": message or line, **more,
    }  # fmt: skip
    return json.dumps(record)


RECORDS: dict[str, Callable[[str], str]] = {
    "journalctl -o json": of_journald,
    "journalctl -o json, bytes": lambda line: of_journald(line, list(line.encode()) or [32]),
    "docker's json-file": lambda line: json.dumps(
        {"log": f"{line}\n", "stream": "stdout", "time": "2026-11-25T02:00:01.123456789Z"}
    ),
    "a logger's": lambda line: json.dumps(
        {"level": "info", "timestamp": "2026-11-25 02:00:01", "message": line}
    ),
    "a logger's, no time": lambda line: json.dumps({"msg": line}),
}


@pytest.mark.parametrize("name", RECORDS)
def test_a_line_in_json_is_read_as_without_it(name: str) -> None:
    for path in CAPTURED:
        bare = TEXTS[path]
        lines = [RECORDS[name](line) for line in bare.split("\n")]
        assert verdict("\n".join(lines)) == verdict(bare), path


def test_a_record_with_many_lines_and_the_words_of_systemd() -> None:
    good = of_journald(GOOD)
    assert verdict(good) == verdict(GOOD)
    killed = "bk.service: Failed with result 'oom-kill'."
    assert verdict(f"{good}\n{of_journald(killed, SYSLOG_IDENTIFIER='systemd')}") == (
        State.CRITICAL, ["KILLED"]
    )  # fmt: skip


@pytest.mark.parametrize(
    "text", ["{", "{}", '{"a": 1}', '{"MESSAGE": 3}', '{"log": null}', "[" * 9999, '{"a":' * 9999]
)
def test_what_is_no_record_is_a_line_as_any(text: str) -> None:
    assert verdict(f"{GOOD}{text}\n{text}}}") == verdict(GOOD)
