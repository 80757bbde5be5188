"""Another user of the machine can neither fake nor hide what the checks see.

``mallory`` may read a job's log, write beside it, and start any process; the job is ``owner``'s.
Both are real users, and so are the processes and locks. ``.ci/run`` runs these.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from check_duplicity.processes import see
from check_duplicity.processes.model import Wanted
from lab import wait_until
from needs import needs_root
from plugin import BIN, Result, run_plugin
from samples import CAPTURES

MALLORY, OWNER = "dup-mallory", "dup-owner"
URL = "sftp://backup@host/sight"
PYTHON = "/usr/bin/python3"
RUNS = CAPTURES / "runs"
GOOD = (RUNS / "3.2.1/good-full.out").read_text()
FAILED = (RUNS / "3.2.1/nospace-dest.out").read_text()
KILLED = (RUNS / "0.8.23/sigkill.out").read_text()

pytestmark = [
    pytest.mark.root,
    needs_root,
]


@pytest.fixture(scope="module", autouse=True)
def users() -> Iterator[None]:
    for name in (MALLORY, OWNER):
        subprocess.run(["useradd", "--no-create-home", "--password", "*", name], check=True)
    try:
        yield
    finally:
        for name in (MALLORY, OWNER):
            subprocess.run(["pkill", "-9", "-u", name], check=False)
            wait_until(lambda name=name: not _of(name))
            for left in Path("/var/tmp").glob(f"check-duplicity-{uid(name)}*"):
                shutil.rmtree(left)
            subprocess.run(["userdel", name], check=True, stderr=subprocess.DEVNULL)


def _of(user: str) -> bytes:
    return subprocess.run(["pgrep", "-u", user], capture_output=True, check=False).stdout


def uid(name: str) -> int:
    return pwd.getpwnam(name).pw_uid


@pytest.fixture
def common() -> Iterator[Path]:
    """A directory that every user can enter, with one in it where anybody can write."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        (Path(name) / "tmp").mkdir()
        (Path(name) / "tmp").chmod(0o1777)
        yield Path(name)


def as_user(name: str) -> dict[str, object]:
    """What starts a process as a user."""
    return {"user": uid(name), "group": pwd.getpwnam(name).pw_gid, "extra_groups": [], "cwd": "/"}


def own(path: Path, name: str, text: str = "") -> Path:
    path.write_text(text)
    shutil.chown(path, name, pwd.getpwnam(name).pw_gid)
    return path


def own_directory(path: Path, name: str) -> Path:
    path.mkdir()
    shutil.chown(path, name, pwd.getpwnam(name).pw_gid)
    return path


@contextmanager
def process(user: str, *words: object, **options: object) -> Iterator[subprocess.Popen[bytes]]:
    """A process of a user that lives until the end of the block, and has said that it is there."""
    with subprocess.Popen(  # type: ignore[call-overload]
        list(map(str, words)), stdout=subprocess.PIPE, **{**as_user(user), **options}
    ) as started:
        try:
            assert started.stdout.readline() == b"ready\n"
            yield started
        finally:
            started.kill()


def waiting(path: Path, more: str = "") -> Path:
    path.write_text(f"import sys, time\n{more}\nprint('ready', flush=True)\ntime.sleep(600)\n")
    return path


@contextmanager
def alike(
    user: str, common: Path, *arguments: object, url: str = URL
) -> Iterator[subprocess.Popen[bytes]]:
    """A process of a user's that looks like a backup."""
    with process(
        user, PYTHON, waiting(common / "duplicity"), "full", *arguments, "/etc", url
    ) as started:
        yield started


def check(plugin: str, *arguments: object, user: str = "root") -> Result:
    """Run a check as a user."""
    # A user remembers in /var/tmp, as there is nothing of the tests' that he may write to.
    environment = {} if user == "root" else {"XDG_STATE_HOME": ""}
    return run_plugin(
        f"check_duplicity_{plugin}", arguments, environment=environment,
        **as_user(user),  # type: ignore[arg-type]
    )  # fmt: skip


def recent(text: str) -> str:
    """Good output whose statistics are of now, not of when it was captured."""
    lines = [line.split(" ") for line in text.split("\n")]
    return "\n".join(
        f"{words[0]} {time.time():.2f} (now)" if words[0] in ("StartTime", "EndTime")
        else " ".join(words) for words in lines
    )  # fmt: skip


def read_log(*arguments: object, user: str = "root") -> Result:
    return check("log", *arguments, "--state-file", os.devnull, user=user)


# What is in progress


@pytest.mark.parametrize("given", [(), ("-u", OWNER), ("-u", OWNER, "-d", URL)])
def test_who_reads_a_log_does_not_write_it(common: Path, given: tuple[str, ...]) -> None:
    log = own(common / "assets.log", OWNER, recent(GOOD) + KILLED)
    reader = waiting(common / "reader", "opened = open(sys.argv[1])")
    for user in (MALLORY, OWNER):
        with process(user, PYTHON, reader, log):
            assert read_log(log, *given).status == 2
    writer = waiting(common / "writer", "opened = open(sys.argv[1], 'a')")
    with process(OWNER, PYTHON, writer, log):
        found = read_log(log, *given)
    assert found.status == 0
    assert f"in progress: {log}" in found.first_line
    # Who may write to it, too, is not the job.
    log.chmod(0o666)
    with process(MALLORY, PYTHON, writer, log):
        assert read_log(log, *given).status == 2


@pytest.mark.parametrize("given", [("-u", OWNER, "-d", URL), ("-u", OWNER)])
def test_another_users_process_does_not_make_a_log_in_progress(
    common: Path, given: tuple[str, ...]
) -> None:
    log = own(common / "assets.log", OWNER, recent(GOOD) + KILLED)
    with alike(MALLORY, common):
        assert read_log(log, *given).status == 2
    # Without a destination it may be another job's.
    with alike(OWNER, common):
        assert read_log(log, *given).status == (0 if "-d" in given else 3)


def test_a_run_without_an_end_is_unknown_where_processes_are_hidden(common: Path) -> None:
    log = own(common / "assets.log", "root", recent(GOOD) + KILLED)
    words = ["check_duplicity_log", "--state-file", os.devnull, log]
    line = (
        "mount -t proc -o hidepid=2 proc /proc && exec "
        f"setpriv --reuid {OWNER} --regid {OWNER} --clear-groups {BIN}/{' '.join(map(str, words))}"
    )
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", line], capture_output=True, text=True, check=False
    )
    assert done.returncode == 3
    assert f"the last run in {log} has no end, whether it goes on is hidden" in done.stdout


def archive_of(name: str, common: Path, hours: float = 60) -> Path:
    """The archive directory of a user's job whose only backup is so old."""
    directory = own_directory(common / "archive", name)
    own_directory(directory / "job", name)
    made = datetime.now(timezone.utc) - timedelta(hours=hours)
    stamp = made.strftime("%Y%m%dT%H%M%SZ")
    own(directory / "job" / f"duplicity-full.{stamp}.manifest", name, "Hostname h\nVolume 1:\n")
    own(directory / "job" / f"duplicity-full-signatures.{stamp}.sigtar.gz", name)
    return directory


def from_archive(archive: Path) -> list[object]:
    return ["--from-archive", "-d", URL, "-a", archive, "-n", "job"]


@pytest.mark.parametrize("mine", [True, False])
def test_another_users_process_makes_no_old_backup_bearable(common: Path, mine: bool) -> None:
    archive = archive_of(OWNER, common)
    runs: dict[str, str] = {"user": OWNER} if mine else {}
    words = [*from_archive(archive), *([] if mine else ["-u", OWNER])]
    with alike(MALLORY, common, "--archive-dir", archive, "--name", "job"):
        assert check("freshness", *words, **runs).status == 2
    with alike(OWNER, common, "--archive-dir", archive, "--name", "job"):
        found = check("freshness", *words, **runs)
    assert found.status == 1
    assert "in progress since" in found.first_line


def test_what_may_be_running_is_not_called_interrupted(common: Path) -> None:
    """It may be a backup of the job, after all: nothing it makes is to be removed."""
    archive = archive_of(OWNER, common)
    stamp = f"{datetime.now(timezone.utc) - timedelta(hours=1):%Y%m%dT%H%M%SZ}"
    part = archive / "job" / f"duplicity-full.{stamp}.manifest.part"
    own(part, OWNER, "Hostname h\nVolume 1:\n")
    words = [*from_archive(archive), "-u", OWNER]
    assert " was interrupted after 1 volume" in check("freshness", *words).out
    with alike(MALLORY, common):
        found = check("freshness", *words)
        assert found.status == 2
        assert "is unfinished after 1 volume, maybe still running" in found.out
        told = check("process", "-d", URL, "-u", OWNER)
    assert (told.status, told.value("processes")) == (0, 0)
    assert f"\nNot counted: a process of {MALLORY} that looks like the job's" in told.out


READ_LOCK = "import fcntl; o = open(sys.argv[1]); fcntl.lockf(o, fcntl.LOCK_SH)"
WRITE_LOCK = "import fcntl; o = open(sys.argv[1], 'a'); fcntl.lockf(o, fcntl.LOCK_EX)"
OPEN_FILE_LOCK = (
    "import fcntl, os, struct; o = open(sys.argv[1], 'a');"
    "fcntl.fcntl(o, 37, struct.pack('hhqqi', fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))"  # F_OFD_SETLK
)


@pytest.mark.parametrize(
    ("user", "mode", "lock", "counts"),
    [
        (MALLORY, 0o644, READ_LOCK, False),
        (OWNER, 0o644, READ_LOCK, False),
        (MALLORY, 0o666, WRITE_LOCK, False),
        (MALLORY, 0o666, OPEN_FILE_LOCK, False),
        (OWNER, 0o644, WRITE_LOCK, True),
        (OWNER, 0o666, WRITE_LOCK, True),
        ("root", 0o644, WRITE_LOCK, True),
    ],
)
def test_only_what_the_jobs_user_has_locked_is_running(
    common: Path, user: str, mode: int, lock: str, counts: bool
) -> None:
    archive = archive_of(OWNER, common)
    lockfile = own(archive / "job" / "lockfile", OWNER)
    lockfile.chmod(mode)
    with process(user, PYTHON, waiting(common / "holder", lock), lockfile):
        found = check("freshness", *from_archive(archive), "-u", OWNER)
        assert found.status == (1 if counts else 2)
        job = ["-d", URL, "-a", archive, "-n", "job", "-u", OWNER]
        state = ["--state-file", common / "state", "--require"]
        assert check("process", *job, *state).status == (0 if counts else 2)


def test_sudo_that_asks_is_not_roots_backup(common: Path) -> None:
    """Its name and its arguments are chosen by who has started it."""
    archive = archive_of("root", common)
    (common / "tmp" / "duplicity").symlink_to("/usr/bin/sudo")
    given = ["--archive-dir", archive, "--name", "job"]
    words = [common / "tmp" / "duplicity", "-S", "full", *given, "/etc", URL]
    with subprocess.Popen(
        list(map(str, words)),
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        **as_user(MALLORY),  # type: ignore[call-overload]
    ) as asking:  # fmt: skip
        try:
            assert asking.stderr.read(1)  # It asks.
            assert check("freshness", *from_archive(archive)).status == 2
        finally:
            asking.communicate()
    with alike("root", common, *given):
        assert check("freshness", *from_archive(archive)).status == 1


def test_a_program_that_becomes_root_for_anybody_is_not_roots_backup(common: Path) -> None:
    archive = archive_of("root", common)
    source = common / "setuid.c"
    source.write_text(
        "#include <stdio.h>\n#include <unistd.h>\n"
        'int main() { return setuid(0) || puts("ready") < 0 || fflush(stdout) || sleep(600); }\n'
    )
    subprocess.run(["cc", "-o", common / "duplicity", source], check=True)
    (common / "duplicity").chmod(0o4755)
    given = ["full", "--archive-dir", archive, "--name", "job", "/etc", URL]
    with process(MALLORY, common / "duplicity", *given) as started:
        assert "\nUid:\t0\t0\t0\t0\n" in Path(f"/proc/{started.pid}/status").read_text()
        assert check("freshness", *from_archive(archive)).status == 2
    (common / "duplicity").chmod(0o755)
    with process("root", common / "duplicity", *given):
        assert check("freshness", *from_archive(archive)).status == 1


def test_what_must_be_running_is_not_another_users(common: Path) -> None:
    state = ["--state-file", common / "state", "--require"]
    with alike(MALLORY, common):
        found = check("process", "-d", URL, *state)
        assert found.status == 2
        assert f"no backup is running, except for {MALLORY} (name that user with -u)" in found.out
    for user in ("root", OWNER):
        with alike(user, common):
            given = [] if user == "root" else ["-u", user]
            assert check("process", "-d", URL, *given, *state).status == 0


# What a log has been


@pytest.mark.parametrize(
    ("mode", "given"), [(0o1777, ("-u", OWNER)), (0o775, ("-u", OWNER)), (0o775, ())]
)
def test_what_another_user_puts_beside_a_log_says_nothing(
    common: Path, mode: int, given: tuple[str, ...]
) -> None:
    place = own_directory(common / "logs", OWNER)
    shutil.chown(place, group=pwd.getpwnam(MALLORY).pw_gid)
    place.chmod(mode)
    log = own(place / "assets.log", OWNER, FAILED)
    earlier = own(place / "assets.log.1", MALLORY, recent(GOOD))
    found = read_log(log, *given)
    assert found.status == 2
    assert f"\nPassed over: {earlier}, it is {MALLORY}'s\n" in found.out
    # Nor if it is given besides, as by a pattern.
    assert read_log(log, earlier, *given).status == 2
    earlier.unlink()
    os.utime(log, (time.time() - 60, time.time() - 60))
    for user in ("root", OWNER):
        later = own(place / "assets.log.1", user, recent(GOOD))
        assert read_log(log, *given).status == 0
        later.unlink()


def test_where_anybody_can_write_another_users_log_is_none(common: Path) -> None:
    log = common / "tmp" / "assets.log"
    own(common / "tmp" / "assets.log.1", MALLORY, recent(GOOD))
    found = read_log(log, "-u", OWNER)
    assert (found.status, "No such file" in found.first_line) == (3, True)
    own(log, MALLORY, recent(GOOD))
    own(common / "tmp" / "assets.log.1", OWNER, FAILED)
    found = read_log(log, "-u", OWNER)
    assert found.status == 3
    assert f"{log}: is {MALLORY}'s, where anybody can put it" in found.first_line
    # A mailbox there is that of whom it is named after.
    box = own(common / "tmp" / OWNER, OWNER, recent(GOOD))
    assert read_log(box).status == 0


def test_a_log_that_may_not_be_read_is_not_replaced_by_what_it_was(common: Path) -> None:
    log = own(common / "assets.log", "root", FAILED)
    log.chmod(0o600)
    own(common / "assets.log.1", "root", recent(GOOD))
    found = read_log(log, user=OWNER)
    assert found.status == 3
    assert "Permission denied" in found.first_line


def test_another_users_messages_in_a_maildir_were_not_delivered(common: Path) -> None:
    head = f"From: root (Cron Daemon)\nSubject: Cron <{OWNER}@host> /srv/assets.sh\n"
    box = own_directory(common / "Maildir", OWNER)
    for folder in ("new", "cur"):
        own_directory(box / folder, OWNER).chmod(0o1777)
    own(box / "new" / "1.a", OWNER, f"{head}\n{FAILED}")
    own(box / "new" / "2.b", MALLORY, f"{head}\n{recent(GOOD)}")
    found = read_log(box, "-u", OWNER)
    assert found.status == 2
    assert f"Passed over: {box}/new/2.b, it is {MALLORY}'s" in found.out
    shutil.chown(box / "new" / "2.b", "root")
    assert read_log(box, "-u", OWNER).status == 0


# Whether it gets on


@contextmanager
def taken(name: str) -> Iterator[Path]:
    """Where a user's checks would remember, made by another user."""
    path = Path(f"/var/tmp/check-duplicity-{uid(name)}")
    for left in path.parent.glob(f"{path.name}*"):
        shutil.rmtree(left)
    own_directory(path, MALLORY)
    own_directory(path.parent / f"{path.name}-0123456789abcdef", MALLORY)
    try:
        yield path
    finally:
        for left in path.parent.glob(f"{path.name}*"):
            shutil.rmtree(left)


def job_file(common: Path) -> list[object]:
    (common / "assets.ini").write_text(
        f"[job]\nuser = {OWNER}\ndestination = {URL}\narchive_dir = {common}/archive\n"
        "name = job\nschedule = 0 2 * * *\nstalled_warning = 0.2\nstalled_critical = 0.5\n"
    )
    return ["-j", "assets", "--jobs-dir", common]


def test_another_user_cannot_keep_a_check_from_remembering(common: Path) -> None:
    given = ["--archive-dir", archive_of(OWNER, common, hours=1), "--name", "job"]
    job = job_file(common)
    with taken(OWNER) as place, alike(OWNER, common, *given) as backup:
        backup.send_signal(signal.SIGSTOP)
        check("process", *job, "-q", user=OWNER)
        wait_until(lambda: check("process", *job, "-q", user=OWNER).status == 2)
        found = check("process", *job, user=OWNER)
        assert "no progress for " in found.out
        [kept] = [path for path in place.parent.glob(f"{place.name}*") if path.owner() == OWNER]
        assert kept.stat().st_mode & 0o777 == 0o700
        assert not list(place.iterdir())
        # A person is told the same.
        words = list(map(str, [BIN / "duplicity_triage", *job, "--from-archive"]))
        told = subprocess.run(words, capture_output=True, text=True, check=False)
        assert told.returncode == 2
        assert told.stdout.startswith("assets: CRITICAL, hung\n  no progress for ")
        assert not [path for path in kept.rglob("*") if path.owner() != OWNER]


def test_what_cannot_be_remembered_is_unknown_unless_worse_is_known(common: Path) -> None:
    place = own_directory(common / "mallory", MALLORY)
    (place / "state").mkdir()  # root's, which mallory can put away
    with alike("root", common):
        for file in (place / "x", place / "state" / "x"):
            words = ["-d", URL, "--state-file", file]
            for more in ([], ["-q"]):
                found = check("process", *words, *more)
                assert found.status == 3
                assert "it is not known whether it makes progress" in found.first_line
                assert "give it a --state-file" in found.first_line
            assert check("process", *words, "-w", "@0:1d", "-c", "9d").status == 1
    assert not list((place / "state").iterdir())


# What costs


def test_another_users_processes_cost_a_check_nothing(common: Path) -> None:
    large = own_directory(common / "large", MALLORY)
    (large / "job").mkdir()
    for number in range(100_000):
        (large / "job" / str(number)).touch()
    given = ["--archive-dir", large, "--name", "job"]
    fake = [PYTHON, "-I", "-S", waiting(common / "duplicity"), "full"]
    with ExitStack() as stack:
        for _ in range(150):
            stack.enter_context(process(MALLORY, *fake, *given, "/etc", URL))
        state = ["--state-file", common / "state"]
        archive = archive_of(OWNER, common)
        for words in (["-u", OWNER, "-d", URL], ["-d", "sftp://host/other"]):
            found = check("process", *words, *state, "-t", "8")
            assert (found.status, found.value("processes")) == (0, 0)
        assert check("freshness", *from_archive(archive), "-u", OWNER, "-t", "8").status == 2
        # Where they are asked for, they are seen.
        assert check("process", "-d", URL, *state, "-t", "8").value("processes") == 150


def test_of_each_user_only_so_much_is_looked_at(
    common: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(see, "_MOST", 3)
    with ExitStack() as stack:
        for _ in range(5):
            stack.enter_context(alike(MALLORY, common))
        late = stack.enter_context(alike(OWNER, common))
        sight = see.look(Wanted(URL))
        assert [process.user for process in sight.running].count(MALLORY) == 3
        assert late.pid in [process.pid for process in sight.running]
        assert sight.left_out[MALLORY] == 2
        assert sight.sure
        # It isn't known then what that user's are doing.
        assert not see.look(Wanted(URL, user=MALLORY)).sure


@pytest.mark.parametrize("user", [MALLORY, OWNER])
def test_too_many_of_the_jobs_own_user_are_unknown(common: Path, user: str) -> None:
    line = "for i in {1..510}; do (exec -a duplicity sleep 600) & done; echo ready; wait"
    ours = ["pgrep", "-c", "-u", user, "-f", "^duplicity 600"]
    state = ["--state-file", common / "state"]
    with process(user, "bash", "-c", line, start_new_session=True) as shell:
        try:
            wait_until(lambda: subprocess.check_output(ours) == b"510\n")
            narrowed = check("process", "-u", OWNER, *state)
            everybodys = check("process", "-d", URL, *state)
        finally:
            os.killpg(shell.pid, signal.SIGKILL)
    assert narrowed.status == (3 if user == OWNER else 0)
    if user == OWNER:
        assert f"too many processes of {OWNER} look like duplicity" in narrowed.first_line
    # They keep nobody from seeing those of others.
    assert (everybodys.status, everybodys.value("processes")) == (0, 0)
    assert f" more of {user}'s processes that may be duplicity's\n" in everybodys.out


def test_endless_arguments_cost_no_more(common: Path) -> None:
    fake = waiting(common / "duplicity")
    small = ["x"] * 200_000
    with process(MALLORY, PYTHON, fake, "full", *small, "/etc", URL) as hiding:
        sight = see.look(Wanted(URL))
    assert hiding.pid in [process.pid for process in sight.running]  # One such may be.
    with ExitStack() as stack:
        for _ in range(4):
            stack.enter_context(process(MALLORY, PYTHON, fake, "full", *small, "/etc", URL))
        found = check("process", "-d", URL, "--state-file", common / "state")
    assert f"more of {MALLORY}'s processes that may be duplicity's" in found.out


# Cron


@pytest.mark.parametrize("user", [MALLORY, "root"])
def test_only_roots_cron_starts_jobs(common: Path, user: str) -> None:
    archive_of(OWNER, common, hours=60)
    cron = common / "cron"
    shutil.copy(shutil.which("sleep") or "/bin/sleep", cron)
    job = " ".join(map(str, job_file(common)))
    # Alone in a namespace: no other cron is there.
    line = (
        f"mount -t proc proc /proc; setpriv --reuid {user} --clear-groups {cron} 600 &\n"
        f"until grep -qx cron /proc/[0-9]*/comm; do :; done\n"
        f"exec {BIN}/duplicity_triage {job} --from-archive"
    )
    done = subprocess.run(
        ["unshare", "--pid", "--mount", "--fork", "--kill-child", "sh", "-c", line],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert ("cron is not running" in done.stdout) == (user == MALLORY), done
