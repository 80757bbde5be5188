"""Drills on real backups prove them, report each kind of damage, and leave nothing behind."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from lab import Lab, fingerprint, processes_of, wait_until
from plugin import BIN, Result, run_plugin

PASSPHRASE = "geheim"
OLD = 1_700_000_000  # seconds since the epoch: before any backup


@pytest.fixture(scope="session")
def made() -> dict[Path, tuple[Lab, Path]]:
    """The chains that this process has made, by duplicity, each with an untouched copy."""
    return {}


@pytest.fixture
def lab(
    duplicity: Path,
    made: dict[Path, tuple[Lab, Path]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Lab]:
    """A job with a chain encrypted by a passphrase: made once, and restored for each test."""
    if duplicity not in made:
        place = tmp_path_factory.mktemp("lab")
        lab = Lab(duplicity, place)
        chain(lab)
        shutil.copytree(place, kept := tmp_path_factory.mktemp("kept") / "lab", symlinks=True)
        made[duplicity] = lab, kept
    lab, kept = made[duplicity]
    shutil.rmtree(lab.source.parent)
    shutil.copytree(kept, lab.source.parent, symlinks=True)
    with lab:
        yield lab


@pytest.fixture
def fresh(duplicity: Path, tmp_path: Path) -> Iterator[Lab]:
    """A job without a backup."""
    with Lab(duplicity, tmp_path) as lab:
        yield lab


def chain(lab: Lab, *options: object, passphrase: str | None = PASSPHRASE) -> None:
    """Make a chain of six volumes: a large file, small ones, a link, at last a bare directory."""
    (lab.source / "big").write_bytes(os.urandom(2 << 20))
    for number in range(20):
        write(lab, f"dir/{number}", os.urandom(60_000))
    write(lab, "dir/a name with 'quotes' and\ttabs", b"odd\n")
    (lab.source / "link").symlink_to("big")
    os.utime(lab.source / "big", (OLD, OLD))
    os.utime(lab.source / "file", (OLD, OLD))
    for hours, action in ((9, "full"), (6, "incremental"), (3, "incremental")):
        if hours == 6:
            write(lab, "canary", b"sings\n")
        elif hours == 3:
            os.utime(lab.source, (OLD + 1, OLD + 1))
        words = ["--volsize", "1", "--no-compression", *options]
        lab.run(action, *words, passphrase=passphrase, ago=hours, changed=False)


def write(lab: Lab, name: str, contents: bytes) -> None:
    path = lab.source / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(contents)
    os.utime(path, (OLD, OLD))


def words_of(lab: Lab, *options: object) -> list[object]:
    return ["-d", lab.url, "-a", lab.archive, *options]


def own(lab: Lab, passphrase: str | None) -> dict[str, str]:
    state = {"XDG_STATE_HOME": str(lab.home / "state")}
    return {**lab.environment, **state, **({"PASSPHRASE": passphrase} if passphrase else {})}


def drill(lab: Lab, *options: object, passphrase: str | None = PASSPHRASE) -> Result:
    """Make a drill as a user would, with the passphrase in the environment."""
    words = [*words_of(lab, "--duplicity", lab.duplicity), *options]
    result = run_plugin("duplicity_drill", words, environment=own(lab, passphrase))
    assert list(lab.temporary.iterdir()) == [], result.out
    assert PASSPHRASE not in result.out
    return result


def check(lab: Lab, *options: object) -> Result:
    return run_plugin(
        "check_duplicity_restore", words_of(lab, *options), environment=own(lab, None)
    )


def volume(lab: Lab, pattern: str) -> Path:
    return next(lab.destination.glob(pattern))


def test_a_chain_is_proved_to_the_last_volume(lab: Lab) -> None:
    assert check(lab).status == 3
    before = fingerprint(lab.archive), fingerprint(lab.destination), fingerprint(lab.source)
    volumes = len(list(lab.destination.glob("*.difftar.*")))
    proved = 0
    for number in range(volumes):
        result = drill(lab, "--volumes", "1")
        assert result.status == 0, result.out
        assert "differs" not in result.out
        grown = result.value("proved")
        assert grown > proved or grown == 100
        proved = grown
        if number == 0:
            assert check(lab).first_line.startswith("DUPLICITY RESTORE OK - restored ")
    assert proved == 100
    assert check(lab).value("proved") == 100
    after = fingerprint(lab.archive), fingerprint(lab.destination), fingerprint(lab.source)
    assert after == before


def test_a_last_volume_with_nothing_in_it_is_read(fresh: Lab) -> None:
    """Until 3.1.0 there is one if the data ends with a volume: nothing to worry about."""
    (fresh.source / "file").unlink()
    for number in range(40):
        write(fresh, f"{number}.epub", os.urandom(100_000))
    fresh.run("full", "--no-encryption", "--volsize", "1", changed=False)
    manifest = volume(fresh, "*.manifest").read_text()
    assert manifest.count("StartingPath   .") == (1 if fresh.version >= (3, 2) else 2)
    volumes = len(list(fresh.destination.glob("*.difftar.*")))
    for _ in range(volumes):
        result = drill(fresh, "--volumes", "1", passphrase=None)
        assert result.status == 0, result.out
    assert f"100 % of {volumes} volumes proved" in result.out


@pytest.mark.spread
def test_an_odd_name_is_restored_and_compared(fresh: Lab) -> None:
    lab = fresh
    chain(lab, passphrase=None)
    name = "dir/a name with 'quotes' and\ttabs"
    result = drill(lab, "--path", name, "--path", lab.source / "canary", passphrase=None)
    assert result.status == 0, result.out
    assert "dir/a name with 'quotes' and tabs: 4 B restored" in result.out
    assert "canary: 6 B restored" in result.out
    assert result.out.count("the same as the source") == result.value("files")


@pytest.mark.spread
def test_without_the_jobs_metadata_all_is_fetched(lab: Lab, tmp_path: Path) -> None:
    """As on another host: the archive directory isn't there, and is not made."""
    result = drill(lab, "-a", tmp_path / "none", "--volumes", "9")
    assert (result.status, result.value("proved")) == (0, 100), result.out
    assert not (tmp_path / "none").exists()


def flipped(path: Path) -> None:
    place = min(3000, path.stat().st_size // 2)
    with path.open("r+b") as opened:
        opened.seek(place)
        byte = opened.read(1)
        opened.seek(place)
        opened.write(bytes([byte[0] ^ 1]))


def cut(path: Path) -> None:
    with path.open("r+b") as opened:
        opened.truncate(path.stat().st_size - 1)


def emptied(path: Path) -> None:
    path.write_bytes(b"")


DAMAGES: dict[str, tuple[str, Callable[[Path], None], str]] = {
    "one byte changed": ("*full*.vol2.*", flipped, "volume 2 of the backup of "),
    "cut short": ("*full*.vol2.*", cut, "volume 2 of the backup of "),
    "empty": ("*full*.vol2.*", emptied, "volume 2 of 4 is empty"),
    "volume gone": ("*full*.vol2.*", Path.unlink, "lacks volume 2 of 4"),
    "increment gone": ("*inc*.vol1.*", Path.unlink, "lacks volume 1 of 1"),
    "manifest gone": ("*inc*.manifest*", Path.unlink, "has lost its manifest"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_is_found_with_its_cause(lab: Lab, name: str) -> None:
    pattern, damage, words = DAMAGES[name]
    damage(max(lab.destination.glob(pattern)))
    # What names and sizes tell is found whatever is restored.
    result = drill(lab, "--volumes", "9" if words.startswith("volume 2 of the") else "1")
    assert result.status == 2, result.out
    assert words in result.first_line
    told = check(lab)  # which also holds if the one before was made in the same second
    assert told.status == 2
    assert words in told.first_line
    assert "--force" not in told.out


@pytest.mark.spread
def test_damage_stays_critical_until_it_is_read_well(lab: Lab) -> None:
    rotten = volume(lab, "*full*.vol2.*")
    good = rotten.read_bytes()
    flipped(rotten)
    assert "volume 2 of the backup of " in drill(lab, "--volumes", "9").first_line
    # A drill that can't be made says nothing better, nor does one that reads other volumes.
    result = drill(lab, passphrase=None)
    assert result.status == 2
    assert "volume 2 of the backup of " in result.first_line
    assert "no passphrase was given" in result.out
    result = check(lab)
    assert (result.status, "volume 2 of the backup of " in result.first_line) == (2, True)
    rotten.write_bytes(good)
    result = drill(lab, "--volumes", "1")
    assert result.status == 0, result.out
    assert check(lab).status == 0


@pytest.mark.spread
@pytest.mark.parametrize("pattern", ["*inc*.manifest*", "*full-sig*"])
def test_what_a_stranger_needs_is_read_from_the_destination(lab: Lab, pattern: str) -> None:
    """The job's own copies are good: only who has lost this host would miss them."""
    path = max(lab.destination.glob(pattern))
    good = path.read_bytes()
    flipped(path)
    results = [drill(lab, "--volumes", "1") for _ in range(3)]  # one of the three sets each
    assert 2 in [result.status for result in results]
    assert results[-1].status == 2  # Later ones don't forget it.
    assert "manifest and signatures of the backup of " in results[-1].out
    assert "as the destination has them: " in results[-1].out
    assert check(lab).status == 2
    path.write_bytes(good)
    assert drill(lab, "--volumes", "1").status == 0
    assert check(lab).status == 0


@pytest.mark.spread
def test_signatures_that_are_gone_are_critical(lab: Lab) -> None:
    path = max(lab.destination.glob("*full-sig*"))
    good = path.read_bytes()
    path.unlink()
    results = [drill(lab, "--volumes", "1") for _ in range(3)]
    assert 2 in [result.status for result in results], results[-1].out
    assert check(lab).status == 2
    path.write_bytes(good)
    assert drill(lab, "--volumes", "1").status == 0


@pytest.mark.spread
@pytest.mark.parametrize(
    "option", ["--ignore-errors", "--ignore-err", "--dry-run", "-rbig", "--time=1D"]
)
def test_with_an_option_that_proves_nothing_no_drill_is_made(fresh: Lab, option: str) -> None:
    result = drill(fresh, "--", option)
    assert result.status == 3
    assert f"with {option} a restore proves nothing" in result.first_line


@pytest.mark.spread
def test_options_that_only_a_backup_needs_are_left_out(lab: Lab) -> None:
    backups = ["--exclude", "/x", "--include=/y", "--sign-key", "DEADBEEF", "--volsize", "1"]
    result = drill(lab, "--", *backups)
    assert result.status == 0, result.out


@pytest.mark.spread
def test_a_rotten_volume_is_mended_by_a_full_backup(lab: Lab) -> None:
    flipped(volume(lab, "*full*.vol2.*"))
    result = drill(lab, "--volumes", "9")
    assert "was changed after it was written" in result.first_line
    assert "; it holds: " in result.first_line
    assert 0 < result.value("proved") < 100
    lab.run("full", "--volsize", "1", passphrase=PASSPHRASE, changed=False)
    assert check(lab).value("proved") == 0
    assert drill(lab).status == 0
    assert check(lab).status == 0


def test_without_the_archive_directory_lost_last_volumes_are_noticed(lab: Lab) -> None:
    lab.run("full", "--volsize", "1", passphrase=PASSPHRASE, changed=False)
    volumes = sorted(lab.destination.glob("*full*.vol*"), key=lambda path: path.stat().st_mtime)
    newest = [path for path in volumes if path.name.split(".")[1] == volumes[-1].name.split(".")[1]]
    last = max(newest, key=lambda path: int(re.findall(r"vol(\d+)", path.name)[0]))
    last.unlink()
    result = drill(lab, "-a", lab.home / "elsewhere", "--volumes", "1")
    assert result.status == 2, result.out
    assert f"lacks 1 of {len(newest)} volumes, the last ones" in result.first_line


def test_a_wrong_passphrase_is_critical_and_says_which_backups(lab: Lab) -> None:
    result = drill(lab, passphrase="other")
    assert result.status == 2
    assert "wrong passphrase or key: the backup of " in result.first_line
    assert check(lab).status == 2


def test_no_passphrase_is_no_failure_of_the_backup(lab: Lab) -> None:
    assert drill(lab).status == 0
    result = drill(lab, passphrase=None)
    assert result.status == 1
    assert "no passphrase was given" in result.first_line
    assert "environment_file" in result.out
    assert check(lab).status == 1
    assert check(lab, "-c", "0").status == 2  # by the age of the last good one


def test_by_key_and_without_the_secret_one(fresh: Lab) -> None:
    lab = fresh
    gpg(lab, "--passphrase", "", "--quick-gen-key", "bk@example.org", "default", "default", "never")
    listed = gpg(lab, "--with-colons", "--list-secret-keys")
    key = next(line.split(":")[9] for line in listed.splitlines() if line.startswith("fpr"))
    chain(lab, "--encrypt-key", key, passphrase="the key has none")
    options = ("--volumes", "9", "--", "--encrypt-key", key)
    result = drill(lab, *options, passphrase=None)
    assert (result.status, result.value("proved")) == (0, 100), result.out
    gpg(lab, "--yes", "--delete-secret-keys", key)
    result = drill(lab, *options, passphrase=None)
    assert result.status == 1, result.out
    assert "the secret key is not on this host" in result.first_line
    assert "This host has only the public key. That is good" in check(lab).out


def gpg(lab: Lab, *words: str) -> str:
    done = subprocess.run(
        ["gpg", "--batch", *words],
        env=lab.environment, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return done.stdout


@pytest.mark.spread
def test_a_named_file_must_be_in_the_backup(lab: Lab) -> None:
    result = drill(lab, "--path", "gone/canary")
    assert result.status == 2
    assert "gone/canary is not in the backup of " in result.first_line
    assert "list-current-files" in result.out


@pytest.mark.spread
def test_the_source_may_change_but_not_by_itself(lab: Lab) -> None:
    write(lab, "canary", b"other\n")
    result = drill(lab, "--path", "canary")
    assert result.status == 0, result.out  # Somebody may have done that, after the backup.
    # Size and time say that nothing has changed, so duplicity leaves the file out.
    lab.run("incremental", passphrase=PASSPHRASE, ago=-0.005, changed=False)
    result = drill(lab, "--path", "canary")
    assert result.status == 2
    assert f"{lab.source}/canary differs from its backup of " in result.first_line
    assert re.search(r"restore .*--time \d+ -r canary", result.out)
    assert "canary differs" in drill(lab, "--volumes", "1").first_line  # It is tried once more.
    (lab.source / "canary").write_bytes(b"other\n")  # at another time
    result = drill(lab, "--path", "canary")
    assert result.status == 0, result.out
    assert "canary: 6 B restored from 2 volumes" in result.out
    assert "not compared: the source has changed since" in result.out


def hanging(lab: Lab, action: str) -> Path:
    """A duplicity that hangs when it is asked for an action: as if the server did not answer."""
    path = lab.home / "hanging"
    path.write_text(
        f'#!/bin/sh\n[ "$1" != {action} ] || {{ touch {lab.home}/hangs; sleep 9999; }}\n'
        f'exec {lab.duplicity} "$@"\n'
    )
    path.chmod(0o755)
    return path


@pytest.mark.exhaustive
@pytest.mark.parametrize("action", ["collection-status", "restore"])
def test_what_hangs_is_ended_in_time(lab: Lab, action: str) -> None:
    assert drill(lab).status == 0
    result = drill(lab, "--duplicity", hanging(lab, action), "-t", "3s")
    assert result.status == 3
    assert "no answer within 3 s" in result.first_line
    assert processes_of(str(lab.temporary)) == []
    told = check(lab)
    assert told.status == 1
    assert "cut short: no answer within 3 s" in told.first_line
    assert drill(lab).status == 0
    assert check(lab).status == 0


@pytest.mark.exhaustive
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_killed_in_the_middle_leaves_nothing(lab: Lab, number: signal.Signals) -> None:
    words = [BIN / "duplicity_drill", *words_of(lab, "--duplicity", hanging(lab, "restore"))]
    with subprocess.Popen(
        list(map(str, words)), env=own(lab, PASSPHRASE), stdout=subprocess.PIPE
    ) as process:
        wait_until((lab.home / "hangs").exists)
        assert list(lab.temporary.iterdir())
        second = drill_meanwhile(lab)
        assert second.status == 3
        assert "another drill of this job is running" in second.first_line
        process.send_signal(number)
        out = process.communicate(timeout=30)[0]
    wait_until(lambda: not list(lab.temporary.iterdir()))
    wait_until(lambda: not processes_of(str(lab.temporary)))
    if number == signal.SIGTERM:
        assert process.returncode == 3
        assert out.startswith(b"DUPLICITY DRILL UNKNOWN - ended by SIGTERM")
    assert drill(lab).status == 0


def drill_meanwhile(lab: Lab) -> Result:
    words = words_of(lab, "--duplicity", lab.duplicity)
    return run_plugin("duplicity_drill", words, environment=own(lab, PASSPHRASE))


@pytest.mark.exhaustive
def test_a_chain_that_is_removed_meanwhile_is_no_failure(lab: Lab) -> None:
    """When it is asked to restore, the job makes a full backup, and removes the old chain."""
    rest = f"--archive-dir {lab.archive}"
    wrapper = lab.home / "retention"
    wrapper.write_text(
        f'#!/bin/sh\nif [ "$1" = restore ] && [ ! -e {lab.home}/done ]; then\n'
        f"  touch {lab.home}/done\n"
        f"  {lab.duplicity} full {rest} {lab.source} {lab.url} >&2\n"
        f"  {lab.duplicity} remove-all-but-n-full 1 --force {rest} {lab.url} >&2\n"
        f'fi\nexec {lab.duplicity} "$@"\n'
    )
    wrapper.chmod(0o755)
    result = drill(lab, "--duplicity", wrapper)
    assert result.status == 0, result.out
    assert (lab.home / "done").exists()
    assert result.value("files") > 0
    assert check(lab).status == 0


@pytest.mark.exhaustive
def test_what_a_dead_machine_has_left_is_removed(lab: Lab) -> None:
    left = lab.temporary / "check-duplicity-drill-0123"
    (left / "restored").mkdir(parents=True)
    (left / "restored" / "secret").write_text("of the backup")
    assert drill(lab, "--volumes", "1").status == 0  # and looks whether anything is left
