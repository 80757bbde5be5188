"""How duplicity is called to restore, and what its log means, with a fake process."""

from __future__ import annotations

import io
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from check_duplicity.duplicity.restoring import Ended
from check_duplicity.nagios.findings import CannotSee, Kind
from check_duplicity.restore import see
from check_duplicity.restore.drill import Wanted
from check_duplicity.restore.model import Duplicity, Sample
from check_duplicity.secrets import Secrets
from check_duplicity.system import child
from samples import ago

FULL = ago(days=7)
TIME = str(int(FULL.timestamp()))
NO_PASSPHRASE = (31, "ERROR 31\n. No passphrase given\n\n")


class Calls:
    """The calls of a duplicity that ends as given, one after the other."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ends: list[tuple[int, str]] = []
        self.made: list[tuple[list[str], str | None]] = []
        self.killed = 0
        monkeypatch.setattr(child, "start", self.start)
        monkeypatch.setattr(child, "kill", self.kill)
        monkeypatch.setattr(os, "waitid", self.wait)

    def start(self, line: list[str], variables: dict[str, str]) -> Any:
        self.made.append((line, variables.get("PASSPHRASE")))
        self.status, log = self.ends.pop(0)
        return SimpleNamespace(pid=1, stderr=io.BytesIO(log.encode()))

    def kill(self, process: object) -> None:
        self.killed += 1

    def wait(self, *which: int) -> Any:
        if self.status < 0:
            raise CannotSee(Kind.TIMEOUT, "no answer within 3 s")
        return SimpleNamespace(si_code=os.CLD_EXITED, si_status=self.status)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    monkeypatch.delenv("PASSPHRASE", raising=False)
    return Calls(monkeypatch)


@pytest.fixture
def place(tmp_path: Path) -> see.Place:
    duplicity = Duplicity("file:///b", ("--timeout", "5"), ("/bin/true",))
    made = see.Place(duplicity, str(tmp_path), Secrets({}))
    made.renew()
    return made


def own(directory: Path, *more: str) -> list[str]:
    archive = ["--archive-dir", f"{directory}/archive", "--name", "job"]
    return ["--timeout", "5", "-v5", "--log-fd", "2", "--num-retries", "2", *archive, *more]


def test_how_metadata_are_fetched(calls: Calls, place: see.Place, tmp_path: Path) -> None:
    (tmp_path / "archive" / "old").touch()
    calls.ends = [(0, "")]
    assert place.fetch_metadata(FULL) == Ended()
    words = ["list-current-files", *own(tmp_path, "--time", TIME), "file:///b"]
    assert [(line[1:], given) for line, given in calls.made] == [(words, None)]
    assert calls.killed == 1
    assert os.listdir(tmp_path / "archive") == []
    assert (tmp_path / "archive").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "tmp").stat().st_mode & 0o777 == 0o700


def test_how_a_path_is_restored(calls: Calls, place: see.Place, tmp_path: Path) -> None:
    (tmp_path / "restored").mkdir()
    place.plain = True
    chain: Any = [SimpleNamespace(time=FULL), SimpleNamespace(time=ago(days=1))]
    read: list[int] = []
    calls.ends = [(0, "NOTICE 1\n. x\nINFO 2 1 9\nINFO 2 2 9\n"), (0, "")]
    assert place.restore(Sample(0, "a/b"), chain, read.append) == Ended()
    words = own(tmp_path, "--no-encryption", "-r", "a/b", "--time", TIME)
    assert calls.made[0][0][1:] == ["restore", *words, "file:///b", f"{tmp_path}/restored"]
    assert [number for number in read if number] == [1, 2]
    assert not (tmp_path / "restored").exists()
    place.restore(Sample(0), chain, read.append)
    name = calls.made[1][0][calls.made[1][0].index("-r") + 1]
    assert name.startswith("zzzzzzzz-check-duplicity-")
    assert len(name) == len("zzzzzzzz-check-duplicity-") + 16


@pytest.mark.parametrize(
    ("ends", "kind", "given"),
    [
        ([(0, "")], None, [None]),
        ([NO_PASSPHRASE, (0, "")], None, [None, ""]),
        ([NO_PASSPHRASE, NO_PASSPHRASE], Kind.NO_PASSPHRASE, [None, ""]),
        (
            [NO_PASSPHRASE, (31, "ERROR 31\n. decryption failed: Bad passphrase\n\n")],
            Kind.NO_PASSPHRASE,
            [None, ""],
        ),
        (
            [NO_PASSPHRASE, (1, "ERROR 1\n. [Errno 5] Input/output error\n\n")],
            Kind.NOT_RESTORED,
            [None, ""],
        ),
    ],
)
def test_an_empty_passphrase_is_tried_if_none_was_given(
    ends: list[tuple[int, str]], kind: Kind | None, given: list[str | None], calls: Calls,
    place: see.Place,
) -> None:  # fmt: skip
    calls.ends = [*ends, (0, ""), (0, "")]
    assert place.fetch_metadata(FULL).kind is kind
    assert [passphrase for _, passphrase in calls.made] == given
    # What was good is used from then on; what was not is forgotten.
    place.fetch_metadata(FULL)
    good = given[-1] if kind is not Kind.NO_PASSPHRASE else None
    assert calls.made[-1][1] == good


@pytest.mark.parametrize(
    "log", ["ERROR 1\n. No space left on device\n\n", "gpg: write: No space left on device\n"]
)
def test_a_full_disk_ends_the_restore(
    log: str, calls: Calls, place: see.Place, tmp_path: Path
) -> None:
    calls.ends = [(-1, log)]
    ended = place.fetch_metadata(FULL)
    assert ended == Ended(Kind.NO_ROOM, f"no space left in {tmp_path}")
    assert calls.killed == 1


@pytest.mark.parametrize(
    ("log", "last"),
    [("", ""), ("ERROR 1\n. it \xe9 hangs\n\n", "; duplicity's last words: it \xe9 hangs")],
)
def test_what_was_said_before_time_was_up_is_told(
    log: str, last: str, calls: Calls, place: see.Place
) -> None:
    calls.ends = [(-1, log)]
    with pytest.raises(CannotSee) as raised:
        place.fetch_metadata(FULL)
    assert (raised.value.kind, raised.value.reason) == (
        Kind.TIMEOUT, f"no answer within 3 s{last}"
    )  # fmt: skip
    assert calls.killed == 1


@pytest.mark.parametrize(("free", "room"), [((64 << 20) + 3000, True), ((64 << 20) + 2999, False)])
def test_three_copies_of_a_file_must_fit(
    free: int, room: bool, place: see.Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=free))
    assert place.has_room_for(1000) is room


@pytest.mark.parametrize(
    ("wanted", "chosen", "read", "enough"),
    [
        (Wanted(volumes=2), 1, 9, False), (Wanted(volumes=2), 2, 0, True),
        (Wanted(budget=100, volume_size=25), 0, 9, False),
        (Wanted(budget=100, volume_size=25), 1, 3, False),
        (Wanted(budget=100, volume_size=25), 1, 4, True),
    ],
)  # fmt: skip
def test_when_enough_was_read(wanted: Wanted, chosen: int, read: int, enough: bool) -> None:
    assert wanted.is_enough(chosen, read) is enough
    assert wanted.size == (100 if wanted.budget else 0)
