"""Wrong usage, help and version; saved output from files and standard input."""

from __future__ import annotations

import getpass
import os
import re
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from plugin import BIN, ROOT, freshness, run_plugin, write_job
from samples import CAPTURES, full, stamp

PLUGINS = sorted(path.name for path in (ROOT / "plugins").iterdir())


@pytest.mark.parametrize("plugin", PLUGINS)
def test_help_and_version_exit_with_3(plugin: str) -> None:
    shown = run_plugin(plugin, ["--help"])
    assert shown.status == 3
    assert shown.out.startswith(f"usage: {plugin} [options]")
    version = run_plugin(plugin, ["-V"])
    assert (version.status, version.out.split()[0]) == (3, plugin)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "no destination: give -j JOB, -d URL, --from-archive or --from-file FILE"),
        (["--critcal", "5h", "-d", "x://y"], "unrecognized arguments: --critcal 5h"),
        (["--crit", "5h", "-d", "x://y"], "unrecognized arguments: --crit 5h"),
        (["-d", "x://y", "-w", "soon"], "argument -w/--warning: not an age: 'soon'"),
        (["-d", "x://y", "--chain-warning", "7d"], "argument --chain-warning: not a range: '7d'"),
        (["-d", "x://y", "-t", "0"], "argument -t/--timeout: not a number of seconds: '0'"),
        (["-d", "x://y", "-t--"], "argument -t/--timeout: "),
        (["-w--", "-d", "x://y"], "argument -w/--warning: "),
        (["-d", "x://y", "-t", "nan"], "argument -t/--timeout: not a number of seconds: 'nan'"),
        (["-d", "x://y", "-w", "60h", "-c", "30h"], "--critical is below the warning limit"),
        (["-d", "file://srv/backup"], "file:// needs a path from the root"),
        (["-d"], "argument -d/--destination: expected one argument"),
        (["x://user:geheim@y"], "unrecognized arguments: x://user:***@y"),
        (["--from-archive"], "--from-archive needs -d URL, or both -a ARCHIVE_DIR and -n NAME"),
        (["--from-archive", "--from-file", "x"], "not allowed with argument --from-archive"),
        (["-d", "x://y", "--duplicity", ""], "argument --duplicity: no command"),
        (["-d", "x://y", "--", "--archive-dir=/x"], "--archive-dir=/x is the check's own"),
        (["-d", "x://y", "--", "--log-fi=/x"], "--log-fi=/x is the check's own"),
        (["-d", "x://y", "--", "--log-fd", "1"], "--log-fd is the check's own"),
        (["-d", "x://y", "--", "--log-fil=/x"], "--log-fil=/x is the check's own"),
    ],
)
def test_wrong_usage_is_unknown_in_one_line(arguments: list[str], reason: str) -> None:
    result = freshness(*arguments)
    assert result.status == 3
    assert result.out.startswith("DUPLICITY FRESHNESS UNKNOWN - wrong usage: ")
    assert reason in result.out
    assert result.out.count("\n") == 1


def test_a_critical_limit_alone_may_be_below_the_default_warning(tmp_path: Path) -> None:
    assert freshness("-d", f"file://{tmp_path}/none", "-c", "24h").status == 2
    assert run_plugin("check_duplicity_process", ["-c", "1h", "-d", "file:///none"]).status == 0
    crossed = ["--stalled-warning", "3h", "--stalled-critical", "1h"]
    assert run_plugin("check_duplicity_process", crossed).status == 3


def test_quiet_prints_the_first_line_only(tmp_path: Path) -> None:
    result = freshness("-d", f"file://{tmp_path}/none", "-q")
    assert result.status == 2
    assert result.out.count("\n") == 1


@pytest.mark.parametrize("quiet", [[], ["-q"]])
def test_a_listing_of_a_megabyte_is_read(quiet: list[str], tmp_path: Path) -> None:
    now = datetime.now(timezone.utc)
    names = [name for hours in range(1, 200) for name in full(now - timedelta(hours=hours), 100)]
    listing = tmp_path / "listing"
    listing.write_text("\n".join(names))
    result = freshness("--from-file", listing, *quiet)
    assert (result.status, result.value("volumes")) == (0, 19900)


def test_verbosity_shows_chains_and_sets() -> None:
    log = CAPTURES / "3.2.1" / "private-archive" / "interrupted_inc.log"
    result = freshness("--from-file", log, "-vv", environment={"TZ": "Asia/Tokyo"})
    assert result.out.split("\n")[-5:-1] == [
        "Chain of 1 set, 2026-11-18 10:12 JST to 2026-11-18 10:12 JST",
        "  full, 2026-11-18 10:12 JST, 1 volume, not encrypted",
        "Unfinished set:",
        "  incremental, 2026-11-23 10:12 JST, 9 volumes, not encrypted",
    ]


@pytest.mark.parametrize(
    "content", [b"", b"\0" * 100_000, bytes(range(256)) * 1000, b"'" * 100_000, b"a" * 5_000_000]
)
def test_junk_is_not_recognised(content: bytes) -> None:
    result = freshness("--from-file", "-", stdin=content)
    assert result.status == 3
    assert "UNKNOWN - nothing recognised" in result.first_line


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/no/such/file", "/no/such/file: No such file or directory"),
        ("/", "/: Is a directory"),
        # What the plugin's memory is, nobody may read where no core may be had: see runtime.
        ("/proc/self/mem", "/proc/self/mem: (?:Input/output error|Permission denied)"),
    ],
)
def test_a_file_that_cannot_be_read(path: str, reason: str) -> None:
    result = freshness("--from-file", path)
    assert result.status == 3
    assert re.fullmatch(f"DUPLICITY FRESHNESS UNKNOWN - {reason}", result.first_line)


def test_a_pipe_that_nobody_writes_to_ends_with_the_timeout(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    result = freshness("--from-file", tmp_path / "pipe", "-t", "0.3")
    assert result.status == 3
    assert "UNKNOWN - no answer within " in result.first_line


def test_a_user_who_is_not_there() -> None:
    result = freshness("-d", "file:///", "-u", "no-such-user")
    assert result.status == 3
    assert "there is no user 'no-such-user'" in result.first_line


def test_ones_own_user_is_nothing_special(tmp_path: Path) -> None:
    result = freshness("-d", f"file://{tmp_path}/none", "-u", getpass.getuser())
    assert result.status == 2


def test_another_user_gets_the_line_to_type() -> None:
    if os.geteuid() == 0:
        pytest.skip("root can become any user: see root/test_users.py")
    result = freshness("-d", "sftp://u:geheim@host/x", "-u", "root")
    assert result.status == 3
    assert "must be run as root, not as " in result.first_line
    line = f"  sudo -u root -- {BIN}/check_duplicity_freshness -d 'sftp://u:***@host/x' -u root"
    assert line in result.out


def test_a_reader_that_has_gone_away_changes_nothing_in_the_exit_status(tmp_path: Path) -> None:
    command = f"{BIN}/check_duplicity_freshness -d file://{tmp_path}/none >&-; exit $?"
    assert os.waitstatus_to_exitcode(os.system(command)) == 2
    command = f"{BIN}/check_duplicity_freshness -d file://{tmp_path}/none > /dev/full; exit $?"
    assert os.waitstatus_to_exitcode(os.system(command)) == 2


def test_for_another_destination_nothing_of_the_jobs_own_is_offered(tmp_path: Path) -> None:
    """``-j JOB -d OTHER``: limits, user and archive directory hold, the script is not OTHER's."""
    old = datetime.now(timezone.utc) - timedelta(days=9)
    archive = tmp_path / "archive/web"
    archive.mkdir(parents=True)
    text = "Hostname h\nLocaldir s\nVolume 1:\n    StartingPath   .  \nFilelist 0\n"
    (archive / f"duplicity-full.{stamp(old)}.manifest").write_text(text)
    own, other = "file:///srv/own", "file:///srv/other"
    job = f"[job]\ndestination = {own}\narchive_dir = {archive.parent}\nname = web\n"
    write_job(tmp_path, "web", f"{job}script = /srv/web.sh\nwarning = 1d\ncritical = 8d\n")
    for words, url, offered in (
        ([], own, "/srv/web.sh"), (["-d", own], own, "/srv/web.sh"),
        (["-d", other], other, "SCRIPT"),
    ):  # fmt: skip
        result = freshness("-j", "web", "--jobs-dir", tmp_path, "--from-archive", *words)
        assert result.status == 2
        assert result.first_line == "DUPLICITY FRESHNESS CRITICAL - last backup 9d ago (limit 8d)"
        assert re.findall(r"file://\S+", result.out) == [url]
        assert re.findall(r"-- (\S+)$", result.out, re.M) == [offered]


def test_a_limit_by_hand_counts_alone(tmp_path: Path) -> None:
    """Of a pair, the job's options would give the other limit, which may not go with it."""
    write_job(
        tmp_path,
        "web",
        "[job]\ndestination = file:///none/b\noptions = --full-if-older-than 7D\n",
    )
    words = ["-j", "web", "--jobs-dir", tmp_path, "--full-warning", "60d"]
    result = run_plugin("check_duplicity_freshness", words)
    assert "/none/b" in result.out.split("\n")[0]
    assert "wrong usage" not in result.out
