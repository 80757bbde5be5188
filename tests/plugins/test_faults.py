"""Each plugin, under each fault, gives one valid answer and leaves nothing; the next one is right.

Faults before a plugin's first line hit only the interpreter: a signal ends it silently then, and
with four descriptors or a few megabytes it doesn't start at all. ``FAULTS=50`` repeats the random
faults 50 times as often.
"""

from __future__ import annotations

import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import NamedTuple

import pytest
from _pytest.mark import ParameterSet
from faults import PLUGINS, Call, Disturbance, Ended, Site, assert_answer, begun, run
from lab import DUPLICITIES
from plugin import BIN
from samples import full

TIMES = int(os.environ.get("FAULTS", "1"))
FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
ASKING = ("freshness", "triage")  # They ask duplicity,
REMEMBERING = ("process", "log")  # and these have a state file.


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A good job with the newest duplicity at hand."""
    if DUPLICITIES is None:
        pytest.skip("DUPLICITIES names no duplicity; make test does")
    found = sorted(Path(DUPLICITIES).glob("*/bin/duplicity"))
    assert found, f"no duplicity in {DUPLICITIES}: make test installs it"
    site = Site(found[-1], tmp_path_factory.mktemp("site"))
    with site.lab, site.running():
        yield site


@pytest.fixture
def leaves_nothing(site: Site) -> Iterator[None]:
    """Demand that the job, its archive directory, its destination and TMPDIR don't change."""
    before = site.untouched()
    yield
    assert site.untouched() == before
    assert list(site.lab.temporary.iterdir()) == []


class Fault(NamedTuple):
    """How to call a plugin so that something is broken, and the states (O, W, C, U) that are right.

    A plugin that isn't named must be OK: it doesn't need the broken part.
    """

    change: Callable[[Call], Call]
    states: Mapping[str, str] = {}


def prepared(prepare: Callable[[], object], **states: str) -> Fault:
    return Fault(lambda call: call._replace(prepare=prepare), states)


def closed(*descriptors: int) -> Callable[[], object]:
    return lambda: list(map(os.close, descriptors))


def limited(kind: int, most: int, **states: str) -> Fault:
    return prepared(lambda: resource.setrlimit(kind, (most, most)), **states)


def having(**environment: str) -> Fault:
    return Fault(lambda call: call.having(**environment))


def without(*names: str) -> Fault:
    def change(call: Call) -> Call:
        kept = {k: v for k, v in call.environment.items() if k not in names}
        return call._replace(environment=kept)

    return Fault(change)


def clock(shift: str, **states: str) -> Fault:
    return Fault(lambda call: call.having(LD_PRELOAD=str(FAKETIME), FAKETIME=shift), states)


def leave_the_current_directory() -> None:
    place = f"/tmp/check-duplicity-gone-{os.getpid()}"
    os.mkdir(place)
    os.chdir(place)
    os.rmdir(place)


MEGABYTE = 1 << 20
FAULTS = {
    "no fault": Fault(lambda call: call),
    "stdin closed": prepared(closed(0)),
    "stderr closed": prepared(closed(2)),
    "stderr full": Fault(lambda call: call._replace(stderr=os.open("/dev/full", os.O_WRONLY))),
    "no HOME": without("HOME"),
    "HOME junk": having(HOME="/no/such\udcff"),
    "no PATH": without("PATH"),
    # Where the drills are remembered it says.
    "no environment": Fault(lambda call: call._replace(environment={}), {"restore": "U"}),
    "no such locale": having(LC_ALL="xx_YY.nonsense", LANG="de_DE.ISO-8859-1"),
    "TZ junk": having(TZ=":/\x01nonsense\udcff"),
    "TZ not a zone": having(TZ="/etc/passwd"),
    "current directory gone": prepared(leave_the_current_directory),
    "16 descriptors": limited(resource.RLIMIT_NOFILE, 16),
    "10 descriptors": limited(resource.RLIMIT_NOFILE, 10, triage="OU"),
    "7 descriptors": limited(resource.RLIMIT_NOFILE, 7, freshness="U", triage="U"),
    "5 descriptors": limited(
        resource.RLIMIT_NOFILE, 5, freshness="U", process="OU", log="OU", restore="OU", triage="U"
    ),
    "200 MB of addresses": limited(resource.RLIMIT_AS, 200 * MEGABYTE),
    "200 MB of data": limited(resource.RLIMIT_DATA, 200 * MEGABYTE),
    "16 MB of data": limited(
        resource.RLIMIT_DATA,
        16 * MEGABYTE,
        freshness="OU",
        process="OU",
        log="OU",
        restore="OU",
        triage="OU",
    ),
    "8 MB of data": limited(
        resource.RLIMIT_DATA,
        8 * MEGABYTE,
        freshness="U",
        process="OU",
        log="OU",
        restore="OU",
        triage="U",
    ),
    "no processes": limited(resource.RLIMIT_NPROC, 0, freshness="U", triage="U"),
    "no file may grow": limited(resource.RLIMIT_FSIZE, 0, freshness="U", triage="U"),
    "clock a day ahead": clock("+1d", process="C"),
    "clock a day behind": clock("-1d", freshness="W", restore="W", triage="W"),
}


def pairs(plugins: Iterable[str], faults: Mapping[str, object]) -> list[ParameterSet]:
    """Return all pairs of plugin and fault, with the names that pytest shows."""
    return [
        pytest.param(plugin, fault, id=f"{plugin} under {fault}")
        for fault in faults
        for plugin in plugins
    ]


@pytest.mark.parametrize(("plugin", "fault"), pairs(PLUGINS, FAULTS))
@pytest.mark.usefixtures("leaves_nothing")
def test_the_answer_is_right_or_unknown(site: Site, plugin: str, fault: str) -> None:
    if fault == "no processes" and os.geteuid() == 0:
        pytest.skip("root has no limit of processes")
    if fault.startswith("clock") and FAKETIME is None:
        pytest.skip("needs libfaketime")
    change, states = FAULTS[fault]
    assert_answer(plugin, run(change(site.call(plugin))), states.get(plugin, "O"))
    site.assert_right(plugin)


@pytest.mark.parametrize("fault", [name for name in FAULTS if not name.startswith("clock")])
def test_what_looks_through_the_machine_answers_too(fault: str, tmp_path: Path) -> None:
    """What there is on this machine decides what it says: nothing more can be demanded."""
    words = (BIN / "check_duplicity_jobs", "--state-file", tmp_path / "state")
    change, _ = FAULTS[fault]
    call = change(Call(tuple(map(str, words)), {"PATH": os.defpath, "HOME": str(tmp_path)}))
    assert_answer("jobs", run(call), "OWCU")


@pytest.mark.parametrize(("plugin", "megabytes"), pairs(PLUGINS, {"10": None, "12": None}))
@pytest.mark.usefixtures("leaves_nothing")
def test_a_shortage_of_memory_is_said_in_the_same_words(
    site: Site, plugin: str, megabytes: str
) -> None:
    """Else Python may lose the MemoryError, and says SystemError, ImportError or nothing."""
    fault = limited(resource.RLIMIT_DATA, int(megabytes) * MEGABYTE)
    ended = run(fault.change(site.call(plugin)))
    words = "UNKNOWN - this machine, or a limit of this user: Cannot allocate memory"
    assert (ended.status, ended.error) == (3, "")
    assert ended.first_line == f"DUPLICITY {plugin.upper()} {words}"


# Lines of shell that break something in a mount namespace, and the states that are right.
MOUNTS = {
    "TMPDIR full": ("mount -t tmpfs -o size=4k none {tmp}; yes > {tmp}/full 2> /dev/null ||:", {}),
    "TMPDIR short of inodes": (
        "mount -t tmpfs -o nr_inodes=3 none {tmp}", {"freshness": "OU", "triage": "OU"},
    ),
    "all read-only": (
        "for at in / /tmp /var/tmp; do mount --bind $at $at; mount -o remount,bind,ro $at; done",
        {"freshness": "U", "triage": "U"},
    ),
    "state full": (
        "mount -t tmpfs -o size=4k,mode=700 none {state}; yes > {state}/full 2> /dev/null ||:",
        {"process": "U", "restore": "U"},
    ),
    "state read-only": (
        "mount -t tmpfs -o ro,mode=700 none {state}", {"process": "U", "restore": "U"},
    ),
    "no /proc": ("mount -t tmpfs none /proc", {"process": "U"}),
    "no /dev": ("mount -t tmpfs none /dev", {"freshness": "U", "triage": "U"}),
    "no /etc": ("mount -t tmpfs none /etc", {}),
}  # fmt: skip


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, for mount namespaces")
@pytest.mark.parametrize(("plugin", "fault"), pairs(PLUGINS, MOUNTS))
@pytest.mark.usefixtures("leaves_nothing")
def test_the_answer_is_right_or_unknown_on_a_broken_system(
    site: Site, plugin: str, fault: str
) -> None:
    script, states = MOUNTS[fault]
    script = script.format(root=site.directory, tmp=site.lab.temporary, state=site.state)
    assert_answer(plugin, run(site.call(plugin).behind(script)), states.get(plugin, "O"))
    site.assert_right(plugin)


def full_device(call: Call) -> Call:
    return call._replace(stdout=os.open("/dev/full", os.O_WRONLY))


def pipe_without_reader(call: Call) -> Call:
    reader, writer = os.pipe()
    os.close(reader)
    return call._replace(stdout=writer)


UNREAD: dict[str, Callable[[Call], Call]] = {
    "stdout closed": lambda call: call._replace(prepare=closed(1)),
    "stdout and stderr closed": lambda call: call._replace(prepare=closed(1, 2)),
    "all closed": lambda call: call._replace(prepare=closed(0, 1, 2)),
    "stdout full": full_device,
    "stdout a pipe without a reader": pipe_without_reader,
}


@pytest.mark.parametrize(("plugin", "fault"), pairs(PLUGINS, UNREAD))
@pytest.mark.usefixtures("leaves_nothing")
def test_where_nothing_can_be_written_the_exit_status_is_left(
    site: Site, plugin: str, fault: str
) -> None:
    ended = run(UNREAD[fault](site.call(plugin)))
    # A triage notices while it writes that it can't.
    assert ended in (Ended(0, "", ""), Ended(3, "", "") if plugin == "triage" else None)
    site.assert_right(plugin)


@contextmanager
def full_pipe() -> Iterator[int]:
    """Yield the write end of a full pipe whose reader never reads."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    for size in (1 << 16, 1):
        with ExitStack() as stack:
            stack.enter_context(pytest.raises(BlockingIOError))
            while True:
                os.write(writer, bytes(size))
    os.set_blocking(writer, True)
    yield writer
    os.close(reader)
    os.close(writer)


@pytest.mark.usefixtures("leaves_nothing")
def test_a_pipe_that_nobody_reads_holds_no_check_for_ever(site: Site) -> None:
    with full_pipe() as writer, ExitStack() as stack:
        running = {}
        for plugin in PLUGINS:
            call = site.call(plugin)
            process = subprocess.Popen(call.words, env=call.environment, stdout=writer)
            running[plugin] = stack.enter_context(process)
            stack.callback(process.kill)
        begun(running["triage"])
        running["triage"].terminate()  # It waits for its reader, less perhaps, until it is ended.
        ended = {plugin: process.wait(60) for plugin, process in running.items()}
    assert ended == {**dict.fromkeys(PLUGINS, 0), "triage": 3}


def another_users(path: Path) -> None:
    path.write_text("{}")
    os.chown(path, 65534, 65534)


def unreadable(path: Path) -> None:
    path.write_text("{}")
    path.chmod(0)


def sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 30)


STATE_FILES: dict[str, Callable[[Path], object]] = {
    "a dangling link": lambda path: path.symlink_to(path.parent / "none"),
    "a link to shadow": lambda path: path.symlink_to("/etc/shadow"),
    "a link to itself": lambda path: path.symlink_to(path),
    "a directory": lambda path: path.mkdir(),
    "a pipe": os.mkfifo,
    "unreadable": unreadable,
    "binary junk": lambda path: path.write_bytes(random.Random(1).randbytes(100_000)),
    "a gigabyte": sparse,
    "empty": lambda path: path.touch(),
    "another user's": another_users,
}


REPLACED = ("unreadable", "binary junk", "a gigabyte", "empty")  # being files of one's own


@pytest.mark.parametrize(("plugin", "fault"), pairs(REMEMBERING, STATE_FILES))
@pytest.mark.usefixtures("leaves_nothing")
def test_no_state_file_changes_the_answer(site: Site, plugin: str, fault: str) -> None:
    if fault == "another user's" and os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    path = site.state_file(plugin)
    path.unlink(missing_ok=True)
    STATE_FILES[fault](path)
    shadow = os.stat("/etc/shadow")
    try:
        # In the process check's, progress: without that, a backup can stand still unnoticed.
        kept = plugin != "process" or fault in REPLACED
        for _ in range(2):
            assert_answer(plugin, run(site.call(plugin)), "O" if kept else "U")
        assert list(site.state.glob(".*")) == []
        assert not (site.state / "none").exists()
        assert os.stat("/etc/shadow") == shadow
    finally:
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink(missing_ok=True)
    site.assert_right(plugin)


def program(site: Site, content: str | bytes) -> Path:
    """Return a program that replaces duplicity; lines of Python get a first line and imports."""
    path = site.directory / "fake"
    if isinstance(content, str):
        names = full(datetime.now(timezone.utc) - timedelta(hours=2))
        content = (
            f"#!{sys.executable} -I\nimport os, signal, sys, time\n"
            f"names = b'. Extracting backup chains from list of files: ' + repr({names}).encode()\n"
            "END = b'\\n'\nLINE = b'. ' + b'x' * 10**6 + END\nLONG = b'x' * 10**8\n"
            f"def say(text): sys.stderr.buffer.write(text); sys.stderr.flush()\n{content}\n"
        ).encode()
    path.write_bytes(content)
    path.chmod(0o755)
    return path


HOLD = "if os.fork() == 0: os.setsid(); time.sleep(600)\n"
DEAF = "for number in (1, 2, 15): signal.signal(number, signal.SIG_IGN)\n"
ELF = b"\x7fELF\x02\x01\x01" + bytes(9) + (2).to_bytes(2, "little") + b"\xff\x7e" + bytes(44)
# What duplicity is or does, and the state that is right.
MISBEHAVIOURS: dict[str, tuple[str | bytes, str]] = {
    "no misbehaviour": ("say(names + END)", "O"),
    "a gigabyte on stdout": ("for _ in range(1000): os.write(1, LINE)\nsay(names + END)", "O"),
    "a gigabyte in the log": ("for _ in range(1000): say(LINE)\nsay(names + END)", "O"),
    "200 MB in a line": ("for _ in range(200): say(LINE[:-1])\nsay(names + END)", "U"),
    "names in a line of 100 MB": ("say(names[:-1] + b', ' + LONG + b']' + END)", "O"),
    "names in a longer line": ("say(names[:-1] + b', ' + 2 * LONG + b']' + END)", "U"),
    "names without an end": (r"say(names[:-20]); time.sleep(600)", "U"),
    "names cut short": (r"say(names[:-20])", "U"),
    "names and no end": ("say(names + END); time.sleep(600)", "O"),
    "nothing, for ever": ("time.sleep(600)", "U"),
    "nothing, and deaf": (DEAF + "time.sleep(600)", "U"),
    "a log closed early": ("os.close(2); time.sleep(600)", "U"),
    "a log closed and an end": ("os.close(2)", "U"),
    "a child that holds the log": (HOLD + "sys.exit(0)", "U"),
    "names, and such a child": (HOLD + "say(names + END)", "O"),
    "another architecture": (ELF, "U"),
    "a text without a first line": (b"echo\n", "U"),
    "an interpreter that is gone": (b"#!/no/such/python\n", "U"),
    "an empty file": (b"", "U"),
}  # fmt: skip


@pytest.mark.parametrize(("plugin", "fault"), pairs(ASKING, MISBEHAVIOURS))
@pytest.mark.usefixtures("leaves_nothing")
def test_a_duplicity_that_misbehaves(site: Site, plugin: str, fault: str) -> None:
    content, states = MISBEHAVIOURS[fault]
    try:
        call = site.call(plugin, duplicity=program(site, content))
        if b"sleep" in program(site, content).read_bytes() and states == "U":
            call = call.having("--timeout", "0.7")
        assert_answer(plugin, run(call), states)
    finally:
        (site.directory / "fake").unlink()


@pytest.mark.usefixtures("leaves_nothing")
def test_every_end_of_duplicity_is_unknown(site: Site) -> None:
    lots = random.Random(1)
    codes = lots.sample(range(256), min(256, 12 * TIMES))
    # But those that stop, are ignored or belong to the C library.
    deadly = sorted({*range(1, 65)} - {*range(17, 24), 28, 32, 33})
    numbers = lots.sample(deadly, 8)
    ends = [f"sys.exit({code})" for code in codes]
    ends += [
        f"signal.signal({n}, 0) if {n} != 9 else 0; os.kill(os.getpid(), {n})" for n in numbers
    ]
    try:
        for count, end in enumerate(ends):
            plugin = ASKING[count % 2]
            call = site.call(plugin, duplicity=program(site, end))
            assert_answer(plugin, run(call), "U")
    finally:
        (site.directory / "fake").unlink()


ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGXCPU)


def at_random(lots: random.Random, peace: float, ending: signal.Signals) -> Disturbance:
    """Send a signal at a moment between a plugin's first line and a little after its usual end."""

    def disturb(process: subprocess.Popen[bytes]) -> None:
        begun(process)
        threading.Event().wait(lots.uniform(0, 1.1 * peace))
        process.send_signal(ending)

    return disturb


def duration(call: Call) -> float:
    """Return how long a plugin takes, from its first line on, in seconds."""
    began = []

    def begin(process: subprocess.Popen[bytes]) -> None:
        begun(process)
        began.append(time.monotonic())

    run(call, begin)
    return time.monotonic() - began[0]


@pytest.mark.exhaustive
@pytest.mark.parametrize("plugin", PLUGINS)
@pytest.mark.parametrize("ending", ENDING, ids=lambda ending: ending.name)
@pytest.mark.usefixtures("leaves_nothing")
def test_from_the_first_line_on_every_signal_is_answered(
    site: Site, plugin: str, ending: signal.Signals
) -> None:
    lots = random.Random(f"{plugin} {ending}")
    call = site.call(plugin)
    peace = duration(call)
    states: list[int] = []
    while len(states) < 5 * TIMES or 3 not in states:
        ended = run(call, at_random(lots, peace, ending))
        assert_answer(plugin, ended, "OU")
        assert ended.status == 0 or f"ended by {ending.name} before it was done" in ended.out
        assert list(site.lab.temporary.iterdir()) == []
        states.append(ended.status)
        peace *= 1 if ended.status else 0.9  # Too late; a busy machine had it measured too long.
    site.assert_right(plugin)


@pytest.mark.parametrize("plugin", PLUGINS)
@pytest.mark.usefixtures("leaves_nothing")
def test_before_the_first_line_a_signal_ends_a_plugin_or_is_answered(
    site: Site, plugin: str
) -> None:
    """What isn't ours is silent, too (but Python's own KeyboardInterrupt, so without SIGINT)."""
    lots = random.Random(plugin)
    for _ in range(5 * TIMES):
        ending = lots.choice((signal.SIGTERM, signal.SIGHUP))

        def disturb(process: subprocess.Popen[bytes], ending: signal.Signals = ending) -> None:
            threading.Event().wait(lots.uniform(0, 0.02))
            process.send_signal(ending)

        ended = run(site.call(plugin), disturb)
        if ended != Ended(-ending, "", ""):
            assert_answer(plugin, ended, "OU")
    site.assert_right(plugin)


@pytest.mark.parametrize("plugin", PLUGINS)
@pytest.mark.usefixtures("leaves_nothing")
def test_a_plugin_that_is_killed_takes_all_with_it_but_an_empty_directory(
    site: Site, plugin: str
) -> None:
    lots = random.Random(plugin)
    call = site.call(plugin)
    peace = duration(call)
    for _ in range(5 * TIMES):
        ended = run(call, at_random(lots, peace, signal.SIGKILL))
        if ended != Ended(-signal.SIGKILL, "", ""):
            assert_answer(plugin, ended, "O")
        for left in site.lab.temporary.iterdir():
            assert left.name.startswith("check-duplicity-")
            shutil.rmtree(left)
    site.assert_right(plugin)
