"""The files installed with the plugins: man pages, completion, the Debian package's data."""

from __future__ import annotations

import configparser
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from check_duplicity import __version__
from plugin import BIN

ROOT = Path(__file__).parent.parent
PLUGINS = sorted(path.name for path in (ROOT / "plugins").iterdir())
COMPLETION = Path("/usr/share/bash-completion/bash_completion")


@pytest.mark.skipif(not shutil.which("help2man"), reason="needs help2man")
def test_man_pages_are_what_help_prints_with_the_options_of_the_page(tmp_path: Path) -> None:
    subprocess.run([ROOT / "docs" / "make-man", BIN, tmp_path], check=True)
    made = {path.name: path.read_text() for path in tmp_path.iterdir()}
    kept = {path.name: path.read_text() for path in (ROOT / "docs" / "man").iterdir()}
    assert made == kept, "make man"


@pytest.mark.parametrize("plugin", PLUGINS)
def test_the_package_of_pip_brings_man_page_and_completion(plugin: str) -> None:
    share = Path(sys.prefix) / "share"
    assert (share / "man" / "man8" / f"{plugin}.8").is_file()
    assert (share / "bash-completion" / "completions" / plugin).is_file()


def complete(words: str) -> set[str]:
    """Return bash's completions of the last word of a command line."""
    program = Path(shlex.split(words)[0]).name
    script = f"""
        . {COMPLETION}
        . {Path(sys.prefix)}/share/bash-completion/completions/{program}
        COMP_WORDS=({words}) COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
        COMP_LINE="${{COMP_WORDS[*]}}" COMP_POINT=${{#COMP_LINE}}
        _check_duplicity "${{COMP_WORDS[0]}}" "${{COMP_WORDS[-1]}}" "${{COMP_WORDS[-2]}}"
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
    return set(done.stdout.split())


@pytest.mark.skipif(not COMPLETION.exists(), reason="needs bash-completion")
def test_bash_completes_options_jobs_and_paths(tmp_path: Path) -> None:
    for name in ("assets", "web"):
        (tmp_path / f"{name}.ini").touch()
    (tmp_path / "web.log").touch()
    freshness, triage = BIN / "check_duplicity_freshness", BIN / "duplicity_triage"
    limits = {f"--full{s}-{state}" for s in ("", "s") for state in ("warning", "critical")}
    assert complete(f"{freshness} --full") == limits
    assert "--stalled-warning" in complete(f"{BIN}/check_duplicity_process -w 1h --")
    assert complete(f"{freshness} --jobs-dir {tmp_path} -j ''") == {"assets", "web"}
    assert complete(f"{triage} --jobs-dir {tmp_path} a") == {"assets"}
    assert complete(f"{freshness} --from-file {tmp_path}/w") >= {f"{tmp_path}/web.log"}
    assert complete(f"{freshness} -u roo") == {"root"}
    assert complete(f"{freshness} -w ''") == set()


@pytest.mark.skipif(not COMPLETION.exists(), reason="needs bash-completion")
def test_bash_completes_what_a_drill_is_told(tmp_path: Path) -> None:
    (tmp_path / "assets.ini").touch()
    (tmp_path / "work").mkdir()
    drill, restore = BIN / "duplicity_drill", BIN / "check_duplicity_restore"
    assert complete(f"{drill} --jobs-dir {tmp_path} -j ''") == {"assets"}
    assert complete(f"{drill} --tempdir {tmp_path}/") == {f"{tmp_path}/work"}
    assert complete(f"{drill} --vo") == {"--volumes"}
    for option in ("--path", "--volumes", "--budget", "-t"):
        assert complete(f"{drill} {option} ''") == set()
    for option in ("--interval", "--host", "--service"):
        assert complete(f"{restore} {option} ''") == set()
    assert complete(f"{restore} --format n") == {"nagios", "nsca"}
    assert complete(f"{restore} --write {tmp_path}/w") == {f"{tmp_path}/work"}
    limits = {"--proved-warning", "--proved-critical"}
    assert complete(f"{restore} --proved") == limits
    assert complete(f"{restore} --proved-warning ''") == set()


def test_completion_is_one_file_under_the_name_of_each_program() -> None:
    folder = ROOT / "docs" / "bash-completion"
    assert sorted(path.name for path in folder.iterdir()) == PLUGINS
    whole = "check_duplicity_freshness"
    others = {(folder / name).read_text() for name in PLUGINS if name != whole}
    assert [text.split("\n")[1] for text in others] == [
        '. "${BASH_SOURCE[0]%/*}/check_duplicity_freshness"'
    ]
    (completed,) = re.findall(
        r"complete -F _check_duplicity ([^#]*)", (folder / PLUGINS[0]).read_text()
    )
    assert sorted(completed.replace("\\\n", " ").split()) == PLUGINS


def test_versions_and_dependencies_are_said_once() -> None:
    newest = (ROOT / "debian" / "changelog").read_text().split(")")[0]
    assert newest == f"check-duplicity ({__version__}"
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    wanted = dict(
        re.findall(
            r"^(?:python-)?([\w-]+) >= ([\d.]+)$", setup["options"]["install_requires"], re.M
        )
    )
    control = (ROOT / "debian" / "control").read_text()
    assert wanted == {
        name: version
        for name, version in re.findall(r"python3-([\w-]+) \(>= ([\d.]+)\)", control)
        if name != "setuptools"
    }
    assert len(wanted) == 6


def test_triage_names_the_checks_where_debians_package_has_them(tmp_path: Path) -> None:
    (tmp_path / "job").mkdir()
    (tmp_path / "job" / "duplicity-full.20200101T000000Z.manifest").write_text("Volume 1:\n")
    alone = tmp_path / "duplicity_triage"
    alone.symlink_to(BIN / "duplicity_triage")
    for program, directory in (
        (alone, "/usr/lib/nagios/plugins"),
        (BIN / "duplicity_triage", BIN),
    ):
        done = subprocess.run(
            [program, "-d", "file:///srv", "--from-archive", "-a", tmp_path, "-n", "job"],
            capture_output=True, text=True, check=False, cwd="/",
        )  # fmt: skip
        assert f"sudo {directory}/check_duplicity_log -u " in done.stdout


def test_triage_says_how_to_run_it_as_another_user(tmp_path: Path) -> None:
    words = [str(BIN / "duplicity_triage"), "-d", "file:///srv", "--from-archive", "-a"]
    words.append(str(tmp_path / "nowhere"))
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd="/")
    assert f"    sudo -u USER -- {shlex.join(words)}\n" in done.stdout


def test_a_list_of_a_job_that_is_not_there_is_no_empty_file(tmp_path: Path) -> None:
    words = [
        str(BIN / "duplicity_triage"),
        "nosuch",
        "--jobs-dir",
        str(tmp_path),
        "--list-jobs",
        "--ini",
    ]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd="/")
    assert done.returncode == 3
    assert done.stdout == ""  # That may be the job's file.
    assert done.stderr.startswith(
        f"DUPLICITY TRIAGE UNKNOWN - no job nosuch: there is no {tmp_path}/"
    )


@pytest.mark.parametrize("plugin", ["check_duplicity_freshness", "duplicity_triage"])
def test_a_job_without_destination_is_told_from_none(plugin: str, tmp_path: Path) -> None:
    (tmp_path / "of-nobody.ini").write_text("[job]\nschedule = 0 2 * * *\n")
    (tmp_path / "of-nobody.ini").chmod(0o644)
    tmp_path.chmod(0o755)
    words = [str(BIN / plugin), "-j", "of-nobody", "--jobs-dir", str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd="/")
    assert (
        "job of-nobody has no destination in its file, and none was found elsewhere" in done.stdout
    )
    assert "give -j JOB" not in done.stdout
    assert "bad URL" not in done.stdout


def test_what_a_jobs_file_can_have_is_told_wherever_it_is_listed() -> None:
    """By docs/jobs.rst, and by the parameters and the template of Puppet's jobs."""
    from check_duplicity.jobs.job_file import KEYS

    readme = (ROOT / "docs" / "jobs.rst").read_text()
    listed = {*re.findall(r"``(\w+)``", readme), *re.findall(r"^    (\w+) = ", readme, re.M)}
    assert listed >= {*KEYS}
    job = (ROOT / "puppet" / "manifests" / "job.pp").read_text()
    written = re.findall(
        r"^    '(\w+)' +=> ", job.split("$in_file = {")[1].split("}.filter")[0], re.M
    )
    assert sorted(written) == sorted(KEYS)
