"""Tell a person at a terminal how far a drill is."""

from __future__ import annotations

import sys
from collections.abc import Callable

from check_duplicity.lines import one_line
from check_duplicity.nagios.output import harmless
from check_duplicity.values import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class Reporter:
    """A progress bar on standard error during a drill, if that is a terminal."""

    def __init__(self, *, quiet: bool, hide: Callable[[str], str]) -> None:
        """``hide`` takes secrets out of what is shown."""
        self._hide = hide
        self._progress: Progress | None = None
        self._task: TaskID | None = None
        if sys.stderr.isatty() and not quiet:
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

            columns = TextColumn("{task.description}", markup=False), BarColumn()
            console = Console(stderr=True)
            # auto_refresh would start a thread, but this process must have none when it forks.
            self._progress = Progress(
                *columns, MofNCompleteColumn(), console=console, auto_refresh=False, transient=True
            )

    def __enter__(self) -> Reporter:
        """Show the progress bar."""
        if self._progress is not None:
            self._progress.start()
            self._task = self._progress.add_task("asking what is there", total=None)
            self._progress.refresh()
        return self

    def __exit__(self, *error: object) -> None:
        """Remove the progress bar."""
        if self._progress is not None:
            self._progress.stop()

    def read(self, what: str, read: int, of: int) -> None:
        """Show what is restored, and the number of volumes ``read`` ``of`` all for it."""
        if self._progress is None or self._task is None:
            return
        text = harmless(one_line(self._hide(what)))
        self._progress.update(self._task, description=text, completed=read, total=of)
        self._progress.refresh()
