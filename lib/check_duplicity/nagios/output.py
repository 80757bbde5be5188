"""Make the text that Nagios, Icinga and people read.

It follows the Monitoring Plugins' development guidelines: one status line with performance data
after a bar, then long output. Icinga 2 takes a bar in any line for performance data, and Icinga Web
renders HTML, so both are replaced here: file names and error texts can contain either.
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
    """A plugin's exit status, and all that it prints."""

    state: State
    text: str


def output(answer: Answer, *, quiet: bool = False) -> Output:
    """Return the output: status line, findings with the advice on each, details."""
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
    """Return the findings in one line of limited length."""
    text = harmless(" ".join(answer.summary.split()))
    return text if len(text) <= _LONGEST_SUMMARY else text[: _LONGEST_SUMMARY - 1] + "…"


def long_output(answer: Answer) -> list[str]:
    """Return the paragraphs after the first line; each may have several lines."""
    lines: list[str] = []
    for finding, paragraphs in answer.advised():
        said = [f"{finding.state.name}: {finding.text}"] if len(answer.found) > 1 else []
        said += [f"  It said: {finding.quote}"] if finding.quote else []
        lines += [*map(one_line, said), *paragraphs]
    return [harmless(line) for line in (*lines, *map(one_line, answer.details))]


def harmless(text: str) -> str:
    """Replace the characters that Icinga, a browser or a terminal would interpret.

    Newlines stay: the text is our own, and its values have been through `lines.one_line`.
    """
    return "".join(
        character if character == "\n" or character.isprintable() else "?"
        for character in text.translate(_HARMLESS)
    )
