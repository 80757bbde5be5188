"""The text that Nagios, Icinga and people read.

The form is the Monitoring Plugins' development guidelines': one status line with performance data
behind a bar, then long output. Icinga 2 takes a bar in any line for performance data, and Icinga
Web renders HTML, so neither leaves here; file names and error texts are other people's.
"""

from __future__ import annotations

from check_duplicity.lines import one_line
from check_duplicity.nagios.answer import Answer
from check_duplicity.nagios.findings import State
from check_duplicity.nagios.measures import in_graphs
from check_duplicity.values import NamedTuple

_LONGEST_SUMMARY = 600  # characters: old NRPE peers cut at 1,023 bytes, performance data included
_LONGEST = 60_000  # characters: NRPE cuts at 65,504 bytes
_CUT = "\n... (too long, the rest is cut)\n"
_HARMLESS = {ord("|"): "¦", ord("<"): "‹", ord(">"): "›", ord("\t"): " "}


class Output(NamedTuple):
    """What a plugin ends with: its exit status, and all that it prints."""

    state: State
    text: str


def output(answer: Answer, *, quiet: bool = False) -> Output:
    """Return the output: status line, findings with what to type for each, details."""
    performance = in_graphs(answer.measures)
    status = status_line(answer) + (f" | {performance}" if performance else "")
    text = "\n".join([status, *([] if quiet else long_output(answer))]) + "\n"
    if len(text) > _LONGEST:
        text = text[: text.rfind("\n", 0, _LONGEST - len(_CUT))] + _CUT
    return Output(answer.state, text)


def status_line(answer: Answer) -> str:
    """Return the first line, without performance data."""
    return f"{answer.title} {answer.state.name} - {summary(answer)}"


def summary(answer: Answer) -> str:
    """Return what was found, in one line that is not too long."""
    text = harmless(" ".join(answer.summary.split()))
    return text if len(text) <= _LONGEST_SUMMARY else text[: _LONGEST_SUMMARY - 1] + "…"


def long_output(answer: Answer) -> list[str]:
    """Return what follows the first line; a paragraph may have several lines."""
    lines: list[str] = []
    for finding, paragraphs in answer.advised():
        said = [f"{finding.state.name}: {finding.text}"] if len(answer.found) > 1 else []
        said += [f"  It said: {finding.quote}"] if finding.quote else []
        lines += [*map(one_line, said), *paragraphs]
    return [harmless(line) for line in (*lines, *map(one_line, answer.details))]


def harmless(text: str) -> str:
    """Return text without what Icinga, a browser or a terminal would take for more than text.

    Its newlines stay: it is one of ours, or its values have been through `lines.one_line`.
    """
    return "".join(
        character if character == "\n" or character.isprintable() else "?"
        for character in text.translate(_HARMLESS)
    )
