"""The text that Nagios, Icinga and people read.

The form is the Monitoring Plugins' development guidelines': one status line with performance data
behind a bar, then long output. Icinga 2 takes a bar in any line for performance data, and Icinga
Web renders HTML, so neither leaves here; file names and error texts are other people's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from check_duplicity.lines import one_line
from check_duplicity.nagios.commands import Job
from check_duplicity.nagios.findings import CannotSee, Finding, State
from check_duplicity.nagios.steps import advise
from check_duplicity.values import NamedTuple

_LONGEST_SUMMARY = 600  # characters: old NRPE peers cut at 1,023 bytes, performance data included
_LONGEST = 60_000  # characters: NRPE cuts at 65,504 bytes
_CUT = "\n... (too long, the rest is cut)\n"
_HARMLESS = {ord("|"): "¦", ord("<"): "‹", ord(">"): "›", ord("\t"): " "}


class Output(NamedTuple):
    """What a plugin ends with: its exit status, and all that it prints."""

    state: State
    text: str


def tell(
    title: str,
    state: State,
    summary: str,
    performance: str,
    found: Iterable[Finding],
    jobs: Job | Mapping[str, Job],
    details: Iterable[str] = (),
) -> Output:
    """Return the whole output: status line, findings with what to type for each, details.

    ``found`` is in the order of importance; one alone stands in the summary already. ``jobs`` is
    the job that they are about, or by each finding's ``job`` that one's.
    """
    found = list(found)
    lines: list[str] = []
    about = [(f.kind, jobs if isinstance(jobs, Job) else jobs[f.job]) for f in found]
    for finding, paragraphs in zip(found, advise(about)):
        said = [f"{finding.state.name}: {finding.text}"] if len(found) > 1 else []
        said += [f"  It said: {finding.quote}"] if finding.quote else []
        lines += [*map(one_line, said), *paragraphs]
    return _output(title, state, summary, performance, [*lines, *map(one_line, details)])


def brief(title: str, state: State, summary: str, performance: str = "") -> Output:
    """Return the status line only."""
    return _output(title, state, summary, performance, [])


def unseen(title: str, reason: CannotSee, job: Job | None = None) -> Output:
    """Return the output of a check that could not see, with what to type if a job is given."""
    [paragraphs] = advise([(reason.kind, job)]) if job else [[]]
    return _output(title, State.UNKNOWN, reason.reason, "", paragraphs)


def harmless(text: str) -> str:
    """Return text without what Icinga, a browser or a terminal would take for more than text.

    Its newlines stay: it is one of ours, or its values have been through `lines.one_line`.
    """
    return "".join(
        character if character == "\n" or character.isprintable() else "?"
        for character in text.translate(_HARMLESS)
    )


def _output(
    title: str, state: State, summary: str, performance: str, lines: Iterable[str]
) -> Output:
    summary = harmless(" ".join(summary.split()))
    if len(summary) > _LONGEST_SUMMARY:
        summary = summary[: _LONGEST_SUMMARY - 1] + "…"
    status = f"{title} {state.name} - {summary}"
    status += f" | {performance}" if performance else ""
    text = "\n".join([status, *map(harmless, lines)]) + "\n"
    if len(text) > _LONGEST:
        text = text[: text.rfind("\n", 0, _LONGEST - len(_CUT))] + _CUT
    return Output(state, text)
