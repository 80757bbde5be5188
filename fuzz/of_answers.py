"""Fuzz the output of answers: whatever text they hold, each form's reader must accept it."""

from __future__ import annotations

import json
import re
from datetime import datetime, timezone

from check_duplicity.formats.form import text as text_of
from check_duplicity.formats.model import Form
from check_duplicity.nagios.answer import Answer, unseen
from check_duplicity.nagios.commands import Job
from check_duplicity.nagios.findings import CannotSee, Finding, Kind, State
from check_duplicity.nagios.measures import Limits, Measure
from check_duplicity.nagios.output import Output, output
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_metrics

NOW = datetime(2026, 11, 24, 12, tzinfo=timezone.utc)


def told(data: bytes) -> None:
    """Put text that other people wrote into an answer, and demand one valid output."""
    summary, *others = [*data.decode("utf-8", "surrogateescape").split("\0"), ""]
    text = others[0]
    url = others[-1]
    job = Job("backup", url=url, script=text, options=tuple(others), check=text, stamp=text)
    kind = list(Kind)[len(data) % len(Kind)]
    found = Finding(kind, State.WARNING, text, quote=url), Finding(kind, State.OK, summary, text)
    measured = ((Measure("jobs", len(data)), Limits()),)
    jobs = {"": job, text: job}
    said = Answer("T jobs", State.WARNING, summary, NOW, measured, found, jobs, tuple(others))
    for one in (
        said,
        said._replace(found=found[:1]),
        unseen("T jobs", CannotSee(kind, summary), job),
    ):
        valid(output(one))
        valid(output(one, quiet=True))
        _same_in_all_forms(one, text)


def _same_in_all_forms(said: Answer, name: str) -> None:
    """Demand that each form's reader can read the answer, and gets its state."""
    form = Form("json", name, "host", "service", 900)
    assert json.loads(text_of(said, form))["state"] == said.state.name
    result = json.loads(text_of(said, form._replace(format="icinga2")))
    assert result["exit_status"] == said.state
    record = text_of(said, form._replace(format="nsca"))
    assert record.split("\t")[2] == str(int(said.state))
    assert record.count("\x17") == record.endswith("\n\x17")
    metrics = text_of(said, form._replace(format="openmetrics"))
    families = read_metrics(metrics)  # type: ignore[no-untyped-call]
    [state] = [f for f in families if f.name == "duplicity_check_state"]
    assert state.samples[0].value == said.state


def valid(told: Output) -> None:
    """Demand an output that Nagios, Icinga, browsers and terminals read as it is meant."""
    first, *others, last = told.text.split("\n")
    assert re.match(f"T( jobs)? {told.state.name} - ", first)
    assert first.count("|") == first.count(" | ") <= 1
    assert last == ""
    assert not any("|" in line for line in others)
    assert not set(told.text) & set("<>\r\x00\x1b\x9b\u202e")
    assert len(told.text) < 60_100
    told.text.encode()
