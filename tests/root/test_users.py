"""Another user, and a real sshd: ``.ci/run`` runs these as root, with Debian's duplicity."""

from __future__ import annotations

import os
import pwd
import shlex
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from lab import fingerprint, processes_of, wait_until
from plugin import BIN, Result, assert_valid, freshness, run_plugin, write_job
from sshd import SSHD, serving

DUPLICITY = Path("/usr/bin/duplicity")
USER = "check-duplicity-test"

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root: adds a user, starts sshd"),
    pytest.mark.skipif(
        not (SSHD.exists() and DUPLICITY.exists()), reason="needs sshd and Debian's duplicity"
    ),
]


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """The home of a user of our own, who owns a backup at a place that no other user can read."""
    subprocess.run(["useradd", "--create-home", "--password", "*", USER], check=True)
    try:
        yield Path(pwd.getpwnam(USER).pw_dir)
    finally:
        subprocess.run(["pkill", "-9", "-u", USER], check=False)
        subprocess.run(["userdel", "--remove", USER], check=True, stderr=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def port(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A real sshd on loopback that lets our user in."""
    with serving(USER, home, tmp_path_factory.mktemp("sshd")) as number:
        yield number


def as_user(*command: object) -> subprocess.CompletedProcess[str]:
    words = ["sudo", "-n", "-H", "-u", USER, *map(str, command)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd="/")
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@contextmanager
def deaf_server() -> Iterator[int]:
    """A server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        connections: list[socket.socket] = []

        def accept() -> None:
            while True:
                try:
                    connections.append(server.accept()[0])
                except OSError:
                    return

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()
            for connection in connections:
                connection.close()


def check(url: str, *options: object) -> Result:
    # Not /tmp itself: other tests may be using it at the same time.
    with tempfile.TemporaryDirectory() as own:
        os.chmod(own, 0o1777)
        environment = {"HOME": "/root", "TMPDIR": own}
        result = freshness("-d", url, "-u", USER, *options, environment=environment)
        assert os.listdir(own) == []
    return result


def back_up(home: Path, url: str) -> None:
    as_user(DUPLICITY, "full", "--no-encryption", "--include", "/etc/hostname", "--exclude", "**",
            "/etc", url)  # fmt: skip


def test_root_becomes_the_user_of_the_backup(home: Path) -> None:
    url = f"file://{home}/destination"
    as_user("mkdir", "-m", "700", home / "destination")
    back_up(home, url)
    result = check(url, "-v")
    assert result.status == 0
    # The archive directory was found in that user's HOME, and is that user's still.
    assert "Not seen" not in result.out
    owned = subprocess.run(
        ["find", home, "!", "-user", USER], capture_output=True, text=True, check=True
    )
    assert owned.stdout == ""


def test_root_writes_what_it_has_seen_as_the_user(home: Path, tmp_path: Path) -> None:
    """Only root may write where node_exporter reads; and nobody turns that way elsewhere."""
    as_user("mkdir", "-p", "-m", "700", home / "measured")
    back_up(home, f"file://{home}/measured")
    metrics = tmp_path / "metrics"
    metrics.mkdir(mode=0o755)
    form = ["--format", "openmetrics", "--write"]
    assert check(f"file://{home}/measured", *form, metrics / "x.prom").status == 0
    written = metrics / "x.prom"
    assert (written.owner(), written.stat().st_mode & 0o777) == ("root", 0o644)
    assert os.listdir(metrics) == ["x.prom"]
    # The last directories may be another user's own, as those of node_exporter are in Debian, but
    # no link there is followed, and a third user has no part in it.
    as_user("mkdir", "-p", home / "own" / "textfile")
    as_user("ln", "-s", tmp_path, home / "turned")
    as_user("ln", "-s", "own", home / "inner")
    measured = f"file://{home}/measured"
    assert check(measured, *form, home / "own" / "textfile" / "x.prom").status == 0
    assert (home / "own" / "textfile" / "x.prom").owner() == "root"
    turned = check(measured, *form, home / "turned" / "metrics" / "y.prom")
    assert turned.status == 3
    assert f"{home} is another user's" in turned.out
    inner = check(measured, *form, home / "inner" / "textfile" / "y.prom")
    assert inner.status == 3
    assert f"{home}/inner is another user's" in inner.out
    shutil.chown(home / "own" / "textfile", "daemon")
    third = check(measured, *form, home / "own" / "textfile" / "x.prom")
    assert third.status == 3
    assert "textfile is yet another user's" in third.out
    assert os.listdir(metrics) == ["x.prom"]
    shutil.chown(metrics, USER)
    assert check(f"file://{home}/measured", *form, metrics / "z.prom").status == 0
    assert (metrics / "z.prom").owner() == "root"


def test_what_duplicity_runs_as(home: Path, tmp_path: Path) -> None:
    spy = home / "spy"
    spy.write_text(f"#!/bin/sh\n(id -un; id -Gn; echo $HOME $USER) > {home}/seen\nexit 1\n")
    spy.chmod(0o755)
    check("sftp://h/x", "--duplicity", spy)
    assert (home / "seen").read_text() == f"{USER}\n{USER}\n{home} {USER}\n"


def test_sftp_to_a_real_sshd(home: Path, port: int) -> None:
    url = f"sftp://{USER}@127.0.0.1:{port}/sftp-destination"
    back_up(home, url)
    result = check(url)
    assert (result.status, result.value("chain_length")) == (0, 1)
    for manifest in (home / "sftp-destination").glob("*.manifest"):
        manifest.unlink()
    result = check(url)
    assert result.status == 2
    assert " has lost its manifest" in result.first_line


def test_a_drill_of_root_is_the_users_over_sftp(home: Path, port: int, tmp_path: Path) -> None:
    """As the timer makes it: by root, with the job's file; the passphrase is in a file."""
    url = f"sftp://{USER}@127.0.0.1:{port}/drilled"
    (home / "files").mkdir()
    (home / "files" / "big").write_bytes(os.urandom(2 << 20))
    (home / "files" / "canary").write_text("sings\n")
    (home / "secrets").write_text("PASSPHRASE=nightingale\n")
    as_user_with(PASSPHRASE="nightingale")(
        DUPLICITY, "full", "--volsize", "1", "--no-compression", home / "files", url
    )
    for path in (home / "files", home / "secrets"):
        shutil.chown(path, USER)
        path.chmod(0o700 if path.is_dir() else 0o400)
    before = fingerprint(home / "drilled")
    text = f"user={USER}\ndestination={url}\nenvironment_file={home}/secrets\ndrill_paths=canary"
    write_job(tmp_path, "birds", f"[job]\n{text}\ndrill_volumes=9\n")
    words = ["-j", "birds", "--jobs-dir", tmp_path]
    never = run_plugin("check_duplicity_restore", words)
    assert never.status == 3
    result = run_plugin("duplicity_drill", words)
    assert (result.status, result.value("proved")) == (0, 100), result.out
    assert "canary: 6 B restored" in result.out
    assert fingerprint(home / "drilled") == before
    told = run_plugin("check_duplicity_restore", words)
    assert (told.status, told.value("proved")) == (0, 100)
    [kept] = (home / ".local/state/check-duplicity").glob("*.json")
    assert (kept.stat().st_uid, kept.stat().st_mode & 0o777) == (home.stat().st_uid, 0o600)
    assert "nightingale" not in result.out + kept.read_text()
    assert not list(Path("/var/tmp").glob("check-duplicity-drill-*"))


def test_a_drill_restores_nothing_to_where_others_decide(home: Path) -> None:
    as_user("mkdir", "-m", "755", home / "place")
    result = run_plugin("duplicity_drill", ["-d", "file:///nowhere", "--tempdir", home / "place"])
    assert result.status == 3
    assert f"{USER} can put another directory in place of one in {home}/place" in result.first_line
    assert not list((home / "place").iterdir())


def as_user_with(**environment: str) -> Callable[..., object]:
    """Run a command as the user, with variables."""
    return partial(as_user, "env", *(f"{name}={value}" for name, value in environment.items()))


def test_a_drill_on_a_full_disk_ends_and_says_so(home: Path, tmp_path: Path) -> None:
    """duplicity never ends there by itself."""
    url = f"file://{home}/full-disk"
    source = tmp_path / "source"
    source.mkdir()
    (source / "big").write_bytes(os.urandom(12 << 20))
    plain = ["--no-encryption", "--archive-dir", str(tmp_path / "archive")]
    subprocess.run(
        [str(DUPLICITY), "full", "--no-compression", *plain, str(source), url],
        check=True, capture_output=True,
    )  # fmt: skip
    small = tmp_path / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "none", str(small)]
    subprocess.run(mount, check=True)
    try:
        words = ["-d", url, "-a", tmp_path / "archive", "--tempdir", small, "-t", "100"]
        result = run_plugin("duplicity_drill", words, environment={"HOME": str(tmp_path)})
        assert not list(small.iterdir())
    finally:
        subprocess.run(["umount", str(small)], check=True)
    assert result.status == 1, result.out
    assert "space" in result.first_line
    assert "--tempdir" in result.out


def test_rsync_over_a_real_sshd(home: Path, port: int) -> None:
    url = f"rsync://{USER}@127.0.0.1:{port}/{home}/rsync-destination"
    as_user("mkdir", home / "rsync-destination")
    back_up(home, url)
    assert check(url).status == 0


def test_a_directory_that_is_gone_is_critical(home: Path, port: int) -> None:
    at = f"{USER}@127.0.0.1:{port}/"
    # Over rsync duplicity makes nothing; over sftp it does, or says that it couldn't.
    result = check(f"rsync://{at}{home}/gone")
    assert result.status == 2
    assert f' - the destination is not there: change_dir "{home}/gone" ' in result.first_line
    assert "sftp HOST" in result.out
    result = check(f"sftp://{at}/etc/gone")
    assert result.status == 2
    assert result.first_line.endswith(
        " - the destination is not there: sftp mkdir /etc/gone failed: [Errno 13] Permission denied"
    )
    result = check(f"sftp://{at}gone")
    assert result.status == 2
    assert " - no backup: " in result.first_line
    # There, but not to be seen: what is in it can't be told.
    (home / "closed" / "x").mkdir(parents=True)
    (home / "closed").chmod(0)
    for url in (f"rsync://{at}{home}/closed/x", f"sftp://{at}{home}/closed/x"):
        assert check(url).status == 3
    (home / "closed").chmod(0o755)


def test_an_unknown_host_key_is_unknown_and_not_asked_about(home: Path, port: int) -> None:
    known_hosts = home / ".ssh" / "known_hosts"
    kept = known_hosts.read_text()
    known_hosts.write_text("")
    try:
        for scheme in ("sftp", "rsync"):
            result = check(f"{scheme}://{USER}@127.0.0.1:{port}/sftp-destination")
            assert result.status == 3
            assert "127.0.0.1" in result.first_line
    finally:
        known_hosts.write_text(kept)


def test_a_wrong_password_is_unknown_and_not_shown(home: Path, port: int) -> None:
    result = check(f"sftp://nobody:tr0ub4dor@127.0.0.1:{port}/x")
    assert result.status == 3
    assert "uthentication" in result.first_line
    assert "tr0ub4dor" not in result.out


@pytest.mark.parametrize("scheme", ["sftp", "rsync"])
def test_a_closed_port_is_unknown_with_its_reason(home: Path, scheme: str) -> None:
    result = check(f"{scheme}://{USER}@127.0.0.1:1//x")
    assert result.status == 3
    assert "refused" in result.first_line or "Unable to connect" in result.first_line


@pytest.mark.parametrize("scheme", ["sftp", "rsync"])
def test_a_server_that_never_answers_ends_with_the_timeout(home: Path, scheme: str) -> None:
    with deaf_server() as port:
        result = check(f"{scheme}://{USER}@127.0.0.1:{port}//x", "-t", "2")
        assert result.status == 3
        assert "UNKNOWN - no answer within 2 s" in result.first_line
        wait_until(lambda: not processes_of(str(port)))


def test_another_user_is_told_what_to_type(home: Path) -> None:
    plugin = BIN / "check_duplicity_freshness"
    words = ["sudo", "-n", "-u", "nobody", str(plugin)]
    words += ["-d", "sftp://u:geheim@host/x", "-u", USER]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert f"must be run as {USER}, not as nobody" in done.stdout
    assert f"\n  sudo -u {USER} -- {plugin} -d 'sftp://u:***@host/x' -u {USER}\n" in done.stdout


@contextmanager
def running(home: Path, url: str, source: Path) -> Iterator[int]:
    """A backup of another user, root, that goes on for long; its archive can be read by all."""
    archive = home / "roots-archive"
    words = [DUPLICITY, "full", "--no-encryption", "--archive-dir", archive, "--name", "job"]
    with subprocess.Popen(
        [*map(str, words), str(source), url], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as backup:
        try:
            lock = archive / "job" / "lockfile"
            wait_until(lambda: backup.poll() is not None or lock.exists())
            assert backup.poll() is None
            lock.chmod(0o644)
            yield backup.pid
        finally:
            backup.kill()


def where_processes_are_hidden(plugin: str, *options: object) -> Result:
    """Run a plugin as our user where /proc is mounted with hidepid=2."""
    command = ["sudo", "-n", "-H", "-u", USER, BIN / plugin, *options]
    line = f"mount -t proc -o hidepid=2 proc /proc && exec {shlex.join(map(str, command))}"
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", line], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    result = Result(done.returncode, done.stdout)
    assert_valid(result)
    return result


def test_hidden_processes_are_unknown_without_the_archive_directory_and_right_with_it(
    home: Path, tmp_path: Path
) -> None:
    (tmp_path / "source").mkdir()
    with (tmp_path / "source" / "large").open("wb") as large:
        large.truncate(1 << 40)
    (tmp_path / "destination").mkdir()
    url = f"file://{tmp_path}/destination"
    job = ["-a", home / "roots-archive", "-n", "job"]
    with running(home, url, tmp_path / "source") as pid:
        hidden = where_processes_are_hidden("check_duplicity_process", "-d", url)
        assert hidden.status == 3
        assert "the processes of others are hidden" in hidden.first_line
        seen = where_processes_are_hidden("check_duplicity_process", *job)
        assert (seen.status, seen.value("processes")) == (0, 1)
        assert f"pid {pid}" in seen.out
    seen = where_processes_are_hidden("check_duplicity_process", *job, "--require")
    assert (seen.status, seen.value("processes")) == (2, 0)
    # One's own processes are never hidden.
    own = where_processes_are_hidden("check_duplicity_process", "-u", USER)
    assert (own.status, own.value("processes")) == (0, 0)


@pytest.mark.parametrize("scheme", ["sftp", "rsync"])
def test_a_backup_to_a_server_that_never_answers_is_stalled(
    home: Path, scheme: str, tmp_path: Path
) -> None:
    with deaf_server() as port:
        url = f"{scheme}://{USER}@127.0.0.1:{port}//x"
        words = ["sudo", "-n", "-H", "-u", USER, str(DUPLICITY), "full", "--no-encryption"]
        with subprocess.Popen(
            [*words, "--timeout", "600", "/etc/cron.d", url],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        ) as backup:
            try:
                options = ["-d", url, "-q"]
                state = {"XDG_STATE_HOME": str(tmp_path)}

                def stalled(*limits: str) -> Result:
                    arguments = [*options, *limits]
                    return run_plugin("check_duplicity_process", arguments, environment=state)

                wait_until(lambda: stalled().value("processes") == 1)
                wait_until(lambda: stalled().value("stalled") >= 3)
                assert stalled("--stalled-warning", "2").status == 1
                assert stalled("--stalled-critical", "2").status == 2
            finally:
                subprocess.run(["pkill", "-9", "-f", url], check=False)
                backup.wait()
