"""Give an answer in the requested form, to standard output or into a file.

With a file, standard output has the form for Nagios, so that a timer's journal says what was found.
If the file can't be written, the answer is UNKNOWN: nobody must believe the old file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from check_duplicity.formats.model import Form
from check_duplicity.nagios.answer import Answer
from check_duplicity.nagios.commands import Job
from check_duplicity.nagios.findings import Finding, Kind, State
from check_duplicity.nagios.output import Output, output
from check_duplicity.system.writer import NotWritten, Writer
from check_duplicity.values import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import NoReturn


def give(answer: Answer, form: Form, writer: Writer | None) -> Output:
    """Write the file, if one is wanted, and return the text to print."""
    if writer is None:
        return Output(answer.state, text(answer, form))
    try:
        writer.write(text(answer, form))
    except NotWritten as error:
        answer = _not_written(answer, str(error))
    return output(answer, quiet=form.quiet)


def text(answer: Answer, form: Form) -> str:
    """Return an answer in a form."""
    if form.format == "nagios":
        return output(answer, quiet=form.quiet).text
    return _writer_of(form.format)(answer, form)


def demand(name: str, refuse: Callable[[str], NoReturn]) -> None:
    """Refuse a format at once if a module that it needs isn't installed."""
    if name == "openmetrics":
        try:
            import prometheus_client  # noqa: F401
        except ImportError:
            refuse("--format openmetrics needs prometheus_client (python3-prometheus-client)")


def _writer_of(name: str) -> Callable[[Answer, Form], str]:
    if name == "json":
        from check_duplicity.formats.as_json import text
    elif name == "openmetrics":
        from check_duplicity.formats.openmetrics import text
    elif name == "icinga2":
        from check_duplicity.formats.icinga2 import text
    else:
        from check_duplicity.formats.nsca import text
    return text


def _not_written(answer: Answer, problem: str) -> Answer:
    """Return the answer as UNKNOWN, with its original state in words."""
    summary = f"{problem}; the check said {answer.state.name}: {answer.summary}"
    finding = Finding(Kind.NOT_WRITTEN, State.UNKNOWN, problem)
    return answer._replace(
        state=State.UNKNOWN,
        summary=summary,
        found=(finding, *answer.found),
        advice=None,
        jobs=_with_any(answer.jobs),
    )


def _with_any(jobs: Job | Mapping[str, Job] | None) -> Job | Mapping[str, Job] | None:
    """Return the jobs, and under ``""`` one that provides advice for findings without a job."""
    if jobs is None or isinstance(jobs, Job):
        return jobs
    return {"": next(iter(jobs.values()), Job("")), **jobs}
