"""Every state of the freshness table, made with real duplicity."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from lab import Lab
from plugin import freshness

ENCRYPTED = "a passphrase that is never asked for"


def test_a_fresh_chain_is_ok(lab: Lab) -> None:
    lab.run("full", ago=50)
    lab.run("incremental", ago=26)
    lab.run("incremental", ago=2)
    result = lab.check()
    assert (result.status, result.first_line) == (
        0,
        "DUPLICITY FRESHNESS OK - last backup 2h ago, last full 2d 2h ago, chain of 3 sets",
    )
    assert result.performance == {
        "age": f"{result.value('age')}s;115200;201600;0",
        "full_age": f"{result.value('full_age')}s;;;0",
        "chain_length": "3;;;0",
        "chains": "1;;;0",
        "fulls": "1;;;0",
        "history": f"{result.value('full_age')}s;;;0",
        "files": "1;;;0",
        "deleted": "0;;;0",
        "volumes": "3;;;0",
        "orphaned": "0;;;0",
        "incomplete": "0;;;0",
        "missing_volumes": "0;;;0",
    }
    assert result.value("age") // 3600 == 2


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("ago", "status", "line"),
    [
        (33, 1, "DUPLICITY FRESHNESS WARNING - last backup 1d 9h ago (limit 32h)"),
        (57, 2, "DUPLICITY FRESHNESS CRITICAL - last backup 2d 9h ago (limit 56h)"),
    ],
)
def test_an_old_backup_is_stale(lab: Lab, ago: int, status: int, line: str) -> None:
    lab.run("full", ago=ago)
    result = lab.check()
    assert (result.status, result.first_line) == (status, line)
    assert "sudo crontab -lu" in result.out


@pytest.mark.exhaustive
def test_limits_on_full_backups_and_chains(lab: Lab) -> None:
    lab.run("full", ago=200)
    lab.run("incremental", ago=1)
    result = lab.check("--full-warning", "7d", "--full-critical", "30d")
    assert (result.status, result.first_line) == (
        1,
        "DUPLICITY FRESHNESS WARNING - last full 8d 8h ago (limit 7d)",
    )
    assert result.performance["full_age"].endswith("s;604800;2592000;0")
    result = lab.check("--chain-critical", "1")
    assert (result.status, result.first_line) == (
        2,
        "DUPLICITY FRESHNESS CRITICAL - chain of 2 sets (limit 1)",
    )


def test_an_empty_destination_is_critical(lab: Lab) -> None:
    result = lab.check()
    assert (result.status, result.first_line) == (
        2,
        "DUPLICITY FRESHNESS CRITICAL - no backup: no duplicity files there",
    )
    assert list(lab.destination.iterdir()) == []


def test_a_destination_that_is_not_there_is_critical_and_still_not_there(lab: Lab) -> None:
    lab.destination.rmdir()
    result = lab.check()
    assert result.status == 2
    assert "CRITICAL - there is no directory " in result.first_line
    assert "findmnt --fstab" in result.out
    assert not lab.destination.exists()


def test_a_lost_volume_is_critical(lab: Lab) -> None:
    (lab.source / "large").write_bytes(bytes(3 << 20))
    made = lab.run("full", "--no-compression", "--volsize=1")
    assert lab.check().status == 0
    volumes = sorted(lab.destination.glob("duplicity-full.*.difftar"))
    volumes[1].unlink()
    result = lab.check()
    assert result.status == 2
    assert f"CRITICAL - backup of {made:%Y-%m-%d %H:%M} UTC lacks volume " in result.first_line
    assert result.value("missing_volumes") == 1


def test_the_last_volume_is_missed_with_the_archive_directory_only(lab: Lab) -> None:
    (lab.source / "large").write_bytes(bytes(3 << 20))
    lab.run("full", "--no-compression", "--volsize=1")
    volumes = list(lab.destination.glob("*.difftar"))
    last = max(volumes, key=lambda path: int(path.name.split(".vol")[1].split(".")[0]))
    last.unlink()
    assert lab.check().status == 2
    result = lab.check("-a", lab.home / "elsewhere", "-v")
    assert result.status == 0
    assert f"Not seen: archive directory {lab.home}/elsewhere/" in result.out


@pytest.mark.exhaustive
def test_the_newest_chain_outlives_what_is_advised_for_an_older_one(lab: Lab) -> None:
    (lab.source / "large").write_bytes(bytes(3 << 20))
    lab.run("full", "--no-compression", "--volsize=1", ago=9)
    next(lab.destination.glob("*vol2.difftar")).unlink()
    lab.run("full", ago=3)
    with lab.running("full"):
        pass
    result = lab.check()
    assert result.status == 2
    [line] = [line for line in result.out.split("\n") if "remove-older-than" in line]
    words = shlex.split(line)[4:]  # without sudo -iu USER --
    subprocess.run(words, env=lab.environment, capture_output=True, check=True)
    assert lab.check().value("chains") == 2  # As it is printed, it only lists them.
    subprocess.run([*words, "--force"], env=lab.environment, capture_output=True, check=True)
    result = lab.check()
    assert result.status in (0, 1)  # Some versions remove the interrupted one, too.
    assert (result.value("age") // 3600, result.value("chains")) == (3, 1)


def test_a_full_backup_killed_half_way_is_no_backup(lab: Lab) -> None:
    with lab.running():
        pass
    result = lab.check()
    assert (result.status, result.value("incomplete")) == (2, 1)
    assert result.first_line.startswith("DUPLICITY FRESHNESS CRITICAL - no complete backup")
    assert lab.check("--from-archive").status == 2


def test_an_older_complete_backup_still_counts(lab: Lab) -> None:
    lab.run("full", ago=40)
    with lab.running("incremental"):
        pass
    for options in ([], ["-a", lab.home / "elsewhere"], ["--from-archive"]):
        result = lab.check(*options)
        assert (result.status, result.value("incomplete")) == (1, 1)
        assert result.value("age") // 3600 == 40
        assert " was interrupted after " in result.out


def test_a_running_backup_is_no_backup_yet(lab: Lab) -> None:
    lab.run("full", ago=3)
    with lab.running("full"):
        result = lab.check()
    assert (result.status, result.value("incomplete")) == (0, 1)
    assert result.value("age") // 3600 == 3


def test_orphaned_sets_are_a_warning_and_cleanup_is_what_to_type(lab: Lab) -> None:
    lab.run("full", ago=9)
    lab.run("incremental", ago=8)
    for path in lab.destination.glob("duplicity-full*"):
        path.unlink()
    lab.run("full", ago=7)
    result = lab.check()
    assert (result.status, result.first_line) == (
        1,
        "DUPLICITY FRESHNESS WARNING - 1 orphaned backup set",
    )
    assert f"cleanup --force --no-encryption --archive-dir {lab.archive} {lab.url}" in result.out


def test_a_lost_manifest_makes_a_set_incomplete(lab: Lab) -> None:
    lab.run("full", ago=9)
    lab.run("incremental", ago=8)
    [manifest] = lab.destination.glob("duplicity-inc*.manifest")
    manifest.unlink()
    result = lab.check("-a", lab.home)
    assert (result.status, result.value("age") // 3600) == (1, 9)
    # Only the archive directory tells it from an interrupted one.
    result = lab.check()
    assert (result.status, result.value("age") // 3600) == (2, 9)
    assert result.first_line.endswith(" has lost its manifest")


def test_a_set_without_its_signatures_is_discarded_as_duplicity_does(lab: Lab) -> None:
    lab.run("full", ago=9)
    lab.run("incremental", ago=8)
    lab.run("incremental", ago=7)
    max(lab.destination.glob("duplicity-new-signatures*")).unlink()
    result = lab.check()
    assert (result.status, result.value("age") // 3600) == (1, 8)


def test_a_backup_in_the_future_is_a_warning(lab: Lab) -> None:
    lab.run("full", ago=-2)
    result = lab.check()
    assert result.status == 1
    assert result.first_line.endswith(", in the future")
    assert result.value("age") < 0


def test_encrypted_backups_need_no_passphrase(lab: Lab) -> None:
    lab.run("full", passphrase=ENCRYPTED, ago=5)
    result = lab.check("--require-encryption")
    assert result.status == 0
    assert ENCRYPTED not in result.out
    lab.run("full", ago=1)
    result = lab.check("--require-encryption")
    assert result.status == 2
    assert result.first_line.endswith(" is not encrypted")


def test_renamed_volumes_are_lost_for_duplicity_and_so_for_the_check(lab: Lab) -> None:
    lab.run("full", ago=2)
    assert lab.check().status == 0
    for path in lab.destination.glob("*.difftar.gz"):
        path.rename(f"{path}.locked")
    result = lab.check()
    assert result.status == 2
    assert " lacks volume " in result.first_line
    assert "removes or renames files" in result.out
    assert not restored(lab)
    for path in lab.destination.glob("*.locked"):
        path.rename(path.with_suffix(""))
    assert lab.check().status == 0
    assert restored(lab)


def restored(lab: Lab) -> bool:
    """Return whether duplicity restores the backup."""
    place = lab.home / "restored"
    words = [lab.duplicity, "restore", "--no-encryption", "--archive-dir", lab.archive, lab.url]
    command = [*map(str, words), str(place)]
    subprocess.run(command, env=lab.environment, capture_output=True, check=False)
    file = place / "file"
    content = file.read_bytes() if file.exists() else b""
    shutil.rmtree(place, ignore_errors=True)
    return content == (lab.source / "file").read_bytes()


def test_a_prefix_is_passed_on_and_followed(lab: Lab) -> None:
    lab.run("full", "--file-prefix=web-", ago=2)
    assert lab.check("--", "--file-prefix", "web-").status == 0
    result = lab.check()
    assert result.status == 2
    assert "with prefix 'web-'" in result.first_line


def test_the_archive_directory_alone_tells_the_same(lab: Lab) -> None:
    lab.run("full", ago=9)
    lab.run("incremental", ago=8)
    asked, alone = lab.check(), lab.check("--from-archive", "--duplicity", "/bin/false")
    assert alone.status == asked.status == 0
    assert alone.value("volumes") == asked.value("volumes") == 2
    assert alone.value("age") // 60 == asked.value("age") // 60


@pytest.mark.parametrize(
    "environment",
    [
        {"LANG": "de_DE.UTF-8", "LANGUAGE": "de", "TZ": "Europe/Berlin"},
        {"LC_ALL": "xx_XX", "TZ": "Pacific/Kiritimati"},
        {"TZ": "America/Los_Angeles"},
    ],
    ids=lambda environment: environment["TZ"],
)
def test_language_and_time_zone_change_nothing(lab: Lab, environment: dict[str, str]) -> None:
    """Really translated: from a virtual environment, duplicity finds its catalogues only so."""
    lab.run("full", ago=9)
    lab.run("incremental", ago=8)
    translated = lab.home / "duplicity"
    translated.write_text(
        f"#!{lab.duplicity.parent / 'python'}\n"
        "import runpy, sys\n"
        "sys.base_prefix = sys.prefix\n"
        f"sys.argv[0] = {str(lab.duplicity)!r}\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')\n"
    )
    translated.chmod(0o755)
    result = lab.check("--duplicity", translated, environment=environment)
    assert result.status == 0
    assert result.value("age") // 3600 == 8


def test_saved_output_is_judged_as_the_destination_is(lab: Lab, tmp_path: Path) -> None:
    lab.run("full", ago=9)
    lab.run("incremental", ago=8)
    listing = "\n".join(path.name for path in lab.destination.iterdir())
    result = lab.check("--from-file", "-", stdin=listing)
    assert (result.status, result.value("volumes")) == (0, 2)


@pytest.mark.exhaustive
@pytest.mark.parametrize("change", ["2026-03-29T01:00+00:00", "2025-10-26T01:00+00:00"])
def test_ages_are_right_across_a_change_of_daylight_saving_time(lab: Lab, change: str) -> None:
    """From Berlin's point of view; New York changes on other days, Tokyo never does."""
    at = datetime.fromisoformat(change)
    lab.run("full", at=at - timedelta(hours=25))
    lab.run("incremental", at=at - timedelta(hours=1, minutes=30))
    lab.run("incremental", at=at + timedelta(hours=1, minutes=30))
    limits = ["-w", "9999d", "-c", "9999d"]
    for zone in ("UTC", "Europe/Berlin", "America/New_York", "Asia/Tokyo"):
        before = datetime.now(timezone.utc).replace(microsecond=0)
        asked = lab.check(*limits, environment={"TZ": zone})
        # duplicity's text is in local time, without a zone.
        text = lab.status(TZ=zone)
        told = freshness("--from-file", "-", *limits, stdin=text, environment={"TZ": zone})
        for result in (asked, told):
            assert result.value("full_age") - result.value("age") == 26.5 * 3600
            made = at + timedelta(hours=1, minutes=30, seconds=result.value("age"))
            assert before <= made <= datetime.now(timezone.utc)
