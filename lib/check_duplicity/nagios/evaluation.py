"""Judge numbers by their limits, and find the state of the whole check."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from check_duplicity.nagios.findings import Finding, State
from check_duplicity.nagios.measures import Bounded, Limits, Measure, in_graphs, said_of
from check_duplicity.values import NamedTuple


class Evaluation(NamedTuple):
    """State and summary of a check, its numbers with their limits, and its findings.

    The worst finding comes first.
    """

    state: State
    summary: str
    measures: tuple[Bounded, ...]
    findings: tuple[Finding, ...]

    @property
    def performance(self) -> str:
        """The numbers as Nagios' performance data."""
        return in_graphs(self.measures)


def evaluate(
    measures: Iterable[Measure], found: Iterable[Finding], limits: Mapping[str, Limits]
) -> Evaluation:
    """Judge measures by their limits (keyed by the measure's name), and add the findings."""
    judged = tuple((measure, limits.get(measure.name, Limits())) for measure in measures)
    found = tuple(found)
    if not found and all(_is_plainly_good(*pair) for pair in judged):
        return Evaluation(State.OK, said_of([m for m, _ in judged]), judged, ())
    # Imported late: loading it takes longer than looking at a thousand processes, and is
    # seldom needed.
    from check_duplicity.nagios.ranges import judge

    state, summary, findings = judge(judged, found)
    return Evaluation(state, summary, judged, findings)


def _is_plainly_good(measure: Measure, limits: Limits) -> bool:
    """Return whether a number is below its upper limits; nagiosplugin judges other ranges."""
    given = [limit.upper for limit in (limits.warning, limits.critical) if limit is not None]
    return all(upper is not None and measure.value <= upper for upper in given)
