"""Each numbered claim of SECURITY.rst has a test here, or names its tests.

The name of a claim's test has its number: ``test_04_...``.
"""

from __future__ import annotations

import io
import json
import os
import pwd
import re
import resource
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path

import pytest
from check_duplicity.destination import archive
from check_duplicity.jobs import job_file, pasting, see
from check_duplicity.jobs.model import Fact, Known
from check_duplicity.nagios import output
from check_duplicity.nagios.commands import Job
from check_duplicity.secrets import Secrets
from check_duplicity.system import user
from check_duplicity.triage.tell import Report
from hypothesis import given
from hypothesis import strategies as st
from needs import needs_root
from plugin import BIN, Result, assert_valid, freshness, run_plugin

PROJECT = Path(__file__).parent.parent
NOBODY = "nobody"
# Of a terminal: a title, a colour in one byte, text that runs backwards.
FAILED = (PROJECT / "tests/duplicity/captures/runs/3.2.1/nospace-dest.out").read_text()
ESCAPES = "\x1b]0;evil\x07\x9b31m\u202e"


@pytest.fixture
def common() -> Iterator[Path]:
    """A directory that every user can enter, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        yield Path(name)


@pytest.fixture
def nobodys(common: Path) -> Path:
    """A directory of another user."""
    directory = common / "home"
    directory.mkdir()
    shutil.chown(directory, NOBODY)
    return directory


def script(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def in_child(do: object) -> str:
    """Run a function in its own process, which may become another user; return its result."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writer, str(do()).encode())  # type: ignore[operator]
        except BaseException as error:
            os.write(writer, repr(error).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with open(reader) as opened:
        said = opened.read()
    os.waitpid(child, 0)
    return said


# The claims and the tests.


def claims() -> dict[int, str]:
    """Return the numbered paragraphs of SECURITY.rst."""
    text = (PROJECT / "SECURITY.rst").read_text()
    found = re.findall(r"^(\d+)\. (.*(?:\n {3,4}\S.*)*)", text, re.M)
    assert len({number for number, _ in found}) == len(found)
    return {int(number): claim for number, claim in found}


def names_in(path: Path) -> set[str]:
    return set(re.findall(r"^ *def (test_\w+)", path.read_text(), re.M))


def test_every_claim_has_a_test_and_every_test_a_claim() -> None:
    own = {int(name.split("_")[1]) for name in names_in(Path(__file__)) if name[5].isdigit()}
    said = claims()
    assert sorted(said) == list(range(1, len(said) + 1))
    named = {number for number, claim in said.items() if "test_" in claim}
    assert own | named == set(said)
    assert not own & named
    for claim in said.values():
        for file, test in re.findall(r"``([\w/]+\.py): (test_\w+)``", claim):
            assert test in names_in(PROJECT / "tests" / file), (file, test)
        assert len(re.findall(r"``[\w/]*test_", claim)) == len(
            re.findall(r"``[\w/]+\.py: test_\w+``", claim)
        )


# Rights


@pytest.mark.root
@needs_root
def test_03_nothing_of_roots_environment_goes_along(common: Path) -> None:
    spy = script(common / "spy", f'env > "{common}/seen.$$"; mv "{common}/seen.$$" {common}/seen')
    common.chmod(0o1777)
    environment = {
        "PASSPHRASE": "geheim", "AWS_SECRET_ACCESS_KEY": "geheim", "MAIL": "/var/mail/root",
        "SSH_AUTH_SOCK": "/geheim", "LD_LIBRARY_PATH": "/geheim", "XDG_STATE_HOME": "/geheim",
        "TMPDIR": "/geheim",
    }  # fmt: skip
    arguments = ["-u", NOBODY, "-d", "sftp://host/x", "--duplicity", str(spy)]
    run_plugin("check_duplicity_freshness", arguments, environment=environment)
    seen = (common / "seen").read_text()
    assert f"USER={NOBODY}\n" in seen
    assert "geheim" not in seen
    assert "/var/mail/root" not in seen


@pytest.mark.root
@needs_root
def test_04_the_user_cannot_read_or_trace_what_was_root() -> None:
    def look() -> str:
        user.become(NOBODY)
        status = os.stat("/proc/self/environ")
        return f"{os.geteuid()} {status.st_uid}"

    assert in_child(look) == f"{pwd.getpwnam(NOBODY).pw_uid} 0"


@pytest.mark.root
@needs_root
def test_06_a_link_of_a_user_is_never_roots_profile(common: Path) -> None:
    conf = common / "etc/roots"
    conf.parent.mkdir()
    conf.write_text("TARGET='file:///evil'\nDUPL_PARAMS='--ssh-options=-oProxyCommand=evil'\n")
    profile = common / "home/mallory/.duply/x"
    profile.mkdir(parents=True)
    (profile / "conf").symlink_to(conf)
    for path in (common / "home/mallory", profile.parent, profile):
        shutil.chown(path, NOBODY)
    [known] = see.find(str(common / "none"), str(common)).jobs
    assert known.get("user") == NOBODY
    shutil.rmtree(profile.parent)
    (common / "home/mallory/.duply").symlink_to(common / "etc")
    (common / "etc/x").mkdir()
    conf.rename(common / "etc/x/conf")
    [known] = see.find(str(common / "none"), str(common)).jobs
    assert known.get("user") == NOBODY


# Reading


def test_14_what_is_found_is_read_and_never_run(tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    text = (
        f"touch {ran}; X=$(touch {ran}) ; . {tmp_path}/job.sh\n"
        f"duplicity $(touch {ran}) / file:///x; eval 'touch {ran}'\n"
    )
    job = script(tmp_path / "job.sh", text)
    (tmp_path / "etc/cron.d").mkdir(parents=True)
    (tmp_path / "etc/cron.d/job").write_text(f"0 2 * * * root {job}\n1 2 * * * root {text}")
    (tmp_path / str(job)[1:]).parent.mkdir(parents=True)
    shutil.copy(job, tmp_path / str(job)[1:])
    found = see.find(str(tmp_path / "none"), str(tmp_path))
    assert found.jobs
    assert not ran.exists()


@pytest.mark.parametrize("kind", ["link", "pipe", "device"])
def test_15_an_archive_directorys_links_pipes_and_devices_are_left_alone(
    kind: str, tmp_path: Path
) -> None:
    name = tmp_path / "duplicity-full.20261124T000000Z.manifest"
    secret = tmp_path / "secret"
    secret.write_text("\nVolume 7:\n")
    if kind == "pipe":
        os.mkfifo(name)
    else:
        name.symlink_to(secret if kind == "link" else "/dev/zero")
    seen = archive.look(str(tmp_path))
    assert not any(manifest.volumes for manifest in seen.manifests.values())
    assert f"manifest {name}: " in seen.problem


def test_19_no_duplicity_of_the_current_directory_is_run(tmp_path: Path) -> None:
    script(tmp_path / "duplicity", f"touch {tmp_path}/ran")
    for path in ("/nowhere", None, ".", "", f":{os.defpath}"):
        environment = {} if path is None else {"PATH": path}
        done = subprocess.run(
            [sys.executable, "-I", BIN / "check_duplicity_freshness",
             "-d", "sftp://127.0.0.1:1//x"],
            cwd=tmp_path, env=environment, stdout=subprocess.PIPE, check=False, timeout=60,
        )  # fmt: skip
        assert_valid(Result(done.returncode, done.stdout.decode()))
        assert done.returncode == 3
    assert not (tmp_path / "ran").exists()


# Output


@given(st.text())
def test_20_no_text_moves_a_cursor_or_is_more_than_text(text: str) -> None:
    for shown in (output.harmless(text), output.harmless(text + ESCAPES)):
        assert all(c.isprintable() or c == "\n" for c in shown)
        assert not set(shown) & set("|<>")


@pytest.mark.parametrize("plugin", ["check_duplicity_freshness", "duplicity_triage"])
def test_21_escapes_in_names_stay_out_of_every_output(plugin: str, tmp_path: Path) -> None:
    place = tmp_path / f"a{ESCAPES}\r|<b>$(touch {tmp_path}/ran)"
    for more in ([], ["--json"] if plugin == "duplicity_triage" else ["-v"]):
        arguments = ["-d", f"file://{place}", *more]
        done = subprocess.run(
            [BIN / plugin, *arguments], capture_output=True, text=True, check=False,
            env={"PATH": os.environ["PATH"]},
        )  # fmt: skip
        assert done.returncode == 2
        assert done.stderr == ""
        assert all(c.isprintable() or c == "\n" for c in done.stdout)
        if "--json" in more:
            assert json.loads(done.stdout)


def test_22_what_looks_like_markup_is_shown_as_it_is() -> None:
    from rich.console import Console

    report = Report()
    shown = io.StringIO()
    report._console = Console(
        file=shown, force_terminal=True, width=200, highlight=False, _environ={"TERM": "xterm"}
    )
    value = "[/] [link=https://evil.example.org]x[/link] :smile: [red]"
    report.pairs([("script", value, "[/bold]")])
    report.line(value)
    assert shown.getvalue().count(value) == 2
    assert "[/bold]" in shown.getvalue()


def test_23_no_name_adds_a_line_to_a_jobs_file() -> None:
    evil = f"/home/m/x\n[job]\nuser = root\nduplicity = /home/m/evil{ESCAPES}\r"
    facts = {
        "user": Fact("m", evil),
        "script": Fact(evil, evil),
        "options": Fact("--file-prefix=x", "y"),
    }
    text = job_file.as_ini(Known("x", facts, {}, (evil,)), Secrets({}).hide)
    assert all(c.isprintable() or c == "\n" for c in text)
    read = job_file.read("x", text, "x")
    assert {key: read.get(key) for key in read.facts} == {"user": "m", "options": "--file-prefix=x"}


def forged(whom: str, command: str) -> str:
    date = formatdate(time.time() - 3600)
    return (
        f"From {whom}@host {time.asctime(time.gmtime(time.time() - 3600))}\n"
        f"From: root (Cron Daemon)\nTo: {whom}\nDate: {date}\n"
        f"Subject: Cron <{whom}@host> {command} (failed)\n\n"
        f"{FAILED}\n"
    )


def test_25_no_mail_chooses_what_is_to_be_typed(tmp_path: Path) -> None:
    box = tmp_path / "mbox"
    tools = tmp_path / "bin"
    tools.mkdir()
    script(tools / "crontab", "echo '0 2 * * * /srv/real.sh --now'")
    environment = {"PATH": f"{tools}:{os.environ['PATH']}"}

    def told(whom: str, command: str, *more: object) -> str:
        box.write_text(forged(whom, command))
        arguments = [box, "--state-file", tmp_path / "state", *more]
        result = run_plugin("check_duplicity_log", arguments, environment=environment)
        assert result.status == 2
        return result.out

    me = user.current()
    for whom, command in ((me, "/tmp/evil.sh"), ("games", "/srv/real.sh --now")):
        assert f" {command}\n" not in told(whom, command)
    assert f"u {me} -- /srv/real.sh --now\n" in told(me, "/srv/real.sh --now")

    # A job's own script is typed for the job's own user, whatever a mail says of them.
    job = tmp_path / "assets.ini"
    job.write_text(f"[job]\nuser = {me}\nscript = /srv/assets.sh\ndestination = file:///x\n")
    tmp_path.chmod(0o755)
    job.chmod(0o600)
    for whom, command in (("games", "/srv/assets.sh"), ("games", "/tmp/assets.sh")):
        out = told(whom, command, "-j", "assets", "--jobs-dir", tmp_path)
        assert f"u {me} -- /srv/assets.sh\n" in out
        assert "/tmp/assets.sh" not in out
        assert "u games " not in out


@pytest.mark.root
@needs_root
def test_26_roots_hand_reads_no_file_that_a_user_could_replace(nobodys: Path) -> None:
    path = nobodys / "job.sh"
    path.write_text("duplicity / sftp://u:geheim@host/x\n")
    shutil.chown(path, NOBODY)
    his = frozenset({NOBODY})
    facts = {
        "user": Fact(NOBODY, "x"),
        "destination": Fact("sftp://u:geheim@host/x", f"{path}:1", his),
    }
    known = Known("job", facts)
    secrets = Secrets({}, [known.get("destination")])
    line = pasting.job_of(known, secrets, Job("root")).duplicity("cleanup")
    assert f"$(sudo -u {NOBODY} -- grep -ohm1 " in line
    # And what he decides is nothing for root, by whomever it is read.
    line = pasting.job_of(known.without(["user"]), secrets, Job("root")).duplicity("cleanup")
    assert "grep" not in line
    assert f"u {NOBODY} -- " in line
    roots = nobodys.parent / "secret"
    roots.write_text(path.read_text())
    roots.chmod(0o600)
    path.unlink()
    path.symlink_to(roots)
    assert "grep" not in pasting.job_of(known, secrets, Job("root")).duplicity("cleanup")


# Secrets


def test_28_only_duplicity_itself_shows_a_jobs_password_to_ps(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    spy = script(tmp_path / "spy", f"cat /proc/$PPID/cmdline /proc/$PPID/environ > {seen}")
    job = tmp_path / "x.ini"
    job.write_text(f"[job]\ndestination = sftp://u:geheim@h/x\nduplicity = {spy}\n")
    tmp_path.chmod(0o755)
    job.chmod(0o600)
    result = freshness("-j", "x", "--jobs-dir", tmp_path)
    assert "check_duplicity_freshness" in seen.read_text()
    assert "geheim" not in seen.read_text() + result.out


def test_29_nothing_writes_a_core(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    spy = script(tmp_path / "spy", f"ulimit -c > {seen}; cat /proc/$PPID/limits >> {seen}")
    line = shlex.join(
        [f"{BIN}/check_duplicity_freshness", "-d", "sftp://h/x", "--duplicity", str(spy)]
    )
    subprocess.run(["sh", "-c", f"ulimit -c unlimited; {line}"], capture_output=True, check=False)
    mine, *parents = seen.read_text().split("\n")
    assert mine == "0"
    [core] = [limit for limit in parents if limit.startswith("Max core file size")]
    # 0 doesn't stop one that goes to a program; but what sudo has set to it stays.
    limit = str(min(1, resource.getrlimit(resource.RLIMIT_CORE)[1]) if os.geteuid() else 1)
    assert core.split()[4:6] == [limit.replace("-1", "1")] * 2


# The lint that looks for more of this kind.


def test_bandit_reads_the_plugins_which_have_no_suffix(tmp_path: Path) -> None:
    bandit = BIN / "bandit"
    if not bandit.exists():
        pytest.skip("bandit is not installed")
    makefile = (PROJECT / "Makefile").read_text()
    assert "bandit -q -c pyproject.toml -r lib $(wildcard plugins/*)" in makefile
    plugins = [shutil.copy(path, tmp_path) for path in (PROJECT / "plugins").iterdir()]
    words = [bandit, "-q", "-f", "json", "-c", PROJECT / "pyproject.toml", *plugins]
    done = subprocess.run(words, capture_output=True, check=False)
    assert done.returncode == 0
    found = json.loads(done.stdout)["metrics"]
    assert all(found[path]["loc"] > 50 for path in plugins)
    with open(plugins[0], "a") as opened:
        opened.write("exec(input())\n")
    assert subprocess.run(words, capture_output=True, check=False).returncode == 1
