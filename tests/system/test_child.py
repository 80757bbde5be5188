"""A child process ends with the process that started it, and leaves nothing."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from check_duplicity.nagios.findings import CannotSee, Kind
from check_duplicity.system import child, rights
from lab import processes_of, wait_until

MARK = "of-the-tests-of-child"


def program(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def python(code: str, *arguments: object, **environment: str) -> subprocess.Popen[bytes]:
    """Run Python with the library, as a plugin is run: what it does ends with it."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        env={"PATH": os.environ["PATH"], **environment},
        stdout=subprocess.PIPE,
    )


ENDING = """\
import sys
from check_duplicity.system import child, runtime
path = child.make_directory()
print(path, flush=True)
runtime.take_last_steps()
"""


def test_a_private_directory_is_ones_own_and_gone_in_the_end(tmp_path: Path) -> None:
    code = ENDING.replace("runtime.take", "input(); runtime.take")
    with subprocess.Popen(
        [sys.executable, "-c", code], env={"TMPDIR": str(tmp_path)},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        path = Path(process.stdout.readline().strip())
        assert path.parent == tmp_path
        assert path.stat().st_mode & 0o777 == 0o700
        (path / "dir").mkdir()
        (path / "dir" / "file").write_text("")
        process.communicate("\n", timeout=30)
    assert list(tmp_path.iterdir()) == []


def test_without_tmpdir_it_is_where_everybody_may(tmp_path: Path) -> None:
    with python(ENDING, TMPDIR=str(tmp_path / "none")) as process:
        out, _ = process.communicate(timeout=30)
    assert out.startswith((b"/tmp/check-duplicity-", b"/var/tmp/check-duplicity-"))
    assert not os.path.exists(out.decode().strip())


START = f"""\
import sys
from check_duplicity.system import child, runtime
process = child.start([sys.argv[1], "{MARK}"], {{"PATH": "/usr/bin:/bin"}})
print(process.stderr.readline().decode(), end="", flush=True)
if sys.argv[2] == "end":
    runtime.take_last_steps()
else:
    import signal
    signal.pause()
"""


@pytest.fixture
def detaching(tmp_path: Path) -> Path:
    """A program that starts another in a session of its own, says so, and both go on for ever."""
    return program(
        tmp_path / "fake",
        f'setsid sh -c "exec sleep 999 # {MARK}" &\necho ready >&2\nexec sleep 999',
    )


def running(path: Path) -> list[int]:
    return [*processes_of(str(path)), *processes_of(f"sleep 999 # {MARK}")]


def test_in_the_end_all_that_was_started_has_ended(detaching: Path) -> None:
    with python(START, detaching, "end") as process:
        out, _ = process.communicate(timeout=30)
    assert out == b"ready\n"
    wait_until(lambda: not running(detaching))


def test_killed_outright_it_takes_the_program_along(tmp_path: Path) -> None:
    path = program(tmp_path / "fake", "echo $$ >&2\nexec sleep 999")
    with python(START, path, "wait") as process:
        try:
            assert process.stdout is not None
            number = int(process.stdout.readline())
            assert not ended(number)
        finally:
            process.kill()
    wait_until(lambda: ended(number))


def ended(number: int) -> bool:
    """Whether a process is gone, or only waits for its parent to hear of it."""
    try:
        return "\nState:\tZ" in Path(f"/proc/{number}/status").read_text()
    except OSError:
        return True


# In a process of its own: what is started makes its parent adopt orphans, and hides its memory.
TELL = """\
import signal, sys
from check_duplicity.nagios.findings import CannotSee
from check_duplicity.system import child
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
try:
    process = child.start([sys.argv[1].replace("%", chr(0))], {"PATH": "/usr/bin:/bin"})
except CannotSee as reason:
    print(reason.kind.name, reason)
else:
    print(process.stderr.read().decode(), end="")
    child.kill(process)
    child.kill(process)
    print(process.returncode)
"""


def told(path: Path) -> list[str]:
    with python(TELL, path) as process:
        out, _ = process.communicate(timeout=30)
    return out.decode().splitlines()


def test_a_program_has_no_input_no_terminal_and_signals_end_it(tmp_path: Path) -> None:
    path = program(
        tmp_path / "fake",
        "exec >&2; read line || echo no input; pwd; grep ^SigBlk /proc/self/status;"
        ' [ "$(cut -d" " -f6 /proc/$$/stat)" -eq $$ ] && echo its own session',
    )
    assert told(path)[:4] == ["no input", "/", "SigBlk:\t0000000000000000", "its own session"]


def test_killing_twice_is_killing_once(tmp_path: Path) -> None:
    path = program(tmp_path / "fake", "exec 2>&-; exec sleep 999")
    assert told(path) == [str(-signal.SIGKILL)]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("none", "No such file or directory"),
        ("file", "Permission denied"),
        ("a%b", "not a command"),  # with a NUL in it
    ],
)
def test_what_cannot_be_started_is_said(name: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    path = str(tmp_path / name)
    said = path.replace("%", chr(0))
    assert told(Path(path)) == [f"NO_DUPLICITY cannot run {said}: {reason}"]


def test_the_environment_is_the_callers_and_the_jobs_but_for_language_and_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = {
        "LANG": "de_DE", "LC_TIME": "fr", "LANGUAGE": "de", "TZ": "Asia/Tokyo",
        "TMPDIR": "/elsewhere", "KEPT": "1", "BOTH": "2",
    }  # fmt: skip
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    found = child.environment("/private", {"BOTH": "3", "PASSPHRASE": "geheim", "PATH": "/evil"})
    assert found["KEPT"] == "1"
    assert found["BOTH"] == "3"
    assert found["PASSPHRASE"] == "geheim"
    assert found["PATH"] == rights.own_path()
    assert found["TMPDIR"] == "/private"
    assert found["TZ"] == "UTC"
    assert found["LC_ALL"] == "C.UTF-8"
    assert not {"LANG", "LANGUAGE", "LC_TIME"} & set(found)


@pytest.mark.parametrize("content", ["file", "link", "tree", "none"])
def test_whatever_it_is_it_is_removed_and_nothing_else(content: str, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "kept").write_text("")
    path = tmp_path / "x"
    if content == "file":
        path.write_text("")
    elif content == "link":
        path.symlink_to("other")
    elif content == "tree":
        (path / "a" / "b").mkdir(parents=True)
        (path / "a" / "b" / "link").symlink_to(tmp_path / "other")
        (path / "a" / "b" / "file").write_text("")
        for directory in (path / "a" / "b", path / "a", path):
            directory.chmod(0o500)
    child.remove(str(path))
    assert os.listdir(tmp_path) == ["other"]
    assert os.listdir(tmp_path / "other") == ["kept"]
    assert (tmp_path / "other").stat().st_mode & 0o700 == 0o700


def test_where_no_directory_can_be_made_the_last_reason_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried: list[tuple[str, int]] = []

    def refuse(path: str, mode: int) -> None:
        tried.append((os.path.dirname(path), mode))
        raise OSError(28, f"reason {len(tried)}")

    monkeypatch.setattr(os, "mkdir", refuse)
    monkeypatch.setenv("TMPDIR", "/own")
    with pytest.raises(CannotSee) as caught:
        child.make_directory()
    assert tried == [("/own", 0o700), ("/tmp", 0o700), ("/var/tmp", 0o700)]
    assert (caught.value.kind, caught.value.reason) == (
        Kind.NO_DUPLICITY, "no temporary directory: reason 3",
    )  # fmt: skip


def test_when_a_process_started_is_field_22(monkeypatch: pytest.MonkeyPatch) -> None:
    fields = " ".join(map(str, range(4, 53)))
    for text, began in (
        (f"7 (a) b) S {fields}", 22), (f"7 (sh) S {fields[:20]}", 0), ("", 0),
        (f"7 (sh) S {fields.replace('22', 'x')}", 0),
    ):  # fmt: skip
        with monkeypatch.context() as patch:
            patch.setattr("builtins.open", lambda *path, text=text: io.BytesIO(text.encode()))
            assert child._start_time(7) == began
    assert child._start_time(4_194_305) == 0


def test_the_whole_environment_of_a_child(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", {"HOME": "/h", "KEPT": "1", "LC_X": "2", "LCX": "3"})
    assert child.environment("/private", {"LC_ALL": "de", "A": "4"}) == {
        "KEPT": "1", "LCX": "3", "A": "4", "PATH": rights.own_path(), "LC_ALL": "C.UTF-8",
        "TZ": "UTC", "TMPDIR": "/private", "HOME": os.path.expanduser("~"),
        "SSH_ASKPASS_REQUIRE": "never",
    }  # fmt: skip
