"""The runs in a journal's records, without a journal: what is found, and what is kept."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import journals
import pytest
from check_duplicity.duplicity.run import FAILED, GOOD, OPEN, OTHER
from check_duplicity.nagios.findings import CannotSee, Kind
from check_duplicity.runs import journal
from check_duplicity.runs.files import Found, Look
from check_duplicity.runs.model import Logged
from check_duplicity.system import journal as system
from check_duplicity.system.journal import Place
from check_duplicity.system.user import name_of_uid
from journals import Record, of_tag, of_unit
from samples import CAPTURES

GOOD_TEXT = (CAPTURES / "runs/3.2.1/good-full.out").read_text()
FAILED_TEXT = (CAPTURES / "runs/3.2.1/nospace-dest.out").read_text()
NOW = 1795867200.0
HOW = Look(NOW, NOW - 8 * 86400, str)
HOUR = 3600.0


class Journal:
    """Records, of which those behind a cursor are read."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.asked: list[list[str]] = []

    def read(self, place: Place, options: Sequence[str]) -> Iterator[dict[str, Any]]:
        self.asked.append(list(options))
        cursor = options[0].partition("--after-cursor=")[2]
        if cursor and not cursor.isdigit():
            raise CannotSee(Kind.NOT_READABLE, "no such cursor")
        for count, record in enumerate(self.records, start=1):
            if count > int(cursor or 0):
                stamp = {"__REALTIME_TIMESTAMP": f"{float(record['time']) * 1e6:.0f}"}
                yield {**record, **stamp, "__CURSOR": str(count)}


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> Journal:
    made = Journal()
    monkeypatch.setattr(system, "records", made.read)
    return made


def look(path: str = "journal:bk", kept: dict[str, Any] | None = None, how: Look = HOW) -> Found:
    found = journal.look(path, kept or {}, how)
    return found._replace(kept=json.loads(json.dumps(found.kept)))


def told(run: Logged) -> tuple[object, ...]:
    return (run.job, run.name, run.command[-1:], run.time, run.whole, run.run.outcome)


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("journal:bk", Place("bk")),
        ("journal:a,b", Place("a,b")),
        ("journal:tag=bk", Place("", "bk")),
        ("journal:bk,/x/y", Place("bk", "", "/x/y")),
        ("journal:bk,/", Place("bk", "", "/")),
        ("journal:tag=a b,/x", Place("", "a b", "/x")),
    ],
)
def test_a_path_names_a_place(path: str, place: Place) -> None:
    assert journal.place_of(path) == place


@pytest.mark.parametrize("path", ["journal:", "journal:tag=", "journal:,/x", "journal:a\nb"])
def test_a_path_that_names_nothing_is_an_error(path: str, there: Journal) -> None:
    with pytest.raises(CannotSee) as error:
        look(path)
    form = "write journal:UNIT or journal:tag=TAG"
    assert (error.value.kind, error.value.reason) == (
        Kind.USAGE, f"not in a journal: {path!r} ({form})",
    )  # fmt: skip


def test_without_a_line_it_is_unknown_with_what_to_do(there: Journal) -> None:
    with pytest.raises(CannotSee) as error:
        look("journal:bk")
    assert error.value.reason == (
        "journal:bk: not a line in the journal; what is it called? systemctl list-units --all, "
        "or journalctl -F SYSLOG_IDENTIFIER"
    )
    assert there.asked == [[f"--since=@{int(HOW.horizon)}"], ["--lines=1"]]


def one(result: str | None, text: str = GOOD_TEXT, **last: str) -> list[Record]:
    return of_unit(text, NOW - HOUR, invocation=1, result=result, **last)


BETWEEN = "Local and Remote metadata are synchronized, no sync needed.\n"


@pytest.mark.parametrize(
    ("records", "whole", "outcome", "kinds"),
    [
        (one("success"), True, GOOD, []),
        (one(None), False, GOOD, []),
        (one("success", FAILED_TEXT), True, FAILED, [Kind.NO_SPACE]),
        (one("exit-code", FAILED_TEXT), True, FAILED, [Kind.NO_SPACE]),
        (one("success", "x"), True, OTHER, []),
        (one(None, "x"), False, OPEN, []),
        (one("success", BETWEEN), True, OTHER, []),
        (one(None, BETWEEN), False, OPEN, []),
        (one("oom-kill", BETWEEN), True, FAILED, [Kind.KILLED]),
        (one("signal", BETWEEN, EXIT_CODE="killed", EXIT_STATUS="9"), True, FAILED, [Kind.KILLED]),
        (one("core-dump", BETWEEN, EXIT_CODE="dumped", EXIT_STATUS="11"), True, FAILED,
         [Kind.KILLED]),
        (one("exit-code", BETWEEN, EXIT_CODE="exited", EXIT_STATUS="1"), True, FAILED,
         [Kind.RUN_FAILED]),
        (one("exit-code", BETWEEN), True, FAILED, [Kind.RUN_FAILED]),
        (one("success", GOOD_TEXT, EXIT_CODE="killed", EXIT_STATUS="15"), True, GOOD, []),
    ],
)  # fmt: skip
def test_an_invocation_is_a_run(
    records: list[Record], whole: bool, outcome: str, kinds: list[Kind], there: Journal
) -> None:
    there.records = records
    (run,) = look().runs
    time = NOW - HOUR if whole else NOW - HOUR - 5
    assert told(run) == ("journal:bk", "bk", "1", time, whole, outcome)
    assert [each.kind for each in run.run.told] == kinds
    assert (run.user, run.host, run.sure) == ("", "", True)


def systemd(**fields: str) -> list[Record]:
    first = one(None, "x")[0]
    return [*one(None, "x"), {**first, "time": NOW - HOUR, "MESSAGE_ID": "", **fields}]


@pytest.mark.parametrize(
    ("fields", "whole", "outcome"),
    [
        ({"MESSAGE_ID": "39f53479d3a045ac8e11786248231fbf", "MESSAGE": "Finished x"}, True, OTHER),
        ({"MESSAGE_ID": "39f53479d3a045ac8e11786248231fbf", "MESSAGE": "Started x"}, False, OPEN),
        ({"MESSAGE": "Finished x"}, False, OPEN),
        ({"MESSAGE_ID": "be02cf6855d2428ba40df7e9d022f03d"}, True, FAILED),
        ({"MESSAGE_ID": journals.FAILED}, True, FAILED),
        ({"MESSAGE_ID": journals.SUCCEEDED}, True, OTHER),
        ({"MESSAGE_ID": journals.SUCCEEDED, "_PID": "2"}, False, OPEN),
        ({"MESSAGE_ID": journals.SUCCEEDED, "UNIT": ""}, False, OPEN),
        ({"UNIT_RESULT": "success"}, False, OPEN),
        ({"UNIT_RESULT": "timeout"}, True, FAILED),
    ],
)
def test_only_systemd_says_how_it_ended(
    fields: dict[str, str], whole: bool, outcome: str, there: Journal
) -> None:
    there.records = systemd(**fields)
    run = look().runs[0 if fields.get("UNIT") is None else -1]
    assert (run.whole, run.run.outcome) == (whole, outcome)


def test_units_and_hosts_have_their_own_names(there: Journal) -> None:
    there.records = [
        *of_unit(GOOD_TEXT, NOW - 5 * HOUR, invocation=1),
        *of_unit(GOOD_TEXT, NOW - 4 * HOUR, invocation=2, unit="b@x.service"),
        *of_unit(GOOD_TEXT, NOW - 3 * HOUR, invocation=3, unit="bk.timer", host="i"),
    ]
    assert [run[:2] for run in look().runs] == [
        ("journal:bk", "bk"),
        ("journal:bk: b@x.service", "b@x"),
        ("journal:bk: bk.timer", "bk.timer"),
    ]
    assert [run[:2] for run in look("journal:bk.service,/j").runs] == [
        ("journal:bk.service,/j: h", "bk on h"),
        ("journal:bk.service,/j: b@x.service: h", "b@x on h"),
        ("journal:bk.service,/j: bk.timer: i", "bk.timer on i"),
    ]


def test_an_invocation_before_another_one_has_ended(there: Journal) -> None:
    there.records = [
        *of_unit(BETWEEN, NOW - 5 * HOUR, invocation=1, result=None),
        *of_unit(BETWEEN, NOW - 4 * HOUR, invocation=2, result=None, host="i"),
        *of_unit(BETWEEN, NOW - 3 * HOUR, invocation=3, result=None),
    ]
    assert [(run.command[-1], run.whole) for run in look("journal:bk,/j").runs] == [
        ("1", True), ("2", False), ("3", False),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("ends", "results", "kept", "cursor"),
    [
        ([HOUR], ["success"], "1", "last"),
        ([60], ["success"], "1", "last"),
        ([59], ["success"], "", ""),
        ([HOUR], [None], "", ""),
        ([2 * HOUR, HOUR], ["success", "success"], "12", "last"),
        ([2 * HOUR, HOUR], ["success", None], "1", "before"),
        ([2 * HOUR, 59], ["success", "success"], "1", "before"),
        ([HOUR, HOUR - 1], ["success", "success"], "12", "last"),
    ],
)
def test_what_has_ended_is_kept(
    ends: list[float], results: list[str | None], kept: str, cursor: str, there: Journal
) -> None:
    sizes = []
    for number, (ago, result) in enumerate(zip(ends, results), start=1):
        there.records += of_unit(GOOD_TEXT, NOW - ago, invocation=number, result=result)
        sizes.append(len(there.records))
    found = look()
    assert "".join(values[4][-1] for values in found.kept["runs"]) == kept
    assert found.kept["cursor"] == {
        "last": str(sizes[-1]), "before": str(sizes[0]), "": "",
    }[cursor]  # fmt: skip
    assert len(found.runs) == len(ends)
    assert look(kept=found.kept).runs == found.runs


def test_with_an_unfinished_invocation_all_beside_it_are_read_again(there: Journal) -> None:
    first, second, third = (
        of_unit("x", NOW - 9 * HOUR, invocation=1),
        of_unit("x", NOW - 9 * HOUR, invocation=2, host="i"),
        of_unit("x", NOW - 9 * HOUR, invocation=3, host="j", result=None),
    )
    # The third begins within the second, which begins within the first.
    there.records = [
        *of_unit("x", NOW - 10 * HOUR, invocation=4),
        first[0], second[0], *first[1:], third[0], *second[1:], *third[1:],
    ]  # fmt: skip
    found = look("journal:bk,/j")
    assert [values[4][-1] for values in found.kept["runs"]] == ["4"]
    assert found.kept["cursor"] == "3"
    assert sorted(run.command[-1] for run in found.runs) == ["1", "2", "3", "4"]


def test_a_cursor_that_is_gone_is_forgotten(there: Journal) -> None:
    there.records = one("success")
    found = look()
    for kept in ({**found.kept, "cursor": "gone"}, {"runs": 3}, {"runs": [3]}, {"cursor": "gone"}):
        assert look(kept=kept) == found
    with pytest.raises(CannotSee):
        journal.look("journal:", found.kept, HOW)


def test_of_very_many_invocations_the_last_are_read(
    there: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "_MOST", 2)
    for number, host in enumerate("abc", start=1):
        there.records += of_unit("x", NOW - HOUR, invocation=number, host=host)
    assert [run.command[-1] for run in look("journal:bk,/j").runs] == ["2", "3"]


def test_a_tag_has_one_run_after_the_other(there: Journal) -> None:
    there.records = [
        *of_tag(GOOD_TEXT, NOW - 50 * HOUR),
        *of_tag(FAILED_TEXT, NOW - 26 * HOUR),
    ]
    found = look("journal:tag=bk")
    assert [told(run) for run in found.runs] == [
        ("journal:tag=bk", "bk", "", NOW - 50 * HOUR, True, GOOD),
        ("journal:tag=bk", "bk", "", NOW - 26 * HOUR, True, FAILED),
    ]
    assert found.kept["cursor"] == str(len(there.records))
    assert look("journal:tag=bk", found.kept).runs == found.runs
    there.records += of_tag(BETWEEN, NOW - HOUR)
    later = look("journal:tag=bk", found.kept)
    assert [told(run)[3:] for run in later.runs] == [
        (NOW - 26 * HOUR, True, FAILED),
        (NOW - HOUR, False, OPEN),
    ]
    assert later.runs == look("journal:tag=bk").runs
    assert there.asked[-2:] == [
        [f"--after-cursor={found.kept['cursor']}"], [f"--since=@{int(HOW.horizon)}"],
    ]  # fmt: skip
    assert [run[:2] for run in look("journal:tag=bk,/j").runs[:1]] == [
        ("journal:tag=bk,/j: h", "bk on h")
    ]


def test_lines_of_other_users_are_counted(there: Journal) -> None:
    there.records = [
        *of_tag("x\ny\n", NOW - HOUR, uid=54322),
        *of_tag("x", NOW - HOUR, uid=54321),
        *of_tag(GOOD_TEXT, NOW - HOUR),
    ]
    found = look("journal:tag=bk")
    assert len(found.runs) == 1
    assert found.problems == (
        f"Passed over: 1 lines of bk, {name_of_uid(54321)}'s",
        f"Passed over: 2 lines of bk, {name_of_uid(54322)}'s",
    )
