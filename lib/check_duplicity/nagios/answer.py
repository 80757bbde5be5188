"""What a check says, before it becomes text in one of the forms (``output``, ``formats/``)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timezone

from check_duplicity.nagios.commands import Job
from check_duplicity.nagios.evaluation import Evaluation
from check_duplicity.nagios.findings import CannotSee, Finding, State
from check_duplicity.nagios.measures import Bounded
from check_duplicity.nagios.steps import advise
from check_duplicity.values import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Any


class Answer(NamedTuple):
    """All that a check says; no secret is in it.

    ``found`` is in the order of importance; one alone stands in the summary already. ``jobs`` is
    the job that they are about, or by each finding's ``job`` that one's; without one nothing is
    advised. ``advice`` is what is, once `prepared` has found it. ``time`` is when the check looked:
    ages are from there. ``values`` is for JSON, if the program has its own.
    """

    title: str
    state: State
    summary: str
    time: datetime
    measures: tuple[Bounded, ...] = ()
    found: tuple[Finding, ...] = ()
    jobs: Job | Mapping[str, Job] | None = None
    details: tuple[str, ...] = ()
    values: Any = None
    advice: tuple[list[str], ...] | None = None

    def prepared(self) -> Answer:
        """Return it with the advice for each finding: with very many that takes seconds.

        So it is done while the check still has its deadline.
        """
        return self._replace(advice=self._advice())

    def advised(self) -> list[tuple[Finding, list[str]]]:
        """Return each finding with the paragraphs to read and to type for it."""
        return list(zip(self.found, self._advice() if self.advice is None else self.advice))

    def _advice(self) -> tuple[list[str], ...]:
        jobs = self.jobs
        if jobs is None:
            return tuple([] for _ in self.found)
        about = [(f.kind, jobs if isinstance(jobs, Job) else jobs[f.job]) for f in self.found]
        return tuple(advise(about))


def answer(
    title: str,
    evaluated: Evaluation,
    now: datetime,
    jobs: Job | Mapping[str, Job],
    details: Iterable[str] = (),
) -> Answer:
    """Return the answer of a check that has judged what it saw at ``now``."""
    state, summary, measures, found = evaluated
    return Answer(title, state, summary, now, measures, found, jobs, tuple(details))


def unseen(title: str, reason: CannotSee, job: Job | None = None) -> Answer:
    """Return the answer of a check that could not see, with what to type if a job is given."""
    found = (Finding(reason.kind, State.UNKNOWN, reason.reason),)
    now = datetime.now(timezone.utc)
    return Answer(title, State.UNKNOWN, reason.reason, now, found=found, jobs=job)
