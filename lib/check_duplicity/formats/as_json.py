"""Write the answer as JSON (RFC 8259), with all facts, for a ticket or a program."""

from __future__ import annotations

import json

from check_duplicity.formats.model import Form, check_of
from check_duplicity.lines import one_line
from check_duplicity.nagios.answer import Answer
from check_duplicity.nagios.findings import Finding
from check_duplicity.nagios.measures import Bounded
from check_duplicity.nagios.output import harmless, summary
from check_duplicity.values import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any


def text(answer: Answer, form: Form) -> str:
    """Return one object in ASCII, so that it has no control characters for terminals.

    A finding's ``kind`` is the same in every release; ``commands`` are the command lines of its
    advice. A number is in seconds, bytes, per cent or a count, as ``unit`` says.
    """
    values = answer.values if answer.values is not None else _values(answer, form)
    return json.dumps(values, indent=2) + "\n"


def _values(answer: Answer, form: Form) -> dict[str, Any]:
    return {
        "check": check_of(answer),
        "backup": form.backup,
        "host": form.host,
        "time": answer.time.isoformat(timespec="seconds"),
        "state": answer.state.name,
        "exit_status": int(answer.state),
        "summary": summary(answer),
        "measures": [_measure(bounded) for bounded in answer.measures if bounded[0].graphed],
        "findings": [_finding(*pair) for pair in answer.advised()],
        "details": [harmless(one_line(line)) for line in answer.details],
    }


def _measure(bounded: Bounded) -> dict[str, Any]:
    measure, limits = bounded
    return {
        "name": measure.name,
        "value": measure.value,
        "unit": measure.unit,
        "warning": limits.warning.spec if limits.warning else None,
        "critical": limits.critical.spec if limits.critical else None,
    }


def _finding(finding: Finding, paragraphs: list[str]) -> dict[str, Any]:
    lines = [line for paragraph in paragraphs for line in harmless(paragraph).split("\n")]
    return {
        "kind": finding.kind.value,
        "state": finding.state.name,
        "text": harmless(one_line(finding.text)),
        "job": harmless(one_line(finding.job)),
        "quote": harmless(one_line(finding.quote)),
        "advice": [harmless(paragraph) for paragraph in paragraphs],
        "commands": [line.strip() for line in lines if line.startswith("  ")],
    }
