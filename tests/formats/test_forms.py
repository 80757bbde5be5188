"""All forms of an answer say the same."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime, timezone
from typing import NoReturn

import pytest
from check_duplicity.formats.form import demand
from check_duplicity.formats.form import text as text_of
from check_duplicity.formats.model import Form
from check_duplicity.formats.openmetrics import NAMES
from check_duplicity.nagios.answer import Answer
from check_duplicity.nagios.commands import Job
from check_duplicity.nagios.findings import Finding, Kind, State
from check_duplicity.nagios.limits import age_limit, percent_limit
from check_duplicity.nagios.measures import Limits, Measure
from check_duplicity.nagios.output import output
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families

NOW = datetime(2026, 11, 24, 2, 0, 30, 500_000, tzinfo=timezone.utc)
FORM = Form("nagios", "assets", "web.example.org", "duplicity-freshness-assets", 900.0)
LIMITS = Limits(age_limit("32h"), age_limit("56h"))
SECRET = "hunter2"  # what must not be there


def metrics(said: Answer, form: Form = FORM) -> dict[tuple[str, ...], float]:
    """Return the metrics that Prometheus' own reader finds, by name and distinguishing labels."""
    text = text_of(said, form._replace(format="openmetrics"))
    return {
        (s.name, *(v for k, v in sorted(s.labels.items()) if k not in ("check", "backup"))): s.value
        for family in text_string_to_metric_families(text)  # type: ignore[no-untyped-call]
        for s in family.samples
    }


def as_json(said: Answer) -> dict[str, object]:
    read: dict[str, object] = json.loads(text_of(said, FORM._replace(format="json")))
    return read


words = st.text(max_size=40)
findings = st.lists(
    st.builds(
        Finding,
        st.sampled_from(Kind),
        st.sampled_from(State),
        words,
        st.sampled_from(["", "a", "b"]),
        words,
    ),
    max_size=5,
).map(tuple)


@st.composite
def answers(draw: st.DrawFn) -> Answer:
    """Return any answer of any check."""
    check = draw(st.sampled_from(sorted(NAMES)))
    names = draw(st.lists(st.sampled_from(sorted(NAMES[check])), unique=True))
    measured = tuple(
        (Measure(name, draw(st.integers(0, 10**9)), draw(st.sampled_from(["", "s", "B"]))), LIMITS)
        for name in names
    )
    job = Job("backup", check=draw(words), script=draw(words), url=draw(words))
    return Answer(
        f"DUPLICITY {check.upper()}",
        draw(st.sampled_from(State)),
        draw(words),
        NOW,
        measured,
        draw(findings),
        {"": job, "a": job, "b": job},
        tuple(draw(st.lists(words, max_size=3))),
    )


def test_a_ticket_gets_json_that_a_person_can_read() -> None:
    said = Answer("DUPLICITY LOG", State.OK, "all is well", NOW, (), (), {}, ())
    lines = text_of(said, FORM._replace(format="json")).split("\n")
    assert lines[:2] == ["{", '  "check": "log",']
    assert lines[-2:] == ["}", ""]


def test_openmetrics_is_refused_at_once_where_its_library_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(why: str) -> NoReturn:
        raise SystemExit(why)

    demand("openmetrics", refuse)
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    demand("json", refuse)
    with pytest.raises(SystemExit, match="needs prometheus_client"):
        demand("openmetrics", refuse)


@given(answers())
def test_the_forms_agree(said: Answer) -> None:
    plain = output(said).text
    first, _, more = plain.rstrip("\n").partition("\n")
    status, _, performance = first.partition(" | ")

    read = as_json(said)
    assert read["state"] == said.state.name
    assert status.endswith(f" {read['state']} - {read['summary']}")
    assert [m["name"] for m in read["measures"]] == [m.name for m, _ in said.measures]  # type: ignore[attr-defined]
    assert [f["kind"] for f in read["findings"]] == [f.kind.value for f in said.found]  # type: ignore[attr-defined]

    result = json.loads(text_of(said, FORM._replace(format="icinga2")))
    assert result["exit_status"] == said.state
    assert result["plugin_output"] == "\n".join(filter(None, (status, more))) or more == ""
    assert " ".join(result["performance_data"]) == performance

    host, service, status_code, sent = record(said)
    assert (host, service, status_code) == (FORM.host, FORM.service, str(int(said.state)))
    assert sent == plain.rstrip("\n") or sent.endswith("(too long for NSCA, the rest is cut)")

    found = metrics(said)
    assert found["duplicity_check_state",] == said.state
    assert {(f.kind.value, f.state.name.lower()) for f in said.found} == {
        key[1:] for key in found if key[0] == "duplicity_finding"
    }


def record(said: Answer, form: Form = FORM) -> list[str]:
    """Return the fields of the one record that ``send_nsca`` would read."""
    text = text_of(said, form._replace(format="nsca"))
    one, ended, rest = text.partition("\n\x17")
    assert (ended, rest) == ("\n\x17", "")
    return one.split("\t")


@given(answers())
def test_nothing_in_any_form_moves_a_terminals_cursor(said: Answer) -> None:
    for name in ("json", "openmetrics", "icinga2", "nsca"):
        text = text_of(said, FORM._replace(format=name)).removesuffix("\x17")  # ends NSCA's record
        assert all(c.isprintable() or c in "\n\t" for c in text), (name, text)
        text.encode()


def test_an_age_is_a_point_in_time() -> None:
    said = Answer("DUPLICITY FRESHNESS", State.OK, "", NOW, ((Measure("age", 30, "s"), LIMITS),))
    found = metrics(said)
    assert found["duplicity_backup_last_success_timestamp_seconds",] == int(NOW.timestamp()) - 30
    assert found["duplicity_backup_age_limit_seconds", "upper", "warning"] == 32 * 3600
    assert found["duplicity_backup_age_limit_seconds", "upper", "critical"] == 56 * 3600
    assert found["duplicity_check_timestamp_seconds",] == int(NOW.timestamp())
    assert found["duplicity_check_interval_seconds",] == 900


def test_a_limit_that_does_not_count_now_is_not_given() -> None:
    """While a backup runs its age is a WARNING at most: an alert must not be worse."""
    limits = LIMITS._replace(worst=State.WARNING)
    said = Answer("DUPLICITY FRESHNESS", State.OK, "", NOW, ((Measure("age", 30, "s"), limits),))
    levels = [key[2] for key in metrics(said) if key[0] == "duplicity_backup_age_limit_seconds"]
    assert levels == ["warning"]


def test_per_cent_become_ratios() -> None:
    limits = Limits(percent_limit("50"), percent_limit("90"))
    said = Answer("DUPLICITY LOG", State.OK, "", NOW, ((Measure("shrunk", 50, "%"), limits),))
    found = metrics(said)
    assert found["duplicity_run_source_shrunk_ratio",] == 0.5
    assert found["duplicity_run_shrunk_limit_ratio", "upper", "warning"] == 0.49


@pytest.mark.parametrize(
    ("spec", "bounds"),
    [
        ("30d:", {"lower": 30 * 86400}),
        ("1d:2d", {"lower": 86400, "upper": 2 * 86400}),
        ("@1d:2d", {}),
        ("0:5", {"upper": 5}),
        ("~:", {}),
    ],
)
def test_ranges(spec: str, bounds: dict[str, float]) -> None:
    limits = Limits(warning=age_limit(spec))
    said = Answer("DUPLICITY FRESHNESS", State.OK, "", NOW, ((Measure("history", 1, "s"), limits),))
    found = metrics(said)
    assert {
        key[1]: value
        for key, value in found.items()
        if key[0] == "duplicity_backup_history_limit_seconds"
    } == bounds


def test_without_a_running_backup_there_is_no_begin_of_one() -> None:
    def names(count: int) -> set[str]:
        measured = Measure("elapsed", 0, "s"), Measure("processes", count)
        pairs = tuple((measure, Limits()) for measure in measured)
        return {key[0] for key in metrics(Answer("DUPLICITY PROCESS", State.OK, "", NOW, pairs))}

    assert "duplicity_process_start_timestamp_seconds" not in names(0)
    assert "duplicity_process_start_timestamp_seconds" in names(1)


def test_of_many_jobs_each_has_its_findings() -> None:
    found = tuple(Finding(Kind.RUN_FAILED, State.CRITICAL, "failed", job) for job in "ab")
    said = Answer("DUPLICITY LOG", State.CRITICAL, "", NOW, (), found)
    text = text_of(said, FORM._replace(format="openmetrics", backup=""))
    for job in "ab":
        assert f'duplicity_finding{{backup="{job}",check="log",kind="failed run"' in text.replace(
            f'check="log",backup="{job}"', f'backup="{job}",check="log"'
        )


def test_what_is_too_long_for_nsca_is_cut_at_a_line_so_that_one_write_takes_it() -> None:
    """As nsca writes it to a pipe: with an escape for each newline and backslash."""
    for line in ("x", "\\", "ü", "\\" * 100, "😀" * 100):
        said = Answer("T JOBS", State.OK, "ü", NOW, jobs=Job(""), details=(line,) * 5000)
        host, service, state, sent = record(said)
        escaped = sent.replace("\\", "\\\\").replace("\n", "\\n")
        command = f"[1795910348] PROCESS_SERVICE_CHECK_RESULT;{host};{service};{state};{escaped}\n"
        assert 4_096 - 5 * len(line) < len(command.encode()) <= 4_096
        first, *kept, note = sent.split("\n")
        assert first == "T JOBS OK - ü"
        assert set(kept) == {line}
        assert note == "... (too long for NSCA, the rest is cut)"


def test_the_first_line_is_never_cut_for_nsca() -> None:
    """The longest one, with all that makes it longer on the way."""
    many = tuple((Measure(f"measure_{n}", 123456789012, "s"), LIMITS) for n in range(16))
    for letter in ("\\", "😀"):
        said = Answer(
            "DUPLICITY FRESHNESS", State.OK, letter * 700, NOW, many, details=("x" * 5000,)
        )
        *_, sent = record(said, FORM._replace(host="h" * 63, service="s" * 127))
        assert sent.startswith(output(said).text.split("\n")[0] + "\n")


def test_names_are_read_back_whatever_they_are() -> None:
    """A name that isn't a plain one can't become more of the body, of the line or of the labels."""
    evil = 'x"} 1\nup{a="\\'
    form = FORM._replace(backup=evil, host=evil, service=evil)
    said = Answer("DUPLICITY JOBS", State.OK, "", NOW)
    body = json.loads(text_of(said, form._replace(format="icinga2")))
    assert "x" not in body["filter"].replace("host", "").split()
    for more in ("\n", "\t", "\x17"):
        named = form._replace(host=evil + more, service=evil + more)
        assert record(said, named)[2:] == ["0", "DUPLICITY JOBS OK - "]
    assert set(metrics(said, form)) == set(metrics(said))


def test_openmetrics_is_not_loaded_unless_it_is_asked_for() -> None:
    code = (
        "import sys, check_duplicity.commandline;"
        "sys.exit('check_duplicity.formats' in sys.modules or 'prometheus_client' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
