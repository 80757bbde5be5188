"""Several programs in one log, units, and prefixes that are learned from the log itself."""

from __future__ import annotations

import pytest
from check_duplicity.runs.reader import LogReader

LATEST = 1795867200.0  # 2026-11-28 12:00 UTC
FAILS = "Giving up after 5 attempts. OSError: x"
FULL = "Last full backup date: none"


def read(*lines: str) -> LogReader:
    reader = LogReader(lambda text: text.replace("secret", "***"), LATEST)
    for line in lines:
        reader.read(line)
    return reader


def labels(*lines: str) -> list[tuple[str, str]]:
    return [(run.label, run.outcome) for run in read(*lines).runs()]


def kept(*lines: str) -> tuple[object, object, object, list[str]]:
    """The form, units, waiting lines and programs after these lines; a kept reader has the same."""
    state = read(*lines).keep()
    assert LogReader(str, LATEST, state).keep() == state
    return state["form"], state["units"], state["pending"], list(state["sources"])


LINES = {
    "no prefix": (FULL, FAILS),
    "one program": (f"Nov 28 02:00:01 h bk[1]: {FULL}", f"Nov 28 02:00:01 h bk[1]: {FAILS}"),
    "two programs": (f"h a[1]: {FULL}", f"h b[2]: {FULL}", f"h b[2]: {FAILS}"),
    "another program's words": (f"h a[1]: {FULL}", "h b[2]: words", f"h a[1]: {FAILS}"),
    "a candidate": (f"bk secret> {FULL}",),
    "learned": (f"bk 1> {FULL}", "bk 2> words", f"bk 3> {FAILS}"),
    "not learned from the same line": (f"bk 1> {FULL}", f"bk 1> {FULL}"),
    "another shape": (f"bk 1> {FULL}", f"bl 2> {FAILS}"),
    "our unit": (f"h bk[1]: {FULL}", "h systemd[1]: bk.service: Failed with result 'exit-code'."),
    "two units": (
        f"h bk[1]: {FULL}",
        "h systemd[1]: Starting x.service - X...",
        "h systemd[1]: x.service: Failed with result 'exit-code'.",
        "h systemd[1]: bk.service: Failed with result 'exit-code'.",
    ),
    "JSON": ('{"MESSAGE": "' + FULL + '"}', '{"MESSAGE": "' + FAILS + '"}'),
    "nothing": ("", "  "),
}


EXPECTED = {
    "no prefix": ([("", "failed")], (["", "", "", "", ""], [], [], [""])),
    "one program": ([("h bk", "failed")], (["h bk", "TI", "", "", ""], [], [], [""])),
    "two programs": (
        [("h a", "open"), ("h b", "failed")],
        (["h a", "I", "", "", ""], [], [], ["", "h b"]),
    ),
    "another program's words": ([("h a", "failed")], (["h a", "I", "", "", ""], [], [], [""])),
    "a candidate": (
        [("", "unread")],
        (["", "", "bk ***> ", "", ""], [], ["bk ***> Last full backup date: none"], [""]),
    ),
    "learned": ([("", "failed")], (["", "", "", "bk 1> ", ""], [], [], [""])),
    "not learned from the same line": (
        [("", "unread")],
        (
            ["", "", "bk 1> ", "", ""],
            [],
            ["bk 1> Last full backup date: none", "bk 1> Last full backup date: none"],
            [""],
        ),
    ),
    "another shape": (
        [("", "unread")],
        (
            ["", "", "bk 1> ", "", ""],
            [],
            ["bk 1> Last full backup date: none", "bl 2> Giving up after 5 attempts. OSError: x"],
            [""],
        ),
    ),
    "our unit": ([("h bk", "failed")], (["h bk", "I", "", "", ""], ["bk"], [], [""])),
    "two units": ([("h bk", "failed")], (["h bk", "I", "", "", "x"], ["x", "bk"], [], [""])),
    "JSON": ([("", "failed")], (["", "", "", "", ""], [], [], [""])),
    "nothing": ([], (["", "", "", "", ""], [], [], [""])),
}


@pytest.mark.parametrize("name", LINES)
def test_the_runs_of_programs_and_what_is_kept(name: str) -> None:
    runs, state = EXPECTED[name]
    assert labels(*LINES[name]) == runs
    assert kept(*LINES[name]) == state


def test_programs_units_and_lines_are_limited() -> None:
    lines = [f"h p{number}[1]: {FULL}" for number in range(30)]
    assert kept(*lines)[3] == ["", *(f"h p{number}" for number in range(11, 30))]
    lines = [f"h systemd[1]: u{number}.service: Failed with result 'x'." for number in range(30)]
    assert kept(f"h bk[1]: {FULL}", *lines)[1] == [f"u{number}" for number in range(20)]
    lines = [f"z{'q' * number}> {FULL}" for number in range(40)]
    assert kept(*lines)[2] == lines[-30:]
