"""Show pictures and verdicts to a person: in colour in a terminal, as plain text in a pipe."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from datetime import datetime

from check_duplicity.jobs.model import Known
from check_duplicity.lines import one_line
from check_duplicity.nagios.findings import State
from check_duplicity.nagios.output import harmless
from check_duplicity.runs.paths import THROWN_AWAY
from check_duplicity.secrets import Secrets
from check_duplicity.triage.judge import Verdict, timeline
from check_duplicity.triage.model import Picture
from check_duplicity.values import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

_STYLES = {
    State.OK: "bold green",
    State.WARNING: "bold yellow",
    State.CRITICAL: "bold red",
    State.UNKNOWN: "bold magenta",
}
_SHOWN = (
    "user", "script", "schedule", "destination", "archive_dir", "name", "options", "duplicity",
    "mail", "environment_file", "environment",
)  # fmt: skip


class Report:
    """A report for a person, written line by line; commands are never wrapped."""

    def __init__(self) -> None:
        """Write to standard output: in colour in a terminal, unless ``NO_COLOR`` is set."""
        self._console: Console | None = None
        if sys.stdout.isatty():
            from rich.console import Console

            self._console = Console(highlight=False, no_color="NO_COLOR" in os.environ)

    def line(self, text: str = "", style: str = "") -> None:
        """Write one line; control characters and newlines in the text do no harm."""
        text = _shown(text)
        if self._console is None:
            print(text)
        else:
            from rich.text import Text

            self._console.print(Text(text, style=style), soft_wrap=True)

    def pairs(self, pairs: Iterable[tuple[str, str, str]]) -> None:
        """Write names and values, and the origin of each if the terminal is wide enough."""
        rows = [(name, _shown(value), _shown(origin)) for name, value, origin in pairs]
        if self._console is None:
            for name, value, origin in rows:
                print(f"  {name:12} {value}" + (f"  ({origin})" if origin else ""))
            return
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 2))
        wide = self._console.width >= 120
        table.add_column(style="dim", no_wrap=True)
        table.add_column(overflow="fold")
        if wide:
            table.add_column(style="dim", overflow="fold")
        for name, value, origin in rows:
            # As text, because rich would look for markup in a plain string.
            table.add_row(*map(Text, (f"  {name}", value, *([origin] if wide else []))))
        self._console.print(table)

    def verdict(self, picture: Picture, verdict: Verdict) -> None:
        """Write the verdict on a job in one line."""
        self.line(f"{picture.name}: {verdict.state.name}, {verdict.word}", _STYLES[verdict.state])

    def job(self, picture: Picture, verdict: Verdict, now: datetime) -> None:
        """Write a job's picture and the verdict on it."""
        self.verdict(picture, verdict)
        if verdict.why and verdict.state is not State.OK:
            self.line(f"  {verdict.why}")
        facts = {key: (value, origin) for key, value, origin in picture.facts}
        rows = [(key, *facts[key]) for key in _SHOWN if key in facts]
        seen = [
            ("backups", picture.destination, ""),
            ("restore", picture.proof, ""),
            ("four weeks", timeline(picture.sets, now), ""),
            ("runs", picture.runs, ""),
            ("now", picture.now, ""),
        ]
        self.pairs([*rows, *(row for row in seen if row[1])])
        for finding in picture.findings:
            if finding.text != verdict.why:
                self.line(f"  {finding.state.name}: {finding.text}")
            if finding.quote:
                self.line(f"    It said: {finding.quote}", "dim")
        for doubt in picture.doubts:
            self.line(f"  not known: {doubt}")
        if verdict.steps:
            self.line("  What to do:", "bold")
            for step in verdict.steps:
                for text in step.split("\n"):
                    self.line(f"  {text}", "cyan" if text.startswith("  ") else "")
        self.line()

    def known(self, jobs: Iterable[Known], secrets: Secrets) -> None:
        """Write a list of jobs, with the origin of each fact."""
        for known in jobs:
            self.line(known.job, "bold")
            self.pairs(
                (key, secrets.hide(known.facts[key].value), known.facts[key].origin)
                for key in known.facts
                if known.get(key) and key != "encryption"
            )
            if known.environment:
                self.pairs([("environment", ", ".join(sorted(known.environment)), "names only")])
            for doubt in known.doubts:
                self.line(f"  not known: {secrets.hide(doubt)}")
            if known.is_silent:
                self.line(f"  not known: how its runs go; {THROWN_AWAY}")
            self.line()


def _shown(text: str) -> str:
    return harmless(one_line(text))
