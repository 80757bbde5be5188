"""What journalctl and systemctl print is read line by line; they are none of this machine's."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from check_duplicity.nagios.findings import CannotSee, Kind
from check_duplicity.system import child, journal, rights
from check_duplicity.system.journal import Place
from check_duplicity.system.user import current

OPTIONS = [
    "--output=json",
    (
        "--output-fields=MESSAGE,MESSAGE_ID,UNIT,INVOCATION_ID,EXIT_CODE,EXIT_STATUS,UNIT_RESULT,"
        "JOB_RESULT,_PID,_UID,_HOSTNAME,_SYSTEMD_UNIT,_SYSTEMD_INVOCATION_ID"
    ),
    "--no-pager",
    "--utc",
]


class Started:
    """The commands that were started, all of which print the same and end with a status."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, printed: bytes, status: int = 0) -> None:
        self.commands: list[list[str]] = []
        self.killed = 0

        def start(command: Sequence[str], variables: dict[str, str], *, output: bool) -> Any:
            assert output
            assert variables == {"PATH": rights.own_path(), "LC_ALL": "C.UTF-8"}
            self.commands.append(list(command))
            return SimpleNamespace(stdout=io.BytesIO(printed), pid=7)

        def kill(process: object) -> None:
            self.killed += 1

        monkeypatch.setattr(child, "start", start)
        monkeypatch.setattr(child, "kill", kill)
        monkeypatch.setattr(rights, "command", lambda words, path: [f"/bin/{words[0]}"])
        monkeypatch.setattr(os, "waitid", lambda *what: SimpleNamespace(si_status=status))


def test_a_place_is_told_to_journalctl(tmp_path: Path) -> None:
    (tmp_path / "x.journal").touch()
    assert Place("bk").options == ["--unit=bk"]
    assert Place("", "bk").options == ["--identifier=bk"]
    assert Place("bk", "tag", str(tmp_path)).options == ["--unit=bk", f"--directory={tmp_path}"]
    path = str(tmp_path / "x.journal")
    assert Place("", "bk", path).options == ["--identifier=bk", f"--file={path}"]


LONG = (1 << 20) - 20


@pytest.mark.parametrize(
    ("printed", "records"),
    [
        (b"", []),
        (b'{"a": 1}\n{"a": 2}\n', [{"a": 1}, {"a": 2}]),
        (b'-- No entries --\n{"a": 1}\n\n{"a": 2}\n', [{"a": 1}, {"a": 2}]),
        # One that is too long, or has no end, is left out; the next is read.
        (b'{"a": "%s"}\n{"b": 2}\n' % (b"x" * LONG), [{"a": "x" * LONG}, {"b": 2}]),
        (b'{"a": "%s"}\n{"b": 2}\n' % (b"x" * (LONG + 30)), [{"b": 2}]),
        (b'{"a": "%s"}\n{"b": 2}\n' % (b"x" * LONG * 4), [{"b": 2}]),
        (b'{"a": "%s"}' % (b"x" * LONG * 4), []),
        (b'{"a": 1}\n{"a": 2', [{"a": 1}]),
    ],
    ids=lambda value: str(len(value)),
)
def test_each_line_is_a_record(
    printed: bytes, records: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    started = Started(monkeypatch, printed)
    assert list(journal.records(Place("bk"), ["--since=x"])) == records
    assert started.commands == [["/bin/journalctl", *OPTIONS, "--unit=bk", "--since=x"]]
    assert started.killed == 1


@pytest.mark.parametrize(
    ("printed", "status", "reason"),
    [
        (b"{broken\n", 0, "journalctl writes what is no JSON"),
        (b"No files\nmore\n", 1, "No files"),
        (b"\nNo files\n", 1, "No files"),
        (b"No files\n", 0, ""),
        (b"", 1, ""),
        (b"x" * 300 + b"\n", 1, "x" * 200),
        (b"bad \xff\n", 1, "bad \ufffd"),
        (b"Hint: You are currently not seeing messages from other users and\n", 0, "RIGHT"),
        (b"No journal files were opened due to insufficient permissions.\n", 0, "RIGHT"),
    ],
)
def test_what_else_it_says_is_the_reason(
    printed: bytes, status: int, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = Started(monkeypatch, printed, status)
    me = current()
    right = f"{me} may not read the journal: usermod -aG systemd-journal {me}"
    if not reason:
        assert list(journal.records(Place("bk"), [])) == []
    else:
        with pytest.raises(CannotSee) as caught:
            list(journal.records(Place("bk"), []))
        expected = right if reason == "RIGHT" else reason
        assert (caught.value.kind, caught.value.reason) == (Kind.NOT_READABLE, expected)
    assert started.killed == 1


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (Kind.NO_DUPLICITY, (Kind.NOT_READABLE, "there is no journalctl on this machine")),
        (Kind.OTHERS_DECIDE, (Kind.OTHERS_DECIDE, "why")),
    ],
)
def test_a_journalctl_that_may_not_be_run_is_said(
    kind: Kind, told: tuple[Kind, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(words: object, path: str) -> list[str]:
        raise CannotSee(kind, "why")

    monkeypatch.setattr(rights, "command", refuse)
    with pytest.raises(CannotSee) as caught:
        list(journal.records(Place("bk"), []))
    assert (caught.value.kind, caught.value.reason) == told
    assert journal.is_active(Place("bk"), "1") is None


@pytest.mark.parametrize(
    ("place", "state", "active"),
    [
        (Place("bk"), "active", True), (Place("bk"), "activating", True),
        (Place("bk"), "deactivating", True), (Place("bk"), "reloading", True),
        (Place("bk"), "inactive", False), (Place("bk"), "failed", False), (Place("bk"), "", None),
        (Place("", "bk"), "active", None), (Place("bk", "", "/x"), "active", None),
    ],
)  # fmt: skip
def test_systemd_says_whether_an_invocation_runs(
    place: Place, state: str, active: bool | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    printed = f"InvocationID=1=2\nActiveState={state}\n" if state else "no systemd\n"
    started = Started(monkeypatch, printed.encode())
    assert journal.is_active(place, "1=2") is active
    assert journal.is_active(place, "2") is (False if active else active)
    asked = place == Place("bk")
    show = ["/bin/systemctl", "show", "--property=InvocationID,ActiveState", "--", "bk"]
    assert started.commands == ([show, show] if asked else [])
    assert started.killed == (2 if asked else 0)
